"""An account whose answers are damaged anywhere: its plan is the same, or the kind is unknown, or it is refused; never
an exception, and nothing is made, deleted or replaced for it.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from tests.quirks.retold import Message, _sized
from tests.world import World, new_world

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "everything" / "config"
ODD: tuple[Any, ...] = (
    None, True, False, "", "x", "0", "-1", "1?x=", "..", "null", [], {}, [[]], [None], [{}], {"0": 1},
    {"a": {"b": [1]}}, -1, 0, 1.5, 10**30, 1e308, "9" * 40, "\ud800", "\x00", "x" * 200_000, "2026-13-45",
    [1, "2", None], {"1": "a", "3": "b"},
)  # fmt: skip
RAW = (
    b"Infinity",
    b"NaN",
    b"1e999",
    b"9" * 5000,
    b"[" * 5000,
    b'{"a":' * 5000,
    b"\xff\xfe",
    b'"\\ud83d"',
    b"\x00",
    b"<html>",
)
SAMPLE, WHOLE = 150, 100_000
DRY = "PUT /customObjects/schemas"
"""Schemas are validated by a request that changes nothing (section 2.17)."""
NAMED = ("tracked_event", "site_domain")
"""Kinds whose id is the name itself: another name is another object."""
CALM = {"update", "adopt", "refresh", "manual", "move", "none"}
"""What a plan may say of a damaged account: a value that is another one is drift."""


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from nodes(part, (*path, key))


def put(value: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """Return the document with the node at a path changed."""
    if not path:
        return change(value)
    found = copy.copy(value)
    found[path[0]] = put(found[path[0]], path[1:], change)
    return found


def restructured(body: Any, dice: random.Random) -> Any:
    """Return a document with one node of another form."""
    # An array of rows that is empty is no damage: it says that there is nothing.
    path = dice.choice([one for one in nodes(body) if len(one) != 1 or not isinstance(body[one[0]], list)])
    way = dice.choice(["odd", "odd", "odd", "wrap", "numbered", "more", "named"])

    def change(node: Any) -> Any:
        if way == "wrap":
            return [node]
        if way == "numbered" and isinstance(node, list):
            return {str(number): one for number, one in enumerate(node)}
        if way == "more" and isinstance(node, dict):
            return {**node, "brand_new": dice.choice(ODD)}
        if way == "named" and isinstance(node, dict) and node:
            name = dice.choice(sorted(node))
            return {("_" + key if key == name else key): one for key, one in node.items()}
        return copy.deepcopy(dice.choice(ODD))

    return put(body, path, change)


def damaged(body: bytes, dice: random.Random) -> bytes:
    """Return bytes of which a part is cut off, overwritten, doubled or foreign."""
    at = dice.randrange(len(body) + 1)
    way = dice.choice(["cut", "foreign", "doubled", "flipped", "lost"])
    if way == "cut":
        return body[:at]
    if way == "foreign":
        return body[:at] + dice.choice(RAW) + body[at:]
    if way == "doubled":
        return body + body
    if way == "flipped" and at < len(body):
        return body[:at] + bytes([dice.randrange(256)]) + body[at + 1 :]
    return body[:at] + body[at + dice.randint(1, 40) :]


def mutated(world: World, nth: int, dice: random.Random, *, whole: bool) -> Any:
    """Return a patch under which the nth answer is damaged, in its structure (`whole`) or in its bytes."""
    inner, seen = world.account.app, 0

    async def app(scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any], *rest: Any) -> None:
        nonlocal seen
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await inner(scope, receive, keep, *rest)
        begin, body = sent[0], b"".join(message.get("body", b"") for message in sent[1:])
        seen += 1
        if seen == nth and body:
            body = json.dumps(restructured(json.loads(body), dice)).encode() if whole else damaged(body, dice)
        await send({**begin, "headers": _sized(begin["headers"], body)})
        await send({"type": "http.response.body", "body": body})

    return patch.object(world.account, "app", app)


@pytest.fixture(scope="module", name="stands")
def everything_applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An account with an object of every kind, and its state."""
    with new_world(tmp_path_factory.mktemp("mutations") / "project") as world:
        for path in EXAMPLE.glob("*.yaml"):
            world.write(
                path.read_text("utf-8").replace("of the shop}", "of the shop, default: acme.example}"),
                f"config/{path.name}",
            )
        world.apply(yes=True)
        yield world


def check(world: World, seed: int, requests: int) -> str:
    """Plan against one damaged answer; returns what came of it."""
    dice = random.Random(seed)
    whole = bool(seed % 3)
    world.forget()
    with mutated(world, dice.randint(1, requests), dice, whole=whole):
        ran = world.cli("plan", "--no-impact", "--no-uses", "--format", "json")
    place = f"seed {seed}: {ran.text[-600:]}"
    assert "mistake in the program" not in ran.text, place
    assert "Traceback" not in ran.text, place
    assert ran.code in (0, 1, 4, 5, 7), place
    assert {line.partition("?")[0].rsplit("/", 1)[0] for line in world.writes()} <= {DRY}, place
    assert len(world.requests()) <= 3 * requests + 20, place
    if ran.code == 1:
        assert ran.err.startswith("Error: "), place
        return "refused"
    actions = {change["action"] for change in json.loads(ran.out)["changes"]}
    if whole:
        assert actions <= CALM or another(ran.out), f"{place}: {actions}"
    return "unknown" if ran.code == 4 else "another" if actions else "equal"


def another(document: str) -> bool:
    """Whether nothing goes or comes but for a text that is another one in the account: what tells an event apart from
    others, or cannot be changed in place.
    """
    rest = [change for change in json.loads(document)["changes"] if change["action"] not in CALM]
    return all(
        change["action"] == "replace" or (change["kind"] in NAMED and change["action"] == "create") for change in rest
    )


def run(world: World, seeds: range) -> dict[str, int]:
    """Try these seeds; returns how many came out how."""
    world.forget()
    assert world.cli("plan", "--no-impact", "--no-uses", "--detailed-exitcode").code == 0
    requests = len(world.requests())
    found: dict[str, int] = {}
    for seed in seeds:
        verdict = check(world, seed, requests)
        found[verdict] = found.get(verdict, 0) + 1
    return found


def test_a_damaged_answer_makes_no_wrong_plan(stands: World, record_property: Callable[[str, object], None]) -> None:
    """A sample of the mutations; the seed of one that fails is in the message."""
    found = run(stands, range(SAMPLE))
    record_property("mutated answers", f"{SAMPLE}: {found}")
    assert {"equal", "unknown"} <= found.keys()


@pytest.mark.prove
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("part", range(20))
def test_many_damaged_answers_make_no_wrong_plan(
    stands: World, part: int, record_property: Callable[[str, object], None]
) -> None:
    """A hundred thousand in twenty parts."""
    size = WHOLE // 20
    found = run(stands, range(part * size, (part + 1) * size))
    record_property("mutated answers", f"{size} from {part * size}: {found}")
    assert sum(found.values()) == size
