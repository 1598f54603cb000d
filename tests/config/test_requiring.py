"""`required_version` in the project file: what it accepts, and that no command goes on with another version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from reconciler import __version__
from reconciler.cli.program import program
from reconciler.config import load_project
from reconciler.config.reading.files import decode
from reconciler.config.reading.nodes import Map
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.requiring import fits
from reconciler.model.errors import ConfigError
from tests.fleet import COMMANDS as FLEET
from tests.world import World

WITHOUT_PROJECT = {
    "completion": "prints a script",
    "help": "describes this version",
    "emulator serve": "serves an account",
    "init": "writes a project",
    "kinds": "describes this version",
    "schema": "describes this version",
    "show": "reads a saved plan, which says its own format",
    "version": "says this version",
    "ci approve": "reads a saved plan, and asks a code host",
    "ci approved": "reads a saved plan, and asks a code host",
    "ci body": "reads a saved plan",
    "ci comment": "reads a saved plan, and asks a code host",
    "ci fetch": "asks a code host",
    **{f"fleet {one}": "reads a fleet file, whose baselines are projects" for one in FLEET},
}
"""Commands that may run in a project of another version, for they do not look at it."""
ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "ids": ("--lang", "python"),
    "apply": ("plan.json",),
    "ci drift": ("--host", "github"),
    "ci guard": ("plan.json", "--guards-from", "HEAD"),
    "clone": ("--from", "prod", "--to", "other"),
    "emulator seed": ("plan.json",),
    "emulator behave": ("plan.json",),
    "explain": ("tag.x",),
    "promote": ("--from", "prod", "--to", "other"),
    "state push": ("plan.json",),
}
FUTURE = """\
version: 1
required_version: ">=99,<100"
a_member_of_version_99: true
environments: {prod: {url: "${env.NOT_SET}", token: {of: [another, form]}}}
"""


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(program))


def given(name: str) -> tuple[str, ...]:
    """Return arguments with which a command parses."""
    if name in ARGUMENTS:
        return ARGUMENTS[name]
    words = []
    for parameter in COMMANDS[name].params:
        if parameter.required and isinstance(parameter, click.Argument):
            number = isinstance(parameter.type, click.types.IntParamType)
            words.append("1" if number else "tag.x")
        elif parameter.required:
            words += [parameter.opts[0], "out.json"]
    return tuple(words)


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - WITHOUT_PROJECT.keys()))
def test_no_command_goes_on_with_another_version(world: World, name: str) -> None:
    """Exit code 3 with the place and what to do, before anything else of the file is judged, and nothing is written."""
    if name == "ci guard":  # the plan names the environment that it is judged by
        world.cli("plan", "--out", "plan.json")
        world.forget()
    else:
        (world.folder / "plan.json").write_text("{}", "utf-8")
    (world.folder / "reconciler.yaml").write_text(FUTURE, "utf-8")
    before = sorted(world.folder.rglob("*"))
    ran = world.cli(*name.split(), *given(name))
    assert ran.code == 3, ran.text
    assert "reconciler.yaml:2:19: error: this project asks for version >=99,<100" in " ".join(ran.err.split())
    assert "pip install 'activecampaign-reconciler<100,>=99'" in " ".join(ran.err.split())
    assert "a_member_of_version_99" not in ran.text
    assert world.requests() == []
    assert sorted(world.folder.rglob("*")) == before


def project(folder: Path, written: str) -> Path:
    """Write a project file with a `required_version` as it is written there."""
    text = f"version: 1\nrequired_version: {written}\nenvironments: {{demo: {{url: 'emulator:a.db'}}}}\n"
    (folder / "reconciler.yaml").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("written", ["'>=0.1'", f"'=={__version__}'", f"~={__version__}", "'>=0.2 , <99'", "'>=0.2,'"])
def test_a_version_that_fits_changes_nothing(tmp_path: Path, written: str) -> None:
    """The file is read as ever, and the form in the schema accepts what the program does."""
    assert load_project(project(tmp_path, written)).project.required_version is not None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("0.2", "is not a text with a version specifier"),
        ("", "is not a text with a version specifier"),
        ("''", "is not a text with a version specifier"),
        ("['>=0.2']", "is not a text with a version specifier"),
        ("'0.2'", "`0.2` is not a version specifier"),
        ("'>0.2 <1'", "`>0.2 <1` is not a version specifier"),
        ("${env.WANTED}", "`${env.WANTED}` is not a version specifier"),
        (">=0.2", "not valid YAML"),
    ],
)
def test_what_is_no_specifier_is_told_with_its_place(tmp_path: Path, written: str, said: str) -> None:
    """A number, nothing, a list, a bare version and an unquoted `>` are errors of line 2 with a hint."""
    with pytest.raises(ConfigError) as failed:
        load_project(project(tmp_path, written))
    [problem] = failed.value.diagnostics
    assert said in problem.message
    assert problem.hint
    assert problem.at is not None
    assert problem.at.line == 2


@pytest.mark.parametrize("version", ["0.2.0", "0.2.1", "0.3.0.dev1", "0.3.0rc1", "0.3.0", "1.0", "0.2.0.post1"])
@pytest.mark.parametrize("specifier", [">=0.2", "<0.3", "~=0.2.0", "!=0.3.0", ">=0.3,<1", "==0.2.*"])
def test_versions_are_compared_as_pip_does(specifier: str, version: str) -> None:
    """Pre-releases of this program count as what they are: who runs one has chosen it."""
    problems = Problems()
    source = decode(f"required_version: '{specifier}'\n".encode(), "reconciler.yaml", problems)
    assert source is not None
    [tree] = parse(source, problems) or []
    assert isinstance(tree, Map)
    expected = SpecifierSet(specifier).contains(Version(version), prereleases=True)
    assert fits(tree, problems, version) == expected
    assert problems.errors != expected


def test_the_target_branch_may_ask_for_a_version(world: World) -> None:
    """With `--guards-from`, the project file that decides is held to as well; and a change cannot loosen it."""
    text = (world.folder / "reconciler.yaml").read_text("utf-8")
    (world.folder / "ruling.yaml").write_text(f"{text}required_version: '<0.1'\n", "utf-8")
    ran = world.cli("plan", "--guards-from", "file:ruling.yaml")
    assert ran.code == 3
    assert "in file:ruling.yaml: this project asks for version <0.1" in " ".join(ran.err.split())
    (world.folder / "ruling.yaml").write_text(f"{text}required_version: '>=0.1'\n", "utf-8")
    world.write("tags: {vip: {}}")
    ran = world.cli("plan", "--guards-from", "file:ruling.yaml")
    assert ran.code == 7, ran.text
    assert "required_version" in ran.text
