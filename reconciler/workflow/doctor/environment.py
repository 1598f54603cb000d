"""The verb `doctor`: everything that a run needs, checked from project file to facts, on one page. Reads only."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

from reconciler import __version__
from reconciler.config import say_production
from reconciler.model.account_url import EMULATOR, vendor_name
from reconciler.model.errors import ConfigError, ExitCode, ReconcilerError
from reconciler.model.proxies import proxy_for
from reconciler.store.encryption import Seal
from reconciler.store.probefile import ProbeJournal
from reconciler.workflow.doctor.account import Check, account_checks, failed
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.opening.facts import troubles
from reconciler.workflow.opening.session import Session

OLD = 180
"""Days after which facts are worth a new probe."""


LINES = (
    "versions", "configuration", "address", "TLS", "encryption", "state", "lock", "connection", "clock", "token",
    "account", "eyes", "permissions", "features", "facts",
)  # fmt: skip
"""What every page has a line for."""
ORDER = (*LINES[:4], "proxy", *LINES[4:])


def exit_code(checks: list[Check]) -> ExitCode:
    """Return the exit code of the first failure, that of the cause before those of what follows from it."""
    return next((check.code for check in checks if check.verdict == "failed"), ExitCode.DONE)


async def examine(session: Session) -> list[Check]:
    """Check one environment end to end. Nothing raises: what goes wrong is a line of the page."""
    checks = [_versions(), _configuration(session), *_surroundings(session), *_state(session)]
    async with AsyncExitStack() as stack:
        try:
            line = session.connect(stack, write=False)
        except (ReconcilerError, OSError) as error:
            checks.append(failed("connection", error))
        else:
            checks += [check async for check in account_checks(session, line)]
    return _whole([*checks, _facts(session)])


def unopened(error: ReconcilerError) -> list[Check]:
    """Return the page of an environment that cannot be opened: the project file is wrong, or a variable is not set."""
    return _whole([_versions(), _wrong(error)])


def _whole(checks: list[Check]) -> list[Check]:
    """Return the page with every line that it always has, in their order; what was not come to is said."""
    by_name = {check.check: check for check in checks}
    missing = [Check(name, "skipped", "not checked") for name in LINES if name not in by_name]
    return sorted([*checks, *missing], key=lambda check: ORDER.index(check.check))


def _wrong(error: ReconcilerError, more: str = "") -> Check:
    """Return the line of files that are wrong, with the first thing that is."""
    first = error.first if isinstance(error, ConfigError) else None
    if first is None:
        return failed("configuration", error)
    place = f"{first.at}: " if first.at is not None else ""
    advice = "; ".join(filter(None, (first.hint, more)))
    return Check("configuration", "failed", f"{error.message}: {place}{first.message}", advice, ExitCode.CONFIG)


# --- this machine ----------------------------------------------------------------------------------------------------


def _versions() -> Check:
    return Check("versions", "ok", f"reconciler {__version__}, Python {platform.python_version()}")


def _configuration(session: Session) -> Check:
    try:
        loaded = session.load()
    except ReconcilerError as error:
        return _wrong(error, "run `reconciler validate`")
    count, warnings = len(loaded.desired.resources), len(loaded.warnings)
    declared = f"{count} resource{'s' if count != 1 else ''} declared for `{session.settings.name}`"
    if warnings:
        message = f"{declared}, {warnings} warning{'s' if warnings != 1 else ''}"
        return Check("configuration", "warning", message, "run `reconciler validate`")
    return Check("configuration", "ok", declared)


def _surroundings(session: Session) -> Iterator[Check]:
    """The address, and the way to it."""
    url, environ = session.settings.url, session.runtime.environ
    if url.startswith(EMULATOR):
        yield _address(session, f"the built-in emulator, {url.removeprefix(EMULATOR)}")
        yield Check("TLS", "skipped", "the emulator is in this process")
        return
    parts = urlsplit(url)
    vendor = vendor_name(parts.hostname or "")
    known = "an address of the vendor" if vendor else "no address of the vendor that is known"
    yield _address(session, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}, {known}")
    try:
        proxy = proxy_for(url, environ)
    except ReconcilerError as error:
        yield Check("TLS", "skipped", "not checked: the proxy comes first")
        yield failed("proxy", error)
        return
    yield _tls(url, environ, secure=parts.scheme == "https")
    yield Check("proxy", "ok", f"{proxy.where}, from {proxy.variable}" if proxy is not None else "none")


def _address(session: Session, where: str) -> Check:
    """Where the account is, and whether another environment says of it that it is production."""
    name = session.settings.name
    if session.settings.production_by in ("", name):
        return Check("address", "ok", where)
    return Check("address", "warning", f"{where}; {session.production}", say_production(name))


def _tls(url: str, environ: Any, *, secure: bool) -> Check:
    from reconciler.remote.network import Network

    if not secure:
        return Check("TLS", "warning", "the address is not https: the token can be read on the way", "use https")
    try:
        Network.of(url, environ)
    except ReconcilerError as error:
        return failed("TLS", error)
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
        yield failed("state", error)
        yield Check("lock", "skipped", "the state cannot be read")
        return
    state = book.stored
    serial = f"serial {state.serial}, {len(state.resources)} resources" if state is not None else "there is none yet"
    if book.records and book.live is None:
        advice = "run `reconciler apply` or `reconciler runs resume`: both take it over"
        yield Check("state", "warning", f"{store.where}: {serial}; an interrupted run left a journal", advice)
    else:
        yield Check("state", "ok", f"{store.where}: {serial}")
    if holder is not None:
        message = f"held by {holder.who} for {holder.operation or 'something'} since {holder.since}"
        yield Check("lock", "warning", message, "wait, or see `reconciler lock list`")
    else:
        yield Check("lock", "ok", "free")


def _keys(session: Session) -> Check:
    recipients = session.settings.recipients
    if not recipients:
        return Check("encryption", "ok", "not asked for")
    try:
        Seal(recipients, session.runtime.environ).check()
    except ReconcilerError as error:
        return failed("encryption", error)
    return Check("encryption", "ok", f"{len(recipients)} recipients, and a key at hand that reads what is written")


# --- the account -----------------------------------------------------------------------------------------------------


def _facts(session: Session) -> Check:
    """The age of what a probe found."""
    facts = session.facts
    try:
        begun = bool(ProbeJournal(session.folder, session.identity).lines())
    except ReconcilerError as error:
        return failed("facts", error)
    if begun:
        advice = "`reconciler probe --clean` removes it"
        return Check("facts", "warning", "an interrupted probe may have left something in the account", advice)
    if facts.problem:
        return Check("facts", "failed", facts.problem, facts.hint, ExitCode.ERROR)
    if wrong := troubles(session):
        return Check("facts", "warning", f"{len(facts.known)} known; {wrong[0]}", "; ".join(wrong[1:]))
    whose = f" (of them {len(facts.borrowed)} borrowed from `{facts.lender}`)" if facts.borrowed else ""
    if not facts.known:
        advice = "`reconciler probe` on a sandbox finds out what is assumed here"
        return Check("facts", "ok", "none: everything is treated with care", advice)
    oldest = min(facts.probed.values())
    days = (session.runtime.now() - datetime.datetime.fromisoformat(oldest.replace("Z", "+00:00"))).days
    message = f"{len(facts.known)} known{whose}, the oldest {days} days old"
    if days < 0:
        ahead = f"{len(facts.known)} known{whose}, all of them dated after now: {oldest}"
        return Check("facts", "warning", ahead, "set the clock of this machine, or probe again")
    if facts.contradicted:
        names = ", ".join(sorted(facts.contradicted))
        return Check("facts", "warning", f"{message}; contradicted: {names}", "probe again")
    return Check("facts", "warning" if days > OLD else "ok", message, "probe again" if days > OLD else "")
