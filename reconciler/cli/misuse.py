"""What is said about a wrong command line: what was typed is repeated only where it cannot be a secret."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence

import click

from reconciler.model.errors import ConfigError, ReconcilerError
from reconciler.model.nearest import nearest
from reconciler.model.redaction import STARS, looks_like_a_credential
from reconciler.render.harmless import harmless

PLAIN = re.compile(r"[a-z][a-z_-]{0,14}|[-+]?[0-9.,:]{1,12}")
"""Words and numbers that people type, and no program hands out."""
UNSAID = "what was typed is not repeated, for it may be a secret"


NEAR = re.compile(r"^(?P<what>.*?)\.? \(?(?P<near>Did you mean .*?)\)?$", re.S)


def explained(error: click.ClickException, argv: Sequence[str], commands: Iterable[str]) -> tuple[str, str]:
    """Return what is wrong, in the words of click without what must not be repeated, and how it is right."""
    message = error.format_message()
    known = {*commands, *_known(error, message)}
    if isinstance(error, click.NoSuchOption) and not _close(error.option_name, known):
        message = f"No such option; {UNSAID}."
    elif message.startswith("Got unexpected extra argument"):
        message = f"Got unexpected extra argument{'s' if ' arguments ' in message else ''}; {UNSAID}."
    elif message.startswith("No such command") and not _repeated(message):
        message = f"No such command; {UNSAID}."
    else:
        message = _without(message, argv, known)
    match = NEAR.match(message)
    what, near = (match["what"], match["near"]) if match else (message.removesuffix("."), "")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return _on_one_line(_small(what), argv), " ".join(filter(None, (_small(near), _use(context, bool(near)))))


def _on_one_line(text: str, argv: Sequence[str]) -> str:
    """Escape what was typed, and this folder's name: a message may have several lines, none of them from a name."""
    try:
        here = [os.getcwd()]
    except OSError:  # it was removed
        here = []
    for word in (*here, *_words(argv)):
        if (shown := harmless(word)) != word:
            text = text.replace(word, shown)
    return text


def _small(text: str) -> str:
    """Return a sentence as part of another one."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _use(context: click.Context | None, near: bool) -> str:
    """Say how a command is used; only where that is told in full if it is known what was meant."""
    if context is None:
        return ""
    words = context.command_path.partition(" ")[2]
    more = f"`reconciler help{' ' + words if words else ''}`"
    if isinstance(context.command, click.Group):
        return f"{more} lists the commands and options"
    if near:
        return f"{more} lists the options"
    return f"write `{' '.join([context.command_path, *context.command.collect_usage_pieces(context)])}`; see {more}"


def cleared(error: ReconcilerError, argv: Sequence[str]) -> ReconcilerError:
    """Take out of an error whatever was typed that looks like a credential, and let names of files be on one line."""
    error.message, error.hint = (_on_one_line(text, argv) for text in (error.message, error.hint))
    for word in filter(looks_like_a_credential, _words(argv)):
        error.message = error.message.replace(word, STARS)
        error.hint = error.hint.replace(word, STARS)
        if isinstance(error, ConfigError):
            error.diagnostics = tuple(
                diagnostic._replace(
                    message=diagnostic.message.replace(word, STARS),
                    hint=diagnostic.hint.replace(word, STARS),
                )
                for diagnostic in error.diagnostics
            )
    return error


def _without(message: str, argv: Sequence[str], known: set[str]) -> str:
    for word in _words(argv):
        place = "/" in word or "." in word
        if PLAIN.fullmatch(word) or _close(word, known) or (place and not looks_like_a_credential(word)):
            continue
        for spelled in (repr(word), f"'{word}'", *([word] if len(word) > 5 else [])):
            message = message.replace(spelled, STARS)
    return message


def _repeated(message: str) -> bool:
    """Return whether the unknown command of a message may be repeated: it is near to one, or a plain word."""
    return "Did you mean" in message or PLAIN.fullmatch(message.partition("'")[2].rpartition("'")[0]) is not None


def _words(argv: Sequence[str]) -> Iterator[str]:
    """Yield what was typed, and its parts: the longest first, for the others stand inside of it."""
    parts = {part for word in argv for part in (word, *re.split(r"[=,@]", word)) if part}
    yield from sorted(parts, key=lambda part: (-len(part), part))


def _known(error: click.ClickException, message: str) -> Iterator[str]:
    """Yield the options of the command that is used wrongly, and the choices that the message names."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    for parameter in context.command.params if context is not None else ():
        yield from parameter.opts
    yield from re.findall(r"'([^']*)'", message.partition("is not one of")[2])


def _close(word: str, known: set[str]) -> bool:
    return word in known or nearest(word, known, 0.7) is not None
