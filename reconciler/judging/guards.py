"""Guards: what stops a plan unless a user overrides exactly that. Pure: a table of guards, judged over the plan
document, which carries all that they look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from reconciler.judging import looks
from reconciler.judging.looks import SMALL, Case, Trip, total
from reconciler.model.document import DESTROYS, GuardView, PlanDocument
from reconciler.model.nearest import nearest
from reconciler.model.project import Guards


class Guard(NamedTuple):
    """One entry of the table. `message`, `override` and `remedy` are templates over what `look` says of a trip;
    `override` is what `--allow` takes, empty where nothing can be said.

    A `teardown` guard holds too where the user asked for the end of everything. One that `warns` stops nothing. A
    guard that an option of the command line overrides has that `option` instead of an override. `title` is what a
    report calls it, and `why` what it says in place of a message that speaks of the files in their own words; each
    said once for all entries of one name.
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
    title: str = ""
    why: str = ""


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
    facts = {"count": 0, **trip.facts}
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
    near = nearest(name, names)
    return f": there is no guard `{name}`" + (f", did you mean `{near}`?" if near else "")


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


# --- what the guards look at -----------------------------------------------------------------------------------------


GUARDS = (
    Guard(
        "environment_changed",
        "changes of the project file in one request with changes of resources",
        "the project file is changed too ({names}); this plan was made by the one of {source}, and nothing was sent "
        "anywhere else. Change the project file in a request of its own",
        "environment_changed={mark}",
        looks.settings(idle=False),
        title="The project's settings change too",
    ),
    Guard(
        "environment_changed",
        "changes of the project file in a plan that does nothing",
        "the project file is changed ({names}); this plan was made by the one of {source}, and what the change means "
        "is seen once it is merged",
        "",
        looks.settings(idle=True),
        warns=True,
    ),
    Guard(
        "prevent_destroy",
        "objects that are protected; kept in the state, so that the protection outlives its block",
        "{address} is protected by `lifecycle: {{prevent_destroy: true}}`",
        "prevent_destroy={address}",
        looks.protected,
        title="It is protected from being deleted",
        why="The files say that this must not be deleted.",
    ),
    Guard(
        "max_deletes",
        "how many objects are destroyed",
        "{told}; the limit is {limit}",
        "max_deletes={count}",
        looks.deletes,
        title="Many things are deleted at once",
    ),
    Guard(
        "max_records_lost",
        "how many customer records are lost",
        "{told}; the limit is {limit:,}",
        "max_records_lost={count}",
        looks.above("lost", lambda limits: limits.max_records_lost),
        title="Customer data is lost",
    ),
    Guard(
        "max_records_lost",
        "losses that the account does not count",
        "the account does not say how many customer records are deleted or lose data",
        "max_records_lost=unknown",
        looks.unknown("lost"),
    ),
    Guard(
        "records_moved",
        "how many customer records stay and are somewhere else, or something else, afterwards",
        "{told}; the limit is {limit:,}",
        "records_moved={count}",
        looks.above("moved", lambda limits: limits.records_moved),
        title="Customer data moves or means something else",
    ),
    Guard(
        "records_moved",
        "moves of records that the account does not count",
        "the account does not say how many customer records are moved",
        "records_moved=unknown",
        looks.unknown("moved"),
    ),
    Guard(
        "unmanaged_lost",
        "how many unmanaged objects go along",
        "{told}{names}; the limit is {limit:,}",
        "unmanaged_lost={count}",
        looks.above("unmanaged", lambda limits: limits.unmanaged_lost),
        title="Things that are not in the files go along",
    ),
    Guard(
        "unmanaged_lost",
        "objects that go along and that the account does not show",
        "the account does not say which objects go along",
        "unmanaged_lost=unknown",
        looks.unknown("unmanaged"),
    ),
    Guard(
        "hidden",
        "objects that no user will see any more",
        "{address} will be invisible {why}; nothing of it is lost",
        "",
        looks.unseen,
        warns=True,
        title="People will look for it in vain",
    ),
    Guard(
        "account_check",
        "what the account itself says about a change",
        "{address}: {finding}{hint}",
        "",
        looks.findings,
        title="ActiveCampaign would refuse this",
    ),
    Guard(
        "max_requests",
        "how many requests plan and apply take",
        "this plan and its apply take {count:,} requests; the limit is {limit:,}",
        "max_requests={count}",
        looks.cost,
        title="It takes very many requests",
    ),
    Guard(
        "max_delete_percent",
        f"which share of a kind of {SMALL} objects or more is destroyed",
        "{count} of {whole} objects of the kind {called} are deleted; the limit is {limit} %",
        "max_delete_percent={kind}:{count}",
        looks.shares,
        teardown=False,
        title="A large part of one sort is deleted",
    ),
    Guard(
        "list_deletes",
        "lists, with which contacts go",
        "{address} is deleted, and with it every contact that is on no other list",
        "list_deletes={address}",
        looks.lists,
        title="A list is deleted, with contacts on it",
    ),
    Guard(
        "empty_configuration",
        "a configuration that declares nothing",
        "the files declare nothing any more: all {count} objects that they looked after go",
        "empty_configuration",
        looks.emptied,
        teardown=False,
        title="The files are empty",
    ),
    Guard(
        "suspected_rename",
        "a delete and a create that look like one object",
        "this deletes {source} and makes a new one, {target}. Did you mean to rename it? They are {likeness:.0%} "
        "alike; a rename keeps the object and all that hangs on it",
        "suspected_rename={source}:{target}",
        looks.renames,
        remedy="moved: [{{from: {source}, to: {target}}}]",
        teardown=False,
        title="It looks like a rename",
    ),
    Guard(
        "max_records_lost",
        "losses that were not to be counted",
        "what customer data is lost was not counted (--no-impact)",
        "",
        looks.uncounted,
        option="--no-impact",
    ),
)
"""Every guard, in the order in which they speak."""
