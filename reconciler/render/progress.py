"""What an apply is doing, while it does it: a live bar on a terminal, a line per finished step elsewhere.

Everything goes to the stream that is passed in (standard error): standard output belongs to data.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

from reconciler.model.events import Event, Failed, Finished, Noted, Skip, Started, Waiting
from reconciler.model.redaction import Shown, redactor
from reconciler.render import words
from reconciler.render.capable import is_interactive, wants_colour
from reconciler.render.harmless import outgoing
from reconciler.render.layout import Paper
from reconciler.render.quoting import clean
from reconciler.render.traffic import Traffic

if TYPE_CHECKING:
    from rich.console import RenderableType

    from reconciler.render.frame import Frame

MANY = 6
"""Steps from which the bar alone tells of those that went well."""

_SHOWN = 4
_WORTH_SAYING = 1.0
_STANDS = 0.1
"""Seconds for which a frame stands, however many events come: to draw one takes as long as a write."""
_UNDER_WAY = {
    "create": "Creating", "update": "Modifying", "delete": "Destroying", "bind": "Adopting",
    "off": "Switching off", "forget": "Forgetting", "move": "Moving", "finish": "Finishing", "park": "Renaming for now",
}  # fmt: skip
_DONE = {
    "create": "Creation complete", "update": "Modifications complete", "delete": "Destruction complete",
    "off": "Switched off", "bind": "Adoption complete", "forget": "Forgotten", "move": "Moved", "finish": "Finished",
    "park": "Renamed for now",
}  # fmt: skip


def live_on(stream: TextIO, environ: Mapping[str, str], frame: Callable[[], RenderableType]) -> Frame:
    """Begin to draw a frame on a terminal."""
    from reconciler.render.frame import Frame, Steady

    console = Steady(
        file=stream,
        force_terminal=True,
        no_color=not wants_colour(stream, environ),
        _environ=dict(environ),
        emoji=False,
    )
    live = Frame(console, frame)
    live.start()
    return live


class Progress:
    """A context manager that is called with each event of an apply.

    `total` is the number of steps, `forecast` the seconds they are expected to take (0: unknown), `clock` answers
    seconds that only rise. `quiet` says nothing at all; `traffic` counts the requests; what is not deleted but switched
    off is at the addresses in `off`.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        total: int,
        environ: Mapping[str, str],
        clock: Callable[[], float],
        forecast: float = 0.0,
        quiet: bool = False,
        traffic: Traffic | None = None,
        off: Container[str] = (),
    ) -> None:
        self._stream = stream
        self._traffic = traffic
        self._before = traffic.sent if traffic is not None else 0
        self._total = total
        self._environ = environ
        self._clock = clock
        self._forecast = forecast
        self._quiet = quiet
        self._off = off
        self._paper = Paper(colour=wants_colour(stream, environ))
        self._live: Frame | None = None
        self._began = clock()
        self._over = 0
        self._skipped = 0
        self._running: dict[int, tuple[str, float]] = {}
        self._waiting: tuple[str, float] | None = None
        self._fresh = self._began

    def __enter__(self) -> Self:
        self._began = self._clock()
        if not self._quiet and is_interactive(self._stream, self._environ):
            self._live = live_on(self._stream, self._environ, self._frame)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hide()

    def hide(self) -> None:
        """Take the bar away, for good."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __call__(self, event: Event) -> None:
        """Take note of one event and show it."""
        self._note(event)
        if self._quiet:
            return
        line = redactor().show(self._line(event))
        if self._live is None:
            self._put(line)
            return
        if line and (self._total < MANY or isinstance(event, Failed | Skip | Noted)):
            self._live.draw(outgoing(line, "text"))
        elif self._clock() >= self._fresh:
            self._live.draw()
            self._fresh = self._clock() + _STANDS

    def note(self, text: str) -> None:
        """Say something beside the events, above the bar."""
        line = redactor().show(clean(text))
        if self._live is None:
            self._put(line)
        else:
            self._live.draw(outgoing(line, "text"))

    def _put(self, line: Shown) -> None:
        if line:
            self._stream.write(outgoing(line, "text") + "\n")
            self._stream.flush()

    def _note(self, event: Event) -> None:
        self._waiting = (event.reason, self._clock() + event.seconds) if isinstance(event, Waiting) else None
        if isinstance(event, Started):
            self._running[event.number] = (f"{event.address}: {_UNDER_WAY[self._op(event)]}...", self._clock())
        elif isinstance(event, Finished | Failed):
            self._running.pop(event.number, None)
            self._over += 1
        elif isinstance(event, Skip):
            self._skipped += 1

    def _op(self, event: Started | Finished) -> str:
        return "off" if event.op == "delete" and event.address in self._off else event.op

    def _line(self, event: Event) -> str:
        """The line of an event; empty where it is not worth one."""
        count = f"[{self._over:>{len(str(self._total))}}/{self._total}]"
        if isinstance(event, Finished):
            identity = f" [id={event.id}]" if event.id else ""
            done = f"{_DONE[self._op(event)]} after {words.duration(event.seconds)}"
            return clean(f"{count} {event.address}: {done}{identity}")
        if isinstance(event, Failed):
            hint = f" ({event.hint})" if event.hint else ""
            return f"{count} {self._paper.ink('error', 'Failed')} {clean(f'{event.address}: {event.message}{hint}')}"
        if isinstance(event, Skip) and event.cause == "cancelled":
            return ""  # as many as were left; the outcome counts them
        if isinstance(event, Skip):
            return f"{self._paper.ink('warning', 'Skipped')} {clean(f'{event.address}: {event.cause}')}"
        if isinstance(event, Noted):
            label = "Note" if event.severity == "info" else event.severity.capitalize()
            return clean(f"{label}: {event.address}: {event.message}")
        if isinstance(event, Waiting) and event.seconds >= _WORTH_SAYING:
            return clean(f"Waiting: {event.reason}, resuming in {words.duration(event.seconds)}")
        return ""

    def _frame(self) -> RenderableType:
        """The bar, its figures, and the objects that are being written."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        now = self._clock()
        row = Table.grid(padding=(0, 1))
        row.add_row(
            Text("Applying"),
            ProgressBar(total=max(self._total, 1), completed=self._over, width=16),
            Text(self._figures(now)),
        )
        parts: list[Any] = [row]
        for text, since in list(self._running.values())[:_SHOWN]:
            parts.append(
                Text(
                    clean(f"  {text} {words.duration(max(now - since, 0.0))}"),
                    style="dim",
                    no_wrap=True,
                    overflow="ellipsis",
                )
            )
        if len(self._running) > _SHOWN:
            parts.append(Text(f"  and {len(self._running) - _SHOWN} more", style="dim"))
        if self._waiting is not None:
            reason, until = self._waiting
            parts.append(
                Text(clean(f"  {reason}, resuming in {words.duration(max(until - now, 0.0))}"), style="yellow")
            )
        return Group(*parts)

    def _figures(self, now: float) -> str:
        elapsed = max(now - self._began, 0.0)
        parts = [f"{self._over}/{self._total}"]
        parts += [f"{self._skipped} skipped"] if self._skipped else []
        parts += [words.duration(elapsed)]
        if self._traffic is not None and self._traffic.sent > self._before:
            sent = self._traffic.sent - self._before
            parts += [words.counted(sent, "request")]
            parts += [f"{sent / elapsed:.1f}/s"] if elapsed >= 1.0 else []
        elif self._over and elapsed >= 1.0:
            parts.append(f"{self._over / elapsed:.1f} steps/s")
        left = self._left(elapsed)
        if left is not None and self._waiting is not None:
            left += max(self._waiting[1] - now, 0.0)
        if left is not None and self._over + self._skipped < self._total:
            parts.append(f"about {words.duration(left)} left")
        return ", ".join(parts)

    def _left(self, elapsed: float) -> float | None:
        """Seconds left: by the forecast at first, by what was measured once a fifth of the steps is done."""
        rest = self._total - self._over - self._skipped
        if self._over * 5 >= self._total and self._over and elapsed > 0:
            return elapsed / self._over * rest
        return max(self._forecast - elapsed, 0.0) if self._forecast else None
