"""Customer records that a plan takes away: which changes lose them, and reading them before."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from reconciler.engine.drive import drive
from reconciler.model.archive import ArchiveSpec
from reconciler.model.coerce import number
from reconciler.model.errors import IncompleteListing, Refused, Unexpected
from reconciler.model.http import Remote, Request, Response, filled, get, is_id
from reconciler.model.kind import Kinds
from reconciler.model.paging import follow
from reconciler.model.plan import DESTROYS, Change, Plan, parent_of
from reconciler.model.records import record


@record
class ArchiveReading:
    """Records of an object: what is kept of them, the requests it took, and whether they are surely the object's."""

    records: list[dict[str, Any]]
    requests: int
    verified: bool = True


def losing(plan: Plan, kinds: Kinds) -> list[tuple[Change, str, ArchiveSpec]]:
    """Return the changes that take customer records away, with the id of the object and how they are read. What goes
    with its parent is among the parent's.
    """
    gone, archived = plan.to_destroy, []
    for change in plan.changes:
        salvage = kinds[change.kind].abilities.salvage
        loses = change.action in DESTROYS or any(impact.effect == "lost" for impact in change.impacts)
        if salvage is None or change.live is None or not loses or parent_of(change, kinds, gone):
            continue
        archived.append((change, change.live.id, salvage))
    return archived


async def read_records(remote: Remote, salvage: ArchiveSpec, identity: str, budget: int) -> ArchiveReading:
    """Return the records of an object. Raises Refused when that takes more requests than `budget`."""
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    spent, whole = 0, False

    def ask(offset: int) -> Request:
        nonlocal spent
        if spent >= budget:
            raise Refused(
                "the requests that the archive may take are used up; nothing was changed",
                hint="allow more with --archive-requests N",
            )
        spent += 1
        return salvage.page(identity, offset, whole=whole)

    def after(answer: Response, offset: int) -> int | None:
        nonlocal whole
        if not answer.ok:
            whole = True
            return offset
        page, total = _rows(answer, salvage.key)
        fresh = [row for row in page if str(row.get("id")) not in seen]
        seen.update(str(row.get("id")) for row in fresh)
        rows.extend(salvage.kept(row) for row in fresh if salvage.mine(identity, row))
        if (total is not None and len(seen) >= total) or (total is None and not fresh):
            return None
        if not fresh:
            raise IncompleteListing(
                f"{answer.request} announced {total} records and showed {len(seen)}; nothing was changed",
                hint="another user may be editing the account: try again",
            )
        return len(seen)

    await drive(follow(ask, after, most=budget + 1), remote, sleep=asyncio.sleep)
    read = ArchiveReading(rows, spent)
    return read if salvage.total is None else await _verified(remote, salvage, identity, read)


def _rows(answer: Response, key: str) -> tuple[list[dict[str, Any]], int | None]:
    """Return the rows of a page, and how many it says that there are: an answer without rows does not prove that there
    are none.
    """
    try:
        rows, total = answer.listed(key), answer.total()
        if not all(is_id(row.get("id")) for row in rows):
            raise answer.other("an id in each row")
    except Unexpected as error:
        raise IncompleteListing(f"{error.message}; nothing was changed", hint=error.hint) from error
    return rows, total


async def _verified(remote: Remote, salvage: ArchiveSpec, identity: str, read: ArchiveReading) -> ArchiveReading:
    """An account that ignores the filter shows all. The object's own number proves that it did not, and so does
    a listing without the filter that has more; that number may be late, and counts by rules of its own.
    """
    path, wrapper, name = salvage.total or ("", "", "")
    answer = await remote.send(get(filled(path, identity)))
    if number(answer.row(wrapper).get(name)) == len(read.records):
        return replace(read, requests=read.requests + 1)
    request = get(salvage.path, limit="1")
    whole = (await remote.send(request))._replace(request=str(request)).total()
    return replace(read, requests=read.requests + 2, verified=whole is not None and whole > len(read.records))
