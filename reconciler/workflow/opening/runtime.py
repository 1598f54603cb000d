"""What a run takes from outside, and the one place where an event loop is started."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from reconciler.model.records import record
from reconciler.model.waits import Waits

if TYPE_CHECKING:  # what only some commands need is imported by them
    import asyncio

    from reconciler.model.ports import Store, Watch
    from reconciler.store import Clock, StoreOptions


def _token() -> str:
    import secrets

    return secrets.token_hex(8)


def _clock() -> Clock:
    from reconciler.store import Clock

    return Clock()


def _open_store(url: str, folder: Path, options: StoreOptions) -> Store:
    from reconciler.store import open_store

    return open_store(url, folder, options)


@record
class Runtime:
    """What a run takes from outside: environment variables, clocks, randomness, and the ways to an event loop, to the
    account and to the state.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    token: Callable[[], str] = _token
    clock: Clock = field(default_factory=_clock)
    waits: Waits = field(default_factory=Waits)
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None
    """What makes the event loop of each verb (None: asyncio's own)."""
    transport: Any = None
    """What carries requests to the account, an httpx transport (None: the network, or the embedded emulator)."""
    open_store: Callable[[str, Path, StoreOptions], Store] = _open_store
    watch: Watch | None = None
    """Who is told what is waited for, in every session of the run."""

    def stamp(self) -> str:
        """The time in ISO 8601, UTC, to the second."""
        return self.now().astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


T = TypeVar("T")

_RUNTIME: ContextVar[Runtime | None] = ContextVar("runtime", default=None)


def current_runtime() -> Runtime:
    """Return the runtime that `within` set, otherwise those of this process."""
    return _RUNTIME.get() or Runtime()


@contextmanager
def within(runtime: Runtime) -> Iterator[None]:
    """Let every session that is opened inside, and every verb that is run, have this runtime."""
    before = _RUNTIME.set(runtime)
    try:
        yield
    finally:
        _RUNTIME.reset(before)


def run_async(coroutine: Coroutine[object, object, T]) -> T:
    """Run a verb; the only place where an event loop is started.

    At its end asyncio's runner formats the main task with its result, for an error message that is not shown: a plan of
    thousands of objects would be written out as text for nothing. So the result is kept beside the task.
    """
    kept: list[T] = []

    async def work() -> None:
        kept.append(await coroutine)

    with closing(coroutine):
        import asyncio

        with asyncio.Runner(loop_factory=current_runtime().loop) as runner:
            runner.run(work())
    return kept[0]
