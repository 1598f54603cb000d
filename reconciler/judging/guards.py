"""Guards: what stops a plan unless a user overrides exactly that. Pure: a table of guards, judged over the plan
document, which carries all that they look at.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.address import abridged
from reconciler.model.document import ChangeView, GuardView, ImpactView, PlanDocument
from reconciler.model.grammar import agreeing
from reconciler.model.project import Guards
from reconciler.model.write import Effect

SMALL = 10
"""Kinds with fewer objects are not held to the percentage."""
DESTROYS = ("delete", "replace")


@dataclass(frozen=True, slots=True)
class Case:
    """What is judged: a plan, the limits, and how many objects of each kind are managed."""

    document: PlanDocument
    limits: Guards
    managed: Mapping[str, int]

    @property
    def to_destroy(self) -> list[ChangeView]:
        """Changes after which the object that was there is gone."""
        return [change for change in self.document.changes if change.action in DESTROYS]

    @property
    def tearing_down(self) -> bool:
        """Whether the user asked for the end of everything."""
        return bool(self.document.options.get("destroy"))

    @property
    def whole(self) -> bool:
        """Whether the plan is about everything: who names a part has not asked for the end of everything."""
        return not any(self.document.options.get(option) for option in ("target", "exclude", "kinds"))

    @property
    def counted(self) -> bool:
        """Whether the account was asked what would be lost."""
        return self.document.options.get("impact", True) is not False


@dataclass(frozen=True, slots=True)
class Trip:
    """What a guard has found: the addresses, and what its texts are filled with."""

    changes: tuple[ChangeView, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Guard:
    """One entry of the table. `message`, `override` and `remedy` are templates over what `look` says of a trip;
    `override` is what `--allow` takes, empty where nothing can be said.

    A `teardown` guard holds too where the user asked for the end of everything. One that `warns` stops nothing. A
    guard that an option of the command line overrides has that `option` instead of an override.
    """

    name: str
    judges: str
    message: str
    override: str
    look: Callable[[Case], Iterable[Trip]]
    remedy: str = ""
    teardown: bool = True
    warns: bool = False
    option: str = ""


def judge(document: PlanDocument, limits: Guards, managed: Mapping[str, int]) -> list[GuardView]:
    """Return the verdict of every guard that has something to say about a plan.

    `managed` are the objects of each kind in the state that the plan was made from. What was approved on the
    command line stands in the document's options, what the project file overrides in `limits.allow`. The verdict
    depends on nothing else: the same document, limits and numbers always give the same one.
    """
    if document.options.get("refresh_only"):
        return []  # drift alone changes nothing
    case = Case(document, limits, managed)
    return [
        _verdict(guard, trip, case)
        for guard in GUARDS
        if guard.teardown or not case.tearing_down
        for trip in guard.look(case)
    ]


def _verdict(guard: Guard, trip: Trip, case: Case) -> GuardView:
    facts = {"count": 0, **trip.said}
    yes = guard.override.format(**facts)
    view = GuardView(
        name=guard.name,
        verdict="warned" if guard.warns else "tripped",
        message=guard.message.format(**facts),
        addresses=sorted(change.address for change in trip.changes),
        override=guard.option or (f"--allow {yes}" if yes else ""),
        remedy=guard.remedy.format(**facts),
    )
    if guard.option:
        return view.model_copy(update={"verdict": "overridden", "by": "command line"})
    for by, allowed in (("command line", case.document.options.get("allow", ())), ("project file", case.limits.allow)):
        if yes and yes in set(allowed):
            return view.model_copy(update={"verdict": "overridden", "by": by})
    return view


def idle(guards: Iterable[GuardView], allow: Iterable[str]) -> list[str]:
    """Return a warning for each yes that no guard asked for: most likely it is misspelt or out of date."""
    asked = {guard.override.removeprefix("--allow ") for guard in guards}
    return [f"--allow {name} overrides nothing in this plan{_known(name)}" for name in allow if name not in asked]


def _known(yes: str) -> str:
    """Return what is wrong with the name of a guard, "" where there is such a guard."""
    name = yes.partition("=")[0]
    names = sorted({guard.name for guard in GUARDS if guard.override})
    if name in names:
        return ""
    near = difflib.get_close_matches(name, names, 1)
    return f": there is no guard `{name}`" + (f", did you mean `{near[0]}`?" if near else "")


def beyond(document: PlanDocument, promise: PlanDocument) -> list[str]:
    """Return what a plan takes away that an earlier one, which a user approved, did not show."""
    shown = {change.address: change for change in promise.changes}
    lines = []
    for change in document.changes:
        before = shown.get(change.address)
        if change.action in DESTROYS and (before is None or before.action not in DESTROYS):
            lines.append(f"{change.address} is deleted, which was not shown")
        for effect in ("lost", "moved", "unmanaged"):
            now, then = total([change], effect), total([before] if before is not None else [], effect)
            if then is not None and (now is None or now > then):
                number = "of unknown number" if now is None else f"{now:,}"
                lines.append(f"{change.address}: {then:,} {effect} were shown, now they are {number}")
    return lines


def total(changes: Iterable[ChangeView], effect: Effect) -> int | None:
    """Return how many records or objects these changes touch in this way; None where some number is not known."""
    counts = [impact.count for _, impact in _impacts(changes, effect)]
    return None if None in counts else sum(count or 0 for count in counts)


# --- what the guards look at -----------------------------------------------------------------------------------------


def _impacts(changes: Iterable[ChangeView], effect: Effect) -> Iterator[tuple[ChangeView, ImpactView]]:
    """Return what the changes do in this way. Records that are moved before a delete go where the files say."""
    for change in changes:
        if effect == "moved" and change.action in DESTROYS and change.on_destroy:
            continue
        for impact in change.impacts:
            if impact.effect == effect:
                yield change, impact


def _above(effect: Effect, limit: Callable[[Guards], int]) -> Callable[[Case], Iterable[Trip]]:
    """Look for more records or objects than the limit that are touched in this way."""

    def look(case: Case) -> Iterable[Trip]:
        hit = [(change, impact) for change, impact in _impacts(case.document.changes, effect) if impact.count]
        count = sum(impact.count or 0 for _, impact in hit)
        if count > limit(case.limits):
            names = [f"`{name}`" for _, impact in hit for name in impact.objects]
            facts = {"count": count, "limit": limit(case.limits), "names": _named(names)}
            yield Trip(_once(hit), {**facts, "told": _counted(count, hit, effect)})

    return look


_TOUCHED: Mapping[Effect, str] = {
    "lost": "customer records are lost",
    "moved": "customer records are moved or read differently",
    "unmanaged": "undeclared objects go along",
}


def _counted(count: int, hit: Iterable[tuple[ChangeView, ImpactView]], effect: Effect) -> str:
    """Return `3 customer records are lost`; `up to 3` where the account says no more of some of them."""
    bound = "up to " if any(impact.at_most for _, impact in hit) else ""
    return f"{bound}{count:,} {agreeing(count, _TOUCHED[effect])}"


def _goes(changes: Sequence[ChangeView]) -> str:
    """Return `3 objects are deleted`, with what is only switched off said so."""
    off = sum(change.switches_off for change in changes)
    how = "switched off" if off == len(changes) else "deleted or switched off" if off else "deleted"
    return f"{len(changes):,} {agreeing(len(changes), 'objects are')} {how}"


def _unknown(effect: Effect) -> Callable[[Case], Iterable[Trip]]:
    """Look for what the account does not count."""

    def look(case: Case) -> Iterable[Trip]:
        hit = [(change, impact) for change, impact in _impacts(case.document.changes, effect) if impact.count is None]
        if hit:
            yield Trip(_once(hit))

    return look


def _once(hit: Iterable[tuple[ChangeView, ImpactView]]) -> tuple[ChangeView, ...]:
    return tuple({change.address: change for change, _ in hit}.values())


def _named(names: list[str]) -> str:
    return f": {abridged(names)}" if names else ""


def _unseen(case: Case) -> Iterable[Trip]:
    for change, impact in _impacts(case.document.changes, "hidden"):
        if change.address in impact.objects:
            yield Trip((change,), {"address": change.address, "why": impact.detail})


def _protected(case: Case) -> Iterable[Trip]:
    for change in case.to_destroy:
        if change.prevent_destroy:
            yield Trip((change,), {"address": change.address})


def _deletes(case: Case) -> Iterable[Trip]:
    """Who asks for the end of everything is held to a limit only where the project file sets one."""
    limit = case.limits.max_deletes
    if limit is None or (case.tearing_down and "max_deletes" not in case.limits.model_fields_set):
        return
    if len(case.to_destroy) > limit:
        yield Trip(
            tuple(case.to_destroy), {"count": len(case.to_destroy), "limit": limit, "told": _goes(case.to_destroy)}
        )


def _shares(case: Case) -> Iterable[Trip]:
    percent = case.limits.max_delete_percent
    for kind, count in sorted(Counter(change.kind for change in case.to_destroy).items()):
        whole = case.managed.get(kind, 0)
        if whole >= SMALL and count * 100 > percent * whole:
            facts = {"count": count, "whole": whole, "kind": kind, "limit": percent}
            yield Trip(tuple(change for change in case.to_destroy if change.kind == kind), facts)


def _lists(case: Case) -> Iterable[Trip]:
    """Contacts that are only on a list go with it: the most destructive call of the API (section 2.13 of the API
    page).
    """
    if not case.limits.allow_list_deletes and not (case.tearing_down and case.whole):
        yield from (Trip((change,), {"address": change.address}) for change in case.to_destroy if change.guarded)


def _emptied(case: Case) -> Iterable[Trip]:
    asked_for = case.document.options.get("target") or case.document.options.get("undo")
    if case.to_destroy and not case.document.declared and not asked_for:
        yield Trip(tuple(case.to_destroy), {"count": len(case.to_destroy)})


def _renames(case: Case) -> Iterable[Trip]:
    """A rename planned as delete and create would lose what hangs on the object."""
    changes = {change.address: change for change in case.document.changes}
    for pair in case.document.renames:
        facts = {"source": pair.source, "target": pair.target, "likeness": pair.likeness}
        yield Trip(tuple(changes[text] for text in (pair.source, pair.target) if text in changes), facts)


def _findings(case: Case) -> Iterable[Trip]:
    """What the account itself says about a change is not a matter of opinion: it cannot be overridden."""
    for change in case.document.changes:
        for finding in change.findings:
            if finding.severity == "error":
                hint = f" ({finding.hint})" if finding.hint else ""
                yield Trip((change,), {"address": change.address, "finding": finding.message, "hint": hint})


def _cost(case: Case) -> Iterable[Trip]:
    """`--max-requests` stands in the document and goes before the project file's limit."""
    most = case.document.options.get("max_requests") or case.limits.max_requests
    requests = case.document.forecast.plan_requests + case.document.forecast.apply_requests
    if most is not None and requests > most:
        yield Trip((), {"count": requests, "limit": most})


def _uncounted(case: Case) -> Iterable[Trip]:
    """Who does not want to know what is lost has approved it: recorded like any other override."""
    risky = [change for change in case.document.changes if change.action in DESTROYS or change.uncounted]
    if risky and not case.counted:
        yield Trip(tuple(risky))


def _settings(*, idle: bool) -> Callable[[Case], Iterable[Trip]]:
    """Look for changes of the project file, in a plan that does something, or in one that does nothing (`idle`)."""

    def look(case: Case) -> Iterable[Trip]:
        view, document = case.document.settings, case.document
        if view is not None and idle != bool(document.changes or document.steps):
            facts = {
                "source": view.source,
                "names": abridged([f"`{name}`" for name in view.changed]),
                "mark": view.mark,
            }
            yield Trip((), facts)

    return look


GUARDS = (
    Guard(
        "environment_changed",
        "changes of the project file in one request with changes of resources",
        "the project file is changed too ({names}); this plan was made by the one of {source}, and nothing was sent "
        "anywhere else. Change the project file in a request of its own",
        "environment_changed={mark}",
        _settings(idle=False),
    ),
    Guard(
        "environment_changed",
        "changes of the project file in a plan that does nothing",
        "the project file is changed ({names}); this plan was made by the one of {source}, and what the change means "
        "is seen once it is merged",
        "",
        _settings(idle=True),
        warns=True,
    ),
    Guard(
        "prevent_destroy",
        "objects that are protected; kept in the state, so that the protection outlives its block",
        "{address} is protected by `lifecycle: {{prevent_destroy: true}}`",
        "prevent_destroy={address}",
        _protected,
    ),
    Guard(
        "max_deletes",
        "how many objects are destroyed",
        "{told}; the limit is {limit}",
        "max_deletes={count}",
        _deletes,
    ),
    Guard(
        "max_records_lost",
        "how many customer records are lost",
        "{told}; the limit is {limit:,}",
        "max_records_lost={count}",
        _above("lost", lambda limits: limits.max_records_lost),
    ),
    Guard(
        "max_records_lost",
        "losses that the account does not count",
        "the account does not say how many customer records are lost",
        "max_records_lost=unknown",
        _unknown("lost"),
    ),
    Guard(
        "records_moved",
        "how many customer records stay and are somewhere else, or something else, afterwards",
        "{told}; the limit is {limit:,}",
        "records_moved={count}",
        _above("moved", lambda limits: limits.records_moved),
    ),
    Guard(
        "records_moved",
        "moves of records that the account does not count",
        "the account does not say how many customer records are moved",
        "records_moved=unknown",
        _unknown("moved"),
    ),
    Guard(
        "unmanaged_lost",
        "how many unmanaged objects go along",
        "{told}{names}; the limit is {limit:,}",
        "unmanaged_lost={count}",
        _above("unmanaged", lambda limits: limits.unmanaged_lost),
    ),
    Guard(
        "unmanaged_lost",
        "objects that go along and that the account does not show",
        "the account does not say which objects go along",
        "unmanaged_lost=unknown",
        _unknown("unmanaged"),
    ),
    Guard(
        "hidden",
        "objects that no user will see any more",
        "{address} will be invisible {why}; nothing of it is lost",
        "",
        _unseen,
        warns=True,
    ),
    Guard(
        "account_check",
        "what the account itself says about a change",
        "{address}: {finding}{hint}",
        "",
        _findings,
    ),
    Guard(
        "max_requests",
        "how many requests plan and apply take",
        "this plan and its apply take {count:,} requests; the limit is {limit:,}",
        "max_requests={count}",
        _cost,
    ),
    Guard(
        "max_delete_percent",
        f"which share of a kind of {SMALL} objects or more is destroyed",
        "{count} of {whole} objects of kind {kind} go; the limit is {limit} %",
        "max_delete_percent={kind}:{count}",
        _shares,
        teardown=False,
    ),
    Guard(
        "list_deletes",
        "lists, with which contacts go",
        "{address} is deleted, and with it every contact that is on no other list",
        "list_deletes={address}",
        _lists,
    ),
    Guard(
        "empty_configuration",
        "a configuration that declares nothing",
        "the files declare nothing any more: all {count} objects that they looked after go",
        "empty_configuration",
        _emptied,
        teardown=False,
    ),
    Guard(
        "suspected_rename",
        "a delete and a create that look like one object",
        "this deletes {source} and makes a new one, {target}. Did you mean to rename it? They are {likeness:.0%} "
        "alike; a rename keeps the object and all that hangs on it",
        "suspected_rename={source}:{target}",
        _renames,
        remedy="moved: [{{from: {source}, to: {target}}}]",
        teardown=False,
    ),
    Guard(
        "max_records_lost",
        "losses that were not to be counted",
        "what customer data is lost was not counted (--no-impact)",
        "",
        _uncounted,
        option="--no-impact",
    ),
)
"""Every guard, in the order in which they speak."""
