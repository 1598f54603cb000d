"""A kind that does not exist, made by following the page on adding one: what the page shows, under another name."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler import resources
from reconciler.emulator import families
from reconciler.emulator.families import content
from reconciler.workflow.reference import schema_text
from scripts import write_terms
from tests.conformance import case as conformance
from tests.world import World, new_world

pytestmark = pytest.mark.off_contract("no vendor documents what is made up")
ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "adding-a-kind.md").read_text("utf-8")
NAMES = {
    "saved_response": "snippet",
    "savedResponse": "snippet",
    "SavedResponse": "Snippet",
    "saved response": "snippet",
}
"""What the page shows -> what is made here."""


def shown(path: str) -> str:
    """Return what the page shows of a file, about the kind that is made here."""
    (block,) = re.findall(rf"```diff\n\+\+\+ b/{re.escape(path)}\n(.*?)```", PAGE, re.S)
    text = "".join(f"{line.removeprefix('+')}\n" for line in block.rstrip("\n").split("\n"))
    for old, new in NAMES.items():
        text = text.replace(old, new)
    return text


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A program and an emulator that know the kind: its file lies with the others, its entry stands in the table."""
    folder = tmp_path / "resources"
    folder.mkdir()
    (folder / "snippet.py").write_text(shown("reconciler/resources/saved_response.py"), "utf-8")
    monkeypatch.setattr(resources, "__path__", [*resources.__path__, str(folder)])
    known = {**vars(content), "Snippets": content.SavedResponses}
    (entry,) = eval(f"[{shown('reconciler/emulator/families/content.py')}]", known)
    monkeypatch.setitem(vars(families)["TYPES"], "snippets", entry)
    resources.load_kinds.cache_clear()
    schema_text.cache_clear()  # of before the kind was made up; an export writes the schema
    try:
        with new_world(tmp_path / "project") as world:
            yield world
    finally:
        resources.load_kinds.cache_clear()
        schema_text.cache_clear()  # what comes after knows nothing of it
        sys.modules.pop("reconciler.resources.snippet", None)
        vars(resources).pop("snippet", None)


def test_a_kind_is_one_file_and_one_entry(made_up: World) -> None:
    """Planned, applied, planned again without a difference, exported, and removed; nothing else had to be told."""
    made_up.write(shown("examples/kinds/saved_response.yaml"))
    assert made_up.plan().lines == ["create snippet.thanks"]
    made_up.apply()
    assert made_up.requests("POST", "PUT", "DELETE") == ["POST /snippets"]
    assert made_up.rows("snippets", title="Thanks", subject="Thank you")
    assert made_up.plan().empty
    outcome = made_up.export(made_up.folder / "copy")
    assert not outcome.unknown
    assert "snippets:\n  thanks:" in "".join(file.read_text("utf-8") for file in made_up.folder.glob("copy/**/*.yaml"))
    assert made_up.plan(made_up.folder / "copy").empty
    assert [path for path in resources.load_kinds()["snippet"].writable if "snippet" not in path] == []
    made_up.write("tags: {vip: {}}")
    made_up.apply()
    assert not made_up.rows("snippets")
    assert made_up.plan().empty


def test_the_commands_know_it(made_up: World) -> None:
    """The list of kinds, the schema and the addresses follow from the file."""
    assert "snippet" in made_up.cli("kinds").out.split()
    assert '"snippets"' in made_up.cli("schema").text
    assert made_up.cli("kinds", "snippet").code == 0
    said = write_terms.text(resources.load_kinds(), ())
    assert '"snippet": KindWords(\n        "snippet",\n        "snippets",\n' in said


def test_the_conformance_case_names_every_attribute(made_up: World) -> None:
    """The entry of the page says each attribute of the kind with a first and a second value."""
    (made,) = eval(f"[{shown('tests/conformance/cases/texts.py')}]", vars(conformance))
    assert {one.name for one in made.attributes} == set(resources.load_kinds()["snippet"].attributes)
    assert made.address == "snippet.thanks"
