"""What most commands begin with: opening the session that the global options name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from reconciler.cli.completing import addresses, kinds
from reconciler.cli.program import Globals, NotThere
from reconciler.cli.terminal import advise, note
from reconciler.model.redaction import LONG, looks_like_a_credential, redactor

if TYPE_CHECKING:
    from reconciler.workflow.apply.archiving import Archive
    from reconciler.workflow.opening.session import Session


F = TypeVar("F", bound=Callable[..., Any])


def gathered(
    value: type[Any],
    *options: Callable[[Any], Any],
    called: str = "asked",
    made: Callable[[Any], Any] = lambda given: given,
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add options to a command, which gets what is given for the fields of a dataclass as one value of it, or what is
    `made` of that.
    """
    names = [field.name for field in fields(value)]

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        @wraps(function)
        def command(*arguments: Any, **given: Any) -> int:
            asked = made(value(**{name: given.pop(name) for name in names}))
            return function(*arguments, **{called: asked}, **given)

        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def apart(pairs: Mapping[str, Sequence[str]]) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Refuse options that contradict each other: for each one, those that mean nothing beside it."""

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        @wraps(function)
        def command(*arguments: Any, **given: Any) -> int:
            context = click.get_current_context()
            typed = {
                spelled
                for parameter in context.command.params
                if parameter.name and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
                for spelled in parameter.opts
            }
            for option, others in pairs.items():
                if option in typed and (wrong := [other for other in others if other in typed]):
                    raise click.UsageError(f"{option} goes without {' and '.join(wrong)}: they contradict each other")
            return function(*arguments, **given)

        return command

    return decorate


def session(chosen: Globals, *, offline: bool = False, guards_from: str | None = None) -> Session:
    """Return the opened session, with the settings of `guards_from` if that is given. Raises ConfigError."""
    from reconciler.workflow.opening.projects import open_session
    from reconciler.workflow.opening.runtime import current_runtime

    chosen.screen.quiet, chosen.screen.lines = chosen.quiet, chosen.verbose > 1
    runtime = replace(current_runtime(), watch=chosen.screen)
    opened = open_session(folder(chosen), chosen.environment, runtime, offline=offline, guards_from=guards_from)
    if chosen.verbose > 1:
        opened.on_answer = note
    return opened


def between(chosen: Globals, *sides: str) -> None:
    """Check that --env names no third environment beside the two that a command is about. Raises WrongInput."""
    if chosen.environment is not None and chosen.environment not in sides:
        from reconciler.model.errors import WrongInput

        raise WrongInput(
            f"--env says `{chosen.environment}`, and this is about `{sides[0]}` and `{sides[1]}`; nothing was read",
            hint="leave --env out: both environments are named already",
        )


def folder(chosen: Globals) -> Path:
    """The project folder, in which nothing is half written: what a killed command had begun there is finished."""
    from reconciler.config import outside
    from reconciler.store.edits import finish

    place = Path(os.path.abspath(chosen.folder))
    if printed := str(finish(place, outside)):
        advise(f"Files: {printed}.")
    return place


def selection(function: F) -> F:
    """Add --target and --exclude."""
    for option, text in (
        ("--exclude", "Leave out an address and what depends on it; what it refers to stays."),
        ("--target", "Only an address, with what it needs to come or what goes with it."),
    ):
        function = click.option(
            option,
            multiple=True,
            metavar="ADDRESS",
            shell_complete=addresses,
            callback=_from_files,
            help=f"{text} Globs, and @FILE with one on each line, are taken too.",
        )(function)
    return function


def narrowing(function: F) -> F:
    """Add --kinds, --no-delete and --only-adopt."""
    for option, text in (
        ("--only-adopt", "Only take over what exists as declared; nothing is written to the account."),
        ("--no-delete", "Destroy nothing: what would go, or be created again, is named and left as it is."),
    ):
        function = click.option(option, is_flag=True, help=text)(function)
    return click.option(
        "--kinds", "names", metavar="KIND,...", shell_complete=kinds, help="Only these kinds, with what they need."
    )(function)


def replacing(function: F) -> F:
    """Add --replace."""
    return click.option(
        "--replace",
        "again",
        multiple=True,
        metavar="ADDRESS",
        shell_complete=addresses,
        help="Delete this one object and make it again, though nothing asks for it; what that costs is counted.",
    )(function)


def check_replacing(again: tuple[str, ...], *, no_delete: bool, only_adopt: bool) -> None:
    """Refuse --replace beside what plans nothing that is made again."""
    if again and (no_delete or only_adopt):
        raise click.UsageError("--replace deletes and creates: it goes with nothing that leaves either out")


def _from_files(ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Replace each @FILE by its lines; blank ones and comments (#) are left out."""
    addresses: list[str] = []
    for address in given:
        if not address.startswith("@"):
            addresses.append(address)
            continue
        from reconciler.store.reading import read_regular

        path = (ctx.obj.folder if isinstance(ctx.obj, Globals) else Path()) / address[1:]
        try:
            text = read_regular(path).decode("utf-8")
            lines = [line.partition("#")[0].strip() for line in text.splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise NotThere(f"{path} cannot be read: {error}") from error
        if not any(lines):
            raise NotThere(f"{path} names no address: nothing would be selected")
        addresses += [line for line in lines if line]
    return tuple(addresses)


def consent(function: F) -> F:
    """Add --allow. What looks like a credential is not a guard's, and would be kept with the plan."""

    def checked(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
        if any(looks_like_a_credential(text) or redactor().knows(text, LONG, parts=False) for text in given):
            raise click.BadParameter("it is nothing that a guard printed", ctx, param)
        return given

    return click.option(
        "--allow",
        multiple=True,
        metavar="GUARD",
        callback=checked,
        help="Approve exactly what a guard reported, as it printed it.",
    )(function)


def confirmation(function: F) -> F:
    """Add --confirm-account."""
    return click.option(
        "--confirm-account",
        metavar="NAME",
        help="Name the account, where a production account is about to lose something and no user can be asked.",
    )(function)


def budget(function: F) -> F:
    """Add --max-requests."""
    return click.option(
        "--max-requests",
        type=click.IntRange(min=1),
        metavar="N",
        help="Refuse a plan that takes more requests than this, with its apply.",
    )(function)


def archiving(function: F) -> F:
    """Add --archive and --archive-requests."""
    function = click.option(
        "--archive-requests",
        type=click.IntRange(min=1),
        metavar="N",
        help="How many requests the archive may take (default: 1000).",
    )(function)
    return click.option(
        "--archive",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="First save the customer records that would be lost into DIR, for `undo --restore DIR`.",
    )(function)


def archive_of(folder: Path | None, requests: int | None) -> Archive | None:
    """Return the archive that these options ask for, None for none."""
    from reconciler.workflow.apply.archiving import BUDGET, Archive

    if folder is None:
        if requests is not None:
            raise click.UsageError("--archive-requests belongs to --archive DIR")
        return None
    return Archive(Path(os.path.abspath(folder)), requests or BUDGET)


def trusted_limits(*, required: bool = False) -> Callable[[F], F]:
    """Add --guards-from."""
    return click.option(
        "--guards-from",
        required=required,
        metavar="REF",
        help="Take everything but the declared resources (environments, guards, policies) from this Git reference, the "
        "target branch, or from file:PATH.",
    )


def listing(function: F) -> F:
    """Add --format text|json."""
    return click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="How to print.")(
        function
    )
