"""The output formats: one entry each, with what shows a plan, a drift, problems or what is different in it. A
format's renderer is imported when it is asked for: a command pays for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypedDict

from reconciler.model.records import record

if TYPE_CHECKING:
    from reconciler.model.diagnostics import Diagnostic
    from reconciler.model.document import PlanDocument
    from reconciler.model.since import Differences

ViewSubject = Literal["plan", "drift", "comparison", "problems", "difference"]


class Style(TypedDict):
    """How text is laid out: columns, and what the terminal can show."""

    width: int
    colour: bool
    ascii_only: bool


def _plain() -> Style:
    return Style(width=100, colour=False, ascii_only=False)


@record
class ViewContext:
    """What a view stands in: the terminal, the command that applies exactly this plan, the project's folder in its
    repository, and what is said behind problems. What takes time is asked by the formats that need it.
    """

    style: Callable[[], Style] = _plain
    apply_command: str = ""
    folder: Callable[[], str] = str
    verdict: str = ""


class Format(NamedTuple):
    """An output format: its name for `--format`, what can be shown in it, and by what."""

    name: str
    shows: frozenset[ViewSubject]
    plan: Callable[[PlanDocument, ViewContext], str] | None = None
    problems: Callable[[Sequence[Diagnostic], ViewContext], str] | None = None
    difference: Callable[[Differences], str] | None = None


def _text(document: PlanDocument, frame: ViewContext) -> str:
    from reconciler.render import text

    return text.plan(document, **frame.style())


def _text_of_problems(problems: Sequence[Diagnostic], frame: ViewContext) -> str:
    from reconciler.render import text

    return text.diagnostics(problems, width=frame.style()["width"]) + frame.verdict


def _json(document: PlanDocument, frame: ViewContext) -> str:
    from reconciler.render import machine

    return machine.plan_json(document)


def _json_of_problems(problems: Sequence[Diagnostic], frame: ViewContext) -> str:
    from reconciler.render import machine

    return machine.diagnostics_json(problems)


def _markdown(document: PlanDocument, frame: ViewContext) -> str:
    from reconciler.render import markdown

    return markdown.plan(document, apply_command=frame.apply_command)


def _html(document: PlanDocument, frame: ViewContext) -> str:
    from reconciler.render import html

    return html.plan(document)


def _junit(document: PlanDocument, frame: ViewContext) -> str:
    from reconciler.render import junit

    return junit.plan_junit(document)


def _sarif(document: PlanDocument, frame: ViewContext) -> str:
    from reconciler.render import annotations

    return annotations.plan_sarif(document, frame.folder())


def _sarif_of_problems(problems: Sequence[Diagnostic], frame: ViewContext) -> str:
    from reconciler import __version__
    from reconciler.render import annotations

    return annotations.diagnostics_sarif(annotations.below(problems, frame.folder()), tool_version=__version__)


def _github(document: PlanDocument, frame: ViewContext) -> str:
    from reconciler.render import annotations

    return annotations.plan_github(document, frame.folder())


def _github_of_problems(problems: Sequence[Diagnostic], frame: ViewContext) -> str:
    from reconciler.render import annotations

    return annotations.diagnostics_github(annotations.below(problems, frame.folder()))


def _gitlab(document: PlanDocument, frame: ViewContext) -> str:
    from reconciler.render import annotations

    return annotations.plan_gitlab(document, frame.folder())


def _gitlab_of_problems(problems: Sequence[Diagnostic], frame: ViewContext) -> str:
    from reconciler.render import annotations

    return annotations.diagnostics_gitlab(annotations.below(problems, frame.folder()))


def _different(name: str) -> Callable[[Differences], str]:
    def shown(differences: Differences) -> str:
        from reconciler.render import since

        shows: Callable[[Differences], str] = getattr(since, name)
        return shows(differences)

    return shown


_EVERY: frozenset[ViewSubject] = frozenset({"plan", "drift", "comparison"})
FORMATS: Mapping[str, Format] = {
    output.name: output
    for output in (
        Format("text", _EVERY | {"problems", "difference"}, _text, _text_of_problems, _different("text")),
        Format("json", _EVERY | {"problems", "difference"}, _json, _json_of_problems, _different("as_json")),
        Format("markdown", _EVERY | {"difference"}, _markdown, difference=_different("markdown")),
        Format("html", _EVERY | {"difference"}, _html, difference=_different("html")),
        Format("junit", frozenset({"drift"}), _junit),
        Format("sarif", frozenset({"plan", "drift", "problems"}), _sarif, _sarif_of_problems),
        Format(
            "github",
            frozenset({"plan", "drift", "problems", "difference"}),
            _github,
            _github_of_problems,
            _different("github"),
        ),
        Format("gitlab", frozenset({"plan", "drift", "problems"}), _gitlab, _gitlab_of_problems),
    )
}
"""By name, in the order in which a command lists them; what is first is what is printed where nothing is asked for."""


def names_of(subject: ViewSubject) -> tuple[str, ...]:
    """Return the names of the formats in which this can be shown."""
    return tuple(name for name, output in FORMATS.items() if subject in output.shows)


def plan_in(name: str, document: PlanDocument, frame: ViewContext) -> str:
    """Return a plan document in a format. Raises KeyError for a format that shows no plan."""
    plan = FORMATS[name].plan
    if plan is None:
        raise KeyError(name)
    return plan(document, frame)


def problems_in(name: str, problems: Sequence[Diagnostic], frame: ViewContext) -> str:
    """Return problems of a configuration in a format. Raises KeyError for a format that shows none."""
    shown = FORMATS[name].problems
    if shown is None:
        raise KeyError(name)
    return shown(problems, frame)


def difference_in(name: str, differences: Differences) -> str:
    """Return what is different in a plan from an earlier one in a format. Raises KeyError for one that shows no such
    thing: what has a place in code only.
    """
    difference = FORMATS[name].difference
    if difference is None:
        raise KeyError(name)
    return difference(differences)
