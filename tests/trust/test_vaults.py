"""Secrets from the program of a vault and from files: never among arguments, never shown, never by a request's word."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.store import process, programs
from tests.world import World

VALUE = "s3cr3t-of-the-vault"
HOOK = """
webhooks:
  w: {name: W, url: "https://hooks.acme.example/x?key=${secret.HOOK_KEY}", events: [deal_add], sources: [api]}
"""


def project(world: World, secrets: dict[str, Any], **more: Any) -> None:
    """Write a project that takes its secrets from somewhere."""
    environment = {"url": "emulator:state/account.db"}
    world.write({"version": 1, "environments": {"demo": environment}, "secrets": secrets, **more}, "reconciler.yaml")
    world.write(HOOK)


@pytest.fixture
def vault(world: World, tmp_path: Path) -> Path:
    """A program outside of the project that answers a secret, and notes how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "vault"
    program.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$*" >> {tmp_path}/calls\necho "hush: {VALUE}" >&2\n'
        f'case "$1" in all) printf \'{{"HOOK_KEY": "{VALUE}"}}\' ;; HOOK_KEY) echo {VALUE} ;;\n'
        "slow) exec sleep 60 ;; silent) echo ;; loud) cat /dev/zero ;; *) exit 3 ;; esac\n",
        "utf-8",
    )
    program.chmod(0o755)
    world.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    return program


@pytest.mark.parametrize("arguments", [["{name}"], ["all"]], ids=["each", "all"])
def test_a_vault_answers_what_is_sent(world: World, vault: Path, arguments: list[str], tmp_path: Path) -> None:
    """The value is sent, and is in no output, no file and no argument; it is asked for once in a run."""
    project(world, {"command": ["vault", *arguments]})
    assert world.cli("validate").code == 0
    assert not (tmp_path / "calls").exists(), "what needs no network asks no vault"
    ran = [world.cli("plan", "--out", "plan.json"), world.cli("apply", "plan.json"), world.cli("plan", "-v")]
    assert [one.code for one in ran] == [0, 0, 0], ran
    assert world.rows("webhooks")[0]["url"].endswith(f"key={VALUE}")
    assert len((tmp_path / "calls").read_text("utf-8").split()) == len(ran), "once in each run"
    written = "".join(path.read_text("utf-8", "replace") for path in world.folder.rglob("*.json"))
    assert VALUE not in written + "".join(one.text for one in ran) + (tmp_path / "calls").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.env", f"# ours\nexport HOOK_KEY='{VALUE}'\r\nOTHER=1\u20282\x85\n"),
        ("s.json", json.dumps({"HOOK_KEY": VALUE})),
    ],
)
def test_a_file_answers_what_is_sent(world: World, name: str, text: str) -> None:
    """Lines and JSON; a variable of the process goes before."""
    project(world, {"file": name})
    (world.folder / name).write_text(text, "utf-8")
    assert world.cli("apply", "--auto-approve").code == 0
    assert world.rows("webhooks")[0]["url"].endswith(f"key={VALUE}")
    world.environ["HOOK_KEY"] = "of-the-process"
    assert world.cli("apply", "--auto-approve").code == 0
    assert world.rows("webhooks")[0]["url"].endswith("key=of-the-process")


@pytest.mark.parametrize(
    ("secrets", "why"),
    [
        ({"command": ["vault", "nothing"]}, "it ended with 3"),
        ({"command": ["vault", "silent", "{name}"]}, "printed nothing for HOOK_KEY"),
        ({"command": ["vault", "loud"]}, "printed too much"),
        ({"command": ["vault", "slow"], "seconds": 1}, "more than 1 s"),
        ({"command": ["no-such-vault"]}, "cannot be run"),
        ({"file": "missing.env"}, "cannot be read"),
        ({"file": "link.env"}, "outside of"),
        ({"file": "deep.env"}, "not a JSON map"),
        ({"file": "bad.env"}, "line 2 is not NAME=value"),
        ({"file": "other.env"}, "neither `secrets` nor a variable has HOOK_KEY"),
    ],
)
def test_what_a_vault_does_not_answer(
    world: World, vault: Path, secrets: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says where and why, and nothing of what was printed or stands in the file."""
    if "seconds" in secrets:  # which pass at once
        monkeypatch.setattr(programs, "monotonic", lambda: time.monotonic() * 100)
    project(world, secrets)
    (world.folder / "bad.env").write_text(f"A=1\n{VALUE}\n", "utf-8")
    (world.folder / "other.env").write_text(f"OTHER={VALUE}\n", "utf-8")
    (world.folder / "link.env").symlink_to("/etc/passwd")
    (world.folder / "deep.env").write_text('{"A":' * 100_000, "utf-8")
    ran = world.cli("apply", "--auto-approve")
    assert ran.code in (1, 3), ran.text
    assert why in " ".join(ran.text.split()), ran.text
    assert VALUE not in ran.text
    assert not world.writes()


def test_a_request_makes_no_pipeline_run_a_command(world: World, vault: Path, tmp_path: Path) -> None:
    """Its own project file names no program there; that of the target branch does, but none inside the repository, for
    what is there is the change's.
    """
    own = world.folder / "tool.sh"
    own.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\necho x\n", "utf-8")
    own.chmod(0o755)
    identity = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]

    def commit() -> None:
        for arguments in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "main"]):
            subprocess.run(["git", *identity, *arguments], cwd=world.folder, check=True)

    project(world, {"command": ["vault", "{name}"]})
    commit()
    world.environ["GITHUB_EVENT_NAME"] = "pull_request"
    project(world, {"command": ["./tool.sh"]})
    ran = world.cli("plan")
    assert (ran.code, "--guards-from" in ran.err) == (7, True), ran.text
    ran = world.cli("plan", "--guards-from", "main")
    assert (ran.code, "environment_changed" in ran.text) == (7, True), "it differs, and nothing of it was run"
    assert (tmp_path / "calls").read_text("utf-8") == "HOOK_KEY\n", "the program of the target branch was"
    for command in (["./tool.sh"], ["sh", "tool.sh"], ["sh", str(own)], [sys.executable, "--x=./tool.sh"]):
        project(world, {"command": command})
        commit()
        ran = world.cli("plan", "--guards-from", "main")
        assert (ran.code, "inside the repository" in ran.err) == (7, True), ran.text
    assert not (tmp_path / "ran").exists()
    (tmp_path / "away.env").write_text("HOOK_KEY=theirs\n", "utf-8")
    (world.folder / "s.env").write_text("HOOK_KEY=of-the-change\n", "utf-8")
    (world.folder / "l.env").symlink_to(tmp_path / "away.env")
    for file in ("s.env", str(world.folder / "s.env"), str(world.folder / "l.env")):
        project(world, {"file": file})
        commit()
        ran = world.cli("plan", "--guards-from", "main")
        assert (ran.code, "inside the repository" in ran.err) == (7, True), ran.text
    project(world, {"file": str(tmp_path / "away.env")})
    commit()
    assert world.cli("plan", "--guards-from", "main").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_a_vault_with_all_that_it_started(
    world: World, vault: Path, number: signal.Signals, tmp_path: Path
) -> None:
    """At once, with the exit code of an interrupt: whoever waits for a vault that asks for a key presses Ctrl-C."""
    vault.write_text(
        f"#!/bin/sh\nsleep 60 &\necho $! > {tmp_path}/child\nkill -{number.name[3:]} $PPID\nwait\n", "utf-8"
    )
    project(world, {"command": ["vault", "all"], "seconds": 120})
    command = [sys.executable, "-m", "reconciler", "--chdir", str(world.folder), "plan"]
    with subprocess.Popen(
        command, env=world.environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as ran:
        said = ran.communicate(timeout=30)[1]
    assert (ran.returncode, "Cancelled." in said) == (130, True), said
    child = int((tmp_path / "child").read_text("utf-8"))
    assert process.identity(child) == "", "what the program started is gone, too"


@pytest.mark.parametrize(
    ("script", "code", "printed", "late", "loud"),
    [
        ("cat | wc -c", 0, b"3000000\n", False, False),
        ("exit 3", 3, b"", False, False),
        ("yes", -9, b"y\n" * 50, False, True),
        ("sleep 60", -9, b"", True, False),
        ("sleep 60 & sleep 60", -9, b"", True, False),
        ("(setsid sleep 60) & echo left behind", 0, b"left behind\n", False, False),
        ("exec >&- 2>&-; sleep 60", -9, b"", True, False),
    ],
)
def test_every_program_has_an_end(
    script: str, code: int, printed: bytes, late: bool, loud: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it prints, reads, starts or closes; what it leaves behind with our pipe is not waited for."""
    if late:
        monkeypatch.setattr(programs, "monotonic", lambda: time.monotonic() * 100)
    ran = programs.run_program(["sh", "-c", script], Path("/"), os.environ, 30, most=100, given=b"x" * 3_000_000)
    assert (ran.code, ran.printed, ran.late, ran.loud) == (code, printed, late, loud)
