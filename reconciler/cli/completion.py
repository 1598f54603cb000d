"""`reconciler completion`."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> int:
    """Print the completion script for SHELL. For bash: eval "$(reconciler completion bash)"."""
    from reconciler.cli.program import COMPLETE, program
    from reconciler.cli.shells import SHELLS

    click.echo(SHELLS[shell](program, {}, "reconciler", COMPLETE).source())
    return 0
