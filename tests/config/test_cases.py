"""Configurations in `cases/*.yaml`, and what is to be said of them in the `.txt` beside each.

A line `#### path` begins another file of the same case: `reconciler.yaml` is its project, files below
`environments/` are overlays. The environment is called `test`.
`UPDATE_GOLDEN=1 pytest tests/config` writes the expectations.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from reconciler.config import EnvironmentSettings, environment, load, load_project, load_texts
from reconciler.model.desired import Desired, Resource
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError
from reconciler.model.spec import Lifecycle
from reconciler.model.values import encode
from tests.config.kinds import KINDS

CASES = Path(__file__).parent / "cases"
ENVIRON = {"HOST": "host.example", "TOKEN": "t0ken"}
FIRST = "config/a.yaml"


def files_of(case: str) -> dict[str, str]:
    """Return the files of a case by path."""
    text = (CASES / case).read_bytes().decode()
    _, *parts = re.split(r"^#### (.+)\n", f"#### {FIRST}\n{text}", flags=re.MULTILINE)
    return {path: content for path, content in zip(parts[::2], parts[1::2], strict=True) if content or path != FIRST}


def told(problem: Diagnostic) -> Iterator[str]:
    """Yield the lines that show a diagnostic with everything in it."""
    place = f"{problem.at}: " if problem.at else ""
    yield f"{place}{problem.severity} [{problem.code}] {problem.message}"
    if problem.at is not None:
        yield f"    | {problem.excerpt}".rstrip()
        blank = "".join("\t" if letter == "\t" else " " for letter in problem.excerpt[: problem.at.column - 1])
        yield f"    | {blank.ljust(problem.at.column - 1)}{'^' * problem.length}"
    if problem.hint:
        yield f"    {problem.hint}"


def shown(resource: Resource) -> Iterator[str]:
    """Yield the lines that show a resource."""
    parent = f" in {resource.parent} #{resource.rank}" if resource.parent else f" #{resource.rank}"
    nests = f" nests {', '.join(resource.nested)}" if resource.nested else ""
    yield f"{resource.address} at {resource.at}{parent}{nests}"
    for name, value in resource.attrs.items():
        place = f"  ({resource.places[name]})" if name in resource.places else ""
        yield f"  {name} = {encode(value)!r}{place}"
    if resource.lifecycle != Lifecycle():
        yield f"  lifecycle = {resource.lifecycle.model_dump(exclude_defaults=True)}"


def described(desired: Desired, warnings: Sequence[Diagnostic]) -> list[str]:
    """Return the lines that show a whole configuration."""
    lines = [line for resource in desired.resources.values() for line in shown(resource)]
    lines += [f"moved {one.source} -> {one.target} at {one.at}" for one in desired.moved]
    lines += [f"removed {one.address} destroy={one.destroy} at {one.at}" for one in desired.removed]
    lines += [f"import {one.target} = {one.id} at {one.at}" for one in desired.imports]
    return lines + [line for problem in warnings for line in told(problem)]


def outcome(case: str, folder: Path) -> str:
    """Return as text what loading a case comes to."""
    files = files_of(case)
    try:
        if "reconciler.yaml" in files:
            for path, text in files.items():
                (folder / path).parent.mkdir(exist_ok=True)
                (folder / path).write_bytes(text.encode())
            project = load_project(folder)
            loaded = load(project, environment(project, None, ENVIRON), KINDS, ENVIRON)
        else:
            overlays = {path: text for path, text in files.items() if path.startswith("environments/")}
            texts = {path: text for path, text in files.items() if path not in overlays}
            loaded = load_texts(texts, EnvironmentSettings("test", "emulator:x"), KINDS, ENVIRON, overlays=overlays)
    except ConfigError as error:
        lines = [line for problem in error.diagnostics for line in told(problem)]
    else:
        lines = described(loaded.desired, loaded.warnings)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.glob("*.yaml")))
def test_a_configuration_is_read_as_approved(case: str, tmp_path: Path) -> None:
    """Every problem is told with its place, excerpt and hint, or else the resources are as expected."""
    expected = CASES / case.replace(".yaml", ".txt")
    actual = outcome(case, tmp_path)
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_bytes(actual.encode())
    assert expected.is_file(), f"run UPDATE_GOLDEN=1 pytest tests/config and review {expected.name}"
    assert actual == expected.read_bytes().decode()
