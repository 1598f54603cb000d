"""Members of field groups that move, leave and go between two accounts, in each form that files have for them: what
differs after a promotion and an apply was announced, and what was announced is so. By rows alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from reconciler.emulator import Application
from tests.environments.test_differences import apply
from tests.environments.test_every_difference import ids_of
from tests.world import TWO_ACCOUNTS, new_world
from tests.world.accounts import hold

FEW, MANY = 4, 400
MEMBERS = {"field.fa": "fields", "field.fb": "fields", "field.fc": "fields", "deal_field.da": "dealCustomFieldMeta",
           "deal_field.db": "dealCustomFieldMeta"}  # fmt: skip
GROUPS = {
    "field_group.c": "field", "field_group.d": "field", "field_group.m": "deal_field", "field_group.w": "deal_field",
}  # fmt: skip
DEFAULTS = {"field": "1", "deal_field": "2"}
OWN = {"field_group.default": "field", "field_group.deal_default": "deal_field"}
"""The account's own groups, with these ids."""
Groups = Mapping[str, list[str]]
"""Group -> its members in order."""


def key(address: str) -> str:
    """Return the last part of an address."""
    return address.partition(".")[2]


def dealt(chance: Random, most: int) -> dict[str, list[str]]:
    """Deal members to groups, each to so many at most."""
    found: dict[str, list[str]] = {group: [] for group in GROUPS}
    for member in chance.sample(sorted(MEMBERS), len(MEMBERS)):
        mine = [group for group, kind in GROUPS.items() if member.startswith(f"{kind}.")]
        for group in chance.sample(mine, chance.randint(0, min(most, len(mine)))):
            found[group].append(member)
    return found


def declared(chance: Random, groups: Groups) -> dict[str, Any]:
    """Declare memberships, each in a list or by the member: of several of one member, only lists can say them."""
    listing = {group for group in GROUPS if chance.random() < 0.6}
    files: dict[str, Any] = {
        "fields": {key(one): {"title": key(one), "type": "text"} for one in MEMBERS if one.startswith("field.")},
        "deal_fields": {key(one): {"label": key(one), "type": "text"} for one in MEMBERS if one.startswith("deal_")},
        "field_groups": {
            key(group): {"label": key(group), "object": "contact" if kind == "field" else "deal"}
            for group, kind in GROUPS.items()
        },
    }
    for group, members in groups.items():
        for one in members:
            if group not in listing and sum(one in others for others in groups.values()) == 1:
                files["fields" if one.startswith("field.") else "deal_fields"][key(one)]["group"] = key(group)
        if group in listing:
            files["field_groups"][key(group)]["fields"] = [key(one) for one in members]
    return files


def members_in(account: Application, ids: Mapping[str, str]) -> dict[str, list[str]]:
    """Return by rows who is in which group, in order, default groups too."""
    groups = {ids[one]: one for one in GROUPS if one in ids} | {DEFAULTS[kind]: one for one, kind in OWN.items()}
    found: dict[str, list[str]] = {one: [] for one in groups.values()}
    rows = sorted(account.rows.all("groupMembers"), key=lambda row: (row["ordernum"] or 0, int(row["id"])))
    kinds = {**GROUPS, **OWN}
    for row in rows:
        group = groups.get(str(row["group_id"]))
        if group is None:
            continue
        known = {ids[one]: one for one in MEMBERS if one in ids and one.startswith(f"{kinds[group]}.")}
        if str(row["rel_id"]) in known and known[str(row["rel_id"])] not in found[group]:
            found[group].append(known[str(row["rel_id"])])
    return found


def put(account: Application, ids: Mapping[str, str], groups: Groups) -> None:
    """Make the rows say who is in which group."""
    mine = {ids[one] for one in GROUPS}
    for row in account.rows.all("groupMembers"):
        if str(row["group_id"]) in mine or str(row["group_id"]) in DEFAULTS.values():
            account.rows.remove("groupMembers", str(row["id"]))
    rows = [
        {"group_id": int(ids[group]), "rel_id": int(ids[one]), "ordernum": place}
        for group, members in groups.items()
        for place, one in enumerate(members, 1)
    ]
    alone = [one for one in MEMBERS if one.startswith("deal_") and not any(one in others for others in groups.values())]
    rows += [{"group_id": int(DEFAULTS["deal_field"]), "rel_id": int(ids[one]), "ordernum": 1} for one in alone]
    account.seed({"groupMembers": rows})


def lose(account: Application, ids: Mapping[str, str], gone: Iterable[str]) -> None:
    """Delete fields with their memberships, as their delete does."""
    for one in gone:
        account.rows.remove(MEMBERS[one], ids[one])
        kinds = {ids[group] for group, kind in GROUPS.items() if one.startswith(f"{kind}.")} | set(DEFAULTS.values())
        for row in account.rows.all("groupMembers"):
            if str(row["rel_id"]) == ids[one] and str(row["group_id"]) in kinds:
                account.rows.remove("groupMembers", str(row["id"]))


def told(said: Mapping[str, Any], group: str, member: str) -> bool:
    """Tell whether a membership, or the field as a whole, was announced."""
    rows = {(row["address"], row["attribute"]) for row in [*said["rows"], *said["left"]]}
    if {(group, "fields"), (member, "group"), (member, ""), (group, "")} & rows:
        return True
    lines = [line for line in said["left_out"] if member in line]
    return any(line.startswith((f"{group}: `fields`", f"{member}: `group`")) for line in lines)


def check_moved(folder: Path, number: int) -> None:
    """Deal anew on either side; promote, apply, and hold both accounts against what was said."""
    chance = Random(number)
    with new_world(folder / "project") as world, hold(folder / "project/state/b.db") as other:
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        before = dealt(chance, 2)
        world.write(declared(chance, before))
        for where in "ab":
            ran = world.cli("-e", where, "apply", "--auto-approve", "--quiet")
            assert ran.code == 0, ran.text
        a, b = (world.account, ids_of(world, "a")), (other._account, ids_of(world, "b"))
        put(*a, dealt(chance, chance.choice([1, 2])))
        if chance.random() < 0.4:
            put(*b, dealt(chance, 2))
        lose(*a, [one for one in MEMBERS if chance.random() < 0.15])
        options = [*(["--prune"] if chance.random() < 0.5 else []), *(["--overrule"] if chance.random() < 0.3 else [])]
        ran = world.cli("promote", "--from", "a", "--to", "b", "--format", "json", *options)
        assert ran.code in (0, 5), f"{number}: {ran.text}"
        said = json.loads(ran.out)
        shown = f"{number} {options}: {json.dumps(said, indent=1)}"
        done = apply(world, "b")
        assert "Error" not in done, f"{shown}\n{done}"
        here, there = members_in(*a), members_in(b[0], ids_of(world, "b"))
        shown += f"\nhere {here}\nthere {there}\n{done}"
        for group in (*GROUPS, *OWN):
            for one in set(here[group]) ^ set(there[group]):
                assert told(said, group, one), f"{group} {one}\n{shown}"
            if sorted(here[group]) == sorted(there[group]) and here[group] != there[group]:
                lines = [line for line in said["left_out"] if line.startswith(f"{group}: `fields`: the order")]
                named = any(row["address"] == group and row["status"] != "here" for row in said["rows"])
                assert lines or named, f"order of {group}\n{shown}"
        for line in said["left_out"]:
            match = re.match(r"(\S+): `fields`: (\S+) is there in (\w)", line)
            if match:
                group, one, where = match.groups()
                assert (one in here[group], one in there[group]) == (where == "a", where == "b"), f"{line}\n{shown}"
            match = re.match(r"(\S+): `fields`: the order of", line)
            assert match is None or here[match[1]] != there[match[1]], f"{line}\n{shown}"


@pytest.mark.off_contract
@pytest.mark.parametrize("number", range(FEW))
def test_members_that_differ_after_a_promotion_were_announced(tmp_path: Path, number: int) -> None:
    """A slice for every run."""
    check_moved(tmp_path, number)


@pytest.mark.prove
@pytest.mark.off_contract
@pytest.mark.parametrize("number", range(FEW, MANY))
def test_members_that_differ_after_any_promotion_were_announced(tmp_path: Path, number: int) -> None:
    """Many deals."""
    check_moved(tmp_path, number)
