"""Everything that an account keeps in an order, with every command that reads or writes one: what stands in another
order in the account is exported, absorbed, reverted, promoted, cloned, compared and undone as every other value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.resources import load_kinds
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import Held, hold

FIRST, THEN = ("a", "b", "c"), ("c", "a", "b")
Rows = Any


def _numbered(table: str, owner: str, number: str, label: Callable[[Rows, dict[str, Any]], str]) -> Thing:
    """Return a thing whose rows have numbers; `owner` is the property by which they stand in something."""

    def mine(rows: Rows) -> list[dict[str, Any]]:
        found = [row for row in rows.all(table) if label(rows, row) in FIRST and (not owner or row.get(owner))]
        return sorted(found, key=lambda row: (int(row[number]), int(row["id"])))

    def write(rows: Rows, order: Sequence[str]) -> None:
        for row in mine(rows):
            place = 1 + order.index(label(rows, row))
            rows.put(table, row["id"], {**row, number: type(row[number])(place)})

    return Thing(lambda rows: [label(rows, row) for row in mine(rows)], write)


@dataclass(frozen=True)
class Thing:
    """How an account keeps an order: reads it, and puts it into another one by hand."""

    read: Callable[[Rows], list[str]]
    write: Callable[[Rows, Sequence[str]], None]


def _options(table: str) -> Thing:
    def row(rows: Rows) -> dict[str, Any]:
        return next(one for one in rows.all(table) if one["fieldLabel"] == "size")

    return Thing(
        lambda rows: list(row(rows)["fieldOptions"]),
        lambda rows, order: rows.put(table, row(rows)["id"], {**row(rows), "fieldOptions": list(order)}),
    )


def _schema() -> Thing:
    def row(rows: Rows) -> dict[str, Any]:
        return next(one for one in rows.all("schemas") if one["slug"] == "pet")

    def write(rows: Rows, order: Sequence[str]) -> None:
        (field,) = row(rows)["fields"]
        options = sorted(field["options"], key=lambda one: order.index(one["value"]))
        rows.put("schemas", row(rows)["id"], {**row(rows), "fields": [{**field, "options": options}]})

    return Thing(lambda rows: [one["value"] for one in row(rows)["fields"][0]["options"]], write)


def _members(table: str, name: str) -> Thing:
    def label(rows: Rows, row: dict[str, Any]) -> str:
        group = rows.get("groupDefinitions", row["group_id"])
        field = rows.get(table, str(row["rel_id"])) if group and group["label"] == f"Of {table}" else None
        return field[name] if field is not None else ""

    return _numbered("groupMembers", "", "ordernum", label)


def _own(table: str, name: str, number: str) -> Thing:
    return _numbered(table, "", number, lambda rows, row: str(row[name]).removeprefix("g_"))


THINGS: Mapping[tuple[str, str], Thing] = {
    ("pipeline", "stages"): _numbered("dealStages", "group", "order", lambda rows, row: row["title"]),
    ("field", "options"): _numbered("fieldOptions", "field", "orderid", lambda rows, row: row["value"]),
    ("deal_field", "options"): _options("dealCustomFieldMeta"),
    ("account_field", "options"): _options("accountCustomFieldMeta"),
    ("custom_object", "fields"): _schema(),
    ("field_group", "fields"): _members("fields", "title"),
    ("field_group", "fields (deals)"): _members("dealCustomFieldMeta", "fieldLabel"),
    ("field_group", "fields (accounts)"): _members("accountCustomFieldMeta", "fieldLabel"),
    ("field", "order"): _own("fields", "title", "ordernum"),
    ("deal_field", "order"): _own("dealCustomFieldMeta", "fieldLabel", "displayOrder"),
    ("account_field", "order"): _own("accountCustomFieldMeta", "fieldLabel", "displayOrder"),
    ("field_group", "order"): _own("groupDefinitions", "label", "ordernum"),
}
UNORDERED = {
    ("list", "carbon_copy"), ("list", "subscription_notify"), ("list", "unsubscription_notify"),
    ("list", "user_groups"), ("pipeline", "users"), ("pipeline", "user_groups"), ("task_outcome", "task_types"),
    ("field", "lists"), ("personalization", "lists"), ("webhook", "events"), ("webhook", "sources"),
    ("segment", "groups"),
}  # fmt: skip
"""Lists in which no order means anything, and conditions, whose order is their text."""


def test_no_order_is_forgotten() -> None:
    """Whatever is a list or a place is tried here, or means no order."""
    kinds = load_kinds()
    found = {
        (kind.name, attribute.name)
        for kind in kinds.values()
        for attribute in kind.attributes.values()
        if attribute.shape in ("list", "refs", "commas") or attribute.name == "order"
    }
    assert found - UNORDERED - {("stage", "order")} == set(THINGS) & found
    assert not UNORDERED & set(THINGS)


def declared(order: Sequence[str]) -> dict[str, Any]:
    """Return a project in which everything stands in this order."""

    def fields(label: str, **more: Any) -> dict[str, Any]:
        plain = {key: {label: key, "type": "text", "order": 1 + order.index(key), **more} for key in FIRST}
        return {**plain, "size": {label: "size", "type": "dropdown", "options": list(order), "order": 9, **more}}

    def group(table: str, owner: str) -> dict[str, Any]:
        return {"label": f"Of {table}", "object": owner, "order": 20, "fields": list(order)}

    pet = {"type": "dropdown", "labels": {"singular": "Size", "plural": "Sizes"}, "options": list(order)}
    return {
        "pipelines": {
            "sales": {"title": "Sales", "currency": "usd", "stages": {key: {"title": key} for key in order}}
        },
        "fields": fields("title", lists="all"),
        "deal_fields": fields("label"),
        "account_fields": fields("label"),
        "field_groups": {
            "contacts": group("fields", "contact"),
            "deals": group("dealCustomFieldMeta", "deal"),
            "accounts": group("accountCustomFieldMeta", "account"),
            **{
                f"g_{key}": {"label": f"g_{key}", "object": "contact", "order": 1 + order.index(key)} for key in FIRST
            },
        },
        "custom_objects": {
            "pet": {"slug": "pet", "labels": {"singular": "Pet", "plural": "Pets"}, "fields": {"size": pet}}
        },
    }  # fmt: skip


@dataclass
class Two:
    """A project of two accounts, both as applied, everything in the first order."""

    world: World
    other: Held

    def cli(self, *argv: str, code: int | None = 0) -> str:
        """Run a command; return what it said."""
        ran = self.world.cli(*argv)
        assert code is None or ran.code == code, ran.text
        return ran.text

    def wrong(self, rows: Rows, order: Sequence[str]) -> dict[tuple[str, str], list[str]]:
        """Return what stands in another order than this one in an account."""
        return {name: found for name, one in THINGS.items() if (found := one.read(rows)) != list(order)}

    def by_hand(self) -> None:
        """Put everything in the first account into another order."""
        for one in THINGS.values():
            one.write(self.world.account.rows, THEN)
        assert self.wrong(self.world.account.rows, THEN) == {}

    def said(self) -> dict[str, Any]:
        """Return what the files say."""
        whole: dict[str, Any] = {}
        for path in sorted((self.world.folder / "config").glob("*.yaml")):
            whole |= yaml.safe_load(path.read_text("utf-8")) or {}
        return whole


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """A project that both accounts hold."""
    with new_world(tmp_path) as world, hold(tmp_path / "state/b.db") as other:
        world.begin_with(_applied)
        found = Two(world, other)
        assert found.wrong(world.account.rows, FIRST) == found.wrong(other.rows, FIRST) == {}
        yield found


def _applied(world: World) -> None:
    world.write(TWO_ACCOUNTS, "reconciler.yaml")
    world.write(declared(FIRST))
    for where in "ab":
        ran = world.cli("-e", where, "apply", "--auto-approve", "--quiet")
        assert ran.code == 0, ran.text


@pytest.mark.parametrize("command", [("export",), ("drift", "--absorb")], ids=["export", "absorb"])
def test_the_files_take_over_the_order_of_the_account(two: Two, command: tuple[str, ...]) -> None:
    """Then nothing is planned and nothing drifts; an account made of the files stands in that order."""
    two.by_hand()
    two.cli("drift", "--detailed-exitcode", code=2)
    two.cli(*command)
    assert list(two.said()["pipelines"]["sales"]["stages"]) == list(THEN)
    two.cli("plan", "--detailed-exitcode")
    two.cli("drift", "--detailed-exitcode")
    assert two.wrong(two.world.account.rows, THEN) == {}
    two.cli("-e", "b", "apply", "--auto-approve", "--quiet")
    assert two.wrong(two.other.rows, THEN) == {}


def test_the_order_of_the_files_is_brought_back(two: Two) -> None:
    """By `drift --revert`, for everything."""
    two.by_hand()
    two.cli("drift", "--revert", "--out", "back.plan", code=None)
    two.cli("apply", "back.plan", "--auto-approve", "--quiet")
    assert two.wrong(two.world.account.rows, FIRST) == {}
    two.cli("drift", "--detailed-exitcode")


def test_another_order_is_compared_and_promoted(two: Two) -> None:
    """Each difference is shown and written; after the apply the accounts are alike, and nothing is promoted again."""
    two.by_hand()
    shown = two.cli("compare", "a", "b")
    for address in ("stage.sales.a", "field.size", "deal_field.size", "account_field.size", "custom_object.pet",
                    "field_group.contacts", "field_group.deals", "field_group.accounts", "field.c", "deal_field.c",
                    "account_field.c", "field_group.g_c"):  # fmt: skip
        assert address in shown, address
    two.cli("promote", "--from", "a", "--to", "b")
    two.cli("-e", "b", "apply", "--auto-approve", "--quiet")
    assert two.wrong(two.other.rows, THEN) == {}
    assert "No differences" in two.cli("compare", "a", "b")
    assert "changed in a" not in two.cli("promote", "--from", "a", "--to", "b")


def test_another_order_is_cloned(two: Two, tmp_path: Path) -> None:
    """An account that is new stands in the order of the one that it is a copy of, and coverage counts all of it."""
    two.by_hand()
    two.other.reset()
    (two.world.folder / "state/b.json").unlink()
    (two.world.folder / "config/main.yaml").write_text("{}")
    two.cli("clone", "--from", "a", "--to", "b", "--auto-approve")
    assert two.wrong(two.other.rows, THEN) == {}


def test_another_order_is_undone(two: Two) -> None:
    """An undo of the apply that brought it brings the first one back."""
    two.world.write(declared(THEN))
    two.cli("apply", "--auto-approve", "--quiet")
    assert two.wrong(two.world.account.rows, THEN) == {}
    two.cli("undo", "--auto-approve", code=None)
    assert two.wrong(two.world.account.rows, FIRST) == {}


def test_orders_are_covered(two: Two) -> None:
    """What an export writes of everything that has an order is all of it."""
    two.by_hand()
    two.cli("export")
    shown = two.world.cli("coverage", "--format", "json")
    assert shown.code == 0, shown.text
    rows = yaml.safe_load(shown.out)
    rows = rows["kinds"] if isinstance(rows, dict) else rows
    partly = [row for row in rows if row["kind"] in {kind for kind, _ in THINGS} and row.get("unmanaged")]
    assert partly == []


def test_a_new_stage_is_promoted_to_its_place(two: Two) -> None:
    """With what it moves named, and nothing left to tell afterwards."""
    rows = two.world.account.rows
    two.world.account.seed({"dealStages": [{"title": "n", "group": rows.all("dealStages")[0]["group"], "order": "2"}]})
    for row, order in zip(list(rows.all("dealStages")), ("1", "3", "4", "2"), strict=True):
        rows.put("dealStages", row["id"], {**row, "order": order})
    said = two.cli("promote", "--from", "a", "--to", "b")
    for line in ("stage.sales.n (new)", "stage.sales.b.order: a 3, b 2", "stage.sales.c.order: a 4, b 3"):
        assert line in said, said
    assert "Not promoted: stage" not in said
    assert "Not promoted: pipeline" not in said
    assert list(two.said()["pipelines"]["sales"]["stages"]) == ["a", "n", "b", "c"]
    two.cli("-e", "b", "apply", "--auto-approve", "--quiet")
    assert "No differences" in two.cli("compare", "a", "b")


def test_whose_change_an_order_is(two: Two) -> None:
    """Of the source it is promoted; of the target it stays; of both it collides, and asks."""
    stages, mine, theirs = THINGS["pipeline", "stages"], two.world.account.rows, two.other.rows
    two.cli("promote", "--from", "a", "--to", "b")
    stages.write(theirs, ("b", "a", "c"))
    assert "changed in b manually" in two.cli("promote", "--from", "a", "--to", "b")
    assert list(two.said()["pipelines"]["sales"]["stages"]) == list(FIRST)
    stages.write(mine, THEN)
    assert "changed on both sides" in two.cli("promote", "--from", "a", "--to", "b", code=5)
    assert list(two.said()["pipelines"]["sales"]["stages"]) == list(FIRST)
    two.cli("promote", "--from", "a", "--to", "b", "--overrule")
    assert list(two.said()["pipelines"]["sales"]["stages"]) == list(THEN)
    assert "waits for an apply" in two.cli("promote", "--from", "a", "--to", "b")


def test_an_overlay_cannot_say_another_order(two: Two) -> None:
    """The order stands in a file of all environments: it stays, by name, with what to do."""
    project = TWO_ACCOUNTS.replace('b.db"}', 'b.db", overlays: [environments/b.yaml]}')
    two.world.write(project, "reconciler.yaml")
    two.world.write("tags: {}\n", "environments/b.yaml")
    THINGS["pipeline", "stages"].write(two.world.account.rows, THEN)
    said = two.cli("promote", "--from", "a", "--to", "b", code=5)
    assert "pipeline.sales.stages: the order stands in config/main.yaml" in " ".join(said.split())
    assert list(two.said()["pipelines"]["sales"]["stages"]) == list(FIRST)
