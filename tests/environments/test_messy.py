"""Any account, without loss: export exits 0, its files are valid and canonical, the plan after it is empty, and a
second export writes the same bytes. What is applied from these files to an empty account, or to the same one after it
was wiped, and what is cloned, equals the account modulo ids and their order, but for what was named. Accounts are
numbered: a failure names the one to look at; `MESSY=n` looks at one alone.
"""

from __future__ import annotations

import html
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.emulator import AccountSettings
from reconciler.resources import load_kinds
from tests.environments.likeness import Difference, Dump, Key, differences, things
from tests.environments.messy import PLAIN, account, alone, shown
from tests.environments.naming import Named
from tests.environments.references import DEAD, GONE
from tests.environments.test_export import files_of
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import Held, hold
from tests.world.readings import reading

FEW, MANY = 16, 2000
CLONED = 8
AT_ONCE = 50
HARMLESS = {"create", "adopt", "update", "manual", "none"}


def key_of(kind: str, identity: str, address: str) -> Key:
    """Return which thing a binding is about: each setting is a kind of its own, of which there is one."""
    return (address.partition(".")[2], "1") if kind == "setting" else (kind, identity)


def bound(world: World, environment: str) -> dict[str, Key]:
    """Return which thing each address is in the state of an environment."""
    ran = world.cli("-e", environment, "state", "list", "--format", "json")
    rows = json.loads(ran.out) if ran.out.strip() else []
    return {row["address"]: key_of(row["kind"], row["id"], row["address"]) for row in rows}


def made(world: World, environment: str) -> dict[str, Key]:
    """Return which thing each address is by the records of the runs: an empty account may give out an id again that a
    state knows of before.
    """
    found = {}
    for record in sorted((world.folder / f"state/{environment}.json.runs").glob("*.json")):
        for step in json.loads(record.read_text("utf-8"))["steps"]:
            found[step["address"]] = key_of(step["kind"], step["id"] or "", step["address"])
    return found


def paired(mine: Mapping[str, Key], theirs: Mapping[str, Key], here: Dump, own: Dump) -> dict[Key, str]:
    """Return which thing of one account is which of the other: what came with both, and what one address is in both."""
    both = {key: key[1] for key in things(own).keys() & things(here).keys()}
    return both | {key: theirs[address][1] for address, key in mine.items() if address in theirs}


def reveal(world: World) -> None:
    """Give each secret of a webhook's address the value that it has in the account: a user would know it."""
    path = world.folder / "config/webhooks.yaml"
    for hook in (yaml.safe_load(path.read_text("utf-8"))["webhooks"] if path.exists() else {}).values():
        names = re.findall(r"\$\{secret\.(\w+)\}", str(hook["url"]))
        parts = re.split(r"\$\{secret\.\w+\}", str(hook["url"]))
        held = (re.fullmatch("(.*)".join(map(re.escape, parts)), row["url"]) for row in world.rows("webhooks"))
        found = next(one for one in held if one)
        world.environ |= dict(zip(names, found.groups(), strict=True))


def unnamed(found: list[Difference], named: Named, pairs: Mapping[Key, str]) -> list[str]:
    """Return what differs and was not named, and does not follow from that: the first address is the default one where
    that was left out (section 2.20), and a field whose group was left out is in the default one (decision 0005).
    """
    first = any(one.kind == "address" and not one.name for one in found)
    lost = {(kind, pairs[kind, identity]) for kind, identity, name in named.parts if name == "groups"
            if (kind, identity) in pairs}  # fmt: skip
    return [
        str(one)
        for one in found
        if not (named.covers(one) or (first and (one.name, one.here) == ("isDefault", "0")) or moved(one, lost, named))
    ]


def moved(one: Difference, lost: Set[Key], named: Named) -> bool:
    """Return whether a default group differs by nothing but members that were left out, and such that lost theirs."""
    if (one.kind, one.name) != ("field_group", "members") or one.id not in ("1", "2", "3"):
        return False
    here, there = (re.findall(r"At\(kind='(\w+)', id='(\w+)'", side) for side in (one.here, one.there))
    kept = [member for member in here if member not in named.things]
    return len([member for member in there if member not in lost]) == len(kept)


def check_survives(world: World, told: str) -> str:
    """Export the account and hold what has to hold; return what the export said."""
    ran = world.cli("export")
    assert ran.code == 0, f"{ran.text}\n{told}"
    assert world.writes() == []
    files = files_of(world.folder)
    text = "".join(files.values())
    valid = world.cli("validate")
    assert valid.code == 0, f"{valid.text}\n{told}"
    assert "error" not in valid.text, f"{valid.text}\n{told}"
    plan = world.cli("plan", "--detailed-exitcode")
    assert (plan.code, "No changes." in plan.out) == (0, True), f"{plan.text}\n{told}"
    again = world.cli("export")
    assert again.code == 0, f"{again.text}\n{told}"
    assert files_of(world.folder) == files, told
    names = sorted(name for name in files if name.startswith("config/") and name != "config/main.yaml")
    form = world.cli("fmt", "--check", *names)
    assert form.code == 0, f"{form.text}\n{text}\n{told}"
    return ran.err


def check_rebuilt(world: World, other: Held, said: str, told: str, *, wiped: bool) -> None:
    """Apply the exported files to an empty account, or to this one once it is wiped, and compare the rows."""
    here, own, mine = world.dump(), other.rows.dump(), bound(world, "a")
    named = Named()
    named.read(said, mine)
    reveal(world)
    if wiped:
        world.account.reset()
        assert world.dump() == own
        world.account.rows.remember("last:uuids", "1000")  # those are never given out again
    environment = "a" if wiped else "b"
    planned = world.cli("-e", environment, "plan", "--format", "json")
    plan: Mapping[str, Any] = json.loads(planned.out)
    assert {change["action"] for change in plan["changes"]} <= HARMLESS, f"{planned.text}\n{told}"
    assert {step["op"] for step in plan["steps"]}.isdisjoint({"delete"}), f"{planned.text}\n{told}"
    skipped = {one["address"]: one for one in plan["skipped"]}
    ran = world.cli("-e", environment, "apply", "--auto-approve", "--quiet")
    refused = any(one["refused"] for one in skipped.values())
    assert ran.code == (7 if refused else 5 if skipped else 0), f"{ran.text}\n{told}"
    assert [address for address in skipped if address not in ran.text] == [], f"{ran.text}\n{told}"
    named.skipped(skipped, mine)
    named.manual({change["address"]: change["manual"] for change in plan["changes"]}, mine)
    there = world.dump() if wiped else other.rows.dump()
    pairs = paired(mine, made(world, environment), here, own)
    lost = unnamed(differences(here, there, pairs, own), named, pairs)
    assert lost == [], f"{lost}\n{said}\n{ran.text}\n{told}"
    again = world.cli("-e", environment, "plan", "--format", "json")
    assert [step for step in json.loads(again.out)["steps"] if step["op"] != "bind"] == [], f"{again.text}\n{told}"


def check_cloned(world: World, other: Held, told: str, *, saved: bool) -> None:
    """Clone the account, directly or as a saved plan, and compare the rows."""
    here, own = world.dump(), other.rows.dump()
    tried = world.cli("clone", "--from", "a", "--to", "b", *(("--out", "p.json") if saved else ("--dry-run",)))
    assert other.rows.dump() == own, f"{tried.text}\n{told}"
    how = ("-e", "b", "apply", "p.json") if saved else ("clone", "--from", "a", "--to", "b")
    ran = world.cli(*how, "--auto-approve")
    assert (tried.code, ran.code) == (0, 0), f"{tried.text}\n{ran.text}\n{told}"
    assert re.findall("Not cloned: .*", tried.err) == re.findall("Not cloned: .*", ran.err), told
    assert world.dump() == here, told
    named = Named()
    assert world.cli("export").code == 0  # for the addresses of what is cloned
    mine = bound(world, "a")
    named.read(ran.err, mine)
    pairs = paired(mine, made(world, "b"), here, own)
    lost = unnamed(differences(here, other.rows.dump(), pairs, own), named, pairs)
    assert lost == [], f"{lost}\n{ran.text}\n{told}"
    again = world.cli("clone", "--from", "a", "--to", "b")
    assert (again.code, "No changes." in again.text) == (0, True), f"{again.text}\n{told}"


def check_account(folder: Path, number: int, *, clone: bool) -> None:
    """Hold an account of this number to all that is promised, beside an empty one of the same settings."""
    settings = AccountSettings(**reading())
    seed = alone(account(number)) if settings.field_memberships == "one" else account(number)
    told = f"account {number}: {shown(seed)}"
    with new_world(folder, settings) as world, hold(world.folder / "state/b.db", settings) as other:
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        world.account.seed(seed)
        if clone:
            check_cloned(world, other, told, saved=bool(number % 2))
        else:
            check_rebuilt(world, other, check_survives(world, told), told, wiped=bool(number % 2))


NAMES = {
    "address": "companyName", "connection": "name", "account_field": "fieldLabel", "deal_field": "fieldLabel",
    "field_group": "label", "list": "name", "message": "name", "personalization": "tag", "segment": "name",
    "tag": "tag", "tracked_event": "name", "user": "firstName", "webhook": "name",
}  # fmt: skip
"""What a name is called, by kind; `title` elsewhere."""
NAMELESS = {"custom_object", "site_domain"}
"""Slugs and domains are ids that somebody chose, of one form."""
SEEDS, TIMES = 300, 3


NEAR: Mapping[str, Callable[[str], str]] = {
    "twins in another case": str.casefold, "twins in outer blanks": str.strip, "twins in entities": html.unescape,
    "twins in another Unicode form": lambda one: unicodedata.normalize("NFC", one),
}  # fmt: skip


def occurring(seed: Mapping[str, list[dict[str, Any]]]) -> set[str]:
    """Return what of the mess that accounts are full of is in this one."""
    found = set()
    for kind, (path, _, _) in PLAIN.items():
        names = [str(row[name]) for row in seed.get(path, ()) if (name := NAMES.get(kind, "title")) in row]
        plain = [unicodedata.normalize("NFC", html.unescape(one)).strip().casefold() for one in names]
        found |= {f"{kind} without a name"} if "" in names else set()
        found |= {f"twins of {kind}"} if len(set(names)) < len(names) else set()
        found |= {f"near twins of {kind}"} if len(set(plain)) < len(set(names)) else set()
        found |= {how for how, same in NEAR.items() if len({*map(same, names)}) < len(set(names))}
    for (kind, name), rows in DEAD.items():
        path = list(rows)[-1]
        found |= {f"dead {kind}.{name}"} if GONE in json.dumps(seed.get(path, ())) else set()
    found |= {f"disabled {path}" for path in ("dealTasktypes", "taskOutcomes") for row in seed.get(path, ())
              if "1" in (row.get("status"), row.get("disabled"))}  # fmt: skip
    for path, order, within in TIED:
        places = [(row.get(within), str(row[order])) for row in seed.get(path, ()) if order in row]
        found |= {f"ties of {path}"} if len(set(places)) < len(places) else set()
        found |= {f"place 0 in {path}"} if any(str(row.get(order)) == "0" for row in seed.get(path, ())) else set()
    options = [[one["orderid"] for one in row.get("options", ())] for row in seed.get("fields", ())]
    found |= {"ties of options"} if any(len(set(one)) < len(one) for one in options) else set()
    types = {str(row["id"]): row["type_id"] for row in seed.get("groupDefinitions", ())}
    members = [(types.get(str(row["group_id"])), row["rel_id"]) for row in seed.get("groupMembers", ())]
    found |= {
        f"a field of type {kind} in two groups" for kind, rel in members if kind and members.count((kind, rel)) > 1
    }
    found |= (
        {"a strange key in a segment"}
        if re.search("negate|window|limit", json.dumps(seed.get("segmentsV2")))
        else set()
    )
    found |= {"a strange key in a schema"} if "placeholder" in json.dumps(seed.get("schemas")) else set()
    found |= {f"a map for a list of {path}" for path, rows in seed.items() for row in rows for value in row.values()
              if isinstance(value, dict) and value and all(key.isdigit() for key in value)}  # fmt: skip
    return found


MAPPED = ("webhooks", "accountCustomFieldMeta", "dealCustomFieldMeta", "segmentsV2")
TIED = (
    ("dealStages", "order", "group"), ("groupMembers", "ordernum", "group_id"),
    ("groupDefinitions", "ordernum", "type_id"),
    ("dealCustomFieldMeta", "displayOrder", ""), ("accountCustomFieldMeta", "displayOrder", ""),
)  # fmt: skip


def test_messy_accounts_hold_every_mess() -> None:
    """Each item of the list in several accounts, for each kind that can have it: no corpus that grew easy."""
    wanted = {f"dead {kind}.{name}" for kind, name in DEAD}
    wanted |= {f"ties of {path}" for path in (*(path for path, _, _ in TIED), "options")}
    wanted |= {f"a field of type {kind} in two groups" for kind in (1, 2, 3)}
    wanted |= {f"a map for a list of {path}" for path in MAPPED}
    wanted |= {
        "a strange key in a segment",
        "a strange key in a schema",
        "disabled dealTasktypes",
        "disabled taskOutcomes",
    }
    wanted |= {*NEAR, *(f"place 0 in {path}" for path, _, _ in TIED)}
    for kind, (_, twins, _) in PLAIN.items():
        named = kind not in NAMELESS
        wanted |= {f"twins of {kind}"} if twins else set()
        wanted |= {f"near twins of {kind}"} if named else set()
        wanted |= {f"{kind} without a name"} if named and kind != "tracked_event" else set()
    seen = Counter(one for number in range(SEEDS) for one in occurring(account(number)))
    assert {one: seen[one] for one in sorted(wanted) if seen[one] < TIMES} == {}
    assert {kind for kind, one in load_kinds().items() if one.abilities.managed} == {*PLAIN, "setting"}


@pytest.mark.parametrize("number", range(FEW))
def test_a_messy_account_survives_its_export_and_is_rebuilt(tmp_path: Path, number: int) -> None:
    """A slice for every run."""
    check_account(tmp_path, int(os.environ.get("MESSY", number)), clone=False)


@pytest.mark.parametrize("number", range(FEW, FEW + CLONED))
def test_a_messy_account_is_cloned(tmp_path: Path, number: int) -> None:
    """A slice for every run."""
    check_account(tmp_path, int(os.environ.get("MESSY", number)), clone=True)


@pytest.mark.prove
@pytest.mark.parametrize("clone", [False, True])
@pytest.mark.parametrize("first", range(0, MANY, AT_ONCE))
def test_messy_accounts_survive_and_are_rebuilt_and_cloned(tmp_path: Path, first: int, *, clone: bool) -> None:
    """All of them."""
    for number in range(first, min(first + AT_ONCE, MANY)):
        check_account(tmp_path / str(number), number, clone=clone)
