"""Notices to one URL: drift, applies, refusals; and nothing that hangs on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ci.serving import Answer, Call, serving
from tests.world import World

PROJECT: dict[str, Any] = {
    "version": 1,
    "environments": {
        "demo": {
            "url": "emulator:state/account.db",
            "notify": "${env.HOOK}",
            "guards": {"max_deletes": 0},
        }
    },
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
