"""Where one test of a configuration runs: an account of its own in the emulator, and the two configurations that it is
about. Time, chance and environment variables are those of the test.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler import emulator
from reconciler.config import LoadedProject, as_yaml, environment, plain_data
from reconciler.emulator import Application
from reconciler.model.account_url import EMULATOR
from reconciler.model.address import kind_of
from reconciler.model.errors import ConfigError, PlanError, ReconcilerError, WrongInput
from reconciler.model.records import record
from reconciler.model.scenario import Given, Records, Run, Scenario
from reconciler.resources import load_kinds
from reconciler.store.reading import read_regular
from reconciler.workflow.apply.applying import apply_plan
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.opening.runtime import Runtime
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planning import make_plan
from reconciler.workflow.scenarios.instant import InstantLoop
from reconciler.workflow.scenarios.outcomes import OutcomeMembers, outcome_of
from reconciler.workflow.state import rows as state_rows

OVERLAY = "the overlay of the test"


@record
class Bench:
    """Where one test runs: its account, its state, and the two configurations that it is about."""

    scenario: Scenario
    session: Session
    """Of the configuration as it stands in the files."""
    changed: Session
    """With what the test changes of it."""
    account: Path

    @classmethod
    def of(cls, project: LoadedProject, scenario: Scenario, place: Path) -> Bench:
        """Set it up. Raises ConfigError."""
        given, account, kinds = scenario.given, place / "account.db", load_kinds()
        settings = environment(project, scenario.environment, {}, offline=True)
        settings = replace(
            settings,
            url=f"{EMULATOR}{account}",
            token="",
            account=None,
            state=f"file:{place / 'state.json'}",
            requests_per_second=None,
            recipients=(),
            facts=None,
            variables={**settings.variables, **given.variables},
        )
        texts = {name: as_yaml(content or {}) for name, content in given.files.items()}
        other = settings
        if given.overlay:
            other = replace(settings, overlays=(*settings.overlays, OVERLAY))
            texts[OVERLAY] = as_yaml(given.overlay)
        session = Session(project.folder, project, settings, kinds, _runtime(given, {}))
        changed = replace(session, settings=other, texts=texts)
        secrets: set[str] = set()
        for side in (session, changed):
            with suppress(ConfigError):  # what is wrong with it is an outcome of the command
                side.load(offline=True)
            secrets |= side.used_secrets
        runtime = _runtime(given, {name: f"secret-value-of-{name}" for name in secrets})
        return cls(scenario, replace(session, runtime=runtime), replace(changed, runtime=runtime, stores={}), account)

    @property
    def runtime(self) -> Runtime:
        """What the test takes from outside."""
        return self.session.runtime

    async def outcome(self) -> OutcomeMembers:
        """Prepare the account, run the command, and return what came of it."""
        given, run = self.scenario.given, self.scenario.run
        account = emulator.open_account(self.account)
        try:
            account.seed(_seed_of(given, self.session.folder))
            if given.applied:
                await _apply_all(self.session)
            self._records(account, given)
        except (KeyError, TypeError, ValueError) as error:
            raise WrongInput(f"what is given cannot be set up: {error}") from error
        finally:
            account.close()
        try:
            return await _run(self.changed, run)
        except ConfigError as error:
            codes = sorted({diagnostic.code for diagnostic in error.diagnostics})
            return {"exit_code": 3, "problems": codes, "said": [sentence(error)]}

    def _records(self, account: Application, given: Given) -> None:
        """Give objects of the configuration their records, and change them behind its back."""
        ids = {row["address"]: row["id"] for row in state_rows(self.session)}
        for address, records in given.records.items():
            account.give_records(*self._place(address, ids), _records_of(records))
        for address, attributes in given.drift.items():
            account.tamper(*self._place(address, ids), self._sent(address, attributes, ids))

    def _place(self, address: str, ids: Mapping[str, str]) -> tuple[str, str]:
        """Return where the emulator keeps an object: the last part of its path, and its id."""
        if address not in ids:
            hint = "say `applied: true`, and seed what the configuration does not declare"
            raise PlanError(f"{address} has no object in the account of the test", hint=hint)
        return self.session.kinds[kind_of(address)].path.split(", ")[0].rpartition("/")[2], ids[address]

    def _sent(
        self, address: str, attributes: Mapping[str, Any] | None, ids: Mapping[str, str]
    ) -> dict[str, Any] | None:
        """Return attributes in the words of the API."""
        if attributes is None:
            return None
        known = self.session.kinds[kind_of(address)].attributes
        sent: dict[str, Any] = {}
        for name, value in attributes.items():
            attribute = known.get(name)
            if attribute is None or attribute.api is None:
                offered = ", ".join(other for other in known if known[other].api is not None)
                raise PlanError(f"{address} has no attribute `{name}` that a test can change", hint=f"it has {offered}")
            sent[attribute.api] = attribute.encode(value, lambda reference: ids[str(reference)])
        return sent


def _runtime(given: Given, secrets: Mapping[str, str]) -> Runtime:
    """Return a runtime of fixed time and chance. Raises PlanError for what is not a time."""
    try:
        now = datetime.datetime.fromisoformat(given.now)
    except ValueError as error:
        raise PlanError(f"`now: {given.now}` is not a time", hint="write e.g. 2026-01-05T09:00:00Z") from error
    now = now if now.tzinfo is not None else now.replace(tzinfo=datetime.UTC)
    numbers = itertools.count(1)
    return Runtime(
        environ={**secrets, **given.env},
        now=lambda: now,
        token=lambda: f"{next(numbers):016x}",
        loop=InstantLoop,
    )


def sentence(error: ReconcilerError) -> str:
    """Return what went wrong on one line, with its places."""
    if isinstance(error, ConfigError):
        return "; ".join(
            f"{diagnostic.at}: {diagnostic.message}" if diagnostic.at else diagnostic.message
            for diagnostic in error.diagnostics
        )
    return f"{error.message} ({error.hint})" if error.hint else error.message


def _seed_of(given: Given, folder: Path) -> dict[str, Any]:
    if not isinstance(given.seed, str):
        return given.seed
    try:
        text = read_regular(folder / given.seed).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongInput(f"the seed {given.seed} cannot be read: {error}") from error
    data = plain_data(text, given.seed)
    if not isinstance(data, dict):
        raise WrongInput(f"{given.seed} is not a seed: it has to be a map")
    return data


def _records_of(records: Records) -> dict[str, Any]:
    return {name: getattr(records, name) for name in records.model_fields_set}


async def _apply_all(session: Session) -> None:
    """Apply the configuration as it stands, whatever it costs: the account is there for the test alone."""
    planned = await make_plan(session, PlanOptions())
    summary = await apply_plan(session, planned, Hooks())
    if not summary.complete:
        failed = "; ".join(f"{address}: {message}" for address, message, _ in summary.failed)
        raise ReconcilerError(f"the configuration cannot be applied: {failed or 'not all of it could be planned'}")


async def _run(session: Session, run: Run) -> OutcomeMembers:
    options = PlanOptions(
        tuple(run.target),
        tuple(run.exclude),
        destroy=run.command == "destroy",
        allow=tuple(run.allow),
        refresh_only=run.command == "drift",
        kinds=session.chosen_kinds(",".join(run.kinds)),
        no_delete=run.no_delete,
    )
    planned = await make_plan(session, options)
    outcome = outcome_of(planned)
    if run.command in ("plan", "drift") or planned.document.tripped or not planned.document.steps:
        return outcome
    summary = await apply_plan(session, planned, Hooks())
    again = await make_plan(session, options)
    outcome["requests"]["apply"] = summary.requests
    outcome["settled"] = not again.document.changes and not again.document.skipped
    outcome["exit_code"] = 7 if summary.refused else 0 if summary.complete else 5
    return outcome
