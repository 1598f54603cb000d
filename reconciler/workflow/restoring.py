"""Archived customer records, put back to the objects that carry the addresses now; see `archiving`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reconciler.engine.archive import read_records
from reconciler.engine.gather import gather
from reconciler.model.address import kind_of
from reconciler.model.archive import ArchivedRecords, ArchiveHead, ArchiveSpec, CustomerRecord, Returned
from reconciler.model.documents import read_document, read_json
from reconciler.model.errors import Rejected, WrongInput
from reconciler.model.grammar import a
from reconciler.model.http import Remote, shown
from reconciler.store.encryption import Seal
from reconciler.store.formats import first_of
from reconciler.store.reading import read_regular
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.observation.observing import connected
from reconciler.workflow.opening.session import Session
from reconciler.workflow.state_versions import record

AT_ONCE = 100
MOST_READS = 10_000
"""Requests for reading what is there already: a million records of one object."""


def newest_run(folder: Path) -> str:
    """Return the run that was archived last. Raises ReconcilerError where there is none."""
    runs = sorted(path.name for path in folder.glob("*") if any(path.glob("*.ndjson")))
    if not runs:
        raise WrongInput(f"there is no archive in {folder}", hint="give the folder that `apply --archive` was given")
    return runs[-1]


def lots_of(session: Session, folder: Path, run: str) -> list[ArchivedRecords]:
    """Read the archive of a run. Raises ReconcilerError for what is not an archive, or that of another account."""
    paths = sorted((folder / run).glob("*.ndjson"))
    if not paths:
        raise WrongInput(f"there is no archive of {run} in {folder}")
    return [_lot(session, path) for path in paths]


def _lot(session: Session, path: Path) -> ArchivedRecords:
    try:
        head, records = _read(session, path)
    except (OSError, ValueError, KeyError) as error:
        raise WrongInput(
            f"{path} is not an archive, or was truncated or changed; nothing was changed ({_why(error)})",
            hint="bring the file back as it was written, or move it away: the others are whole by themselves",
        ) from error
    if head.account != session.identity:
        raise WrongInput(
            f"{path} is of the account {head.account}, not of {session.identity}; nothing was changed",
            hint="check --env",
        )
    salvage = session.kinds[head.kind].abilities.salvage
    why = ""
    if not head.verified:
        why = "the account did not say for certain whose records they are"
    elif salvage is None or salvage.back is None or (head.action == "update" and not salvage.stays):
        why = salvage.lost if salvage is not None else "they cannot be put back"
    warning = salvage.warning if salvage else ""
    return ArchivedRecords(head.address, head.kind, path.parent.name, tuple(records), why, warning)


def _read(session: Session, path: Path) -> tuple[ArchiveHead, list[CustomerRecord]]:
    """Return what an archive says of itself, and its records. Raises OSError, ValueError, KeyError for another file."""
    seal = Seal(session.settings.recipients, session.runtime.environ)
    first, *lines = seal.open(read_regular(path), f"the archive {path}").rstrip(b"\n").split(b"\n")
    head, records = read_document(ArchiveHead, first), [read_json(line) for line in lines]
    kind = session.kinds[head.kind]
    salvage = kind.abilities.salvage
    if head.records != len(records) or kind_of(head.address) != kind.name:
        raise ValueError("it does not hold as many records as it says, or those of another kind")
    if not kind.fits(head.id):
        raise ValueError(f"{shown(head.id)} is not an id of {a(kind.name)}")
    for number, each in enumerate(records, 2):
        if salvage is None or not salvage.keeps(each):
            raise ValueError(f"line {number} is not a record of {a(kind.name)}")
    return head, records


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    return f"it is of an unknown kind: {error}" if isinstance(error, KeyError) else first_of(error)


async def restore(
    session: Session, lots: list[ArchivedRecords], tell: Callable[[str, int, int], None], *, lock_timeout: float = 0.0
) -> list[Returned]:
    """Put records back, under the lock, and record it. Nothing is put back twice, nothing is written over. `tell` is
    told how many of how many records of an address were sent.

    Raises what sending raises; what was put back until then stays, and another call goes on from there.
    """
    with locked(session, "restore", timeout=lock_timeout) as lock:
        returned = []
        async with connected(session, restoring=lock.hold) as account:
            state, remote = account.book.state(), account.remote
            for lot in lots:
                binding = state.resources.get(lot.address)
                salvage = session.kinds[lot.kind].abilities.salvage
                if lot.why or salvage is None or binding is None:
                    why = lot.why or f"{lot.address} is not managed now: undo what deleted it first, and restore again"
                    returned.append(Returned(lot, lost=len(lot.records), why=why))
                else:
                    returned.append(await _put_back(remote, lot, salvage, binding.id, tell))
        total = sum(returned.back for returned in returned)
    record(session, "restore", f"put back {total} archived records of {lots[0].run}")
    return returned


async def _put_back(
    remote: Remote, lot: ArchivedRecords, salvage: ArchiveSpec, identity: str, tell: Callable[[str, int, int], None]
) -> Returned:
    there = await read_records(remote, salvage, identity, MOST_READS)
    if not there.verified:
        return Returned(lot, lost=len(lot.records), why="the account does not say for certain who has it by now")
    known = {salvage.same(record) for record in there.records}
    missing = [record for record in lot.records if salvage.same(record) not in known]

    async def put(record: CustomerRecord) -> bool:
        assert salvage.back is not None  # such a lot has a reason why not
        try:
            return (await remote.send(salvage.back(identity, record))).ok
        except Rejected:
            return False

    back = 0
    for start in range(0, len(missing), AT_ONCE):
        some = missing[start : start + AT_ONCE]
        back += sum(await gather(put(record) for record in some))
        tell(lot.address, start + len(some), len(missing))
    lost = len(missing) - back
    why = (salvage.lost or "the account refused them: what they belonged to may be gone") if lost else ""
    return Returned(lot, back, len(lot.records) - len(missing), lost, why)
