"""What a run waits for, while it waits: a frame on a terminal, a line for each kind elsewhere.

The frame is drawn by a thread of its own: reading files and planning would keep a loop from it. Everything goes to the
stream that is passed in (standard error).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from reconciler.model.http import Request, Response
from reconciler.model.ports import Moment
from reconciler.model.redaction import redactor
from reconciler.render import words
from reconciler.render.capable import is_interactive
from reconciler.render.harmless import outgoing
from reconciler.render.quoting import clean
from reconciler.render.traffic import Topic, Traffic

if TYPE_CHECKING:
    from rich.console import RenderableType

    from reconciler.render.frame import Frame

SOON = 0.1
"""Seconds after which a terminal shows a sign of life; what is done before needs none."""
LONG = 3.0
"""Seconds that requests take at the rate of the account, from which a log is told of each kind."""
SLOW = 10.0
"""Seconds after which it is told of them whatever was foreseen."""
_SHOWN = 4
_WORTH_SAYING = 1.0


class Alarm(Protocol):
    """What calls a function some time after `start`, unless it is cancelled: threading.Timer."""

    def start(self) -> None: ...
    def cancel(self) -> None: ...


def _timer(seconds: float, function: Callable[[], None]) -> Alarm:
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    return timer


class ReadingProgress:
    """A context manager in which accounts are read. `alarm` makes what starts the frame, `quiet` says nothing at all,
    `live` is whether a frame may be drawn (None: on an interactive terminal), `what` what is done meanwhile.
    """

    def __init__(
        self,
        stream: TextIO,
        traffic: Traffic,
        *,
        environ: Mapping[str, str],
        quiet: bool = False,
        live: bool | None = None,
        what: str = "Reading",
        alarm: Callable[[float, Callable[[], None]], Alarm] = _timer,
    ) -> None:
        self._stream = stream
        self._traffic = traffic
        self._environ = environ
        self._quiet = quiet
        self._interactive = is_interactive(stream, environ) if live is None else live
        self._alarm = alarm
        self._began = traffic.clock()
        self._what = what
        self._pending: Alarm | None = None
        self._live: Frame | None = None
        self._guard = threading.Lock()
        self._ended = False
        self._waiting: tuple[str, float] | None = None
        self._told: set[tuple[str, str]] = set()
        self._logging = False

    def __enter__(self) -> Self:
        self._traffic.begin()
        if self._interactive and not self._quiet:
            self._pending = self._alarm(SOON, self._show)
            self._pending.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._log(whole=True)
        self.hide()
        self._ended = True

    def hide(self) -> None:
        """Take the frame away, for good."""
        if self._pending is not None:
            self._pending.cancel()
        with self._guard:
            self._pending = None
            if self._live is not None:
                self._live.stop()
                self._live = None
            self._interactive = False

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let what is printed inside stand above the frame, where there is one."""
        with self._guard:
            if self._live is None:
                yield
            else:
                with self._live.away():
                    yield

    def request(self, moment: Moment, request: Request, answer: Response | None = None) -> None:
        """A request was wanted, sent or is over."""
        if moment == "sent":
            self._waiting = None
        elif moment == "answered" and not (self._quiet or self._interactive):
            self._log()

    def waiting(self, reason: str, seconds: float) -> None:
        """The run waits: the frame says so until it goes on, a log gets a line."""
        self._waiting = (reason, self._traffic.clock() + seconds)
        if not (self._quiet or self._interactive) and seconds >= _WORTH_SAYING:
            self._put(f"Waiting: {reason}, resuming in {words.duration(seconds)}")

    def note(self, text: str) -> None:
        """Say something, above the frame where there is one."""
        with self._guard:
            if self._live is None:
                self._put(text)
            else:
                self._live.draw(outgoing(redactor().show(clean(text)), "text"))

    # --- a log ------------------------------------------------------------------------------------------------------

    def _log(self, *, whole: bool = False) -> None:
        """Say of each kind once that it was read, where the run is long enough to wonder."""
        if self._quiet or self._interactive:
            return
        traffic = self._traffic
        slow = bool(traffic.foreseen()) and traffic.clock() - self._began >= SLOW
        self._logging = self._logging or slow or traffic.foreseen() >= LONG
        for key, topic in list(traffic.topics.items()):
            if self._logging and topic.requests and key not in self._told and (whole or topic.over):
                self._told.add(key)
                self._put(_line(topic, of=f" of {topic.account}" if len(traffic.names) > 1 else ""))

    def _put(self, line: str) -> None:
        self._stream.write(outgoing(redactor().show(clean(line)), "text") + "\n")
        self._stream.flush()

    # --- a terminal -------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        with self._guard:
            if self._pending is not None and not self._ended:
                from reconciler.render.progress import live_on

                self._live = live_on(self._stream, self._environ, self._frame)

    def _frame(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        with self._traffic.frozen():
            lines = [Text(clean(line), style="dim" if at else "") for at, line in enumerate(self._lines())]
        waiting = self._waiting
        if waiting is not None:
            left = max(waiting[1] - self._traffic.clock(), 0.0)
            lines.append(Text(clean(f"  {waiting[0]}, resuming in {words.duration(left)}"), style="yellow"))
        return Group(*lines)

    def _time(self, elapsed: str) -> str:
        """Return the seconds left, those of a wait included; those that passed where nothing is known to come."""
        left = self._traffic.seconds_left()
        if left and self._waiting is not None:
            left += max(self._waiting[1] - self._traffic.clock(), 0.0)
        return f"about {words.duration(left)} left" if left else elapsed

    def _lines(self) -> list[str]:
        traffic = self._traffic
        topics = [topic for topic in traffic.topics.values() if topic.requests or topic.open]
        elapsed = words.duration(max(traffic.clock() - self._began, 0.0))
        what = f"{self._what} {' and '.join(traffic.names)}".rstrip()
        if not topics:
            return [f"{what if traffic.names else 'Reading the configuration'}, {elapsed}"]
        parts = [*_counted(traffic), self._time(elapsed)]
        busy = sorted(
            (topic for topic in topics if not topic.over), key=lambda topic: (not topic.rows, not topic.requests)
        )
        lines = [f"{what}: {', '.join(parts)}", *map(_busy, busy[:_SHOWN])]
        return [*lines, f"  and {len(busy) - _SHOWN} more"] if len(busy) > _SHOWN else lines


def _counted(traffic: Traffic) -> list[str]:
    kinds, pace = traffic.kinds, traffic.pace()
    parts = [f"{sum(topic.over for topic in kinds)}/{len(kinds)} kinds"] if kinds else []
    most = f" of at most {traffic.most}" if traffic.most else ""
    return [*parts, words.counted(traffic.requests, "request") + most, *([f"{pace:.1f}/s"] if pace else [])]


def _busy(topic: Topic) -> str:
    if not topic.rows:
        return f"  {topic.name}"
    of = f" of {words.number(topic.total)}" if topic.total else ""
    return f"  {topic.name}: {words.number(topic.rows)}{of}"


def _line(topic: Topic, of: str) -> str:
    asked = words.counted(topic.requests, "request")
    if topic.failed or topic.stopped:
        return f"{'Stopped reading' if topic.stopped else 'Could not read'} {topic.name}{of} ({asked})"
    rows = f"{words.counted(topic.rows, 'object')}, " if topic.listed else ""
    return f"Read {topic.name}{of}: {rows}{asked}"
