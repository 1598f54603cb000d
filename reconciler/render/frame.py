"""A frame at the end of what a terminal shows: rich's `Live`, but for what a killed process could not undo (0378)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleRenderable, RenderableType
from rich.live import Live
from rich.segment import ControlType, Segment, Segments

from reconciler.render.layout import folded

SPARE = 8
"""Lines that stay free below a frame."""
_HERE, _BACK = "\x1b7", "\x1b8\x1b[J"
"""Remember this place; go back there, and erase what follows."""


class Steady(Console):
    """A console that hides no cursor: a process that is killed could not show it again."""

    def show_cursor(self, show: bool = True) -> bool:
        """Leave it as it is."""
        return False


class Frame(Live):
    """Drawn four times a second until it is stopped; then nothing of it is left.

    What is typed meanwhile is overwritten: the frame is drawn where the terminal was told to remember, and `SPARE`
    lines below it are free, so that an Enter does not scroll that place away.
    """

    _drawn = False

    def __init__(self, console: Steady, frame: Callable[[], RenderableType]) -> None:
        super().__init__(
            console=console, get_renderable=frame, transient=True, redirect_stdout=False, redirect_stderr=False
        )

    def start(self, refresh: bool = True) -> None:
        """Draw it, and go on drawing."""
        self._drawn = False
        super().start(refresh)

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Put the frame where it was, below what is printed now, wherever an Enter has moved the cursor."""
        self.vertical_overflow = "crop"
        _, *above, frame = super().process_renderables(renderables)
        room = min(len(self.console.render_lines(self.renderable)) + SPARE, self.console.height - 1)
        back, self._drawn = self._drawn * _BACK, True
        return [_steering(back), *above, _steering("\n" * room + f"\x1b[{room}A{_HERE}"), frame]

    def draw(self, above: str = "") -> None:
        """Draw it as it is now, below a line that stays, broken at blanks."""
        if self.is_started:
            with self._lock, self.console:  # nothing of it is written once the lock is another's
                if above:
                    line = folded(above, self.console.width)
                    self.console.print(line, markup=False, highlight=False, soft_wrap=True)
                self.refresh()

    def abandon(self) -> None:
        """Erase it for good, from a thread that ends the process now: it keeps the lock, and no other draws again."""
        self._lock.acquire(timeout=1.0)
        if self.is_started:
            self._started = False
            self.console.file.write(self._drawn * _BACK)
            self.console.file.flush()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let whatever is printed inside stand above it."""
        stood = self.is_started
        self.stop()
        try:
            yield
        finally:
            if stood:
                self.start()


def _steering(codes: str) -> Segments:
    return Segments([Segment(codes, None, [(ControlType.HOME,)])])
