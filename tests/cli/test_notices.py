"""Notices to one URL: drift, applies, refusals; and nothing that hangs on them."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

import pytest

from reconciler.model.errors import Cancelled
from reconciler.workflow import notices
from reconciler.workflow.observation.holding import locked
from tests.ci.serving import Answer, Call, serving
from tests.world import Killed, World
from tests.world.accounts import hold

PROJECT: dict[str, Any] = {
    "version": 1,
    "environments": {
        "demo": {
            "url": "emulator:state/account.db",
            "notify": "${env.HOOK}",
            "guards": {"max_deletes": 0},
        },
        "other": {"url": "emulator:state/other.db"},
    },
    "default_environment": "demo",
}
CANARY = "canary-of-the-hook-4711"


class Receiver:
    """What came in, and what is answered."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.status = 200

    def answer(self, call: Call) -> Answer:
        """Answer a notice, and say the address again, as some servers do."""
        self.calls.append(call)
        return Answer(self.status, {"path": call.path})

    @property
    def events(self) -> list[str]:
        """What the notices were about."""
        return [call.body["event"] for call in self.calls]


@pytest.fixture
def receiver(world: World) -> Iterator[Receiver]:
    """A project whose notices go to a server here."""
    made = Receiver()
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {a: {description: as declared}}")
    with serving(made.answer) as url:
        world.environ["HOOK"] = f"{url}/{CANARY}"
        yield made


def test_an_apply_and_a_refusal_are_told(world: World, receiver: Receiver) -> None:
    """What came of them in a sentence, once each; a plan tells nothing."""
    assert world.cli("plan", "--out", "plan.json").code == 0
    assert receiver.calls == []
    ran = world.cli("apply", "plan.json")
    assert (ran.code, receiver.events, CANARY in ran.text) == (0, ["apply"], False)
    assert receiver.calls[0].body == {"event": "apply", "environment": "demo", "text": "demo: Apply complete: 1 added."}
    world.write("tags: {b: {}}")
    assert world.cli("apply", "--auto-approve").code == 7
    assert receiver.events == ["apply", "refusal"]
    assert "Nothing was applied. This plan deletes one tag." in receiver.calls[1].body["text"]
    assert "max_deletes" in receiver.calls[1].body["text"]


@pytest.mark.parametrize("trouble", ["refused", "unreachable", "unset"])
def test_no_apply_fails_for_want_of_a_message(world: World, receiver: Receiver, trouble: str) -> None:
    """It is said that nobody was told; the address, which is a secret, is not."""
    if trouble == "refused":
        receiver.status = 500
    elif trouble == "unreachable":
        world.environ["HOOK"] = f"http://127.0.0.1:9/{CANARY}"
    else:
        del world.environ["HOOK"]
    ran = world.cli("apply", "--auto-approve")
    assert (ran.code, len(world.rows("tags"))) == (0, 1), ran.text
    assert "No notice was" in ran.err
    assert CANARY not in ran.text


@contextmanager
def _drip(text: bytes) -> Iterator[str]:
    """Serve at an address a text byte by byte, and never the end of it."""
    over = Event()

    def serve(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.recv(65_536)
            for byte in itertools.chain(text, itertools.repeat(ord("a"))):
                if over.wait(0.02):
                    return
                with suppress(OSError):
                    connection.send(bytes([byte]) if text else b"")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        thread.join()


@pytest.mark.parametrize("text", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_no_apply_waits_long_for_a_receiver(world: World, monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    """One that says nothing, and one whose headers or body do not end: a run may wait so many seconds in all."""
    monkeypatch.setattr(notices, "SECONDS", 0.2)
    world.write(PROJECT, "reconciler.yaml")
    world.write("tags: {a: {}}")
    with _drip(text) as url:
        world.environ["HOOK"] = f"{url}/{CANARY}"
        began = time.monotonic()
        ran = world.cli("apply", "--auto-approve")
        assert time.monotonic() - began < 15
    assert (ran.code, len(world.rows("tags"))) == (0, 1), ran.text
    assert "No notice was sent: " in ran.err
    assert "in 0.2 seconds" in ran.err or "more than 0.2 seconds" in ran.err
    assert CANARY not in ran.text


def test_an_address_that_is_none_is_refused_without_being_shown(world: World, receiver: Receiver) -> None:
    """Over http everybody on the way could read it."""
    for address in (f"http://hooks.example/{CANARY}", CANARY):
        world.environ["HOOK"] = address
        ran = world.cli("plan")
        assert (ran.code, "`notify` is not an address" in ran.text, CANARY in ran.text) == (3, True, False), ran.text


def test_the_address_is_a_credential(world: World, receiver: Receiver) -> None:
    """No resource may hold it."""
    world.write("tags: {a: {description: '${env.HOOK}'}}")
    ran = world.cli("plan")
    assert (ran.code, "holds a credential" in ran.text, CANARY in ran.text) == (3, True, False), ran.text


def _moved(world: World) -> None:
    """Change in the account what a saved plan is about."""
    world.call("PUT", f"/tags/{world.rows('tags', tag='a')[0]['id']}", {"tag": {"description": "by hand"}})


def _saved(world: World) -> None:
    """A plan of a change, whose object changes afterwards."""
    assert world.cli("apply", "--auto-approve").code == 0
    world.write("tags: {a: {description: better}}")
    assert world.cli("plan", "--out", "plan.json").code == 0
    _moved(world)


def _altered(world: World) -> None:
    """A saved plan of another digest than the one that was approved."""
    assert world.cli("plan", "--out", "plan.json").code == 0


def _damaged(world: World) -> None:
    """A saved plan that is cut."""
    (world.folder / "plan.json").write_text("{", "utf-8")


ENDS: dict[str, tuple[Callable[[World], object], tuple[str, ...], int, str, str]] = {
    "a guard": (
        lambda world: (world.cli("apply", "--auto-approve"), world.write("tags: {b: {}}")),
        ("apply", "--auto-approve"), 7, "refusal", "Many things are deleted at once (max_deletes): 1 object is deleted",
    ),
    "the account moved on": (_saved, ("apply", "plan.json"), 6, "refusal", "1 change of the saved plan not applied"),
    "strict": (_saved, ("apply", "plan.json", "--strict"), 6, "refusal", "1 change of the saved plan not applied"),
    "another digest": (_altered, ("apply", "plan.json", "--digest", "0" * 64), 6, "refusal", "Nothing was applied"),
    "a damaged file": (_damaged, ("apply", "plan.json"), 6, "refusal", "Nothing was applied"),
    "a mistake in the files": (
        lambda world: world.write("tags: {a: {nonsense: 1}}"),
        ("apply", "--auto-approve"), 3, "failure", "1 problem in the configuration",
    ),
    "no right": (
        lambda world: world.fault("fail_before", "^GET ", status=403, times=99),
        ("apply", "--auto-approve"), 4, "failure", "exit code 4",
    ),
    "an outage": (
        lambda world: world.fault("fail_before", "^GET ", status=500, times=99),
        ("apply", "--auto-approve"), 1, "failure", "exit code 1",
    ),
    "nobody to ask": (lambda world: None, ("apply",), 1, "failure", "no terminal to ask on"),
    "a destroy": (
        lambda world: world.cli("apply", "--auto-approve"), ("destroy",), 7, "refusal", "max_deletes"
    ),
    "an undo of nothing": (lambda world: None, ("undo", "--auto-approve"), 3, "failure", "exit code 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_an_apply_that_ends_before_its_first_write_is_told(world: World, receiver: Receiver, name: str) -> None:
    """Once, in a sentence, with the exit code that it has without a notice, and whether the receiver answers or not."""
    prepare, argv, code, event, said = ENDS[name]
    prepare(world)
    receiver.calls.clear()
    receiver.status = 500
    ran = world.cli(*argv)
    assert (ran.code, receiver.events) == (code, [event]), ran.text
    assert said in receiver.calls[0].body["text"]
    assert CANARY not in ran.text + str(receiver.calls[0].body)
    assert "No notice was taken" in ran.err


CLONE = ("clone", "--from", "other", "--to", "demo", "--auto-approve")


@pytest.mark.parametrize(
    ("prepare", "more", "code", "event", "said"),
    [
        (lambda world: None, (), 0, "apply", "demo: Apply complete: 1 added"),
        (lambda world: world.cli("apply", "--auto-approve"), ("--prune",), 7, "refusal", "Nothing was applied. This"),
        (lambda world: world.fault("fail_before", "^GET ", status=403, times=99), (), 4, "failure", "exit code 4"),
    ],
    ids=["complete", "a guard", "no right"],
)  # fmt: skip
def test_a_clone_is_told_to_the_environment_that_it_writes_to(
    world: World,
    receiver: Receiver,
    prepare: Callable[[World], object],
    more: tuple[str, ...],
    code: int,
    event: str,
    said: str,
) -> None:
    """Once, whether the receiver answers or not; a clone that only looks, or has nothing to do, tells nothing."""
    with hold(world.folder / "state/other.db") as other:
        other.seed({"tags": [{"tag": "Gold", "id": 900001}]})
        prepare(world)
        receiver.calls.clear()
        ran = world.cli(*CLONE, *more)
        assert (ran.code, receiver.events) == (code, [event]), ran.text
        body = receiver.calls[0].body
        assert (body["environment"], said in body["text"], CANARY in ran.text) == ("demo", True, False), body
        if event == "apply":
            assert world.cli(*CLONE).code == world.cli(*CLONE[:-1], "--dry-run").code == 0
            assert len(receiver.calls) == 1


def test_what_a_resumed_run_came_to_is_told(world: World, receiver: Receiver) -> None:
    """Of a run that was killed: what its rest came to; where nothing is left to resume, nothing."""
    world.write("tags: {a: {}, b: {}}")
    world.plan()
    world.kill(len(world.requests()) + 2, after=True)
    with pytest.raises(Killed):
        world.apply()
    world.revive()
    receiver.calls.clear()
    receiver.status = 500
    ran = world.cli("runs", "resume", "--auto-approve")
    assert (ran.code, receiver.events) == (0, ["apply"]), ran.text
    assert receiver.calls[0].body["text"].startswith("demo: Apply complete: ")
    assert ("No notice was taken" in ran.err, CANARY in ran.text) == (True, False)
    assert "nothing to resume" in world.cli("runs", "resume", "--auto-approve").text
    assert len(receiver.calls) == 1


def test_a_held_lock_is_told_without_its_holder(world: World, receiver: Receiver) -> None:
    """Names of people and machines are nobody's business in a chat."""
    with locked(world.session(), "apply", timeout=0):
        ran = world.cli("apply", "--auto-approve")
    assert (ran.code, receiver.events) == (8, ["failure"]), ran.text
    assert receiver.calls[0].body["text"] == "demo: Nothing was applied: another run holds the lock."


@pytest.mark.parametrize("error", [KeyError("jane@acme.example"), MemoryError(), KeyboardInterrupt(), Cancelled("no")])
def test_what_nobody_foresaw_is_told_by_its_class(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Its text may hold anything."""

    async def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("reconciler.workflow.plans.planning.make_plan", fails)
    ran = world.cli("apply", "--auto-approve")
    cancelled = isinstance(error, KeyboardInterrupt | Cancelled)
    assert (ran.code, receiver.events) == (130 if cancelled else 1, ["failure"])
    text = receiver.calls[0].body["text"]
    assert ("was cancelled" if cancelled else type(error).__name__) in text
    assert "jane" not in text


def test_a_wrong_command_line_is_told_to_nobody(world: World, receiver: Receiver) -> None:
    """Who types is there."""
    assert world.cli("apply", "plan.json", "--allow", "x=1").code != 0
    assert receiver.calls == []
