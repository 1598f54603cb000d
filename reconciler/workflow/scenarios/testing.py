"""The verb `test`: what a configuration does, held against what its tests expect. Each test has an account of its own
in the emulator, in a folder that is gone afterwards; nothing else is read or written.
"""

from __future__ import annotations

import asyncio
import difflib
import fnmatch
import itertools
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.config import FoundScenario, as_yaml, load_project, read_scenarios, with_expectations
from reconciler.model.errors import PlanError, ReconcilerError
from reconciler.model.redaction import Redactor, one_for_all
from reconciler.model.scenario import Verdict
from reconciler.store.edits import write_files
from reconciler.store.reading import read_regular
from reconciler.workflow.opening.runtime import run_async, within
from reconciler.workflow.scenarios.outcomes import OutcomeMembers, expected_of, seen, written
from reconciler.workflow.scenarios.testbench import Bench, sentence

SECONDS = 60.0
"""How long a test may take, what it would wait for included."""


def scenarios_of(folder: Path, patterns: Sequence[str] = ()) -> list[FoundScenario]:
    """Return the tests of a project, those whose name, file or both fit one of the patterns. Raises ConfigError, and
    PlanError where there is none.
    """
    scenarios = read_scenarios(load_project(folder))
    if not scenarios:
        raise PlanError("there are no tests: tests/*.yaml", hint="see `Test the configuration` in the documentation")
    chosen = [
        scenario for scenario in scenarios if not patterns or any(_fits(scenario, pattern) for pattern in patterns)
    ]
    for pattern in patterns:
        if not any(_fits(scenario, pattern) for scenario in scenarios):
            raise PlanError(
                f"no test fits `{pattern}`", hint=f"there are {', '.join(scenario.name for scenario in scenarios)}"
            )
    return chosen


def _fits(scenario: FoundScenario, pattern: str) -> bool:
    stem = Path(scenario.file).stem
    return any(
        fnmatch.fnmatchcase(name, pattern)
        for name in (scenario.name, scenario.file, stem, f"{stem}::{scenario.name}", scenario.title)
    )


def verdicts_of(folder: Path, scenarios: Sequence[FoundScenario], jobs: int, seconds: float = SECONDS) -> list[Verdict]:
    """Run tests, several at a time in processes of their own; one at a time in this one. Their order stays."""
    if jobs <= 1 or len(scenarios) <= 1:
        return [verdict_of(folder, scenario, seconds) for scenario in scenarios]
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(scenarios)), mp_context=context) as pool:
        return list(pool.map(verdict_of, itertools.repeat(folder), scenarios, itertools.repeat(seconds)))


def verdict_of(folder: Path, scenario: FoundScenario, seconds: float = SECONDS) -> Verdict:
    """Run one test. Whatever goes wrong is told by the verdict."""
    began = time.monotonic()
    return replace(_run(folder, scenario, seconds), seconds=round(time.monotonic() - began, 3))


def _run(folder: Path, scenario: FoundScenario, seconds: float) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="reconciler-test-") as place, one_for_all(Redactor()):
        bare = Verdict(scenario.file, scenario.name, line=scenario.line)
        try:
            bench = Bench.of(load_project(folder), scenario.scenario, Path(place))
            with within(bench.runtime):
                outcome = run_async(_within(bench.outcome(), seconds))
        except TimeoutError:
            return replace(bare, error=f"it takes more than {seconds:g} seconds")
        except ReconcilerError as error:
            return replace(bare, error=sentence(error))
        except OSError as error:
            return replace(bare, error=str(error))
    expected = expected_of(scenario.scenario.expect)
    if outcome.get("problems") and "problems" not in expected and expected.get("exit_code") != outcome["exit_code"]:
        return replace(bare, error="; ".join(outcome["said"]))
    actual = seen(outcome, expected)
    differing = [name for name in expected if expected[name] != actual[name]]
    lines = _difference({path: expected[path] for path in differing}, {path: actual[path] for path in differing})
    return replace(bare, differing=tuple(differing), lines=lines, wanted=written(outcome, expected))


def _difference(expected: OutcomeMembers, actual: OutcomeMembers) -> tuple[str, ...]:
    """Return how what came of it differs from what was expected, as lines of YAML."""
    before, after = (as_yaml(side).splitlines() if side else [] for side in (expected, actual))
    return tuple(difflib.unified_diff(before, after, "expected", "found", n=2, lineterm=""))


async def _within(work: Any, seconds: float) -> OutcomeMembers:
    async with asyncio.timeout(seconds):
        outcome: OutcomeMembers = await work
        return outcome


def update(folder: Path, scenarios: Sequence[FoundScenario], verdicts: Sequence[Verdict]) -> list[str]:
    """Write what came of tests into their files as what they expect, and return the files. Only members that are there
    are written; changes with all their values.
    """
    by_file: dict[str, dict[str, Any]] = {}
    for scenario, verdict in zip(scenarios, verdicts, strict=True):
        if verdict.lines:
            by_file.setdefault(scenario.file, {})[scenario.name] = verdict.wanted
    before = {file: read_regular(folder / file).decode("utf-8") for file in by_file}
    texts = {file: with_expectations(before[file], file, wanted) for file, wanted in by_file.items()}
    return list(write_files(folder, texts, before))
