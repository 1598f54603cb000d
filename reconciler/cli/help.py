"""`reconciler help`."""

from __future__ import annotations

import click

from reconciler.cli import completing


@click.command("help")
@click.argument("words", metavar="[COMMAND]...", nargs=-1, shell_complete=completing.commands)
@click.pass_context
def command(context: click.Context, words: tuple[str, ...]) -> int:
    """Explain COMMAND, with its options and examples; without one, list the commands."""
    from reconciler.cli.terminal import say

    at = context.find_root()
    for word in words:
        if not isinstance(at.command, click.Group):
            raise click.UsageError(f"'{at.command_path}' has no commands of its own.", at)
        name, command, _ = at.command.resolve_command(at, [word])
        if command is None:
            raise click.UsageError(f"No such command '{word}'.", at)
        at = command.context_class(command, info_name=name, parent=at)
    say(at.command.get_help(at))
    return 0
