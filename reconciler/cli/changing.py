"""What the commands that change an account have in common: one set of options, handed over as one value."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.approval import Approval
from reconciler.cli.opening import archive_of, archiving, budget, confirmation, consent, gathered, selection
from reconciler.model.records import record

if TYPE_CHECKING:
    from reconciler.workflow.apply.archiving import Archive
    from reconciler.workflow.plans.options import PlanOptions


@record
class Changing:
    """What `apply`, `destroy` and `undo` are all asked: who approves, what is selected, counted, allowed and saved."""

    approval: Approval
    lock_timeout: float
    impact: bool
    archive: Archive | None
    target: tuple[str, ...]
    exclude: tuple[str, ...]
    allow: tuple[str, ...]
    max_requests: int | None

    @property
    def narrowed(self) -> bool:
        """Whether anything was given that belongs to making a plan."""
        return any((self.target, self.exclude, self.allow, self.max_requests))

    def options(self, **more: Any) -> PlanOptions:
        """Return the options of the plan, with `more` that one command has alone."""
        from reconciler.workflow.plans.options import PlanOptions

        return PlanOptions(
            self.target,
            self.exclude,
            impact=self.impact,
            allow=self.allow,
            max_requests=self.max_requests,
            **more,
        )


@record
class _Given:
    auto_approve: bool
    lock_timeout: float
    no_impact: bool
    confirm_account: str | None
    archive: Path | None
    archive_requests: int | None
    target: tuple[str, ...]
    exclude: tuple[str, ...]
    allow: tuple[str, ...]
    max_requests: int | None

    def changing(self) -> Changing:
        return Changing(
            Approval(self.auto_approve, self.confirm_account),
            self.lock_timeout,
            not self.no_impact,
            archive_of(self.archive, self.archive_requests),
            self.target,
            self.exclude,
            self.allow,
            self.max_requests,
        )


changing = gathered(
    _Given,
    click.option("--auto-approve", is_flag=True, help="Do not ask."),
    click.option("--lock-timeout", type=float, default=0.0, metavar="SECONDS", help="Wait so long for the lock."),
    click.option("--no-impact", is_flag=True, help="Do not count the records that deletes would lose."),
    confirmation,
    archiving,
    selection,
    consent,
    budget,
    made=_Given.changing,
)
"""Adds the options that all of them have; the command gets them as `asked`, a `Changing`."""
