"""Signals, a full disk, a backend that goes away: what was done is on record, and the run says what is not."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.errors import StalePlan, StateError
from reconciler.store.file import FileBlobStore
from reconciler.store.lease import Lease, lost
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.apply.run_records import Tally
from tests.store.test_crash_matrix import admin, check_converged, project, wire  # noqa: F401 - a fixture
from tests.store.wire_proxy import Proxy
from tests.world import World
from tests.world.clock import run

MANY = "tags: {" + ", ".join(f"t{number}: {{name: T{number}}}" for number in range(20)) + "}"


@pytest.mark.socket
@pytest.mark.parametrize(
    ("number", "times", "code"),
    [(signal.SIGINT, 1, 130), (signal.SIGTERM, 1, 130), (signal.SIGHUP, 1, 130), (signal.SIGINT, 2, 130)],
)
def test_a_signal_stops_an_apply_and_the_next_one_finishes_it(
    tmp_path: Path,
    wire: Proxy,  # noqa: F811 - a fixture
    number: signal.Signals,
    times: int,
    code: int,
) -> None:
    """The first signal: nothing new is started, what is in flight is finished and recorded. The second one stops."""
    admin(wire.target, "POST", "reset")
    folder = tmp_path / "project"
    project(folder, wire.url)
    wire.arm(3, "signal")
    wire.signals = [number] * times
    command = [sys.executable, "-m", "reconciler", "--chdir", str(folder), "apply", "--auto-approve", "--quiet"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        wire.pid = process.pid
        said = process.communicate(timeout=100)[1]
    wire.pid = 0
    wire.settle()
    assert process.returncode == code, said
    assert "Stopping" in said
    if times == 1:
        state = json.loads((folder / "state/live.json").read_text("utf-8"))
        assert not (folder / "state/live.json.journal").exists()
        assert state["resources"]
    check_converged(folder, wire, f"{number.name} x {times}")


@pytest.mark.socket
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_plan_in_order(tmp_path: Path, wire: Proxy, number: signal.Signals) -> None:  # noqa: F811
    """Also where nothing is written yet: a sentence and the exit code of an interrupt, not a death by signal."""
    admin(wire.target, "POST", "reset")
    folder = tmp_path / "project"
    project(folder, wire.url)
    admin(wire.target, "PUT", "faults", [{"action": "slow", "match": "^GET ", "seconds": 3, "times": 1000}])
    command = [sys.executable, "-m", "reconciler", "--chdir", str(folder), "plan"]
    try:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            wire.reached()
            process.send_signal(number)
            said = process.communicate(timeout=15)[1]
    finally:
        admin(wire.target, "PUT", "faults", [])
        wire.settle()
    assert process.returncode == 130, said
    first, *rest = said.strip().splitlines()
    assert re.fullmatch(r"Cancelled\. 0 of \d+ kinds of \w+ had been read, with \d+ requests\.", first), said
    assert rest == ["Nothing was changed.", "The same command begins again."]


def full_disk(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """Let the disk take so many more appends to a journal, then none."""
    real, left = FileBlobStore.append, [None] * room

    def append(shelf: FileBlobStore, name: str, line: bytes, *, durable: bool = True) -> bool:
        if not left:
            raise StateError(f"{shelf.where} cannot be written: {os.strerror(28)}", hint="make room")
        left.pop()
        return real(shelf, name, line, durable=durable)

    monkeypatch.setattr(FileBlobStore, "append", append)


@pytest.mark.parametrize("room", [0, 1, 2, 5, 12])
def test_an_apply_that_cannot_record_stops_writing(world: World, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """No create is sent whose intent could not be recorded; the message says what is settled and what is not; when
    there is room again, the next apply makes no duplicate.
    """
    world.write(MANY)
    with monkeypatch.context() as patched:
        full_disk(patched, room)
        with pytest.raises(StateError, match=r"the apply stopped.*No space left") as stopped:
            world.apply()
    assert "settled and recorded:" in stopped.value.message
    assert "not started:" in stopped.value.message
    assert len(world.rows("tags")) <= (room + 1) // 2 + 6, "no more than the steps that were in flight"
    world.apply()
    assert world.plan().empty
    assert sorted(row["tag"] for row in world.rows("tags")) == sorted(f"T{number}" for number in range(20))


def lose_the_lock(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let the lock be lost after it was looked at so many times."""
    real, left = Lease.check, [None] * after

    def check(lease: Lease, seconds: float = 0.0) -> None:
        if not left:
            raise lost("prod.json")
        left.pop()
        real(lease, seconds)

    monkeypatch.setattr(Lease, "check", check)


@pytest.mark.parametrize("lose", [full_disk, lose_the_lock])
def test_an_apply_that_did_a_part_says_so_to_scripts(
    world: World, monkeypatch: pytest.MonkeyPatch, lose: Callable[[pytest.MonkeyPatch, int], None]
) -> None:
    """A lost lock and a state that takes no more records are the same to whoever waits for the run: exit code 5, what
    is settled, what is not; the next apply does the rest.
    """
    world.write(MANY)
    with monkeypatch.context() as patched:
        lose(patched, 12)
        ran = world.cli("apply", "--auto-approve", "--quiet")
    assert ran.code == 5
    assert 0 < len(world.rows("tags")) < 20
    for said in ("the apply stopped: ", "settled and recorded: ", "not started: "):
        assert said in " ".join(ran.text.split())
    assert world.cli("apply", "--auto-approve", "--quiet").code == 0
    assert sorted(row["tag"] for row in world.rows("tags")) == sorted(f"T{number}" for number in range(20))


def test_an_apply_that_never_began_a_step_did_no_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is lost before that is an error like another one: exit code 1, nothing was sent."""
    world.write(MANY)
    lose_the_lock(monkeypatch, 0)
    assert world.cli("apply", "--auto-approve", "--quiet").code == 1
    assert world.writes() == []


def test_a_read_only_file_system_stops_before_the_first_write(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent to the account that could not be recorded."""
    world.write(MANY)
    real = os.open

    def read_only(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and "demo.json" in str(path):
            raise OSError(30, os.strerror(30), str(path))
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(StateError, match="Read-only file system"):
        world.apply()
    assert world.writes() == []


def test_a_backend_that_records_late_is_not_said_to_have_recorded_everything() -> None:
    """Where results are written together, those of the last seconds may be lost with the run."""
    said = (
        Tally({1: "tag.a", 2: "tag.b"}, finished={1, 2}).explain(StateError("the backend is down"), late=True).message
    )
    assert "settled: 2 steps; the next apply looks up" in said
    assert "recorded:" not in said


CANARIES = ("c4n4ry-token", "c4n4ry-secret", "c4n4ry-query", "c4n4ry@customer.example")


@pytest.mark.parametrize("crash", [False, True])
def test_no_canary_is_found_anywhere(world: World, monkeypatch: pytest.MonkeyPatch, crash: bool) -> None:
    """Token, resolved secrets, tokens in webhook URLs and customers' addresses are in no file and no output, with -vv
    and when the program crashes.
    """
    token, secret, query, customer = CANARIES
    world.behave(token=token)
    world.account.seed({"contacts": [{"id": "9", "email": customer}], "contactTags": [{"contact": "9", "tag": "1"}]})
    monkeypatch.setenv("HOOK_KEY", secret)
    hook = '{{name: {0}, url: "https://h.example/in?key={1}", events: [subscribe], sources: [admin]}}'
    crm, erp = hook.format("CRM", "${secret.HOOK_KEY}"), hook.format("ERP", f"{query}#{query}")
    urls = f"logo_url: 'https://a.example/l.png?sig={query}', link_url: 'https://a.example/s?key=${{secret.HOOK_KEY}}'"
    shop = f"{{service: shop, external_id: s1, name: Shop, {urls}}}"
    world.write(f"tags: {{vip: {{name: VIP}}}}\nwebhooks:\n  crm: {crm}\n  erp: {erp}\nconnections:\n  shop: {shop}\n")
    declared = (world.folder / "config/main.yaml").read_text("utf-8")
    printed = world.cli("-vv", "plan", "--out", str(world.folder / "plan.json")).text
    if crash:
        world.fault(
            "fail_before",
            "POST /webhooks",
            nth=1,
            status=422,
            body={"message": f"{customer}: {secret} {query} {token}"},
        )
    printed += world.cli("-vv", "apply", "--auto-approve").text
    world.write(declared.replace("ERP", "Erp").replace("l.png", "m.png"))
    printed += world.cli("-vv", "apply", "--auto-approve").text
    for command in (
        ["runs", "list"],
        ["runs", "show", "--format", "json"],
        ["state", "pull"],
        ["undo"],
        ["lock", "list"],
    ):
        printed += world.cli("-vv", *command).text
    world.write("{}")
    printed += world.cli("-vv", "plan").text + world.cli("-vv", "destroy", "--auto-approve").text
    texts = {"output": printed}
    for path in world.folder.rglob("*"):
        if path.is_file() and path.suffix != ".yaml":
            texts[str(path.relative_to(world.folder))] = path.read_bytes().decode("utf-8", "replace")
    found = {(name, canary) for name, text in texts.items() for canary in CANARIES if canary in text}
    assert found == set()
    assert len(texts) > 5


def test_a_plan_from_before_an_interrupted_run_is_not_applied_over_its_journal(world: World) -> None:
    """What a run recorded between a plan and its lock is in no serial, and would be made a second time."""
    world.write("tags: {old: {name: Old}}")
    world.apply()
    world.write("tags: {old: {name: Old}, vip: {name: VIP}, churn: {name: Churn}}")
    before = world.plan()
    world.dies(2, after=True)
    with pytest.raises(StalePlan, match="journal"):
        run(apply_plan(world.session(), before.inner, Hooks()))
    world.apply()
    assert sorted(row["tag"] for row in world.rows("tags")) == ["Churn", "Old", "VIP"]
    assert world.plan().empty
