"""Archived customer records, put back to the objects that carry the addresses now; see `archiving`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.engine.archive import read_records
from reconciler.engine.gather import gather
from reconciler.model.archive import ArchivedRecords, ArchiveSpec, CustomerRecord, Returned
from reconciler.model.documents import read_json
from reconciler.model.errors import ReconcilerError, Rejected
from reconciler.model.http import Remote, is_id
from reconciler.store.encryption import Seal
from reconciler.workflow.holding import locked
from reconciler.workflow.observing import connected
from reconciler.workflow.session import Session
from reconciler.workflow.state_versions import record

AT_ONCE = 100
MOST_READS = 10_000
"""Requests for reading what is there already: a million records of one object."""


def newest_run(folder: Path) -> str:
    """Return the run that was archived last. Raises ReconcilerError where there is none."""
    runs = sorted(path.name for path in folder.glob("*") if any(path.glob("*.ndjson")))
    if not runs:
        raise ReconcilerError(
            f"there is no archive in {folder}", hint="give the folder that `apply --archive` was given"
        )
    return runs[-1]


def lots_of(session: Session, folder: Path, run: str) -> list[ArchivedRecords]:
    """Read the archive of a run. Raises ReconcilerError for what is no archive, or that of another account."""
    paths = sorted((folder / run).glob("*.ndjson"))
    if not paths:
        raise ReconcilerError(f"there is no archive of {run} in {folder}")
    return [_lot(session, path) for path in paths]


def _lot(session: Session, path: Path) -> ArchivedRecords:
    seal = Seal(session.settings.recipients, session.runtime.environ)
    try:
        head, *records = [
            read_json(line) for line in seal.open(path.read_bytes(), f"the archive {path}").decode().splitlines()
        ]
        if head["records"] != len(records):
            raise ValueError
        kind, account = session.kinds[head["kind"]], head["account"]
        address, action, verified = head["address"], head["action"], head["verified"]
        holder = kind.abilities.salvage.holder if kind.abilities.salvage is not None else ""
        if not kind.fits(head["id"]) or not all(is_id(one[holder]) for one in records if holder in one):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReconcilerError(
            f"{path} is not an archive, or was truncated or changed; nothing was changed",
            hint="bring the file back as it was written, or move it away: the others are whole by themselves",
        ) from error
    if account != session.identity:
        raise ReconcilerError(
            f"{path} is of the account {account}, not of {session.identity}; nothing was changed", hint="check --env"
        )
    salvage = kind.abilities.salvage
    why = ""
    if not verified:
        why = "the account did not say for certain whose records they are"
    elif salvage is None or salvage.back is None or (action == "update" and not salvage.stays):
        why = salvage.lost if salvage is not None else "they cannot be put back"
    return ArchivedRecords(
        address, kind.name, path.parent.name, tuple(records), why, salvage.warning if salvage else ""
    )


async def restore(
    session: Session, lots: list[ArchivedRecords], tell: Callable[[str, int, int], None], *, lock_timeout: float = 0.0
) -> list[Returned]:
    """Put records back, under the lock, and record it. Nothing is put back twice, nothing is written over. `tell` is
    told how many of how many records of an address were sent.

    Raises what sending raises; what was put back until then stays, and another call goes on from there.
    """
    with locked(session, "restore", timeout=lock_timeout) as held:
        found = []
        async with connected(session, restoring=held.hold) as account:
            state, remote = account.book.state(), account.remote
            for lot in lots:
                binding = state.resources.get(lot.address)
                salvage = session.kinds[lot.kind].abilities.salvage
                if lot.why or salvage is None or binding is None:
                    why = lot.why or f"{lot.address} is not managed now: undo what deleted it first, and restore again"
                    found.append(Returned(lot, lost=len(lot.records), why=why))
                else:
                    found.append(await _put_back(remote, lot, salvage, binding.id, tell))
        total = sum(one.back for one in found)
    record(session, "restore", f"put back {total} archived records of {lots[0].run}")
    return found


async def _put_back(
    remote: Remote, lot: ArchivedRecords, salvage: ArchiveSpec, identity: str, tell: Callable[[str, int, int], None]
) -> Returned:
    there = await read_records(remote, salvage, identity, MOST_READS)
    if not there.verified:
        return Returned(lot, lost=len(lot.records), why="the account does not say for certain who has it by now")
    known = {salvage.same(one) for one in there.records}
    missing = [one for one in lot.records if salvage.same(one) not in known]

    async def put(one: CustomerRecord) -> bool:
        assert salvage.back is not None  # such a lot has a reason why not
        try:
            return (await remote.send(salvage.back(identity, one))).ok
        except Rejected:
            return False

    back = 0
    for start in range(0, len(missing), AT_ONCE):
        some = missing[start : start + AT_ONCE]
        back += sum(await gather(put(one) for one in some))
        tell(lot.address, start + len(some), len(missing))
    lost = len(missing) - back
    why = (salvage.lost or "the account refused them: what they belonged to may be gone") if lost else ""
    return Returned(lot, back, len(lot.records) - len(missing), lost, why)
