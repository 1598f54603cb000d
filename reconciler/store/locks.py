"""What the store needs from a lock; `lease` has one for every shelf, `http` one that the server keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reconciler.model.ports import Hold, LockInfo


class TakenLock(Hold, Protocol):
    """A lock that is held."""

    @property
    def seamless(self) -> bool:
        """Whether its last holder gave it back, or cannot write any more."""
        ...

    def raise_fence(self, fence: int) -> None:
        """Take a higher generation. Raises StateError where the lock is lost."""
        ...

    def release(self) -> None:
        """Let go; never raises."""
        ...


class Locks(Protocol):
    """The lock of one state. Methods raise StateError where the backend fails."""

    def acquire(self, info: LockInfo, timeout: float) -> TakenLock:
        """Take the lock, waiting up to `timeout` seconds. Raises LockHeld."""
        ...

    def holder(self) -> LockInfo | None:
        """Return who holds it."""
        ...

    def break_lock(self, lock_id: str, note: Callable[[], None]) -> bool:
        """Take it away from its holder, and call `note`; False when it is not held under that id."""
        ...
