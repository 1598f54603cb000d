"""Expressions of policies: CEL, compiled and checked before it runs. The only home of cel-expr-python.

CEL itself bounds the iterations of an expression (10,000), the size and depth of its text, and searches with RE2. What
remains, e.g. a dear pattern over long texts in every iteration, has an end only where whoever calls this sets one:
`workflow.evaluating` does, with a process of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.model.errors import ReconcilerError
from reconciler.model.redaction import abridged

VARIABLES = ("plan", "change", "weekday", "now")


@dataclass(frozen=True, slots=True)
class Question:
    """An expression, and the address of the change that it is about; None where it is about the whole plan."""

    expression: str
    address: str | None = None


Answer = bool | str
"""What an expression says, or why it says nothing."""
Evaluate = Callable[[Sequence[Question], Mapping[str, Any]], Sequence[Answer]]
"""Returns the answers in the order of the questions, over `plan`, `weekday` and `now`."""


def answers(questions: Iterable[Question], values: Mapping[str, Any]) -> Iterator[Answer]:
    """Evaluate questions one after the other, over `plan`, `weekday` and `now`.

    Raises ReconcilerError without the extra that evaluates them.
    """
    cel = evaluator()
    known = cel.NewEnv(variables=dict.fromkeys(VARIABLES, cel.Type.DYN))
    changes = {view["address"]: view for view in values["plan"]["changes"]}
    compiled: dict[str, Any] = {}
    for question in questions:
        said = {**values, "change": changes.get(question.address)}
        # A plan is translated again for every question, so only what is asked about goes along.
        said = {name: said.get(name) for name in VARIABLES if re.search(rf"\b{name}\b", question.expression)}
        try:
            if question.expression not in compiled:
                compiled[question.expression] = known.compile(question.expression)
            answer = compiled[question.expression].eval(data=said)
            plain = answer.plain_value()
        except (RuntimeError, UnicodeError) as error:
            yield (str(error).splitlines() or [type(error).__name__])[0]
            continue
        if isinstance(plain, bool):
            yield plain
        else:  # errors of the evaluation come back as values
            failed = answer.type().name() == "ERROR"
            yield str(plain) if failed else f"it answers {abridged(str(plain), 200)!r}, not true or false"


def evaluator() -> Any:
    """Return the module that evaluates expressions. Raises ReconcilerError without the extra that it is in."""
    try:
        from cel_expr_python import cel  # most projects have no expressions
    except ImportError as error:
        raise ReconcilerError(
            "a policy has a `when:` expression, and what evaluates it is not installed",
            hint="pip install 'activecampaign-reconciler[policy]', or use the `deny:` form",
        ) from error
    return cel
