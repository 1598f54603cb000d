"""Membership of custom fields in field groups, shared by the three kinds of fields. API: /groupMembers (section
2.4). No kind lives here.

The path id of PUT and DELETE is called the group's id in the reference, but the examples show the member's (row 10
of section 7).
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.http import Flow, Request, at, delete, post, put
from reconciler.model.kind import Collection, Live, Row, Tables, Write
from reconciler.model.spec import ident, number
from reconciler.model.values import RemoteId, Value

GROUPS = Collection(
    "/groupDefinitions",
    "groupDefinitions",
    # Row 11 of section 7: the reference lists groups at /groupMembers, links suggest /groupDefinitions.
    fallback=Collection("/groupMembers", "groupDefinitions", optional=True),
    optional=True,
)
WRITES = ("/groupMembers", "/groupMembers/ID")
CONTACT, DEAL, ACCOUNT = 1, 2, 3
"""Types of field groups; also the ids of the default groups [DOC:add-custom-field-to-field-group]."""


def type_of(group: Row) -> int:
    """Return the type of a field group; written as `groupType`, read as `type_id`."""
    return number(group.get("type_id") or group.get("groupType")) or 0


def listings(tables: Tables, kind: int) -> tuple[Collection, ...]:
    """Return one listing of members for each group of a type."""
    return tuple(
        Collection(
            "/groupMembers",
            "groupMembers",
            query=(("group_id", str(group["id"])),),
            table=_table(group["id"]),
            optional=True,
        )
        for group in tables.get("groupDefinitions")
        if type_of(group) == kind
    )


def _table(group: object) -> str:
    return f"groupMembers:{group}"


def find(tables: Tables, kind: int, field: object) -> tuple[tuple[str, str], ...] | None:
    """Return (member id, group id) of every group that a field is in; None where the listings could not be read.

    An account that ignores the filter answers every member with each group, so rows are matched by their own `group_id`
    and taken once. A field may be in several groups (row 57 of section 7).
    """
    groups = [str(group["id"]) for group in tables.get("groupDefinitions") if type_of(group) == kind]
    names = [_table(group) for group in groups]
    if "groupDefinitions" in tables.unknown or any(name in tables.unknown or name not in tables.rows for name in names):
        return None
    found = {
        ident(row["id"]): ident(row["group_id"])
        for name in names
        for row in tables.get(name)
        if ident(row.get("rel_id")) == ident(field) and ident(row.get("group_id")) in groups
    }
    return tuple(found.items())


def reference(group: str | None) -> Value:
    """Return the live value of a `group` attribute."""
    return RemoteId("field_group", group) if group else None


def join(field: str, group: str) -> Request:
    """Put a field into a group, at its end."""
    return post("/groupMembers", {"groupMember": {"rel_id": field, "ordernum": None, "group_id": group}})


def seen(desired: Value, live: Live) -> Value:
    """Return which of a field's groups is to be compared with the declared one: that one, where the field is in it."""
    groups = [group for _, group in live.row.get("_members", ())]
    return desired if isinstance(desired, RemoteId) and desired.id in groups else live.attrs["group"]


def move(write: Write) -> Flow[None]:
    """Bring a field's membership to what is declared: out of all groups, or from the first of them to the one that is
    meant. A field that is in that group already is not sent here (see `seen`), so none is ever doubled.
    """
    wanted = write.desired.get("group")
    members = [member for member, _ in write.live.row.get("_members", ())] if write.live else []
    if wanted is None:
        for member in members:
            yield delete(at("/groupMembers", member))
        return
    member = members[0] if members else None
    body = {"groupMember": {"rel_id": write.id, "ordernum": None, "group_id": write.ids(wanted)}}
    if not member:
        yield post("/groupMembers", body)
        return
    answer = yield put(at("/groupMembers", member), body, expect=(404,))
    if not answer.ok:
        yield post("/groupMembers", body)


def members_with(rows: Sequence[Row], tables: Tables, kind: int) -> list[Row]:
    """Return the rows with `_members`, (member id, group id) each, and `_group`, the first group or None; without where
    that could not be read.
    """
    found: list[Row] = []
    for row in rows:
        members = find(tables, kind, row["id"])
        known = {} if members is None else {"_members": members, "_group": members[0][1] if members else None}
        found.append({**row, **known})
    return found
