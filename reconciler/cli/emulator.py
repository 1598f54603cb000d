"""`reconciler emulator`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from reconciler.cli.opening import folder
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say
from reconciler.render.quoting import place


@click.group("emulator")
def command() -> None:
    """Run, fill and empty the built-in ActiveCampaign emulator."""


def _account(function: Any) -> Any:
    return click.option(
        "--db", metavar="FILE", help="The account's file; default: that of the project's environment (see --env)."
    )(function)


def _place(chosen: Globals, db: str | None, *, strict: bool = True) -> tuple[Path, str]:
    """Return the account's file, and how to call it."""
    from reconciler.workflow import emulation

    base = folder(chosen)
    path = emulation.database(base, db, chosen.environment, os.environ, strict=strict)
    return path, os.path.relpath(path, base) if path.is_relative_to(base) else str(path)


@command.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--rate-limit", type=float, default=5.0, show_default=True, help="Requests a second; 0 for no limit.")
@click.option("--token", help="API key to accept; default: emulator-token.")
@_account
@click.pass_obj
def serve(chosen: Globals, host: str, port: int, rate_limit: float, token: str | None, db: str | None) -> int:
    """Serve the emulator over HTTP until interrupted."""
    from reconciler.workflow import emulation

    path, _ = _place(chosen, db, strict=False)
    emulation.serve(
        path,
        host,
        port,
        rate_limit or None,
        token,
        ready=lambda url: note(f"The emulator listens on {url} (API below {url}/api/3). Stop it with Ctrl-C."),
    )
    return 0


@command.command("behave")
@click.argument("facts", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_account
@click.pass_obj
def behave(chosen: Globals, facts: Path, db: str | None) -> int:
    """Let the account behave as the facts file FACTS says of another one (see `probe`)."""
    from reconciler.workflow import emulation

    path, shown = _place(chosen, db)
    turned = emulation.behave(path, facts)
    changed = f": {', '.join(turned)}" if turned else ", which is as it did before"
    say(f"{place(shown)} behaves as {place(facts.name)} says{changed}.")
    return 0


@command.command("seed")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_account
@click.pass_obj
def seed(chosen: Globals, file: Path, db: str | None) -> int:
    """Load FILE (YAML or JSON) into the account."""
    from reconciler.workflow import emulation

    path, name = _place(chosen, db)
    counts = emulation.seed(path, file)
    say(f"Seeded {place(name)}." if counts is None else f"Seeded {place(name)}: {json.dumps(counts)}")
    return 0


@command.command("reset")
@_account
@click.pass_obj
def reset(chosen: Globals, db: str | None) -> int:
    """Bring the account back to what a fresh one holds."""
    from reconciler.workflow import emulation

    path, name = _place(chosen, db)
    emulation.reset(path)
    say(f"Reset {place(name)}.")
    return 0
