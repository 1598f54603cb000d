"""What no declaration says is named by every command, written poorer by none, and stops none: shapes of every kind over
the commands that use decoded rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.resources import load_kinds
from tests.environments.likeness import COMPUTED, plain
from tests.environments.shapes import LOSSY, segment
from tests.environments.test_export import files_of, nothing_to_do
from tests.environments.undeclarable import ODD, Odd
from tests.world import TWO_ACCOUNTS, Ran, World, new_world
from tests.world.accounts import Held, hold

FIRST = (
    "list without a name", "webhook without events", "task type that is disabled", "variable of another format",
    "branding of structured text", "segment: type of a member",
)  # fmt: skip
"""Tried in every run; all of them in the long one."""
ALWAYS_SAID = {
    "message": "left out of exports unless the state knows one",
    "user": "left out of exports unless the state knows one",
    "tracked_event": "a name and nothing else",
    "site_domain": "a domain and switches",
}


def test_every_kind_has_an_odd_one() -> None:
    """Or a reason why nothing of it can be odd."""
    tried = {odd.kind for odd in ODD.values()}
    assert {kind.name for kind in load_kinds().values() if kind.abilities.managed} == tried | set(ALWAYS_SAID)
    assert set(FIRST) <= set(ODD)


class Case:
    """Two accounts, of which the first holds something odd."""

    def __init__(self, world: World, other: Held, odd: Odd) -> None:
        self.world, self.other, self.odd = world, other, odd
        self.before = self.rows()
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        world.account.seed(json.loads(json.dumps(odd.seed)))

    def rows(self) -> list[Any]:
        """Return the rows of the table in the second account."""
        return [dict(row) for row in self.other.rows.all(self.odd.table)]

    def row(self) -> dict[str, Any]:
        """Return the odd one as the first account holds it now."""
        return dict(self.world.account.rows.get(self.odd.table, "901") or {})

    def run(self, *argv: str) -> Ran:
        """Run a command: it does its work."""
        ran = self.world.cli(*argv)
        assert ran.code == 0, ran.text
        return ran

    def compared(self, left: str, right: str) -> list[str]:
        """Return what a comparison shows of the kind of the odd one, beside what every account has."""
        changes = json.loads(self.world.cli("compare", left, right, "--format", "json").out)["changes"]
        return [f"{one['action']} {one['address']}" for one in changes if one["kind"] == self.odd.kind]

    def names(self, *argv: str) -> None:
        """Run a command that has to name the object."""
        ran = self.run(*argv)
        words = (*self.odd.words, f"{self.odd.kind}.")
        assert any(word in ran.text for word in (*words, self.odd.table) if word), ran.text
        if self.odd.name:
            assert self.odd.name in ran.text, ran.text


@pytest.fixture(name="case")
def a_case(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Case]:
    """The shape of this name."""
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db") as other:
        yield Case(world, other, ODD[request.param])


def check_named(case: Case) -> None:
    """Run every command, from those that only look to the clone."""
    names, run = case.names, case.run
    names("compare", "a", "b")
    if case.odd.whole:
        assert case.compared("a", "b") == case.compared("b", "a") == []
    names("clone", "--from", "a", "--to", "b", "--dry-run")
    names("clone", "--from", "a", "--to", "b", "--out", "clone.json")
    assert case.rows() == case.before
    if case.odd.whole:
        saved = json.loads((case.world.folder / "clone.json").read_text("utf-8"))
        assert [
            one["address"] for one in saved["changes"] if one["kind"] == case.odd.kind and one["action"] != "adopt"
        ] == []
    names("promote", "--from", "a", "--to", "b", "--dry-run")
    run("-e", "b", "apply", "clone.json", "--auto-approve", "--quiet")
    names("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
    if case.odd.whole:
        assert case.rows() == case.before
    names("export", "-q")
    before = files_of(case.world.folder)
    assert case.world.cli("validate").code == 0
    nothing_to_do(case.world)
    if case.odd.whole:
        names("coverage")
    names("export")
    assert files_of(case.world.folder) == before
    held = case.world.dump()
    absorbed = case.world.cli("drift", "--absorb", "--unmanaged")
    assert absorbed.code in (0, 5), absorbed.text
    assert case.odd.name in absorbed.text or files_of(case.world.folder) == before, absorbed.text
    assert files_of(case.world.folder) == before
    run("snapshot", "--out", "snap.json")
    assert case.world.cli("rehearse").code == 0
    assert case.world.dump() == held


@pytest.mark.off_contract
@pytest.mark.parametrize("case", FIRST, indirect=True)
def test_what_cannot_be_declared_is_named_and_stops_nothing(case: Case) -> None:
    """One of each that people have met."""
    check_named(case)


@pytest.mark.prove
@pytest.mark.off_contract
@pytest.mark.parametrize("case", [name for name in ODD if name not in FIRST], indirect=True)
def test_whatever_cannot_be_declared_is_named_and_stops_nothing(case: Case) -> None:
    """All the others."""
    check_named(case)


SOUND: dict[str, dict[str, Any]] = {
    "list": {"name": "News", "channel": "email"},
    "webhook": {"name": "Hook", "events": ["subscribe"], "sources": ["public"]},
    "calendar": {"title": "Feed", "type": "All"},
    "personalization": {"name": "Hello", "format": "text", "content": "Hi"},
    "connection": {"name": "Shop", "service": "shop"},
    "address": {"companyName": "Shop", "country": "US"},
    "tag": {"tag": "VIP", "tagType": "contact"},
    "pipeline": {"title": "Sales"},
    "task_outcome": {"title": "Won", "sentiment": "POSITIVE"},
    "saved_response": {"subject": "Hi", "body": "Hello"},
    "user_group": {"title": "Team"},
    "deal_role": {"title": "Buyer"},
}
"""What makes the odd one of a kind one that files can say."""
TURNED = [name for name, odd in ODD.items() if odd.whole and odd.kind in SOUND]
RESTORED = ("condition without fields", "source that is empty", "object that is empty")
"""Shapes that are read in full: what is declared is restored."""
LOSSY_FIRST = ("type of a member", "unknown key of a group")
TURNED_FIRST = ("webhook without events", "list without a name", "connection without a service")


def check_turned(odd: Odd, folder: Path) -> None:
    """Manage the sound object, let somebody spoil it by hand, and run every command over it."""
    with new_world(folder) as world, hold(folder / "state/b.db") as other:
        seed = json.loads(json.dumps(odd.seed))
        spoiled = {name: value for name, value in seed[odd.table][0].items() if name in SOUND[odd.kind]}
        seed[odd.table][0].update(SOUND[odd.kind])
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        world.account.seed(seed)
        other.seed(json.loads(json.dumps(seed)))
        assert world.cli("export").code == 0
        assert world.cli("apply", "--auto-approve", "--quiet").code == 0
        rows = world.account.rows
        rows.put(odd.table, "901", {**(rows.get(odd.table, "901") or {}), **spoiled})
        for sides in (("a", "b"), ("b", "a")):
            compared = world.cli("compare", *sides, "--format", "json")
            mine = [one["action"] for one in json.loads(compared.out)["changes"] if one["kind"] == odd.kind]
            assert "update" not in mine, compared.out  # another one where the key differs
            assert "(id 901)" in world.cli("compare", *sides).text
        for argv in (["plan"], ["drift"], ["drift", "--absorb"]):
            ran = world.cli(*argv)
            assert ran.code in (0, 5), ran.text
            assert f"{odd.kind}." in ran.text, ran.text
        assert world.cli("validate").code == 0
        assert world.cli("apply", "--auto-approve", "--quiet").code == 0
        ran = world.cli("undo", "--auto-approve")
        assert f"{odd.kind}." in ran.text or "no run to undo" in ran.text, ran.text
        after = world.cli("plan")
        assert after.code == 0, after.text


@pytest.mark.off_contract
@pytest.mark.parametrize("name", TURNED_FIRST)
def test_what_was_spoiled_by_hand_is_named_and_its_undo_leaves_a_state_that_is_read(name: str, tmp_path: Path) -> None:
    """An empty name in the state made every later command fail."""
    check_turned(ODD[name], tmp_path)


@pytest.mark.prove
@pytest.mark.off_contract
@pytest.mark.parametrize("name", [name for name in TURNED if name not in TURNED_FIRST])
def test_whatever_was_spoiled_by_hand_is_named(name: str, tmp_path: Path) -> None:
    """All the others."""
    check_turned(ODD[name], tmp_path)


@pytest.mark.off_contract
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in LOSSY_FIRST else pytest.mark.prove) for name in LOSSY],
)
def test_a_managed_segment_that_came_to_hold_more_is_named_and_left(name: str, world: World) -> None:
    """Also where all that was understood of it is as declared."""
    world.write("{}")
    world.account.seed({"segmentsV2": [segment()]})
    assert world.cli("export").code == 0
    spoiled = {**(world.account.rows.get("segmentsV2", "aaaa") or {}), **LOSSY[name]}
    world.account.rows.put("segmentsV2", "aaaa", spoiled)
    for argv in (["plan"], ["drift"]):
        assert "segment.loyal" in world.cli(*argv).text
    if name not in RESTORED:
        world.cli("apply", "--auto-approve")
        assert plain(world.account.rows.get("segmentsV2", "aaaa")) == plain(spoiled)


EDITED = {
    "pipeline with another assignment": ("pipelines", "title: Sales", "title: Sales of ours"),
    "deal field with a default of another form": ("deal_fields", "label: Plan", "label: Plan of ours"),
    "variable on lists of another form": ("personalizations", "name: Hello", "name: Hello of ours"),
    "variable of structured content": ("personalizations", "name: Hello", "name: Hello of ours"),
    "list for another channel": ("lists", "name: News", "name: News of ours"),
    "stage of another colour": ("pipelines", "title: A", "title: Another"),
    "stage with another card": ("pipelines", "title: A", "title: Another"),
    "custom object field of another type": ("custom_objects", "slug: pet", "slug: pet\n    description: Ours"),
}  # fmt: skip
"""Files of an export, what is edited there, and how."""


def test_whatever_is_declared_in_part_is_edited() -> None:
    """Each object that is declared without something; a setting has no row of its own to look at."""
    assert set(EDITED) == {name for name, odd in ODD.items() if not odd.whole and odd.kind != "setting"}


@pytest.mark.off_contract
@pytest.mark.parametrize("case", EDITED, indirect=True)
def test_an_update_and_its_undo_leave_what_cannot_be_declared(case: Case, request: pytest.FixtureRequest) -> None:
    """Another name changes the name; undone, the row is as it was."""
    section, before, after = EDITED[request.node.callspec.params["case"]]
    case.names("export", "-q")
    path = case.world.folder / f"config/{section}.yaml"
    text = path.read_text("utf-8")
    assert before in text, text
    held = {name: plain(value) for name, value in case.row().items() if name not in STAMPED}
    path.write_text(text.replace(before, after, 1), "utf-8")
    case.run("apply", "--auto-approve", "--quiet")
    changed = {name for name, value in held.items() if plain(case.row()[name]) != value}
    assert len(changed) == 1, changed
    case.run("undo", "--auto-approve")
    assert {name: plain(case.row()[name]) for name in held} == held


STAMPED = COMPUTED - {"id"}
"""What the server says of each write."""
