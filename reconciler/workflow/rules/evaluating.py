"""Expressions of rules in a process of its own, which has an end: seconds of computing, and memory. All plans of a
program share it, be it a thousand accounts.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reconciler.judging.expressions import ExpressionValue, Question, evaluator

if TYPE_CHECKING:
    from reconciler.store.programs import Attendant

SECONDS = 20
"""Of computing, for all expressions of a plan; a process that waits for its turn on a busy machine loses none."""
EACH = 5
"""Of computing, for one expression."""
PATIENCE = 15 * SECONDS
MEMORY = 4 << 30
MOST_BYTES = 256 << 20
_EVALUATING: list[Attendant] = []
_CHILD = "import sys; sys.path += sys.argv[1:]; from reconciler.workflow.rules.answering import serve; serve()"


def evaluate(
    questions: Sequence[Question], values: Mapping[str, Any], *, seconds: int = SECONDS, memory: int = MEMORY
) -> list[ExpressionValue | list[ExpressionValue]]:
    """Return what each expression says of a plan; of one that takes more than it may, that. Those behind it are asked
    in a new process, as long as there are `seconds` left for all.

    The process serves all plans of ours. It inherits no environment variables (they hold keys) and imports nothing from
    the folder of the project. Raises ReconcilerError without the extra that evaluates expressions.
    """
    if not questions:
        return []
    from reconciler.store.programs import monotonic

    evaluator()  # said here, where it is asked for
    each, deadline = min(EACH, seconds), monotonic() + PATIENCE
    answers: list[ExpressionValue | list[ExpressionValue]] = []
    for left in range(seconds, 0, -each):
        answers += _asked(questions[len(answers) :], values, (left, min(each, left), memory), deadline - monotonic())
        if len(answers) >= len(questions):
            return answers
        answers.append(f"it takes more than {each} s of computing, or more than {memory >> 20:,} MB of memory")
    late = f"expressions before it took the {seconds} s of computing that all of them have"
    return [*answers, *([late] * (len(questions) - len(answers)))]


def _asked(
    questions: Sequence[Question], values: Mapping[str, Any], bounds: tuple[int, int, int], patience: float
) -> list[ExpressionValue | list[ExpressionValue]]:
    """Return the answers up to the first question that has none within its bounds: seconds for all, for each, bytes."""
    if not questions:
        return []
    rows = [(question.expression, question.address, question.objects) for question in questions]
    asked = json.dumps({"questions": rows, "values": values, "bounds": bounds}).encode()
    return [json.loads(line) for line in evaluating().ask(asked, len(rows), max(patience, 0), most=MOST_BYTES)]


def evaluating() -> Attendant:
    """Return the process that evaluates: one for this program, started when it is asked first."""
    if not _EVALUATING:
        command = [sys.executable, "-I", "-c", _CHILD, *(path for path in sys.path if os.path.isabs(path))]
        environ = {name: value for name, value in os.environ.items() if name.upper() == "SYSTEMROOT"}
        from reconciler.store.programs import Attendant

        _EVALUATING.append(Attendant(command, environ))
    return _EVALUATING[0]
