"""`reconciler version`."""

from __future__ import annotations

import click

from reconciler import __version__


@click.command("version")
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="How to print.")
def command(fmt: str) -> int:
    """Print the version of this program and of the formats it writes."""
    if fmt == "json":
        import json
        import platform

        click.echo(json.dumps({"version": __version__, "python": platform.python_version()}))
    else:
        click.echo(f"reconciler {__version__}")
    return 0
