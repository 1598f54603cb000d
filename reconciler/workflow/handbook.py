"""The verb `handbook`: everything that an account holds, with what people ask about it. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.config.reading.owners import owners_of
from reconciler.deriving.export import export
from reconciler.deriving.exported import Exported
from reconciler.deriving.handbook import Material, handbook
from reconciler.engine.records import records_at
from reconciler.engine.remotes import Budget, Shared
from reconciler.engine.usage import nowhere_looked, uses_of
from reconciler.model.account_url import screen_of
from reconciler.model.errors import RemoteError
from reconciler.model.handbook import Handbook, LastChange
from reconciler.model.http import Remote
from reconciler.model.mention import Mention
from reconciler.model.plan import Action, Change
from reconciler.model.records import record
from reconciler.model.snapshot_file import Recording
from reconciler.model.state import Binding
from reconciler.model.usage import Use
from reconciler.model.write import Impact
from reconciler.planning.reads import all_reads
from reconciler.resources.places import PLACES
from reconciler.workflow.observation.book import StateTransaction
from reconciler.workflow.observation.observing import account_name, connected
from reconciler.workflow.opening.session import Session
from reconciler.workflow.snapshots import offline

REQUESTS = 500
"""How many requests numbers and uses may take unless more are allowed."""
UNCOUNTED = "Records were not counted."
WRITTEN = ("create", "update", "delete", "replace")
"""Actions of a run that change an object."""


@record
class Looks:
    """How closely an account is looked at: whether records are counted, and how many requests that and uses take."""

    counts: bool = True
    requests: int = REQUESTS


def of_files(session: Session) -> Handbook:
    """Return the handbook of what the files declare; no account is asked, and no state. Raises ConfigError."""
    loaded = session.load(offline=True)
    declared = loaded.desired.resources
    named = {
        address: resource.kind
        for address, resource in declared.items()
        if session.kinds[resource.kind].identity.id_parameters.every
    }
    uses = nowhere_looked(named, PLACES, "no account was asked")
    material = Material(session.kinds, session.shown, declared, owners_of(loaded), uses=uses)
    return handbook(
        material, session.settings.name, session.settings.name, "The files alone: no account was asked.", UNCOUNTED
    )


async def of_account(session: Session, looks: Looks) -> Handbook:
    """Return the handbook of the live account. Raises ConfigError, AuthError, Limited, Unreachable."""
    return await _observed(session, "The live account.", looks)


async def of_snapshot(session: Session, recording: Recording, where: str) -> Handbook:
    """Return the handbook of the account that a snapshot holds, with the state of the session. Raises ConfigError."""
    source = f"A snapshot of {recording.account}, taken at {recording.taken_at}, which holds no records."
    return await _observed(offline(session, recording, where), source, Looks(counts=False))


async def _observed(session: Session, source: str, looks: Looks) -> Handbook:
    loaded = session.load(offline=session.offline)
    declared = loaded.desired.resources
    async with connected(session, through=Shared) as account:
        seen = (await account.observe(_reads(session))).snapshot
        bindings = account.book.state().resources
        exported = export(seen, session.kinds, bindings, redactor=session.redactor, declared=declared)
        before = account.remote.requests
        over = f"the budget of {looks.requests:,} requests is used up"
        remote = Budget(account.remote, looks.requests, lambda: RemoteError(over))
        uses = await _uses(session, exported, remote)
        impacts = await _impacts(session, exported, bindings, remote) if looks.counts else {}
        spent = account.remote.requests - before
        changes = _changes(account.book)
    material = Material(
        session.kinds,
        session.shown,
        declared,
        owners_of(loaded),
        bindings,
        exported,
        seen,
        uses,
        impacts,
        changes,
        looks.counts,
        lambda page: screen_of(session.identity, page),
    )
    what = "Looking for uses and counting records" if looks.counts else "Looking for uses"
    message = f"{what} took {spent:,} of at most {looks.requests:,} requests."
    message += "" if looks.counts else f" {UNCOUNTED}"
    return handbook(material, account_name(session), session.settings.name, source, message)


def _reads(session: Session) -> dict[str, frozenset[str]]:
    """Return what to read: also what the API cannot write, which no snapshot holds."""
    wanted = all_reads(session.kinds)
    if session.remote is not None:
        return wanted
    return {name: wanted.get(name, frozenset(kind.attributes)) for name, kind in session.kinds.items()}


async def _uses(session: Session, exported: Sequence[Exported], remote: Remote) -> dict[str, list[Use]]:
    wanted: dict[str, Mention] = {}
    for entry in exported:
        mention = session.kinds[entry.live.kind].mention(entry.live)
        if mention is not None:
            wanted[entry.resource.address] = mention
    by_name = await uses_of(wanted, remote, PLACES) if wanted else {}
    return {address: [use for part in places.values() for use in part] for address, places in by_name.items()}


async def _impacts(
    session: Session, exported: Sequence[Exported], bindings: Mapping[str, Binding], remote: Remote
) -> Mapping[str, Sequence[Impact]]:
    changes = [
        Change(
            entry.resource.address,
            entry.live.kind,
            Action.DELETE,
            live=entry.live,
            binding=bindings.get(entry.resource.address),
            resource=entry.resource,
        )
        for entry in exported
        if session.kinds[entry.live.kind].abilities.deletable
        and not session.kinds[entry.live.kind].reading.mostly_unmanaged
    ]
    ids = {entry.resource.address: entry.live.id for entry in exported}
    return await records_at(changes, remote, session.kinds, ids, secret=session.secret)


def _changes(book: StateTransaction) -> dict[str, LastChange]:
    """Return what changed each address last, as far as records of runs are kept; else the run that the state names."""
    last: dict[str, LastChange] = {}
    for name in reversed(book.store.run_names()):
        run = book.store.run(name)
        for step in run.steps if run is not None else ():
            if run is not None and step.result == "done" and step.action in WRITTEN and step.address not in last:
                last[step.address] = LastChange(name, run.ended or run.started, step.action)
    for address, binding in book.state().resources.items():
        if address not in last and binding.run:
            last[address] = LastChange(binding.run)
    return last
