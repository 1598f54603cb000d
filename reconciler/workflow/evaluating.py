"""Expressions of rules in a process of its own, which has an end: seconds of computing, and memory. All plans of a
program share it, be it a thousand accounts.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.judging.expressions import Answer, Question, answers, evaluator
from reconciler.store.programs import Attendant, monotonic

SECONDS = 20
"""Of computing, for all expressions of a plan; a process that waits for its turn on a busy machine loses none."""
EACH = 5
"""Of computing, for one expression."""
PATIENCE = 15 * SECONDS
MEMORY = 4 << 30
MOST_BYTES = 256 << 20
_EVALUATING: list[Attendant] = []
_CHILD = "import sys; sys.path += sys.argv[1:]; from reconciler.workflow.evaluating import serve; serve()"


def evaluate(
    questions: Sequence[Question], values: Mapping[str, Any], *, seconds: int = SECONDS, memory: int = MEMORY
) -> list[Answer | list[Answer]]:
    """Return what each expression says of a plan; of one that takes more than it may, that. Those behind it are asked
    in a new process, as long as there are `seconds` left for all.

    The process serves all plans of ours. It inherits no environment variables (they hold keys) and imports nothing from
    the folder of the project. Raises ReconcilerError without the extra that evaluates expressions.
    """
    if not questions:
        return []
    evaluator()  # said here, where it is asked for
    each, deadline = min(EACH, seconds), monotonic() + PATIENCE
    said: list[Answer | list[Answer]] = []
    for left in range(seconds, 0, -each):
        said += _asked(questions[len(said) :], values, (left, min(each, left), memory), deadline - monotonic())
        if len(said) >= len(questions):
            return said
        said.append(f"it takes more than {each} s of computing, or more than {memory >> 20:,} MB of memory")
    late = f"expressions before it took the {seconds} s of computing that all of them have"
    return [*said, *([late] * (len(questions) - len(said)))]


def _asked(
    questions: Sequence[Question], values: Mapping[str, Any], bounds: tuple[int, int, int], patience: float
) -> list[Answer | list[Answer]]:
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
        _EVALUATING.append(Attendant(command, environ))
    return _EVALUATING[0]


def serve() -> None:
    """Answer what stands on standard input, a line of questions after the other, with a line for each question, as long
    as there is time and memory: what the process of its own does.
    """
    for line in iter(sys.stdin.buffer.readline, b""):
        asked = json.loads(line)
        seconds, each, memory = asked["bounds"]
        until = _used() + seconds
        _bound(memory)
        verdicts = answers((Question(*question) for question in asked["questions"]), asked["values"])
        for _ in asked["questions"]:
            _allow(min(_used() + each, until))
            sys.stdout.write(json.dumps(next(verdicts)) + "\n")
            sys.stdout.flush()


def _used() -> float:
    """Return the seconds that this process has computed."""
    return sum(os.times()[:2])


def _bound(memory: int) -> None:
    """Let this process have so many bytes, and leave no image of them behind where it needs more."""
    _limit("RLIMIT_CORE", 0)
    _limit("RLIMIT_AS", memory)


def _allow(until: float) -> None:
    """Let this process compute until it has computed so many seconds."""
    _limit("RLIMIT_CPU", math.ceil(until))


def _limit(name: str, most: int) -> None:
    """Set a limit of this process, for as long as the next one; not beyond what it was started with."""
    try:
        import resource
    except ImportError:
        return  # not on this system: the time that the caller waits is the bound
    which = getattr(resource, name)
    hard = resource.getrlimit(which)[1]
    resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
