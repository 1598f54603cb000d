"""The verb `probe`: experiments on a sandbox, what they found, and the removal of all that they made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from reconciler.model.errors import AuthError, Refused, StateError, WrongInput
from reconciler.model.findings import LeftView, ProbeReport
from reconciler.model.live import STRANGE
from reconciler.probe import Experiment, Lab, ProbeBudget, Unsettled
from reconciler.probe.forms import FORMS, MARK
from reconciler.probe.means import CONTACTS, Exhausted, writable
from reconciler.probe.record import ProbeRecord, recorded
from reconciler.store.probefile import ProbeJournal, check_facts_folder, facts_path, put_aside, write_facts
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.observation.holding import locked
from reconciler.workflow.observation.observing import check_account
from reconciler.workflow.opening.facts import blank, own_facts
from reconciler.workflow.opening.session import Session
from reconciler.workflow.probe.account import about_account, check_admin, check_sandbox
from reconciler.workflow.probe.outline import ProbeOutline, outline
from reconciler.workflow.probe.report import Asked, Results, left_of, report_of


class NotKept(StateError):
    """The facts file could not be written: the `report` tells what was found."""

    def __init__(self, path: Path, error: OSError, report: ProbeReport) -> None:
        super().__init__(f"{path} cannot be written: {error.strerror}", hint="what was found is in the report only")
        self.report = report


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
            about = await about_account(line)
            if not asked.read_only:
                check_sandbox(session)  # which the account itself may have told only now
                check_admin(about)
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
        except WrongInput as error:
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
            await _tell_foreign(session, journal, say)
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
            check_sandbox(session)  # which the account itself may have told only now
            spent = ProbeBudget(10**6, 10**6, session.runtime.clock.steady)
            lab = Lab(line, journal, record.mark, spent, contacts=True, sleep=asyncio.sleep)
            lab.resume(record)
            if record.damaged:
                say(f"{journal.path} is damaged ({_first(record)}): what is called `{record.mark}` is looked for.")
            with _told(lab, say):
                whole = await lab.seek(reported=bool(record.damaged)) or not record.damaged
                count = len(lab.open)
                await lab.clear()
                _told_foreign(await lab.foreign(), say)
        if whole and not lab.open:
            journal.end()
    return count, left_of(lab)


async def _tell_foreign(session: Session, journal: ProbeJournal, say: Callable[[str], None]) -> None:
    """Look for what other probes made where there is nothing on record; nothing is written."""
    async with AsyncExitStack() as stack:
        line = _connected(session, stack, None, Asked(contacts=True))
        spent = ProbeBudget(10**6, 10**6, session.runtime.clock.steady)
        mark = f"{MARK}{session.runtime.token()[-8:]}"
        _told_foreign(await Lab(line, journal, mark, spent, contacts=True, writes=False).foreign(), say)


def _told_foreign(foreign: Iterable[tuple[str, str, str]], say: Callable[[str], None]) -> None:
    for form, identity, name in foreign:
        say(
            f"Not removed: {form} id {identity}, called `{name}`: this checkout has no record of it. If no probe runs "
            "elsewhere, remove it with `probe --clean` there, or manually"
        )


def _first(record: ProbeRecord) -> str:
    """Return what is wrong with a record, in a few words."""
    more = len(record.damaged) - 1
    return f"{record.damaged[0]}{f', and {more} more' if more > 0 else ''}" if record.damaged else "it is empty"


def _connected(session: Session, stack: AsyncExitStack, held: Any, asked: Asked) -> Any:
    if held is None:
        return session.connect(stack, write=False)
    return session.connect(stack, write=True, hold=held.hold, writable=writable(contacts=asked.contacts))


def _lab(session: Session, line: Any, todo: ProbeOutline, asked: Asked, journal: ProbeJournal) -> Lab:
    mark = f"{MARK}{session.runtime.token()[-8:]}"
    spent = ProbeBudget(todo.requests, todo.seconds, session.runtime.clock.steady)
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
                    results.take(name, value)
                reason = "its experiment did not tell"
            except Exhausted as error:
                reason = over = str(error)
                results.complete = False
            except Unsettled as error:
                reason = str(error)
            except STRANGE as error:
                reason = f"an answer was of no known shape ({type(error).__name__})"
            await lab.clear(last=False)
        missing = [fact.name for fact in experiment.facts if fact.name not in results.values]
        results.why |= {name: results.why.get(name, reason) for name in missing}
