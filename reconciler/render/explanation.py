"""The story of one object as text."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.explanation import AttributeStory, Explanation
from reconciler.model.grammar import a
from reconciler.render import words
from reconciler.render.effects import each
from reconciler.render.layout import Paper
from reconciler.render.quoting import clean, literal


def story(explanation: Explanation, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> str:
    """Return the whole story: identity, what a plan would do, dependencies, attributes, what a delete would lose."""
    paper = Paper(max(width, 40), colour)
    blocks = [
        _identity(explanation, paper),
        _relations(explanation, paper),
        _attributes(explanation, paper),
        _findings(explanation, paper),
        _losses(explanation, paper),
    ]
    text = "\n\n".join("\n".join(block) for block in blocks if block) + "\n"
    return text.encode("ascii", "backslashreplace").decode("ascii") if ascii_only else text


def _identity(explanation: Explanation, paper: Paper) -> list[str]:
    lines = paper.paragraph(clean(explanation.address), tone="bold")
    absent = "not shown by the account" if explanation.action == "unknown" else "not in the account"
    facts = [a(explanation.kind), f"id {explanation.id}" if explanation.id else absent]
    facts += [f"created {explanation.created}"] if explanation.created else []
    facts.append(f"declared at {words.line_of(explanation.place)}" if explanation.place else "not declared")
    facts.append("managed" if explanation.managed else "not managed yet")
    facts += ["its create did not finish"] if explanation.incomplete else []
    lines += _indented(", ".join(facts) + ".", paper)
    if explanation.runs:
        lines += _indented(f"Last written by {', '.join(explanation.runs)}.", paper)
    if explanation.natural_key:
        lines += _indented(f"Recognised by {literal(explanation.natural_key)}, where its id is gone.", paper)
    if explanation.protected:
        lines += _indented("Protected: prevent_destroy.", paper)
    todo = "Nothing is to do." if explanation.action == "none" else f"A plan would say: {explanation.action}."
    return [*lines, *_indented(todo + (f" ({explanation.reason})" if explanation.reason else ""), paper)]


def _indented(text: str, paper: Paper) -> list[str]:
    return paper.paragraph(clean(text), first="  ", indent="  ")


def _relations(explanation: Explanation, paper: Paper) -> list[str]:
    lines = []
    for title, addresses in (("Depends on", explanation.depends_on), ("Used by", explanation.used_by)):
        lines += paper.paragraph(
            clean(f"{title}: {', '.join(addresses) or 'nothing that is declared or managed'}"), indent="  "
        )
    return lines


def _attributes(explanation: Explanation, paper: Paper) -> list[str]:
    lines = paper.paragraph("Attributes:") if explanation.attributes else []
    for item in explanation.attributes:
        lines += paper.paragraph(clean(_attribute(item)), first="  ", indent="    ")
    return lines


def _findings(explanation: Explanation, paper: Paper) -> list[str]:
    lines = []
    for finding in explanation.findings:
        hint = f" ({finding.hint})" if finding.hint else ""
        lines += paper.paragraph(clean(f"{finding.severity.capitalize()}: {finding.message}{hint}"), indent="  ")
    return lines


def _attribute(item: AttributeStory) -> str:
    def value(raw: object) -> str:
        return literal(raw, sensitive=item.sensitive)

    if item.place is None and item.declared is None:
        tail = f" (applied {value(item.applied)} by {item.run})" if item.run else ""
        return f"{item.name}: {value(item.live)} in the account, not declared{tail}"
    where = f" # {words.line_of(item.place)}" if item.place else ""
    if item.origin == "none":
        by = f", applied by {item.run}" if item.run else ""
        return f"{item.name} = {value(item.declared)}, as declared{by}{where}"
    applied = f"{value(item.applied)} (run {item.run})" if item.run else "never"
    return (
        f"{item.name}: declared {value(item.declared)}, last applied {applied}, live {value(item.live)}: "
        f"{_whose(item.origin)}{where}"
    )


def _whose(origin: str) -> str:
    return {
        "config": "the configuration changed",
        "drift": "the account changed",
        "both": "both changed",
        "new": "it is new",
    }[origin]


def _losses(explanation: Explanation, paper: Paper) -> list[str]:
    lines: list[str] = []
    if explanation.destroys:
        lines += paper.paragraph(clean(f"If it is deleted: {explanation.destroys}"), indent="  ")
    lines += _listed(each(explanation.impacts), paper)
    lines += _listed((words.evacuation(what, where) for what, where in explanation.on_destroy.items()), paper)
    return lines


def _listed(texts: Iterable[str], paper: Paper) -> list[str]:
    return [line for text in texts for line in paper.paragraph(clean(text), first="  - ", indent="    ")]
