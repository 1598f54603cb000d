"""The commands of the program, as click knows them: tests that are about all of them ask here."""

from __future__ import annotations

import functools

import click

from reconciler.cli.program import program


@functools.cache
def leaves() -> dict[str, click.Command]:
    """Return every command that can be run, by its words, e.g. `state push`."""

    def below(command: click.Command, words: tuple[str, ...]) -> dict[str, click.Command]:
        if not isinstance(command, click.Group):
            return {" ".join(words): command}
        context = click.Context(command)
        found: dict[str, click.Command] = {}
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            found |= below(inner, (*words, name))
        return found

    return below(program, ())


__all__ = ["leaves"]
