"""Customer records that a plan takes away, written to files before its first step.

One NDJSON file for each object that loses any, below a folder with the name of the run: a head, then a record a line.
Files are readable by their owner only, and encrypted where the environment has recipients. Records go into these files
and nowhere else.
"""

from __future__ import annotations

import json
from math import ceil
from pathlib import Path
from typing import Any

from reconciler.engine.archive import losing, read_records
from reconciler.model.errors import ReconcilerError, Refused
from reconciler.model.http import Remote
from reconciler.model.kind import Kinds
from reconciler.model.plan import Plan
from reconciler.model.records import record
from reconciler.store.atomic import write_file
from reconciler.store.encryption import Seal
from reconciler.workflow.opening.session import Session

BUDGET = 1000
"""Requests that an archive may take, where nothing else is said; 200 seconds at the limit of the account."""
FORMAT = "1.0"


@record
class Archive:
    """Where to, and with how many requests at most."""

    folder: Path
    budget: int = BUDGET


@record
class Archived:
    """What was archived: the folder of the run (empty: nothing goes), how many records, the requests as announced."""

    folder: str = ""
    records: int = 0
    forecast: int = 0


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


def _write(path: Path, lines: list[dict[str, Any]], session: Session) -> None:
    content = "".join(f"{json.dumps(line, ensure_ascii=False, sort_keys=True)}\n" for line in lines).encode()
    sealed = Seal(session.settings.recipients).close(content)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_file(path, sealed, mode=0o600, fresh=True)
    except OSError as error:
        raise ReconcilerError(f"the archive {path} cannot be written: {error.strerror}; nothing was changed") from error
