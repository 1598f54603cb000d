"""The verb `policy test`: saved plans against the rules of the project file, offline."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reconciler.config import load_project
from reconciler.judging.policies import judge_policies
from reconciler.model.document import GuardView
from reconciler.model.errors import PlanError
from reconciler.model.records import record
from reconciler.resources import load_kinds
from reconciler.store.planfile import read_plan
from reconciler.workflow.opening.runtime import Runtime, current_runtime
from reconciler.workflow.rules.evaluating import evaluate
from reconciler.workflow.rules.ruling import project_rules


@record
class Report:
    """What the policies say about one plan file; also those that are kept."""

    plan: str
    verdicts: tuple[GuardView, ...]


def check_policies(folder: Path, planfiles: Iterable[Path], runtime: Runtime | None = None) -> list[Report]:
    """Judge plan files. Raises ConfigError, StalePlan, and PlanError where the project has no policies."""
    runtime, loaded, kinds = runtime or current_runtime(), load_project(folder), load_kinds()
    policies, rules = loaded.project.policies, project_rules(loaded, runtime.environ, offline=True)
    if not policies and not rules.rules:
        hint = "see the page about policies in the documentation"
        raise PlanError("the project file has no `policies:` and no `rules:`", hint=hint)
    return [
        Report(
            str(path),
            tuple(
                judge_policies(
                    read_plan(path, kinds), policies, kinds, runtime.now(), evaluate, rules=rules, tell_all=True
                )
            ),
        )
        for path in planfiles
    ]
