"""What guards find in a plan: each look yields what it would stop, with what its texts are filled with. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from reconciler.model.address import abridged
from reconciler.model.document import DESTROYS, ChangeView, ImpactView, PlanDocument
from reconciler.model.empty import NOTHING
from reconciler.model.grammar import agreeing
from reconciler.model.project import Guards
from reconciler.model.write import Effect

SMALL = 10
"""Kinds with fewer objects are not held to the percentage."""


class Case(NamedTuple):
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


class Trip(NamedTuple):
    """What a guard has found: the addresses, and what its texts are filled with."""

    changes: tuple[ChangeView, ...] = ()
    facts: Mapping[str, Any] = NOTHING


def total(changes: Iterable[ChangeView], effect: Effect) -> int | None:
    """Return how many records or objects these changes touch in this way; None where some number is not known."""
    counts = [impact.count for _, impact in _impacts(changes, effect)]
    return None if None in counts else sum(count or 0 for count in counts)


def _impacts(changes: Iterable[ChangeView], effect: Effect) -> Iterator[tuple[ChangeView, ImpactView]]:
    """Return what the changes do in this way. Records that are moved before a delete go where the files say."""
    for change in changes:
        if effect == "moved" and change.action in DESTROYS and change.on_destroy:
            continue
        for impact in change.impacts:
            if impact.effect == effect:
                yield change, impact


def above(effect: Effect, limit: Callable[[Guards], int]) -> Callable[[Case], Iterable[Trip]]:
    """Look for more records or objects than the limit that are touched in this way."""

    def look(case: Case) -> Iterable[Trip]:
        hit = [(change, impact) for change, impact in _impacts(case.document.changes, effect) if impact.count]
        count = sum(impact.count or 0 for _, impact in hit)
        if count > limit(case.limits):
            names = [f"`{name}`" for _, impact in hit for name in impact.objects]
            facts = {"count": count, "limit": limit(case.limits), "names": _named(names)}
            yield Trip(_once(hit), {**facts, "told": _counted(count, hit, effect)})

    return look


_TOUCHED: Mapping[Effect, tuple[str, str]] = {
    "lost": ("customer record is deleted or loses data", "customer records are deleted or lose data"),
    "moved": ("customer record is moved or read differently", "customer records are moved or read differently"),
    "unmanaged": ("thing that is not in the files goes along", "things that are not in the files go along"),
}
"""What happens to one, and to several."""


def _counted(count: int, hit: Iterable[tuple[ChangeView, ImpactView]], effect: Effect) -> str:
    """Return what happens to so many; `up to 3 customer records` where the account says no more of some of them."""
    bound = "up to " if any(impact.at_most for _, impact in hit) else ""
    single, several = _TOUCHED[effect]
    return f"{bound}{count:,} {single if count == 1 else several}"


def _goes(changes: Sequence[ChangeView]) -> str:
    """Return `3 objects are deleted`, with what is only switched off said so."""
    off = sum(change.switches_off for change in changes)
    how = "switched off" if off == len(changes) else "deleted or switched off" if off else "deleted"
    return f"{len(changes):,} {agreeing(len(changes), 'objects are')} {how}"


def unknown(effect: Effect) -> Callable[[Case], Iterable[Trip]]:
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


def unseen(case: Case) -> Iterable[Trip]:
    """Find parts that are not shown in the product afterwards, where the object itself is among them."""
    for change, impact in _impacts(case.document.changes, "hidden"):
        if change.address in impact.objects:
            yield Trip((change,), {"address": change.address, "why": impact.detail})


def protected(case: Case) -> Iterable[Trip]:
    """Find what is destroyed though it is protected."""
    for change in case.to_destroy:
        if change.prevent_destroy:
            yield Trip((change,), {"address": change.address})


def deletes(case: Case) -> Iterable[Trip]:
    """Who asks for the end of everything is held to a limit only where the project file sets one."""
    limit = case.limits.max_deletes
    if limit is None or (case.tearing_down and "max_deletes" not in case.limits.model_fields_set):
        return
    if len(case.to_destroy) > limit:
        yield Trip(
            tuple(case.to_destroy), {"count": len(case.to_destroy), "limit": limit, "told": _goes(case.to_destroy)}
        )


def shares(case: Case) -> Iterable[Trip]:
    """Find kinds of which too large a share is destroyed."""
    percent = case.limits.max_delete_percent
    for kind, count in sorted(Counter(change.kind for change in case.to_destroy).items()):
        whole = case.managed.get(kind, 0)
        if whole >= SMALL and count * 100 > percent * whole:
            facts = {"count": count, "whole": whole, "kind": kind, "called": kind.replace("_", " "), "limit": percent}
            yield Trip(tuple(change for change in case.to_destroy if change.kind == kind), facts)


def lists(case: Case) -> Iterable[Trip]:
    """Contacts that are only on a list go with it: the most destructive call of the API (section 2.13 of the API
    page).
    """
    if not case.limits.allow_list_deletes and not (case.tearing_down and case.whole):
        yield from (Trip((change,), {"address": change.address}) for change in case.to_destroy if change.guarded)


def emptied(case: Case) -> Iterable[Trip]:
    """Find a plan that destroys because the files declare nothing any more."""
    asked_for = case.document.options.get("target") or case.document.options.get("undo")
    if case.to_destroy and not case.document.declared and not asked_for:
        yield Trip(tuple(case.to_destroy), {"count": len(case.to_destroy)})


def renames(case: Case) -> Iterable[Trip]:
    """A rename planned as delete and create would lose what hangs on the object."""
    changes = {change.address: change for change in case.document.changes}
    for pair in case.document.renames:
        facts = {"source": pair.source, "target": pair.target, "likeness": pair.likeness}
        yield Trip(tuple(changes[text] for text in (pair.source, pair.target) if text in changes), facts)


def findings(case: Case) -> Iterable[Trip]:
    """What the account itself says about a change is not a matter of opinion: it cannot be overridden."""
    for change in case.document.changes:
        for finding in change.findings:
            if finding.severity == "error":
                hint = f" ({finding.hint})" if finding.hint else ""
                yield Trip((change,), {"address": change.address, "finding": finding.message, "hint": hint})


def cost(case: Case) -> Iterable[Trip]:
    """`--max-requests` stands in the document and goes before the project file's limit."""
    most = case.document.options.get("max_requests") or case.limits.max_requests
    requests = case.document.forecast.plan_requests + case.document.forecast.apply_requests
    if most is not None and requests > most:
        yield Trip((), {"count": requests, "limit": most})


def uncounted(case: Case) -> Iterable[Trip]:
    """Who does not want to know what is lost has approved it: recorded like any other override."""
    risky = [change for change in case.document.changes if change.action in DESTROYS or change.uncounted]
    if risky and not case.counted:
        yield Trip(tuple(risky))


def settings(*, idle: bool) -> Callable[[Case], Iterable[Trip]]:
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
