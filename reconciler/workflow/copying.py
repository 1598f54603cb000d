"""The verbs `compare` and `clone`: one account as the configuration of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler import __version__
from reconciler.deriving.copying import (
    Portable,
    inverted,
    listing,
    mentioning,
    mentions,
    only_there,
    portable,
    strangers,
    translated,
    unseen,
)
from reconciler.deriving.export import Exported, export, export_for_files, set_aside, sound
from reconciler.engine.refresh import Refreshed, refresh
from reconciler.engine.remotes import Masked, Replay
from reconciler.model import document as doc
from reconciler.model import values
from reconciler.model.address import abridged, kind_of
from reconciler.model.desired import Desired, Import
from reconciler.model.errors import ReconcilerError, Refused, StalePlan
from reconciler.model.kind import Kinds, Live
from reconciler.model.plan import Action, Plan
from reconciler.model.project import PROJECT_FILE
from reconciler.model.sight import Eyes
from reconciler.model.snapshot import Snapshot, snapshot
from reconciler.model.state import Binding, State
from reconciler.model.summary import ApplySummary
from reconciler.model.values import Ref, Value
from reconciler.planning.binding import salted
from reconciler.planning.context import Inputs
from reconciler.planning.document import Heading, from_document, to_document
from reconciler.planning.guards import beyond
from reconciler.planning.planner import plan
from reconciler.planning.reads import all_reads
from reconciler.store.snapshotfile import read_snapshot
from reconciler.workflow.applying import Hooks, apply_plan
from reconciler.workflow.book import open_book
from reconciler.workflow.observing import ask_eyes, connected
from reconciler.workflow.planning import Options, Planned, make_plan
from reconciler.workflow.promises import as_shown
from reconciler.workflow.saved import fits
from reconciler.workflow.session import Session, open_session
from reconciler.workflow.snapshots import adapted
from reconciler.workflow.state import edit


@dataclass(frozen=True)
class AccountContents:
    """What one side holds: every object that could be managed, as read; `addresses` are those that its state knows."""

    name: str
    seen: Snapshot
    refreshed: Refreshed
    state: State
    requests: int = 0
    exported: list[Exported] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    eyes: Eyes | None = None
    """Whose key it was read with; None: nothing hangs on it."""

    @property
    def unread(self) -> bool:
        """Whether a kind could not be read that the account has."""
        return bool(self.seen.unknown.keys() - self.seen.absent)


async def hold(
    session: Session, name: str, *, masked: bool = False, only: frozenset[str] | None = None, for_files: bool = False
) -> AccountContents:
    """Read what an environment holds; `for_files`, as far as a configuration can say it. Raises AuthError,
    IncompleteListing, Unreachable.
    """
    async with connected(session) as account:
        remote = Masked(account.remote, session.redactor) if masked else account.remote
        held = await _held(session, remote, name, account.book.state(), only, for_files)
        if not any(session.kinds[kind].reading.filtered for kind in held.seen.lives):
            return held
        return replace(held, eyes=await account.eyes(), requests=remote.requests)


async def _held(
    session: Session, remote: Any, name: str, state: State, only: frozenset[str] | None, for_files: bool = False
) -> AccountContents:
    kinds, redactor = session.kinds, session.redactor
    reads = all_reads(kinds, only)
    refreshed = await refresh(remote, kinds, reads)
    seen = snapshot(kinds, reads, refreshed.tables)
    left_out: list[str] = []
    if for_files:
        exported, left_out = export_for_files(seen, kinds, state.resources, only, redactor=redactor)
        left_out += [f"{one.resource.address} is left out: {one.problem}" for one in exported if one.problem]
        left_out += [
            f"{one.resource.address} is left out: it needs {one.resource.parent}"
            for one in exported
            if not one.problem
            and any(one.resource.parent == other.resource.address for other in exported if other.problem)
        ]
        exported = sound(exported)
    else:
        exported = export(seen, kinds, state.resources, only, redactor=redactor)
        left_out = [line for lines in set_aside(seen, kinds, state.resources, only).values() for line in lines]
    left_out += [
        f"{one.resource.address}: {why}" for one in exported for why in (*one.dropped.values(), *one.partly.values())
    ]
    return AccountContents(name, seen, refreshed, state, remote.requests, exported, left_out)


@dataclass(frozen=True)
class Comparison:
    """What `right` would need to become `left`, as a plan document without steps; `left_out` cannot be compared."""

    document: doc.PlanDocument
    left_out: tuple[str, ...]
    unread: bool = False
    """Whether a kind of one side could not be read."""


async def compare(session: Session, left: str, right: str, only: frozenset[str] | None = None) -> Comparison:
    """Compare two environments, an environment and a folder with a project, or snapshot files. Writes nothing."""
    kinds = session.kinds
    masked = any(_is_file(session, one) for one in (left, right))
    sides = [await _side(session, name, masked=masked, only=only) for name in (left, right)]
    one, other = sides
    turned = isinstance(other, Desired)
    if turned:
        one, other = other, one
    if isinstance(other, Desired):
        raise ReconcilerError("two folders cannot be compared: one side has to be an account or a snapshot")
    carried = Portable(one) if isinstance(one, Desired) else _carried(one, other, kinds)
    exported = [] if isinstance(one, Desired) else one.exported
    empty = State(lineage="compare")
    eyes = replace(other.eyes, strict=True) if other.eyes is not None else None
    inputs = Inputs(
        desired=carried.desired,
        state=empty,
        snapshot=other.seen,
        kinds=kinds,
        secret=session.secret,
        eyes=eyes,
        compares=True,
    )
    inputs, known = met(inputs, exported)
    beyond: list[str] = []
    if isinstance(one, AccountContents):
        desired, beyond = _whole(inputs.desired, known, one, other, kinds)
        inputs = replace(inputs, desired=desired, whole=True)
    extra = strangers(known, other.seen, kinds, carried.desired.resources, other.state.resources)
    hidden = _hidden(extra, one, kinds)
    extra = {address: binding for address, binding in extra.items() if address not in hidden}
    whole = _differences(plan(replace(inputs, state=empty.model_copy(update={"resources": extra}))))
    whole = inverted(whole) if turned else whole
    spent = doc.Forecast(plan_requests=sum(held.requests for held in sides if isinstance(held, AccountContents)))
    heading = Heading(
        __version__,
        session.around.stamp(),
        f"{left} -> {right}",
        right,
        "",
        0,
        {},
        "compare",
        redactor=session.redactor,
    )
    unknown = [line for held in sides if isinstance(held, AccountContents) for line in unknown_of(held)]
    partly = [f"{held.name}: {line}" for held in sides if isinstance(held, AccountContents) for line in held.left_out]
    return Comparison(
        to_document(whole, heading, spent, kinds),
        (*carried.left_out, *beyond, *hidden.values(), *unknown, *partly),
        any(held.unread for held in sides if isinstance(held, AccountContents)),
    )


def _carried(one: AccountContents, other: AccountContents, kinds: Kinds) -> Portable:
    """Return one side for the other: what both states know under one address is one object, whatever its name is by
    now; all else meets by name.
    """
    lives = {(kind, live.id) for kind, found in other.seen.lives.items() for live in found}
    both = {
        address: binding
        for address, binding in other.state.resources.items()
        if address in one.state.resources and (binding.kind, binding.id) in lives
    }
    carried = portable(one.exported, other.seen, kinds, both)
    pins = [Import(address, one.id) for address, one in both.items() if address in carried.desired.resources]
    return replace(carried, desired=replace(carried.desired, imports=(*carried.desired.imports, *pins)))


def pairs(made: Plan, seen: Snapshot) -> dict[str, Live]:
    """Return which object of an account each address of a plan is."""
    lives = {(kind, live.id): live for kind, found in seen.lives.items() for live in found}
    found = {
        address: live
        for address, identity in made.ids.items()
        if "[" not in address and (live := lives.get((kind_of(address), identity))) is not None
    }
    return {**found, **{change.address: change.live for change in made.changes if change.live is not None}}


def _whole(
    desired: Desired, known: Plan, one: AccountContents, other: AccountContents, kinds: Kinds
) -> tuple[Desired, list[str]]:
    """Return one side as all that is to be: empty where only the other one has a value. What either does not tell is
    left out, and named.
    """
    there, resources, beyond = pairs(known, other.seen), dict(desired.resources), []
    told = listing(other.seen, kinds)
    for entry in one.exported:
        resource, live = resources.get(entry.resource.address), there.get(entry.resource.address)
        if resource is None or live is None:
            continue
        kind = kinds[resource.kind]
        attrs, blind = dict(resource.attrs), unseen(resource, live, kind)
        beyond += [f"{resource.address}: `{name}` is not shown by {other.name}" for name in blind]
        for path, shown in only_there(entry, live, kind, told).items():
            if not shown:
                beyond.append(
                    f"{resource.address}: `{path[0]}` is not shown by {one.name}, and {other.name} has a value"
                )
            elif len(path) == 1:
                attrs[path[0]] = None
        resources[resource.address] = replace(
            resource, attrs={name: value for name, value in attrs.items() if name not in blind}
        )
    return replace(desired, resources=resources), beyond


def met(inputs: Inputs, exported: list[Exported]) -> tuple[Inputs, Plan]:
    """Return the inputs with ids inside texts as the target has them, and the plan that found out which those are."""
    found = plan(inputs)
    texts = mentioning(exported, inputs.kinds)
    if not texts:
        return inputs, found
    ids = {(one.resource.kind, one.live.id): one.resource.address for one in exported}
    inputs = replace(inputs, desired=_with_ids(inputs.desired, inputs.kinds, ids, found.ids, texts))
    return inputs, plan(inputs)


def _hidden(extra: Mapping[str, Binding], one: AccountContents | Desired, kinds: Kinds) -> dict[str, str]:
    """Return what one side may hold of what only the other one shows, with the reason: its kind, or what it is part of,
    could not be read, or its key may not be shown it. Parts of what both show are shown too.
    """
    if not isinstance(one, AccountContents):
        return {}
    unread = {
        address: f"{address}: whether {one.name} has it is unknown: {why}"
        for address, binding in extra.items()
        if (why := one.seen.unknown.get(binding.kind) or one.seen.unknown.get(kinds[binding.kind].nested))
    }
    why = one.eyes.why if one.eyes is not None else ""
    if not why:
        return unread
    lacking = {binding.kind for binding in extra.values()}
    return unread | {
        address: f"{address}: {one.name} does not show it, which proves nothing: {why}"
        for address, binding in extra.items()
        if address not in unread
        and kinds[binding.kind].reading.filtered
        and (not kinds[binding.kind].nested or kinds[binding.kind].nested in lacking)
    }


def unknown_of(held: AccountContents) -> list[str]:
    """Return the kinds of one side that could not be read, each with the reason."""
    return [f"{kind} of {held.name}: {why}" for kind, why in held.seen.unknown.items()]


def _differences(made: Plan) -> Plan:
    """Return what differs: an object that both hold alike is no difference, and nobody carries anything out."""
    changes = tuple(replace(change, adopts=False) for change in made.changes if change.action is not Action.ADOPT)
    return replace(made, changes=changes, steps=(), kept=made.kept + len(made.changes) - len(changes))


def _is_file(session: Session, name: str) -> bool:
    return name not in session.project.project.environments and (session.folder / name).is_file()


async def _side(session: Session, name: str, *, masked: bool, only: frozenset[str] | None) -> AccountContents | Desired:
    if name in session.project.project.environments:
        return await hold(open_session(session.folder, name, session.around), name, masked=masked, only=only)
    place = session.folder / name
    if place.is_file():
        replay = Replay(read_snapshot(place))
        held = await _held(session, replay, name, State(lineage="snapshot"), only)
        return replace(held, eyes=await ask_eyes(replay))
    if (place / PROJECT_FILE).is_file():
        loaded = open_session(place, None, session.around).load().desired
        return adapted(session, loaded) if masked else loaded
    raise ReconcilerError(
        f"`{name}` is no environment of this project, no folder with a {PROJECT_FILE}, and no snapshot file",
        hint=f"environments: {', '.join(session.project.project.environments)}",
    )


# --- clone -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clone:
    """A clone that is ready to be carried out: the whole plan for the target, and the target's session for it.

    `texts` are the resources whose texts hold ids of the source, with what they mean: they are written last, when the
    ids of the target are known. `left_out` cannot be carried over, with the reasons.
    """

    target: Session
    desired: Desired
    ids: Mapping[tuple[str, str], str]
    texts: Mapping[str, list[str]]
    planned: Planned
    left_out: tuple[str, ...]
    before: frozenset[str]
    unread: bool
    kept: frozenset[str] = frozenset()
    """What the target would not let be changed: it is left as it is."""

    @property
    def empty(self) -> bool:
        """Whether the target holds everything already."""
        return all(change.action is Action.ADOPT for change in self.planned.plan.changes)


async def prepare_clone(
    source: Session, target: Session, options: Options, *, prune: bool = False, only: frozenset[str] | None = None
) -> Clone:
    """Read both accounts and plan the source as the target's configuration. Nothing that only the target holds goes
    without `prune`. Raises what `make_plan` raises.
    """
    one = await hold(source, source.settings.name, only=only, for_files=True)
    other = await hold(target, target.settings.name, only=only)
    ids = {(entry.resource.kind, entry.live.id): entry.resource.address for entry in one.exported}
    texts = mentioning(one.exported, source.kinds)
    how = {"from": one.name, "prune": prune, "kinds": None if only is None else sorted(only)}
    barred: dict[str, str] = {}
    while True:
        carried = portable(one.exported, other.seen, source.kinds, other.state.resources, barred)
        inputs = Inputs(
            desired=carried.desired,
            state=other.state,
            snapshot=other.seen,
            kinds=source.kinds,
            secret=target.secret,
            eyes=other.eyes,
        )
        inputs, known = met(inputs, one.exported)
        extra = strangers(known, other.seen, source.kinds, carried.desired.resources) if prune else {}
        doomed = {a: b for a, b in {**other.state.resources, **extra}.items() if a not in carried.desired.resources}
        hidden = _hidden(doomed, one, source.kinds) if prune else {}
        copy = replace(target, extra=extra, adapt=_always(inputs.desired), bare=True)
        within = None if prune else frozenset(carried.desired.resources)
        if hidden or (prune and barred):
            within = frozenset({*carried.desired.resources, *doomed} - hidden.keys())
        within = within if within is None else within - barred.keys()
        planned = await make_plan(copy, replace(options, within=within, clone=how))
        # What the target would not take goes, with what needs it: each round leaves out at least one object more.
        more = planned.inputs.barred.keys() - barred.keys()
        if not more:
            break
        barred |= {address: planned.inputs.barred[address] for address in more}
    before = frozenset(other.state.resources)
    left_out = (
        *one.left_out,
        *hidden.values(),
        *carried.left_out,
        *_staying(one, other, inputs.desired, known, source.kinds),
        *_untranslated(one, source.kinds, carried.desired),
        *unknown_of(one),
        *unknown_of(other),
        *_by_hand(one, other, source.kinds),
    )
    unread = one.unread or other.unread
    return Clone(copy, carried.desired, ids, texts, planned, left_out, before, unread, frozenset(barred))


def _always(desired: Desired) -> Callable[[Desired], Desired]:
    return lambda _: desired


def _staying(one: AccountContents, other: AccountContents, desired: Desired, known: Plan, kinds: Kinds) -> list[str]:
    """Name what the target's objects have and the source's do not: a copy empties nothing."""
    there, told = pairs(known, other.seen), listing(other.seen, kinds)
    return [
        f"{entry.resource.address}: only {other.name} has `{'.'.join(path)}`, which stays"
        for entry in one.exported
        if entry.resource.address in desired.resources and entry.resource.address in there
        for path in only_there(entry, there[entry.resource.address], kinds[entry.resource.kind], told)
    ]


def _untranslated(one: AccountContents, kinds: Kinds, desired: Desired) -> list[str]:
    """Return the texts that hold ids of what is not carried over: the target has no id for it."""
    return [
        f"{address}.{name}: a text holds the id of {meant}, which is not cloned: the id stays as it is"
        for address, texts in mentions(one.exported, kinds, one.seen.lives).items()
        if address in desired.resources
        for name, addresses in texts.items()
        for meant in addresses
        if meant not in desired.resources
    ]


def _with_ids(
    desired: Desired,
    kinds: Kinds,
    source: Mapping[tuple[str, str], str],
    target: Mapping[str, str],
    texts: Mapping[str, list[str]],
) -> Desired:
    """Return the configuration with ids inside texts translated, as far as the target's are known."""
    changed = {
        address: translated(desired.resources[address], kinds, source, target)
        for address in texts
        if address in desired.resources
    }
    return replace(desired, resources={**desired.resources, **changed})


async def prepare_saved_clone(source: Session, target: Session, document: doc.PlanDocument) -> Clone:
    """Plan a saved clone once more from both accounts, and return it if it is what was saved, with its numbers.

    Raises StalePlan otherwise: a clone is carried out as a whole or not at all.
    """
    fits(target, document, open_book(target))
    how = document.options["clone"]
    only = None if how["kinds"] is None else frozenset(how["kinds"])
    clone = await prepare_clone(source, target, options_of(document), prune=how["prune"], only=only)
    changed = _changed(document, clone.planned)
    if changed:
        raise StalePlan(
            f"{source.settings.name} or {target.settings.name} changed since the plan was made: {abridged(changed)}",
            hint="make a new plan with `reconciler clone --out FILE`",
        )
    return replace(clone, planned=as_shown(clone.planned, document))


def options_of(document: doc.PlanDocument) -> Options:
    """Return what a saved clone was asked for."""
    said = document.options
    target, exclude, allow = (tuple(said.get(name, ())) for name in ("target", "exclude", "allow"))
    return Options(target, exclude, impact=bool(said.get("impact")), allow=allow)


def _changed(saved: doc.PlanDocument, now: Planned) -> list[str]:
    """Return the addresses of which another thing is to be done than a saved plan says."""
    resources = now.inputs.desired.resources
    other: set[str] = set()

    def same_text(address: str, name: str, expected: str) -> Value:
        value = resources[address].attrs.get(name) if address in resources else None
        if isinstance(value, str) and salted(value, saved.salt) == expected:
            return value
        other.add(address)
        return None

    def as_it_is(address: str, name: str, _: str) -> Value:
        return resources[address].attrs.get(name) if address in resources else None

    was, wanted = from_document(saved, same_text).resources, from_document(now.document, as_it_is).resources
    sides = [
        {
            one.address: (one.action, one.id, one.fingerprint, asked[one.address].attrs if one.address in asked else {})
            for one in document.changes
        }
        for document, asked in ((saved, was), (now.document, wanted))
    ]
    return sorted(other | {name for name in {*sides[0], *sides[1]} if sides[0].get(name) != sides[1].get(name)})


async def carry_out_clone(clone: Clone, hooks: Hooks, options: Options) -> list[ApplySummary]:
    """Apply a clone: first everything without ids in its texts, then the rest with the ids of the target."""
    late = frozenset(clone.texts)
    if not late:
        return [await apply_plan(clone.target, clone.planned, hooks)]
    late |= {address for address in clone.desired.resources if _needs(clone.desired, address) & late}
    first = frozenset(clone.desired.resources) - late - clone.kept
    done = [await apply_plan(clone.target, await _part(clone, clone.target, replace(options, within=first)), hooks)]
    if not done[0].complete or hooks.stop.is_set():
        return done
    known = {address: binding.id for address, binding in open_book(clone.target).state().resources.items()}
    desired = _with_ids(clone.desired, clone.target.kinds, clone.ids, known, clone.texts)
    target = replace(clone.target, adapt=lambda _: desired)
    within = clone.planned.inputs.only
    return [*done, await apply_plan(target, await _part(clone, target, replace(options, within=within)), hooks)]


async def _part(clone: Clone, target: Session, options: Options) -> Planned:
    """Plan one part of a clone. It is judged as the whole, and may take away nothing that the whole did not show."""
    planned = await make_plan(target, replace(options, checked=True))
    if more := beyond(planned.document, clone.planned.document):
        raise Refused(
            "the account changed since the plan was shown: " + "; ".join(more), hint="run `clone` again to see it"
        )
    document = planned.document.model_copy(update={"guards": clone.planned.document.guards})
    return replace(planned, document=document, promise=clone.planned.document)


def _needs(desired: Desired, address: str) -> set[str]:
    found = values.references(dict(desired.resources[address].attrs))
    return {reference.address for reference in found if isinstance(reference, Ref)}


def forget_strangers(clone: Clone, declared: frozenset[str]) -> None:
    """Forget in the target's state what its own configuration does not declare and it did not know before.

    Otherwise the target's next plan would delete what was cloned.
    """
    book = open_book(replace(clone.target, extra={}))
    kept = {
        address: binding
        for address, binding in book.state().resources.items()
        if address in declared or address in clone.before
    }
    if len(kept) != len(book.state().resources):
        edit(clone.target, "clone", lambda _: kept)


def _by_hand(one: AccountContents, other: AccountContents, kinds: Kinds) -> list[str]:
    """Return what the API only lets us read, and the target lacks."""
    found = []
    for name, lives in one.seen.lives.items():
        kind = kinds[name]
        if kind.abilities.managed and not kind.reading.mostly_unmanaged:
            continue
        there = Counter(str(live.attrs.get(kind.identity.name_attribute)) for live in other.seen.lives.get(name, ()))
        missing = (
            Counter(str(live.attrs.get(kind.identity.name_attribute)) for live in lives if not live.builtin) - there
        )
        if missing:
            found.append(f"{missing.total()} of kind {name}: they are made by hand, not by a clone")
    return found
