"""Field groups: how custom fields are arranged on record pages. API: /groupDefinitions, /groupMembers (section 2.4)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.http import Bound, Flow, post
from reconciler.model.kind import Kind, NaturalKey, RosterPart
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.spec import Api, Coded, Immutable, Link, Normal, RefTo, Roster, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.values import RemoteId, Value, items_of
from reconciler.model.write import Finding, Impact, Write
from reconciler.resources import losing, membership


def list_of(fields: Value) -> list[Value]:
    """Return the fields as they stand, each once: their order counts."""
    return list(dict.fromkeys(items_of(fields)))


OWN = "it is a default group of the account, which has its label and its object for good"
BESIDE = "declare a group of your own beside it"
BOUND = "another one is meant: `reconciler state rm` lets go of this one, and the declared one is found by its label"


class FieldGroup(Spec):
    """A headed group of custom fields. The account's default groups have labels of their own, as `{**DEAL_DEFAULT**}`:
    they are taken over, and neither made nor deleted.
    """

    label: str = Field(description="Heading of the group.")
    object: Annotated[Literal["contact", "deal", "account"], Api("groupType"), Coded(membership.TYPES), Immutable()] = (
        Field(description="Whose fields it holds.")
    )
    order: Annotated[int | None, Api("ordernum")] = Field(None, description="Place among the groups.")
    fields: Annotated[
        list[Link] | None,
        Api(None),
        RefTo("field", by="object", kinds=membership.FIELDS, later=True),
        Roster("group"),
        Normal(list_of),
    ] = Field(None, description="Its fields in the order in which they are shown.")


class FieldGroupKind(Kind):
    """Only the create is documented; update and delete are implied by links (row 12 of section 7) and read back."""

    name = "field_group"
    section = "field_groups"
    spec = FieldGroup
    title = "Field group"
    path = "/groupDefinitions"
    wrapper = "groupDefinition"
    reading = Reading((membership.GROUPS,), created="", filled=frozenset({"order"}), parts={"type_id": "object"})
    identity = Identity(name_attribute="label")
    abilities = Abilities(observed=("update", "delete"), writes=membership.WRITES)
    texts = Texts(
        delete_warning="Its fields leave the group; they keep their values.",
        gone="Its fields keep their values and are in no group then.",
        place=60,
    )

    def more(self, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...]:
        """The members of each group that can be declared, where they are declared."""
        if "fields" not in declared:
            return ()
        return tuple(membership.listing(row["id"]) for row in tables.get("groupDefinitions"))

    def reads_each(
        self, kind: str, attrs: Mapping[str, Value], asked: Iterable[str] = (), unread: Container[str] = ()
    ) -> Iterable[str]:
        """The members of each group are a listing of their own."""
        read = "fields" in attrs or any(table.startswith(membership.MEMBERS) for table in asked)
        return (membership.MEMBERS,) if kind == self.name and read else ()

    def give(self, live: Live, member: RemoteId) -> tuple[Live, RosterPart | None]:
        """A row of its members."""
        return membership.give(live, member.id)

    def take(self, live: Live, part: RosterPart) -> Live:
        """Another row, whose place is to be written."""
        rows = (*membership.members(live.row.get("_members", ())), membership.Member(part[0], part[1], None))
        return live._replace(row={**live.row, "_members": rows})

    def growth(self, identity: str, name: str, before: Value, after: Value) -> Mapping[str, int]:
        """The list of its fields is that of its members."""
        more = len(items_of(after)) - len(items_of(before)) if name == "fields" else 0
        return {f"{membership.MEMBERS}{identity}": more} if name == "fields" else {}

    def given(self, attrs: Mapping[str, Value]) -> bool:
        """The default groups carry magic labels: another one is not made, and fields without a group show in them."""
        return str(attrs.get("label") or "").startswith("{**")

    def silent(self, live: Live) -> bool:
        """A default group without members."""
        return self.given(live.attrs) and not live.attrs.get("fields")

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Join the members to each group where they could be read, under `_members`."""
        rows: list[Row] = []
        for row in super().rows(tables):
            members = membership.roster(tables, row["id"])
            rows.append(row if members is None else {**row, "_members": members})
        return rows

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """`groupType` is read as `type_id`. A field that is in the group twice is listed once."""
        attrs = super().decode({**row, "groupType": membership.type_of(row)}, tables)
        kind = membership.KINDS.get(membership.type_of(row))
        if "_members" in row and kind is not None:
            attrs["fields"] = [
                RemoteId(kind, identity)
                for identity in dict.fromkeys(m.field for m in membership.members(row["_members"]))
            ]
        return attrs

    def seen(self, name: str, desired: Value, live: Live, applied: Value = None) -> Value:
        """Of the members, the declared ones count."""
        if name == "fields":
            return membership.shown(desired, live, applied)
        return super().seen(name, desired, live, applied)

    def refusals(self, write: Write) -> list[Finding]:
        """No field joins a group of which the members are not known; a default group stays what it is."""
        own = sorted({"label", "object"} & write.changed) if write.live and self.given(write.live.attrs) else []
        return [
            *super().refusals(write),
            *membership.unread(write, "fields"),
            *(Finding(OWN, attribute=name, hint=BOUND if self.given(write.desired) else BESIDE) for name in own),
        ]

    def create(self, write: Write) -> Flow[None]:
        """POST the group, then its members in their order."""
        created = (yield post(self.path, {self.wrapper: self.body(write, write.desired)})).created(
            self.wrapper, self.reading.collections[0].key
        )
        yield Bound(created)
        yield from membership.bring(write, created)

    def update(self, write: Write) -> Flow[None]:
        """PUT the properties, then bring the members to what is declared."""
        yield from super().update(write)
        if "fields" in write.changed:
            yield from membership.bring(write, write.id)

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Fields of the group: they stay, and are in no group."""
        holder = write.live.attrs.get("object") if write.live is not None else None
        if not write.destroying or not holder:
            return []
        return (yield from losing.fields_of_group(write.id, str(holder), named=write.recounting))

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(object, label)."""
        return (("object+label", attrs.get("object"), attrs.get("label")),) if attrs.get("label") else ()


KIND = FieldGroupKind()
