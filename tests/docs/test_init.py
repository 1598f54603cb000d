"""What `init` writes is checked by an editor without a network, and works at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from reconciler.model.errors import ReconcilerError
from reconciler.store.atomic import write_file
from reconciler.workflow import init
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


def test_a_killed_init_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after any file: the next one makes the project whole; somebody else's file is in nobody's way."""
    written = 0

    def dies(path: Path, content: bytes) -> None:
        nonlocal written
        if written == left:
            raise KeyboardInterrupt
        written += 1
        write_file(path, content)

    for left in range(5):
        folder, written = tmp_path / f"{left}", 0
        monkeypatch.setattr("reconciler.workflow.init.write_file", dies)
        with pytest.raises(KeyboardInterrupt):
            init.write_project(folder)
        monkeypatch.undo()
        assert not (folder / "reconciler.yaml").exists()
        init.write_project(folder)
        assert sorted(path.name for path in folder.rglob("*.yaml")) == ["crm.yaml", "reconciler.yaml"]
    with pytest.raises(ReconcilerError, match=r"reconciler\.yaml exists already"):
        init.write_project(folder)
    (tmp_path / "own/config").mkdir(parents=True)
    (tmp_path / "own/config/crm.yaml").write_text("tags: {}\n")
    with pytest.raises(ReconcilerError, match=r"crm\.yaml exists already; nothing was written"):
        init.write_project(tmp_path / "own")
