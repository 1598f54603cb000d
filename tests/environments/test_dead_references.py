"""A reference whose object is gone is a property of the account: an export keeps it and plans empty, a clone leaves it
out, and one that finds nothing costs its own object and nothing else.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.model.spec import RefTo
from reconciler.resources import load_kinds
from tests.environments.references import DEAD, GONE, HOOK, LIST, OUTCOME, PIPELINE, SILENT, marked
from tests.environments.test_export import files_of, nothing_to_do
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold


def test_no_reference_is_forgotten() -> None:
    """Every mark has its dead account, or the reason why the account never shows one."""
    assert marked() == {*DEAD, *SILENT}
    assert not set(DEAD) & set(SILENT)


@pytest.mark.parametrize(("kind", "name"), sorted(DEAD), ids=str)
def test_an_export_keeps_what_is_gone_and_plans_empty(world: World, kind: str, name: str) -> None:
    """Exit 0 with a note, valid files, an empty plan and no drift, and a second export that changes no byte."""
    world.account.seed(DEAD[kind, name])
    world.write("{}")
    ran = world.cli("export")
    assert ran.code == 0, ran.text
    assert f"`{name}` is" in ran.text, ran.text
    assert GONE in ran.text, ran.text
    assert GONE in "".join(files_of(world.folder).values())
    assert world.cli("validate").code == 0
    nothing_to_do(world)
    drift = world.cli("drift")
    assert (drift.code, "No drift." in drift.out) == (0, True), drift.text
    before = files_of(world.folder)
    assert world.cli("export").code == 0
    assert files_of(world.folder) == before
    (world.folder / "state/demo.json").unlink()
    again = world.plan()
    assert not [change for change in again.document.changes if change.action != "adopt"], again.lines
    assert not again.document.skipped


@pytest.mark.parametrize(("kind", "name"), sorted(DEAD), ids=str)
def test_a_clone_leaves_out_what_is_gone(tmp_path: Path, kind: str, name: str) -> None:
    """The target gets the object without it, or nothing, and is told; an object of the same id there is none of it."""
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db") as other:
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        world.account.seed(DEAD[kind, name])
        ran = world.cli("clone", "--from", "a", "--to", "b", "--auto-approve", "--quiet")
        assert ran.code == 0, ran.text
        assert f".{name}:" in ran.text, ran.text
        assert GONE in ran.text, ran.text
        assert GONE not in json.dumps(other.rows.dump())


def test_a_look_up_that_finds_nothing_costs_its_own_object(world: World) -> None:
    """Exit 5 with the place; what needs it is skipped too; everything else is planned, and nothing is removed."""
    world.account.seed({"tags": [{"tag": "Old"}]})
    world.write({"tags": {"old": {"name": "Old"}}, "lists": {}})
    world.apply()
    world.write(
        {
            "tags": {"new": {"name": "New"}},
            "lists": {
                "news": {"name": "News", "sender_url": "https://x.example", "sender_reminder": "r",
                         "user": "gone@acme.example"}
            },
            "webhooks": {"w": {"name": "W", "url": "https://h.example/", "events": ["subscribe"],
                               "sources": ["public"], "list": "news"}},
        }
    )  # fmt: skip
    ran = world.cli("plan", "--format", "json")
    assert ran.code == 5, ran.text
    plan = json.loads(ran.out)
    skipped = {one["address"]: one["reason"] for one in plan["skipped"]}
    assert set(skipped) == {"list.news", "webhook.w"}
    assert "gone@acme.example" in skipped["list.news"]
    assert "config/main.yaml:" in skipped["list.news"]
    assert "list.news" in skipped["webhook.w"]
    assert {change["address"]: change["action"] for change in plan["changes"]} == {
        "tag.new": "create",
        "tag.old": "delete",
    }
    ran = world.cli("apply", "--auto-approve", "--quiet")
    assert ran.code == 5, ran.text
    assert [row["tag"] for row in world.account.rows.all("tags")] == ["New"]


def test_an_object_that_loses_its_look_up_is_never_removed(world: World) -> None:
    """What was applied before stays bound and stays as it is; what refers to it goes on."""
    world.account.seed({"users": [{"id": "7", "username": "joe", "email": "joe@acme.example"}]})
    files: dict[str, Any] = {
        "lists": {"news": {"name": "News", "sender_url": "https://x.example", "sender_reminder": "r",
                           "user": "joe@acme.example"}},
        "fields": {"f": {"title": "F", "type": "text", "lists": ["news"]}},
    }  # fmt: skip
    world.write(files)
    world.apply()
    world.call("DELETE", "/users/7")
    files["fields"]["f"]["description"] = "Now"
    world.write(files)
    plan = world.plan()
    assert plan.lines == ["update field.f (description)"]
    assert [one.address for one in plan.document.skipped] == ["list.news"]
    assert world.cli("apply", "--auto-approve", "--quiet").code == 5
    assert "list.news" in world.state().resources
    assert world.account.rows.all("lists")


def test_a_misspelt_key_is_an_error_of_the_files(world: World) -> None:
    """A key that nothing declares: exit 3, nothing is planned."""
    world.write({"fields": {"f": {"title": "F", "type": "text", "lists": ["nwes"]}}})
    assert world.cli("plan").code == 3


def test_an_id_that_the_object_does_not_hold_is_no_reference(world: World) -> None:
    """A dead id is accepted where the account says the same, and nowhere else."""
    world.account.seed(DEAD["list", "user"])
    world.write("{}")
    assert world.cli("export").code == 0
    world.write({"lists": {"other": {"name": "Other", "user": {"id": GONE}}}}, "config/other.yaml")
    plan = world.plan()
    assert plan.lines == []
    assert [one.address for one in plan.document.skipped] == ["list.other"]


@pytest.mark.parametrize("name", ["user", "users"])
def test_an_export_in_place_says_a_user_who_left_by_what_the_account_holds(world: World, name: str) -> None:
    """Files that look a user up by e-mail plan empty again after an export: by id where the account holds the id."""
    kind = {"user": "list", "users": "pipeline"}[name]
    user = {"id": GONE, "username": "bob", "email": "bob@x.example", "firstName": "B", "lastName": "B"}
    world.account.seed({"users": [user], **DEAD[kind, name]})
    world.write("{}")
    assert world.cli("export").code == 0
    nothing_to_do(world)
    world.account.rows.remove("users", GONE)
    assert world.cli("plan").code == 5
    ran = world.cli("export")
    assert ran.code == 0, ran.text
    nothing_to_do(world)
    before = files_of(world.folder)
    assert world.cli("export").code == 0
    assert files_of(world.folder) == before


@pytest.mark.parametrize("count", range(1, 5))
def test_an_export_that_prunes_plans_empty_whatever_is_gone_at_once(tmp_path: Path, count: int) -> None:
    """The files that it writes can be read, though what is gone was looked up by, and needed by, what is gone too."""
    listed = {**LIST, "user": "20", "userid": "20"}
    seed: dict[str, Any] = {
        "users": [{"id": "20", "username": "bob", "email": "bob@x.example", "firstName": "B", "lastName": "B"}],
        "groups": [{"id": "41", "title": "Team"}],
        "lists": [listed],
        "listGroups": [{"list": "11", "group": "41"}],
        "dealGroups": [PIPELINE],
        "dealGroupUsers": [{"dealGroup": "31", "user": "20"}],
        "dealGroupGroups": [{"dealGroup": "31", "group": "41"}],
        "fields": [{"title": "Plan", "type": "text", "relids": ["11"]}],
        "webhooks": [{**HOOK, "listid": "11"}],
        "taskOutcomes": [OUTCOME],
        "tasktypeOutcomeRels": [{"tasktype_id": "1", "outcome_id": "21"}],
    }
    rows = [("users", "20"), ("lists", "11"), ("groups", "41"), ("dealTasktypes", "1")]
    for number, gone in enumerate(combinations(rows, count)):
        (tmp_path / str(number)).mkdir()
        with new_world(tmp_path / str(number)) as world:
            world.account.seed(seed)
            world.write("{}")
            assert world.cli("export").code == 0
            for table, identity in gone:
                world.account.rows.remove(table, identity)
            ran = world.cli("export", "--prune")
            assert ran.code == 0, (gone, ran.text)
            nothing_to_do(world)


def looking_for(world: World, kind: str, name: str, what: Any) -> str:
    """Let the files look for something in the place of what is gone; return the address of the object."""
    section = load_kinds()[kind].section
    path = world.folder / f"config/{section}.yaml"
    content = yaml.safe_load(path.read_text("utf-8"))
    ((key, one),) = [(key, one) for key, one in content[section].items() if GONE in json.dumps(one.get(name))]
    content[section][key] = {**one, name: [what] if isinstance(one[name], list) else what}
    world.write(content, f"config/{section}.yaml")
    return f"{kind}.{key}"


WAYS = [(*place, by) for place in sorted(DEAD) for by in ("id", "name")]
"""Each by one way in every run, and by the other one where there is time."""


@pytest.mark.parametrize(
    ("kind", "name", "by"),
    [pytest.param(*way, marks=[pytest.mark.prove] if number % 4 in (1, 2) else []) for number, way in enumerate(WAYS)],
)
def test_a_dead_reference_costs_its_object_in_every_command(tmp_path: Path, kind: str, name: str, by: str) -> None:
    """Named with its place and exit 5 by plan and apply, and nothing is written or removed; named by compare and
    promote, which takes nothing of it; and an export brings the files back to what the account holds.
    """
    reference = load_kinds()[kind].attributes[name].mark(RefTo)
    assert reference is not None
    what: Any = {"id": "7778"} if by == "id" else {"name": "Gone"}
    if by == "name" and reference.kind == "user":
        what = "gone@acme.example"
    with new_world(tmp_path) as world, hold(world.folder / "state/b.db") as other:
        world.write(TWO_ACCOUNTS, "reconciler.yaml")
        world.write("{}")
        world.account.seed(DEAD[kind, name])
        assert world.cli("export").code == 0
        kept, before = files_of(world.folder), world.dump()
        ran = world.cli("apply", "--auto-approve")
        assert ran.code == 0, ran.text
        address = looking_for(world, kind, name, what)
        shown = world.cli("plan", "--format", "json")
        assert shown.code == 5, shown.text
        plan = json.loads(shown.out)
        skipped = {one["address"]: one["reason"] for one in plan["skipped"]}
        assert f"`{name}` (config/" in skipped[address], shown.text
        assert next(iter(what.values()) if isinstance(what, dict) else iter([what])) in skipped[address]
        assert [one for one in plan["changes"] if one["action"] != "none"] == [], shown.text
        ran = world.cli("apply", "--auto-approve")
        assert (ran.code, address in ran.text) == (5, True), ran.text
        assert world.dump() == before
        compared = world.cli("compare", "a", "b")
        assert compared.code == 0, compared.text
        assert f"+ {address}" in compared.out or f"{address} is left out" in compared.text, compared.text
        assert f"{address}.{name}" in compared.text, compared.text
        promoted = world.cli("promote", "--from", "a", "--to", "b")
        assert promoted.code in (0, 5), promoted.text
        assert address in promoted.text, promoted.text
        assert GONE in promoted.text, promoted.text
        ran = world.cli("-e", "b", "apply", "--auto-approve")
        assert ran.code in (0, 5), ran.text
        assert GONE not in json.dumps(other.rows.dump())
        assert world.dump() == before
        assert world.cli("export").code == 0
        nothing_to_do(world)
        assert kept.keys() <= files_of(world.folder).keys()
