"""The first day with an account that exists: `init --adopt`, and what `export --out` makes."""

from __future__ import annotations

import json
from pathlib import Path

import click
import jsonschema
import pytest
import yaml

from reconciler.cli import init, terminal
from reconciler.model.errors import ReconcilerError
from reconciler.workflow.adopting import address_of
from tests.world import World

HERE = "emulator:../state/account.db"
"""The world's account, as a project in a folder beside its own names it."""


@pytest.fixture
def held(world: World) -> World:
    """An account that somebody filled, and no project."""
    world.write("tags: {vip: {description: Best}}\nlists: {news: {name: News, sender_url: 'https://a.example'}}")
    world.write(
        "tags: {vip: {description: Best}}\n"
        "lists: {news: {name: News, sender_url: 'https://a.example', sender_reminder: You signed up.}}"
    )
    world.apply()
    world.forget()
    (world.folder / "reconciler.yaml").unlink()
    return world


def complete(folder: Path) -> None:
    """Assert that everything of a project is there, and that editors can check it."""
    assert (folder / ".gitignore").read_text("utf-8").split() == ["state/"]
    files = [folder / "reconciler.yaml", *sorted((folder / "config").glob("*.yaml"))]
    assert len(files) > 1
    for file in files:
        text = file.read_text("utf-8")
        line = text.splitlines()[0]
        assert line.startswith("# yaml-language-server: $schema="), file
        schema = json.loads((file.parent / line.partition("=")[2]).read_text("utf-8"))
        jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))


def test_a_project_of_an_account(held: World) -> None:
    """Checked, written, exported, bound, planned: the plan is empty, and the account was only read."""
    ran = held.cli("init", "acme", "--adopt", HERE)
    assert ran.code == 0, ran.text
    assert "ok  token         accepted" in ran.out
    assert "the key is of an Admin user" in ran.out
    assert "configuration" not in ran.out.partition("Wrote")[0]
    assert "No changes. The account matches the configuration." in ran.out
    assert ran.out.rstrip().endswith("reconciler --chdir acme plan")
    assert held.writes() == []
    folder = held.folder / "acme"
    complete(folder)
    assert "production: true" in (folder / "reconciler.yaml").read_text("utf-8")
    assert held.cli("--chdir", str(folder), "plan", "--detailed-exitcode").code == 0
    assert "tag.vip" in held.cli("--chdir", str(folder), "state", "list").out
    again = held.cli("init", "acme", "--adopt", HERE)
    assert again.code == 1
    assert "exists already; nothing was written" in again.err


def test_the_environment_and_an_ignore_file_are_those_that_are_there(held: World) -> None:
    """`--env` names the environment; a repository that ignores something goes on ignoring it."""
    (held.folder / "acme").mkdir()
    (held.folder / "acme" / ".gitignore").write_text(".venv/", "utf-8")
    assert held.cli("-e", "sandbox", "init", "acme", "--adopt", HERE).code == 0
    assert (held.folder / "acme" / ".gitignore").read_text("utf-8") == ".venv/\nstate/\n"
    assert "  sandbox:" in (held.folder / "acme" / "reconciler.yaml").read_text("utf-8")


def test_without_a_key_or_an_account_nothing_is_written(held: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is said first; the folder is as it was."""
    monkeypatch.delenv("AC_PROD_TOKEN", raising=False)
    ran = held.cli("init", "acme", "--adopt", "http://127.0.0.1:9")
    assert (ran.code, "`export AC_PROD_TOKEN=...`" in ran.err) == (1, True)
    monkeypatch.setenv("AC_PROD_TOKEN", "not-a-key-0123456789")
    ran = held.cli("init", "acme", "--adopt", "http://127.0.0.1:9")
    assert ran.code == 1
    assert "FAILED  connection" in ran.out
    assert "Nothing was written." in ran.err
    held.fault("forbidden", "GET /users/me", times=9)
    ran = held.cli("init", "acme", "--adopt", HERE)
    assert ran.code == 4, ran.text
    assert "FAILED  token" in ran.out
    assert "not-a-key" not in ran.text
    assert not (held.folder / "acme").exists()


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("acme.api-us1.com", "https://acme.api-us1.com"),
        (" https://acme.api-us1.com/ ", "https://acme.api-us1.com"),
        ("https://acme.api-us1.com/api/3", "https://acme.api-us1.com"),
        ("https://acme.activehosted.com/app/settings", "https://acme.activehosted.com"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("emulator:state/a.db", "emulator:state/a.db"),
    ],
)
def test_an_address_is_understood_as_people_give_it(typed: str, url: str) -> None:
    """With or without a scheme, with what the browser shows behind it."""
    assert address_of(typed) == url


@pytest.mark.parametrize(
    "typed", ["", "ftp://x", "https://", "https://user:secret@acme.api-us1.com", "a b", "http://[", "x:y"]
)
def test_what_is_no_address_is_refused_and_not_repeated(typed: str) -> None:
    """It may hold a key."""
    with pytest.raises(ReconcilerError) as told:
        address_of(typed)
    assert "secret" not in told.value.message


@pytest.mark.parametrize(("typed", "begins"), [("", "Wrote "), (HERE, "    ok  address")])
def test_on_a_terminal_it_is_asked_for(held: World, monkeypatch: pytest.MonkeyPatch, typed: str, begins: str) -> None:
    """Nothing but Enter begins with the emulator; `--demo` asks nothing."""
    monkeypatch.setattr(init, "can_ask", lambda: True)
    monkeypatch.setattr(terminal, "answer", lambda question: typed)
    assert held.cli("init", "acme").out.startswith(begins)
    monkeypatch.setattr(terminal, "answer", lambda question: pytest.fail("it asked"))
    assert held.cli("init", "other", "--demo").code == 0


def test_a_key_that_is_typed_is_written_nowhere(held: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used for the command, and the next ones are told the variable."""
    monkeypatch.delenv("AC_PROD_TOKEN", raising=False)
    monkeypatch.setattr(init, "can_ask", lambda: True)
    monkeypatch.setattr(click, "prompt", lambda *_, **__: "typed-key-0123456789")
    seen: dict[str, str] = {}

    def check(files: dict[str, str], folder: Path, runtime: object) -> object:
        seen.update(files, key=runtime.environ["AC_PROD_TOKEN"])  # type: ignore[attr-defined]
        raise ReconcilerError("enough")

    monkeypatch.setattr("reconciler.workflow.adopting.check", check)
    ran = held.cli("init", "acme", "--adopt", "https://acme.api-us1.com")
    assert ran.code == 1
    assert seen.pop("key") == "typed-key-0123456789"
    assert "typed-key" not in ran.text + "".join(map(str, seen.values()))
    assert "token: ${env.AC_PROD_TOKEN}" in seen["reconciler.yaml"]


def test_an_export_into_a_new_folder_makes_a_whole_project(world: World) -> None:
    """With what keeps the account safe, and without the key that stands in the first project's file."""
    world.write(
        "version: 1\nenvironments:\n"
        "  demo: {url: 'emulator:state/account.db', token: emulator-token, production: true, requests_per_second: 4}\n",
        "reconciler.yaml",
    )
    world.write("tags: {vip: {description: Best}}")
    world.apply()
    ran = world.cli("export", "--out", "../copy")
    assert ran.code == 0, ran.text
    assert "export it as AC_DEMO_TOKEN" in ran.err
    assert "reconciler --chdir ../copy plan" in ran.err
    folder = world.folder.parent / "copy"
    complete(folder)
    text = (folder / "reconciler.yaml").read_text("utf-8")
    assert yaml.safe_load(text)["environments"]["demo"] == {
        "url": "emulator:../project/state/account.db",
        "token": "${env.AC_DEMO_TOKEN}",
        "production": True,
        "requests_per_second": 4,
    }
    assert "emulator-token" not in text
