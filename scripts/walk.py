"""Walk the first days of `docs/first-days.md` as a new user would, and write down how long each takes.

Usage: `python -m scripts.walk [--write]`. Builds the wheel, installs it into a new environment, and types the lines of
the page into a terminal of 80 columns in an empty folder. With `--write` the figures go into the page. Needs a package
index (or a cache of pip). Whether the lines print what the page shows is a test; how long they take is none.
"""

from __future__ import annotations

import fcntl
import os
import platform
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.run_docs import BLOCK, ROOT, TITLE, commands, neutral_environment

PAGE = ROOT / "docs" / "first-days.md"
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end of figures -->)", re.S)
WIDTH, LINES = 80, 24
SECONDS = 120


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a user does: a line that is typed, a file that is written, or (`hidden`) a setup; of `day`."""

    day: str
    line: str = ""
    file: str = ""
    text: str = ""
    hidden: bool = False


def steps(text: str) -> Iterator[Step]:
    """Yield what a page does, in its order; `day` is the heading above."""
    for match in BLOCK.finditer(text):
        day = (re.findall(r"^## (.+)$", text[: match.start()], re.M) or [""])[-1]
        if match["word"] == "setup":
            yield Step(day, line=match["rest"], hidden=True)
        elif match["info"] == "console":
            for shown in commands(match["body"], 1):
                if shown.command != "echo $?":
                    yield Step(day, line=shown.command)
        elif title := TITLE.search(match["info"] or ""):
            yield Step(day, file=title[1], text=match["body"])


def typed(line: str, folder: Path, environ: dict[str, str]) -> tuple[Path, int]:
    """Run a line as a shell at a terminal would; return the folder that it leads to, and its exit code."""
    reader, ended = os.pipe()
    os.set_inheritable(ended, True)
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        script = f"{line}\ncode=$?\npwd >&{ended}\nexit $code"
        os.execvpe("bash", ["bash", "--norc", "-c", script], environ)
    os.close(ended)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, WIDTH, 0, 0))
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        try:
            if not os.read(terminal, 65536):
                break
        except OSError:
            break  # as Linux says that no process holds the other end
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with os.fdopen(reader) as stream:
        return Path(stream.read().strip() or folder), code


def walk(program: Path, folder: Path) -> dict[str, tuple[int, float]]:
    """Do what the page says; return for each day how many lines are typed, and the seconds that they take."""
    days: dict[str, tuple[int, float]] = {}
    with neutral_environment(folder):
        environ = {**os.environ, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm", "PAGER": "cat"}
    at = folder
    for step in steps(PAGE.read_text("utf-8")):
        if step.file:
            (at / step.file).write_text(step.text, "utf-8")
            continue
        began = time.monotonic()
        at, code = typed(step.line, at, environ)
        took = time.monotonic() - began
        if code not in (0, 7):
            raise SystemExit(f"`{step.line}` failed with {code}")
        if not step.hidden:
            print(f"{took:6.1f} s  {step.line}")
            count, seconds = days.get(step.day, (0, 0.0))
            days[step.day] = count + 1, seconds + took
    return days


def installed(folder: Path) -> float:
    """Install the wheel of this tree into a new environment; return the seconds that this takes without building it."""
    pip = ["-m", "pip", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, *pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder / "dist", ROOT], check=True
    )
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    wheel = next((folder / "dist").glob("*.whl"))
    subprocess.run([folder / "venv" / "bin" / "python", *pip, "install", "--quiet", wheel], check=True)
    return time.monotonic() - began


def main() -> int:
    """Install, walk, and print the figures or write them into the page."""
    with tempfile.TemporaryDirectory(prefix="walk-") as made:
        folder = Path(made)
        install = installed(folder)
        (folder / "empty").mkdir()
        days = walk(folder / "venv" / "bin", folder / "empty")
    rows = [f"| {day} | {count} | {seconds:.0f} s |" for day, (count, seconds) in days.items()]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {time.strftime('%Y-%m-%d', time.gmtime())}"
    figures = "\n".join(
        [
            "| | lines typed | until the last one has answered |",
            "|---|---:|---:|",
            f"| Install the wheel into a new environment | 2 | {install:.0f} s |",
            *rows,
            "",
            f"Measured on {machine}; reading and thinking come on top.",
            "",
        ]
    )
    print(figures)
    if "--write" in sys.argv:
        PAGE.write_text(FIGURES.sub(lambda _: figures, PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
