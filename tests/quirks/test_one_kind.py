"""An answer that is not the right one makes its kind unknown: with the request, what was expected and what came, exit
code 4, and nothing else is. Every kind, every command that reads, and what is read beside the listings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from reconciler.resources import load_kinds
from tests.quirks.retold import Message, _sized
from tests.quirks.test_listings import everything
from tests.trust.test_eyes_of_commands import COMMANDS as READING
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

KINDS = load_kinds()
NAMES = sorted(name for name, kind in KINDS.items() if not kind.variants)
Answer = tuple[int, Any]
"""A status, and a body: bytes, or what is written as JSON."""
Damage = Callable[[str, Any], Answer]
"""What is answered in place of this body, whose array has this name."""
DAMAGES: dict[str, Damage] = {
    "a total that is never reached": lambda key, body: (200, {**body, "meta": {"total": "1000000000"}}),
    "true for the total": lambda key, body: (200, {**body, "meta": {"total": True}}),
    "a list for the total": lambda key, body: (200, {**body, "meta": {"total": []}}),
    "less than none": lambda key, body: (200, {**body, "meta": {"total": -1}}),
    "no array": lambda key, body: (200, {name: one for name, one in body.items() if name != key}),
    "null for the array": lambda key, body: (200, {**body, key: None}),
    "a text for the array": lambda key, body: (200, {**body, key: "none"}),
    "a list for all": lambda key, body: (200, [body]),
    "nothing": lambda key, body: (200, b""),
    "a web page": lambda key, body: (200, b"<html>sign in</html>"),
    "half an answer": lambda key, body: (200, json.dumps(body).encode()[:-3]),
    "numbers without end": lambda key, body: (200, b'{"a": ' + b"9" * 5000 + b"}"),
    "a server error": lambda key, body: (500, {"message": "sorry"}),
    "a gateway": lambda key, body: (502, b"<html>bad gateway</html>"),
    "another place": lambda key, body: (301, b""),
    "refused": lambda key, body: (403, {"message": "no"}),
}


def damaged(world: World, path: str, key: str, damage: Damage, account: Any = None) -> Any:
    """Return a patch under which all answers of an account to `GET path` are damaged."""
    account = account or world.account
    inner = account.app

    async def app(scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any], *rest: Any) -> None:
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await inner(scope, receive, keep, *rest)
        begin, body = sent[0], b"".join(message.get("body", b"") for message in sent[1:])
        if scope["method"] == "GET" and scope["path"].removeprefix("/api/3") == path and begin["status"] == 200:
            status, made = damage(key, json.loads(body))
            body = made if isinstance(made, bytes) else json.dumps(made).encode()
            begin = {**begin, "status": status}
        await send({**begin, "headers": _sized(begin["headers"], body)})
        await send({"type": "http.response.body", "body": body})

    stack = ExitStack()
    stack.enter_context(patch("reconciler.engine.refresh.MOST_PAGES", 3))
    stack.enter_context(patch.object(account, "app", app))
    return stack


@pytest.fixture(scope="module", name="whole")
def everything_applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An account with an object of every kind, and its state."""
    with new_world(tmp_path_factory.mktemp("kinds") / "project") as world:
        everything(world)
        world.apply(yes=True)
        yield world


def shapes(name: str) -> Iterator[str]:
    """Choose two damages for a kind; all of them in turn over the kinds."""
    at = NAMES.index(name)
    yield from (list(DAMAGES)[(at * step) % len(DAMAGES)] for step in (1, 5))


CASES = [(name, how) for name in NAMES for how in DAMAGES]
USUAL = {(name, how) for name in NAMES for how in shapes(name)}


@pytest.mark.parametrize(
    ("name", "how"),
    [pytest.param(*case, marks=() if case in USUAL else pytest.mark.prove) for case in CASES],
)
def test_a_wrong_answer_makes_one_kind_unknown(whole: World, name: str, how: str) -> None:
    """The plan names the listing, changes nothing, knows all kinds that do not need this one, and ends with 4."""
    collection = KINDS[name].reading.collections[0]
    managed = {one.kind for one in whole.state().resources.values()}
    assert how in {one for other in NAMES for one in shapes(other)}, "a damage that no run tries"
    with damaged(whole, collection.path, collection.key, DAMAGES[how]):
        ran = whole.cli("plan", "--no-impact", "--no-uses", "--format", "json")
    if ran.code == 0:  # the old form of the listing answered, or nobody declares anything of it
        assert collection.fallback is not None or name not in managed, ran.text
        return
    assert ran.code == 4, ran.text
    document = json.loads(ran.out)
    assert not document["steps"], ran.out
    assert not document["changes"], ran.out
    assert document["summary"]["unchanged"] > 0
    assert any(collection.path in one["reason"] for one in document["skipped"]), document["skipped"]


def nameless(key: str, body: Any) -> Answer:
    """Take the id, of tracked events the name, out of the first row."""
    first, *rest = body[key]
    identity = "name" if key == "eventTrackingEvents" else "id"
    return 200, {**body, key: [{name: one for name, one in first.items() if name != identity}, *rest]}


def test_a_row_without_an_id_is_told_plainly(whole: World) -> None:
    """Which listing, which kind, what was expected and what came: no name of an exception."""
    with damaged(whole, "/tags", "tags", nameless):
        ran = whole.cli("plan", "--no-impact", "--no-uses")
    assert ran.code == 4, ran.text
    said = " ".join(ran.text.split())
    assert "GET /tags lists a tag without an id: expected a number as `id` in every row of `tags`" in said
    assert "got a row with '" in said
    assert "Error: " not in said
    with damaged(whole, "/fields", "fields", nameless):
        said = " ".join(whole.cli("plan", "--no-impact", "--no-uses").text.split())
    assert "GET /fields lists a contact field without an id" in said
    assert "KeyError" not in said


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "pipeline" else pytest.mark.prove) for name in NAMES]
)
def test_a_row_without_an_id_costs_no_other_kind(whole: World, name: str) -> None:
    """Its kind, and what is read from the same listing, is not planned; everything else is."""
    collection = KINDS[name].reading.collections[0]
    for side in (collection.key, *collection.sides):

        def damage(key: str, body: Any, side: str = side) -> Answer:
            return nameless(side, body) if body.get(side) else (200, body)

        with damaged(whole, collection.path, collection.key, damage):
            ran = whole.cli("plan", "--no-impact", "--no-uses", "--format", "json")
        assert ran.code in (0, 4), f"{side}: {ran.text}"
        document = json.loads(ran.out)
        assert not document["steps"], ran.out
        assert not document["changes"], ran.out
        assert document["summary"]["unchanged"] > 0
        assert name != "pipeline" or any("/dealGroups" in one["reason"] for one in document["skipped"]), ran.out


TAGS = "tags: {seen: {name: Seen}, unseen: {name: Unseen}}\nfields: {f: {title: F, type: text, perstag: F}}\n"
TOLD = {
    "state doctor": 1,
    "runs resume --auto-approve": 0,
    "undo --auto-approve": None,
    "probe --read-only": 0,
    "ids --lang json": 0,
    "ids --lang json --partial": 0,
}
"""What other codes commands have: a diagnosis, nothing to resume; an undo is of other kinds; to a probe what cannot be
read is an answer like others; ids that a state knows are asked of no account (decision 0330).
"""


@pytest.mark.parametrize(
    ("side", "how"),
    [
        pytest.param(
            side, how, marks=() if (side, how) in {("a", "no array"), ("b", "half an answer")} else pytest.mark.prove
        )
        for side in "ab"
        for how in DAMAGES
    ],
)
def test_every_command_that_reads_says_so(tmp_path: Path, side: str, how: str) -> None:
    """On either side of two accounts: the listing is named, the exit code is 4, and no object, binding or declaration
    of the kind comes or goes.
    """
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db") as other:
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write(TAGS)
        for name in ("a", "b"):
            assert world.cli("-e", name, "apply", "--auto-approve", "-q").code == 0
            assert world.cli("-e", name, "snapshot", "--out", f"{name}.snap.gz").code == 0
        for ways in (("a", "b"), ("b", "a")):
            assert world.cli("promote", "--from", ways[0], "--to", ways[1]).code == 0
        account = world.account if side == "a" else other
        before = _tags(world, other)
        with damaged(world, "/tags", "tags", DAMAGES[how], account):
            wrong = [line for words in _lines(side) for line in _tried(world, side, words)]
            wrong += [] if _tags(world, other) == before else [f"tags: {_tags(world, other)}"]
            assert world.cli("-e", side, "state", "rm", "tag.unseen").code == 0
            for more in ([], ["--partial"]):  # only the account knows the id by now
                ran = world.cli("-e", side, "ids", "--lang", "json", *more)
                wrong += [] if (ran.code, "/tags" in ran.text) == (4, True) else [f"ids {more}, {ran.code}: {ran}"]
        assert not wrong, "\n".join(wrong)


def _lines(side: str) -> Iterator[list[str]]:
    for command, ways in READING.items():
        for way in ways:
            words = [word.format(unseen="tag.unseen", id="2") for word in way]
            if "list.unseen" not in str(words) and "list.seen" not in str(words):
                yield [*command.split(), *words]
    yield ["destroy", "--auto-approve", "--target", "tag.unseen"]
    yield ["undo", "--auto-approve"]


def _tried(world: World, side: str, words: list[str]) -> Iterator[str]:
    """Run a command on the damaged side; yields what is wrong."""
    line = " ".join(words)
    if words[0] == "compare" and side not in words:
        return  # not of what is damaged; a snapshot from before is not
    ran = world.cli("-e", side, *words)
    expected = TOLD.get(line, 4)
    if ran.code != expected and expected is not None:
        yield f"{line} ({ran.code}): {ran.text}"
    if expected == 4 and "/tags" not in ran.text:
        yield f"{line} does not name the listing: {ran.text}"
    if "mistake in the program" in ran.text:
        yield f"{line}: {ran.text}"


def _tags(world: World, other: Any) -> list[list[tuple[str, str]]]:
    return [[(row["id"], row["tag"]) for row in account.rows.all("tags")] for account in (world.account, other)]


SHAPELESS: dict[str, Damage] = {
    "no lists": lambda key, body: (200, {name: one for name, one in body.items() if not isinstance(one, list | dict)}),
    "null for all": lambda key, body: (200, dict.fromkeys(body)),
    "texts for all": lambda key, body: (200, dict.fromkeys(body, "x")),
    **{
        how: made
        for how, made in DAMAGES.items()
        if how in ("a list for all", "nothing", "a web page", "half an answer")
    },
    **{how: made for how, made in DAMAGES.items() if how in ("a server error", "another place", "refused")},
}
"""What may come in place of an answer whose form only the one who asks knows."""


@pytest.mark.parametrize(
    "turn", [0, *(pytest.param(turn, marks=pytest.mark.prove) for turn in range(1, len(SHAPELESS)))]
)
def test_what_is_read_beside_the_listings_is_never_taken_for_nothing(whole: World, turn: int) -> None:
    """Counts, members, what goes along, and uses: a wrong answer makes the number unknown, and no guard lets the plan
    pass that would have stopped it.
    """
    whole.forget()
    assert whole.cli("plan", "--no-impact", "--no-uses").code == 0
    listings = {line.partition("?")[0] for line in whole.requests()}
    whole.forget()
    before = whole.cli("plan", "--destroy", "--format", "json")
    assert before.code == 7, before.text
    counts = _counts(before.out)
    paths = sorted({line.partition("?")[0] for line in whole.requests("GET")} - listings)
    assert len(paths) > 15, "few things are read beside the listings"
    for at, path in enumerate(paths):
        how = list(SHAPELESS)[(at + turn) % len(SHAPELESS)]
        with damaged(whole, path.removeprefix("GET "), "", SHAPELESS[how]):
            ran = whole.cli("plan", "--destroy", "--format", "json")
        assert ran.code == 7, f"{path}, {how}: {ran.text}"
        for address, told in _counts(ran.out).items():
            known = all(noun in told for noun in counts[address])
            assert known or told.get("records", 0) is None, f"{path}, {how}, {address}: {told}"
            less = [noun for noun, now in told.items() if now is not None and now < (counts[address].get(noun) or 0)]
            assert not less, f"{path}, {how}, {address}: {told}"


def _counts(document: str) -> dict[str, dict[str, int | None]]:
    return {
        change["address"]: {impact["noun"]: impact["count"] for impact in change["impacts"]}
        for change in json.loads(document)["changes"]
    }
