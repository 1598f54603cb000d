"""Why a clone would leave out what two accounts hold differently: no file can say it, or the other one refuses it."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.deriving.export import export_for_files
from reconciler.engine.examine import barred, inquired
from reconciler.model.plan import Change, Plan
from reconciler.workflow.observation.contents import AccountContents
from reconciler.workflow.observation.observing import connected
from reconciler.workflow.opening.projects import open_session
from reconciler.workflow.opening.session import Session


def not_carried(first: AccountContents, other: AccountContents, whole: Plan, session: Session) -> list[str]:
    """Name what differs and no file can say, with the reason: a clone or an export of its side leaves it out."""
    rows = {entry.resource.address: (entry.resource.kind, entry.live.id) for entry in first.exported}
    mine = {rows[change.address]: change for change in whole.changes if change.address in rows}
    theirs = {(change.kind, change.live.id): change for change in whole.changes if change.live is not None}
    return [*_unsayable(first, mine, session), *_unsayable(other, theirs, session)]


async def refused(session: Session, name: str, whole: Plan) -> tuple[dict[str, str], int]:
    """Return what an account, asked for each difference, would not take, as a clone asks, and the requests of that."""
    if not whole.changes or name not in session.project.project.environments:
        return {}, 0
    async with connected(open_session(session.folder, name, session.runtime), proves_state=False) as account:
        whole = await inquired(whole, account.remote, session.kinds, secret=session.secret, known={})
        return barred(whole), account.remote.requests


def _unsayable(side: AccountContents, changes: Mapping[tuple[str, str], Change], session: Session) -> list[str]:
    if not changes:
        return []
    entries, _ = export_for_files(side.seen, session.kinds, side.state.resources, redactor=session.redactor)
    problems = {entry.resource.address: entry.problem for entry in entries if entry.problem}
    lines = []
    for entry in entries:
        change = changes.get((entry.resource.kind, entry.live.id))
        if change is None:
            continue
        if why := entry.problem or problems.get(entry.resource.parent or ""):
            lines.append(f"{change.address}: {side.name} has it as no file can say it: {why}")
        names = {item.name for item in change.attributes}
        lines += [f"{change.address}: in {side.name}, {why}" for name, why in entry.dropped.items() if name in names]
    return lines
