"""Customer records that a plan takes away, written to files before its first step.

One NDJSON file for each object that loses any, below a folder with the name of the run: a head, then a record a line.
Files are readable by their owner only, and encrypted where the environment has recipients. Records go into these files
and nowhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

from reconciler.model.errors import IncompleteListing, ReconcilerError, Refused, Unexpected
from reconciler.model.http import Remote, Request, Response, filled, get, is_id
from reconciler.model.kind import Kinds
from reconciler.model.plan import DESTROYS, Change, Plan, parent_of
from reconciler.model.salvage import Salvage
from reconciler.model.spec import number
from reconciler.resources.counts import total_of
from reconciler.store.atomic import write_file
from reconciler.store.encryption import Seal
from reconciler.workflow.session import Session

BUDGET = 1000
"""Requests that an archive may take, where nothing else is said; 200 seconds at the limit of the account."""
FORMAT = "1.0"


@dataclass(frozen=True, slots=True)
class Archive:
    """Where to, and with how many requests at most."""

    folder: Path
    budget: int = BUDGET


@dataclass(frozen=True, slots=True)
class Archived:
    """What was archived: the folder of the run (empty: nothing goes), how many records, the requests as announced."""

    folder: str = ""
    records: int = 0
    forecast: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """Records of an object: what is kept of them, the requests it took, and whether they are surely the object's."""

    records: list[dict[str, Any]]
    requests: int
    verified: bool = True


def losing(plan: Plan, kinds: Kinds) -> list[tuple[Change, str, Salvage]]:
    """Return the changes that take customer records away, with the id of the object and how they are read. What goes
    with its parent is among the parent's.
    """
    gone, found = plan.doomed, []
    for change in plan.changes:
        salvage = kinds[change.kind].abilities.salvage
        loses = change.action in DESTROYS or any(impact.effect == "lost" for impact in change.impacts)
        if salvage is None or change.live is None or not loses or parent_of(change, kinds, gone):
            continue
        found.append((change, change.live.id, salvage))
    return found


def requests_for(plan: Plan, kinds: Kinds, archive: Archive) -> int:
    """Return how many requests the archive takes, as far as the plan counted the records. Raises Refused where the
    budget does not allow them.
    """
    needed = 0
    for change, _, salvage in losing(plan, kinds):
        count = max((impact.count or 0 for impact in change.impacts if impact.effect == "lost"), default=0)
        needed += salvage.requests(count)
    if needed > archive.budget:
        raise Refused(
            f"the archive takes about {needed:,} requests, and may take {archive.budget:,}; nothing was changed",
            hint=f"--archive-requests {ceil(needed * 1.1)}",
        )
    return needed


async def archive_losses(session: Session, plan: Plan, remote: Remote, archive: Archive, run: str) -> Archived:
    """Write what the plan takes away, a file for each object.

    Raises Refused where the budget ends, and whatever a read raises: nothing was written to the account then.
    """
    place, left, records = archive.folder / run, archive.budget, 0
    going = losing(plan, session.kinds)
    forecast = requests_for(plan, session.kinds, archive)
    for change, identity, salvage in going:
        read = await read_records(remote, salvage, identity, left)
        left -= read.requests
        records += len(read.records)
        head = {
            "format_version": FORMAT,
            "run": run,
            "account": session.identity,
            "address": change.address,
            "kind": change.kind,
            "id": identity,
            "action": change.action,
            "records": len(read.records),
            "verified": read.verified,
        }
        _write(place / f"{change.address}.ndjson", [head, *read.records], session)
    return Archived(str(place), records, forecast) if going else Archived()


async def read_records(remote: Remote, salvage: Salvage, identity: str, budget: int) -> Reading:
    """Return the records of an object. Raises Refused when that takes more requests than `budget`."""
    rows: list[dict[str, Any]] = []
    seen: set[str] = set()
    spent, everybody = 0, False
    while True:
        if spent >= budget:
            raise Refused(
                "the requests that the archive may take are used up; nothing was changed",
                hint="allow more with --archive-requests N",
            )
        request = salvage.page(identity, len(seen), everybody=everybody)
        answer = await remote.send(request)
        spent += 1
        if not answer.ok:
            everybody = True
            continue
        fresh = [row for row in _rows(request, answer, salvage.key) if str(row.get("id")) not in seen]
        seen |= {str(row.get("id")) for row in fresh}
        rows += [salvage.kept(row) for row in fresh if salvage.mine(identity, row)]
        total = total_of(answer.body)
        if (total is not None and len(seen) >= total) or (total is None and not fresh):
            break
        if not fresh:
            raise IncompleteListing(
                f"GET {request.path} announced {total} records and showed {len(seen)}; nothing was changed",
                hint="somebody may be editing the account: try again",
            )
    read = Reading(rows, spent)
    return read if salvage.total is None else await _verified(remote, salvage, identity, read)


def _rows(request: Request, answer: Response, key: str) -> list[dict[str, Any]]:
    """Return the rows of a page: an answer that has none of them at all is no proof that there are none."""
    try:
        rows = replace(answer, request=str(request)).listed(key)
        if not all(is_id(row.get("id")) for row in rows):
            raise answer.other("an id in each row")
    except Unexpected as error:
        raise IncompleteListing(f"{error.message}; nothing was changed", hint=error.hint) from error
    return rows


async def _verified(remote: Remote, salvage: Salvage, identity: str, read: Reading) -> Reading:
    """An account that ignores the filter shows everybody. The object's own number proves that it did not, and so does
    a listing without the filter that has more; that number may be late, and counts by rules of its own.
    """
    path, wrapper, name = salvage.total or ("", "", "")
    answer = await remote.send(get(filled(path, identity)))
    if number(answer.row(wrapper).get(name)) == len(read.records):
        return replace(read, requests=read.requests + 1)
    whole = total_of((await remote.send(get(salvage.path, limit="1"))).body)
    return replace(read, requests=read.requests + 2, verified=whole is not None and whole > len(read.records))


def _write(path: Path, lines: list[dict[str, Any]], session: Session) -> None:
    content = "".join(f"{json.dumps(line, ensure_ascii=False, sort_keys=True)}\n" for line in lines).encode()
    sealed = Seal(session.settings.recipients).close(content)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(path, sealed, mode=0o600, fresh=True)
    except OSError as error:
        raise ReconcilerError(f"the archive {path} cannot be written: {error.strerror}; nothing was changed") from error
