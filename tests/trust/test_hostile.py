"""An account and a configuration full of texts that would be commands, over every command and format."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from reconciler.cli.views import COMPARE, DRIFT, GRAPH, PLAN, PROBLEMS
from tests.hostile import HOSTILE, is_command, problems_of
from tests.world import Ran, World

TWO = """\
version: 1
environments:
  demo: {url: "emulator:state/account.db"}
  other: {url: "emulator:state/other.db"}
default_environment: demo
policies: [{name: p, message: "::error::x\\n##[error]y", deny: {kind: tag, action: delete}, severity: warning}]
"""
DATA = ("json", "sarif", "gitlab")


def texts(seed: int) -> Iterator[str]:
    """Hostile texts without end, each another one; characters that no account keeps (halves of pairs) are not there."""
    chance = random.Random(seed)
    yield from HOSTILE
    while True:
        yield "".join(chance.choices(HOSTILE, k=chance.randrange(1, 4)))


def declared(seed: int) -> dict[str, object]:
    """A configuration with a hostile text in every place that takes one."""
    more = texts(seed)

    def one() -> str:
        return next(more)

    return {
        "tags": {f"t{number}": {"name": f"{number} {one()}", "description": one()} for number in range(len(HOSTILE))},
        "fields": {
            "f": {
                "title": one(),
                "type": "dropdown",
                "description": one(),
                "options": [{"label": f"{number} {one()}", "value": f"{number} {one()}"} for number in range(4)],
            }
        },
        "pipelines": {
            "p": {"title": one(), "currency": "usd", "stages": {key: {"title": f"{key} {one()}"} for key in "ab"}}
        },
        "lists": {
            "l": {
                "name": one(),
                "string_id": "l",
                "sender_url": "https://acme.example",
                "sender_reminder": one(),
            }
        },
        "messages": {
            "m": {
                "subject": one(),
                "html": one(),
                "text": one(),
                "from_email": "a@acme.example",
                "from_name": one(),
                "reply_to": "a@acme.example",
            }
        },
    }


def checked(ran: Ran, form: str = "text") -> Ran:
    """Fail where an output is anything but a text."""
    assert "mistake in the program" not in ran.text, ran.text
    assert not problems_of(ran.err), ran.err
    if form in DATA:
        json.loads(ran.out)
    if form in ("junit", "svg"):
        ElementTree.fromstring(ran.out)
    if form == "github":
        assert all(line.startswith(("::error ", "::warning ")) for line in ran.out.splitlines())
    elif form in ("text", *DATA):
        assert not problems_of(ran.out), ran.out
    else:
        assert not [line for line in re.split("[\r\n]", ran.out) if is_command(line)], ran.out
    return ran


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(2, 42))])
def test_nothing_that_is_printed_is_a_command(world: World, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Plan, apply, drift, explain and everything else that shows names and texts of the account or of the files."""

    def run(*argv: str, form: str = "text") -> Ran:
        return checked(world.cli(*argv), form)

    monkeypatch.setattr("reconciler.cli.terminal.ascii_only", lambda: False)
    world.write(declared(seed))
    plans = 0
    for form in PLAN:
        plans += run("plan", "--out", "plan.json", "--format", form, form=form).code == 0
        run("show", "plan.json", "--format", form, form=form)
    assert plans == len(PLAN)
    ran = run("apply", "--auto-approve", "-vv")
    assert ran.code == 0, ran.out[-3000:]
    drifts = texts(seed + 1)
    for row in world.rows("tags"):
        world.call("PUT", f"/tags/{row['id']}", {"tag": {"tag": f"{row['id']} {next(drifts)}"}})
    world.call("POST", "/tags", {"tag": {"tag": f"new {next(drifts)}", "tagType": "contact"}})
    for form in DRIFT:
        run("drift", "--format", form, form=form)
    for fmt in ("text", "json"):
        for address in ("tag.t1", "field.f", "pipeline.p", "stage.p.a", "list.l", "message.m"):
            assert run("explain", address, "--format", fmt, form=fmt).code == 0
        for command in ("coverage", "state list", "state history", "runs list", "runs show", "state doctor"):
            run(*command.split(), "--format", fmt, form=fmt)
    run("state", "show", "tag.t1", form="json")
    run("state", "pull", form="json")
    for form in GRAPH:
        run("graph", "--format", form, form=form)
    for host in ("github", "bitbucket"):
        run("ci", "body", "plan.json", "--host", host, form="markdown")
    world.write(TWO, "reconciler.yaml")
    for form in COMPARE:
        assert run("compare", "demo", "other", "--format", form, form=form).code == 0
    run("clone", "--from", "demo", "--to", "other", "--dry-run")
    run("promote", "--from", "demo", "--to", "other", "--dry-run")
    run("promote", "--from", "demo", "--to", "other", "--dry-run", "--format", "json", form="json")
    run("handbook", "--out", "handbook")
    for page in sorted((world.folder / "handbook" / "current").iterdir()):
        assert not any(is_command(line) for line in page.read_text("utf-8").splitlines()), page.name
    run("snapshot", "--out", "snapshot.json")
    run("plan", "--against", "snapshot.json")
    run("rehearse", "--format", "json", form="json")
    run("rehearse")
    run("apply", "--auto-approve", "--json", "--no-impact")
    run("undo", "--out", "undo.json")
    copy = world.folder / "copy"
    assert checked(world.cli("export", "--out", str(copy))).code == 0
    world.write("tags: {}")
    run("plan", "--detailed-exitcode")
    run("destroy", "--auto-approve")


@pytest.mark.parametrize("evil", [one for one in HOSTILE if "\r" not in one])
def test_excerpts_of_bad_files_are_no_commands(world: World, evil: str) -> None:
    """A line of a file is shown where it is wrong, with the texts that stand in it."""
    quoted = json.dumps(evil)
    world.write(
        f"tags:\n  a: {{name: {quoted}, {quoted}: 1}}\n  b:\n    {quoted}: {quoted}\n  c: {{name: [{quoted}]}}\n"
        f"{quoted}: {{}}\n"
    )
    for form in PROBLEMS:
        assert checked(world.cli("validate", "--format", form), form).code == 3
    checked(world.cli("plan", "--env", evil))
    checked(world.cli("explain", evil))
    checked(world.cli("apply", f"--{evil}"))


def test_formats_are_all_there() -> None:
    """The test above knows how to read every format that a command has."""
    known = {"text", "json", "markdown", "html", "sarif", "github", "gitlab", "junit", "mermaid", "dot", "svg"}
    assert {*PLAN, *DRIFT, *COMPARE, *GRAPH, *PROBLEMS} == known
