"""Contact fields with options, lists and group (sections 2.1 to 2.4)."""

from typing import Any

from tests.conformance.case import Attr, Case, Row, flag, plain
from tests.world import World


def options(world: World, row: Row) -> list[tuple[str, str, str]]:
    """Return (value, label, default) of the options in their order."""
    found = sorted(world.rows("fieldOptions", field=row["id"]), key=lambda one: (int(one["orderid"]), int(one["id"])))
    return [(one["value"], one["label"], one["isdefault"]) for one in found]


def drop_option(world: World, row: Row) -> None:
    """Remove the first option."""
    world.account.rows.remove("fieldOptions", world.rows("fieldOptions", field=row["id"])[0]["id"])


def relations(world: World, row: Row) -> list[str]:
    """Return the names of the lists that show a field, `all` for all."""
    names = {one["id"]: one["name"] for one in world.rows("lists")} | {"0": "all"}
    return sorted(names[str(one["relid"])] for one in world.rows("fieldRels", field=row["id"]))


def hide(world: World, row: Row) -> None:
    """Take the field off all lists."""
    world.account.rows.remove_where("fieldRels", field=row["id"])


def group_of(kind: int) -> Any:
    """Return a reader of the label of the field group that a field is in, "" for none."""

    def read(world: World, row: Row) -> str:
        labels = {str(one["id"]): one["label"] for one in world.rows("groupDefinitions", type_id=kind)}
        found = [labels[str(one["group_id"])] for one in world.rows("groupMembers", rel_id=row["id"])
                 if str(one["group_id"]) in labels]  # fmt: skip
        assert len(found) < 2, f"the field is in {len(found)} groups"
        return found[0] if found else ""

    return read


def leave(kind: int) -> Any:
    """Return what takes a field out of its group."""

    def drift(world: World, row: Row) -> None:
        groups = {str(one["id"]) for one in world.rows("groupDefinitions", type_id=kind)}
        for one in world.rows("groupMembers", rel_id=row["id"]):
            if str(one["group_id"]) in groups:
                world.account.rows.remove("groupMembers", one["id"])

    return drift


def grouped(label: str, kind: int, **more: Any) -> Attr:
    """Return the attribute `group`, of fields of the kind with this number."""
    return Attr("group", "billing", "sales", group_of(kind), f"{label} billing", f"{label} sales", leave(kind), **more)


def groups(label: str) -> dict[str, Any]:
    """Return field groups to be in."""
    return {name: {"label": f"{label} {name}", "object": label} for name in ("billing", "sales")}


CASES = (
    Case(
        "field.plan",
        "fields",
        (
            plain("title", "Plan", "Plan tier"),
            plain("type", "dropdown", "multiselect", seen=("dropdown", "listbox"), how="replace"),
            plain("description", "What they pay for", "What they bought", "descript", clear=None),
            plain("perstag", "Plan-Tier", "PLAN", seen=("PLANTIER", "PLAN")),
            plain("default", "Free", "Pro", "defval", clear=None),
            flag("visible"),
            flag("required", "isrequired"),
            plain("order", 3, 1, "ordernum"),
            Attr("options", ["Free", "Pro"], ["Pro", {"value": "ent", "label": "Enterprise", "default": True}, "Free"],
                 options, [("Free", "Free", "0"), ("Pro", "Pro", "0")],
                 [("Pro", "Pro", "0"), ("ent", "Enterprise", "1"), ("Free", "Free", "0")], drop_option),
            Attr("lists", "all", ["news", "offers"], relations, ["all"], ["News", "Offers"], hide,
                 clear=[], seen_clear=[]),
            grouped("contact", 1, clear=None),
        ),
        ("fields", "plan"),
        always=("title", "type", "options"),
        beside={
            "fields": {"other": {"title": "Other", "type": "text"}},
            "field_groups": groups("contact"),
            "lists": {
                name: {"name": name.title(), "sender_url": "https://acme.example", "sender_reminder": "You signed up."}
                for name in ("news", "offers")
            },
        },
        hidden_by=("lists",),
    ),
    Case(
        "field.note",
        "fields",
        (
            plain("title", "Note", "Remark"),
            plain("type", "text", "textarea", how="replace"),
            Attr("lists", ["news"], "all", relations, ["News"], ["all"], hide),
        ),
        ("fields", "note"),
        always=("title", "type"),
        beside={"lists": {"news": {"name": "News", "sender_url": "https://acme.example", "sender_reminder": "Hello."}}},
    ),
)  # fmt: skip
