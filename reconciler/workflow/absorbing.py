"""The verbs `drift --absorb` and `drift --revert`: what changed in the account into the files, or planned back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from reconciler.config import Loaded
from reconciler.config.writing.rewriting import Arrangement, ProposedEdit, Refusal, Rewriting
from reconciler.deriving.export import Exported, export
from reconciler.model import values
from reconciler.model.desired import Resource
from reconciler.model.errors import ConfigError
from reconciler.model.kind import Kind
from reconciler.model.live import Live
from reconciler.model.plan import Action, AttributeChange, Plan
from reconciler.model.spec import Attribute
from reconciler.model.state import Binding
from reconciler.model.values import Value
from reconciler.planning.context import Inputs
from reconciler.planning.declarable import declarable, losses
from reconciler.planning.diff import joined, within
from reconciler.planning.drift import drift, unmanaged, unmanaged_parts
from reconciler.planning.identity import stored_key
from reconciler.planning.planner import plan
from reconciler.planning.reads import looked_over, with_named
from reconciler.planning.rosters import only_declared
from reconciler.planning.select import Selection, select
from reconciler.store.edits import contents_of, write_files
from reconciler.workflow.arrangements import arrangements, arranges, by_parent, in_account, in_files, inside
from reconciler.workflow.holding import locked
from reconciler.workflow.observing import connected, looked_at
from reconciler.workflow.options import PlanOptions
from reconciler.workflow.planned import Planned
from reconciler.workflow.planning import make_plan
from reconciler.workflow.session import Session
from reconciler.workflow.state import edit

ROUNDS = 3
SECRET = "it may hold a secret: write it into the file yourself, with `${secret.NAME}`"


@dataclass(frozen=True)
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
    exported = export(inputs.snapshot, session.kinds, bindings, redactor=redactor, declared=declared)
    live = {entry.resource.address: entry for entry in exported}
    proposals, refused, refusals = _proposals(inputs, drifted, now, live)
    if beside:
        more, left = _unmanaged(inputs, live)
        proposals, refused = [*proposals, *more], [*refused, *left]
    moves, left, kept = _moves(inputs, drifted, live)
    refused, refusals = [*refused, *left], [*refusals, *kept]
    rewriting, after = _rewritten(session, loaded, inputs, proposals, moves)
    texts = rewriting.changed()
    contents = contents_of(session.folder, texts, loaded.texts)
    done = [*refusals, *((address, name) for address, name in rewriting.done if name)]
    if not proposed:
        write_files(session.folder, texts, loaded.texts)
        _remember(session, after, live, done)
    unread = any(skip.forbidden for skip in drifted.skipped)
    return Absorbed(contents, tuple(done), (*refused, *rewriting.refused), requests, unread)


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


def _proposals(
    inputs: Inputs, drifted: Plan, now: Plan, live: Mapping[str, Exported]
) -> tuple[list[ProposedEdit], list[Refusal], list[tuple[str, str]]]:
    """Return what to write, what must not be, and what the files say already."""
    proposals: list[ProposedEdit] = []
    refused: list[Refusal] = []
    held: list[tuple[str, str]] = []
    differing = {(change.address, item.name): item for change in now.changes for item in change.attributes}
    refused += [Refusal(skip.address, "", skip.reason) for skip in drifted.skipped if skip.forbidden]
    for change in drifted.changes:
        resource, entry = inputs.desired.resources.get(change.address), live.get(change.address)
        if change.action is not Action.UPDATE or entry is None:
            why = "it is gone from the account: take its declaration out, or apply to create it again"
            refused.append(Refusal(change.address, "", why))
            continue
        kind = inputs.kinds[change.kind]
        for item in change.attributes:
            here = differing.get((change.address, item.name))
            if resource is not None and arranges(kind, item.name):
                continue
            if resource is None or item.name not in resource.attrs:
                refused.append(Refusal(change.address, item.name, "the files do not declare it any more"))
            elif here is None:
                held.append((change.address, item.name))
            elif why := _objection(kind, entry.live, item, here):
                refused.append(Refusal(change.address, item.name, why))
            else:
                proposals.append(_as_live(resource, kind.attributes[item.name], entry))
    return proposals, refused, held


def _objection(kind: Kind, live: Live, drifted: AttributeChange, now: AttributeChange) -> str:
    """Return why the value of the account must not be written into the files, "" where it may."""
    if drifted.sensitive:
        return SECRET
    if why := _unsayable(kind, live).get(drifted.name, ""):
        return f"{why}: say ignore_changes for it"
    if now.origin == "both":
        return "the file was changed too since the last apply: decide in the file which one it is to be"
    return ""


def _as_live(resource: Resource, attribute: Attribute, entry: Exported) -> ProposedEdit:
    """Return the edit that makes a declaration say what the account holds, as far as it says anything of it."""
    declared = resource.attrs[attribute.name]
    value = entry.resource.attrs.get(attribute.name, entry.live.attrs[attribute.name])
    return ProposedEdit(resource, attribute, within(attribute, declared, only_declared(attribute, value, declared)))


def _unmanaged(inputs: Inputs, live: Mapping[str, Exported]) -> tuple[list[ProposedEdit], list[Refusal]]:
    """Return what the account holds of declared objects and is not managed, as far as files may say it."""
    proposals: list[ProposedEdit] = []
    refused: list[Refusal] = []
    for resource, entry in _managed(inputs, live):
        address, kind = resource.address, inputs.kinds[resource.kind]
        unsayable = _unsayable(kind, entry.live)
        news = {name: entry.resource.attrs.get(name) for name in unmanaged(inputs, kind, address, entry.live)}
        for name, parts in unmanaged_parts(inputs, kind, address, entry.live).items():
            left = {path: unsayable[f"{name}.{path[0]}"] for path in parts if f"{name}.{path[0]}" in unsayable}
            refused += [Refusal(address, ".".join((name, *path)), why) for path, why in left.items()]
            kept = {path: value for path, value in parts.items() if path not in left}
            if kept:
                news[name] = joined(kind.attributes[name], resource.attrs[name], kept)
        for name, value in news.items():
            if why := unsayable.get(name, "") or _kept_out(kind, entry, name, value):
                refused.append(Refusal(address, name, why))
            else:
                proposals.append(ProposedEdit(resource, kind.attributes[name], value))
    return proposals, refused


def _managed(inputs: Inputs, live: Mapping[str, Exported]) -> Iterator[tuple[Resource, Exported]]:
    """Yield what is declared and managed of what the plan is about, each with the object that it is."""
    for address, binding in inputs.state.resources.items():
        resource, entry = inputs.desired.resources.get(address), live.get(address)
        if resource is not None and entry is not None and entry.live.id == binding.id and inputs.covers(address):
            yield resource, entry


def _kept_out(kind: Kind, entry: Exported, name: str, value: Value) -> str:
    """Return why an attribute that nothing declares is not written into the files, "" where it may be."""
    if name not in entry.resource.attrs:
        return "no declaration says it"
    return SECRET if kind.attributes[name].hides(value, entry.live.attrs[name]) else ""


def _unsayable(kind: Kind, live: Live) -> dict[str, str]:
    """Return what of an object no declaration says as it is, with the reason: attributes, and entries of maps
    ("fields.size").
    """
    lost = {
        name: f"it cannot be declared in full ({loss.what})"
        for name, loss in losses(kind, live).items()
        if not loss.kept
    }
    return {**declarable(kind, live).dropped, **lost}


def _moves(
    inputs: Inputs, drifted: Plan, live: Mapping[str, Exported]
) -> tuple[list[Arrangement], list[Refusal], list[tuple[str, str]]]:
    """Return the maps of which the account changed the order, as it is there: to be written, not to be, and written
    already.
    """
    declared, bindings, kinds = inputs.desired.resources, inputs.state.resources, inputs.kinds
    known = {address for address in bindings if address in live and live[address].live.id == bindings[address].id}
    lives = {address: live[address].live for address in known}
    moved = {
        change.address
        for change in drifted.changes
        if change.address in declared and any(arranges(kinds[change.kind], item.name) for item in change.attributes)
    }
    parents = by_parent(moved, kinds)
    siblings = by_parent(known & declared.keys(), kinds)
    moves: list[Arrangement] = []
    refused: list[Refusal] = []
    held: list[tuple[str, str]] = []
    for parent in parents:
        mine = siblings[parent]
        files, account = in_files(mine, declared), in_account(mine, lives)
        name = (parent, inside(mine[0], kinds))
        if files == account:
            held.append(name)
        elif files != in_account(mine, {address: _as_applied(lives[address], bindings[address]) for address in mine}):
            why = (
                "its order was changed in the file, too, since the last apply: decide in the file which one it is to be"
            )
            refused.append(Refusal(*name, why))
        else:
            moves += arrangements(
                {address: declared[address] for address in (parent, *by_parent(declared, kinds)[parent])},
                {address: lives[address] for address in mine},
                kinds,
            )
    return moves, refused, held


def _as_applied(live: Live, binding: Binding) -> Live:
    return replace(live, attrs={**live.attrs, **binding.applied})


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
        except ConfigError as error:
            first = next(diagnostic for diagnostic in error.diagnostics if diagnostic.severity == "error")
            failed |= dict.fromkeys(rewriting.done, f"the file could not be read any more: {first.message}")
            continue
        left = _differing(replace(inputs, desired=after.desired))
        wrong = {name for name in rewriting.done if name in left or not _stands(after, *name)}
        if not wrong:
            return rewriting, after
        failed |= dict.fromkeys(wrong, "what would be written does not mean what the account holds")
    return _attempt(loaded, [] if failed else proposals, [] if failed else moves, failed), loaded


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
            news: dict[str, object] = {"applied": applied, "run": stamp}
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
