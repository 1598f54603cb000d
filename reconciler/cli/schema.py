"""`reconciler schema`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.terminal import advise, say
from reconciler.render.quoting import place

NAMES = ["config", "project", "plan", "since", "state", "probe", "facts", "test", "fleet", "fleet-report", "lock"]


@click.command("schema")
@click.argument("name", type=click.Choice(NAMES), default="config")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write all schemas into this folder.")
def command(name: str, out: Path | None) -> int:
    """Print the JSON Schema of the resource files (config), the project file, plan documents, what `plan
    --since` finds, the state, reports of probes, facts files, files of tests, fleet files, reports of fleets, or the
    lock file.
    """
    from reconciler.store.atomic import write_file
    from reconciler.workflow.reference import schema_text

    if out is None:
        say(schema_text(name), "json")
        return 0
    for schema in NAMES:
        write_file(out / f"{schema}.schema.json", schema_text(schema).encode())
    advise(f"Wrote {len(NAMES)} schemas to {place(out)}.")
    return 0
