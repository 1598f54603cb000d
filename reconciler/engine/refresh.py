"""Reading the account: every listing once, its pages added up. What is answered in any other way than the right one is
unknown, and nothing else is; only where no other listing could be read either, a refresh ends in an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from math import ceil
from typing import NamedTuple

from reconciler.engine.drive import drive
from reconciler.engine.gather import gather
from reconciler.engine.remotes import Counted
from reconciler.model.coerce import listed
from reconciler.model.empty import NOTHING
from reconciler.model.errors import (
    AuthError,
    IncompleteListing,
    NotRecorded,
    ReconcilerError,
    Rejected,
    RemoteError,
    Unexpected,
    concerns_all,
)
from reconciler.model.http import DEFAULT_PAGE, PAGE, Remote, Request, Response, at, get, outline, page_of, shown
from reconciler.model.identity import Grammar, obeys
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Collection, Row, Tables, Unknown
from reconciler.model.paging import follow, is_full
from reconciler.model.records import mutable
from reconciler.model.snapshot import further
from reconciler.model.values import Json

MOST_PAGES = 5_000
"""Pages of one listing, at most: half a million objects, or a hundred thousand where pages have twenty."""
NO_SUCH_LISTING = (404, 405, 410)
"""What an account answers that has no such path, or none to read."""
REFUSED = (402, 403)
"""What an account answers that has such a path, and not for this key."""
NOT_RECORDED = "this is not in the snapshot"
NOT_OFFERED = "the account does not show this to programs"
NOT_ALLOWED = "the API key may not read this"
TOGETHER = 10
"""Pages that are asked for at once when the first one says how many there are: as many as there are connections."""
LINKS = "links"
"""What rows call the map of URLs below which more of an object is (section 1.7)."""
ROUNDS = 4
"""Listings may lead to further listings this often."""


class BoundIds(NamedTuple):
    """The objects of a kind that the state knows.

    `wrapper` is the key of a single answer where no others matter, for nothing has to be found by name: then they may
    be read one by one; "" where all are read. With `again`, exactly these are read once more after the first page, and
    one that is gone does not surprise.
    """

    ids: frozenset[str]
    wrapper: str = ""
    again: bool = False


class Cost(NamedTuple):
    """What one listing cost: its path, the requests that it takes to read it again as it is, rows, and whether it says
    its total. `singles` were read one by one in place of the further pages; one that is not `known` could not be read.
    """

    path: str
    requests: int
    rows: int
    total: bool
    singles: frozenset[str] = frozenset()
    page: int = PAGE
    """Rows of a page, as far as that is known."""
    known: bool = True


class Refreshed(NamedTuple):
    """The tables that were read, and what each listing cost, by table name."""

    tables: Tables
    costs: Mapping[str, Cost] = NOTHING
    asked: Mapping[str, tuple[str, ...]] = NOTHING
    """Names of the tables that each kind asked for."""


class _Listing(NamedTuple):
    rows: tuple[Row, ...]
    sides: Mapping[str, tuple[Row, ...]]
    cost: Cost

    def after(self, refused: int) -> _Listing:
        """Return the listing, found after so many requests that are refused each time."""
        return self._replace(cost=self.cost._replace(requests=self.cost.requests + refused))


class _Failed(NamedTuple):
    """A listing that could not be read, and how many requests showed it."""

    unknown: Unknown
    requests: int

    def after(self, refused: int) -> _Failed:
        """Return the same after so many further requests."""
        return self._replace(requests=self.requests + refused)


class _Page(NamedTuple):
    """What is kept of an answer."""

    rows: list[Row]
    total: int | None
    sides: Mapping[str, list[Row]]


async def refresh(
    remote: Remote, kinds: Kinds, wanted: Mapping[str, frozenset[str]], bound: Mapping[str, BoundIds] | None = None
) -> Refreshed:
    """Read what the wanted kinds need (kind -> attributes that are declared), the cheapest way: by pages, or of the
    kinds in `bound` the first page and single objects. Raises AuthError, Limited, Unreachable.
    """
    asked: dict[str, dict[Collection, None]] = {name: {} for name in wanted}
    account = _Tables({kinds[name].reading.collections[0]: known for name, known in (bound or {}).items()})
    for turn in range(ROUNDS):
        for name, declared in wanted.items():
            needed = account.needed(kinds[name], declared, first=turn == 0)
            asked[name].update(dict.fromkeys(collection.known(kinds[name].facts) for collection in needed))
        if not await account.read(remote, (collection for needed in asked.values() for collection in needed)):
            break
    tables = account.tables
    if tables.unknown and not tables.rows:
        await prove_api(remote)
    names = {name: tuple(collection.name for collection in needed) for name, needed in asked.items()}
    return Refreshed(tables, account.costs, names)


@mutable
class _Tables:
    """What was read so far, each listing once, by what is known to be in it."""

    bound: Mapping[Collection, BoundIds]
    tables: Tables = field(default_factory=Tables)
    costs: dict[str, Cost] = field(default_factory=dict)
    done: set[Collection] = field(default_factory=set)

    def needed(self, kind: Kind, declared: frozenset[str], *, first: bool) -> Iterable[Collection]:
        """Return the listings that a kind needs at first, or because of what stands in those before."""
        needed = kind.needs(declared) if first else further(kind, self.tables, declared)
        if not isinstance(needed, Unknown):
            return needed
        self.tables = self.tables.merged(Tables(unknown={kind.reading.collections[0].name: needed}))
        return ()

    async def read(self, remote: Remote, collections: Iterable[Collection]) -> bool:
        """Read the listings that were not read yet, together; return whether there were any."""
        fresh = [collection for collection in dict.fromkeys(collections) if collection not in self.done]
        self.done.update(fresh)
        outcomes = await gather(_read(remote, collection, self.bound.get(collection)) for collection in fresh)
        for collection, outcome in zip(fresh, outcomes, strict=True):
            if isinstance(outcome, _Failed):
                self.tables = self.tables.merged(Tables(unknown={collection.name: outcome.unknown}))
                cost = Cost(collection.path, outcome.requests, 0, total=False, known=False)
            else:
                self.tables = self.tables.merged(Tables(rows={collection.name: outcome.rows, **outcome.sides}))
                cost = outcome.cost
            self.costs[collection.name] = cost
        return bool(fresh)


async def prove_api(remote: Remote) -> None:
    """Tell a key that is refused altogether from one that lacks permissions, and an address
    without the API from an account without the feature. Raises AuthError or RemoteError for the former.
    """
    request = get("/users/me")
    try:
        (await remote.send(request))._replace(request=str(request)).object_in("user")
    except (Rejected, Unexpected) as error:
        if isinstance(error, Rejected) and error.status >= 500:
            raise
        raise RemoteError(
            f"there is no ActiveCampaign API at this address: {error.message}",
            hint="check `url`: it is the API URL from Settings > Developer",
        ) from error


async def read_listing(remote: Remote, collection: Collection) -> Sequence[Row] | Unknown:
    """Return the rows of one listing, or why nothing can be said about it. Raises what `refresh` raises."""
    listing = await _read(remote, collection)
    return listing.unknown if isinstance(listing, _Failed) else listing.rows


class _Elsewhere(IncompleteListing):
    """A listing that lists something else: what is looked for may be at another path."""


class _Strange(IncompleteListing):
    """A row of a listing is not an object: what it holds is unknown, and so is the kind; the rest can be planned."""


async def _read(remote: Remote, collection: Collection, bound: BoundIds | None = None) -> _Listing | _Failed:
    """Read one listing; a second time if its pages do not add up, for it may have changed in between."""
    refused = 0
    try:
        for attempt in (1, 2):
            counted = Counted(remote)
            try:
                return await _once(counted, collection, bound)
            except IncompleteListing:
                if attempt == 2:
                    raise
            finally:
                refused += counted.sent
    except (AuthError, RemoteError) as error:
        if concerns_all(error):
            raise
        if collection.fallback is not None and isinstance(error, AuthError | Rejected | _Elsewhere):
            other = (await _read(remote, collection.fallback)).after(refused)
            if isinstance(other, _Listing) or _is_missing(error):
                return other
            refused = other.requests
        return _Failed(_unknown(collection, error), refused)
    raise AssertionError("unreachable")


async def _once(counted: Counted, collection: Collection, bound: BoundIds | None) -> _Listing:
    """Read one listing, with what it costs to read it again."""
    listing = await _single(counted, collection) if collection.single else await _pages(counted, collection, bound)
    return listing._replace(cost=listing.cost._replace(requests=counted.sent))


def _is_missing(error: ReconcilerError) -> bool:
    return isinstance(error, Rejected) and error.status in NO_SUCH_LISTING and not isinstance(error, NotRecorded)


def _unknown(collection: Collection, error: ReconcilerError) -> Unknown:
    """Return what a listing that was not answered rightly means: whatever it is, it is said and never empty."""
    if isinstance(error, NotRecorded):
        return Unknown(NOT_RECORDED, general=NOT_RECORDED)
    if isinstance(error, Rejected) and _is_missing(error):
        reason = f"the account has no {collection.path} ({error.status})"
        return Unknown(reason, forbidden=False, general=NOT_OFFERED)
    refused = isinstance(error, AuthError) or (isinstance(error, Rejected) and error.status in REFUSED)
    hint = error.hint if refused else ""
    if collection.optional and not isinstance(error, AuthError | Unexpected | _Strange):
        named = collection.path in error.message
        reason = error.message if named else f"GET {collection.path}: {error.message}"
        return Unknown(reason, forbidden=False, hint=hint, general=NOT_ALLOWED if refused else "")
    return Unknown(error.message, hint=hint, general=NOT_ALLOWED if refused else "")


async def _single(remote: Remote, collection: Collection) -> _Listing:
    request = get(collection.path)
    row = (await remote.send(request))._replace(request=str(request)).object_in(collection.key)
    return _Listing((row,), {}, Cost(collection.path, 1, 1, total=False))


async def _pages(remote: Remote, collection: Collection, bound: BoundIds | None) -> _Listing:
    """Read all pages, or the first one and single objects where that is cheaper and shows all that matters."""
    first = _page(collection, await remote.send(_asked(collection, 0)))
    total, size = first.total, len(first.rows)
    # A short page with a greater total is not a long listing but a wrong one.
    if bound is not None and bound.wrapper and total is not None and size < total and size in (PAGE, DEFAULT_PAGE):
        listing = await _some(remote, collection, bound, first.rows, total)
        if listing is not None:
            return listing
    pages = [first, *await _further(remote, collection, first, bound.ids if bound is not None else frozenset())]
    rows = [row for page in pages for row in page.rows]
    _add_up(collection, rows, [page.total for page in pages])
    sides = _sides(collection, pages)
    page = size if len(rows) > size else PAGE
    return _Listing(tuple(rows), sides, Cost(collection.path, len(pages), len(rows), total is not None, page=page))


async def _further(remote: Remote, collection: Collection, first: _Page, bound: frozenset[str]) -> list[_Page]:
    """Return the pages after the first: with a total, they are asked for together; without one, until a page is short.

    Where the total is that of a full page, and bound objects are not on it, the next page shows whether they are gone
    or the total is that of the page alone.
    """
    total, size = first.total, len(first.rows)
    if total is None:
        return await _more(remote, collection, first.rows) if collection.paging != "none" else []
    if 0 < size < total:
        return await _announced(remote, collection, first.rows, total)
    if total == size and is_full(size) and bound - _by_id(collection, first.rows).keys():
        return [await _sent(remote, collection, size, size)]
    return []


async def _announced(remote: Remote, collection: Collection, first: list[Row], total: int) -> list[_Page]:
    """Return the pages after the first up to the announced total: ten, twenty, forty and so on together, so that a
    wrong total costs no more than twice what is there, or ten. They end where one is empty or the first one again.
    """
    size, offset, turn = len(first), len(first), TOGETHER
    pages: list[_Page] = []
    while offset < total and len(pages) < MOST_PAGES:
        turn = min(turn, MOST_PAGES - len(pages))
        asked = range(offset, min(total, offset + turn * size), size)
        fresh = await gather(_sent(remote, collection, begin, size) for begin in asked)
        pages += fresh
        if any(page.rows in ([], first) for page in fresh):
            break
        offset, turn = asked[-1] + size, turn * 2
    return pages


async def _sent(remote: Remote, collection: Collection, begin: int, size: int) -> _Page:
    """Ask for a page, and let go of the answer when what is kept of it is known: pages come by the hundred."""
    return _page(collection, await remote.send(_asked(collection, begin, size)))


async def _some(
    remote: Remote, collection: Collection, bound: BoundIds, first: list[Row], total: int
) -> _Listing | None:
    """Return the first page and the single objects that are not on it, where that is cheaper than the other pages.

    None where it is not, or where one is gone: its namesake has to be looked for among all.
    """
    listed = _by_id(collection, first)
    ids = sorted(bound.ids if bound.again else bound.ids - listed.keys())
    if len(ids) >= ceil(total / len(first)) - 1 and not bound.again:
        return None
    alive = await _one_by_one(remote, collection, ids, bound.wrapper)
    gone = set(ids) - alive.keys()
    if gone and not bound.again:
        return None
    rows = tuple(row for identity, row in (listed | alive).items() if identity not in gone)
    return _Listing(rows, {}, Cost(collection.path, 1 + len(ids), total, total=True, singles=frozenset(ids)))


def _by_id(collection: Collection, rows: list[Row]) -> dict[str, Row]:
    return {str(row.get(collection.identity)): row for row in rows}


async def _one_by_one(remote: Remote, collection: Collection, ids: Sequence[str], wrapper: str) -> dict[str, Row]:
    """Return the objects that exist of these, by id."""
    answers = await gather(
        remote.send(Request("GET", at(collection.path, identity), expect=(404,))) for identity in ids
    )
    rows = [answer.object_in(wrapper) if answer.ok else {} for answer in answers]
    return {
        identity: row for identity, row in zip(ids, rows, strict=True) if str(row.get(collection.identity)) == identity
    }


async def _more(remote: Remote, collection: Collection, first: list[Row]) -> list[_Page]:
    """Return the further pages of a listing without a total: until one is short.

    An endpoint that knows no paging answers everything each time. That shows where it sends another number of rows
    than it was asked for; exactly a full page again does not prove that this is all, and does not add up.
    """
    pages: list[_Page] = []
    size = len(first)

    def after(answer: Response, offset: int) -> int | None:
        pages.append(_page(collection, answer))
        rows = pages[-1].rows
        return offset + len(rows) if rows != first and _goes_on(len(rows)) else None

    if _goes_on(size):
        following = follow(lambda offset: _asked(collection, offset, size), after, begin=size, most=MOST_PAGES)
        await drive(following, remote, sleep=asyncio.sleep)
    if pages and pages[-1].rows == first:
        *before, again = pages
        return before if len(before[-1].rows if before else first) != PAGE else [again]
    return pages


def _goes_on(rows: int) -> bool:
    """Return whether more may follow a page: an endpoint that sends more than it was asked for sends full hundreds."""
    return rows > 0 and (rows % PAGE == 0 or is_full(rows))


def _asked(collection: Collection, offset: int, size: int = PAGE) -> Request:
    """Return the request of the page that begins at this row, where the first one had `size` rows."""
    if collection.paging == "none":
        return Request("GET", collection.path, collection.query)
    if collection.paging == "page":
        place = (("page", str(offset // size + 1)), ("page_size", str(PAGE)))
        return Request("GET", collection.path, (*collection.query, *place))
    return page_of(collection.path, offset, collection.query)


def _page(collection: Collection, answer: Response) -> _Page:
    """Return an answer with its rows. Raises IncompleteListing where it has no such array at all."""
    body = answer.body if isinstance(answer.body, dict) else {}
    rows = body.get(collection.key, body.get(collection.alias) if collection.alias else None)
    items = listed(rows) if rows not in (None, "") else None
    if items is None:
        raise _Elsewhere(
            f"GET {collection.path} answered without its `{collection.key}` array: got {outline(answer.body)}",
            hint="check that `url` is the API of an ActiveCampaign account",
        )
    objects = [row for row in items if isinstance(row, dict)]
    strange = len(items) - len(objects)
    if strange:
        raise _Strange(
            f"the listing GET {collection.path} does not add up: {strange} of its {len(items)} rows "
            f"{'is not an object' if strange == 1 else 'are not objects'}",
            hint="what stands there cannot be determined; nothing of this kind is planned",
        )
    _told(collection, objects)
    _identified(collection, collection.key, objects, collection.identity, grammar=collection.ids)
    total = answer._replace(request=f"GET {collection.path}").total()
    sides = {name: side for name in collection.sides if (side := _side(collection, body, name)) is not None}
    return _Page(_lean(objects), total, {name: _lean(side) for name, side in sides.items()})


def _told(collection: Collection, rows: Sequence[Row]) -> None:
    """Raise unless each membership says of what it is one: of a row that does not, it is unknown whose it is."""
    if not collection.tells:
        return
    mute = [row for row in rows if any(not row.keys() & set(names) for names in collection.tells)]
    if mute:
        lacking = next(names for names in collection.tells if not mute[0].keys() & set(names))
        raise _Strange(
            f"the listing GET {collection.path} does not add up: {len(mute)} of its {len(rows)} rows "
            f"{'has' if len(mute) == 1 else 'have'} no {' or '.join(f'`{name}`' for name in lacking)}",
            hint="what stands there cannot be determined",
        )


def _lean(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without the map of links that each has, a third of it, which lead to the sub-resources of the
    object and which no kind reads (they follow from its id); texts that are the same are one.
    """
    texts: dict[Json, Json] = {}
    return [
        {
            name: texts.setdefault(value, value) if value.__class__ is str else value
            for name, value in row.items()
            if name != LINKS or not isinstance(value, dict)
        }
        for row in rows
    ]


def _identified(
    collection: Collection, key: str, rows: Iterable[Row], name: str, *, grammar: Grammar = "number"
) -> None:
    """Raise unless the ids of these rows can be ids (section 1.4): what else stands there leads to another object, or
    to none. Rows without an id only tell something of others.
    """
    wrong = [row[name] for row in rows if name in row and not obeys(row[name], grammar)]
    if wrong:
        raise _Strange(
            f"GET {collection.path} answered with {'an id' if len(wrong) == 1 else f'{len(wrong)} ids'} in its `{key}` "
            f"that {'is' if len(wrong) == 1 else 'are'} none: expected a {grammar}, "
            f"got {shown(wrong[0])}",
            hint="what stands there cannot be determined; nothing of this kind is planned",
        )


def _sides(collection: Collection, pages: Sequence[_Page]) -> dict[str, tuple[Row, ...]]:
    """Return what came along with the pages of a listing, each row once."""
    return {
        side: _unique(row for page in pages for row in page.sides.get(side, ()))
        for side in collection.sides
        if any(side in page.sides for page in pages)
    }


def _side(collection: Collection, body: Mapping[str, Json], side: str) -> list[Row] | None:
    """Return the rows that came along, None without any. What is not an array of objects is as strange as a listing
    that is none.
    """
    rows = body.get(side)
    if rows in (None, ""):
        return None
    items = listed(rows)
    objects = [row for row in items or () if isinstance(row, dict)]
    if items is None or len(objects) < len(items):
        raise _Strange(f"GET {collection.path} answered with `{side}` that is not an array of objects: {shown(rows)}")
    _identified(collection, side, objects, "id")
    return [*objects]


def _unique(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Drop rows that came along with several pages."""
    return tuple({str(row.get("id")): row for row in rows}.values())


def _add_up(collection: Collection, rows: list[Row], totals: list[int | None]) -> None:
    """Raise IncompleteListing unless rows are unique and as many as every page announced."""
    ids = [str(row.get(collection.identity)) for row in rows]
    announced = {total for total in totals if total is not None}
    if len(set(ids)) != len(ids):
        twice = len(ids) - len(set(ids))
        problem = f"{twice} object{'s' if twice != 1 else ''} came twice"
    elif announced and announced != {len(rows)}:
        problem = f"it announced {' and '.join(str(total) for total in sorted(announced))} objects and sent {len(rows)}"
    else:
        return
    raise IncompleteListing(
        f"the listing GET {collection.path} does not add up: {problem}",
        hint="nothing was planned or changed; another user may be editing the account: try again",
    )
