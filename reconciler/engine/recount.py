"""What a change costs, counted again right before each request that can take something away. Reads only.

What was approved are exactly the numbers of the plan: more, and what cannot be counted any more, is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import field, replace

from reconciler.engine.drive import drive
from reconciler.engine.examine import LOSSY, Managed, loss_of, waived
from reconciler.model.errors import ReconcilerError, Refused, Uncounted
from reconciler.model.http import Remote
from reconciler.model.kind import Kinds
from reconciler.model.plan import Change, Plan, parents, write_of
from reconciler.model.records import mutable
from reconciler.model.state import Going
from reconciler.model.values import RemoteId
from reconciler.model.write import Impact, Write

AGAIN = "make a new plan, and approve what it shows"
CountKey = tuple[str, str]
Numbers = Mapping[CountKey, Impact]
"""Impacts by effect and noun: what has one name is one number."""


@mutable
class Recount:
    """The numbers of a plan that a user approved, and what of them is used up.

    `known` is false where numbers were not asked for (--no-impact). A number that the account could not tell was
    approved as such, and bounds nothing. Children that go with their parent share its number: `gone` went with them so
    far, `earlier` in runs of this plan that died. `note(going)` makes a number durable before it goes. What is moved
    away before a delete, and what several requests of one change take of the same records, bounds itself: `away` is
    what requests that may have been carried out took.
    """

    plan: Plan
    kinds: Kinds
    remote: Remote
    known: bool = True
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    gone: dict[str, tuple[Write, Numbers]] = field(default_factory=dict)
    earlier: Mapping[str, Going] = field(default_factory=dict)
    note: Callable[[Going], None] = lambda going: None
    away: dict[str, tuple[Numbers, Numbers]] = field(default_factory=dict)
    """By address: what may have gone with earlier requests, and what the last one was about to take."""

    def __post_init__(self) -> None:
        self.planned = {change.address: change.impacts for change in self.plan.changes}
        self.parents = parents(self.plan.changes, self.kinds, self.plan.to_destroy)
        self.managed = Managed(self.plan)
        self.turns = {parent.address: asyncio.Lock() for parent in self.parents.values()}

    def alone(self, change: Change) -> AbstractAsyncContextManager[None]:
        """Keep the members of a family from being counted and deleted at the same time."""
        parent = self.parents.get(change.address, change)
        return self.turns.get(parent.address, nullcontext())

    async def __call__(self, change: Change, write: Write, *, unsent: bool = False) -> None:
        """Count what a change costs. Raises Refused where that is more than was planned, Uncounted where it cannot be
        known. `unsent`: the request before was the same one and was surely not carried out.
        """
        if write.destroying:
            await self._nothing_else(change, write)
        holder = self.parents.get(change.address, change)
        planned = self.planned.get(holder.address, ())
        if not self.known or waived(planned):
            return
        if holder is change:
            whole = await self._left(change, await self._measure(change, write))
            impacts = {
                key: impact for key, impact in whole.items() if write.on_destroy or (impact.ids and not impact.of)
            }
            self._bound(change, planned, impacts, unsent=unsent)
            self._compare(planned, whole)
            return
        # Nothing of a family goes once its number is exceeded. What a child holds is part of it, and what came to the
        # child between the two counts is seen by the second.
        mine = await self._measure(change, write)
        whole = await self._measure(holder, write_of(holder, loss_of(holder), write.ids, secret=write.secret))
        self._compare(planned, await self._left(holder, whole, but=change.address))
        shared = {*whole, *numbers(planned)}
        self._compare(
            self.planned.get(change.address, ()), {key: impact for key, impact in mine.items() if key not in shared}
        )
        _, before = self.gone.get(change.address, (write, {}))
        going = _each(max, before, mine)
        self.gone[change.address] = (write, going)
        self._note(change.address, holder.address, going.values())

    def _note(self, child: str, parent: str, going: Iterable[Impact]) -> None:
        counts = {f"{impact.effect} {impact.noun}": impact.count for impact in going if impact.count}
        ids = [identity for impact in going for identity in impact.ids]
        if counts:
            self.note(Going(address=child, parent=parent, plan="", counts=counts, ids=ids))

    def _bound(self, change: Change, planned: Iterable[Impact], impacts: Numbers, *, unsent: bool) -> None:
        """Hold what is moved away, or taken by several requests, to its number over all of them: what went, and what
        came since, are told apart by their ids only. Raises Refused.
        """
        before, last = self.away.get(change.address) or (self._moved_earlier(change, impacts), {})
        if not unsent:
            before = _in_all(before, {key: impact for key, impact in last.items() if key in impacts})
        self.away[change.address] = before, impacts
        whole = _in_all(before, impacts)
        excess = _excess(planned, whole)
        if excess and before:
            gone = ", ".join(f"{impact.count:,}" for impact in before.values() if impact.count)
            raise Refused(f"{'; '.join(excess)}, of which {gone} may have gone already", hint=AGAIN)
        if not excess:
            self._note(change.address, change.address, whole.values())

    def _moved_earlier(self, change: Change, impacts: Numbers) -> Numbers:
        """Return what runs of this plan that died were about to move."""
        going = self.earlier.get(change.address)
        if going is None or going.parent != change.address:
            return {}
        ids = tuple(going.ids)
        known = {" ".join(key): (key, impact) for key, impact in impacts.items()}
        return {
            known[name][0]: replace(known[name][1], count=count, ids=ids if len(ids) == count else ())
            for name, count in going.counts.items()
            if name in known
        }

    async def everything(self, secret: Callable[[str], str]) -> None:
        """Count all that the plan costs, before its first write. Raises Refused, naming everything that is more."""
        problems: list[str] = []
        looking = replace(self, note=lambda going: None, away={})  # nothing is about to go yet
        for change in self._whole():
            try:
                await looking(change, write_of(change, loss_of(change), self.plan.identify, secret=secret))
            except Refused as error:
                problems.append(f"{change.address}: {error.message}")
        if problems:
            raise Refused("\n".join(["nothing was changed (--strict)", *problems]), hint=AGAIN)

    def cost(self) -> int:
        """Return how many requests it takes to count everything once, as far as the plan knew."""
        return sum(len(change.counting) for change in self._whole())

    def _whole(self) -> list[Change]:
        """Return what is counted for itself, not with its parent."""
        return [
            change
            for change in self.plan.changes
            if change.action in LOSSY and change.live and change.address not in self.parents
        ]

    async def _left(self, parent: Change, current: Numbers, *, but: str = "") -> Numbers:
        """Add what went with the children so far, but for the one whose turn it is. Only where that is too much, look
        whether it is gone: an account that keeps what a deleted child held has it among what was found.
        """
        children = [name for name in self.gone if self.parents[name].address == parent.address and name != but]
        whole = current = self._with_earlier(parent, current)
        for name in children:
            whole = _each(int.__add__, whole, self.gone[name][1])
        if not children or not _excess(self.planned.get(parent.address, ()), whole):
            return whole
        for name in children:
            write, went = self.gone[name]
            try:
                still = numbers(await self._ask(name.partition(".")[0], write))
            except (ReconcilerError, LookupError):
                still = {}  # of what is gone many accounts say nothing
            current = _each(int.__add__, current, _each(lambda number, other: max(number - other, 0), went, still))
        return current

    def _with_earlier(self, parent: Change, current: Numbers) -> Numbers:
        """Add what went with children in runs of this plan that died; what is there of a child now is counted now."""
        before = numbers(self.planned.get(parent.address, ()))
        for child, going in self.earlier.items():
            if going.parent != parent.address or child in self.gone or child in (*self.parents, going.parent):
                continue
            known = {" ".join(key): impact for key, impact in {**before, **current}.items()}
            counted = {name: replace(known[name], count=count) for name, count in going.counts.items() if name in known}
            current = _each(int.__add__, current, {(impact.effect, impact.noun): impact for impact in counted.values()})
        return current

    async def _measure(self, change: Change, write: Write) -> Numbers:
        try:
            return numbers(await self._ask(change.kind, write))
        except (ReconcilerError, LookupError) as error:
            planned = _told(numbers(self.planned.get(change.address, ())).values())
            raise Uncounted(f"planned against {planned}; it cannot be counted now: {error}", hint=AGAIN) from error

    async def _nothing_else(self, change: Change, write: Write) -> None:
        """List what goes along once more: what was added since the plan stays, and so does the object."""
        try:
            names = await drive(self.kinds[change.kind].unmatched(write), self.remote, sleep=self.sleep)
        except (ReconcilerError, LookupError) as error:
            raise Uncounted(
                f"it cannot be counted now: what goes along with it is not listed: {error}", hint=AGAIN
            ) from error
        if names:
            raise Refused(f"not in the plan, and would go along: {', '.join(names)}", hint=AGAIN)

    async def _ask(self, kind: str, write: Write) -> list[Impact]:
        measure = self.kinds[kind].impact(write._replace(recounting=True))
        return self.managed.owned(await drive(measure, self.remote, sleep=self.sleep), RemoteId(kind, write.id))

    def _compare(self, planned: Iterable[Impact], impacts: Numbers) -> None:
        if excess := _excess(planned, impacts):
            unknown = any(impact.count is None for impact in impacts.values())
            raise (Uncounted if unknown else Refused)("; ".join(excess), hint=AGAIN)


def numbers(impacts: Iterable[Impact]) -> Numbers:
    """Return impacts by effect and noun, each key once."""
    by_key: dict[CountKey, Impact] = {}
    for impact in impacts:
        key = (impact.effect, impact.noun)
        by_key[key] = _joined(int.__add__, by_key[key], impact) if key in by_key else impact
    return by_key


def _each(how: Callable[[int, int], int], first: Numbers, other: Numbers) -> Numbers:
    """Join two sets of numbers; a number that only one of them has counts as nothing in the other."""
    nothing = {key: replace(impact, count=0, objects=()) for key, impact in {**other, **first}.items()}
    return {key: _joined(how, first.get(key, nothing[key]), other.get(key, nothing[key])) for key in nothing}


def _joined(how: Callable[[int, int], int], impact: Impact, other: Impact) -> Impact:
    count = None if impact.count is None or other.count is None else how(impact.count, other.count)
    objects = tuple(dict.fromkeys((*impact.objects, *other.objects)))
    return replace(impact, count=count, at_most=impact.at_most or other.at_most, objects=objects)


def _in_all(before: Numbers, now: Numbers) -> Numbers:
    """Join what may have been moved with what is there: what is among both is one, where it is known which it is."""
    both = {key: _once(before[key], now[key]) for key in before.keys() & now.keys()}
    return {**before, **now, **both}


def _once(before: Impact, now: Impact) -> Impact:
    complete = len(before.ids) == before.count and len(now.ids) == now.count
    ids = tuple(dict.fromkeys((*before.ids, *now.ids))) if complete else ()
    return (
        replace(now, count=len(ids), ids=ids)
        if complete
        else _joined(int.__add__, before, replace(now, at_most=True, ids=()))
    )


def _excess(planned: Iterable[Impact], impacts: Numbers) -> list[str]:
    """Return what is more than was planned, in words."""
    known = numbers(planned)
    return [why for key, impact in impacts.items() if (why := _more(known.get(key), impact))]


def _more(planned: Impact | None, impact: Impact) -> str:
    allowed = planned.count if planned is not None else 0
    if allowed is None:
        return ""
    if impact.count is None:
        return f"planned against {allowed:,}, and the account does not say any more how many {impact.noun}"
    unmatched = ", ".join(sorted(set(impact.objects) - set(planned.objects if planned is not None else ())))
    if impact.count > allowed:
        return f"planned against {allowed:,}, found {_told([impact])}{f': {unmatched}' if unmatched else ''}"
    return f"not in the plan: {unmatched}" if unmatched else ""


def _told(impacts: Iterable[Impact]) -> str:
    """Return numbers in words, e.g. "at most 31 contacts carry the tag"."""
    counts = [f"{'at most ' if impact.at_most else ''}{_number(impact.count)} {impact.noun}" for impact in impacts]
    return " and ".join(counts) or "nothing"


def _number(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
