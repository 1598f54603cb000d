"""What stays and loses its place when an object goes, asked of the account: fields of a list or of a group, lists and
pipelines of a user group or an owner, people of a pipeline. No kind lives here.

Each is one impact: `ids` are those of the objects, `of` is their kind, so that it can be told by the state what is
managed. Where the account does not list them, their number is unknown and said to be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.model import coerce
from reconciler.model.coerce import ident
from reconciler.model.http import Flow, Request, at
from reconciler.model.live import Row
from reconciler.model.values import RemoteId, map_of
from reconciler.model.write import Effect, Impact
from reconciler.resources import membership
from reconciler.resources.counts import listed, listed_pages

NAMED = 25
"""How many objects are asked for their names one by one."""
FIELDS = {
    "contact": ("field", "/fields", "fields", "title"),
    "deal": ("deal_field", "/dealCustomFieldMeta", "dealCustomFieldMeta", "fieldLabel"),
    "account": ("account_field", "/accountCustomFieldMeta", "accountCustomFieldMeta", "fieldLabel"),
}
"""By what a field group is for: the kind of its fields, and where they are listed under which name."""


def fields_of_list(identity: str) -> Flow[list[Impact]]:
    """Contact fields that are shown for a list: its relations go with it (section 2.3). Those for all lists stay."""
    noun = "contact fields lose the list"
    rows = yield from _fields_with_relations()
    if rows is None:
        return [_unknown(noun)]
    fields, relations = rows
    known = {ident(relation["id"]) for relation in relations}
    for row in fields:
        if not {ident(relation) for relation in coerce.listed(row.get("relations")) or ()} <= known:
            relations += (yield from listed(at("/fields", row["id"], "relations"), "fieldRels")) or ()
    mine = {ident(relation.get("field")) for relation in relations if ident(relation.get("relid")) == identity}
    return _told(noun, "field", {ident(row["id"]): str(row.get("title")) for row in fields if ident(row["id"]) in mine})


def _fields_with_relations() -> Flow[tuple[list[Row], list[Row]] | None]:
    """Return all contact fields and the relations that came along; None where they cannot be read to the end."""
    answers = yield from listed_pages("/fields", "fields")
    if answers is None:
        return None
    fields: list[Row] = [row for answer in answers for row in answer.rows("fields")]
    return fields, [row for answer in answers for row in answer.rows("fieldRels")]


def fields_of_group(identity: str, holder: str, *, named: bool) -> Flow[list[Impact]]:
    """Custom fields of a field group: they are in no group afterwards, and show on no record page (section 2.4). With
    `named`, names are asked also where there is no field any more: so that it costs what it cost before.
    """
    noun = f"{holder} fields lose the group"
    kind, path, key, label = FIELDS[holder]
    members = yield from _members(identity)
    if members is None:
        return [_unknown(noun)]
    if not members and not named:
        return []
    names = {ident(row["id"]): str(row.get(label)) for row in (yield from listed(path, key)) or ()}
    return _told(noun, kind, {member: names.get(member, f"id {member}") for member in members})


def groups_of_field(identity: str) -> Flow[list[Impact]]:
    """Field groups that a contact field is in, which lose it."""
    noun = "memberships in field groups"
    groups = yield from listed("/groupDefinitions", "groupDefinitions")
    if groups is None:
        return [_unknown(noun)]
    labels: dict[str, str] = {}
    for group in groups:
        if membership.type_of(group) == membership.CONTACT and identity in ((yield from _members(group["id"])) or ()):
            labels[ident(group["id"])] = str(group.get("label"))
    return _told(noun, "field_group", labels, effect="along")


def people_of_pipeline(identity: str) -> Flow[list[Impact]]:
    """Users and user groups of a pipeline, from its sub-collections; none of them loses anything but the pipeline."""
    impacts: list[Impact] = []
    for noun, key, kind in (
        ("assignments of users", "dealGroupUsers", "user"),
        ("permissions of user groups", "dealGroupGroups", "user_group"),
    ):
        rows = yield from listed(at("/dealGroups", identity, key), key)
        ids = _ids(rows or (), *(("user", "userid") if kind == "user" else ("group", "groupid")))
        names = {identity: str(RemoteId(kind, identity)) for identity in ids}
        impacts += [_unknown(noun)] if rows is None else _told(noun, kind, names, effect="along")
    return impacts


def seen_by_group(identity: str) -> Flow[list[Impact]]:
    """Lists and pipelines that name a user group; where no other does, no user sees them any more (sections 2.7,
    2.14).
    """
    impacts: list[Impact] = []
    for noun, sub, holder, kind, path, label in (
        ("lists lose the group", "listGroups", ("list", "listid"), "list", "/lists", "name"),
        ("pipelines lose the group", "dealGroupGroups", ("dealGroup", "d_groupid"), "pipeline", "/dealGroups", "title"),
    ):
        rows = yield from listed(f"/{sub}", sub)
        mine = [row for row in rows or () if ident(row.get("group", row.get("groupid"))) == identity]
        names = yield from _names(path, label, _ids(mine, *holder))
        impacts += [_unknown(noun)] if rows is None else _told(noun, kind, names)
    return impacts


def owned_by_user(identity: str) -> Flow[list[Impact]]:
    """Lists that a user owns; no filter for that is documented."""
    noun = "lists lose their owner"
    rows = yield from listed("/lists", "lists", {"filters[channel]": "all"})
    if rows is None:
        return [_unknown(noun)]
    mine = {
        ident(row["id"]): str(row.get("name"))
        for row in rows
        if identity in (ident(row.get("user")), ident(row.get("userid")))
    }
    return _told(noun, "list", mine)


def _members(group: object) -> Flow[list[str] | None]:
    """Return the ids of the fields of a group; rows of other groups are passed over."""
    rows = yield from listed("/groupMembers", "groupMembers", {"group_id": ident(group)})
    if rows is None:
        return None
    return list(_ids([row for row in rows if ident(row.get("group_id")) == ident(group)], "rel_id"))


def _names(path: str, label: str, ids: Iterable[str]) -> Flow[Mapping[str, str]]:
    names: dict[str, str] = {}
    for identity in ids:
        names[identity] = f"id {identity}"
        if len(names) <= NAMED:
            answer = yield Request("GET", at(path, identity), expect=(403, 404))
            row = next((row for row in map_of(answer.body).values() if isinstance(row, dict) and label in row), {})
            names[identity] = str(row.get(label) or names[identity])
    return names


def _ids(rows: Iterable[Row], *names: str) -> Iterable[str]:
    return dict.fromkeys(ident(next(row[name] for name in names if name in row)) for row in rows)


def _told(noun: str, kind: str, names: Mapping[str, str], *, effect: Effect = "unmanaged") -> list[Impact]:
    impact = Impact(len(names), noun, effect=effect, objects=tuple(names.values()), ids=tuple(names), of=kind)
    return [impact] if names else []


def _unknown(noun: str) -> Impact:
    return Impact(None, noun, detail="(the account does not list them)", effect="along")
