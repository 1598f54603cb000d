"""The program itself: global options, lazy commands, and how errors end."""

from __future__ import annotations

import functools
import importlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from reconciler.model.errors import ReconcilerError

from reconciler import __version__
from reconciler.cli.endings import endings
from reconciler.cli.fitting import Context
from reconciler.cli.screen import Screen
from reconciler.model.nearest import nearest
from reconciler.model.records import record

COMMANDS: dict[str, str] = {
    "init": "Write a small project that works at once against the emulator.",
    "validate": "Check the configuration; needs no network and no credentials.",
    "fmt": "Bring the YAML files into canonical form, comments kept.",
    "plan": "Show what apply would change; never writes.",
    "show": "Render a saved plan, offline.",
    "apply": "Make the account match the configuration.",
    "destroy": "Delete everything that is managed.",
    "export": "Write the live account as YAML, and bind it in the state.",
    "import": "Bind a declared address to a live object.",
    "clone": "Make one account like another.",
    "promote": "Write what changed in one account into the files of another environment.",
    "compare": "Show what differs between two accounts.",
    "snapshot": "Save what the account holds, without customer data, for plans offline.",
    "rehearse": "Carry the plan out on a copy of the account in the emulator.",
    "replay": "Rehearse on a saved snapshot, offline.",
    "doctor": "Check an environment end to end, without writes: the first thing to run.",
    "probe": "Find out by experiments what an account does where the sources of the API differ.",
    "drift": "Show what changed in the account since it was last applied.",
    "explain": "Tell the whole story of one object.",
    "test": "Run the tests of the configuration in the emulator.",
    "ids": "Write the ids of an account as code, by the keys of the configuration.",
    "handbook": "Write what the account holds as pages for all readers.",
    "graph": "Show what depends on what, in the configuration or in a saved plan.",
    "policy": "Check saved plans against the team's own rules.",
    "update": "Lock newer versions of shared baselines, shown as plans.",
    "ci": "Comment plans on pull requests, check approvals, report drift.",
    "fleet": "Plan, apply and watch many accounts that share baselines.",
    "coverage": "Say how much of the account is managed.",
    "state": "Look at and edit the state.",
    "undo": "Undo a run: plan its inverse, ask, apply.",
    "runs": "See what was applied, and finish what was interrupted.",
    "lock": "See and break the lock of the state.",
    "kinds": "List what can be declared.",
    "schema": "Print or write the JSON Schemas.",
    "emulator": "Run the built-in ActiveCampaign emulator.",
    "version": "Print the version.",
    "completion": "Print a completion script for a shell.",
    "help": "Explain a command, with its options and examples.",
}

WAITING = frozenset({
    "plan", "apply", "destroy", "export", "import", "clone", "promote", "compare", "snapshot", "rehearse", "doctor",
    "probe", "drift", "handbook", "explain", "coverage", "undo", "runs resume", "state doctor", "state import",
    "ci drift", "update", "fleet plan", "fleet apply", "fleet drift", "fleet resume",
})  # fmt: skip
"""Commands that ask accounts: they show a line before what they do is loaded."""


@record
class Globals:
    """The options before the command."""

    folder: Path
    environment: str | None
    verbose: int = 0
    quiet: bool = False
    screen: Screen = field(default_factory=Screen)


class Lazy(click.Group):
    """A group whose commands are modules of this package, imported when called; names close to a wrong one are
    suggested.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"reconciler.cli.{'import_' if cmd_name == 'import' else cmd_name}")
        command: click.Command = module.command
        return _with_examples(_alive(_filled(_with_globals(command)), cmd_name), cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        if not ctx._protected_args:
            raise click.exceptions.NoArgsIsHelpError(ctx)  # options alone: as without any
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.exceptions.Abort) as error:
            from reconciler.cli.terminal import settle

            if not settle() and isinstance(error, KeyboardInterrupt):
                click.echo(err=True)  # click ends the line that stands, which would leave it on the screen
            screen = ctx.obj.screen if isinstance(ctx.obj, Globals) else Screen()
            raise click.exceptions.Abort(screen.interrupted()) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from reconciler.cli.examples import groups

        for title, names in groups(list(COMMANDS)).items():
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name]) for name in names])
        with formatter.section("Examples"):
            for line in ("reconciler help plan", "reconciler --env prod plan", "reconciler --chdir acme apply"):
                formatter.write_text(line)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = nearest(args[0], COMMANDS) if args else None
            if near is None:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{near}'?", ctx) from error


def _environments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from reconciler.cli.completing import environments

    return environments(ctx, param, incomplete)


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--chdir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Run as if started in this folder.",
)
@click.option(
    "-e",
    "--env",
    "environment",
    shell_complete=_environments,
    help="Environment of the project file; default: its default_environment.",
)
@click.option("-v", "--verbose", count=True, help="Say more: requests sent, then every request.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors: no progress, no waits.")
@click.version_option(__version__, prog_name="reconciler")
@click.pass_context
def program(ctx: click.Context, chdir: Path, environment: str | None, verbose: int, quiet: bool) -> None:
    """Declare the configuration of an ActiveCampaign account in YAML; plan shows the truth, apply makes it so."""
    try:
        os.chdir(chdir)
    except OSError as error:
        from reconciler.model.errors import WrongInput

        message = f"--chdir: there is no folder {chdir} that can be entered: {error.strerror}"
        raise WrongInput(message, hint="name the folder with reconciler.yaml in it") from error
    ctx.obj = Globals(Path(), environment, verbose, quiet)


def _with_globals(command: click.Command) -> click.Command:
    """Let -e, -v and -q stand behind the command as well, where hands put them, and let its help fit the terminal."""
    command.context_class = Context
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _with_globals(inner)
            inner.short_help = inner.get_short_help_str(1_000)  # whole: click breaks it, and would cut it
        return command
    known = {option for parameter in command.params for option in parameter.opts}
    for option in (_environment_option(), _verbose_option(), _quiet_option()):
        if not known & set(option.opts):
            command.params.append(option)
    return command


def _alive(command: click.Command, path: str) -> click.Command:
    """Let a command of `WAITING`, and those inside it, show a line as soon as its command line was read."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            _alive(inner, f"{path} {name}")
    elif path in WAITING and command.callback is not None and not isinstance(command.callback, _Alive):
        command.callback = _Alive(command.callback)
    return command


class _Alive:
    """A command that shows a line before it loads anything; not where lines are unwanted, or tell of each request."""

    def __init__(self, run: Callable[..., Any]) -> None:
        self._run = run
        functools.update_wrapper(self, run)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        chosen = click.get_current_context().obj
        if isinstance(chosen, Globals):
            first_line(chosen, "Reading the configuration")
        return self._run(*arguments, **options)


def first_line(chosen: Globals, text: str) -> None:
    """Show a line while what a command does is loaded."""
    from reconciler.cli.terminal import begin

    if not chosen.quiet and chosen.verbose < 2:
        begin(text)


def _with_examples(command: click.Command, path: str) -> click.Command:
    """Let the help of a command, and of those inside it, end with examples."""
    from reconciler.cli.examples import examples

    lines = "\n".join(f"  {line}" for line in examples(path))
    command.epilog = f"\b\nExamples:\n{lines}" if lines else None
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            _with_examples(inner, f"{path} {name}")
    return command


def _environment_option() -> click.Option:
    def choose(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None and isinstance(ctx.obj, Globals):
            ctx.obj = replace(ctx.obj, environment=value)

    return click.Option(
        ["-e", "--env"],
        expose_value=False,
        callback=choose,
        shell_complete=_environments,
        metavar="NAME",
        help="Environment of the project file.",
    )


def _verbose_option() -> click.Option:
    def louder(ctx: click.Context, _: click.Parameter, value: int) -> None:
        if value and isinstance(ctx.obj, Globals):
            ctx.obj = replace(ctx.obj, verbose=ctx.obj.verbose + value)

    return click.Option(
        ["-v", "--verbose"], count=True, expose_value=False, callback=louder, help="Say more; twice: every request."
    )


def _quiet_option() -> click.Option:
    def quieter(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value and isinstance(ctx.obj, Globals):
            ctx.obj = replace(ctx.obj, quiet=True)

    return click.Option(
        ["-q", "--quiet"], is_flag=True, expose_value=False, callback=quieter, help="No progress, no waits."
    )


if TYPE_CHECKING:
    ValueType = click.ParamType[Any]
else:
    ValueType = click.ParamType  # generic in newer releases of click only


COMPLETE = "_RECONCILER_COMPLETE"
"""The variable with which the script of a shell asks for completions."""


class NotThere(click.BadParameter):
    """The command line is understood, and what it names is not there, or is something else: wrong input, as it is where
    a command finds that out.
    """


class Filled(ValueType):
    """A text or a path that is not blank: that is what is left of a variable that is not set, and must not mean a
    default, the newest of all, or this folder.
    """

    def __init__(self, inner: ValueType) -> None:
        self._inner, self.name = inner, inner.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not value.strip():
            self.fail("it is blank; leave it out, or look for a variable that is empty", param, ctx)
        try:
            return self._inner.convert(value, param, ctx)
        except click.BadParameter as error:
            if isinstance(self._inner, click.Path) and self._inner.exists:
                raise NotThere(error.message, ctx, param) from error
            raise

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return self._inner.shell_complete(ctx, param, incomplete)


def _filled(command: click.Command) -> click.Command:
    """Let no argument or option of a command, and of those inside it, be blank. Numbers and choices never are."""
    for parameter in command.params:
        if isinstance(parameter.type, click.Path) or parameter.type is click.STRING:
            parameter.type = Filled(parameter.type)
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _filled(inner)
    return command


_filled(program)
program.context_class = Context


def run(argv: list[str]) -> int:
    """Run the program and return its exit code."""
    from reconciler.cli.terminal import settle
    from reconciler.model.redaction import KNOWN, Redactor, credentials_in, one_for_all
    from reconciler.model.touched import collecting

    # What is only named like a credential is known once the project file was read, which may say that it is none.
    known = {
        value: name
        for value, name in credentials_in(os.environ).items()
        if name.upper() in KNOWN or "://" in os.environ[name]
    }
    with _same_folder_afterwards(), one_for_all(Redactor(known)), collecting():
        try:
            return _run(argv)
        finally:
            settle()


@contextmanager
def _same_folder_afterwards() -> Iterator[None]:
    """`--chdir` is for the command, not for the caller."""
    try:
        before = os.getcwd()
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.chdir(before)


def _run(argv: list[str]) -> int:
    if COMPLETE in os.environ:
        from reconciler.cli.shells import register

        register()
    try:
        result = program.main(args=argv, prog_name="reconciler", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        from reconciler.cli.terminal import note

        with _deaf():
            note(str(error) or "Cancelled.")
        return 130
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        from reconciler.cli.terminal import note

        note(error.format_message())  # a command is missing: nothing on standard output, where data would be
        return 1
    except click.ClickException as error:
        _misused(error, argv)
        return 3 if isinstance(error, NotThere) else 1
    except BrokenPipeError:
        # The reader of our output has gone, so that nothing can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:  # noqa: BLE001 - the last resort: whatever happens ends in a sentence and an exit code
        return _failed(error, argv)


@contextmanager
def _deaf() -> Iterator[None]:
    """Let no further interrupt come between: what an interrupt leaves is being said."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, *endings())}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _misused(error: click.ClickException, argv: list[str]) -> None:
    """Say how the command line is wrong. What stands on it is of another person in a pipeline: names of branches."""
    from reconciler.cli.misuse import explained
    from reconciler.cli.terminal import trouble

    trouble(*explained(error, argv, COMMANDS))


def _failed(error: Exception, argv: list[str]) -> int:
    from reconciler.cli.misuse import cleared
    from reconciler.cli.terminal import complain
    from reconciler.model.errors import ReconcilerError

    reported = error if isinstance(error, ReconcilerError) else _unexpected(error)
    complain(cleared(reported, argv))
    return int(reported.exit_code)


def _unexpected(error: Exception) -> ReconcilerError:
    """Describe an unexpected error by its class and place; its text may hold anything, a secret included."""
    import traceback

    from reconciler.model.errors import ReconcilerError

    if isinstance(error, OSError) and error.strerror:
        return ReconcilerError(
            f"{error.strerror}: {error.filename}" if error.filename else error.strerror,
            hint="check the path, its permissions and the space left; files that were written before it are whole",
        )
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "reconciler" in Path(frame.filename).parts]
    place = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    return ReconcilerError(
        f"unexpected {type(error).__name__}{place}; this is a mistake in the program (version {__version__})",
        hint="please report it with the command you ran; what was done is in the state, run plan to see what is left",
    )
