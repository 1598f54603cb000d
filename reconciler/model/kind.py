"""A kind: everything the program knows about one type of object. One file in `resources/` each; nothing else may
know a kind by name.

A kind says how it is read (collections and `decode`), how it is recognised (`natural_keys`), how it is written
(flows), and what a delete would lose (`impact`). The defaults here serve a classic endpoint: list, POST, merge-PUT,
DELETE under one wrapper key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.model import values
from reconciler.model.address import Address, join, key_of
from reconciler.model.grammar import a
from reconciler.model.http import Bound, Flow, Request, Response, at, delete, post, put
from reconciler.model.identity import Fits
from reconciler.model.live import Live
from reconciler.model.mention import Mention
from reconciler.model.readable import Readable
from reconciler.model.spec import (
    AfterCreate,
    Attribute,
    Ensure,
    Immutable,
    OnAtFirst,
)
from reconciler.model.values import Json, RemoteId, Value, sendable
from reconciler.model.write import Finding, Impact, Write

if TYPE_CHECKING:
    from reconciler.model.ids import PartGroup

NaturalKey = tuple[Value, ...]
RosterPart = tuple[str, str, str]
"""A membership of a roster: its id, and those of the member and of the object with the roster."""


class Kind(Readable):
    """See the module."""

    # --- identity --------------------------------------------------------------------------------------------------

    @cached_property
    def plainly_seen(self) -> bool:
        """Whether the live value of an attribute is what is compared (see `seen`)."""
        return type(self).seen is Kind.seen

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
        texts = [name for name in names if isinstance(name, str)]
        return len(set(texts)) < len(texts)

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
        return {name: self.texts.manual_step for name in changed if not self.attributes[name].has(Immutable)}

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


Kinds = Mapping[str, Kind]
"""All kinds by name, in the order in which their objects are created."""


def fits(kinds: Kinds) -> Fits:
    """Return what tells whether a kind may have an id, and an attribute a value."""
    return kinds.get
