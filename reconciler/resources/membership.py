"""Membership of custom fields in field groups, shared by groups and the three kinds of fields. API: /groupMembers
(section 2.4). No kind of objects lives here, only what the kinds of fields share.

A field says its group by `group`, or the group lists its `fields` in order: one fact, said in one place.

The path id of PUT and DELETE is called the group's id in the reference, but the examples show the member's (row 10
of section 7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple, cast

from reconciler.model.coerce import ident, number
from reconciler.model.http import Flow, Request, at, delete, post, put
from reconciler.model.kind import Kind, RosterPart
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.traits import Abilities
from reconciler.model.values import Json, RemoteId, Value, inserted, items_of, link_of, links_of
from reconciler.model.write import Finding, Write
from reconciler.resources import sequence
from reconciler.resources.joined import pairs

GROUPS = Collection(
    "/groupDefinitions",
    "groupDefinitions",
    # Row 11 of section 7: the reference lists groups at /groupMembers, links suggest /groupDefinitions.
    fallback=Collection("/groupMembers", "groupDefinitions", optional=True),
    optional=True,
    feeds=("group",),
    elsewhere=("field_groups", "members"),
)
WRITES = ("/groupMembers", "/groupMembers/ID")
CONTACT, DEAL, ACCOUNT = 1, 2, 3
"""Types of field groups; also the ids of the default groups [DOC:add-custom-field-to-field-group]."""
FIELDS = {"contact": "field", "deal": "deal_field", "account": "account_field"}
"""Whose fields a group holds -> kind of those fields."""
TYPES = {"contact": CONTACT, "deal": DEAL, "account": ACCOUNT}
KINDS = {number: FIELDS[name] for name, number in TYPES.items()}
UNREAD = "the account does not say who is in its field groups: a write could make a membership twice"


MEMBERS = "groupMembers:"
"""Tables of members are called so, with the group's id behind it."""


def type_of(group: Row) -> int:
    """Return the type of a field group; written as `groupType`, read as `type_id`."""
    return number(group.get("type_id") or group.get("groupType")) or 0


def listings(tables: Tables, kind: int) -> tuple[Collection, ...]:
    """Return one listing of members for each group of a type."""
    return tuple(listing(group["id"]) for group in tables.get("groupDefinitions") if type_of(group) == kind)


def listing(group: object) -> Collection:
    """Return the listing of a group's members."""
    query = (("group_id", str(group)),)
    return Collection(
        "/groupMembers",
        "groupMembers",
        query=query,
        table=_table(group),
        optional=True,
        feeds=("group", "fields"),
        tells=(("rel_id",), ("group_id",)),
    )


def _table(group: object) -> str:
    return f"{MEMBERS}{group}"


def find(tables: Tables, kind: int) -> Mapping[str, tuple[tuple[str, str], ...]] | None:
    """Return (member id, group id) of every group that a field is in, by field; None where the listings could not be
    read.

    An account that ignores the filter answers every member with each group, so rows are matched by their own `group_id`
    and taken once. A field may be in several groups (row 57 of section 7).
    """
    groups = [str(group["id"]) for group in tables.get("groupDefinitions") if type_of(group) == kind]
    names = [_table(group) for group in groups]
    if "groupDefinitions" in tables.unknown or any(name in tables.unknown or name not in tables.rows for name in names):
        return None
    memberships: dict[str, dict[str, str]] = {}
    for name in names:
        for row in tables.get(name):
            if (group := ident(row.get("group_id"))) in groups:
                memberships.setdefault(ident(row.get("rel_id")), {})[ident(row["id"])] = group
    return {field: tuple(rows.items()) for field, rows in memberships.items()}


def reference(group: str | None) -> Value:
    """Return the live value of a `group` attribute."""
    return RemoteId("field_group", group) if group else None


def join(field: str, group: str) -> Request:
    """Put a field into a group, at its end."""
    return post("/groupMembers", _body(field, group, None))


def give(live: Live, field: str) -> tuple[Live, RosterPart | None]:
    """Return a group without a member's row, and (member id, field id, group id); None where it has not one row."""
    rows = members(live.row.get("_members", ()))
    mine = [row for row in rows if row.field == field]
    if len(mine) != 1:
        return live, None
    left = tuple(row for row in rows if row is not mine[0])
    return live._replace(row={**live.row, "_members": left}), (mine[0].id, field, live.id)


def unread(write: Write, name: str) -> list[Finding]:
    """Return why a membership must not be written: who is a member already is not known."""
    if write.destroying or name not in write.changed or write.live is None or "_members" in write.live.row:
        return []
    return [Finding(UNREAD, attribute=name, hint="use the key of an Admin user, or leave the attribute out")]


def move(write: Write) -> Flow[None]:
    """Bring a field's membership to what is declared: out of all groups, or from the first of them to the one that is
    meant. A field that is in that group already is not sent here (see `seen`), so none is ever doubled. Where the list
    of a group brings it there, it only leaves the others.
    """
    wanted = write.desired.get("group")
    rows = pairs(write.live.row.get("_members", ())) if write.live else ()
    if wanted is None or "group" in write.elsewhere:
        for member, group in rows:
            if wanted is None or group != write.ids(link_of(wanted)):
                yield delete(at("/groupMembers", member))
        return
    body = _body(write.id, write.ids(link_of(wanted)), None)
    if not rows:
        yield post("/groupMembers", body)
        return
    answer = yield put(at("/groupMembers", rows[0][0]), body, expect=(404,))
    if not answer.ok:
        yield post("/groupMembers", body)


def _body(field: str, group: str, order: int | None) -> dict[str, Json]:
    return {"groupMember": {"rel_id": field, "ordernum": order, "group_id": group}}


def members_with(rows: Sequence[Row], tables: Tables, kind: int) -> list[Row]:
    """Return the rows with `_members`, (member id, group id) each, and `_group`, the first group or None; without where
    that could not be read.
    """
    memberships = find(tables, kind)
    if memberships is None:
        return [{**row} for row in rows]
    there = [memberships.get(ident(row["id"]), ()) for row in rows]
    return [
        {**row, "_members": mine, "_group": mine[0][1] if mine else None} for row, mine in zip(rows, there, strict=True)
    ]


# --- a group's list --------------------------------------------------------------------------------------------------


class Member(NamedTuple):
    """One row of a group's members. `order` is None where the account does not say it."""

    id: str
    field: str
    order: int | None


def members(joined: Json) -> Sequence[Member]:
    """Return what the rows of a group have under `_members`."""
    return cast("Sequence[Member]", joined)


def roster(tables: Tables, group: object) -> tuple[Member, ...] | None:
    """Return the members of a group as it shows them: by `ordernum`, ties by id, those without one last. None where
    they could not be read.
    """
    names = [_table(table["id"]) for table in tables.get("groupDefinitions")]
    if _table(group) not in tables.rows or _table(group) in tables.unknown:
        return None
    rows = {
        ident(row["id"]): Member(ident(row["id"]), ident(row.get("rel_id")), number(row.get("ordernum")))
        for name in names
        for row in tables.get(name)
        if ident(row.get("group_id")) == ident(group) and ident(row.get("rel_id")) not in ("", "0")
    }
    return tuple(sorted(rows.values(), key=lambda row: (row.order is None, row.order or 0, len(row.id), row.id)))


def shown(desired: Value, live: Live, applied: Value) -> list[Value]:
    """Return of a group's members those that are declared and those that were, as they stand. Where the account does
    not say the place of one, it is where it was applied.
    """
    before = items_of(applied)
    were = {*before}
    counted = {*items_of(desired), *before}
    listed_members = [member for member in items_of(live.attrs["fields"]) if member in counted]
    orders = {member.field: member.order for member in reversed(members(live.row["_members"]))}
    unplaced = [
        member
        for member in listed_members
        if isinstance(member, RemoteId) and orders.get(member.id) is None and member in were
    ]
    left_out = {*unplaced}
    return inserted([member for member in listed_members if member not in left_out], unplaced, before)


def bring(write: Write, group: str) -> Flow[None]:
    """Bring the members of a group to the declared list with the fewest writes: what is new joins, what was declared
    and is no longer goes, and of the rest all stay but those outside of a longest run in order (see `sequence`). What
    moves and is there twice, as older programs made it, is there once then.
    """
    rows: dict[str, list[Member]] = {}
    for member in members(write.live.row.get("_members", ())) if write.live is not None else ():
        rows.setdefault(member.field, []).append(member)
    wanted = list(dict.fromkeys(write.ids(link) for link in links_of(write.desired.get("fields"))))
    firsts = [rows[field][0] if field in rows else None for field in wanted]
    stay = sequence.kept([(member.order, member.id) if member is not None else None for member in firsts])
    for index, order in enumerate(sequence.numbered(len(wanted), stay)):
        if index not in stay:
            yield from _bring_one(rows.get(wanted[index], ()), _body(wanted[index], group, order))
    for link in items_of(write.before.get("fields")):
        if isinstance(link, RemoteId) and link.id not in wanted:
            for member in rows.get(link.id, ()):
                yield delete(at("/groupMembers", member.id))


def _bring_one(rows: Sequence[Member], body: dict[str, Json]) -> Flow[None]:
    """Give a field the place that a body says: by its first membership, without the others, or by a new one."""
    for again in rows[1:]:
        yield delete(at("/groupMembers", again.id))
    if rows:
        answer = yield put(at("/groupMembers", rows[0].id), body, expect=(404,))
        if answer.ok:
            return
    yield post("/groupMembers", body)


class Grouped(Kind):
    """A kind of field that says its group by `group`; its memberships are joined to its row under `_members`."""

    abilities = Abilities(writes=WRITES)

    def seen(self, name: str, desired: Value, live: Live, applied: Value = None) -> Value:
        """Of several groups, the declared one counts, where the field is in it."""
        if name != "group":
            return super().seen(name, desired, live, applied)
        groups = [group for _, group in pairs(live.row.get("_members", ()))]
        return desired if isinstance(desired, RemoteId) and desired.id in groups else live.attrs["group"]

    def take(self, live: Live, part: RosterPart) -> Live:
        """The membership that moves: the first one."""
        rows = ((part[0], part[2]), *pairs(live.row.get("_members", ())))
        return live._replace(row={**live.row, "_members": rows})

    def growth(self, identity: str, name: str, before: Value, after: Value) -> Mapping[str, int]:
        """From one group's members to another's."""
        if name != "group":
            return {}
        names = [
            f"{MEMBERS}{reference.id if isinstance(reference, RemoteId) else reference}" if reference else ""
            for reference in (before, after)
        ]
        return {table: step for table, step in zip(names, (-1, 1), strict=True) if table}

    def without(self, live: Live, groups: Set[Value]) -> Live:
        """No member of these groups."""
        if "_members" not in live.row:
            return live
        left = tuple(pair for pair in pairs(live.row["_members"]) if RemoteId("field_group", pair[1]) not in groups)
        group = reference(left[0][1] if left else None)
        return live._replace(attrs={**live.attrs, "group": group}, row={**live.row, "_members": left})
