"""A kind: everything the program knows about one type of object. One file in `resources/` each; nothing else may
know a kind by name.

A kind says how it is read (collections and `decode`), how it is recognised (`natural_keys`), how it is written
(flows), and what a delete would lose (`impact`). The defaults here serve a classic endpoint: list, POST, merge-PUT,
DELETE under one wrapper key.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence, Set
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar, cast

from reconciler.model import values
from reconciler.model.address import Address, join, key_of
from reconciler.model.conforming import MASKED, PLAIN, conforms
from reconciler.model.facts import LONGEST, Facts
from reconciler.model.grammar import a
from reconciler.model.http import Bound, Flow, Request, Response, at, delete, is_id, post, put
from reconciler.model.identity import Fits
from reconciler.model.live import STRANGE, Collection, Live, Row, Tables
from reconciler.model.mention import Mention
from reconciler.model.spec import (
    AfterCreate,
    Attribute,
    Ensure,
    Immutable,
    Nested,
    OnAtFirst,
    Once,
    RefTo,
    Spec,
    WriteOnly,
    attributes,
)
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.values import Json, Reference, RemoteId, Value, sendable
from reconciler.model.write import Finding, Impact, Write

if TYPE_CHECKING:
    from reconciler.model.ids import PartGroup

NaturalKey = tuple[Value, ...]
RosterPart = tuple[str, str, str]
"""A membership of a roster: its id, and those of the member and of the object with the roster."""


M = TypeVar("M")
NOTHING_ODD: Mapping[str, str] = MappingProxyType({})
"""Of the rows whose properties are all of the types that were seen there before."""


class Kind:
    """See the module. Instances are stateless but for what follows from the declaration, which is computed once; class
    attributes are the declaration.
    """

    name: ClassVar[str] = ""
    """First part of its addresses, and its name in references."""
    section: ClassVar[str] = ""
    """Key of its part of a configuration; "" where it is declared inside another kind."""
    spec: ClassVar[type[Spec]] = Spec
    """What can be declared."""
    title: ClassVar[str] = ""
    """What a person calls one."""
    path: ClassVar[str] = ""
    """Path of the API to write to; several are divided by ", "."""
    wrapper: ClassVar[str] = ""
    """Key of the object in requests and in the answer to a create."""
    nested: ClassVar[str] = ""
    """Kind in whose objects it is declared; "" for none."""
    depends_on: ClassVar[tuple[str, ...]] = ()
    """Kinds created before it beside those that its attributes refer to."""
    variants: ClassVar[Mapping[str, type[Spec]]] = {}
    """Objects that every account has exactly one of, by key, each with a spec of its own: adopted, never created or
    deleted.
    """
    reading: ClassVar[Reading] = Reading()
    identity: ClassVar[Identity] = Identity()
    abilities: ClassVar[Abilities] = Abilities()
    texts: ClassVar[Texts] = Texts()
    rests: ClassVar[Mapping[str, str]] = {}
    """Facts that its writes rest on, by the attribute that shows whether they held; "" for all others."""
    facts: Facts = Facts()
    """What is known of the account that it is used on."""

    def informed(self, facts: Facts) -> Self:
        """Return the kind as it is on an account of which these facts are known."""
        kind = copy(self)
        kind.facts = facts
        return kind

    def settled(self, changed: Mapping[str, Value]) -> bool:
        """Return whether an update to these values need not be read back: it was found on this very account that PUT
        takes what is sent, keeps the rest, and alters no text; and they are short texts on which no name and no id
        hangs.
        """
        if not (self.facts.own(f"put.{self.name}", "merge") and self.facts.keeps_texts):
            return False
        return all(
            isinstance(value, str) and len(value) <= LONGEST and self._plain(self.attributes[name])
            for name, value in changed.items()
        )

    def _plain(self, attribute: Attribute) -> bool:
        names = {self.identity.name_attribute, *(name for together in self.identity.unique for name in together)}
        special = attribute.has(RefTo, Ensure, Once, OnAtFirst, WriteOnly, Immutable)
        return attribute.api is not None and attribute.shape == "text" and attribute.name not in names and not special

    def fits(self, identity: str) -> bool:
        """Return whether an object of this kind may have this id."""
        return identity in self.variants if self.variants else self.reading.collections[0].names(identity)

    def holds(self, name: str, value: Json) -> bool:
        """Return whether an attribute may have an encoded value, also one that is masked."""
        return value.__class__ in self._scalars.get(name, ()) or self._holds(name, value)

    @cached_property
    def _scalars(self) -> Mapping[str, frozenset[type]]:
        """The types of which an attribute takes every scalar: `conforms` asks for nothing else of one."""
        names = {
            *self.attributes,
            *self.spec.model_fields,
            *(n for variant in self.variants.values() for n in variant.model_fields),
        }
        samples: tuple[Json, ...] = ("", 0, 0.5, False, None)
        return {name: frozenset(type(sample) for sample in samples if self._holds(name, sample)) for name in names}

    def _holds(self, name: str, value: Json) -> bool:
        known = [
            known_field
            for spec in (*self.variants.values(), self.spec)
            if (known_field := spec.model_fields.get(name)) is not None
        ]
        if value == MASKED:
            return True
        if not known:
            return name not in self.attributes or conforms(PLAIN.get(self.attributes[name].shape), value)
        return any(conforms(known_field.annotation, value) for known_field in known)

    # --- reading ---------------------------------------------------------------------------------------------------

    @cached_property
    def attributes(self) -> Mapping[str, Attribute]:
        """The attributes of the spec by name, or of all variants together."""
        if not self.variants:
            return attributes(self.spec)
        return {name: attribute for spec in self.variants.values() for name, attribute in attributes(spec).items()}

    @cached_property
    def _by_mark(self) -> Mapping[type, Mapping[str, object]]:
        by_mark: dict[type, dict[str, object]] = {}
        for name, attribute in self.attributes.items():
            for kind, mark in attribute.by_type.items():
                by_mark.setdefault(kind, {})[name] = mark
        return by_mark

    def marked(self, kind: type[M]) -> Mapping[str, M]:
        """Return the attributes that carry a mark, with it: asked for with every object."""
        return cast("Mapping[str, M]", self._by_mark.get(kind, {}))

    @cached_property
    def plainly_seen(self) -> bool:
        """Whether the live value of an attribute is what is compared (see `seen`)."""
        return type(self).seen is Kind.seen

    @cached_property
    def _decoders(self) -> tuple[tuple[str, str, Callable[[Json], Value]], ...]:
        return tuple(
            (name, attribute.read, attribute.decode)
            for name, attribute in self.attributes.items()
            if attribute.read is not None and not attribute.has(WriteOnly, Once)
        )

    def spec_of(self, key: str) -> type[Spec] | None:
        """Return the spec of the resource with this key; None where only certain keys exist and this is none."""
        return self.variants.get(key) if self.variants else self.spec

    def needs(self, declared: frozenset[str]) -> tuple[Collection, ...]:
        """Return the listings to read, given the names of the attributes that are declared for this kind."""
        return self.reading.collections

    def more(self, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...]:
        """Return further listings that depend on what the first ones answered."""
        return ()

    def reads_each(self, kind: str, attrs: Mapping[str, Value], asked: Iterable[str] = ()) -> bool:
        """Return whether each object of a kind with these attributes costs one more listing to read this kind; `asked`
        are the tables that were read for it.
        """
        return False

    def claims(self, row: Row, tables: Tables) -> bool:
        """Return whether the row is something a user may manage (built-ins and internal rows are not)."""
        return True

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Return the attributes of a row in normal form; properties that the row lacks stay absent."""
        return {name: decode(row[read]) for name, read, decode in self._decoders if read in row}

    def echoes(self, live: Live) -> dict[str, tuple[Json, Json]]:
        """Return, by attribute, what the row holds of it and what a write of the decoded value would send: where they
        differ, decoding lost something. `""` stands for the object as a whole. What the server computes is in neither.
        """
        return {
            name: (live.row[read], attribute.encode(live.attrs[name], _remote))
            for name, attribute in self.attributes.items()
            if attribute.api is not None and name in live.attrs and (read := attribute.read or "") in live.row
        }

    def lives(self, tables: Tables) -> list[Live]:
        """Return the live objects in the order of the listing, built-in ones included and marked."""
        primary = self.reading.collections[0]
        lives = []
        for row in self.rows(tables):
            attrs, odd = self._decoded(row, tables)
            created = str(row.get(self.reading.created) or "")
            lives.append(
                Live(self.name, str(row[primary.identity]), attrs, created, row, not self.claims(row, tables), odd)
            )
        return lives

    def _decoded(self, row: Row, tables: Tables) -> tuple[dict[str, Value], Mapping[str, str]]:
        """Return the attributes of a row, and its odd properties (see `Live.odd`): those that no decoder takes."""
        try:
            return self.decode(row, tables), NOTHING_ODD
        except STRANGE:
            odd = {read: name for name, read, decode in self._decoders if read in row and _fails(decode, row[read])}
        properties = [read for read in row if read != self.reading.collections[0].identity]
        rest = [read for read in properties if read not in odd]
        for more in ((), *((read,) for read in rest)):  # what a kind reads in ways of its own fails one by one
            attrs = self._decoded_without({*odd, *more}, row, tables)
            if attrs is not None:
                odd |= self._attributes_of(more)
                return {name: value for name, value in attrs.items() if name not in odd.values()}, odd
        return {}, self._attributes_of(properties)

    def _decoded_without(self, reads: Container[str], row: Row, tables: Tables) -> dict[str, Value] | None:
        """Return the attributes of a row without these properties; None where no decoder takes the rest."""
        try:
            return self.decode({name: value for name, value in row.items() if name not in reads}, tables)
        except STRANGE:
            return None

    def _attributes_of(self, reads: Iterable[str]) -> dict[str, str]:
        return {read: self._attribute_of(read) for read in reads}

    def _attribute_of(self, read: str) -> str:
        """Return the attribute that a property is read for, `""` where it is none alone."""
        own = next((name for name, attribute in self.attributes.items() if read in (attribute.read, f"_{name}")), "")
        return self.reading.parts.get(read, own)

    def growth(self, identity: str, name: str, before: Value, after: Value) -> Mapping[str, int]:
        """Return by how many rows a change of an attribute lets the listings of single objects grow, by table; a table
        of an object that is still to be made is called by its address. `identity` is the changed object's, likewise.
        """
        return {}

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Return the rows of the listing, with what other tables say of them joined in under names that begin with
        `_`.
        """
        return tables.get(self.reading.collections[0].name)

    def unreadable(self, tables: Tables) -> str:
        """Return why nothing can be said about this kind, or "" when its listing was read."""
        why = tables.unknown.get(self.reading.collections[0].name)
        return why.reason if why else ""

    def nesting(self, child: str) -> Nested | None:
        """Return the mark by which the objects of another kind are nested in those of this one."""
        return next((mark for mark in self.marked(Nested).values() if mark.kind == child), None)

    # --- identity --------------------------------------------------------------------------------------------------

    def seen(self, name: str, desired: Value, live: Live, applied: Value = None) -> Value:
        """Return the live value of an attribute that the account returned, to compare with the declared one (resolved):
        an object may have several values where one is declared. `applied` is what was last applied (resolved), of a
        roster without what another resource says now.
        """
        return live.attrs[name]

    @property
    def writable(self) -> tuple[str, ...]:
        """The paths that its flows may write to, `ID` for one id."""
        own = self.path.split(", ") if self.abilities.managed else ()
        return (*own, *(f"{path}/ID" for path in own), *self.abilities.writes)

    def without(self, live: Live, groups: Set[Value]) -> Live:
        """Return the object as it is once the rosters of these objects have let go of it."""
        return live

    def give(self, live: Live, member: RemoteId) -> tuple[Live, RosterPart | None]:
        """Return an object without the row of a member that its roster lets go of, and that row; None where it is not
        one row.
        """
        return live, None

    def take(self, live: Live, part: RosterPart) -> Live:
        """Return an object with the row of a member that another one gave: a write moves it."""
        return live

    def once(self, attrs: Mapping[str, Value]) -> tuple[tuple[str, ...], ...]:
        """Return the attributes of an object with these of which the account takes no two (see `unique`)."""
        return ((self.identity.name_attribute,),) if self.found_unique else self.identity.unique

    @property
    def found_unique(self) -> str:
        """The fact by which the account takes no two of one name, where a probe of it found that and no source of the
        API says so; "" for none.
        """
        key = self.reading.collections[0].key if self.reading.collections and not self.identity.unique else ""
        return f"unique.{key}" if key and self.facts.own(f"unique.{key}", "yes") else ""

    def holds_twice(self, lives: Iterable[Live]) -> bool:
        """Return whether the account holds two of one name: then it takes them, whatever was found."""
        names = [live.attrs.get(self.identity.name_attribute) for live in lives]
        said = [name for name in names if isinstance(name, str)]
        return len(set(said)) < len(said)

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """Return the natural keys of an object, best first; a key says its tier in its first item. Empty: none
        known.
        """
        value = attrs.get(self.identity.name_attribute)
        return ((self.identity.name_attribute, value),) if value is not None else ()

    def settling_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """Return further keys that recognise only the outcome of a create whose answer was lost: too weak to adopt
        by.
        """
        return ()

    def known_as(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """Return by what people take an object with these attributes for another one: its natural keys, and the name
        that they read where a key is a code or a digest. Never kept: it may hold what is sensitive.
        """
        return self.natural_keys(attrs)

    def derived(self, attrs: Mapping[str, Value]) -> tuple[Mapping[str, Value], ...]:
        """Return what the server may derive for an object that is created with these attributes: one reading each."""
        return ()

    # --- planning --------------------------------------------------------------------------------------------------

    def arrange(self, siblings: Sequence[tuple[str, Mapping[str, Value], Live | None]]) -> dict[str, dict[str, Value]]:
        """Return attributes that follow from the order of siblings (address, declared attributes, live object), by
        address.
        """
        return {}

    def blocked(self, live: Live, changed: Mapping[str, tuple[Value, Value]]) -> dict[str, str]:
        """Return the changed attributes (name -> (before, after)) that the API cannot change in any way, with what
        to do manually.
        """
        if self.abilities.updatable:
            return {}
        return {name: self.texts.by_hand for name in changed if not self.attributes[name].has(Immutable)}

    def refusals(self, write: Write) -> list[Finding]:
        """Return why a planned change or delete of the live object must not be made; needs no look at the account.

        Rows of their own (options, relations) are not written where the account did not say which there are.
        """
        if write.destroying or write.live is None:
            return []
        return [
            Finding(
                f"the account does not say which {self.abilities.parts[name].noun} there are: "
                "a write could make one twice",
                attribute=name,
                hint="use the key of an Admin user, or leave the attribute out",
            )
            for name in sorted(write.changed & self.abilities.parts.keys() - write.live.attrs.keys())
            if self.attributes[name].api is None and name not in write.live.odd.values()
        ]

    def parent_of(self, address: Address) -> Address:
        """Return the address of what an object of this kind is nested in, "" for none."""
        return join(self.nested, key_of(address).rpartition(".")[0]) if self.nested else ""

    def demands(self, attrs: Mapping[str, Value], changed: frozenset[str]) -> list[Finding]:
        """Return what the account refuses about several declared attributes together, where one of them changes.
        `changed` has the entries of keyed maps too (see `demands`).
        """
        return []

    def given(self, attrs: Mapping[str, Value]) -> bool:
        """Return whether an object with these attributes came with the account: it is adopted and changed, never
        created or deleted.
        """
        return False

    def silent(self, live: Live) -> bool:
        """Return whether an object that came with the account holds nothing that a file would say."""
        return False

    def holds_records(self, live: Live) -> bool | None:
        """Return whether records of customers are at the object, as its listing says; None where it does not say."""
        return None if self.abilities.salvage is not None else False

    def retired(self, live: Live) -> bool:
        """Return whether the object is as good as deleted: what a removal makes of it where the API has no delete."""
        return False

    def aside(self, live: Live) -> str:
        """Return why an export and a clone leave this one object alone, or "": retired ones are as good as gone."""
        return self.texts.removal_effect if self.retired(live) else ""

    def incidental(self, live: Live) -> bool:
        """Return whether this object is not expected to be managed unless it is: see `mostly_unmanaged` and `aside`."""
        return self.reading.mostly_unmanaged or bool(self.aside(live))

    def inherited(self, live: Live) -> Mapping[str, frozenset[str]]:
        """Return entries of maps that the account gave an object by itself (attribute -> keys): no sign of a hand."""
        return {}

    def hidden(self, attrs: Mapping[str, Value]) -> str:
        """Return why an object with these attributes is not shown in the product, "" where a user does. What is not
        among them is not known, and taken for visible.
        """
        empty = [
            name
            for name, attribute in self.attributes.items()
            if attribute.has(Ensure) and attrs.get(name, "?") in (None, [])
        ]
        return f"no {' and no '.join(f'`{name}`' for name in empty)}" if empty else ""

    def unmovable(self, what: str, address: str, target: str) -> str:
        """Return why `on_destroy: {what: target}` cannot be done for a resource of this kind; "" where it can."""
        return f"{a(self.title.lower())} offers nothing of that name"

    def replaces(self, attribute: Attribute, before: Value, after: Value) -> bool:
        """Return whether this change forces destroy and create."""
        return attribute.has(Immutable)

    # --- writing ---------------------------------------------------------------------------------------------------

    def body(self, write: Write, names: Iterable[str]) -> dict[str, Json]:
        """Return the API properties for these attributes, encoded, with secrets resolved. Write-only ones are
        included.
        """
        body: dict[str, Json] = {}
        for name in names:
            attribute = self.attributes.get(name)
            if attribute is not None and attribute.api is not None and name in write.desired:
                body[attribute.api] = attribute.encode(write.reveal(write.desired[name]), write.ids)
        return body

    def create(self, write: Write) -> Flow[None]:
        """Create the object; yields `Bound` once its id is known."""
        late = [name for name in write.desired if self.attributes[name].has(AfterCreate)]
        answer = yield post(self.path, {self.wrapper: self.body(write, [n for n in write.desired if n not in late])})
        created = answer.created(self.wrapper, self.reading.collections[0].key)
        yield Bound(created)
        if late:
            yield put(at(self.path, created), {self.wrapper: self.body(write, late)})

    def update(self, write: Write) -> Flow[None]:
        """Send the changed attributes; classic endpoints merge (section 1.9)."""
        body = self.body(write, sorted(write.changed))
        if body:
            yield put(at(self.path, write.id), {self.wrapper: {**self.beneath(write), **body}})

    @property
    def carried(self) -> tuple[str, ...]:
        """The attributes that an update sends from the live object, too."""
        return self.abilities.carried

    def beneath(self, write: Write) -> dict[str, Json]:
        """Return what an update sends of the live object beside the changes (see `carried`)."""
        live = write.live.attrs if write.live is not None else {}
        return {
            attribute.api: attribute.encode(live[attribute.name], write.ids)
            for attribute in map(self.attributes.__getitem__, self.carried)
            if attribute.api is not None and attribute.name in live
        }

    def parked(self, live: Live, address: str) -> dict[str, Value]:
        """Return the names that an object has while others take its own: unlike those of any other object."""
        return {self.identity.name_attribute: f"{live.attrs.get(self.identity.name_attribute)} (renaming {address})"}

    def rename_temporarily(self, write: Write) -> Flow[None]:
        """Give the object names of its own for a while, where two objects of one plan swap theirs."""
        names = self.parked(write.live, write.address) if write.live is not None else {}
        body = {api: sendable(value) for name, value in names.items() if (api := self.attributes[name].api) is not None}
        yield put(at(self.path, write.id), {self.wrapper: {**self.beneath(write), **body}})

    def delete(self, write: Write) -> Flow[None]:
        """Delete the object; 404 means done."""
        yield delete(at(self.path, write.id))

    def born(self, live: Live) -> bool:
        """Return whether an object looks like one that the server makes along with a new parent, unchanged."""
        return False

    def finish(self, write: Write, spares: Sequence[str]) -> Flow[None]:
        """Remove what the server made on its own and no child claimed."""
        yield from ()

    def declare(self, attrs: Mapping[str, Value]) -> dict[str, Value]:
        """Return what an export writes for a live object: server defaults and empty values are left out.

        An empty one that leaving out would fill (`Ensure`, `OnAtFirst`) is written: it is meant to be so.
        """
        known = self.attributes
        return {
            name: value
            for name, value in attrs.items()
            if name in known
            and (
                known[name].required
                or known[name].has(Ensure)
                or (known[name].has(OnAtFirst) and value is False)
                or not values.is_empty_or_off(value)
            )
        }

    def predict(self, request: Request, serial: int) -> Response:
        """Return the answer that planning assumes, so that a flow can be run without an account to count its
        requests.
        """
        body = request.body if isinstance(request.body, dict) else {}
        return Response(
            200,
            {
                key: {**value, "id": f"new-{serial}"} if isinstance(value, dict) else value
                for key, value in body.items()
            },
        )

    def inside(self, attrs: Mapping[str, Value], live: Live | None) -> tuple[PartGroup, ...]:
        """Return what code names inside an object with these attributes, with the ids of the live one."""
        return ()

    def mention(self, live: Live) -> Mention | None:
        """Return how other things of the account name this object; None where nothing can."""
        return (
            Mention(self.name, live.id, frozenset(self.identity.id_parameters.every))
            if self.identity.id_parameters.every
            else None
        )

    # --- looking closer --------------------------------------------------------------------------------------------

    def examine(self, write: Write) -> Flow[list[Finding]]:
        """Ask the account, with reads and its dry run, whether a planned create or update can work."""
        yield from ()
        return []

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Measure what the change would lose. Called for deletes, replaces and updates: when planning, and again right
        before each request that can take something away. A number has the same effect and noun each time.
        """
        yield from ()
        return []

    def unmatched(self, write: Write) -> Flow[list[str]]:
        """List what goes along with the object again, right before its delete, and return the names of what was not
        there when planning (`write.live`, `write.children`).
        """
        yield from ()
        return []


def _fails(decode: Callable[[Json], Value], raw: Json) -> bool:
    try:
        decode(raw)
    except STRANGE:
        return True
    return False


def _remote(reference: Reference) -> str:
    """Return the id of a live reference."""
    return reference.id if isinstance(reference, RemoteId) else str(reference)


Kinds = Mapping[str, Kind]
"""All kinds by name, in the order in which their objects are created."""


@dataclass(frozen=True, slots=True)
class _Fitting:
    kinds: Kinds

    def __call__(self, kind: str, identity: str) -> bool:
        return self.kinds[kind].fits(identity) if kind in self.kinds else is_id(identity)

    def holds(self, kind: str, name: str, value: Json) -> bool:
        return kind not in self.kinds or self.kinds[kind].holds(name, value)


def fits(kinds: Kinds) -> Fits:
    """Return what tells whether a kind may have an id, and an attribute a value. Of a kind or an attribute of another
    version, only what is not an id is refused.
    """
    return _Fitting(kinds)
