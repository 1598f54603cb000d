"""Ctrl-C at a terminal of 80 columns while a rollout is shown there: once, and twice."""

from __future__ import annotations

import io
import os
import pty
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

import pytest

from reconciler.cli.fleet import _stopping
from tests.cli.glass import Glass
from tests.fleet.conftest import Fleet, file_of
from tests.store.test_freezes import follow

NAMES = [f"a{at:02}" for at in range(12)]
WAVES = "waves: [{name: canary, accounts: 2}, {name: rest}]\nconcurrency: 1"
HEADER = "wave accounts planned"


@dataclass
class Terminal:
    """A command at a terminal, what it wrote there, and what a person sees of it."""

    fleet: Fleet
    glass: Glass = field(default_factory=lambda: Glass(80))
    told: bool = False
    """Whether it was ever shown that a second press stops at once: it may go with the table."""

    def run(self, *words: str, presses: int, when: str) -> int:
        """Run a command, press Ctrl-C so often once the glass shows `when`; returns how it ended."""
        fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        environ = {**os.environ, "TERM": "xterm-256color", "NO_COLOR": "1"}
        environ = {name: value for name, value in environ.items() if name not in ("CI", "COLUMNS", "LINES")}
        process = subprocess.Popen(
            self.fleet.command(*words), env=environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        pressed, deadline = 0, time.monotonic() + 90
        try:
            while time.monotonic() < deadline:
                try:
                    chunk = os.read(ours, 65536)
                except OSError:  # the other end was closed
                    break
                if not chunk:
                    break
                self.glass.write(chunk.decode())
                shown = " ".join(self.glass.shown().split())
                self.told |= "press again to stop now" in shown
                if (pressed == 0 and when in shown) or (pressed == 1 and presses > 1 and "press again" in shown):
                    pressed += 1
                    process.send_signal(signal.SIGINT)
            return process.wait(timeout=60)
        finally:
            process.kill()
            process.wait()
            os.close(ours)


def name_of(shown: str) -> str:
    """Return the rollout's name."""
    return shown.partition("Rollout ")[2].partition(":")[0]


def check_interrupted(fleet: Fleet, verb: str, presses: int, when: str) -> None:
    """Interrupt a command, look at the glass, and go on as it says."""
    fleet.write(file_of(dict.fromkeys(NAMES, ""), WAVES))
    terminal = Terminal(fleet)
    code = terminal.run(verb, presses=presses, when=when)
    shown = terminal.glass.shown()
    assert code == 130, shown
    assert HEADER not in " ".join(shown.split()), shown
    assert "Stopping: no account is begun any more" not in shown, "the last line of the table"
    words = " ".join(shown.split())
    assert terminal.told, shown
    assert f"Go on with: reconciler fleet resume {name_of(shown)}" in words, shown
    assert ("On record: wave " if presses > 1 else f"{len(NAMES)} accounts:") in words, shown
    ended = follow(fleet.folder, "fleet", "resume", name_of(shown), "-q")
    assert ended.code == 0, ended.err
    wanted = ["Gold", "VIP"] if verb == "apply" else []
    assert {name: fleet.tags(name) for name in NAMES} == dict.fromkeys(NAMES, wanted)


class Pressed(io.RawIOBase):
    """A terminal at which Ctrl-C is pressed while something is written to it."""

    def __init__(self) -> None:
        self.shown, self.pressed = b"", 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        if self.pressed == 1:
            self.pressed += 1
            signal.raise_signal(signal.SIGINT)
        self.shown += bytes(data)  # type: ignore[call-overload]
        return len(data)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
class TestInterrupts:
    """No frame is left behind, what is on record is said with the command that goes on, and that one ends right."""

    def test_a_table_is_gone_after_the_second_press(self, fleet: Fleet) -> None:
        """The first press said what it waits for."""
        check_interrupted(fleet, "apply", 2, "1 of ")

    def test_a_press_while_something_is_written_is_told_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The stream refuses what a signal's handler writes within another write."""
        raw, ended = Pressed(), threading.Event()
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8"))
        monkeypatch.setattr(os, "_exit", lambda code: ended.set())
        with _stopping("reconciler fleet resume x") as stopping:
            raw.pressed += 1
            signal.raise_signal(signal.SIGINT)
            assert stopping()
            assert ended.wait(10)
        assert b"press again to stop now" in raw.shown
        assert b"Stopped. Go on with: reconciler fleet resume x" in raw.shown

    @pytest.mark.prove
    @pytest.mark.parametrize("verb", ["plan", "apply"])
    @pytest.mark.parametrize("presses", [1, 2])
    @pytest.mark.parametrize("when", [HEADER, "requests, 1.", "requests, 2."])
    def test_presses_at_any_time(self, fleet: Fleet, verb: str, presses: int, when: str) -> None:
        """While it begins, and while it works."""
        check_interrupted(fleet, verb, presses, when)
