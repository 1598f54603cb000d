"""`reconciler ids`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.completing import kinds as complete_kinds
from reconciler.cli.opening import folder
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say, say_made
from reconciler.model.redaction import as_made
from reconciler.render.quoting import place

if TYPE_CHECKING:
    from reconciler.workflow.ids import IdsFile
    from reconciler.workflow.opening.session import Session

LANGUAGES = ("python", "typescript", "go", "php", "json", "dotenv")
SHOWN = 40
"""Lines of a difference that are printed."""


@click.command("ids")
@click.option("--lang", "language", type=click.Choice(LANGUAGES), help="Language; without it, the project's `outputs`.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write this file instead of printing it.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file is not what it has to be.")
@click.option(
    "--kinds", "names", metavar="KIND,...", shell_complete=complete_kinds, help="Only the ids of these kinds."
)
@click.option("--partial", is_flag=True, help="Leave empty what an environment does not have yet.")
@click.option("--offline", is_flag=True, help="Ask no account: without what only it knows, such as ids of options.")
@click.pass_obj
def command(
    chosen: Globals,
    language: str | None,
    out: Path | None,
    check: bool,
    names: str | None,
    partial: bool,
    offline: bool,
) -> int:
    """Write the ids of tags, fields, lists, stages and all other objects as code, by their keys; with --env all, for
    every environment. Without --lang, write each of the `outputs` of the project file.
    """
    from reconciler.workflow.ids import IdsFile

    if language is None:
        if out is not None or names or partial or offline or chosen.environment:
            raise click.UsageError("say with --lang in which language; without it, the project's `outputs` are written")
        return _outputs(chosen, check)
    if check and out is None:
        raise click.UsageError(
            "--check compares a file: name it with --out FILE, or list it in the project's `outputs`"
        )
    environments = tuple(filter(None, (chosen.environment or "").split(",")))
    only = tuple(filter(None, (names or "").replace(" ", "").split(",")))
    return _made(chosen, [IdsFile(language, out, environments, only, partial, offline)], check)  # type: ignore[arg-type]


def _outputs(chosen: Globals, check: bool) -> int:
    from reconciler.config import load_project
    from reconciler.workflow.ids import IdsFile

    outputs = load_project(folder(chosen)).project.outputs
    if not outputs:
        raise click.UsageError("say with --lang in which language, or list `outputs` in the project file")
    return _made(chosen, [IdsFile.of(output) for output in outputs], check)


def _made(chosen: Globals, files: Sequence[IdsFile], check: bool) -> int:
    """Print, write or compare files; 1 where one is not what it has to be."""
    from reconciler.workflow.ids import present, text_of, write
    from reconciler.workflow.opening.runtime import current_runtime

    stale = 0
    for asked in files:
        text = text_of(folder(chosen), asked, current_runtime(), chosen.screen.wait)
        if asked.path is None:
            say_made(as_made(text), "json" if asked.language == "json" else "plain")
        elif check:
            stale += _stale(asked.path, present(asked), text)
        else:
            changed = write(asked, text)
            if not chosen.quiet:
                note(f"Wrote {place(asked.path)}." if changed else f"{place(asked.path)} is as it has to be.")
    if stale:
        note("`reconciler ids` writes what has changed.")
    return 1 if stale else 0


def _stale(path: Path, written: str | None, text: str) -> bool:
    if written == text:
        return False
    say(f"{place(path)}: not the ids of now" if written is not None else f"{place(path)}: is not there")
    lines = difflib.unified_diff((written or "").splitlines(), text.splitlines(), "now", "needed", n=0, lineterm="")
    shown = list(lines)[:SHOWN] if written is not None else []
    if shown:
        say("\n".join(shown))
    return True


def written_after(chosen: Globals, opened: Session) -> None:
    """Write the outputs of the project that are to follow each change of this account. What was done to the account is
    done: a file that cannot be written is reported, and `ids --check` fails until it is.
    """
    if not opened.project.project.outputs:
        return
    from reconciler.model.errors import ReconcilerError
    from reconciler.workflow.ids import outputs_of, text_of, write

    source = opened.changed.source if opened.changed is not None else None
    for asked in outputs_of(opened):
        try:
            changed = write(asked, text_of(opened.folder, asked, opened.runtime, chosen.screen.wait, source))
        except (ReconcilerError, OSError) as error:
            reason = error.message if isinstance(error, ReconcilerError) else error.strerror
            note(f"warning: {place(asked.path)} was not written: {reason}")
        else:
            if changed and not chosen.quiet:
                note(f"Wrote {place(asked.path)}.")
