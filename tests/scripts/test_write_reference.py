"""The reference is complete, and the same whoever writes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from reconciler.cli.program import COMMANDS, program
from reconciler.model.errors import ExitCode
from reconciler.resources import load_kinds
from scripts import check_generated, write_reference


def commands(group: click.Group, parent: click.Context) -> list[tuple[str, click.Command]]:
    """Return all commands with their names as they are typed, subcommands included."""
    found: list[tuple[str, click.Command]] = []
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None
        context = click.Context(command, parent=parent, info_name=name)
        found.append((context.command_path.removeprefix("reconciler "), command))
        if isinstance(command, click.Group):
            found += commands(command, context)
    return found


def test_every_command_and_option_is_described() -> None:
    """Each command has a section with its help, and each of its options a row with a meaning."""
    page = write_reference.commands_page()
    all_of_them = commands(program, click.Context(program, info_name="reconciler"))
    assert {name for name, _ in all_of_them} >= set(COMMANDS)
    for name, command in all_of_them:
        assert f"## {name}\n" in page
        assert command.help, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.opts}"
                assert max(parameter.opts, key=len) in page


@pytest.mark.parametrize("name", sorted(load_kinds()))
def test_every_attribute_of_a_kind_is_described(name: str) -> None:
    """The page of a kind has a row for each attribute, with a meaning, and says what a delete loses."""
    kind = load_kinds()[name]
    page = write_reference.kind_page(kind)
    for attribute in kind.attributes.values():
        if attribute.name in kind.spec.model_fields:
            assert f"| `{attribute.name}`" in page
            assert attribute.description, f"{name}.{attribute.name}"
    assert ("## What a delete loses" in page) == (kind.abilities.managed and kind.abilities.deletable)


def test_every_exit_code_has_a_meaning() -> None:
    """A new exit code cannot be added without saying what it means."""
    assert set(write_reference.MEANINGS) == set(ExitCode)


def test_cells_cannot_break_a_table() -> None:
    """Bars and line breaks in texts of the program are escaped."""
    assert write_reference.table(["a"], [["x|y\nz"], [""]]) == "| a |\n| --- |\n| x\\|y z |\n|   |\n"


def test_the_pages_are_the_same_under_any_hash_seed(tmp_path: Path) -> None:
    """Two runs with different hash seeds write the same bytes."""
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "scripts.write_reference", str(tmp_path / seed)]
        subprocess.run(command, check=True, cwd=check_generated.ROOT, env={**os.environ, "PYTHONHASHSEED": seed})
    assert check_generated.contents(tmp_path / "1") == check_generated.contents(tmp_path / "2")
