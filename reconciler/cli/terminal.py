"""Where output goes and how it looks: data to stdout, everything else to stderr; colour only where it is wanted."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any

import click

from reconciler.model.errors import Cancelled, ConfigError, ReconcilerError


def width() -> int:
    """Columns of the terminal; 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100


def colour(stream: Any = None) -> bool:
    """Whether output to the stream (default stdout) is coloured."""
    from reconciler.render.progress import wants_colour

    return wants_colour(stream or sys.stdout, os.environ)


def ascii_only() -> bool:
    """Whether the terminal cannot show more than ASCII."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return not encoding.startswith("utf")


def say(text: str) -> None:
    """Print data."""
    click.echo(text, nl=not text.endswith("\n"), color=True)


def note(text: str) -> None:
    """Print what is not data."""
    click.echo(text, err=True, color=True)


def can_ask() -> bool:
    """Whether somebody can answer a question: a terminal outside of any CI, or a program that says it will."""
    return bool(os.environ.get("RECONCILER_PROMPT")) or (sys.stdin.isatty() and not os.environ.get("CI"))


def ask(question: str, *, otherwise: str) -> bool:
    """Ask, and accept only `yes`. Raises ReconcilerError where nobody can answer, with what to do `otherwise`."""
    if not can_ask():
        raise ReconcilerError("there is no terminal to ask on; nothing was changed", hint=otherwise)
    return answer(question) == "yes"


def answer(question: str) -> str:
    """Return what somebody types; nothing where they type nothing."""
    return str(click.prompt(question, default="", show_default=False, err=True))


def requests_sent(count: int) -> None:
    """Say what a run cost the account."""
    note(f"{count} request{'s' if count != 1 else ''} sent to the account.")


def style() -> dict[str, Any]:
    """The arguments that text views take."""
    return {"width": width(), "colour": colour(), "ascii_only": ascii_only()}


def complain(error: ReconcilerError) -> None:
    """Print an error for its reader: what happened, and what to do."""
    if isinstance(error, ConfigError):
        from reconciler.render.text import diagnostics

        note(diagnostics(error.diagnostics, colour=colour(sys.stderr), width=width()).rstrip("\n"))
        return
    if isinstance(error, Cancelled):
        note(f"{error.message[:1].upper()}{error.message[1:]}.")
        return
    red = colour(sys.stderr)
    note(click.style("Error: ", fg="red", bold=True) + error.message if red else f"Error: {error.message}")
    if error.hint:
        note(f"  {error.hint}")
