"""`--format`, given once or several times: what is printed, and what goes into files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import click
from click.shell_completion import CompletionItem

from reconciler.cli.terminal import note, page, say_made, style
from reconciler.model.redaction import Shown, as_made
from reconciler.render.formats import ViewContext, names_of, plan_in
from reconciler.render.quoting import place

if TYPE_CHECKING:
    from reconciler.model.document import PlanDocument
    from reconciler.render.harmless import Form

F = TypeVar("F", bound=Callable[..., Any])

PLAN, DRIFT, COMPARE, PROBLEMS = names_of("plan"), names_of("drift"), names_of("comparison"), names_of("problems")
DIFFERENCE = names_of("difference")
COVERAGE = tuple(name for name in PROBLEMS if name != "html")
GRAPH = ("mermaid", "dot", "svg")


class Output(NamedTuple):
    """One view that was asked for; `path` is None for standard output."""

    form: Form
    path: Path | None = None


class View(click.ParamType):  # type: ignore[type-arg] # generic in the stubs only
    """Reads `FORM` and `FORM=FILE`."""

    name = "view"

    def __init__(self, forms: Sequence[str]) -> None:
        self.forms = tuple(forms)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(self.forms)}][=FILE]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        form, separator, path = str(value).partition("=")
        if form not in self.forms:
            self.fail(f"{form!r} is not one of {', '.join(map(repr, self.forms))}.", param, ctx)
        if separator and not path:
            self.fail(f"no file is named behind `{form}=`.", param, ctx)
        return Output(cast("Form", form), Path(path) if separator else None)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(form) for form in self.forms if form.startswith(incomplete)]


def formats(forms: Sequence[str], what: str) -> Callable[[F], F]:
    """Add --format, which fills `outputs`."""
    saved, printed = "markdown" if "markdown" in forms else forms[-1], "json" if "json" in forms else forms[0]
    return click.option(
        "--format",
        "outputs",
        type=View(forms),
        multiple=True,
        callback=_checked,
        help=f"How to show {what}; given several times, with files: --format {saved}=FILE --format {printed}.",
    )


def _checked(ctx: click.Context, param: click.Parameter, given: tuple[Output, ...]) -> tuple[Output, ...]:
    """Refuse what would overwrite itself. What goes to standard output comes last, so that files are there first: text
    where the view has one, else the first form when nothing was asked for.
    """
    printed = [output for output in given if output.path is None]
    if len(printed) > 1:
        named = " and ".join(output.form for output in printed)
        raise click.BadParameter(f"{named} would both be printed; name a file for all but one: {printed[0].form}=FILE")
    in_files = [output for output in given if output.path is not None]
    twice = [path for path, count in Counter(file.path for file in in_files).items() if count > 1]
    if twice:
        raise click.BadParameter(f"two views would be written to {twice[0]}")
    first = param.type.forms[0] if isinstance(param.type, View) else "text"
    usual = (Output(cast("Form", first)),) if first == "text" or not given else ()
    return (*in_files, *(printed or usual))


def show(outputs: Iterable[Output], view: Callable[[str], Shown], *, quiet: bool = False, private: bool = True) -> None:
    """Write and print every view; `view` renders one form, for a terminal. Files are as harmless as what is printed,
    and their owner's only, as plans are, unless there is nothing of an account in them.
    """
    from reconciler.render.harmless import outgoing

    for output in outputs:
        text = view(output.form)
        if output.path is None:
            if text:
                (page if output.form == "text" else say_made)(text, output.form)
            continue
        safe = outgoing(text, output.form)
        safe = click.unstyle(safe) if output.form == "text" else safe
        write(output.path, Shown(safe), mode=0o600 if private else None)
        if not quiet:
            note(f"Wrote {place(output.path)}.")


def write(path: Path, text: Shown, *, mode: int | None = None) -> None:
    """Write a report; its folder is made. Raises OSError, and ReconcilerError where it would replace configuration."""
    from reconciler.model.errors import ReconcilerError
    from reconciler.store.atomic import write_file
    from reconciler.store.outputs import kept_in

    if path.is_file() and (what := "not a report" if path.suffix in (".yaml", ".yml") else kept_in(path)):
        raise ReconcilerError(f"{path} is there already and is {what}", hint="name another file")
    write_file(path, (text if not text or text.endswith("\n") else text + "\n").encode(), mode=mode)


def plan_view(document: PlanDocument, form: str, *, apply_command: str = "") -> Shown:
    """Return a plan document in one of its views. `apply_command` is what applies exactly this plan."""
    frame = ViewContext(style, apply_command, folder_in_repository)
    return as_made(plan_in(form, document, frame))


def folder_in_repository() -> str:
    """Return where in its Git repository the project is: hosts resolve the paths of annotations from the root. Empty at
    the root and outside of any repository.
    """
    from reconciler.config.reading.files import border

    here = Path.cwd()
    root = border(here)
    return "" if root == here else here.relative_to(root).as_posix()
