"""Three sides of an attribute: declared, last applied, live."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.live import Live
from reconciler.model.spec import Lifecycle
from reconciler.model.state import Binding
from reconciler.model.values import RemoteId
from reconciler.planning.diff import Subject, completed, differences
from reconciler.resources import load_kinds
from tests.planning.world import resource

ABSENT = object()

SCALAR = [
    # applied, declared, live -> origin of the change, or None for no change
    (ABSENT, ABSENT, "x", None),
    (ABSENT, "x", "x", None),
    (ABSENT, "x", None, "config"),
    (ABSENT, "x", "y", "config"),
    (ABSENT, None, "", None),
    (ABSENT, None, "y", "config"),
    ("x", ABSENT, "y", None),
    ("x", "x", "x", None),
    ("x", "x", "y", "drift"),
    ("x", "x", None, "drift"),
    ("x", "y", "x", "config"),
    ("x", "y", "y", None),
    ("x", "y", "z", "both"),
    ("x", None, "x", "config"),
    ("x", None, None, None),
    ("x", None, "z", "both"),
    (None, "x", None, "config"),
    (None, None, "x", "drift"),
    (None, None, None, None),
    (None, "x", "y", "both"),
]
SETS = [
    (ABSENT, ["a", "b"], ["b", "a"], None),
    (["a"], ["a"], ["a", "b"], "drift"),
    (["a"], ["a", "b"], ["a"], "config"),
    (["a"], ["b"], ["c"], "both"),
    (["a", "b"], ["b", "a"], ["a", "b"], None),
]
LISTS = [
    (ABSENT, ["a", "b"], ["a", "b"], None),
    (ABSENT, ["a", "b"], ["b", "a"], "config"),
    (["a", "b"], ["a", "b"], ["b", "a"], "drift"),
    (["a", "b"], ["b", "a"], ["a", "b"], "config"),
    (["a"], [], ["a"], "config"),
    ([], [], None, None),
    (["a"], None, ["a"], "config"),
]
LABELS = {"singular": "S", "plural": "Ss"}
SEAT: dict[str, Any] = {"type": "text", "labels": LABELS}
MAPS = [
    (ABSENT, {"seat": SEAT}, {"seat": SEAT, "stranger": SEAT}, None),
    (ABSENT, {"seat-no": SEAT}, {"seat_no": SEAT}, None),
    (ABSENT, {"seat": SEAT}, {}, "config"),
    ({"seat": SEAT, "row": SEAT}, {"seat": SEAT}, {"seat": SEAT, "row": SEAT}, "config"),
    ({"seat": SEAT, "row": SEAT}, {"seat": SEAT}, {"seat": SEAT}, None),
    ({"seat": SEAT}, {"seat": SEAT}, {"seat": {**SEAT, "required": True}}, None),
    ({"seat": {**SEAT, "required": False}}, {"seat": {**SEAT, "required": False}}, {"seat": SEAT}, None),
    (
        {"seat": {**SEAT, "required": False}},
        {"seat": {**SEAT, "required": False}},
        {"seat": {**SEAT, "required": True}},
        "drift",
    ),
    ({"seat": SEAT}, {"seat": {**SEAT, "labels": {"singular": "Seat", "plural": "Ss"}}}, {"seat": SEAT}, "config"),
]


def origin_of(kind: str, name: str, applied: Any, declared: Any, live: Any) -> str | None:
    """Plan one attribute and return the origin of its change."""
    attrs = {} if declared is ABSENT else {name: declared}
    binding = Binding(id="1", kind=kind, applied={} if applied is ABSENT else {name: applied})
    found = differences(
        Subject(
            load_kinds()[kind],
            resource(f"{kind}.x", **attrs),
            attrs,
            binding,
            Live(kind, "1", {name: live}),
            lambda value: value,
            "",
        )
    )
    return found[0].origin if found else None


@pytest.mark.parametrize(("applied", "declared", "live", "expected"), SCALAR)
def test_scalar(applied: Any, declared: Any, live: Any, expected: str | None) -> None:
    """Absent is unmanaged, null and "" are the same, and whoever moved is named."""
    assert origin_of("tag", "description", applied, declared, live) == expected


@pytest.mark.parametrize(("applied", "declared", "live", "expected"), SETS)
def test_set(applied: Any, declared: Any, live: Any, expected: str | None) -> None:
    """Events of a webhook have no order (section 8.1 of the API page)."""
    assert origin_of("webhook", "events", applied, declared, live) == expected


@pytest.mark.parametrize(("applied", "declared", "live", "expected"), LISTS)
def test_list(applied: Any, declared: Any, live: Any, expected: str | None) -> None:
    """Options of a deal field are shown in their order; `[]` and null mean exactly none."""
    assert origin_of("deal_field", "options", applied, declared, live) == expected


@pytest.mark.parametrize(("applied", "declared", "live", "expected"), MAPS)
def test_map(applied: Any, declared: Any, live: Any, expected: str | None) -> None:
    """Entries nobody declared are left alone; entries once applied and no longer declared go."""
    assert origin_of("custom_object", "fields", applied, declared, live) == expected


def test_ignored_changes_are_left_alone() -> None:
    """`lifecycle: {ignore_changes: [...]}` hides drift of those attributes on an existing object only."""
    one = resource("tag.x", description="a")._replace(lifecycle=Lifecycle(ignore_changes=["description"]))
    kind = load_kinds()["tag"]
    live = Live("tag", "1", {"description": "b"})
    assert differences(Subject(kind, one, one.attrs, None, live, lambda value: value, "")) == []
    assert [item.name for item in differences(Subject(kind, one, one.attrs, None, None, lambda value: value, ""))] == [
        "description"
    ]


def test_an_attribute_that_the_account_does_not_return_is_compared_with_what_was_applied() -> None:
    """Some listings leave `isrequired` out (row 18 of section 7): writing it once is enough."""
    kind, one = load_kinds()["field"], resource("field.x", required=True)
    live = Live("field", "1", {})
    before = differences(Subject(kind, one, one.attrs, None, live, lambda value: value, ""))
    after = differences(
        Subject(kind, one, one.attrs, Binding(id="1", kind="field", applied={"required": True}), live, lambda v: v, "")
    )
    assert [item.name for item in before] == ["required"]
    assert after == []


def test_what_the_server_rewrote_once_never_diffs_again() -> None:
    """A value that the server stores in its own way is remembered with what was sent."""
    kind, one = load_kinds()["tag"], resource("tag.x", name="A  B")
    binding = Binding(id="1", kind="tag", rewritten={"name": {"sent": "A  B", "got": "A B"}})
    assert differences(Subject(kind, one, one.attrs, binding, Live("tag", "1", {"name": "A B"}), lambda v: v, "")) == []
    assert differences(Subject(kind, one, one.attrs, binding, Live("tag", "1", {"name": "C"}), lambda v: v, "")) != []


def test_a_field_on_no_list_is_made_visible_unless_declared_so() -> None:
    """Left out, `lists` means at least all; `lists: []` means exactly none (section 2.1)."""
    kind = load_kinds()["field"]
    hidden, shown = Live("field", "1", {"lists": []}), Live("field", "1", {"lists": "all"})
    on_one = Live("field", "1", {"lists": [RemoteId("list", "7")]})
    assert completed(kind, {}, hidden, lambda one: False)["lists"] == "all"
    assert "lists" not in completed(kind, {}, shown, lambda one: False)
    assert completed(kind, {"lists": []}, hidden, lambda one: False)["lists"] == []
    assert "lists" not in completed(kind, {}, on_one, lambda one: one.id != "7")
    assert completed(kind, {}, on_one, lambda one: one.id == "7")["lists"] == "all"


@pytest.mark.parametrize(
    ("kind", "name", "declared", "live"),
    [
        ("field", "perstag", "Personalized Tag", "PERSONALIZEDTAG"),
        ("stage", "color", "#32b0fc", "32B0FC"),
        ("pipeline", "currency", "USD", "usd"),
        ("deal_field", "default", "2", "2"),
        (
            "field",
            "options",
            ["a", {"value": "b"}],
            [{"value": "a", "label": "a", "default": False}, {"value": "b", "label": "b", "default": False}],
        ),
        ("list", "carbon_copy", ["b@x.example", "a@x.example"], ["a@x.example", "b@x.example"]),
    ],
)
def test_no_visible_difference_is_never_an_update(kind: str, name: str, declared: Any, live: Any) -> None:
    """Values are compared in normal form (section 8.1)."""
    assert origin_of(kind, name, ABSENT, declared, live) is None
