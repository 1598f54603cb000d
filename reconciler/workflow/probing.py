"""The verb `probe`: experiments on a sandbox, what they found, and the removal of all that they made."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.model.errors import AuthError, Refused, StateError
from reconciler.model.findings import LeftView, ProbeReport
from reconciler.model.http import Request, at
from reconciler.model.live import STRANGE
from reconciler.model.redaction import abridged
from reconciler.probe import Experiment, Lab, Spent, Unsettled, load_experiments, takes
from reconciler.probe.forms import FORMS, MARK
from reconciler.probe.means import CONTACTS, Exhausted, writable
from reconciler.probe.record import Record, recorded
from reconciler.store.probefile import ProbeJournal, check_facts_folder, facts_path, put_aside, write_facts
from reconciler.workflow.book import open_book
from reconciler.workflow.facts import blank, own_facts
from reconciler.workflow.holding import locked
from reconciler.workflow.observing import ask_eyes, check_account
from reconciler.workflow.probe_report import FOUND, Asked, Results, left_of, report_of
from reconciler.workflow.session import Session

SLACK = 1.25
"""How much more than its experiments a budget has that was not given: requests are repeated now and then."""
PATIENCE = 2.0
CHECKS = 8
"""Requests before the experiments: whose key it is, what it may, and the account's plan."""
LISTED = sum(not one.owner for one in FORMS.values())
"""Requests before the first write: whether what is made could be found again."""
ADMIN_GROUP = "3"
PLAN = ("status", "trial", "subscriber_limit")
_PLAIN = re.compile(r"[A-Za-z]{1,16}|-?[0-9]{1,12}", re.ASCII)
"""A flag, a number, a status in one word: what a report repeats of an account's plan is not a text about a person."""
_FLAG = re.compile(r"pg[A-Za-z]{1,40}", re.ASCII)


class NotKept(StateError):
    """The facts file could not be written: the `report` tells what was found."""

    def __init__(self, path: Path, error: OSError, report: ProbeReport) -> None:
        super().__init__(f"{path} cannot be written: {error.strerror}", hint="what was found is in the report only")
        self.report = report


@dataclass(frozen=True)
class Outline:
    """What a probe will cost at most, before anything is sent. `needed` are the requests that its experiments take
    where every one of them is answered.
    """

    experiments: tuple[Experiment, ...]
    needed: int
    requests: int
    seconds: float
    leaves: tuple[str, ...]


def outline(session: Session, asked: Asked) -> Outline:
    """Return what will be done. Raises Refused where the budget does not suffice."""
    chosen = tuple(experiment for experiment in load_experiments() if _is_asked(experiment, asked))
    needed = CHECKS + (0 if asked.read_only else LISTED) + sum(experiment.requests for experiment in chosen)
    requests = asked.max_requests or int(needed * SLACK)
    estimated = needed / (session.rate or 5.0)
    seconds = asked.max_seconds or max(60.0, PATIENCE * estimated)
    for most, least, what in ((requests, needed, "requests"), (seconds, estimated, "seconds")):
        if most < least:
            raise Refused(
                f"the probe takes up to {least:.0f} {what}, and {most:.0f} are allowed; nothing was sent",
                hint=f"allow more with --max-{what}, or probe less with --row or --read-only",
            )
    leaves = tuple(experiment.leaves for experiment in chosen if experiment.leaves)
    return Outline(chosen, needed, requests, seconds, leaves)


def _is_asked(experiment: Experiment, asked: Asked) -> bool:
    """Return whether a probe is to run an experiment: by the rows that are asked, and by what it takes."""
    if asked.rows and asked.rows.isdisjoint(fact.row for fact in experiment.facts):
        return False
    if experiment.writes and asked.read_only:
        return False
    return not experiment.needs or bool(getattr(asked, experiment.needs))


def check_sandbox(session: Session) -> None:
    """Raise Refused for an account that a probe must not write to."""
    if session.settings.production:
        raise Refused(
            f"`{session.settings.name}` is a production account: a probe makes and removes objects; nothing was sent",
            hint="probe a sandbox and name it with `facts: NAME`; here, `probe --read-only` asks what reads can tell",
        )


async def probe(
    session: Session,
    asked: Asked,
    tell: Callable[[str], None] = lambda line: None,
    say: Callable[[str], None] = lambda line: None,
) -> ProbeReport:
    """Run the experiments, remove what they made, keep what they found; a damaged facts file is put aside, which is
    said. Raises Refused, AuthError, LockHeld, StateError; then nothing was written to the account. Raises NotKept.
    """
    todo = outline(session, asked)
    if not asked.read_only:
        check_sandbox(session)
    check_facts_folder(session.folder)
    journal, results = ProbeJournal(session.folder, session.identity), Results()
    with ExitStack() as holds:
        holds.enter_context(journal.held())
        if journal.lines():
            raise Refused(
                "an earlier probe was interrupted, and what it made may still be there; nothing was sent",
                hint="`reconciler probe --clean` removes it",
            )
        lock = None if asked.read_only else holds.enter_context(locked(session, "probe"))
        async with AsyncExitStack() as stack:
            line = _connected(session, stack, lock, asked)
            session.expects({}, todo.requests)
            await check_account(session, line, None if asked.read_only else open_book(session).stored)
            about = await _about(line)
            if not asked.read_only:
                _may_write(about)
            lab = _lab(session, line, todo, asked, journal)
            if not asked.read_only:
                await _may_clean(lab)
                journal.append({"op": "begin", "mark": lab.mark, "at": session.runtime.stamp()})
            with _told(lab, say):
                try:
                    await _work(lab, todo.experiments, results, tell)
                finally:
                    await lab.clear()
                    if not lab.open:
                        journal.end()
            report = report_of(session, asked, lab, results, about)
    _keep(session, report, say)
    return report


def _keep(session: Session, report: ProbeReport, say: Callable[[str], None]) -> None:
    """Write what was found into the facts file of the account, with what it knows of the rest. What cannot be written
    raises NotKept: the report is worth having without it.
    """
    path = facts_path(session.folder, session.identity)
    try:
        try:
            known = own_facts(session.folder, session.identity)
        except StateError as error:
            known, aside = None, put_aside(path)
            say(f"{error.message}: it is kept as {aside.name}, and a new one was written")
        base = known or blank(session)
        base = base.model_copy(update={"environment": session.settings.name})
        write_facts(session.folder, base.with_report(report))
    except OSError as error:
        raise NotKept(path, error, report) from error


@contextmanager
def _told(lab: Lab, say: Callable[[str], None]) -> Iterator[None]:
    """Say what was removed and what is there, where the work does not come to its end: by an interrupt, or an error."""
    try:
        yield
    except BaseException:
        left = lab.remains()
        say(f"The probe was stopped. Of what it made, {lab.removed} removed, {len(left)} left.")
        for form, identity, what in left:
            say(f"Left: {form} id {identity}: {what}")
        raise


async def clean(session: Session, say: Callable[[str], None] = lambda line: None) -> tuple[int, tuple[LeftView, ...]]:
    """Remove what a probe that died has on record; return how many things were, and what could not be removed. Lines of
    the record may be lost, so what is named as it says is looked for in every listing, too; that it is damaged is said.
    Raises Refused for a production account, AuthError, LockHeld, StateError.
    """
    check_sandbox(session)
    journal = ProbeJournal(session.folder, session.identity)
    with journal.held(), locked(session, "probe --clean") as lock:
        lines = journal.lines()
        if not lines:
            journal.end()
            return 0, ()
        record = recorded(lines)
        if not record.mark:
            raise StateError(
                f"{journal.path} does not say how the things are called that a probe made ({_first(record)}); nothing "
                "was removed",
                hint=f"remove what is called `{MARK}...` in the account, and then this file",
            )
        async with AsyncExitStack() as stack:
            line = _connected(session, stack, lock, Asked(contacts=True))
            await check_account(session, line, open_book(session).stored)
            spent = Spent(10**6, 10**6, session.runtime.clock.steady)
            lab = Lab(line, journal, record.mark, spent, contacts=True, sleep=asyncio.sleep)
            lab.resume(record)
            if record.damaged:
                say(f"{journal.path} is damaged ({_first(record)}): what is called `{record.mark}` is looked for.")
            with _told(lab, say):
                whole = await lab.seek(reported=bool(record.damaged)) or not record.damaged
                count = len(lab.open)
                await lab.clear()
        if whole and not lab.open:
            journal.end()
    return count, left_of(lab)


def _first(record: Record) -> str:
    """Return what is wrong with a record, in a few words."""
    more = len(record.damaged) - 1
    return f"{record.damaged[0]}{f', and {more} more' if more > 0 else ''}" if record.damaged else "it is empty"


def _connected(session: Session, stack: AsyncExitStack, held: Any, asked: Asked) -> Any:
    if held is None:
        return session.connect(stack, write=False)
    return session.connect(stack, write=True, hold=held.hold, writable=writable(contacts=asked.contacts))


def _lab(session: Session, line: Any, todo: Outline, asked: Asked, journal: ProbeJournal) -> Lab:
    mark = f"{MARK}{session.runtime.token()[-8:]}"
    spent = Spent(todo.requests, todo.seconds, session.runtime.clock.steady)
    return Lab(line, journal, mark, spent, contacts=asked.contacts, writes=not asked.read_only)


async def _may_clean(lab: Lab) -> None:
    """Raise where the key may list nothing of what a probe makes; what it may not list is not made."""
    await lab.look()
    if not any(not form.owner and form.name not in (*lab.shut, *CONTACTS) for form in FORMS.values()):
        raise AuthError(
            f"the key may list nothing of what a probe makes ({next(iter(lab.shut.values()))}); nothing was written",
            hint="give the key's user its permissions, or `probe --read-only`",
        )


async def _work(lab: Lab, experiments: Iterable[Experiment], results: Results, tell: Callable[[str], None]) -> None:
    """Run one experiment after the other; what each one made is removed before the next begins."""
    over = ""
    for experiment in experiments:
        reason = over
        if not over:
            tell(experiment.name)
            try:
                async for name, value in experiment.run(lab):
                    if takes(name, value := abridged(value, FOUND)):
                        results.found[name] = value
                    else:
                        results.why[name] = "the account answered something that no branch of this program knows"
                reason = "its experiment did not tell"
            except Exhausted as error:
                reason = over = str(error)
                results.complete = False
            except Unsettled as error:
                reason = str(error)
            except STRANGE as error:
                reason = f"an answer was of no known shape ({type(error).__name__})"
            await lab.clear(last=False)
        missing = [fact.name for fact in experiment.facts if fact.name not in results.found]
        results.why |= {name: results.why.get(name, reason) for name in missing}


# --- what the account says of itself ---------------------------------------------------------------------------------


async def _about(line: Any) -> dict[str, Any]:
    """Return the account's plan and the key's permissions: numbers and flags, nothing of people. Raises AuthError for a
    key that the account does not accept: to it, every answer is a refusal, and would be taken for its way.
    """
    eyes = await ask_eyes(line)
    if not eyes.group:
        await line.send(Request("GET", "/users/me", expect=(404,)))
    reply = await _asked(line, "/settings/account")
    body = reply.body if reply is not None and isinstance(reply.body, dict) else {}
    plan = {name: body[name] for name in PLAN if _PLAIN.fullmatch(str(body.get(name, "")))}
    flags: Mapping[str, Any] = {}
    if eyes.group:
        group = await _asked(line, at("/groups", eyes.group))
        flags = group.row("group") if group is not None else {}
    off = sorted(name for name, value in flags.items() if _FLAG.fullmatch(name) and str(value) in ("0", "False"))
    admin = "yes" if body else "unknown" if eyes.group == ADMIN_GROUP and reply is not None else "no"
    return {"plan": plan, "permissions": {"user_group": _number(eyes.group), "admin": admin, "flags_off": off}}


def _number(text: str) -> str:
    return text if text.isdecimal() else ""


async def _asked(line: Any, path: str) -> Any:
    """Return an answer; None where the key may not ask."""
    try:
        return await line.send(Request("GET", path, expect=(404,)))
    except AuthError:
        return None


def _may_write(about: Mapping[str, Any]) -> None:
    """Raise unless the key is of an Admin user: others may make what they cannot see or remove."""
    if about["permissions"]["admin"] == "no":
        raise AuthError(
            "the key's user is no Admin: what a probe makes might stay hidden from it; nothing was written",
            hint="use the key of an Admin user, or `probe --read-only`",
        )


# --- the report ------------------------------------------------------------------------------------------------------
