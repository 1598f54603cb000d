"""The verbs `drift --absorb` and `drift --revert`: what changed in the account into the files, or planned back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.config import Loaded
from reconciler.config.writing.halving import fitting
from reconciler.config.writing.rewriting import Arrangement, ProposedEdit, Refusal, Rewriting
from reconciler.deriving.export import export
from reconciler.deriving.exported import Exported
from reconciler.model import values
from reconciler.model.errors import ConfigError
from reconciler.model.records import record
from reconciler.model.state import Binding
from reconciler.planning.bindings import referred
from reconciler.planning.context import Inputs
from reconciler.planning.drift import drift
from reconciler.planning.identity import stored_key
from reconciler.planning.planner import plan
from reconciler.planning.reads import looked_over, with_named
from reconciler.planning.select import Selection, select
from reconciler.planning.unread import untold
from reconciler.store.edits import contents_of, write_files
from reconciler.workflow.drift.edits import moves_of, proposals_of, unmanaged_edits, without_secrets
from reconciler.workflow.observation.arrangements import arranges, by_parent, inside
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.observation.observing import connected, looked_at
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planned import Planned
from reconciler.workflow.plans.planning import make_plan
from reconciler.workflow.state import edit

ROUNDS = 3


@record
class Absorbed:
    """What `drift --absorb` did: files with what they hold from now on, attributes whose declaration says now what the
    account does, and what was left alone with the reason.
    """

    files: Mapping[str, bytes]
    done: tuple[tuple[str, str], ...]
    refused: tuple[Refusal, ...]
    requests: int
    unread: bool = False
    """Whether something that is managed could not be read."""
    untold: tuple[str, ...] = ()
    """One line for each attribute that could not be read of what is managed: a change of it was not absorbed."""


async def absorb(session: Session, options: PlanOptions, *, beside: bool = False, proposed: bool = False) -> Absorbed:
    """Write what drifted into the files that declare it, each value at its own place, and into the state; `beside`,
    also what the account holds of declared objects and is not managed. What is only `proposed` is neither written nor
    remembered.

    Raises what `make_plan` raises. The account is only read.
    """
    with locked(session, "drift --absorb", timeout=10.0):
        return await _absorb(session, options, beside=beside, proposed=proposed)


async def _absorb(session: Session, options: PlanOptions, *, beside: bool, proposed: bool) -> Absorbed:
    loaded = session.load()
    inputs, requests = await _inputs(session, loaded, options)
    drifted, now = drift(inputs), plan(inputs)
    declared = inputs.desired.resources
    bindings, redactor = inputs.state.resources, session.redactor
    exported = export(inputs.snapshot, session.kinds, bindings, redactor=redactor, declared=declared, referred=declared)
    live = {entry.resource.address: entry for entry in exported}
    proposals, refused, refusals = proposals_of(inputs, drifted, now, live)
    if beside:
        more, left = unmanaged_edits(inputs, live)
        proposals, refused = [*proposals, *more], [*refused, *left]
    proposals, left = without_secrets(proposals, redactor)
    refused += left
    moves, left, kept = moves_of(inputs, drifted, live)
    refused, refusals = [*refused, *left], [*refusals, *kept]
    rewriting, after = _rewritten(session, loaded, inputs, proposals, moves)
    texts = rewriting.changed()
    contents = contents_of(session.folder, texts, loaded.texts)
    done = [*refusals, *((address, name) for address, name in rewriting.done if name)]
    if not proposed:
        write_files(session.folder, texts, loaded.texts)
        _remember(session, after, live, done)
    unread = any(skip.forbidden for skip in drifted.skipped)
    managed = {address: entry.live for address, entry in live.items() if address in bindings}
    lines = untold(inputs, {address: entry for address, entry in managed.items() if inputs.covers(address)})
    return Absorbed(contents, tuple(done), (*refused, *rewriting.refused), requests, unread, tuple(lines))


async def revert(session: Session, options: PlanOptions) -> Planned:
    """Return the plan that brings back what drifted: the configuration, for the addresses concerned and what they
    need.
    """
    planned = await make_plan(session, replace(options, refresh_only=True))
    addresses = {change.address for change in planned.plan.changes} | {skip.address for skip in planned.plan.skipped}
    return await make_plan(session, replace(options, refresh_only=False, named=frozenset(addresses)))


async def _inputs(session: Session, loaded: Loaded, options: PlanOptions) -> tuple[Inputs, int]:
    async with connected(session) as account:
        state = account.book.state()
        chosen = select(loaded.desired, state, session.kinds, Selection(options.target, options.exclude)).addresses
        reads = with_named(looked_over(loaded.desired, state, session.kinds), session.kinds)
        inputs = (await account.observe(reads)).inputs(desired=loaded.desired, only=chosen)
        _, inputs = await looked_at(session, account.remote, inputs, drift)
        return inputs, account.remote.requests


def _rewritten(
    session: Session, loaded: Loaded, inputs: Inputs, proposals: list[ProposedEdit], moves: list[Arrangement]
) -> tuple[Rewriting, Loaded]:
    """Write in memory and read back; what then still differs from the account is not written."""
    failed: dict[tuple[str, str], str] = {}
    for _ in range(ROUNDS):
        rewriting = _attempt(loaded, proposals, moves, failed)
        texts = rewriting.changed()
        if not texts:
            break
        try:
            after = session.load(texts=texts)
        except ConfigError:
            failed |= _unreadable(session, loaded, proposals, moves, rewriting.done, failed)
            continue
        left = _differing(replace(inputs, desired=after.desired))
        wrong = {name for name in rewriting.done if name in left or not _stands(after, *name)}
        if not wrong:
            return rewriting, after
        failed |= dict.fromkeys(wrong, "what would be written does not mean what the account holds")
    return _attempt(loaded, [] if failed else proposals, [] if failed else moves, failed), loaded


def _unreadable(
    session: Session,
    loaded: Loaded,
    proposals: list[ProposedEdit],
    moves: list[Arrangement],
    names: Sequence[tuple[str, str]],
    failed: Mapping[tuple[str, str], str],
) -> dict[tuple[str, str], str]:
    """Return the edits without which the files can be read, each with the reason."""
    known = {*(proposal.name for proposal in proposals), *(move.name for move in moves)}

    def wrong(some: Sequence[tuple[str, str]]) -> str:
        try:
            without = {**dict.fromkeys(known.difference(some), ""), **failed}
            session.load(texts=_attempt(loaded, proposals, moves, without).changed())
        except ConfigError as error:
            first = next(diagnostic for diagnostic in error.diagnostics if diagnostic.severity == "error")
            return f"the file could not be read any more: {first.message}"
        return ""

    return fitting(names, wrong)[1]


def _attempt(
    loaded: Loaded, proposals: list[ProposedEdit], moves: list[Arrangement], failed: Mapping[tuple[str, str], str]
) -> Rewriting:
    """Return the files with these edits, without those that failed before."""
    rewriting = Rewriting(loaded.places)
    rewriting.change([proposed for proposed in proposals if proposed.name not in failed])
    rewriting.arrange([move for move in moves if move.name not in failed])
    rewriting.refused += [Refusal(address, name, why) for (address, name), why in failed.items()]
    return rewriting


def _differing(inputs: Inputs) -> set[tuple[str, str]]:
    """Return what the files and the account differ in: attributes, and of an order the map that has it."""
    return {
        (change.resource.parent or "", inside(change.address, inputs.kinds))
        if change.resource is not None and arranges(inputs.kinds[change.kind], item.name)
        else (change.address, item.name)
        for change in plan(inputs).changes
        for item in change.attributes
    }


def _stands(after: Loaded, address: str, name: str) -> bool:
    resource = after.desired.resources.get(address)
    return not name or (resource is not None and (name in resource.attrs or name in resource.nested))


def _remember(session: Session, after: Loaded, live: Mapping[str, Exported], done: list[tuple[str, str]]) -> None:
    """Record the values as applied: they are what both sides hold now."""
    if not done:
        return
    stamp = f"absorb-{session.runtime.stamp()}"

    def change(resources: dict[str, Binding]) -> dict[str, Binding]:
        for address, name in _one_by_one(session, resources, live, done):
            old, resource = resources[address], after.desired.resources[address]
            value = resource.attrs[name] if name in resource.attrs else live[address].live.attrs[name]
            applied = {**old.applied, name: values.encode(value)}
            news: dict[str, object] = {"applied": applied, "run": stamp, "depends_on": sorted(referred(applied))}
            for member in ("rewritten", "digests"):
                news[member] = {address: value for address, value in getattr(old, member).items() if address != name}
            keys = session.kinds[old.kind].natural_keys(live[address].live.attrs)
            if keys:
                news["natural_key"] = stored_key(keys[0])
            resources[address] = old.model_copy(update=news)
        return resources

    edit(session, "drift --absorb", change)


def _one_by_one(
    session: Session, resources: Mapping[str, Binding], live: Mapping[str, Exported], done: list[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield the attributes that were absorbed: of an order, that of each sibling."""
    parts: dict[tuple[str, str], list[str]] = {}
    for parent, children in by_parent(resources.keys() & live.keys(), session.kinds).items():
        parts[parent, inside(children[0], session.kinds)] = children
    for name in done:
        if name not in parts:
            yield name
        for child in parts.get(name, ()):
            kind = session.kinds[resources[child].kind]
            yield from ((child, name) for name in resources[child].applied if arranges(kind, name))
