"""An editor with yaml-language-server completes, explains and checks the files of a project, offline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import program
from tests import npm
from tests.editor.server import Server, running

pytestmark = pytest.mark.timeout(240)
VERSION = "1.19.2"
HEAD = "# yaml-language-server: $schema=../.reconciler/config.schema.json\n"
PROJECT_HEAD = "# yaml-language-server: $schema=.reconciler/project.schema.json\n"
CRM = "config/crm.yaml"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for a project as `init` makes it."""
    command = npm.program("yaml-language-server", VERSION, "bin/yaml-language-server")
    folder: Path = tmp_path_factory.mktemp("editor") / "project"
    assert program.run(["init", str(folder)]) == 0
    with running(command, folder) as made:
        yield made


def labels(found: Any) -> dict[str, Any]:
    """Return completions by label."""
    return {item["label"]: item for item in (found["items"] if isinstance(found, dict) else found or [])}


def text_of(found: Any) -> str:
    """Return the text of a hover or of a completion's documentation."""
    return found["value"] if isinstance(found, dict) else str(found or "")


def test_good_files_have_no_diagnostics(server: Server) -> None:
    """What `init` writes, and references, secrets and lifecycle beside it, is fine."""
    good = HEAD + (
        "tags:\n  vip: {name: VIP, lifecycle: {prevent_destroy: true}}\n"
        "lists: {news: {name: News, sender_url: https://acme.example, sender_reminder: You signed up.}}\n"
        "fields: {tier: {title: Tier, type: dropdown, options: [Free, Pro], lists: [news]}}\n"
        "webhooks:\n  crm: {name: C, url: 'https://${var.h}/x?k=${secret.KEY}', events: [deal_add], sources: [admin]}\n"
    )
    assert server.open(CRM, good) == []
    assert server.open("reconciler.yaml", PROJECT_HEAD + "version: 1\nenvironments: {demo: {url: emulator:x}}\n") == []


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("tags:\n  vip: {nam: VIP}\n", 2, "nam"),
        ("fields:\n  tier: {title: Tier, type: dropdwn}\n", 2, "dropdown"),
        ("tagz: {}\n", 1, "tagz"),
        ("pipelines:\n  sales:\n    title: [a]\n", 3, "string"),
    ],
    ids=["unknown attribute", "unknown value", "unknown section", "wrong type"],
)
def test_bad_files_are_marked_where_they_are_wrong(server: Server, text: str, line: int, says: str) -> None:
    """Each mistake has a diagnostic on its line that names it, or what could stand there."""
    found = server.open(CRM, HEAD + text)
    assert any(one["range"]["start"]["line"] == line and says in one["message"] for one in found), found


def test_sections_are_completed(server: Server) -> None:
    """At the margin the editor offers every section, with what it is for."""
    server.open(CRM, HEAD + "\n")
    found = labels(server.at("completion", CRM, 1, 0))
    assert {"tags", "lists", "fields", "pipelines", "webhooks", "custom_objects", "moved"} <= set(found)
    assert "by key" in text_of(found["tags"].get("documentation"))


def test_attributes_and_values_are_completed(server: Server) -> None:
    """Inside a resource its attributes are offered, behind one that has a list of values those."""
    server.open(CRM, HEAD + "fields:\n  tier:\n    title: Tier\n    \n")
    found = labels(server.at("completion", CRM, 4, 4))
    assert {"type", "perstag", "options", "lists"} <= set(found)
    server.open(CRM, HEAD + "fields:\n  tier:\n    title: Tier\n    type: \n")
    assert {"dropdown", "radio", "textarea"} <= set(labels(server.at("completion", CRM, 4, 10)))


def test_the_project_file_is_completed(server: Server) -> None:
    """Guards are offered by name, with what they do."""
    text = PROJECT_HEAD + "version: 1\nenvironments:\n  demo:\n    url: emulator:x\n    guards:\n      \n"
    server.open("reconciler.yaml", text)
    found = labels(server.at("completion", "reconciler.yaml", 6, 6))
    assert {"max_deletes", "max_records_lost", "allow_list_deletes"} <= set(found)
    assert "destroys more objects" in text_of(found["max_deletes"].get("documentation"))


@pytest.mark.parametrize(
    ("line", "says"), [(1, "field resources by key"), (4, "`dropdown`")], ids=["section", "attribute"]
)
def test_hovering_explains(server: Server, line: int, says: str) -> None:
    """Sections and attributes tell what they are."""
    server.open(CRM, HEAD + "fields:\n  tier:\n    title: Tier\n    type: dropdown\n")
    found = server.at("hover", CRM, line, 4 if line > 1 else 1)
    assert found is not None
    assert says.lower() in text_of(found["contents"]).lower()
