"""What plans and applies cost the account, to the request, and that the forecast says so beforehand."""

from __future__ import annotations

import math
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.case import Attr, Case
from tests.conformance.cases import load_cases
from tests.world import World

Make = Callable[[int], dict[str, Any]]


def _tags(n: int) -> dict[str, Any]:
    return {"tags": {f"t{i}": {} for i in range(n)}}


def _lists(n: int) -> dict[str, Any]:
    one = {"sender_url": "https://acme.example", "sender_reminder": "You signed up."}
    return {"lists": {f"l{i}": {"name": f"List {i}", **one} for i in range(n)}}


def _fields(n: int) -> dict[str, Any]:
    return {"fields": {f"f{i}": {"title": f"Field {i}", "type": "text", "lists": "all"} for i in range(n)}}


def _deal_fields(n: int) -> dict[str, Any]:
    return {"deal_fields": {f"d{i}": {"label": f"Field {i}", "type": "text"} for i in range(n)}}


def _account_fields(n: int) -> dict[str, Any]:
    return {"account_fields": {f"a{i}": {"label": f"Field {i}", "type": "text"} for i in range(n)}}


def _webhooks(n: int) -> dict[str, Any]:
    one = {"events": ["deal_add"], "sources": ["admin"]}
    return {"webhooks": {f"w{i}": {"name": f"W {i}", "url": f"https://h.example/{i}", **one} for i in range(n)}}


def _pipelines(n: int) -> dict[str, Any]:
    return {"pipelines": {f"p{i}": {"title": f"P {i}", "currency": "usd", "stages": {"lead": {}}} for i in range(n)}}


def _custom_objects(n: int) -> dict[str, Any]:
    return {
        "custom_objects": {
            f"c{i}": {"slug": f"c-{i}", "labels": {"singular": f"C{i}", "plural": f"C{i}s"}} for i in range(n)
        }
    }


# Section, what makes n objects of it, and its listings: path -> rows beside those declared.
SECTIONS: list[tuple[str, Make, Mapping[str, int]]] = [
    ("tags", _tags, {"/tags": 0}),
    ("lists", _lists, {"/lists": 0, "/listGroups": 0}),
    ("fields", _fields, {"/fields": 0}),
    ("webhooks", _webhooks, {"/webhooks": 0}),
    ("pipelines", _pipelines, {"/dealGroups": 0}),
    ("custom_objects", _custom_objects, {"/customObjects/schemas": 0}),
]
WITHOUT_TOTAL: list[tuple[str, Make, str, int]] = [
    ("deal_fields", _deal_fields, "/dealCustomFieldMeta", 1),
    ("account_fields", _account_fields, "/accountCustomFieldMeta", 0),
]


def _unchanged(world: World, config: dict[str, Any]) -> Counter[str]:
    """Apply a configuration, plan again, and return the requests of that plan by path."""
    world.write(config)
    world.apply()
    world.forget()
    planned = world.plan()
    assert planned.empty, planned.lines
    counted = Counter(line.removeprefix("GET ") for line in world.requests())
    assert planned.document.forecast.plan_requests == counted.total()
    return counted


@pytest.mark.parametrize(
    ("section", "make", "listings", "n"),
    [
        pytest.param(*row, n, id=f"{row[0]}-{n}")
        for row in SECTIONS
        for n in (0, 1, 100, 101, 250)
        if n < 102 or row[0] in ("tags", "custom_objects")
    ],
)
def test_unchanged_objects_cost_their_pages_and_nothing_else(
    world: World, section: str, make: Make, listings: Mapping[str, int], n: int
) -> None:
    """ceil(n/100) requests for each listing of a kind in use; a kind that is not in use is not read."""
    pages = {path: max(1, math.ceil((n + more) / 100)) for path, more in listings.items()} if n else {}
    assert _unchanged(world, make(n)) == pages


@pytest.mark.parametrize("n", [1, 99, 100, 101])
@pytest.mark.parametrize(("section", "make", "path", "builtin"), WITHOUT_TOTAL, ids=[row[0] for row in WITHOUT_TOTAL])
def test_a_listing_without_a_total_ends_with_a_short_page(
    world: World, section: str, make: Make, path: str, builtin: int, n: int
) -> None:
    """Field definitions of deals and accounts have no `meta.total` (section 1.4): a full page asks for one more. Their
    field groups are one listing, with the members of each group of their object (section 2.4).
    """
    counted = _unchanged(world, make(n))
    rows = n + builtin
    members = counted.pop("/groupMembers")
    assert counted == {path: rows // 100 + 1, "/groupDefinitions": 1}
    assert members == n // 100 + 1


def test_members_of_field_groups_are_read_only_where_groups_are_declared(world: World) -> None:
    """Contact fields without `group` cost one listing; with it, the groups and the members of those for contacts."""
    assert _unchanged(world, _fields(3)) == {"/fields": 1}
    config = _fields(3)
    config["fields"]["f0"]["group"] = "sales"
    config["field_groups"] = {"sales": {"label": "Sales", "object": "contact"}}
    assert _unchanged(world, config) == {"/fields": 1, "/groupDefinitions": 1, "/groupMembers": 2}


def test_members_of_listed_fields_are_one_listing_for_each_group(world: World) -> None:
    """A list costs the groups, and the members of each: the three default ones can be declared too."""
    config = _fields(3)
    config["field_groups"] = {"sales": {"label": "Sales", "object": "contact", "fields": ["f2", "f0"]}}
    assert _unchanged(world, config) == {"/fields": 1, "/groupDefinitions": 1, "/groupMembers": 4}


def test_people_are_read_only_where_they_are_looked_up(world: World) -> None:
    """Users and user groups cost one listing each, and who belongs to pipelines one each for the whole account."""
    config = _pipelines(3)
    assert "/users" not in _unchanged(world, config)
    config["pipelines"]["p0"] |= {"users": ["jane@acme.example"], "user_groups": [{"name": "Admin"}]}
    assert _unchanged(world, config) == {
        "/dealGroups": 1,
        "/dealGroupUsers": 1,
        "/dealGroupGroups": 1,
        "/users": 1,
        "/groups": 1,
    }


def test_stages_are_read_only_where_they_do_not_come_along(world: World) -> None:
    """Stages are side-loaded with the pipelines (section 1.3); where they are not, one listing more."""
    config = _pipelines(3)
    assert _unchanged(world, config) == {"/dealGroups": 1}
    world.behave(side_load_stages=False)
    assert _unchanged(world, config) == {"/dealGroups": 1, "/dealStages": 1}


def _agency(world: World, project_root: Path) -> None:
    shutil.copytree(project_root / "examples/agency/config", world.folder / "config", dirs_exist_ok=True)
    source = (project_root / "examples/agency/reconciler.yaml").read_text("utf-8").splitlines()
    lines = ["    url: emulator:state/account.db" if "emulator:" in line else line for line in source]
    world.write("\n".join(lines) + "\n", "reconciler.yaml")


def check_forecast(world: World, **options: Any) -> int:
    """Apply, and compare the forecast with what the account counted; return the number of requests."""
    world.forget()
    applied = world.apply(yes=True, **options)
    plans = applied.planned.document.forecast
    counted = len(world.requests())
    assert applied.summary.requests == plans.apply_requests, (applied.summary, plans)
    assert counted >= plans.plan_requests + plans.apply_requests
    return applied.summary.requests


def test_the_forecast_of_the_agency_example_is_exact(world: World, project_root: Path) -> None:
    """Plan and apply of 150 resources of all kinds cost what the plan says, and the next plan what this one did."""
    _agency(world, project_root)
    first = world.plan().document.forecast
    assert check_forecast(world) == first.apply_requests
    world.forget()
    again = world.plan()
    assert again.empty, again.lines
    assert len(world.requests()) == again.document.forecast.plan_requests
    assert len(world.requests()) < 30
    check_forecast(world, destroy=True)
    assert world.rows("tags") == []


CHANGES: dict[str, tuple[str, str]] = {
    "rename a tag": ("vip: {}", "vip: {name: Very important}"),
    "drop and add tags": ("vip: {}", "other: {}"),
    "an option more": ("[A, B]", "[A, B, C]"),
    "an option less": ("[A, B]", "[A]"),
    "options in another order": ("[A, B]", "[B, A]"),
    "another list": ("lists: [one]", "lists: [two]"),
    "all lists": ("lists: [one]", "lists: all"),
    "a group for a contact field": ("type: dropdown,", "type: dropdown, group: left,"),
    "another group": ("group: right", "group: middle"),
    "another type": ("label: Value, type: text", "label: Value, type: textarea"),
    "stages in another order": ("{lead: {}, won: {}}", "{won: {}, lead: {}}"),
    "a stage more": ("{lead: {}, won: {}}", "{lead: {}, talk: {}, won: {}}"),
    "a stage less": ("{lead: {}, won: {}}", "{lead: {}}"),
    "four stages in a new pipeline": (
        "pipelines:",
        "pipelines:\n  b: {title: B, currency: usd, stages: {a: {}, b: {}, c: {}, d: {}}}",
    ),
    "another event": ("[deal_add]", "[deal_add, deal_update]"),
    "a field of an object more": ("{seat: ", "{row: {type: number, labels: {singular: R, plural: R}}, seat: "),
    "a field of an object less": ("row: {type: text, labels: {singular: R, plural: R}}", ""),
    "a list more": ("two: {", "three: {name: Three, sender_url: https://a.example, sender_reminder: R}\n  two: {"),
    "another type of everything": ("type: text", "type: textarea"),
    "something to adopt beside it": ("{vip: {}}", "{vip: {description: B}, here: {}}"),
    "nothing": ("vip", "vip"),
}
BASE = """
tags: {vip: {}}
lists:
  one: {name: One, sender_url: https://a.example, sender_reminder: R}
  two: {name: Two, sender_url: https://a.example, sender_reminder: R}
fields:
  tier: {title: Tier, type: dropdown, options: [A, B], lists: [one]}
field_groups:
  left: {label: Left, object: contact}
  middle: {label: Middle, object: deal}
  right: {label: Right, object: deal}
deal_fields:
  value: {label: Value, type: text, group: right}
pipelines:
  sales: {title: Sales, currency: usd, stages: {lead: {}, won: {}}}
webhooks:
  sync: {name: Sync, url: https://h.example, events: [deal_add], sources: [admin]}
custom_objects:
  ticket:
    slug: ticket
    labels: {singular: Ticket, plural: Tickets}
    fields: {seat: {type: text, labels: {singular: S, plural: S}}}
  place:
    slug: place
    labels: {singular: Place, plural: Places}
    fields: {
      seat: {type: text, labels: {singular: S, plural: S}},
      row: {type: text, labels: {singular: R, plural: R}}
    }
"""


@pytest.mark.parametrize("change", CHANGES)
def test_the_forecast_of_a_change_is_exact(world: World, change: str) -> None:
    """Whatever changes: the apply sends as many requests as the plan said, and the plan after it is empty."""
    world.write(BASE)
    world.account.seed({"tags": [{"tag": "here", "tagType": "contact"}]})
    check_forecast(world)
    before, after = CHANGES[change]
    assert before in BASE
    world.write(BASE.replace(before, after))
    check_forecast(world)
    assert [line for line in world.plan().lines if not line.startswith("manual")] == []


SHELF = """
fields:
  a: {title: A, type: text}
  b: {title: B, type: text}
  c: {title: C, type: text, group: plain}
deal_fields:
  x: {label: X, type: text}
  w: {label: W, type: text}
field_groups:
  plain: {label: Plain, object: contact}
  shop: {label: Shop, object: contact, fields: [a, b]}
  deal: {label: Deal, object: deal, fields: [x]}
"""
GROUPED: dict[str, tuple[str, str]] = {
    "another order": ("[a, b]", "[b, a]"),
    "one that leaves": ("[a, b]", "[b]"),
    "one that leaves for the default group": ("[x]", "[w]"),
    "one in two groups": ("{label: Plain, object: contact}", "{label: Plain, object: contact, fields: [b]}"),
    "another group with a list": ("field_groups:", "field_groups:\n  new: {label: New, object: deal, fields: [w]}"),
    "another group without a list": ("field_groups:", "field_groups:\n  new: {label: New, object: contact}"),
    "a group less": ("  shop: {label: Shop, object: contact, fields: [a, b]}\n", ""),
    "from the list to the field": ("b: {title: B, type: text}", "b: {title: B, type: text, group: plain}"),
    "a new field in a list": ("fields:\n  a:", "fields:\n  q: {title: Q, type: text}\n  a:"),
}


@pytest.mark.parametrize("change", GROUPED)
def test_the_forecast_of_members_is_exact(world: World, change: str) -> None:
    """Lists of fields in groups, made and changed; the plan after it is empty."""
    world.write(SHELF)
    check_forecast(world)
    before, after = GROUPED[change]
    assert before in SHELF
    content = SHELF.replace(before, after, 1)
    if change == "from the list to the field":
        content = content.replace("[a, b]", "[a]")
    if change == "a new field in a list":
        content = content.replace("[a, b]", "[q, a, b]")
    world.write(content)
    check_forecast(world)
    assert world.plan().lines == []


@pytest.mark.parametrize("count", [99, 100])
def test_the_forecast_of_many_members_is_exact(world: World, count: int) -> None:
    """A page of members more, of a new group and of one that is there; listings of other groups stay as they are."""
    fields = {f"f{number}": {"title": f"F{number}", "type": "text"} for number in range(count)}
    world.account.seed({"fields": [{"id": str(n + 1), "title": f"F{n}", "type": "text"} for n in range(count)]})
    groups = {"one": {"label": "One", "object": "contact", "fields": list(fields)}}
    world.write({"field_groups": groups, "fields": fields})
    check_forecast(world)
    world.write({"field_groups": {"one": {**groups["one"], "fields": list(fields)[1:]}}, "fields": fields})
    check_forecast(world)


REPLACED = [
    (case, one, whole)
    for case in load_cases()
    for one in case.attributes
    if one.how == "replace"
    for whole in (True, False)
]


@pytest.mark.parametrize(("case", "attribute", "whole"), REPLACED, ids=str)
def test_the_forecast_of_a_replacement_is_exact(world: World, case: Case, attribute: Attr, whole: bool) -> None:
    """Each kind and attribute that cannot be changed in place, with everything declared and with the least."""
    world.account.seed(case.seed)
    made = case.full if whole else case.least
    world.write(made())
    world.apply()
    world.write(made(**{attribute.name: attribute.then}))
    planned = world.plan()
    assert "replace" in {change.action for change in planned.document.changes}
    check_forecast(world, allow=tuple(guard.override.removeprefix("--allow ") for guard in planned.document.tripped))
