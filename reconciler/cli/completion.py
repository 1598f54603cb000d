"""`reconciler completion`."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for SHELL. For bash: eval "$(reconciler completion bash)"."""
    from click.shell_completion import get_completion_class

    from reconciler.cli.program import program

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(program, {}, "reconciler", "_RECONCILER_COMPLETE").source())
    return 0
