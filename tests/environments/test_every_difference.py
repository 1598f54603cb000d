"""Every difference is written or named, by the rows of two accounts: whatever differs between them after a promotion
and an apply was announced and is shown by `compare`; whatever somebody fills in after a full export is told by `drift`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from reconciler.workflow.observation.book import open_book
from tests.environments.differing import (
    LEAVES,
    NEWS,
    PROJECT,
    UNTRIED,
    Place,
    Side,
    choices,
    everything,
    vary,
    writable,
)
from tests.environments.test_differences import apply
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

FEW, MANY = 2, 300
GROUPS = {"field": "field_group.it", "deal_field": "field_group.deals", "account_field": "field_group.accounts"}
"""Groups list the same fact: who is in them."""


def test_no_attribute_is_forgotten() -> None:
    """Whatever can be declared is changed here, or has a reason why not."""
    tried = {(address.partition(".")[0], name) for address, name in everything()}
    assert writable() == tried | set(UNTRIED), sorted(writable() ^ (tried | set(UNTRIED)))
    assert not tried & set(UNTRIED)


def ids_of(world: World, where: str) -> dict[str, str]:
    """Return the ids that an environment's state knows, by address."""
    state = open_book(world.session(environment=where)).state()
    return {address: binding.id for address, binding in state.resources.items()}


@contextmanager
def two_sides(folder: Path, chance: Random) -> Iterator[tuple[World, Side, Side]]:
    """Make a project that both accounts hold, under other ids where chance wants it."""
    with new_world(folder) as world, hold(folder / "state/b.db") as other:
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write(json.loads(json.dumps(PROJECT)))
        for _, (table, row) in sorted(NEWS.items()):
            if chance.random() < 0.5:
                other.seed({table: [{**row, **({} if table in ("schemas", "eventTrackingEvents") else {"id": "70"})}]})
        for where in "ab":
            ran = world.cli("-e", where, "apply", "--auto-approve", "--quiet")
            assert ran.code == 0, ran.text
        yield world, Side(world.account, ids_of(world, "a")), Side(other._account, ids_of(world, "b"))


@dataclass
class Said:
    """What a promotion or a comparison said: (address, attribute) of its rows, and its lines."""

    rows: set[tuple[str, str]]
    lines: list[str]

    def tells(self, address: str, name: str) -> bool:
        """Return whether an attribute, or its object as a whole, was named."""
        if {(address, name), (address, "")} & self.rows:
            return True
        pairs = [(group, f"{kind}.it") for kind, group in GROUPS.items() if address in (group, f"{kind}.it")]
        listed = {group for group, _ in pairs if any(line.startswith(f"{group}: `fields`") for line in self.lines)}
        if any(name == "group" and ((group, "fields") in self.rows or group in listed) for group, _ in pairs):
            return True
        if any(name == "fields" and self.tells(member, "group") for _, member in pairs):
            return True
        word = re.compile(rf"(?<![\w.]){re.escape(address)}(\.{name})?(?![\w.])")
        return any(
            word.search(line)
            and (
                f"{address}.{name}" in line
                or "`" not in line
                or re.search(rf"`{name}[`.]", line)
                or (name == "group" and " it is in " in line)
            )
            for line in self.lines
        )


def promoted(world: World) -> Said:
    """Promote from a to b; return what was said."""
    ran = world.cli("promote", "--from", "a", "--to", "b", "--format", "json")
    assert ran.code in (0, 5), ran.text
    said = json.loads(ran.out)
    rows = {(row["address"], row["attribute"]) for row in said["rows"]}
    rows |= {(one["address"], one["attribute"]) for one in said["left"]}
    return Said(rows, said["left_out"])


def compared(world: World) -> Said:
    """Return the differences of the two accounts, whole objects with an empty attribute."""
    ran = world.cli("compare", "a", "b", "--format", "json")
    assert ran.code == 0, ran.text
    rows: set[tuple[str, str]] = set()
    for one in json.loads(ran.out)["changes"]:
        rows |= {(one["address"], item["name"]) for item in one["attributes"]} if one["action"] == "update" else set()
        rows |= {(one["address"], "")} if one["action"] != "update" else set()
    return Said(rows, re.split(r"\n(?=\S)", ran.err))


def differing(here: Side, there: Side) -> dict[Place, tuple[Any, Any]]:
    """Return what the rows of the two say differently."""
    return {
        place: (here.holds(place), there.holds(place))
        for place in everything()
        if here.holds(place) != there.holds(place) and (here.there(place[0]) or there.there(place[0]))
    }


def lose(chance: Random, side: Side) -> None:
    """Delete some of what nothing refers to."""
    for address, table in LEAVES.items():
        if chance.random() < 0.1:
            side.account.rows.remove(table, side.ids[address])


def check_announced(folder: Path, number: int) -> None:
    """Change anything on either side; promote, apply; what then differs was announced, and is shown."""
    chance = Random(number)
    with two_sides(folder / "project", chance) as (world, here, there):
        places = everything()
        share = chance.choice([0.05, 0.3, 1])
        for side in (here, there):
            vary(chance, side, [place for place in places if chance.random() < share])
            lose(chance, side)
        for _, (table, row) in sorted(NEWS.items()):
            if chance.random() < 0.3 and table != "groupDefinitions":
                here.account.seed({table: [json.loads(json.dumps(row))]})
        before = compared(world)
        for address, name in differing(here, there):
            assert before.tells(address, name), f"{number}: compare does not tell {address}.{name} before"
        said = promoted(world)
        told = f"{number}: {sorted(said.rows)}\n" + "\n".join(said.lines)
        done = apply(world, "b")
        now = Side(there.account, {**there.ids, **ids_of(world, "b")})
        after = compared(world)
        for address, name in after.rows:
            assert said.tells(address, name), f"compare shows {address}.{name}, which was not announced\n{told}\n{done}"
        for (address, name), values in differing(here, now).items():
            assert said.tells(address, name), f"{address}.{name} {values} was not announced\n{told}\n{done}"
            assert after.tells(address, name), f"{address}.{name} {values} is not compared\n{told}\n{after}"


@pytest.mark.off_contract
@pytest.mark.parametrize("number", range(FEW))
def test_what_differs_after_a_promotion_was_announced(tmp_path: Path, number: int) -> None:
    """A slice for every run."""
    check_announced(tmp_path, number)


@pytest.mark.prove
@pytest.mark.off_contract
@pytest.mark.parametrize("number", range(FEW, MANY))
def test_what_differs_after_any_promotion_was_announced(tmp_path: Path, number: int) -> None:
    """Many pairs of accounts."""
    check_announced(tmp_path, number)


# --- drift -----------------------------------------------------------------------------------------------------------


IMPLIED = {("tag", "type"), ("task_type", "disabled")}
"""Attributes that a file declares by leaving them out."""


def said_in(files: Mapping[str, Any], address: str, name: str) -> bool:
    """Return whether the exported files declare an attribute."""
    kind, *keys = address.split(".")
    listed = files["field_groups"][GROUPS[kind].partition(".")[2]].get("fields", ()) if name == "group" else ()
    if (kind, name) in IMPLIED or keys[0] in listed:
        return True
    if kind == "stage":
        return name in files["pipelines"][keys[0]]["stages"][keys[1]]
    section = {"address": "addresses"}.get(kind, f"{kind}s")
    return name in (files.get(section, {}).get(keys[0]) or {})


def all_files(world: World) -> dict[str, Any]:
    """Return all that the files of the project declare, by section."""
    found: dict[str, Any] = {}
    for path in sorted((world.folder / "config").glob("*.yaml")):
        for section, ones in (yaml.safe_load(path.read_text("utf-8")) or {}).items():
            found.setdefault(section, {}).update(ones)
    return found


def told_by_drift(world: World) -> tuple[Said, Said]:
    """Return what drift shows as changes, and what in notes."""
    plan = json.loads(world.cli("drift", "--format", "json").out)
    rows = {(one["address"], item["name"]) for one in plan["changes"] for item in one["attributes"]}
    notes = [line for line in plan["warnings"] if "not managed" in line]
    return Said(rows, []), Said(set(), notes)


def check_filled(folder: Path, number: int) -> None:
    """Empty much, export all, fill some of it in: told as a note where the files say nothing, and absorbed."""
    chance = Random(number)
    with new_world(folder / "project") as world:
        world.write(json.loads(json.dumps(PROJECT)))
        ran = world.cli("apply", "--auto-approve", "--quiet")
        assert ran.code == 0, ran.text
        side = Side(world.account, ids_of(world, "demo"))
        for place in everything():
            side.set(place, choices(place)[0] if chance.random() < 0.7 else chance.choice(choices(place)))
        world.write("{}")
        ran = world.cli("export")
        assert ran.code == 0, ran.text
        assert "No changes." in world.cli("plan").out, world.cli("plan").text
        changes, notes = told_by_drift(world)
        assert not changes.rows, f"{number}: {changes.rows}"
        assert not notes.lines, f"{number}: after a full export nothing is unmanaged: {notes.lines}"
        files = all_files(world)
        filled = []
        for place in everything():
            was = side.holds(place)
            in_two_groups = place[1] == "group" and len(was) > 1  # of which one is declared, as the export has told
            if chance.random() < 0.4 and not in_two_groups:
                side.set(place, choices(place)[-1])
                filled += [place] if side.holds(place) != was else []
        changes, notes = told_by_drift(world)
        for address, name in filled:
            if said_in(files, address, name):
                assert changes.tells(address, name) or notes.tells(address, name), f"{number}: {address}.{name} {notes}"
            else:
                assert notes.tells(address, name), f"{number}: {address}.{name} {notes}"
                assert not changes.tells(address, name), f"{number}: {address}.{name} {changes}"
        code = world.cli("drift", "--detailed-exitcode").code
        assert code == (2 if changes.rows else 0)
        ran = world.cli("drift", "--absorb", "--unmanaged", "--format", "json")
        assert ran.code in (0, 5), ran.text
        left = {(one["address"], one["attribute"]) for one in json.loads(ran.out)["left"]}
        after, still = told_by_drift(world)
        assert after.rows <= left, f"{number}: {after.rows} {ran.text}"
        files = all_files(world)
        for address, name in filled:
            if notes.tells(address, name) and (address, name) not in left:
                assert said_in(files, address, name), f"{number}: {address}.{name}\n{ran.text}"
                assert not still.tells(address, name), f"{number}: {address}.{name} {still}"
        plan = world.plan()
        planned = {(one.address, item.name) for one in plan.document.changes for item in one.attributes}
        assert planned <= left, f"{number}: {plan.lines} {left}"


@pytest.mark.off_contract
@pytest.mark.parametrize("number", range(FEW))
def test_what_is_filled_in_after_an_export_is_told_and_absorbed(tmp_path: Path, number: int) -> None:
    """A slice for every run."""
    check_filled(tmp_path, number)


@pytest.mark.prove
@pytest.mark.off_contract
@pytest.mark.parametrize("number", range(FEW, MANY))
def test_whatever_is_filled_in_after_an_export_is_told_and_absorbed(tmp_path: Path, number: int) -> None:
    """Many choices."""
    check_filled(tmp_path, number)
