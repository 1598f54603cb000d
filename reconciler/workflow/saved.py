"""Saved plans: reading one back, and proving object by object that it still fits before anything is written."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler.engine.refresh import Refreshed, refresh
from reconciler.model.document import PLAN_FORMAT, ChangeView, PlanDocument, digest
from reconciler.model.errors import StalePlan
from reconciler.model.plan import Change, Plan
from reconciler.model.snapshot import fingerprint, snapshot
from reconciler.model.state import State
from reconciler.planning.document import from_document, to_document
from reconciler.planning.planner import Inputs, plan
from reconciler.workflow.planning import Options, Planned, finish, wanted
from reconciler.workflow.session import Book, Session, open_book


@dataclass(frozen=True)
class Moved:
    """An object that is no longer what the plan was made against. `details` are lines "planned against / found now"."""

    address: str
    why: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checked:
    """What of a saved plan may go on, and what is refused."""

    planned: Planned
    refused: tuple[Moved, ...]


def read_plan(path: Path) -> PlanDocument:
    """Read a saved plan. Raises StalePlan where it is no plan, was altered, or is of a newer major format."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StalePlan(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StalePlan(
            f"{path} is not a plan: it is cut off or no JSON", hint="make a new plan with `reconciler plan --out FILE`"
        ) from error
    version = str(content.get("format_version", "")) if isinstance(content, dict) else ""
    if version.partition(".")[0] != PLAN_FORMAT.partition(".")[0]:
        raise StalePlan(
            f"{path} has plan format {version or 'none'}; this program reads {PLAN_FORMAT.partition('.')[0]}.x",
            hint="use the version that wrote it, or make a new plan",
        )
    try:
        document = PlanDocument.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StalePlan(f"{path} is not a plan: {first['msg']} at {where}") from error
    if digest(document) != document.digest:
        raise StalePlan(f"{path} was altered after it was made: its digest does not fit", hint="make a new plan")
    return document


def write_plan(document: PlanDocument, path: Path) -> None:
    """Write a plan document, readable by its owner only."""
    path.write_text(document.model_dump_json(indent=2) + "\n", "utf-8")
    path.chmod(0o600)


def fits(session: Session, document: PlanDocument, book: Book) -> None:
    """Raise StalePlan unless the plan is for this environment, account and state."""
    stored = book.stored
    if document.environment != session.settings.name:
        raise StalePlan(
            f"the plan is for the environment `{document.environment}`, not `{session.settings.name}`",
            hint=f"use --env {document.environment}",
        )
    if document.account != session.identity:
        raise StalePlan(f"the plan is for the account {document.account}, not {session.identity}")
    if document.digest in book.base.applied_plans:
        raise StalePlan("the plan was applied already", hint="make a new plan")
    if (document.state.lineage, document.state.serial) != ((stored.lineage, stored.serial) if stored else ("", 0)):
        raise StalePlan("the state has changed since the plan was made", hint="make a new plan")


async def check_plan(session: Session, document: PlanDocument, *, strict: bool = False) -> Checked:
    """Read the account again and return what of the plan still fits. With `strict`, anything moved refuses all."""
    book = open_book(session)
    fits(session, document, book)
    desired = from_document(document, session.kinds)
    addresses = {change.address for change in document.changes}
    async with AsyncExitStack() as stack:
        remote = session.connect(stack, write=False)
        await session.check_account(remote, book.stored)
        state = book.state()
        reads = wanted(desired, _only_kinds(state, set(document.reads)), session.kinds)
        refreshed = await refresh(remote, session.kinds, reads)
        seen = snapshot(session.kinds, reads, refreshed.tables)
        tearing = bool(document.options.get("destroy"))
        inputs = Inputs(
            desired, state, seen, session.kinds, session.secret, book.intents(), frozenset(addresses), tearing
        )
        made = plan(inputs)
        refused = _moved(document, made)
        if refused:
            kept = addresses - {one.address for one in refused}
            inputs = replace(inputs, only=frozenset(kept if not strict else ()))
            made = plan(inputs)
        requests = remote.requests
    options = Options(impact=False, destroy=tearing, allow=tuple(document.options.get("allow", ())))
    planned = finish(session, book, inputs, refreshed, made, options, requests, (), reads)
    return Checked(_as_judged(planned, document, refreshed), tuple(refused))


def _as_judged(planned: Planned, document: PlanDocument, refreshed: Refreshed) -> Planned:
    """Keep the verdicts and forecast of the plan that was reviewed: nothing is counted again."""
    now = planned.document.model_copy(
        update={"guards": document.guards, "forecast": document.forecast, "digest": document.digest}
    )
    return replace(planned, document=now, refreshed=refreshed)


def _only_kinds(state: State, names: set[str]) -> State:
    return state.model_copy(
        update={"resources": {address: one for address, one in state.resources.items() if one.kind in names}}
    )


def _moved(document: PlanDocument, made: Plan) -> list[Moved]:
    """Return what differs from the plan, with everything that depends on it."""
    now = {change.address: change for change in made.changes}
    skipped = {one.address: one.reason for one in made.skipped}
    refused: dict[str, Moved] = {}
    for change in document.changes:
        why = _difference(change, now.get(change.address), skipped)
        if why is not None:
            refused[change.address] = why
    changed = True
    while changed:
        changed = False
        for change in document.changes:
            cause = next((target for target in change.depends_on if target in refused), None)
            if change.address not in refused and cause is not None:
                refused[change.address] = Moved(change.address, f"it needs {cause}, which is refused")
                changed = True
    return list(refused.values())


def _difference(planned: ChangeView, now: Change | None, skipped: dict[str, str]) -> Moved | None:
    if now is None:
        return Moved(planned.address, skipped.get(planned.address, "nothing is left to do: the account changed since"))
    found = fingerprint(now.live) if now.live is not None else None
    if found != planned.fingerprint or now.action.value != planned.action:
        return Moved(
            planned.address,
            f"planned: {planned.action}; the account asks for: {now.action.value}"
            if now.action.value != planned.action
            else "the object changed since",
            _details(planned, now),
        )
    return None


def _details(planned: ChangeView, now: Change) -> tuple[str, ...]:
    before = {item.name: item.before for item in planned.attributes}
    lines = []
    for item in now.attributes:
        shown = "(sensitive)" if item.sensitive else json.dumps(_plain(item.before), ensure_ascii=False)
        old = before.get(item.name, "as declared")
        if item.sensitive or _plain(old) != _plain(item.before):
            lines.append(
                f"{item.name}: planned against {json.dumps(_plain(old), ensure_ascii=False)}, found now {shown}"
            )
    return tuple(lines)


def _plain(value: Any) -> Any:
    from reconciler.model.values import encode

    return encode(value)


__all__ = ["Checked", "Moved", "check_plan", "read_plan", "to_document", "write_plan"]
