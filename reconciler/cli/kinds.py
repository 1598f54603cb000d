"""`reconciler kinds`."""

from __future__ import annotations

import click

from reconciler.cli.completing import kinds
from reconciler.cli.opening import listing
from reconciler.cli.terminal import listed


@click.command("kinds")
@click.argument("kind", required=False, shell_complete=kinds)
@listing
def command(kind: str | None, fmt: str) -> int:
    """List what can be declared; with KIND, its attributes."""
    from reconciler.config.reading.problems import unknown_kind
    from reconciler.resources import load_kinds
    from reconciler.workflow.reference import attribute_rows, kind_rows

    kinds = load_kinds()
    if kind is None:
        listed(kind_rows(kinds), ["kind", "section", "api", "operations"], fmt)
        return 0
    if kind not in kinds:
        raise unknown_kind(kind, kinds)
    listed(attribute_rows(kinds[kind]), ["attribute", "api", "type", "changes", "description"], fmt)
    return 0
