"""What `init` writes is checked by an editor without a network, and works at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from scripts.run_docs import Session

MODELINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.M)


@pytest.fixture
def project(tmp_path: Path) -> Session:
    """A new project."""
    session = Session(tmp_path)
    session.run("reconciler init")
    return session


def test_every_file_names_a_schema_that_lies_beside_it(project: Session) -> None:
    """The modeline's path is relative to its file, exists, and describes the file; a typo is an error in the editor."""
    files = sorted(project.folder.rglob("*.yaml"))
    assert [str(file.relative_to(project.folder)) for file in files] == ["config/crm.yaml", "reconciler.yaml"]
    for file in files:
        text = file.read_text("utf-8")
        found = MODELINE.search(text)
        assert found is not None
        schema = json.loads((file.parent / found[1]).read_text("utf-8"))
        data = yaml.safe_load(text)
        validator = jsonschema.Draft202012Validator(schema)
        validator.validate(data)
        with pytest.raises(jsonschema.ValidationError):
            validator.validate({**data, "tagz": {}})


def test_the_schemas_can_be_renewed(project: Session) -> None:
    """`schema --out .reconciler` writes them anew under the same names, after an upgrade."""
    schema = project.folder / ".reconciler" / "config.schema.json"
    before = schema.read_bytes()
    schema.write_text("{}", "utf-8")
    project.run("reconciler schema --out .reconciler")
    assert schema.read_bytes() == before


def test_nothing_is_overwritten(project: Session) -> None:
    """A second `init` in the same folder refuses, and leaves the files as they are."""
    file = project.folder / "config" / "crm.yaml"
    file.write_text("tags: {}\n", "utf-8")
    output = project.run("reconciler init")
    assert project.code == 1
    assert "exists already; nothing was written" in output
    assert file.read_text("utf-8") == "tags: {}\n"
