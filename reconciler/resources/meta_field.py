"""What deal and account custom fields share (sections 2.5, 2.6). No kind lives here."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from reconciler.model.coerce import text
from reconciler.model.http import Bound, Flow, Request, at, delete, post, put
from reconciler.model.kind import NaturalKey
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.mention import Mention
from reconciler.model.spec import (
    Api,
    CreateOnly,
    Doubts,
    Ensure,
    Folded,
    Immutable,
    Link,
    Normal,
    RefTo,
    SentAs,
    Spec,
    Takes,
)
from reconciler.model.traits import Abilities, Identity, IdParameters, Parts, Reading
from reconciler.model.values import RemoteId, Value, items_of, link_of, texts_of
from reconciler.model.write import Finding, Impact, Write
from reconciler.resources import membership, rules
from reconciler.resources.counts import carried

if TYPE_CHECKING:
    from reconciler.model.ids import PartGroup

MetaType = Literal[
    "text",
    "textarea",
    "date",
    "datetime",
    "dropdown",
    "multiselect",
    "radio",
    "checkbox",
    "hidden",
    "currency",
    "number",
]


def normal_default(value: Any) -> Any:
    """Return a default as text, or a list of texts; numbers arrive as either (section 2.5)."""
    if isinstance(value, list | tuple):
        return [text(item) or "" for item in value]
    return text(value)


class MetaField(Spec):
    """A custom field of deals or accounts."""

    label: Annotated[str, Api("fieldLabel")] = Field(description="Label of the field.")
    type: Annotated[MetaType, Api("fieldType"), Immutable()] = Field(description="What the field holds.")
    options: Annotated[list[str] | None, Api("fieldOptions"), Takes(rules.options), Doubts(rules.near_choices)] = Field(
        None, description="Choices in the order in which they are shown."
    )
    default: Annotated[str | list[str] | None, Api("fieldDefault"), Normal(normal_default)] = Field(
        None, description="Value at first; a list for multiselect and checkbox; cents for currency."
    )
    default_currency: Annotated[
        str | None,
        Api("fieldDefaultCurrency"),
        Folded(),
        SentAs(str.lower),
        Takes(rules.currency),
        CreateOnly("change the currency in the field's settings"),
    ] = Field(None, description="Three-letter currency code.")
    form_visible: Annotated[bool | None, Api("isFormVisible")] = Field(None, description="Shown in forms.")
    required: Annotated[bool | None, Api("isRequired")] = Field(None, description="Must be filled in.")
    order: Annotated[int | None, Api("displayOrder")] = Field(None, description="Place among the fields.")


class MetaFieldKind(membership.Grouped):
    """Fields without a group are not visible on record pages, so every one gets a group. Listings carry no total
    (recorded).
    """

    group_type: ClassVar[int] = 0
    data: ClassVar[str] = ""
    holders: ClassVar[str] = ""
    reading = Reading(created="createdTimestamp", filled=frozenset({"order"}))
    identity = Identity(
        name_attribute="label",
        id_parameters=IdParameters(rows=("customfieldid", "dealcustomfieldid", "fieldid", "field")),
    )
    abilities = Abilities(
        writes=membership.WRITES,
        parts={"options": Parts("options", own=True), "group": Parts("memberships in field groups")},
    )

    def needs(self, declared: frozenset[str]) -> tuple[Collection, ...]:
        """The fields and the groups that they must be in."""
        return (*self.reading.collections, membership.GROUPS)

    def more(self, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...]:
        """The members of each group of this type."""
        return membership.listings(tables, self.group_type)

    def reads_each(
        self, kind: str, attrs: Mapping[str, Value], asked: Iterable[str] = (), unread: Container[str] = ()
    ) -> Iterable[str]:
        """The members of each group are a listing of their own."""
        mine = kind == "field_group" and attrs.get("object") == self.holders.removesuffix("s")
        return (membership.MEMBERS,) if mine else ()

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Join the membership to each field."""
        return membership.members_with(tables.get(self.reading.collections[0].name), tables, self.group_type)

    def claims(self, row: Row, tables: Tables) -> bool:
        """Built-in fields carry a `knownFieldId` (section 2.5)."""
        return row.get("knownFieldId") in (None, "", 0, "0")

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Add the group where memberships could be read."""
        attrs = super().decode(row, tables)
        attrs["default"] = normal_default(row.get("fieldDefault"))
        if "_group" in row:
            attrs["group"] = membership.reference(text(row["_group"]))
        return attrs

    def inside(self, attrs: Mapping[str, Value], live: Live | None) -> tuple[PartGroup, ...]:
        """The options, which have no ids: records store their text."""
        from reconciler.model.ids import IdPart, PartGroup

        parts = [IdPart(option, {"value": option}) for option in texts_of(attrs.get("options"))]
        return (PartGroup("options", f"{self.spec.__name__}Option", tuple(parts)),) if parts else ()

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(label, type)."""
        return (("label+type", attrs["label"], attrs.get("type")),) if attrs.get("label") else ()

    def demands(self, attrs: Mapping[str, Value], changed: frozenset[str]) -> list[Finding]:
        """A field whose values are options needs some."""
        return rules.options_needed(attrs, changed)

    def create(self, write: Write) -> Flow[None]:
        """POST the field, then put it into its group."""
        answer = yield post(self.path, {self.wrapper: self.body(write, write.desired)})
        created = answer.created(self.wrapper, self.reading.collections[0].key)
        yield Bound(created)
        group = write.desired.get("group")
        if group is not None:
            yield membership.join(created, write.ids(link_of(group)))

    def update(self, write: Write) -> Flow[None]:
        """PUT the properties, then bring the membership to what is declared."""
        body = self.body(write, sorted(write.changed))
        if body:
            yield put(at(self.path, write.id), {self.wrapper: body})
        if "group" in write.changed:
            yield from membership.move(write)

    def delete(self, write: Write) -> Flow[None]:
        """Delete the field; its values go with it."""
        yield delete(at(self.path, write.id))

    def mention(self, live: Live) -> Mention | None:
        """By its id, and in contents as `%TAG%`."""
        tag = live.row.get("personalization")
        texts = (f"%{tag}%",) if tag else ()
        return Mention(self.name, live.id, frozenset(self.identity.id_parameters.every), texts)

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Values of the field, see `counts.carried`; how many chose a removed option is only bounded by them."""
        removed = (
            "options" in write.changed
            and write.live
            and set(items_of(write.live.attrs.get("options"))) - set(items_of(write.desired.get("options")))
        )
        if not write.destroying and not removed:
            return []
        count, bound = yield from carried(at(self.path, write.id, self.data), self.data, f"/{self.data}", write.id)
        return [Impact(count, f"{self.holders} carry a value", at_most=bound or not write.destroying)]

    def unmatched(self, write: Write) -> Flow[list[str]]:
        """Options that were added since."""
        answer = yield Request("GET", at(self.path, write.id), expect=(404,))
        if not answer.ok or write.live is None or "fieldOptions" not in (row := answer.object_in(self.wrapper)):
            return []
        known = items_of(write.live.attrs.get("options"))
        return [
            option for option in texts_of(self.attributes["options"].decode(row["fieldOptions"])) if option not in known
        ]


def ensured(group: int) -> Ensure:
    """The default group of a type has the type's number as id [DOC:add-custom-field-to-field-group]."""
    return Ensure(RemoteId("field_group", str(group)))


GroupLink = Annotated[Link | None, Api(None), RefTo("field_group")]
GROUP_TEXT = "Field group on record pages; the default group when left out, for a field without a group is invisible."
