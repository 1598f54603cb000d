"""An event loop in which waiting takes no time: what runs on the emulator does not wait."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class _Jumping(selectors.DefaultSelector):
    """Never blocks for longer than it takes to see that nothing is ready; counts what it skipped, in seconds."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None and timeout > 0:
            self.skipped += timeout
        return ready


class InstantLoop(asyncio.SelectorEventLoop):
    """Its time goes on by what it did not wait for, so that a limit on waiting holds."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    @property
    def skipped(self) -> float:
        """The seconds that were not waited for."""
        return self._jumping.skipped

    def time(self) -> float:
        """Seconds, those that were skipped included."""
        return super().time() + self.skipped
