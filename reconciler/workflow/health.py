"""The verb `doctor`: everything that a run needs, checked from project file to facts, on one page. Reads only."""

from __future__ import annotations

import datetime
import platform
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from reconciler import __version__
from reconciler.engine.refresh import read_listing
from reconciler.model.address import abridged
from reconciler.model.errors import (
    AuthError,
    ConfigError,
    ExitCode,
    ReconcilerError,
    Rejected,
    RemoteError,
    Unreachable,
    concerns_all,
)
from reconciler.model.http import VENDOR_DOMAINS, Request, get
from reconciler.model.kind import Collection, Unknown
from reconciler.model.proxies import proxy_for
from reconciler.store.encryption import Seal
from reconciler.workflow.book import open_book
from reconciler.workflow.observing import check_account, eyes_of
from reconciler.workflow.session import EMULATOR, Session

Verdict = Literal["ok", "warning", "failed", "skipped"]
SKEW = 60.0
"""Seconds that the clocks of this machine and of the account may differ by."""
OLD = 180
"""Days after which facts are worth a new probe."""


@dataclass(frozen=True)
class Check:
    """One line of the page. `code` is the exit code that a failure of this sort has."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""
    code: ExitCode = ExitCode.DONE

    def row(self) -> dict[str, Any]:
        """The line for tables and machines."""
        return {"check": self.check, "verdict": self.verdict, "found": self.found, "advice": self.advice}


def exit_code(checks: list[Check]) -> ExitCode:
    """Return the exit code of the first failure, that of the cause before those of what follows from it."""
    return next((one.code for one in checks if one.verdict == "failed"), ExitCode.DONE)


async def examine(session: Session) -> list[Check]:
    """Check one environment end to end. Nothing raises: what goes wrong is a line of the page."""
    checks = [_versions(), _configuration(session), *_surroundings(session), *_state(session)]
    async with AsyncExitStack() as stack:
        try:
            line = session.connect(stack, write=False)
        except (ReconcilerError, OSError) as error:
            return [*checks, _failed("connection", error), *_skipped(session)]
        checks += [one async for one in _account(session, line)]
    if not any(one.check == "permissions" for one in checks):
        return [*checks, *_skipped(session)]
    return [*checks, _facts(session)]


def _skipped(session: Session) -> Iterator[Check]:
    yield Check("permissions", "skipped", "the account did not answer")
    yield _facts(session)


def _failed(name: str, error: Exception, advice: str = "") -> Check:
    if isinstance(error, ReconcilerError):
        return Check(name, "failed", error.message, error.hint or advice, ExitCode(error.exit_code))
    return Check(name, "failed", type(error).__name__, advice, ExitCode.ERROR)


# --- this machine ----------------------------------------------------------------------------------------------------


def _versions() -> Check:
    return Check("versions", "ok", f"reconciler {__version__}, Python {platform.python_version()}")


def _configuration(session: Session) -> Check:
    try:
        loaded = session.load()
    except ConfigError as error:
        first = error.diagnostics[0].message if error.diagnostics else ""
        return Check(
            "configuration", "failed", f"{error.message}: {first}", "run `reconciler validate`", ExitCode.CONFIG
        )
    except ReconcilerError as error:
        return _failed("configuration", error)
    count = len(loaded.desired.resources)
    told = f"{count} resource{'s' if count != 1 else ''} declared for `{session.settings.name}`"
    if loaded.warnings:
        return Check(
            "configuration", "warning", f"{told}, {len(loaded.warnings)} warnings", "run `reconciler validate`"
        )
    return Check("configuration", "ok", told)


def _surroundings(session: Session) -> Iterator[Check]:
    """The address, and the way to it."""
    url, environ = session.settings.url, session.runtime.environ
    if url.startswith(EMULATOR):
        yield Check("address", "ok", f"the built-in emulator, {url.removeprefix(EMULATOR)}")
        yield Check("TLS", "skipped", "the emulator is in this process")
        return
    parts = urlsplit(url)
    domain = (parts.hostname or "").partition(".")[2]
    known = "an address of the vendor" if domain in VENDOR_DOMAINS else "no address of the vendor that is known"
    yield Check("address", "ok", f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}, {known}")
    yield _tls(url, environ, secure=parts.scheme == "https")
    try:
        proxy = proxy_for(url, environ)
    except ReconcilerError as error:
        yield _failed("proxy", error)
        return
    yield Check("proxy", "ok", f"{proxy.where}, from {proxy.variable}" if proxy is not None else "none")


def _tls(url: str, environ: Any, *, secure: bool) -> Check:
    from reconciler.remote.network import Network

    if not secure:
        return Check("TLS", "warning", "the address is not https: anybody on the way reads the token", "use https")
    try:
        Network.of(url, environ)
    except ReconcilerError as error:
        return _failed("TLS", error)
    named = next((name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)), "")
    return Check("TLS", "ok", f"certificates of {named}" if named else "certificates that come with the program")


# --- the state -------------------------------------------------------------------------------------------------------


def _state(session: Session) -> Iterator[Check]:
    """Backend, journal, lock, keys."""
    yield _keys(session)
    try:
        store = session.store
        book = open_book(session)
        holder = book.live or store.holder()
    except (ReconcilerError, OSError) as error:
        yield _failed("state", error)
        yield Check("lock", "skipped", "the state cannot be read")
        return
    found = book.stored
    serial = f"serial {found.serial}, {len(found.resources)} resources" if found is not None else "there is none yet"
    if book.records and book.live is None:
        advice = "run `reconciler apply` or `reconciler runs resume`: both take it over"
        yield Check("state", "warning", f"{store.where}: {serial}; an interrupted run left a journal", advice)
    else:
        yield Check("state", "ok", f"{store.where}: {serial}")
    if holder is not None:
        said = f"held by {holder.who} for {holder.operation or 'something'} since {holder.since}"
        yield Check("lock", "warning", said, "wait, or see `reconciler lock list`")
    else:
        yield Check("lock", "ok", "free")


def _keys(session: Session) -> Check:
    recipients = session.settings.recipients
    if not recipients:
        return Check("encryption", "ok", "not asked for")
    try:
        Seal(recipients, session.runtime.environ).check()
    except ReconcilerError as error:
        return _failed("encryption", error)
    return Check("encryption", "ok", f"{len(recipients)} recipients, and a key at hand that reads what is written")


# --- the account -----------------------------------------------------------------------------------------------------


async def _account(session: Session, line: Any) -> AsyncIterator[Check]:
    """Connection, clock, token, whose it is, whose eyes; then what the key may read."""
    try:
        answer = await line.send(get("/users/me"))
    except AuthError as error:
        yield Check("connection", "ok", "the account answers")
        yield _failed("token", error)
        return
    except (RemoteError, OSError) as error:
        advice = "look at the lines above: address, TLS, proxy" if isinstance(error, Unreachable) else ""
        yield _failed("connection", error, advice)
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
        yield _failed("account", error)
        return
    yield Check("account", "ok", session.settings.account or "the project file does not name it (`account:`)")
    if eyes.why:
        yield Check("eyes", "warning", eyes.why.partition(":")[0], "use the key of an Admin user")
    else:
        yield Check("eyes", "ok", "the key is of an Admin user")
    async for one in _permissions(session, line):
        yield one


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
    of the rest one row.
    """
    needed, bad, missing = _needed(session), {}, []
    readable = 0
    for name, kind in session.kinds.items():
        if kind.nested or not kind.reading.collections:
            continue
        first = kind.reading.collections[0].known(session.facts)
        try:
            unknown = await _read(line, first, whole=name in needed)
        except ReconcilerError as error:
            yield _failed("permissions", error)
            return
        if unknown is None:
            readable += 1
        elif unknown.forbidden:
            bad[name] = unknown.reason
        else:
            missing.append(name)
            bad |= {name: unknown.reason} if name in needed else {}
    lost = sorted(needed & bad.keys())
    if lost:
        said = f"not readable, and declared or managed: {', '.join(lost)} ({bad[lost[0]]})"
        yield Check("permissions", "failed", said, "give the key's user that permission", ExitCode.AUTH)
    elif bad:
        said = f"{readable} kinds are readable; not readable, and not declared: {abridged(sorted(bad))}"
        yield Check("permissions", "warning", said, "only if you mean to manage them")
    else:
        yield Check("permissions", "ok", f"{readable} kinds are readable")
    told = f"this account does not have: {', '.join(missing)}" if missing else "every endpoint is there"
    yield Check("features", "ok", told)


async def _read(line: Any, collection: Collection, *, whole: bool) -> Unknown | None:
    """Return why a listing cannot be read; None where it can. Raises what would end any other read too."""
    if whole:
        found = await read_listing(line, collection)
        return found if isinstance(found, Unknown) else None
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
    found: set[str] = set()
    try:
        found |= {one.kind for one in session.load().desired.resources.values()}
        state = session.store.read()
        found |= {one.kind for one in state.resources.values()} if state is not None else set()
    except ReconcilerError:
        pass  # which was told above
    return found


def _facts(session: Session) -> Check:
    """The age of what a probe found."""
    facts = session.facts
    if facts.problem:
        return Check("facts", "failed", facts.problem, "probe again, or restore the file from Git", ExitCode.ERROR)
    whose = f" (of them {len(facts.borrowed)} borrowed from `{facts.lender}`)" if facts.borrowed else ""
    if not facts.known:
        advice = "`reconciler probe` on a sandbox finds out what is assumed here"
        return Check("facts", "warning" if facts.lender else "ok", "none: everything is treated with care", advice)
    oldest = min(facts.probed.values())
    days = (session.runtime.now() - datetime.datetime.fromisoformat(oldest.replace("Z", "+00:00"))).days
    said = f"{len(facts.known)} known{whose}, the oldest {days} days old"
    if facts.contradicted:
        names = ", ".join(sorted(facts.contradicted))
        return Check("facts", "warning", f"{said}; contradicted: {names}", "probe again")
    return Check("facts", "warning" if days > OLD else "ok", said, "probe again" if days > OLD else "")
