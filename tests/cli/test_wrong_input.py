"""What names something that is not there, and a file that holds something else, end with 3 in every command."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import click
import pytest

from tests.trust.test_baselines import git
from tests.world import World
from tests.world.commands import leaves

PROJECT = """
environments:
  other: {url: "emulator:state/other.db"}
"""
FLEET = """
version: 1
baselines: {crm: {folder: .}}
accounts: {acme: {url: "emulator:a.db", baseline: crm}}
"""
OF_OPTIONS = {
    "KIND,...": "tgs", "REF": "nope", "ENV": "nope", "NAME": "nope", "@ADDRESS": "@nope.txt", "SNAPSHOT": "odd.json",
    "LABEL": "a=b", "NAME=VALUE": "a=b", "CRON": "soon", "account|files|SNAPSHOT": "nope", "DIR": "nope",
}  # fmt: skip
"""What is not there, by what an option takes. An address that fits nothing is tried with its `@FILE`."""
BESIDE = {
    "clone": "--from demo --to other", "promote": "--from demo --to other", "snapshot": "--out new.json",
    "handbook": "--out site", "ids": "--lang python", "update": "--check", "import": "tag.a 7",
    "state import": "tag.a 7", "explain": "tag.a", "state mv": "tag.a tag.b", "state show": "tag.a",
    "state restore": "1", "state rm": "tag.a", "state push": "odd.json", "replay": "odd.json",
    "compare": "demo other", "state migrate": "--to new", "lock break": "x", "runs show": "latest",
    "emulator seed": "odd.json", "emulator behave": "odd.json",
}  # fmt: skip
"""What a command needs besides."""
ARGUMENTS = [
    "kinds tgs", "explain --facts tgs", "explain tag.nope", "compare nope demo", "compare odd.json demo", "test nope",
    "compare demo missing.json", "replay odd.json", "replay missing.json", "fmt nope.yaml", "state mv tag.nope tag.b",
    "state rm tag.nope", "state show tag.nope", "state push odd.json", "state push missing.json", "state restore 99",
    "lock break nope", "runs show nope", "undo nope", "undo latest --restore .", "emulator seed odd.json",
    "emulator seed missing.json", "emulator behave odd.json", "emulator behave missing.json",
    "emulator reset --db odd.json", "import tag.nope 7", "import tag.a 77", "plan --replace tag.nope",
    "plan --target tag.nope", "plan --target nope.a", "plan --target @odd.txt", "plan --against odd.json",
    "plan --guards-from file:missing.yaml", "plan --guards-from v1:odd", "init new --adopt https://not\tan:address",
    "--chdir nope plan", "handbook --out site --from odd.json", "fleet plan --account nope", "fleet plan --label a=b",
    "fleet plan --database mysql://x", "snapshot --out new.json --kinds ,",
]  # fmt: skip
EXEMPT = {
    "fmt --env", "kinds --env", "schema --env", "version --env", "help --env", "completion --env",  # open none
    "show --env",  # a saved plan that cannot be read ends with 6
    "emulator serve --env", "init --env", "fleet worker --env",
}  # fmt: skip


@pytest.fixture
def given(world: World) -> World:
    """A project with two environments in a Git repository, and files that are something else."""
    world.write("tags: {a: {}}")
    project = world.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8").replace("environments:\n", PROJECT.lstrip()), "utf-8")
    world.write(FLEET, "fleet.yaml")
    (world.folder / "odd.json").write_text('["odd"]', "utf-8")
    (world.folder / "odd.txt").write_text("# nothing\n", "utf-8")
    git(world.folder, "add", "-A")
    git(world.folder, "commit", "-q", "-m", "one")
    assert world.cli("apply", "--auto-approve").code == 0
    return world


def lines() -> Iterator[list[str]]:
    """Yield a command line for each option of each command that names something."""
    for name, command in leaves().items():
        if name.startswith(("ci ", "fleet ", "policy ")):
            continue
        for parameter in command.params:
            option = parameter.opts[-1]
            if not isinstance(parameter, click.Option) or f"{name} {option}" in EXEMPT:
                continue
            metavar = "@ADDRESS" if option in ("--target", "--exclude") and name != "export" else parameter.metavar
            if metavar == "NAME" and option != "--env":
                continue
            if metavar in OF_OPTIONS and option != "--archive":
                beside = BESIDE.get(name, "").split()
                if option in beside:
                    at = beside.index(option)
                    beside = beside[:at] + beside[at + 2 :]
                yield [*name.split(), option, OF_OPTIONS[metavar], *beside]


def test_wrong_input_ends_with_3(given: World) -> None:
    """With a message that has no exception in it, and nothing is written."""
    before = {
        path: path.read_bytes()
        for path in given.folder.rglob("*")
        if path.is_file() and ".git" not in path.parts and path.suffix != ".lock"
    }
    ended = {}
    for words in chain(lines(), (line.split(" ") for line in ARGUMENTS)):
        ran = given.cli(*words)
        ended[" ".join(words)] = ran.code, ran.text if ran.code != 3 or "error" not in ran.err else ""
    assert len(ended) > 90
    assert {line: end for line, end in ended.items() if end != (3, "")} == {}
    assert before == {path: path.read_bytes() for path in before}


@pytest.mark.parametrize(
    "words",
    ["clone --from demo --to other --dry-run", "promote --from demo --to other --dry-run", "compare demo other"],
)
def test_a_third_environment_is_refused(world: World, words: str) -> None:
    """Where both are named, --env can only be one of them: it is no other account that is meant. None need be the
    default.
    """
    text = (world.folder / "reconciler.yaml").read_text("utf-8").replace("environments:\n", PROJECT.lstrip())
    world.write(text.replace("default_environment: demo\n", "  third: {url: 'emulator:c.db'}\n"), "reconciler.yaml")
    ran = world.cli("--env", "third", *words.split())
    assert (ran.code, "--env says `third`" in ran.err, world.requests()) == (3, True, []), ran.text
    for named in ((), ("--env", "demo"), ("--env", "other")):
        assert world.cli(*named, *words.split()).code == 0
