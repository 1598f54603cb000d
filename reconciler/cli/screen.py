"""What a command shows while it waits for accounts, and how an interrupt ends it. Every command waits through here."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from reconciler.cli.endings import endings

if TYPE_CHECKING:
    import asyncio

    from reconciler.model.http import Request, Response
    from reconciler.model.ports import Moment
    from reconciler.render.progress import Progress
    from reconciler.render.reading import ReadingProgress
    from reconciler.render.stream import EventStream
    from reconciler.render.traffic import Traffic
    from reconciler.workflow.apply.hooks import Hooks
    from reconciler.workflow.opening.session import Session

T = TypeVar("T")


@runtime_checkable
class Noting(Protocol):
    """What shows events to people, and can say something between them."""

    def note(self, text: str) -> None: ...
    def hide(self) -> None: ...


class Screen:
    """Implements `model.ports.Watch` for one run of the program. `quiet` shows nothing; with `lines` something else
    tells of every request, and no frame is drawn between its lines.
    """

    def __init__(self) -> None:
        self.quiet = self.lines = False
        self._reading: ReadingProgress | None = None
        self.next_command = ""
        """What goes on where this command is interrupted."""
        self._what = "Reading"
        self._traffic: Traffic | None = None

    @property
    def traffic(self) -> Traffic:
        """The requests of this run."""
        if self._traffic is None:
            from reconciler.render.traffic import Traffic

            self._traffic = Traffic(monotonic)
        return self._traffic

    def wait(self, coroutine: Coroutine[object, object, T], what: str = "Reading") -> T:
        """Run a verb to its end and return its result, with signs of life: `what` is done with the account."""
        from reconciler.workflow.opening.runtime import run_async

        with closing(coroutine), self.reading(what):  # an interrupt may come before the loop runs it
            return run_async(coroutine)

    @contextmanager
    def reading(self, what: str = "Reading") -> Iterator[None]:
        """Show what is waited for inside."""
        from reconciler.cli.terminal import above, settle
        from reconciler.render.reading import ReadingProgress

        settle()
        live = False if self.lines else None
        shown = ReadingProgress(sys.stderr, self.traffic, environ=os.environ, quiet=self.quiet, live=live, what=what)
        with shown, above(shown.away):
            self._reading, self._what = shown, what
            try:
                yield
                self._what = ""
            finally:
                self._reading = None

    def aside(self) -> None:
        """Take away what is shown: a user is asked."""
        if self._reading is not None:
            self._reading.hide()

    def note(self, text: str) -> None:
        """Say something while the run goes on."""
        if self._reading is not None:
            self._reading.note(text)

    def interrupted(self) -> str:
        """Return what is said where an interrupt ended the command: what was read and written, and what goes on."""
        from reconciler.model.touched import collected
        from reconciler.render.interrupts import message

        return message(self._traffic, self._what, collected(), self.next_command)

    def connected(self, name: str, kinds: Mapping[str, str], rate: float | None) -> None:
        """See `Watch`."""
        self.traffic.connected(name, kinds, rate)

    def expecting(self, name: str, kinds: Iterable[str], most: int = 0) -> None:
        """See `Watch`."""
        self.traffic.expecting(name, kinds, most)

    def request(self, moment: Moment, request: Request, answer: Response | None = None, account: str = "") -> None:
        """See `Watch`."""
        self.traffic.request(moment, request, answer, account)
        if self._reading is not None:
            self._reading.request(moment, request, answer)

    def waiting(self, reason: str, seconds: float) -> None:
        """See `Watch`."""
        if self._reading is not None:
            self._reading.waiting(reason, seconds)
        elif not self.quiet and seconds >= 1:
            from reconciler.cli.terminal import note

            note(f"Waiting: {reason}, resuming in {seconds:.0f} s")

    @contextmanager
    def writing(self, opened: Session, hooks: Hooks, shown: Progress | EventStream, total: int) -> Iterator[None]:
        """Show the events of a run that writes `total` steps, and obey interrupts: the first one ends it in order, the
        second at once. To be entered where the loop runs; `shown` is called with each event.
        """
        from reconciler.model.events import Event, Finished, Waiting

        done = 0
        self.next_command = "reconciler apply"

        def emit(event: Event) -> None:
            nonlocal done
            done += isinstance(event, Finished)
            shown(event)

        def left() -> str:
            late = "; their results may not all be on record" if opened.store.coalesces else " and recorded"
            return (
                f"{done} of {total} steps are done{late}. What was under way is looked up by the next "
                "`reconciler apply`, which goes on from there; `reconciler runs resume` finishes this run alone."
            )

        with shown:
            hooks.emit = emit
            opened.on_wait = lambda reason, seconds: emit(Waiting(reason, seconds))
            self._obey(hooks.stop, shown, left)
            yield

    def _obey(self, stop: asyncio.Event, shown: Progress | EventStream, left: Callable[[], str]) -> None:
        import asyncio

        from reconciler.cli.terminal import note

        def interrupted() -> None:
            if stop.is_set():
                _at_once(shown, left)
            stop.set()
            flying = self.traffic.flying
            what = f"{flying} request{'s' if flying != 1 else ''} in flight" if flying else "what was begun"
            (shown.note if isinstance(shown, Noting) else note)(f"Stopping after {what}; press again to stop now.")

        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, *endings()):
            loop.add_signal_handler(number, interrupted)


def _at_once(shown: Progress | EventStream, left: Callable[[], str]) -> None:
    """End the process: what was recorded is on disk already."""
    from reconciler.cli.terminal import note

    with suppress(Exception):  # the terminal may be gone
        if isinstance(shown, Noting):
            shown.hide()
        sys.stdout.flush()
        note(f"Stopped. {left()}")
        sys.stderr.flush()
    os._exit(130)
