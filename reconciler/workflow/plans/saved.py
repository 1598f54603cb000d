"""Saved plans: reading one back, and proving object by object that it still fits before anything is written."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any

from reconciler.model.desired import Resource
from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.errors import ConfigError, StalePlan
from reconciler.model.kind import Kinds
from reconciler.model.live import Live
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.records import mutable, record
from reconciler.model.snapshot import fingerprint
from reconciler.model.values import Value
from reconciler.planning.bindings import salted
from reconciler.planning.document import MASK, from_document, hashes, view_of_live
from reconciler.planning.planner import plan
from reconciler.planning.reads import of_kinds, wanted
from reconciler.store.planfile import AGAIN
from reconciler.workflow.observation.book import StateTransaction, open_book
from reconciler.workflow.observation.observing import connected, looked_at
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planned import Planned, finish
from reconciler.workflow.plans.promises import as_shown, broken, more_along


@record
class StaleChange:
    """An object that is no longer what the plan was made against. `details` are lines "planned against / found now"."""

    address: str
    why: str
    details: tuple[str, ...] = ()


@record
class Checked:
    """What of a saved plan may go on, what is refused, and how many requests it took to find out.

    `done` are addresses that an interrupted run of this plan had finished already.
    """

    planned: Planned
    refused: tuple[StaleChange, ...]
    requests: int
    done: tuple[str, ...] = ()


def only_approved(document: PlanDocument, approved: str) -> None:
    """Raise StalePlan unless the plan is the one that was approved."""
    if not hmac.compare_digest(document.digest.encode(), approved.strip().lower().encode()):
        raise StalePlan(
            f"this is not the plan that was approved: its digest is {document.digest}, approved was {approved}",
            hint="have this plan reviewed and approved, or apply the one that was",
        )


def fits(session: Session, document: PlanDocument, book: StateTransaction) -> None:
    """Raise StalePlan unless the plan is for this environment, account and state."""
    stored = book.stored
    if document.environment != session.settings.name:
        raise StalePlan(
            f"the plan is for the environment `{document.environment}`, not `{session.settings.name}`",
            hint=f"use --env {document.environment}",
        )
    if document.account != session.identity:
        raise StalePlan(f"the plan is for the account {document.account}, not {session.identity}", hint=AGAIN)
    if document.digest in book.base.applied_plans:
        raise StalePlan("the plan was applied already", hint=AGAIN)
    if stored is not None and stored.serial == 0 and not document.state.lineage:
        return  # begun by an apply that was interrupted: there was no state when the plan was made
    if (document.state.lineage, document.state.serial) != ((stored.lineage, stored.serial) if stored else ("", 0)):
        raise StalePlan("the state has changed since the plan was made", hint=AGAIN)


@mutable
class _Declared:
    """Answers sensitive texts from the configuration; `refused` collects what it does not say any more."""

    resources: Mapping[str, Resource]
    salt: str
    refused: dict[str, StaleChange] = field(default_factory=dict)

    def __call__(self, address: str, name: str, expected: str) -> Value:
        resource = self.resources.get(address)
        value = resource.attrs.get(name) if resource is not None else None
        if isinstance(value, str) and salted(value, self.salt) == expected:
            return value
        self.refused[address] = StaleChange(
            address, f"`{name}` is sensitive, so the plan holds only its hash, and the configuration says another one"
        )
        return MASK


def _declared(session: Session, document: PlanDocument) -> _Declared:
    """Read the configuration only where a sensitive text has to come from it."""
    if not hashes(document):
        return _Declared({}, document.salt)
    try:
        return _Declared(session.load().desired.resources, document.salt)
    except ConfigError:
        return _Declared({}, document.salt)


async def check_plan(session: Session, document: PlanDocument, *, strict: bool = False) -> Checked:
    """Read the account again and return what of the plan still fits. With `strict`, anything moved refuses all.

    Raises StalePlan where nothing of it may be applied, and what reading raises.
    """
    book = open_book(session)
    fits(session, document, book)
    declared = _declared(session, document)
    desired = from_document(document, declared)
    addresses = frozenset(change.address for change in document.changes)
    tearing, open_ = bool(document.options.get("destroy")), book.in_flight()
    async with connected(session, book=book) as account:
        state = of_kinds(book.state(), document.reads)
        seen = await account.observe_for(desired, wanted(desired, state, session.kinds), state)
        inputs = seen.inputs(desired=desired, only=addresses, tearing_down=tearing, in_flight=open_)
        inputs = replace(inputs, replaced=_replaced(document))
        looked, inputs = await looked_at(session, account.remote, inputs, plan)
        requests = account.remote.requests
    resumed = {name for record in book.records for name in record.names} - open_
    resumed |= _taken(looked) & open_
    refused = _refused(document, looked, seen.snapshot.lives, session.kinds, declared.refused, resumed)
    kept = frozenset() if strict and refused else addresses - {refusal.address for refusal in refused}
    if refused:
        inputs = replace(inputs, only=kept)
        looked = plan(inputs)
    options = PlanOptions(
        destroy=tearing,
        allow=tuple(document.options.get("allow", ())),
        replace=tuple(document.options.get("replace", ())),
    )
    planned = as_shown(finish(seen, inputs, looked, options, requests), document)
    done = sorted((resumed & kept) - {change.address for change in looked.changes})
    return Checked(planned, tuple(refused), requests, tuple(done))


def _replaced(document: PlanDocument) -> dict[str, str]:
    """Return the ids of what the plan makes again because that was asked for."""
    asked = set(document.options.get("replace", ()))
    return {change.address: change.id for change in document.changes if change.address in asked and change.id}


def _taken(plan: Plan) -> set[str]:
    """Return the addresses with nothing left to do but to record it."""
    return {change.address for change in plan.changes if change.action in (Action.REFRESH, Action.FORGET)}


def _refused(
    document: PlanDocument,
    plan: Plan,
    lives: Mapping[str, Iterable[Live]],
    kinds: Kinds,
    already: Mapping[str, StaleChange],
    resumed: set[str],
) -> list[StaleChange]:
    """Return what differs from the plan, with everything that waits for it. `resumed` was begun by an interrupted run
    of ours.
    """
    now = {change.address: change for change in plan.changes}
    skipped = {skip.address: skip.reason for skip in plan.skipped}
    promises = more_along(document, plan) | broken(document, plan, resumed)
    living = {(kind, live.id): live for kind, rows in lives.items() for live in rows}
    refused = dict(already)
    for change in document.changes:
        if change.address in resumed or change.address in refused:
            continue
        live = living.get((change.kind, change.id)) if change.id is not None else None
        why = _difference(change, now.get(change.address), skipped)
        if why is not None:
            refused[change.address] = replace(why, details=_details(change, live, kinds, document.ids))
        elif change.address in promises:
            refused[change.address] = StaleChange(change.address, promises[change.address])
    return list(_with_dependants(document, refused).values())


def _with_dependants(document: PlanDocument, refused: dict[str, StaleChange]) -> dict[str, StaleChange]:
    """Add what needs a refused object, or waits for one of its steps (a pipeline goes after its stages)."""
    owner = {step.number: step.address for step in document.steps}
    causes: dict[str, set[str]] = {
        change.address: set() if change.action == "delete" else set(change.depends_on) for change in document.changes
    }
    for step in document.steps:
        causes.setdefault(step.address, set()).update(owner[number] for number in step.waits if number in owner)
    changes = dict(refused)
    pending = list(refused)
    while pending:
        cause = pending.pop()
        for address, needs in causes.items():
            if cause in needs and address not in changes:
                changes[address] = StaleChange(address, f"it waits for {cause}, which is refused")
                pending.append(address)
    return changes


def _difference(planned: ChangeView, now: Change | None, skipped: Mapping[str, str]) -> StaleChange | None:
    if now is None:
        why = skipped.get(planned.address, "nothing is left to do: the account changed since the plan was made")
        return StaleChange(planned.address, why)
    if now.action.value != planned.action:
        return StaleChange(planned.address, f"planned to {planned.action}; the account now asks to {now.action.value}")
    current = fingerprint(now.live) if now.live is not None else None
    if current != planned.fingerprint or now.changed != {item.name for item in planned.attributes}:
        return StaleChange(planned.address, "the object changed since the plan was made")
    return None


def _details(planned: ChangeView, live: Live | None, kinds: Kinds, ids: Mapping[str, str]) -> tuple[str, ...]:
    """Return the small diff: each attribute that is not what the plan was made against."""
    if planned.id is not None and live is None:
        return (f"planned against id {planned.id}, found now: no such object",)
    if live is None or not planned.found:
        return ()
    now = view_of_live(live, kinds[planned.kind], planned, ids)
    return tuple(
        f"{name}: planned against {_json(planned.found.get(name))}, found now {_json(now.get(name))}"
        for name in sorted({*planned.found, *now})
        if planned.found.get(name) != now.get(name)
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
