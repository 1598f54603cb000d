"""From what is declared and what is live to the handbook of an account. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from urllib.parse import quote

from reconciler.deriving.export import slug
from reconciler.deriving.exported import Exported
from reconciler.deriving.untold import untold
from reconciler.model import values
from reconciler.model.address import join, key_of, kind_of
from reconciler.model.called import called
from reconciler.model.conditions import in_words
from reconciler.model.desired import Resource
from reconciler.model.grammar import a, agreeing
from reconciler.model.handbook import (
    BlindSpot,
    Chapter,
    Detail,
    EntryMark,
    EntryStanding,
    Handbook,
    HandbookEntry,
    LastChange,
    Mentioned,
    Piece,
    Twin,
)
from reconciler.model.kind import Kind, Kinds, NaturalKey
from reconciler.model.live import STRANGE, Live
from reconciler.model.nearness import apart, near_keys
from reconciler.model.people import emails_in
from reconciler.model.records import record
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Nested, RefTo, attributes
from reconciler.model.state import Binding
from reconciler.model.usage import Use
from reconciler.model.values import Lookup, Ref, RemoteId, Value
from reconciler.model.write import Impact
from reconciler.planning.document import mask

DESCRIPTION = "description"
_MASKED = re.compile(r"\S*@hidden\.invalid")
_ON_A_LIST = ", on this list only, are deleted"
_SIMPLE_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@record
class Material:
    """What a handbook is made from. `snapshot` is None where no account was asked. `show` takes secrets and addresses
    of people out of a text. `impacts` are the records at an object by its address, or why they were not counted;
    `counted` says whether records were to be counted at all.
    """

    kinds: Kinds
    show: Callable[[str], str]
    declared: Mapping[str, Resource] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    bindings: Mapping[str, Binding] = field(default_factory=dict)
    exported: Sequence[Exported] = ()
    snapshot: Snapshot | None = None
    uses: Mapping[str, Sequence[Use]] = field(default_factory=dict)
    impacts: Mapping[str, Sequence[Impact] | str] = field(default_factory=dict)
    changes: Mapping[str, LastChange] = field(default_factory=dict)
    counted: bool = False
    screens: Callable[[str], str] = lambda page: ""
    """Returns the URL of a path of the product, "" where the account has none that is known."""


@record
class _Thing:
    """An object on its way into the book."""

    address: str
    kind: Kind
    attrs: Mapping[str, Value]
    standing: EntryStanding
    live: Live | None = None
    parent: str = ""
    rank: int = 0
    place: str = ""
    origin: str = ""
    """The address under which the material knows it."""


def handbook(material: Material, name: str, environment: str, source: str, spent: str = "") -> Handbook:
    """Return the handbook of an account."""
    return _Binder(material).bound(name, environment, source, spent)


def anonymous(address: str, identity: str) -> str:
    """Return the address of an object whose name is not for all readers: its id for what is made of its name."""
    above, dot, _ = key_of(address).rpartition(".")
    return join(kind_of(address), f"{above}{dot}id_{identity}")


class _Binder:
    def __init__(self, material: Material) -> None:
        self.material, self.kinds = material, material.kinds

    def show(self, text: str) -> str:
        """Return a text without secrets, and with `(address)` in place of addresses of people."""
        return _MASKED.sub("(address)", self.material.show(text))

    def bound(self, name: str, environment: str, source: str, spent: str) -> Handbook:
        entries = {thing.address: self._entry(thing) for thing in self.things.values()}
        chapters = [self._chapter(kind, entries) for kind in self.kinds.values()]
        return Handbook(self.show(name), environment, source, chapters, self._blind(), spent, self.material.counted)

    @cached_property
    def things(self) -> dict[str, _Thing]:
        """All objects by address, by kind and place in it."""
        things: dict[str, _Thing] = {}
        for entry in self.material.exported:
            thing = self._of_account(entry)
            things[thing.address] = thing
        for address, resource in self.material.declared.items():
            if self._address(address) not in things:
                things[address] = self._of_files(resource)
        for thing in self._outside():
            things.setdefault(thing.address, thing)
        order = {name: number for number, name in enumerate(self.kinds)}
        ranked = sorted(
            things.values(), key=lambda thing: (order[thing.kind.name], thing.parent, thing.rank, thing.address)
        )
        return {thing.address: thing for thing in ranked}

    @cached_property
    def renamed(self) -> dict[str, str]:
        """The addresses that are not for all readers: those made of a name that is not. A key that was chosen may be
        shown, unless it holds the address of a person as well.
        """
        known = {*self.material.declared, *self.material.bindings}
        names: dict[str, str] = {}
        for entry in self.material.exported:
            address, live = entry.resource.address, entry.live
            name = live.attrs.get(self.kinds[live.kind].identity.name_attribute)
            if not isinstance(name, str) or self.show(name) == name:
                continue
            if address not in known or _tells(address, name):
                names[address] = anonymous(address, _safe(live.id))
        return names

    def _address(self, address: str) -> str:
        if address in self.renamed:
            return self.renamed[address]
        kind, key = kind_of(address), key_of(address)
        above = key.rpartition(".")[0]
        parent = join(self.kinds[kind].nested, above) if above and self.kinds[kind].nested else ""
        if parent in self.renamed:
            return join(kind, f"{key_of(self.renamed[parent])}.{key.rpartition('.')[2]}")
        return address

    def _of_account(self, entry: Exported) -> _Thing:
        resource, address = entry.resource, entry.resource.address
        declared = self.material.declared.get(address)
        bound = address in self.material.bindings
        standing: EntryStanding = "managed" if declared is not None else "forgotten" if bound else "undeclared"
        return _Thing(
            self._address(address),
            self.kinds[resource.kind],
            resource.attrs,
            standing,
            entry.live,
            self._address(resource.parent) if resource.parent else "",
            resource.rank,
            str(declared.at) if declared is not None and declared.at is not None else "",
            address,
        )

    def _of_files(self, resource: Resource) -> _Thing:
        return _Thing(
            resource.address,
            self.kinds[resource.kind],
            resource.attrs,
            "declared",
            parent=resource.parent or "",
            rank=resource.rank,
            place=str(resource.at) if resource.at is not None else "",
            origin=resource.address,
        )

    def _outside(self) -> Iterator[_Thing]:
        """Yield what the account holds of kinds that the API cannot write."""
        lives = self.material.snapshot.lives if self.material.snapshot is not None else {}
        for name, kind in self.kinds.items():
            if not kind.abilities.managed:
                for live in lives.get(name, ()):
                    yield _Thing(_outside_address(name, live.id), kind, live.attrs, "outside", live)

    # --- one object --------------------------------------------------------------------------------------------------

    def _entry(self, thing: _Thing) -> HandbookEntry:
        address, kind = thing.address, thing.kind
        identity = thing.live.id if thing.live is not None else ""
        private = kind.reading.mostly_unmanaged
        description = thing.attrs.get(DESCRIPTION)
        description_text = (
            self.show(str(description or "")).strip() if DESCRIPTION in kind.attributes and not private else None
        )
        records, uncounted = self._records(thing.origin)
        change, uses = self.material.changes.get(thing.origin), self.material.uses.get(thing.origin, ())
        entry = HandbookEntry(
            address,
            kind.name,
            self._title(thing),
            thing.standing,
            self.show(identity),
            description_text,
            self.show(self.material.owners.get(thing.origin, "")),
            thing.place,
            thing.parent,
            tuple(self.children.get(address, ())),
            tuple(self.refers.get(address, ())),
            tuple(self.perhaps.get(address, ())),
            tuple(self.used_by.get(address, ())),
            tuple(self._mentions(address, uses)),
            tuple(dict.fromkeys(self.show(use.where) for use in uses if use.certainty == "not inspected")),
            records,
            uncounted,
            replace(change, run=self.show(change.run)) if change is not None else None,
            () if private else tuple(self._details(thing)),
            tuple(self.twins.get(address, ())),
        )
        readable = identity and entry.id == identity
        path = kind.texts.screen.replace("{id}", quote(identity, safe="")) if readable else ""
        screen = self.material.screens(path) if path else ""
        return replace(entry, marks=frozenset(self._marks(entry, thing)), screen=screen)

    def _title(self, thing: _Thing) -> str:
        """Return what people call the object; of those that may be people, only the key."""
        if thing.kind.reading.mostly_unmanaged:
            return key_of(thing.address)
        title = self.show(called(thing.attrs)).strip() or key_of(thing.address)
        return title.replace("_", " ").capitalize() if thing.kind.variants else title

    def _marks(self, entry: HandbookEntry, thing: _Thing) -> Iterator[EntryMark]:
        """Yield the marks of an object; what came with the account is not to be used or deleted."""
        if entry.standing == "outside":
            return
        used = entry.uses or entry.mentions or self._holds(thing) or _any(self.material.impacts.get(thing.origin))
        if entry.kind in self.usable and not (used or thing.kind.given(thing.attrs) or self._untallied(entry, thing)):
            yield "unused"
        if entry.description == "":
            yield "undescribed"
        if entry.twins:
            yield "twin"

    def _holds(self, thing: _Thing) -> bool:
        """Return whether an object lists what is in it, as a group its fields."""
        inside = self.mutual.get(thing.kind.name, ())
        lists = [value for value in thing.attrs.values() if isinstance(value, list)] if inside else []
        held = (self._named(reference) for value in lists for reference in values.references(value))
        return any(address and kind_of(address) in inside for address in held)

    @cached_property
    def mutual(self) -> dict[str, frozenset[str]]:
        """By kind, the kinds that it names and that name it: a field its group, a group its fields. Who lists what is
        in it is used by that.
        """
        named = {
            name: frozenset(other for mark in kind.marked(RefTo).values() for other in mark.every)
            for name, kind in self.kinds.items()
        }
        return {
            name: frozenset(other for other in others if other != name and name in named.get(other, ()))
            for name, others in named.items()
        }

    def _untallied(self, entry: HandbookEntry, thing: _Thing) -> bool:
        """Return whether records may be at an object though others of the account were counted: the requests ended, the
        account did not tell, or no count is known for its kind.
        """
        known = thing.live is None or thing.origin in self.material.impacts
        return self.material.counted and (bool(entry.uncounted) or not known)

    @cached_property
    def usable(self) -> frozenset[str]:
        """The kinds whose objects others can name: of the others, no use says nothing."""
        marks = (mark for kind in self.kinds.values() for mark in kind.marked(RefTo).values())
        named = {name for mark in marks for name in mark.every}
        return frozenset(
            name
            for name, kind in self.kinds.items()
            if not (kind.variants or kind.reading.mostly_unmanaged)
            and (name in named or kind.identity.id_parameters.every)
        )

    def _records(self, address: str) -> tuple[tuple[str, ...], str]:
        impacts = self.material.impacts.get(address, ())
        if isinstance(impacts, str):
            return (), self.show(impacts)
        counted = [impact for impact in impacts if impact.count is not None and not impact.of]
        failed = [impact.detail for impact in impacts if impact.count is None and not impact.of]
        lines = (
            f"{'up to ' if impact.at_most and impact.count else ''}{impact.count:,} "
            f"{agreeing(impact.count, impact.noun.replace(_ON_A_LIST, ' are on it'))}"
            for impact in counted
        )
        why = next(iter(failed), "the account does not tell") if failed else ""
        return tuple(self.show(line) for line in lines), self.show(why)

    def _details(self, thing: _Thing) -> Iterator[Detail]:
        known = attributes(thing.kind.spec_of(key_of(thing.address)) or thing.kind.spec)
        for name, value in thing.attrs.items():
            attribute = known.get(name)
            if attribute is None or attribute.has(Nested) or values.is_empty(value) or self._said(thing, name, value):
                continue
            if isinstance(value, Mapping) and any(isinstance(item, bool) for item in value.values()):
                yield Detail(name, tuple(self._switched_on(value)), listed=True, switches=True)
            elif isinstance(value, Mapping) and _of_parts(value):
                yield Detail(name, tuple(self._part(key, part) for key, part in value.items()), listed=True)
            else:
                hides = attribute.hides(value)
                items = value if isinstance(value, list) else [value]
                yield Detail(name, tuple(self._piece(item, hides=hides) for item in items), isinstance(value, list))

    def _said(self, thing: _Thing, name: str, value: Value) -> bool:
        """Return whether an attribute stands elsewhere: the description, what an object is part of, and its name, where
        the heading is just that.
        """
        if name in (DESCRIPTION, self._within(thing.kind)):
            return True
        return name == thing.kind.identity.name_attribute and self.show(str(value)) == self._title(thing)

    def _part(self, key: str, value: Value) -> Piece:
        """Return a part of an object, such as a field of a custom object: its label, its type, and what else holds."""
        part = value if isinstance(value, Mapping) else {}
        labels = part.get("labels")
        label = labels.get("singular") if isinstance(labels, Mapping) else None
        more = [
            self._piece(item).text
            if name == "type"
            else f"{name.replace('_', ' ')}{'' if item is True else f' {self._piece(item).text}'}"
            for name, item in part.items()
            if name != "labels" and item is not False and not values.is_empty(item)
        ]
        title = self.show(label if isinstance(label, str) and label else key)
        return Piece(f"{title} ({', '.join(more)})" if more else title)

    def _switched_on(self, value: Mapping[str, Value]) -> Iterator[Piece]:
        """Yield what is on among switches, and what is none with its value."""
        for name, item in value.items():
            if item is True:
                yield Piece(self.show(name))
            elif item is not False:
                yield Piece(f"{self.show(name)}: {self._piece(item).text}")

    def _within(self, kind: Kind) -> str:
        nesting = self.kinds[kind.nested].nesting(kind.name) if kind.nested else None
        return nesting.parent if nesting is not None else ""

    def _piece(self, value: Value, *, hides: bool = False) -> Piece:
        if isinstance(value, Ref):
            address = self._address(value.address)
            there = self.things.get(address)
            return Piece(self._title(there) if there is not None else address, address if there is not None else "")
        if isinstance(value, RemoteId):
            return self._undeclared(value.kind, identity=value.id)
        if isinstance(value, Lookup):
            return self._undeclared(value.kind, name=value.value)
        if isinstance(value, Mapping):
            return Piece(self._members(value, lambda item: self._piece(item, hides=hides).text))
        if isinstance(value, list):
            return Piece("; ".join(self._piece(item, hides=hides).text for item in value))
        if isinstance(value, bool) or value is None:
            return Piece({True: "yes", False: "no", None: ""}[value])
        text = values.show_secrets(str(value))
        if hides and not values.has_secret(str(value)):
            text = mask(text)
        return Piece(self.show(text))

    def _members(self, value: Mapping[str, Value], say: Callable[[Value], str]) -> str:
        """Return a map in words: conditions as people say them, what has a label by that, else by its members."""
        if phrase := in_words(value, say):
            return phrase
        label = say(value["label"]) if value.get("label") else ""
        others = ", ".join(f"{name}: {say(item)}" for name, item in value.items() if not label or name != "label")
        return f"{label} ({others})" if label and others else label or others

    def _undeclared(self, kind: str, *, identity: str = "", name: str = "") -> Piece:
        """Return what stands for an object that nothing declares, by its id or its name."""
        address = self.by_id.get((kind, identity or name), "")
        if address:
            return Piece(self._title(self.things[address]), address)
        title = self.kinds[kind].title.lower() if kind in self.kinds else kind
        return Piece(f"{title} {self.show(name)}" if name else f"{a(title)} (id {self.show(identity)})")

    # --- between objects ---------------------------------------------------------------------------------------------

    @cached_property
    def by_id(self) -> dict[tuple[str, str], str]:
        """The addresses by kind and id, and by kind and name where there is one of that name."""
        names: dict[tuple[str, str], list[str]] = defaultdict(list)
        for thing in self.things.values():
            name = thing.attrs.get(thing.kind.identity.name_attribute)
            if isinstance(name, str):
                names[thing.kind.name, name].append(thing.address)
        unique = {pair: some[0] for pair, some in names.items() if len(some) == 1}
        ids = {
            (thing.kind.name, thing.live.id): thing.address for thing in self.things.values() if thing.live is not None
        }
        return {**unique, **ids}

    @cached_property
    def refers(self) -> dict[str, list[str]]:
        """What each object names, but what it is nested in."""
        refers: dict[str, list[str]] = {}
        for thing in self.things.values():
            named = dict.fromkeys(
                address
                for reference in values.references(dict(thing.attrs))
                if (address := self._named(reference)) and address not in (thing.parent, thing.address)
            )
            if named:
                refers[thing.address] = list(named)
        for thing in self.things.values():
            for use in self.material.uses.get(thing.origin, ()):
                by = self.by_id.get(use.by, "")
                if use.certainty == "used" and by and by != thing.address and thing.address not in refers.get(by, ()):
                    refers.setdefault(by, []).append(thing.address)
        return refers

    @cached_property
    def understood(self) -> frozenset[str]:
        """The objects of which everything is known: what they do not name, they do not use."""
        whole = (
            exported
            for exported in self.material.exported
            if not (exported.problem or exported.dropped or exported.partly)
        )
        return frozenset(self._address(exported.resource.address) for exported in whole)

    @cached_property
    def perhaps(self) -> dict[str, list[str]]:
        """What each object holds the number of, which may be an id or something else."""
        addresses: dict[str, list[str]] = defaultdict(list)
        for thing in self.things.values():
            for mention in self._mentions(thing.address, self.material.uses.get(thing.origin, ())):
                if mention.address:
                    addresses[mention.address].append(thing.address)
        return addresses

    def _named(self, reference: Value) -> str:
        if isinstance(reference, Ref):
            address = self._address(reference.address)
            return address if address in self.things else ""
        if isinstance(reference, RemoteId | Lookup):
            return self.by_id.get(
                (reference.kind, reference.id if isinstance(reference, RemoteId) else reference.value), ""
            )
        return ""

    @cached_property
    def used_by(self) -> dict[str, list[str]]:
        """What names each object."""
        users: dict[str, list[str]] = defaultdict(list)
        for address, named in self.refers.items():
            for user in named:
                users[user].append(address)
        return users

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """What is nested in each object, in its order."""
        children: dict[str, list[str]] = defaultdict(list)
        for thing in self.things.values():
            if thing.parent:
                children[thing.parent].append(thing.address)
        return children

    def _mentions(self, address: str, uses: Iterable[Use]) -> Iterator[Mentioned]:
        """Yield who mentions an object, but what refers to it anyway."""
        known = {*self.used_by.get(address, ()), *self.understood, address}
        for use in uses:
            if use.certainty != "not inspected":
                by = self.by_id.get(use.by, "")
                if by not in known:
                    yield Mentioned(self.show(use.where), by, use.certainty == "used")

    @cached_property
    def untold(self) -> dict[str, list[str]]:
        """What could not be read of objects that have an entry, by kind."""
        seen = self.material.snapshot
        return untold(seen, self.material.kinds, self.material.exported) if seen is not None else {}

    @cached_property
    def twins(self) -> dict[str, list[Twin]]:
        """The objects of one kind that people take for one, and that the account tells apart."""
        twins: dict[str, list[Twin]] = defaultdict(list)
        index: dict[tuple[str, str, NaturalKey], dict[str, NaturalKey]] = defaultdict(dict)
        for thing in self.things.values():
            if thing.kind.reading.mostly_unmanaged or thing.kind.variants:
                continue
            for near, key in _near(thing).items():
                index[thing.kind.name, thing.parent, near].setdefault(thing.address, key)
        for group in index.values():
            for address, key in group.items():
                known = {twin.address for twin in twins[address]}
                twins[address] += [
                    Twin(other, apart(key, theirs))
                    for other, theirs in group.items()
                    if other != address and other not in known
                ]
        return twins

    # --- a kind ------------------------------------------------------------------------------------------------------

    def _chapter(self, kind: Kind, entries: Mapping[str, HandbookEntry]) -> Chapter:
        seen = self.material.snapshot
        known = [thing for address, thing in self.things.items() if thing.kind.name == kind.name]
        absent = seen is not None and kind.name in seen.absent
        unread = seen.unknown.get(kind.name, "") if seen is not None and not absent else ""
        return Chapter(
            kind.name,
            kind.title or kind.name,
            _first_sentence(kind.spec.__doc__ or ""),
            tuple((name, attribute.description) for name, attribute in kind.attributes.items()),
            tuple(entries[thing.address] for thing in known),
            tuple(self._aside(kind, known)),
            self.show(unread),
            self.material.screens(kind.texts.page) if kind.texts.page else "",
            kind.texts.delete_warning,
            tuple(f"{self.show(line)}." for line in self.untold.get(kind.name, ())),
        )

    def _aside(self, kind: Kind, known: Sequence[_Thing]) -> Iterator[str]:
        """Yield what the account holds of a kind that has no entry, in sentences."""
        snapshot = self.material.snapshot
        if unseen := self._unseen(kind, known):
            yield unseen
        if snapshot is None:
            return
        listed = {thing.live.id for thing in known if thing.live is not None}
        rest = [live for live in snapshot.lives.get(kind.name, ()) if live.id not in listed]
        builtin = [live for live in rest if live.builtin]
        if builtin:
            yield self._came_with_it(kind, builtin)
        others = len(rest) - len(builtin)
        if others and kind.abilities.managed:
            product = kind.reading.mostly_unmanaged
            why = "made in the product, not listed here" if product else "no file can say, or needs none"
            yield f"{others:,} more: {why}."

    def _unseen(self, kind: Kind, known: Sequence[_Thing]) -> str:
        """Return why nothing is listed of a kind that the account may have anyway; "" where it was read."""
        snapshot = self.material.snapshot
        if snapshot is None:
            return "" if known else "The files declare none: what the account has of it is not known."
        if kind.name in snapshot.absent:
            return "The account does not offer it."
        if kind.name not in snapshot.lives and kind.name not in snapshot.unknown:
            return "This is not in the snapshot: what the account has of it is not known."
        return ""

    def _came_with_it(self, kind: Kind, builtin: Sequence[Live]) -> str:
        names = (self.show(called(live.attrs) or live.id) for live in builtin)
        named = f": {', '.join(names)}" if not kind.reading.mostly_unmanaged else ""
        return f"{len(builtin):,} came with the account{named}."

    def _blind(self) -> list[BlindSpot]:
        """Return what could not be looked into, each place once, as it is for the object that knows least of it; what
        has one reason together.
        """
        most: dict[tuple[str, bool], Use] = {}
        for use in (use for uses in self.material.uses.values() for use in uses if use.certainty == "not inspected"):
            place = (use.by[0], use.rows == 0)
            if place not in most or use.rows > most[place].rows:
                most[place] = use
        reasons: dict[str, list[str]] = defaultdict(list)
        for use in most.values():
            reasons[self.show(use.note)].append(self.show(use.where))
        return [BlindSpot(tuple(sorted(places)), why) for why, places in sorted(reasons.items())]


def _first_sentence(text: str) -> str:
    whole = " ".join(text.split())
    return whole[: whole.find(". ") + 1] or whole


def _tells(address: str, name: str) -> bool:
    """Return whether a key holds the address of a person that a name holds, as an export makes keys of names."""
    key = key_of(address).rpartition(".")[2]
    made = re.sub(r"_\d+$", "", key) == slug(name)
    return made or any(slug(person) in key for person in emails_in(name))


def _of_parts(value: Mapping[str, Value]) -> bool:
    return all(isinstance(part, Mapping) and "labels" in part for part in value.values())


def _near(thing: _Thing) -> Mapping[NaturalKey, NaturalKey]:
    try:
        return near_keys(thing.kind, thing.attrs)
    except STRANGE:
        return {}


def _any(impacts: Sequence[Impact] | str | None) -> bool:
    return not isinstance(impacts, str) and any(impact.count for impact in impacts or () if not impact.of)


def _safe(identity: str) -> str:
    return identity if _SIMPLE_ID.fullmatch(identity) else identity.encode("utf-8", "surrogatepass").hex()


def _outside_address(kind: str, identity: str) -> str:
    return join(kind, f"id_{_safe(identity)}")
