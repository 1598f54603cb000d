"""What an apply shows while it runs."""

from __future__ import annotations

import inspect
import io
import re
from collections.abc import Mapping
from typing import get_args

import pytest
from rich.text import Text

from reconciler.model.events import Event, Failed, Finished, Noted, Skip, Started, Waiting
from reconciler.model.plan import Op
from reconciler.render import frame as frames
from reconciler.render import progress
from reconciler.render.capable import is_interactive, wants_colour
from reconciler.render.frame import Frame, Steady
from reconciler.render.progress import Progress
from tests.cli.glass import Glass

_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
XTERM = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


EVENTS: list[Event] = [
    Started(1, "tag.a", "create", 8),
    Finished(1, "tag.a", "create", 0.21, "12"),
    Waiting("rate limited by the account", 12.0),
    Waiting("paced", 0.2),
    Started(2, "tag.b", "delete", 8),
    Failed(2, "tag.b", "delete", "the account answered 500", "try again"),
    Skip(3, "stage.c", "update", "tag.b failed"),
    Noted("list.d", "the server stores it in lower case"),
]


def run(stream: io.StringIO, environ: Mapping[str, str], *, total: int = 8, quiet: bool = False) -> str:
    """Everything that is written to the stream for the events above, one second apart."""
    clock = Clock()
    with Progress(stream, total=total, environ=environ, clock=clock, forecast=20.0, quiet=quiet) as progress:
        for event in EVENTS:
            progress(event)
            clock.now += 1.0
    return stream.getvalue()


PLAIN = """\
[1/8] tag.a: Creation complete after 0.2 s [id=12]
Waiting: rate limited by the account, resuming in 12 s
[2/8] Failed tag.b: the account answered 500 (try again)
Skipped stage.c: tag.b failed
Note: list.d: the server stores it in lower case
"""


def test_outside_of_a_terminal_each_finished_step_is_a_line() -> None:
    """A log gets one plain line for each step that is over and for waits worth knowing of."""
    assert run(io.StringIO(), XTERM) == PLAIN


@pytest.mark.parametrize("op", get_args(Op))
def test_every_operation_has_words(op: Op) -> None:
    """None of them ends an apply with an error of the program."""
    stream = io.StringIO()
    with Progress(stream, total=1, environ={}, clock=Clock()) as progress:
        progress(Started(1, "tag.a", op, 1))
        progress(Finished(1, "tag.a", op, 0.2))
    assert "tag.a" in stream.getvalue()


@pytest.mark.parametrize(
    "environ", [{**XTERM, "CI": "true", "NO_COLOR": "1"}, {"TERM": "dumb"}, {**XTERM, "TERM": "unknown"}]
)
def test_ci_and_dumb_terminals_get_lines(environ: dict[str, str]) -> None:
    """A pseudo-terminal in a CI and a terminal that cannot move its cursor get no bar."""
    assert run(Terminal(), environ) == PLAIN


def test_a_few_steps_get_their_lines_above_the_bar() -> None:
    """Of many, the bar alone tells of those that went well; of few, a line is left of each."""
    shown = _CODE.sub("", run(Terminal(), XTERM, total=5))
    assert "Applying" in shown
    assert all(line in shown for line in PLAIN.replace("/8]", "/5]").splitlines())


def test_what_was_skipped_is_not_done() -> None:
    """Neither in the count nor in the time that is left: it is named beside them."""
    shown = _CODE.sub("", run(Terminal(), XTERM))
    assert "2/8, 1 skipped" in shown
    assert "3/8" not in shown


def test_a_terminal_gets_a_bar_with_figures() -> None:
    """Steps done, time, rate, time left, what is being written, why it waits; failures stay above, successes do not."""
    shown = _CODE.sub("", run(Terminal(), XTERM))
    assert "Applying" in shown
    assert "0/8, 0 s, about 20 s left" in shown
    assert "tag.b: Destroying... 0 s" in shown
    assert "rate limited by the account, resuming in 12 s" in shown
    assert "[2/8] Failed tag.b: the account answered 500 (try again)" in shown
    assert "steps/s" in shown
    assert "Creation complete" not in shown


def test_a_frame_is_not_drawn_for_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand writes within two seconds are some twenty frames, and what went wrong is said at once."""
    clock, drawn = Clock(), list[str]()
    monkeypatch.setattr(Frame, "draw", lambda frame, above="": drawn.append(above))
    with Progress(Terminal(), total=1000, environ=XTERM, clock=clock) as show:
        for number in range(1000):
            show(Started(number, "tag.a", "create", 1000))
            show(Finished(number, "tag.a", "create", 0.1, "1"))
            clock.now += 0.002
        show(EVENTS[5])
    assert 15 < drawn.count("") <= 21
    assert [_CODE.sub("", line) for line in drawn if line] == [
        "[1001/1000] Failed tag.b: the account answered 500 (try again)"
    ]


def test_the_bar_leaves_no_trace() -> None:
    """When the run is over the bar is gone, and the lines above it are there."""
    glass = Glass(100)
    run(glass, XTERM)
    assert glass.shown().splitlines() == PLAIN.splitlines()[2:]


@pytest.mark.parametrize("height", [8, 24])
def test_what_is_typed_while_a_frame_stands_leaves_no_copy_of_it(height: int) -> None:
    """At the end of a screen that is full, an Enter scrolls: the frame is drawn where it was, and nothing stays."""
    glass, seconds = Glass(60, height), [0]
    glass.write("before\n" * height)
    console = Steady(file=glass, force_terminal=True, width=60, height=height, color_system=None)
    frame = Frame(console, lambda: Text(f"Reading: {seconds[0]} s\n  tag\n  list"))
    frame.start()
    for _ in range(5):
        frame.draw()
        seconds[0] += 1
        glass.write("\r\n" * 3 + "typed")
    frame.draw("a note")
    assert [line for line in glass.shown().splitlines() if line != "before"][:4] == [
        "a note", "Reading: 5 s", "  tag", "  list",
    ]  # fmt: skip
    with frame.away():
        glass.write("said\n")
    frame.stop()
    frame.draw()
    assert [line for line in glass.shown().splitlines() if line != "before"] == ["a note", "said"]


def test_what_is_said_above_a_frame_is_broken_at_blanks() -> None:
    """As any sentence on a terminal is."""
    glass = Glass(40)
    frame = Frame(Steady(file=glass, force_terminal=True, width=40), lambda: Text("Applying"))
    frame.start()
    frame.draw("[2/8] Failed tag.b: the account answered 500 (try again)")
    frame.stop()
    assert glass.shown() == "[2/8] Failed tag.b: the account answered\n  500 (try again)\n"
    assert glass.broken == []


def test_nothing_is_switched_off_that_a_killed_process_could_not_switch_on_again() -> None:
    """A frame hides no cursor and sets no mode of the terminal: it writes text, and where to write."""
    shown = run(Terminal(), XTERM)
    assert "\x1b7" in shown
    assert "\x1b[?" not in shown
    assert not re.search("termios|tty|stty", inspect.getsource(progress) + inspect.getsource(frames))


def test_no_color_keeps_the_bar_without_colours() -> None:
    """NO_COLOR takes colours and leaves the rest."""
    shown = run(Terminal(), {**XTERM, "NO_COLOR": "1"})
    assert "Applying" in shown
    assert not re.search(r"\x1b\[[0-9;]*(3[0-9])[0-9;]*m", shown)


def test_quiet_is_silent() -> None:
    """Nothing at all is written, on a terminal or elsewhere."""
    assert run(Terminal(), XTERM, quiet=True) == ""
    assert run(io.StringIO(), XTERM, quiet=True) == ""


def test_messages_cannot_steer_the_terminal() -> None:
    """Escape sequences in a remote message are shown, not obeyed."""
    stream = io.StringIO()
    with Progress(stream, total=1, environ={}, clock=Clock()) as progress:
        progress(Failed(1, "tag.a", "create", "bad\x1b[2Jname\r", "\x07"))
    assert not re.search("[\x00-\x09\x0b-\x1f]", stream.getvalue())


def test_colour_is_decided_by_the_environment() -> None:
    """NO_COLOR wins over FORCE_COLOR, which wins over whether the stream is a terminal."""
    assert wants_colour(Terminal(), XTERM)
    assert not wants_colour(io.StringIO(), XTERM)
    assert not wants_colour(Terminal(), {"TERM": "dumb"})
    assert wants_colour(io.StringIO(), {"FORCE_COLOR": "1"})
    assert not wants_colour(io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"})
    assert not is_interactive(io.StringIO(), XTERM)
