"""What most commands begin with: opening the session that the global options name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.cli.program import Globals
from reconciler.cli.terminal import note

F = TypeVar("F", bound=Callable[..., Any])


def session(chosen: Globals, *, offline: bool = False) -> Any:
    """Return the opened session. Raises ConfigError."""
    from reconciler.workflow.session import open_session

    opened = open_session(folder(chosen), chosen.environment, offline=offline)
    opened.on_wait = lambda reason, seconds: note(f"{reason}, resuming in {seconds:.0f} s") if seconds >= 1 else None
    if chosen.verbose > 1:
        opened.on_answer = note
    return opened


def folder(chosen: Globals) -> Path:
    """The project folder."""
    return Path(os.path.abspath(chosen.folder))


def selection(function: F) -> F:
    """Add --target and --exclude."""
    function = click.option(
        "--exclude", multiple=True, metavar="ADDRESS", help="Leave out an address (or glob) and what depends on it."
    )(function)
    return click.option(
        "--target", multiple=True, metavar="ADDRESS", help="Only an address (or glob) and what it depends on."
    )(function)


def consent(function: F) -> F:
    """Add --allow."""
    return click.option(
        "--allow", multiple=True, metavar="GUARD", help="Say yes to exactly what a guard reported, as it printed it."
    )(function)


def listing(function: F) -> F:
    """Add --format text|json."""
    return click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="How to print.")(
        function
    )
