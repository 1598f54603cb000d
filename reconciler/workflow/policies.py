"""The verb `policy test`: saved plans against the rules of the project file, offline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reconciler.config import load_project
from reconciler.model.document import GuardView
from reconciler.model.errors import PlanError
from reconciler.planning.policies import judge_policies
from reconciler.resources import load_kinds
from reconciler.store.planfile import read_plan
from reconciler.workflow.evaluating import evaluate
from reconciler.workflow.runtime import Runtime, current_runtime


@dataclass(frozen=True)
class Report:
    """What the policies say about one plan file; also those that are kept."""

    plan: str
    verdicts: tuple[GuardView, ...]


def check_policies(folder: Path, planfiles: Iterable[Path], runtime: Runtime | None = None) -> list[Report]:
    """Judge plan files. Raises ConfigError, StalePlan, and PlanError where the project has no policies."""
    policies = load_project(folder).project.policies
    if not policies:
        raise PlanError("the project file has no `policies:`", hint="see the page about policies in the documentation")
    now = (runtime or current_runtime()).now()
    return [
        Report(str(path), tuple(judge_policies(read_plan(path, load_kinds()), policies, now, evaluate, tell_all=True)))
        for path in planfiles
    ]
