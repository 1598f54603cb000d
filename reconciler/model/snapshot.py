"""What the account held when it was read: live objects by kind, and the kinds about which nothing can be said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from reconciler.model.address import abridged
from reconciler.model.empty import NOTHING
from reconciler.model.grammar import a
from reconciler.model.http import shown
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import STRANGE, Collection, Live, Row, Tables, Unknown, odd
from reconciler.model.values import encode


class UnreadParts(NamedTuple):
    """What is not known of some objects (their ids), with the reason: a listing beside theirs could not be read (one of
    `paths`).
    """

    reason: str
    ids: frozenset[str]
    paths: frozenset[str] = frozenset()

    def line(self, kind: str, name: str, then: str = "", about: Set[str] = frozenset()) -> str:
        """Return a line that names the attribute `name` of a kind as unread, with what that means (`then`) and for
        which objects.
        """
        listed = f" ({abridged(sorted(about))})" if about else ""
        return f"{kind}: `{name}` could not be read: {self.reason}{then}{listed}"


class Snapshot(NamedTuple):
    """Live objects by kind. A kind in `unknown` (with the reason) could not be read: never the same as empty. Those of
    them that the account has no listing for at all are in `absent`. In `unread` are the attributes, or settings, of
    which that is so though their kind was read: kind -> attribute -> of which objects. No object there has a value.
    """

    lives: Mapping[str, Sequence[Live]] = NOTHING
    unknown: Mapping[str, str] = NOTHING
    absent: frozenset[str] = frozenset()
    unread: Mapping[str, Mapping[str, UnreadParts]] = NOTHING

    def untold(self, live: Live) -> dict[str, str]:
        """Return the attributes of an object that could not be read, with the reason."""
        unread = self.unread.get(live.kind, {})
        return {name: missing.reason for name, missing in unread.items() if live.id in missing.ids}


def snapshot(kinds: Kinds, reads: Mapping[str, frozenset[str]], tables: Tables) -> Snapshot:
    """Return the snapshot of these kinds, each with the attributes that were asked for, decoded from what was read."""
    lives: dict[str, Sequence[Live]] = {}
    unknown: dict[str, str] = {}
    absent = set()
    for name in reads:
        try:
            why = kinds[name].unreadable(tables)
            lives |= {} if why else {name: kinds[name].lives(tables)}
        except STRANGE as error:
            row = _culprit(kinds[name], tables)
            path = kinds[name].reading.collections[0].path
            unknown[name] = _nameless(kinds[name], kinds, row) or odd(path, error, row).reason
            continue
        if why:
            unknown[name] = why
            missing = [
                tables.unknown[collection.name]
                for collection in kinds[name].reading.collections
                if collection.name in tables.unknown
            ]
            if missing and not any(unknown.forbidden for unknown in missing):
                absent.add(name)
    unread = {
        name: parts
        for name, objects in lives.items()
        if tables.unknown and (parts := _unread(kinds[name], reads[name], objects, tables))
    }
    return Snapshot(lives, unknown, frozenset(absent), unread)


def _unread(kind: Kind, declared: frozenset[str], lives: Sequence[Live], tables: Tables) -> dict[str, UnreadParts]:
    """Return what the listings beside the one with the objects would have told, and of which objects nothing else does.

    Of several that failed, the reason of one that is forbidden is told: there is something to do about that.
    """
    more = further(kind, tables, declared)
    asked = [*kind.needs(declared), *(() if isinstance(more, Unknown) else more)]
    failed: dict[str, list[tuple[Collection, Unknown]]] = {}
    for collection in asked:
        if (why := tables.unknown.get(collection.name)) is not None:
            for name in collection.feeds:
                failed.setdefault(name, []).append((collection, why))
    unread = {}
    for name, causes in failed.items():
        ids = _lacking(kind, name, lives, {collection.of for collection, _ in causes})
        if ids:
            _, why = next((cause for cause in causes if cause[1].forbidden), causes[0])
            paths = frozenset(
                path for collection, _ in causes for path in collection.paths if collection.of in {"", *ids}
            )
            unread[name] = UnreadParts(f"{why.reason}: {why.hint}" if why.hint else why.reason, ids, paths)
    return unread


def _lacking(kind: Kind, name: str, lives: Sequence[Live], about: Set[str]) -> frozenset[str]:
    """Return the ids of the objects without an attribute: of these, or of all where one of them is ""."""
    if name in kind.variants:
        return frozenset({name} - {live.id for live in lives})
    return frozenset(
        live.id
        for live in lives
        if not live.builtin and name in kind.attributes and name not in live.attrs and ("" in about or live.id in about)
    )


def further(kind: Kind, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...] | Unknown:
    """Return the listings that a kind needs because of what stands in those before (see `Kind.more`); what is known of
    the kind where that is of no type that was seen there before.
    """
    try:
        return kind.more(tables, declared)
    except STRANGE as error:
        return odd(kind.reading.collections[0].path, error)


def _culprit(kind: Kind, tables: Tables) -> Row | None:
    """Return the first row that cannot be decoded by itself; None where they fail together only."""
    for row in tables.get(kind.reading.collections[0].name):
        try:
            kind.lives(tables.merged(Tables(rows={kind.reading.collections[0].name: (row,)})))
        except STRANGE:
            return row
    return None


def _nameless(kind: Kind, kinds: Kinds, row: Row | None) -> str:
    """Return what to say of a row that has no id, "" where that is not what is wrong with it. What is listed with
    something else is read from the listing of that.
    """
    primary = kind.reading.collections[0]
    if row is None or row.get(primary.identity) not in (None, ""):
        return ""
    names = abridged([shown(name) for name in row]) or "nothing"
    name, what = primary.identity, kinds.get(kind.nested or "", kind).title.lower()
    return (
        f"GET {primary.path} lists {a(what)} without an id: expected a {primary.ids} as `{name}` in every row of "
        f"`{primary.key}`, got a row with {names}; which object it is cannot be determined; its kind is not planned"
    )


def fingerprint(live: Live) -> str:
    """Return the SHA-256 (hex) of an object in normal form, by which a saved plan notices that it moved."""
    content = [live.kind, live.id, encode(dict(live.attrs))]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
