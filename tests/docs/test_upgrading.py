"""What the page on upgrading says of names and formats of before."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import get_args

import pytest

from reconciler.config import load_project
from reconciler.model.document import PLAN_FORMAT, StepView
from reconciler.model.run import RUN_FORMAT
from reconciler.model.state import STATE_VERSION, Record


@pytest.mark.parametrize("op", ["begin", "intent", "bind", "drop", "failed", "move", "end"])
def test_journals_of_before_are_read(op: str) -> None:
    """Each operation that a journal of version 0.1 holds is one that this version reads."""
    assert Record.model_validate_json(f'{{"op": "{op}", "address": "tag.vip"}}').op == op


@pytest.mark.parametrize("op", ["create", "update", "delete", "bind", "forget", "move", "finish", "park"])
def test_steps_of_before_are_read(op: str) -> None:
    """Each operation that a saved plan of version 0.1 holds is one that this version reads."""
    assert op in get_args(StepView.model_fields["op"].annotation)


def test_policies_are_still_called_that(tmp_path: Path) -> None:
    """A project file with `policies:` has those rules."""
    text = "version: 1\nenvironments: {demo: {url: 'emulator:a.db'}}\n"
    rule = "policies: [{name: no-deletes, message: Nothing goes, deny: {action: delete}}]\n"
    (tmp_path / "reconciler.yaml").write_text(text + rule, "utf-8")
    assert [one.name for one in load_project(tmp_path).project.policies] == ["no-deletes"]


def test_extras_of_before_exist(project_root: Path) -> None:
    """Whoever installs an extra of version 0.1 gets it."""
    content = tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))
    assert set(content["project"]["optional-dependencies"]) >= {"fmt", "objectstore", "postgres", "encrypt", "policy"}


def test_the_table_of_formats_is_true(project_root: Path) -> None:
    """The page names the formats that this version writes."""
    page = (project_root / "docs" / "upgrading.md").read_text("utf-8")
    assert f"| state | {STATE_VERSION} |" in page
    assert f"| saved plan | {PLAN_FORMAT} |" in page
    assert f"| record of a run, snapshot, archive | {RUN_FORMAT} |" in page
