"""Who uses what a plan is about to delete: automations, forms, segments, campaigns and contents that mention it.

Reads only, and no more requests than the budget allows. What could not be read is said, never taken for "no use".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from reconciler.engine.refresh import read_listing
from reconciler.engine.remotes import Budget
from reconciler.model.errors import ReconcilerError, RemoteError
from reconciler.model.grammar import a
from reconciler.model.http import Remote, at, get
from reconciler.model.kind import Kinds
from reconciler.model.live import STRANGE, Row, Unknown, odd
from reconciler.model.mention import Mention
from reconciler.model.plan import DESTROYS, Change, Plan
from reconciler.model.usage import Certainty, Place, Use, leaves

SHOWN = 10
"""Uses that are told one by one; of more, the number."""
NOWHERE = "\0"
"""An id that no object has."""


async def who_uses(plan: Plan, remote: Remote, kinds: Kinds, places: Iterable[Place], *, budget: int) -> Plan:
    """Return the plan with the uses of everything that goes, or changes a name by which others know it."""
    wanted = {change.address: mention for change in plan.changes if (mention := _mention(change, kinds)) is not None}
    if not wanted:
        return plan
    left = Budget(remote, budget, lambda: RemoteError("the request budget for looking for uses is used up"))
    uses = await uses_of(wanted, left, places)
    changes = tuple(change._replace(uses=tuple(_abridged(uses.get(change.address, {})))) for change in plan.changes)
    return plan._replace(changes=changes)


async def uses_of(
    wanted: Mapping[str, Mention], remote: Remote, places: Iterable[Place]
) -> dict[str, dict[Place, list[Use]]]:
    """Return what mentions each of these objects, by the place where it stands, and what could not be looked into. The
    places are read once for all of them.
    """
    uses: dict[str, dict[Place, list[Use]]] = {address: {} for address in wanted}
    for place in places:
        about = {a: mention for a, mention in wanted.items() if not place.about or mention.kind in place.about}
        if not about:
            continue
        for address, seen in (await _look(place, remote, about)).items():
            uses[address][place] = seen
    return uses


def nowhere_looked(kinds: Mapping[str, str], places: Iterable[Place], why: str) -> dict[str, list[Use]]:
    """Return the uses of objects, by address with the kind of each, where no account was asked: none is known."""
    uses: dict[str, list[Use]] = {address: [] for address in kinds}
    for place in places:
        about = [address for address, kind in kinds.items() if not place.about or kind in place.about]
        for address, unseen in _unseen(place, about, why).items():
            uses[address] += unseen
    return uses


def _abridged(uses: Mapping[Place, Sequence[Use]]) -> Iterator[Use]:
    """Yield the uses of an object with the first ones of each place by name, and the number of the others."""
    for place, seen in uses.items():
        inspected = [use for use in seen if use.certainty != "not inspected"]
        yield from inspected[:SHOWN]
        if len(inspected) > SHOWN:
            yield Use(f"{len(inspected) - SHOWN} more {place.title}s")
        yield from (use for use in seen if use.certainty == "not inspected")


def _mention(change: Change, kinds: Kinds) -> Mention | None:
    """Return how others name an object that goes, or whose name in their contents changes."""
    kind = kinds[change.kind]
    if change.live is None or (change.action not in DESTROYS and not kind.identity.content_names & change.changed):
        return None
    mention = kind.mention(change.live)
    return mention if mention is None or change.action in DESTROYS else mention._replace(keys=frozenset())


async def _look(place: Place, remote: Remote, about: Mapping[str, Mention]) -> dict[str, list[Use]]:
    """Return the uses in one place by address."""
    try:
        rows = await read_listing(remote, place.collection)
        if isinstance(rows, Unknown):
            return _unseen(place, about, rows.general or rows.reason)
        names = await _names(remote, place)
        if place.detail:
            rows = [await _whole(remote, place, row) for row in rows]
        searched = [Searched(place, row) for row in rows]
        return {address: _uses(place, searched, names, mention) for address, mention in about.items()}
    except ReconcilerError as error:
        why = error.message
    except STRANGE as error:
        why = odd(place.collection.path, error).reason
    return _unseen(place, about, why)


def _unseen(place: Place, about: Iterable[str], why: str) -> dict[str, list[Use]]:
    return {address: [Use(f"{place.title}s", "not inspected", why, by=(place.title, ""))] for address in about}


async def _names(remote: Remote, place: Place) -> dict[str, str]:
    """Return the names of what the rows belong to; without them, ids have to do."""
    if place.names is None:
        return {}
    try:
        rows = await read_listing(remote, place.names)
    except ReconcilerError:
        return {}
    if isinstance(rows, Unknown):
        return {}
    return {str(row.get("id")): str(row.get(place.label) or "") for row in rows}


async def _whole(remote: Remote, place: Place, row: Row) -> Row:
    """Return a row with what only its own page tells."""
    answer = await remote.send(get(at(place.detail, row.get("id"))))
    return {**row, "_whole": answer.body}


class Searched:
    """A row of a place in which many objects are looked for: its texts are taken out of it once. Where it holds neither
    the id of an object nor one of its texts, every object of the kind is found as little as one that is nowhere.
    """

    def __init__(self, place: Place, row: Row) -> None:
        self.place, self.row = place, place.spelled(row)
        self._texts = frozenset(text for _, text in leaves(self.row))
        self._whole = "\n".join(self._texts)
        self._nowhere: dict[tuple[str, frozenset[str]], Certainty | Literal[""]] = {}

    def finds(self, mention: Mention) -> Certainty | Literal[""]:
        """Return what the place says of the row and the object."""
        if mention.id in self._texts or any(text in self._whole for text in mention.texts):
            return self.place.finds(self.row, mention)
        sort = (mention.kind, mention.keys)
        if sort not in self._nowhere:
            self._nowhere[sort] = self.place.finds(self.row, mention._replace(id=NOWHERE, texts=()))
        return self._nowhere[sort]


def _uses(place: Place, rows: Iterable[Searched], names: Mapping[str, str], mention: Mention) -> list[Use]:
    by_place: dict[str, Use] = {}
    unseen: Counter[str] = Counter()
    for searched in rows:
        row, certainty = searched.row, searched.finds(mention)
        if certainty == "not inspected":
            unseen[str(row.get(place.sort) or "unknown")] += 1
        elif certainty:
            identity = str(row.get(place.owner) if place.owner else row.get("id"))
            where = _where(place, row, identity, names)
            if where not in by_place or certainty == "used":
                by_place[where] = Use(where, certainty, by=(place.title, identity))
    uses = list(by_place.values())
    if unseen:
        sorts = ", ".join(f"{count} `{sort}`" for sort, count in sorted(unseen.items())) if place.sort else ""
        count = unseen.total()
        part = f"{place.title} blocks" if place.sort else f"{count} {place.title}{'s' if count > 1 else ''}"
        note = "what they hold is not known" + (f": {sorts}" if sorts else "")
        uses.append(Use(part, "not inspected", note, by=(place.title, ""), rows=count))
    return uses


def _where(place: Place, row: Row, identity: str, names: Mapping[str, str]) -> str:
    name: Any = names.get(identity) if place.owner else _labelled(row, place.label)
    return f"{place.title} `{name}`" if name else f"{a(place.title)} (id {identity})"


def _labelled(row: Row, label: str) -> Any:
    attributes = row.get("attributes")
    return row.get(label) or (attributes.get(label) if isinstance(attributes, dict) else None) or row.get("name")
