"""The example projects are valid, apply to a fresh account, and settle."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
import yaml

from scripts.run_docs import Session

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
PROJECTS = sorted(file.parent.name for file in EXAMPLES.glob("*/reconciler.yaml"))
FOLDERS = sorted({file.parent for file in EXAMPLES.rglob("reconciler.yaml")} | {EXAMPLES / "agency-baseline/baseline"})
FILES = sorted({str(file.relative_to(EXAMPLES)) for folder in FOLDERS for file in folder.rglob("*.yaml")})
MODELINE = re.compile(r"\A# yaml-language-server: \$schema=(\S+)$", re.M)


def session(name: str, folder: Path) -> Session:
    """A copy of an example."""
    made = Session(folder / "project")
    made.home.mkdir()
    made.start(EXAMPLES / name)
    (made.home / ".git").mkdir()  # a project reads what is in its repository
    return made


@pytest.mark.parametrize("name", PROJECTS)
def test_an_example_applies_and_settles(name: str, tmp_path: Path) -> None:
    """Validate without a warning, apply, and a plan with nothing to do."""
    example = session(name, tmp_path)
    output = example.run("reconciler validate")
    assert example.code == 0, output
    assert "warning" not in output
    output = example.run("reconciler apply --auto-approve --quiet")
    assert example.code == 0, output
    output = example.run("reconciler plan --detailed-exitcode")
    assert example.code == 0, output
    assert "No changes. The account matches the configuration." in output


def test_the_agency_is_as_large_as_it_says(tmp_path: Path) -> None:
    """The example that the demo runs holds resources of every managed kind, and as many as its first line says."""
    example = session("agency", tmp_path)
    example.run("reconciler apply --auto-approve --quiet")
    rows = json.loads(example.run("reconciler state list --format json"))
    counts = Counter(row["kind"] for row in rows)
    wanted = {"tag": 60, "field": 40, "pipeline": 5, "stage": 30, "list": 15, "webhook": 10, "custom_object": 4}
    assert {kind: counts[kind] for kind in wanted} == wanted
    assert {"deal_field", "account_field", "field_group"} <= set(counts)
    said = re.search(r"\b(\d+) resources", (EXAMPLES / "agency" / "reconciler.yaml").read_text("utf-8"))
    assert said is not None
    assert int(said[1]) == len(rows)


def test_the_quickstart_is_short() -> None:
    """All files of the smallest example have fewer than 40 lines together."""
    files = (EXAMPLES / "quickstart").rglob("*.yaml")
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) < 40


@pytest.mark.parametrize("name", FILES)
def test_an_editor_finds_the_schema_of_a_file(name: str) -> None:
    """The first line names a schema of this repository by a relative path, and the file fits it."""
    file = EXAMPLES / name
    text = file.read_text("utf-8")
    found = MODELINE.search(text)
    assert found is not None
    schema = json.loads((file.parent / found[1]).read_text("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sandbox-to-prod", "--env sandbox"),
        ("sandbox-to-prod", "--env prod"),
        ("agency-baseline", "--chdir clients/acme"),
        ("agency-baseline", "--chdir clients/zoo"),
    ],
)
def test_every_environment_and_client_settles(name: str, options: str, tmp_path: Path) -> None:
    """Applied without a warning, and a plan with nothing to do."""
    example = session(name, tmp_path)
    assert "warning" not in example.run(f"reconciler {options} validate")
    output = example.run(f"reconciler {options} apply --auto-approve --quiet")
    assert example.code == 0, output
    output = example.run(f"reconciler {options} plan --detailed-exitcode")
    assert example.code == 0, output
