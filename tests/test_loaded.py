"""A fork of the loaded program does what a start of the program does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.run_docs import normal

STARTED = str(Path(sys.executable).parent / "reconciler")
COMMANDS = ("plan --format json", "apply", "plann", "apply --auto-approve", "--chdir nowhere plan")
PROJECT = "version: 1\nenv: [NAME]\nenvironments: {demo: {url: 'emulator:state/account.db'}}\n"
pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="the program is started")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a name that is not ASCII, and one that a variable gives."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/main.yaml").write_text("tags: {a: {name: Gr\u00fc\u00dfe}, b: {name: '${env.NAME}'}}", "utf-8")
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    return tmp_path


def ran(command: str, words: str, folder: Path) -> tuple[bytes, bytes, int]:
    """Run a command to its end: what it printed, and how it ended."""
    environ = {**os.environ, "NAME": "B", "COLUMNS": "70", "RECONCILER_PROMPT": "1"}
    done = subprocess.run(
        [command, *words.split()], cwd=folder, env=environ, input=b"yes\n", capture_output=True, check=False
    )
    return done.stdout, done.stderr, done.returncode


def plain(ran: tuple[bytes, bytes, int]) -> tuple[list[str], int]:
    """Return it without what differs each time: digests, salts, times."""
    texts = [re.sub(r"[0-9a-f]{16,}|(?<=Z-)[0-9a-f]{6}", "X", part.decode()) for part in ran[:2]]
    return [normal(line) for text in texts for line in text.splitlines()], ran[2]


def test_a_fork_prints_and_ends_as_a_start_does(project: Path, tmp_path: Path, program: Path) -> None:
    """Output, messages and exit codes of the same commands in the same order, and the files that they leave."""
    other = tmp_path.with_name(f"{tmp_path.name}-other")
    subprocess.run(["cp", "-r", str(project), str(other)], check=True)
    for words in COMMANDS:
        expected, forked = ran(STARTED, words, project), ran(str(program / "reconciler"), words, other)
        assert plain(forked) == plain(expected), words
    files = [sorted(str(path.relative_to(folder)) for path in folder.rglob("*.yaml")) for folder in (project, other)]
    assert files[0] == files[1]


@pytest.mark.socket
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_reaches_a_fork_as_a_start(tmp_path: Path, program: Path, number: signal.Signals) -> None:
    """It ends as that one does, and nothing of it is left."""
    codes = []
    for command in (STARTED, str(program / "reconciler")):
        argv = [command, "emulator", "serve", "--port", "0", "--db", str(tmp_path / "a.db")]
        with subprocess.Popen(argv, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            assert process.stderr is not None
            assert b"listens on" in process.stderr.readline()
            process.send_signal(number)
            codes.append(process.wait(timeout=60))
            process.stderr.read()  # ends when nobody has the stream any more
    assert codes[0] == codes[1]


def test_a_fork_has_the_umask_and_the_streams_of_who_starts_it(project: Path, program: Path) -> None:
    """A pipe, files that others may not read, and the project that a folder means."""
    script = "umask 027; cd config && reconciler --chdir .. export --out elsewhere | tee ../out"
    path = f"{program}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "NAME": "B", "PATH": path}
    done = subprocess.run(["bash", "-c", script], cwd=project, env=environ, capture_output=True, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    assert (project / "out").read_bytes() == done.stdout != b""
    assert (project / "elsewhere/reconciler.yaml").stat().st_mode & 0o777 == 0o640
