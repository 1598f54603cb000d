"""What `doctor` finds of an account: whether it answers, whose key it is, what that may read."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from reconciler.engine.gather import gather
from reconciler.engine.refresh import read_listing
from reconciler.model.address import abridged
from reconciler.model.errors import (
    AuthError,
    ExitCode,
    ReconcilerError,
    Rejected,
    RemoteError,
    Unexpected,
    Unreachable,
    concerns_all,
)
from reconciler.model.http import Request, get
from reconciler.model.kind import Kinds
from reconciler.model.live import Collection, Unknown
from reconciler.workflow.observation.observing import check_account, eyes_of
from reconciler.workflow.opening.session import Session

CheckVerdict = Literal["ok", "warning", "failed", "skipped"]

NOWHERE = (301, 302, 303, 307, 308, 400, 404, 405, 410)
"""Statuses of an address that knows no /users/me."""
SKEW = 60.0
"""Seconds that the clocks of this machine and of the account may differ by."""


@dataclass(frozen=True)
class Check:
    """One line of the page. `code` is the exit code that a failure of this sort has."""

    check: str
    verdict: CheckVerdict
    found: str
    advice: str = ""
    code: ExitCode = ExitCode.DONE

    def row(self) -> dict[str, Any]:
        """The line for tables and machines."""
        return {"check": self.check, "verdict": self.verdict, "found": self.found, "advice": self.advice}


def failed(name: str, error: Exception, advice: str = "") -> Check:
    """Return a check that an error ended."""
    if isinstance(error, ReconcilerError):
        return Check(name, "failed", error.message, error.hint or advice, ExitCode(error.exit_code))
    return Check(name, "failed", type(error).__name__, advice, ExitCode.ERROR)


async def account_checks(session: Session, line: Any) -> AsyncIterator[Check]:
    """Connection, clock, token, whose it is, whose eyes; then what the key may read."""
    session.expects({name: frozenset() for name in _looked_at(session)})
    try:
        answer = await line.send(get("/users/me"))
    except AuthError as error:
        yield Check("connection", "ok", "the account answers")
        yield failed("token", error)
        return
    except (RemoteError, OSError) as error:
        yield failed("connection", error, _advice(error))
        return
    yield Check("connection", "ok", "the account answers")
    yield _clock(session, answer.headers.get("date", ""))
    yield Check("token", "ok", "accepted")
    try:
        stored = session.store.read()
    except ReconcilerError:
        stored = None  # which was told above
    try:
        await check_account(session, line, stored)
        eyes = await eyes_of(session, line)
    except (ReconcilerError, OSError) as error:
        yield failed("account", error)
        return
    yield Check("account", "ok", session.settings.account or "the project file does not name it (`account:`)")
    if eyes.why:
        yield Check("eyes", "warning", eyes.why.partition(":")[0], "use the key of an Admin user")
    else:
        yield Check("eyes", "ok", "the key is of an Admin user")
    async for permission in _permissions(session, line):
        yield permission


def _advice(error: Exception) -> str:
    """Return what to look at where the account gave no answer of the API's."""
    if isinstance(error, Unreachable):
        return "look at the lines above: address, TLS, proxy"
    if isinstance(error, Unexpected) or (isinstance(error, Rejected) and error.status in NOWHERE):
        return (
            "there is no ActiveCampaign API at this address: `url` is the API URL from Settings > Developer, "
            "https://ACCOUNT.api-us1.com, with nothing behind the host"
        )
    return "try again in a minute: the account answers, and not as it should"


def _clock(session: Session, date: str) -> Check:
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return Check("clock", "skipped", "the account does not tell its time")
    off = (session.runtime.now() - theirs.astimezone(datetime.UTC)).total_seconds()
    if abs(off) > SKEW:
        what = f"this machine is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}"
        return Check("clock", "warning", what, "set the clock: leases of locks and runs go by it")
    return Check("clock", "ok", f"within {max(1, round(abs(off)))} s of the account's")


async def _permissions(session: Session, line: Any) -> AsyncIterator[Check]:
    """Which kinds the key may read, and which the account has. What is declared or managed is read as a plan reads it,
    of the rest one row; all at the same time, as a plan reads, for the connection bounds how many and how fast.
    """
    needed, bad, missing = _needed(session), {}, []
    firsts = {name: kind.reading.collections[0].known(session.facts) for name, kind in _looked_at(session).items()}
    try:
        answers = await gather(_read(line, first, whole=name in needed) for name, first in firsts.items())
    except ReconcilerError as error:
        yield failed("permissions", error)
        return
    readable = 0
    for name, unknown in zip(firsts, answers, strict=True):
        if unknown is None:
            readable += 1
        elif unknown.forbidden:
            bad[name] = unknown.reason
        else:
            missing.append(name)
            bad |= {name: unknown.reason} if name in needed else {}
    lost = sorted(needed & bad.keys())
    if lost:
        message = f"not readable, and declared or managed: {', '.join(lost)} ({bad[lost[0]]})"
        yield Check("permissions", "failed", message, "give the key's user that permission", ExitCode.AUTH)
    elif bad:
        message = f"{readable} kinds are readable; not readable, and not declared: {abridged(sorted(bad))}"
        yield Check("permissions", "warning", message, "only if you mean to manage them")
    else:
        yield Check("permissions", "ok", f"{readable} kinds are readable")
    message = f"this account does not have: {', '.join(missing)}" if missing else "every endpoint is there"
    yield Check("features", "ok", message)


def _looked_at(session: Session) -> Kinds:
    """Return the kinds that have a listing of their own."""
    return {name: kind for name, kind in session.kinds.items() if not kind.nested and kind.reading.collections}


async def _read(line: Any, collection: Collection, *, whole: bool) -> Unknown | None:
    """Return why a listing cannot be read; None where it can. Raises what would end any other read too."""
    if whole:
        listing = await read_listing(line, collection)
        return listing if isinstance(listing, Unknown) else None
    paged = collection.paging == "offset" and not collection.single
    try:
        await line.send(Request("GET", collection.path, (*collection.query, *((("limit", "1"),) if paged else ()))))
    except (AuthError, RemoteError) as error:
        if concerns_all(error):
            raise
        gone = isinstance(error, Rejected) and error.status in (404, 405)
        if gone and collection.fallback is not None:
            return await _read(line, collection.fallback, whole=False)
        return Unknown(error.message, forbidden=not gone)
    return None


def _needed(session: Session) -> set[str]:
    """Return the kinds that are declared or managed."""
    needed: set[str] = set()
    try:
        needed |= {resource.kind for resource in session.load().desired.resources.values()}
        state = session.store.read()
        needed |= {resource.kind for resource in state.resources.values()} if state is not None else set()
    except ReconcilerError:
        pass  # which was told above
    return needed
