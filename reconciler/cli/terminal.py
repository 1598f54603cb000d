"""Where output goes and how it looks: data to stdout, everything else to stderr; colour only where it is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal, TextIO

import click

from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import AuthError, Cancelled, ConfigError, ReconcilerError, Unreachable
from reconciler.model.redaction import Shown, redactor
from reconciler.render.formats import Style

if TYPE_CHECKING:
    from reconciler.render.harmless import Form


def width(stream: TextIO | None = None) -> int:
    """Columns of the terminal that a stream (default stdout) is; 100 where it is none."""
    return _size().columns if (stream or sys.stdout).isatty() else 100


def _size() -> os.terminal_size:
    import shutil  # with compressed archives of all forms

    return shutil.get_terminal_size((100, 24))


def columns_shown() -> int | None:
    """Columns that a table may take: those of the terminal; None where programs read it line by line."""
    return width() if sys.stdout.isatty() else None


def colour(stream: TextIO | None = None) -> bool:
    """Whether output to the stream (default stdout) is coloured."""
    from reconciler.render.capable import wants_colour

    return wants_colour(stream or sys.stdout, os.environ)


def ascii_only() -> bool:
    """Whether the terminal cannot show more than ASCII."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "")
    return not encoding.startswith("utf")


_standing = False
_away: Callable[[], AbstractContextManager[None]] = nullcontext


@contextmanager
def above(away: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """Let what is printed meanwhile be printed inside of `away`, which takes away a frame that stands."""
    global _away
    before, _away = _away, away
    try:
        yield
    finally:
        _away = before


def begin(text: str) -> None:
    """Show a line at once, before anything heavy is loaded, to a user at a terminal. `settle` takes it away again, as
    whatever else is printed does.
    """
    from reconciler.render.capable import is_interactive

    global _standing
    if not _standing and is_interactive(sys.stderr, os.environ):
        _standing = _drawn(f"{text}\r")


def settle() -> bool:
    """Take away the line of `begin`; return whether it stood."""
    global _standing
    stood, _standing = _standing, False
    return stood and _drawn("\r\x1b[2K")


def _drawn(text: str) -> bool:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):  # the terminal has gone; whatever has to be said is told elsewhere
        return False
    return True


def say(text: str, form: Form = "plain") -> None:
    """Print data: without any credential, and whatever is in it, no command of the program that runs the job. Sentences
    (`plain`) are broken where a terminal ends.
    """
    _put(redactor().show(text), form, fits=form != "plain")


def say_made(document: Shown, form: Form = "plain") -> None:
    """Print a document that was masked when it was made, as harmless as other data."""
    _put(document, form)


def page(document: Shown, form: Form = "plain") -> None:
    """Print a document; through the pager where the terminal is lower than it."""
    if not _taller(document):
        say_made(document, form)
        return
    from reconciler.render.harmless import outgoing

    sys.stdout.flush()
    unset = "LESS" not in os.environ
    if unset:
        os.environ["LESS"] = "FRX"  # colours, and what was read stays on the screen
    try:
        click.echo_via_pager(outgoing(document, form), color=True)
    finally:
        if unset:
            os.environ.pop("LESS", None)


def _taller(document: Shown) -> bool:
    """Whether a text does not fit the terminal."""
    if not (sys.stdout.isatty() and sys.stdin.isatty()) or os.environ.get("CI") or os.environ.get("PAGER") == "":
        return False
    if os.environ.get("TERM", "") in ("dumb", "unknown"):
        return False
    return document.count("\n") >= _size().lines


def listed(rows: Sequence[Mapping[str, object]], columns: Sequence[str], fmt: str) -> None:
    """Print rows as a table, or as JSON where `fmt` says so."""
    from reconciler.render.tables import table

    form: Literal["json", "text"] = "json" if fmt == "json" else "text"
    say_made(redactor().show(table(rows, columns, form, columns_shown())), form)


def note(text: str, form: Form = "plain") -> None:
    """Print what is not data, made as harmless as data."""
    _put(redactor().show(text), form, err=True, fits=form not in ("plain", "text"))


def advise(text: str, form: Form = "plain") -> None:
    """Print what is not a result: where something was written, what to do next. Not with -q."""
    if not _quiet():
        note(text, form)


def _quiet() -> bool:
    context = click.get_current_context(silent=True)
    return bool(context is not None and getattr(context.obj, "quiet", False))


def tell(label: str, lines: Iterable[object]) -> None:
    """Print a note for each line: names of an account stand in them, and whatever is in a name, a note is one line."""
    from reconciler.render.harmless import harmless

    for line in lines:
        _put(Shown(harmless(redactor().show(f"{label}{line}"))), "plain", err=True, fits=False)


def _put(text: Shown, form: Form, *, err: bool = False, fits: bool = True) -> None:
    """Print what may be shown: the only way to the standard streams. What does not know how wide they are (`fits`) is
    broken at blanks on a terminal; a log has its own width.
    """
    from reconciler.render.harmless import outgoing

    settle()
    stream, shown = sys.stderr if err else sys.stdout, outgoing(text, form)
    if not fits and stream.isatty():
        from reconciler.render.layout import folded

        shown = folded(shown, width(stream))
    with _away():
        click.echo(shown, nl=err or not text.endswith("\n"), err=err, color=True)


def shown(text: str) -> Shown:
    """Return a text without any credential of the command that runs."""
    return redactor().show(text)


def can_ask() -> bool:
    """Whether a question can be answered: a terminal outside of any CI, or a program that says it will."""
    return bool(os.environ.get("RECONCILER_PROMPT")) or (sys.stdin.isatty() and not os.environ.get("CI"))


def ask(question: str, *, otherwise: str) -> bool:
    """Ask, and accept only `yes`. Raises ReconcilerError where no answer can be given, with what to do `otherwise`."""
    if not can_ask():
        raise ReconcilerError("there is no terminal to ask on; nothing was changed", hint=otherwise)
    return answer(question) == "yes"


def answer(question: str) -> str:
    """Return what the user types; nothing where nothing is typed."""
    from reconciler.render.harmless import outgoing

    settle()
    try:
        return str(click.prompt(outgoing(shown(question)), default="", show_default=False, err=True))
    except click.exceptions.Abort:
        click.echo(err=True)  # what is said of it begins a line
        raise


def requests_sent(count: int) -> None:
    """Say what a run cost the account."""
    note(f"{count} request{'s' if count != 1 else ''} sent to the account.")


def style() -> Style:
    """The arguments that text views take."""
    return Style(width=width(), colour=colour(), ascii_only=ascii_only())


def cleared(problems: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return problems without any credential. Rendered lines are cut and wrapped, so it is done before."""
    return [
        problem._replace(message=shown(problem.message), hint=shown(problem.hint)).showing(shown(problem.excerpt))
        for problem in problems
    ]


def complain(error: ReconcilerError) -> None:
    """Print an error for its reader: what happened, and what to do."""
    if isinstance(error, ConfigError):
        from reconciler.render.excerpts import diagnostics

        note(
            diagnostics(cleared(error.diagnostics), colour=colour(sys.stderr), width=width(sys.stderr)).rstrip("\n"),
            "text",
        )
        return
    if isinstance(error, Cancelled):
        note(f"{error.message[:1].upper()}{error.message[1:]}.")
        return
    trouble(error.message, error.hint)
    if isinstance(error, AuthError | Unreachable):
        note("  `reconciler doctor` checks address, token, permissions and state in one go")


def trouble(message: str, hint: str = "", label: Literal["error", "warning"] = "error") -> None:
    """Print what is wrong, and what to do: in the form in which problems of files are told, without a place."""
    from reconciler.render.harmless import outgoing

    labels = (f"{label}:", "hint:")
    if colour(sys.stderr):
        tone = "red" if label == "error" else "yellow"
        labels = (click.style(labels[0], fg=tone, bold=True), click.style("hint:", fg="green", bold=True))
    note(f"{labels[0]} {outgoing(shown(message))}", "text")
    if hint:
        note(f"  {labels[1]} {outgoing(shown(hint))}", "text")
