"""Asking whose eyes the account is read with, once for a run, and only where something hangs on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.model.errors import AuthError, RemoteError, concerns_all
from reconciler.model.http import Remote, Request, at, get
from reconciler.model.plan import Plan
from reconciler.model.sight import Eyes
from reconciler.planning.sight import concludes
from reconciler.planning.work import Inputs
from reconciler.workflow.session import Session

REQUESTS = 2
"""What asking costs: the key's user, and its user group."""


async def eyes_of(session: Session, remote: Remote) -> Eyes:
    """Return the user group of the key's user: `GET /users/me`, and the link `userGroup` of that user (sections 1.2
    and 2.19). An account that refuses either, or says it otherwise, says nothing.
    """
    url = session.settings.url
    if url not in session.eyes:
        session.eyes[url] = await ask(remote)
    return session.eyes[url]


async def ask(remote: Remote) -> Eyes:
    """Ask an account, or a snapshot of it; see `eyes_of`."""
    try:
        me = (await remote.send(get("/users/me"))).row("user").get("id")
        if me in (None, ""):
            return Eyes()
        answer = await remote.send(Request("GET", at("/users", me, "userGroup"), expect=(404,)))
        group = answer.row("userGroup") if answer.ok else {}
        if not group and answer.ok:
            group = next(iter(answer.rows("userGroups")), {})
    except (AuthError, RemoteError) as error:
        if concerns_all(error):
            raise
        return Eyes()
    return Eyes(str(group.get("groupid") or group.get("group") or ""))


async def looked_at(
    session: Session, remote: Remote, inputs: Inputs, work: Callable[[Inputs], Plan], made: Plan | None = None
) -> tuple[Plan, Inputs]:
    """Return the plan, made anew with what is known of the eyes where it concludes anything from what is not shown."""
    made = made or work(inputs)
    if not concludes(made, inputs):
        return made, inputs
    inputs = replace(inputs, eyes=await eyes_of(session, remote))
    return work(inputs), inputs
