"""The tests of a project: `tests/*.yaml`, read with the places of everything that is wrong in them."""

from __future__ import annotations

from reconciler.config.reading.files import read_source, shown_path
from reconciler.config.reading.interpolation import Scope
from reconciler.config.reading.nodes import Entry, Map, Scalar, Source, Spot, at
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.problems import Problems, listed
from reconciler.config.reading.project import LoadedProject
from reconciler.config.reading.validation import validated
from reconciler.model.nearest import did_you_mean
from reconciler.model.records import record
from reconciler.model.scenario import Scenario, ScenarioFile

FOLDER = "tests"


@record
class FoundScenario:
    """One test with its file, relative to the project, and its name in it."""

    file: str
    name: str
    scenario: Scenario
    line: int = 1

    @property
    def title(self) -> str:
        """What to call it: file and name."""
        return f"{self.file}::{self.name}"


def read_scenarios(loaded: LoadedProject) -> list[FoundScenario]:
    """Return the tests of a project in the order of files and places. Raises ConfigError with every problem."""
    problems = Problems()
    scenarios: list[FoundScenario] = []
    for path in sorted((loaded.folder / FOLDER).glob("*.y*ml")):
        source = read_source(path, loaded.folder, problems)
        if source is not None:
            scenarios += _read(source, shown_path(path, loaded.folder), loaded, problems)
    problems.check()
    return scenarios


def _read(source: Source, file: str, loaded: LoadedProject, problems: Problems) -> list[FoundScenario]:
    documents = parse(source, problems)
    if documents is None:
        return []
    tree = documents[0] if documents else None
    if not isinstance(tree, Map) or len(documents) > 1:
        hint = "write `tests:` and below it each test by its name"
        problems.error("wrong-type", "a file of tests is one map", Spot(source), hint)
        return []
    scope = Scope(problems, {}, fill=False)
    root = Entry(Scalar(source, tree.line, tree.column, "", True, ""), tree)
    content = validated(ScenarioFile, scope.data(tree), root, scope)
    if content is None:
        return []
    scenarios = []
    known = loaded.project.environments
    for name, scenario in content.tests.items():
        entry = at(tree, "tests", name)
        spot = entry.key.spot if entry is not None else Spot(source)
        if scenario.environment is not None and scenario.environment not in known:
            hint = did_you_mean(scenario.environment, known, f"there are {listed(known)}")
            inner = at(tree, "tests", name, "environment")
            place = inner.spot if inner is not None else spot
            problems.error("unknown-environment", f"there is no environment `{scenario.environment}`", place, hint)
        if not scenario.expect.model_fields_set:
            hint = "write under `expect` what has to come of it, or `expect: {changes: {}}` and run with --update"
            problems.error("nothing-expected", f"the test `{name}` expects nothing, so it cannot fail", spot, hint)
        scenarios.append(FoundScenario(file, name, scenario, spot.line + 1))
    return scenarios
