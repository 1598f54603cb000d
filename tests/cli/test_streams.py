"""Standard streams that are closed, full, or lose their reader: what is printed never decides about what is done."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import program

FORKED = """
import importlib, json, os, pkgutil, sys
import reconciler
from reconciler.cli import main

for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):  # once for all
    if module.name.rpartition(".")[2] != "__main__":
        importlib.import_module(module.name)

def played(words, closed):
    child = os.fork()
    if child == 0:
        out, err = (os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for name in ("out", "err"))
        os.dup2(out, 1); os.dup2(err, 2)
        sys.stdin, sys.stdout, sys.stderr = (open(number, mode, closefd=False) for number, mode in enumerate("rww"))
        for number in closed:
            os.close(number)
            setattr(sys, ("stdin", "stdout", "stderr")[number], None)
        try:
            main(words)
        except SystemExit as ended:
            os._exit(ended.code)
        os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def shown(name):
    return open(name, "rb").read().decode("utf-8", "replace")[-300:]

for words, closed in json.loads(sys.argv[1]):
    code = played(words, closed)
    print(json.dumps([words, closed, code, shown("out"), shown("err")]))
"""
COMMANDS: tuple[tuple[int, str], ...] = (
    (0, "validate"), (0, "plan --out p.json"), (0, "show p.json"), (0, "apply --auto-approve p.json"),
    (0, "plan --format json"), (0, "drift"), (0, "export"), (0, "state list"), (0, "runs list"), (0, "kinds"),
    (0, "fmt"), (0, "coverage"), (0, "lock list"), (0, "explain tag.a"), (0, "version"), (0, "graph"),
    (3, "validate --env none"), (0, "apply"),
)  # fmt: skip


PROGRAM = (sys.executable, "-m", "reconciler")


def printed(*words: str) -> str:
    """Run a command in this process, whose streams are as usual, and return what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert program.run(list(words)) == 0
    return out.getvalue()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a few tags and an account of its own in a file."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/main.yaml").write_text("tags:\n" + "".join(f"  {name}: {{}}\n" for name in "abcdefghij"))
    (tmp_path / "reconciler.yaml").write_text(
        "version: 1\nenvironments:\n  demo:\n    url: emulator:state/account.db\n    token: emulator-token\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("closed", [[1], [2], [0, 1, 2]], ids=str)
def test_closed_streams_change_no_result(project: Path, closed: list[int]) -> None:
    """Cron and some supervisors start programs without them; no file of ours may take their numbers."""
    todo = json.dumps([[words.split(), closed] for _, words in COMMANDS])
    ran = subprocess.run([sys.executable, "-c", FORKED, todo], capture_output=True, text=True, timeout=100, check=True)
    results = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(results) == len(COMMANDS)
    for (code, words), (_, _, ended, out, err) in zip(COMMANDS, results, strict=True):
        assert "mistake in the program" not in err, words
        assert "Traceback" not in err, words
        assert ended == code, (words, err)
        assert not (1 in closed and out), words
        assert not (2 in closed and err), words
    assert json.loads((project / "p.json").read_text())["digest"]
    assert (project / "state/demo.json").read_text().startswith("{")


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("apply --json --auto-approve", "stdout"),
        ("apply --auto-approve", "stderr"),
        ("destroy --auto-approve", "stdout"),
    ],
)
def test_a_reader_that_goes_away_does_not_stop_an_apply(project: Path, words: str, gone: str) -> None:
    """`| head`: the run is finished and recorded."""
    if words.startswith("destroy"):
        printed("apply", "--auto-approve", "--quiet")
    read, write = os.pipe()
    os.close(read)
    other = subprocess.DEVNULL
    streams = {"stdout": write if gone == "stdout" else other, "stderr": write if gone == "stderr" else other}
    more = ["--allow", "max_delete_percent"] if words.startswith("destroy") else []
    ran = subprocess.run([*PROGRAM, *words.split(), *more], timeout=100, check=False, **streams)  # type: ignore[call-overload]
    os.close(write)
    assert ran.returncode == 0
    assert "complete" in printed("runs", "list").splitlines()[1]
    left = printed("state", "list")
    assert left.count("tag.") == (0 if words.startswith("destroy") else 10)


def test_output_that_is_lost_to_a_full_disk_is_told(project: Path) -> None:
    """What was printed is not complete, and the exit code says so; the apply is done all the same."""
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [*PROGRAM, "apply", "--auto-approve"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.returncode == 1
    assert ran.stderr.endswith("error: what was printed is not complete: No space left on device; what was done is\n")
    assert "complete" in printed("runs", "list")
