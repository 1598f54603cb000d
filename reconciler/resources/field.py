"""Contact custom fields with their options, lists and group. API: /fields, /fieldOption/bulk, /fieldOptions,
/fieldRels (sections 2.1 to 2.4).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from reconciler.model.coerce import ident, listed, text, truthy
from reconciler.model.http import Bound, Flow, Request, Response, at, delete, get, post, put
from reconciler.model.kind import NaturalKey
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.mention import Mention
from reconciler.model.spec import (
    AfterCreate,
    Api,
    Coded,
    Doubts,
    Ensure,
    Immutable,
    Link,
    Normal,
    Observed,
    OnAtFirst,
    RefTo,
    SentAs,
    Spec,
    Takes,
)
from reconciler.model.traits import Abilities, Identity, IdParameters, Parts, Reading, Texts
from reconciler.model.values import Json, RemoteId, Value, items_of, link_of, links_of
from reconciler.model.write import Finding, Impact, Write, likely
from reconciler.resources import field_options, losing, membership, records, rules
from reconciler.resources.counts import counted, moved
from reconciler.resources.joined import pairs, rows_of

if TYPE_CHECKING:
    from reconciler.model.ids import PartGroup

ALL = "all"
FieldType = Literal[
    "text", "textarea", "date", "datetime", "dropdown", "multiselect", "radio", "checkbox", "hidden", "number"
]


def normal_perstag(perstag: object) -> str | None:
    """Return the tag as the server stores it: upper case, nothing but letters, digits and underscores (recorded
    [CAS-MH]).
    """
    return re.sub(r"[^A-Z0-9_]", "", str(perstag).upper()) if perstag else None


def normal_lists(lists: Value) -> Value:
    """Return `all`, or the references in a fixed order."""
    return lists if isinstance(lists, str) else sorted(dict.fromkeys(items_of(lists)), key=str)


class ContactField(Spec):
    """A custom field of contacts."""

    title: str = Field(description="Label of the field; unique in the account.")
    # Row 17 of section 7: PUT documents the type as writable, the guide says it is set on creation.
    type: Annotated[FieldType, Coded({"multiselect": "listbox"}), Immutable()] = Field(
        description="What the field holds."
    )
    description: Annotated[str | None, Api("descript")] = Field(None, description="Help text.")
    perstag: Annotated[str | None, Normal(normal_perstag), SentAs(normal_perstag)] = Field(
        None, description="Personalization tag, used in messages as %TAG%."
    )
    default: Annotated[str | None, Api("defval")] = Field(None, description="Value of contacts that have none.")
    visible: Annotated[bool | None, OnAtFirst()] = Field(None, description="Offered in the form builder.")
    required: Annotated[bool | None, Api("isrequired"), Observed("recorded, and in the vendor's examples")] = Field(
        None, description="Must be filled in."
    )
    # Ignored on create, where the server takes max + 1 (recorded [CAS-MH], [CAS-AY]).
    order: Annotated[int | None, Api("ordernum"), AfterCreate()] = Field(None, description="Place among the fields.")
    options: Annotated[
        list[str | field_options.Option] | None,
        Api(None),
        Normal(field_options.normal),
        Takes(rules.options),
        Doubts(rules.near_choices),
    ] = Field(None, description="Choices in the order in which they are shown.")
    lists: Annotated[
        Literal["all"] | list[Link] | None, Api(None), RefTo("list"), Normal(normal_lists), Ensure(ALL)
    ] = Field(
        None,
        description="Lists that show the field, or `all`; on no list it is invisible, so `all` is used when left out.",
    )
    group: Annotated[Link | None, Api(None), RefTo("field_group")] = Field(
        None, description="Field group on record pages."
    )


class FieldKind(membership.Grouped):
    """A field shows in the product only once it is related to lists (section 2.1)."""

    name = "field"
    section = "fields"
    spec = ContactField
    title = "Contact field"
    path = "/fields"
    wrapper = "field"
    reading = Reading(
        (Collection("/fields", "fields", sides=("fieldOptions", "fieldRels")),),
        filled=frozenset({"order", "perstag"}),
        parts={"_relations": "lists"},
    )
    identity = Identity(
        name_attribute="title",
        unique=(("title",),),
        content_names=frozenset({"perstag"}),
        code_names=("perstag",),
        id_parameters=IdParameters(links=("field", "fieldid"), rows=("field_id", "fields", "customfield")),
    )
    abilities = Abilities(
        merges=frozenset({"lists"}),
        writes=(
            *("/fieldOptions", "/fieldOptions/ID", "/fieldOptions?/bulk", "/fieldRels", "/fieldRels/ID"),
            *membership.WRITES,
        ),
        parts={
            "options": Parts("options", own=True),
            "lists": Parts("relations to lists"),
            "group": Parts("memberships in field groups"),
        },
        salvage=records.VALUES,
    )
    texts = Texts(
        delete_warning="Every contact's value of the field is deleted with it; there is no undo.",
        one="contact field",
        gone="What contacts have in this field is deleted.",
        place=30,
    )

    rests: ClassVar[Mapping[str, str]] = {"options": "bulk_options", "order": "field_order_on_create"}

    def needs(self, declared: frozenset[str]) -> tuple[Collection, ...]:
        """Groups are read only when one is declared."""
        return (*self.reading.collections, membership.GROUPS) if "group" in declared else self.reading.collections

    def more(self, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...]:
        """The members of each contact field group; options and relations where the listing did not bring all along."""
        members = membership.listings(tables, membership.CONTACT) if "group" in declared else ()
        return (*members, *_left_out(tables))

    def reads_each(
        self, kind: str, attrs: Mapping[str, Value], asked: Iterable[str] = (), unread: Container[str] = ()
    ) -> Iterable[str]:
        """The members of each group are a listing of their own."""
        return (membership.MEMBERS,) if kind == "field_group" and attrs.get("object") == "contact" else ()

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Join options, relations and membership to each field."""
        options: dict[str, list[Row]] = defaultdict(list)
        relations: dict[str, list[tuple[str, str]]] = defaultdict(list)
        rows = tables.get("fields")
        for row in _along(tables, "fieldOptions"):
            options[ident(row.get("field"))].append(row)
        for row in _along(tables, "fieldRels"):
            relations[ident(row.get("field"))].append((ident(row["id"]), ident(row.get("relid"))))
        if "groupDefinitions" in tables.rows:
            rows = membership.members_with(rows, tables, membership.CONTACT)
        ordered = {field: sorted(rows, key=field_options.place_of) for field, rows in options.items()}
        return [
            {
                **row,
                **({"_options": ordered.get(ident(row["id"]), [])} if _told(tables, "fieldOptions", row) else {}),
                **({"_relations": sorted(relations[ident(row["id"])])} if _told(tables, "fieldRels", row) else {}),
            }
            for row in rows
        ]

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Options by `orderid`, ties by id (section 8.1); relation 0 means all lists."""
        attrs = super().decode(row, tables)
        if "_options" in row:
            attrs["options"] = [
                {
                    "value": text(option.get("value")) or "",
                    "label": text(option.get("label")) or text(option.get("value")) or "",
                    "default": truthy(option.get("isdefault")),
                }
                for option in rows_of(row["_options"])
            ]
        if "_relations" in row:
            lists = list(
                dict.fromkeys(relid for _, relid in pairs(row["_relations"]))
            )  # one that is there twice is one
            attrs["lists"] = ALL if "0" in lists else [RemoteId("list", relid) for relid in lists]
        if "_group" in row:
            attrs["group"] = membership.reference(text(row["_group"]))
        return attrs

    def declare(self, attrs: Mapping[str, Value]) -> dict[str, Value]:
        """Options as plain texts where value and label agree; relations always, for a field without any is meant to
        be hidden.
        """
        declared = super().declare(attrs)
        if "lists" in attrs:
            declared["lists"] = attrs["lists"]
        if "options" in declared:
            declared["options"] = [field_options.brief(option) for option in field_options.normal(declared["options"])]
        return declared

    def echoes(self, live: Live) -> dict[str, tuple[Json, Json]]:
        """And the options, as far as a write of them goes: a label that is not there is the value. And the lists: where
        all are named, what is named besides, or twice, says nothing, and stays where it is not changed.
        """
        echoes = super().echoes(live)
        if "_options" in live.row:
            stored = [
                {**{name: row.get(name) for name in ("value", "label")}, "isdefault": row.get("isdefault") or "0"}
                for row in rows_of(live.row["_options"])
            ]
            sent: Json = [
                {"value": o["value"], "label": o["label"] if row["label"] else "", "isdefault": o["default"]}
                for o, row in zip(field_options.normal(live.attrs.get("options")), stored, strict=False)
            ]
            echoes["options"] = (stored, sent)
        if "_relations" in live.row:
            lists = live.attrs["lists"]
            relids = ["0"] if lists == ALL else [link.id for link in items_of(lists) if isinstance(link, RemoteId)]
            echoes["lists"] = ([relid for _, relid in pairs(live.row["_relations"])], relids)
        return echoes

    def inside(self, attrs: Mapping[str, Value], live: Live | None) -> tuple[PartGroup, ...]:
        """The options: contacts store the value, and only the account knows the id of one."""
        from reconciler.model.ids import IdPart, PartGroup

        rows = rows_of(live.row.get("_options", ())) if live is not None else ()
        ids = {text(row.get("value")): ident(row["id"]) for row in rows}
        parts = [
            IdPart(
                option["value"], {"id": ids.get(option["value"]), "value": option["value"], "label": option["label"]}
            )
            for option in field_options.normal(attrs.get("options"))
        ]
        return (PartGroup("options", "FieldOption", tuple(parts)),) if parts else ()

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """The personalization tag as the server stores it, then the title."""
        tag = normal_perstag(attrs.get("perstag"))
        return ((("perstag", tag),) if tag else ()) + ((("title", attrs["title"]),) if attrs.get("title") else ())

    def derived(self, attrs: Mapping[str, Value]) -> tuple[Mapping[str, Value], ...]:
        """Without a tag, the server makes one of the title: blanks become underscores `[OAS]`, or go (row 19)."""
        title = str(attrs.get("title") or "").strip()
        if attrs.get("perstag") or not title:
            return ()
        return ({"perstag": normal_perstag(re.sub(r"\s+", "_", title))}, {"perstag": normal_perstag(title)})

    def demands(self, attrs: Mapping[str, Value], changed: frozenset[str]) -> list[Finding]:
        """A field whose values are options needs some."""
        return rules.options_needed(attrs, changed)

    def create(self, write: Write) -> Flow[None]:
        """POST the field, its options, relations and membership, then the order that the POST ignores."""
        placed = self.facts.own("field_order_on_create", "kept")
        plain = [name for name in write.desired if placed or not self.attributes[name].has(AfterCreate)]
        created = (yield post("/fields", {"field": self.body(write, plain)})).created("field", "fields")
        yield Bound(created)
        options = field_options.normal(write.desired.get("options"))
        if options:
            yield from self._bulk(created, list(enumerate(options, 1)))
        for relid in self._relids(write):
            yield _relate(created, relid)
        if write.desired.get("group") is not None:
            yield membership.join(created, write.ids(link_of(write.desired["group"])))
        if write.desired.get("order") is not None and not placed:
            yield put(at("/fields", created), {"field": self.body(write, ["order"])})

    def update(self, write: Write) -> Flow[None]:
        """PUT the properties, then bring options, relations and membership to what is declared."""
        yield from super().update(write)
        if "options" in write.changed:
            yield from self._update_options(write)
        if "lists" in write.changed:
            yield from self._update_relations(write)
        if "group" in write.changed:
            yield from membership.move(write)

    def _relids(self, write: Write) -> list[str]:
        lists = write.desired.get("lists")
        return ["0"] if lists == ALL else [write.ids(reference) for reference in links_of(lists)]

    def _update_relations(self, write: Write) -> Flow[None]:
        """There is no update: new relations are added before old ones go, so that the field is never invisible."""
        wanted = self._relids(write)
        rows = pairs(write.live.row.get("_relations", ())) if write.live else ()
        for relid in wanted:
            if relid not in {present for _, present in rows}:
                yield _relate(write.id, relid)
        seen: set[str] = set()
        for relation, relid in rows:
            if relid not in wanted or relid in seen:
                yield delete(at("/fieldRels", relation))
            seen.add(relid)

    def _update_options(self, write: Write) -> Flow[None]:
        """There is no documented update of an option: a changed one is deleted and created again; contact values
        stay, they are text.
        """
        wanted = field_options.normal(write.desired.get("options"))
        rows = rows_of(write.live.row.get("_options", ())) if write.live else ()
        kept, orders = field_options.kept(wanted, rows)
        for row in rows:
            if row not in kept.values():
                yield delete(at("/fieldOptions", row["id"]))
        every = [(orders[option["value"]], option) for option in wanted]
        missing = field_options.without(every, kept)
        if not missing:
            return
        replaces = self.facts.own("bulk_options", "replace")
        yield from self._bulk(write.id, every if replaces else missing)
        if not kept or replaces or self.facts.own("bulk_options", "append"):
            return
        # Row 45 of section 7: whether the bulk POST appends or replaces is unknown here, so look, and post all if it
        # replaced.
        answer = yield get(at("/fields", write.id))
        present = {text(row.get("value")) or "" for row in answer.rows("fieldOptions")}
        if present and field_options.without(every, present):
            yield from self._bulk(write.id, every)

    def _bulk(self, field: str, options: Sequence[tuple[int, field_options.Choice]]) -> Flow[None]:
        """Create options; accounts that do not know the documented path know the other one (row 55 of section 7)."""
        rows: Json = [
            {
                "field": field,
                "value": option["value"],
                "label": option["label"],
                "orderid": order,
                "isdefault": option["default"],
            }
            for order, option in options
        ]
        singular, plural = (post(path, {"fieldOptions": rows}) for path in ("/fieldOption/bulk", "/fieldOptions/bulk"))
        first, second = (plural, singular) if self.facts.says("option_bulk", "plural") else (singular, plural)
        answer = yield replace(first, expect=(404, 405))
        if not answer.ok:
            yield second

    def predict(self, request: Request, serial: int) -> Response:
        """A look at the field after a bulk POST finds everything."""
        return Response(200, {}) if request.method == "GET" else super().predict(request, serial)

    def parked(self, live: Live, address: str) -> dict[str, Value]:
        """Title and personalization tag: both may have to be free."""
        tag = re.sub(r"[^A-Z0-9]+", "_", f"RENAMING_{address}".upper())
        return {**super().parked(live, address), "perstag": tag}

    def hidden(self, attrs: Mapping[str, Value]) -> str:
        """On no list it shows nowhere; in no group, not on record pages (section 2.1)."""
        return super().hidden(attrs) or ("no `group`" if attrs.get("group", "?") is None else "")

    def mention(self, live: Live) -> Mention | None:
        """By its id, and in contents as `%TAG%`."""
        tag = live.attrs.get("perstag")
        texts = (f"%{tag}%",) if tag else ()
        return Mention(self.name, live.id, frozenset(self.identity.id_parameters.every), texts)

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Values of the field, or of removed options (section 5). Rows with a blank value are counted too, so the total
        is an upper bound.
        """
        query = {"filters[fieldid]": write.id}
        if write.destroying:
            unread = write.live is not None and "group" not in write.live.attrs and not write.recounting
            groups = (yield from losing.groups_of_field(write.id)) if unread else []
            return [*groups, *(yield from counted("/fieldValues", "contacts carry a value", query, at_most=True))]
        if write.live is None:
            return []
        impacts: list[Impact] = []
        if "perstag" in write.changed and write.live.attrs.get("perstag"):
            noun = "contacts carry a value that texts with the old tag show no more"
            counts = yield from counted("/fieldValues", noun, query, at_most=True)
            assumed = likely(f"`%{write.live.attrs['perstag']}%` is replaced in no text any more")
            impacts += [moved(count, assumed) for count in counts]
        if "options" in write.changed:
            impacts += yield from field_options.chosen(
                write.live, field_options.normal(write.desired.get("options")), query
            )
        return impacts

    def unmatched(self, write: Write) -> Flow[list[str]]:
        """Options and relations that were added since: they come along with the field itself (section 2.1)."""
        answer = yield Request("GET", at("/fields", write.id), expect=(404,))
        if not answer.ok or write.live is None:
            return []
        options = {text(row.get("value")) or "" for row in rows_of(write.live.row.get("_options", ()))}
        relations = {relid for _, relid in pairs(write.live.row.get("_relations", ()))}
        return [
            *(value for row in answer.listed("fieldOptions") if (value := text(row.get("value")) or "") not in options),
            *(f"list {relid}" for row in answer.listed("fieldRels") if (relid := ident(row["relid"])) not in relations),
        ]


SIDES = {"options": ("fieldOptions", "options"), "relations": ("fieldRels", "lists")}
"""What a field's row names by id, with the array that comes along with a page of fields (section 2.1), and the
attribute that it tells.
"""


def _left_out(tables: Tables) -> tuple[Collection, ...]:
    """Return the sub-collections of fields that name options or relations which did not come along with them."""
    present = {side: {str(row["id"]) for row in tables.get(side)} for side, _ in SIDES.values()}
    return tuple(
        Collection(
            at("/fields", row["id"], name),
            side,
            table=f"{side}:{row['id']}",
            feeds=(attribute,),
            tells=(("id",),),
            of=ident(row["id"]),
        )
        for name, (side, attribute) in SIDES.items()
        for row in tables.get("fields")
        if not {str(item) for item in listed(row.get(name)) or ()} <= present[side]
    )


def _told(tables: Tables, side: str, row: Row) -> bool:
    """Return whether all options or relations of a field are known: what could not be read is never taken for none."""
    return f"{side}:{row['id']}" not in tables.unknown


def _along(tables: Tables, side: str) -> list[Row]:
    """Return the options or relations of all fields, each once, wherever they were read."""
    rows = {str(row["id"]): row for row in tables.get(side)}
    for field in tables.get("fields"):
        rows |= {str(row["id"]): {"field": field["id"], **row} for row in tables.get(f"{side}:{field['id']}")}
    return list(rows.values())


def _relate(field: str, relid: str) -> Request:
    return post("/fieldRels", {"fieldRel": {"field": field, "relid": relid}})


KIND = FieldKind()
