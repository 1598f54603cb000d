"""A closer look at planned changes: the server's dry run, the events it offers, and what a delete would lose. Reads
only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container
from dataclasses import replace

from reconciler.engine.drive import drive
from reconciler.engine.together import together
from reconciler.model.errors import AuthError, Rejected
from reconciler.model.http import Flow, Remote, Request, Response
from reconciler.model.kind import Finding, Impact, Kinds
from reconciler.model.plan import DESTROYS, WRITES, Action, Change, Op, Plan, write_of
from reconciler.model.values import Reference, RemoteId

LOSSY = (*DESTROYS, Action.UPDATE)


class Shared:
    """A remote that asks each question once: ten webhooks need one list of events. For reads of one plan only."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._asked: dict[tuple[str, tuple[tuple[str, str], ...]], asyncio.Future[Response]] = {}

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._remote.requests

    async def send(self, request: Request) -> Response:
        """Send a request, or wait for the answer to the same one; see `Remote.send`."""
        if request.method != "GET":
            return await self._remote.send(request)
        key = (request.path, request.query)
        if key not in self._asked:
            self._asked[key] = asyncio.ensure_future(self._remote.send(request))
        return await self._asked[key]


async def examine(
    plan: Plan,
    remote: Remote,
    kinds: Kinds,
    *,
    secret: Callable[[str], str],
    impact: bool = True,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Plan:
    """Return the plan with findings and measured impacts. An impact that the account refuses to count is reported
    as unmeasured.
    """

    def identity(reference: Reference) -> str:
        return reference.id if isinstance(reference, RemoteId) else plan.ids.get(str(reference), f"<{reference}>")

    remote, doomed = Shared(remote), plan.doomed

    async def look(change: Change) -> Change:
        kind = kinds[change.kind]
        findings, impacts = list(change.findings), list[Impact]()
        if change.action in WRITES:
            op: Op = "create" if change.action is Action.CREATE else "update"
            try:
                flow = kind.examine(write_of(change, op, identity, secret=secret))
                findings += await drive(flow, remote, sleep=sleep)
            except (AuthError, Rejected) as error:
                findings.append(Finding(f"could not be checked beforehand: {error.message}", "warning"))
        measured = change.action in LOSSY and not goes_with_its_parent(change, kinds, doomed)
        uncounted = False
        if measured and change.live is not None:
            loss: Op = "update" if change.action is Action.UPDATE else "delete"
            measure = kind.impact(write_of(change, loss, identity, secret=secret))
            uncounted = not impact and asks(measure)
            try:
                impacts += await drive(measure, remote, sleep=sleep) if impact else []
            except (AuthError, Rejected) as error:
                impacts.append(Impact(None, "records", detail=error.message))
        return replace(change, findings=tuple(findings), impacts=(*impacts, *change.impacts), uncounted=uncounted)

    return replace(plan, changes=tuple(await together(look(change) for change in plan.changes)))


def asks(flow: Flow[list[Impact]]) -> bool:
    """Tell whether a flow that measures has a question for the account: a change that cannot touch records has none."""
    return next(flow, None) is not None


def goes_with_its_parent(change: Change, kinds: Kinds, doomed: Container[tuple[str, str]]) -> bool:
    """Tell whether what the object holds is counted with its parent, which goes too (deals of stages and pipelines)."""
    parent = kinds[change.kind].nested
    values = change.live.attrs.values() if change.live is not None and parent else ()
    return any(isinstance(one, RemoteId) and one.kind == parent and (parent, one.id) in doomed for one in values)


def errors(plan: Plan) -> list[tuple[str, Finding]]:
    """Return (address, finding) of every finding that forbids the change."""
    return [
        (change.address, finding)
        for change in plan.changes
        for finding in change.findings
        if finding.severity == "error"
    ]
