"""The verb `rehearse`: the plan carried out on a copy of the account in the emulator."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from reconciler import emulator
from reconciler.model.account_url import EMULATOR
from reconciler.model.address import kind_of
from reconciler.model.document import PlanDocument, sealed
from reconciler.model.errors import ReconcilerError
from reconciler.model.http import MARGIN
from reconciler.model.records import record
from reconciler.model.snapshot_file import Recording, tables
from reconciler.model.summary import ApplySummary
from reconciler.model.write import assumption
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planning import make_plan
from reconciler.workflow.snapshots import adapted, closed, unread


@record
class Rehearsal:
    """What came of it: the plan, the apply (None: nothing to do, or refused), the plan after it, and what was assumed.

    `left` are the addresses that the second plan still wants to change; `seconds` is the forecast at the real rate.
    """

    document: PlanDocument
    summary: ApplySummary | None
    left: tuple[str, ...]
    assumptions: tuple[str, ...]
    requests: int
    seconds: float

    @property
    def proven(self) -> bool:
        """Whether everything was done and the second plan was empty."""
        done = self.summary is None or self.summary.complete
        return done and not self.left and not self.document.tripped and not self.document.skipped


async def rehearse(
    session: Session, recording: Recording, options: PlanOptions, hooks: Hooks | None = None, where: str = ""
) -> Rehearsal:
    """Carry out the plan of this environment on a copy of the account recorded (in the file `where`). Touches neither
    account nor state.
    """
    with tempfile.TemporaryDirectory(prefix="reconciler-rehearsal-") as folder:
        unknown = (await unread(session, recording, where=where)).unknown
        copy = _copy(session, recording, Path(folder), *await closed(session, recording))
        planned = await make_plan(copy, options)
        # The copy refuses to show what is not known; why it is not known, the recording says.
        skipped = [
            skip.model_copy(update={"reason": unknown[kind]}) if skip.forbidden and kind in unknown else skip
            for skip in planned.document.skipped
            for kind in (kind_of(skip.address),)
        ]
        about = {"account": f"a copy of {session.identity}", "skipped": skipped}
        document = sealed(planned.document.model_copy(update=about))
        if not document.steps or document.tripped:
            return Rehearsal(document, None, (), (), 0, 0.0)
        asked = await make_plan(copy, replace(options, impact=True))
        summary = await apply_plan(copy, planned, hooks or Hooks())
        again = await make_plan(copy, replace(options, destroy=False) if not options.destroy else options)
    requests = [request for step in document.steps for request in step.requests]
    forecast = document.forecast.apply_requests
    seconds = round(forecast * MARGIN / session.rate, 1) if session.rate else 0.0
    left = tuple(change.address for change in again.document.changes if change.action != "manual")
    known = session.facts.known.keys() - session.facts.borrowed
    assumptions = (*emulator.assumptions(requests, known), *_about_records(asked.document))
    return Rehearsal(document, summary, left, assumptions, forecast, seconds)


def _paths(closed: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(path.removeprefix("/") for path in closed))


def _about_records(document: PlanDocument) -> list[str]:
    """Return what is taken for granted about customer records; how many there are, the copy does not know."""
    return [
        f"{change.address}: {assumed}"
        for change in document.changes
        for impact in change.impacts
        if (assumed := assumption(impact.detail))
    ]


def _copy(
    session: Session, recording: Recording, folder: Path, forbidden: Iterable[str], missing: Iterable[str]
) -> Session:
    """Return the session on an emulated account that holds what was recorded, with a copy of the state. What is not
    known of the account is not empty there either: it is answered like there.
    """
    url, state = f"{EMULATOR}{folder / 'account.db'}", f"file:{folder / 'state.json'}"
    account = emulator.open_account(folder / "account.db")
    try:
        emulator.restore(account, tables(recording), session.settings.account or "rehearsal")
        alike = account.settings.informed(session.facts.known)
        account.keep(replace(alike, forbidden=_paths(forbidden), missing=_paths(missing)))
    except (TypeError, ValueError) as error:
        raise ReconcilerError(f"the snapshot cannot be loaded: {error}") from error
    finally:
        account.close()
    settings = replace(session.settings, url=url, state=state, account=None, requests_per_second=None)
    runtime = replace(session.runtime, watch=None)  # a copy is not waited for
    copy = replace(session, settings=settings, adapt=lambda desired: adapted(session, desired), runtime=runtime)
    book = open_book(session)
    if book.stored is not None:
        known = book.state().model_copy(update={"account": copy.identity, "serial": 1})
        copy.store.write(known, expected_serial=None)
    return copy
