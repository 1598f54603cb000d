"""The verb `clone`: one account as the configuration of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace

from reconciler.deriving.copying import listing, only_there, portable, unmatched
from reconciler.deriving.mentions import mentioning, mentions
from reconciler.judging.guards import beyond
from reconciler.model import values
from reconciler.model.address import abridged
from reconciler.model.desired import Desired
from reconciler.model.errors import Refused
from reconciler.model.kind import Kinds
from reconciler.model.plan import Action, Plan
from reconciler.model.records import record
from reconciler.model.summary import ApplySummary
from reconciler.model.values import Ref
from reconciler.planning.context import Inputs
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.observation.contents import (
    AccountContents,
    expect,
    hold,
    met,
    names_there,
    not_shown,
    pairs,
    unknown_of,
    with_ids,
)
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planned import Planned
from reconciler.workflow.plans.planning import make_plan
from reconciler.workflow.state import edit


@record
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
    source: Session, target: Session, options: PlanOptions, *, prune: bool = False, only: frozenset[str] | None = None
) -> Clone:
    """Read both accounts and plan the source as the target's configuration. Nothing that only the target holds goes
    without `prune`. Raises what `make_plan` raises.
    """
    expect(only, source, target)
    other = await hold(target, target.settings.name, only=only)
    reserved = names_there(target, other)
    contents = await hold(source, source.settings.name, only=only, for_files=True, reserved=reserved)
    ids = {(entry.resource.kind, entry.live.id): entry.resource.address for entry in contents.exported}
    texts = mentioning(contents.exported, source.kinds)
    how = {"from": contents.name, "prune": prune, "kinds": None if only is None else sorted(only)}
    barred: dict[str, str] = {}
    while True:
        carried = portable(contents.exported, other.seen, source.kinds, other.state.resources, barred)
        inputs, known = met(_inputs(carried.desired, other, target), contents.exported)
        declared = carried.desired.resources
        extra = unmatched(known, other.seen, source.kinds, declared) if prune else {}
        to_destroy = {a: binding for a, binding in {**other.state.resources, **extra}.items() if a not in declared}
        hidden = not_shown(to_destroy, contents, other.seen, source.kinds) if prune else {}
        copy = replace(target, extra=extra, adapt=_always(inputs.desired), bare=True)
        within = _within(declared.keys(), to_destroy.keys(), hidden.keys() | barred.keys(), prune=prune)
        planned = await make_plan(copy, replace(options, within=within, clone=how))
        # What the target would not take goes, with what needs it: each round leaves out at least one object more.
        more = planned.inputs.barred.keys() - barred.keys()
        if not more:
            break
        barred |= {address: planned.inputs.barred[address] for address in more}
    before = frozenset(other.state.resources)
    left_out = (
        *contents.left_out,
        *hidden.values(),
        *(_undeclarable(other) if prune else ()),
        *carried.left_out,
        *_staying(contents, other, inputs.desired, known, source.kinds),
        *([] if prune else _only_there(known, contents, other, source.kinds, declared)),
        *_untranslated(contents, source.kinds, carried.desired),
        *unknown_of(contents, source.kinds),
        *unknown_of(other, source.kinds),
        *_made_manually(contents, other, source.kinds),
    )
    unread = contents.unread or other.unread
    return Clone(copy, carried.desired, ids, texts, planned, left_out, before, unread, frozenset(barred))


def _within(declared: Set[str], to_destroy: Set[str], left: Set[str], *, prune: bool) -> frozenset[str] | None:
    """Return what a clone is about: what is declared and, with `prune`, what goes, but for what is left alone; None for
    everything.
    """
    if prune and not left:
        return None
    return frozenset(declared | to_destroy if prune else declared) - left


def _undeclarable(other: AccountContents) -> list[str]:
    return [f"{other.name}: {line}" for line in other.undeclarable]


def _inputs(desired: Desired, other: AccountContents, target: Session) -> Inputs:
    """Return what a plan of this configuration for the target is made from."""
    return Inputs(
        desired=desired,
        state=other.state,
        snapshot=other.seen,
        kinds=target.kinds,
        secret=target.secret,
        eyes=other.eyes,
    )


def _always(desired: Desired) -> Callable[[Desired], Desired]:
    return lambda _: desired


def _staying(
    contents: AccountContents, other: AccountContents, desired: Desired, known: Plan, kinds: Kinds
) -> list[str]:
    """Name what the target's objects have and the source's do not: a copy empties nothing."""
    there, paired = pairs(known, other.seen), listing(other.seen, kinds)
    return [
        f"{entry.resource.address}: only {other.name} has `{'.'.join(path)}`, which stays"
        for entry in contents.exported
        if entry.resource.address in desired.resources and entry.resource.address in there
        for path in only_there(entry, there[entry.resource.address], kinds[entry.resource.kind], paired)
    ]


def _only_there(
    known: Plan, contents: AccountContents, other: AccountContents, kinds: Kinds, declared: Iterable[str]
) -> list[str]:
    """Name by kind the objects that only the target holds."""
    extra = unmatched(known, other.seen, kinds, declared, other.state.resources)
    hidden = not_shown(extra, contents, other.seen, kinds)
    names: dict[str, list[str]] = {}
    for address in sorted(extra.keys() - hidden.keys()):
        names.setdefault(extra[address].kind, []).append(address)
    return [
        f"only in {other.name}, and kept without --prune: {len(ones)} of kind {kind} ({abridged(ones)})"
        for kind, ones in names.items()
    ]


def _untranslated(contents: AccountContents, kinds: Kinds, desired: Desired) -> list[str]:
    """Return the texts that hold ids of what is not carried over: the target has no id for it."""
    return [
        f"{address}.{name}: a text holds the id of {meant}, which is not cloned: the id stays as it is"
        for address, texts in mentions(contents.exported, kinds, contents.seen.lives).items()
        if address in desired.resources
        for name, addresses in texts.items()
        for meant in addresses
        if meant not in desired.resources
    ]


async def carry_out_clone(clone: Clone, hooks: Hooks, options: PlanOptions) -> list[ApplySummary]:
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
    desired = with_ids(clone.desired, clone.target.kinds, clone.ids, known, clone.texts)
    target = replace(clone.target, adapt=lambda _: desired)
    within = clone.planned.inputs.only
    return [*done, await apply_plan(target, await _part(clone, target, replace(options, within=within)), hooks)]


async def _part(clone: Clone, target: Session, options: PlanOptions) -> Planned:
    """Plan one part of a clone. It is judged as the whole, and may take away nothing that the whole did not show."""
    planned = await make_plan(target, replace(options, checked=True))
    if more := beyond(planned.document, clone.planned.document):
        raise Refused(
            "the account changed since the plan was shown: " + "; ".join(more), hint="run `clone` again to see it"
        )
    document = planned.document.model_copy(update={"guards": clone.planned.document.guards})
    return planned._replace(document=document, promise=clone.planned.document)


def _needs(desired: Desired, address: str) -> set[str]:
    referred = values.references(dict(desired.resources[address].attrs))
    return {reference.address for reference in referred if isinstance(reference, Ref)}


def forget_unmatched(clone: Clone, declared: frozenset[str]) -> None:
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


def _made_manually(contents: AccountContents, other: AccountContents, kinds: Kinds) -> list[str]:
    """Return what the API only lets us read, and the target lacks."""
    lines = []
    for name, lives in contents.seen.lives.items():
        kind = kinds[name]
        if kind.abilities.managed:  # of these, what people make beside is named like in every other command
            continue
        there = Counter(str(live.attrs.get(kind.identity.name_attribute)) for live in other.seen.lives.get(name, ()))
        missing = (
            Counter(str(live.attrs.get(kind.identity.name_attribute)) for live in lives if not live.builtin) - there
        )
        if missing:
            lines.append(f"{missing.total()} of kind {name}: they are made manually, not by a clone")
    return lines
