"""Expressions of rules in a process of its own, which has an end: seconds of computing, and memory."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.judging.expressions import Answer, Question, answers, evaluator
from reconciler.store.programs import monotonic, run_program

SECONDS = 20
"""Of computing, for all expressions of a plan; a process that waits for its turn on a busy machine loses none."""
EACH = 5
"""Of computing, for one expression."""
PATIENCE = 15 * SECONDS
MEMORY = 4 << 30
MOST_BYTES = 256 << 20
_CHILD = "import sys; sys.path += sys.argv[4:]; from reconciler.workflow.evaluating import serve; serve()"


def evaluate(
    questions: Sequence[Question], values: Mapping[str, Any], *, seconds: int = SECONDS, memory: int = MEMORY
) -> list[Answer | list[Answer]]:
    """Return what each expression says of a plan; of one that takes more than it may, that. Those behind it are asked
    in a new process, as long as there are `seconds` left for all.

    The process inherits no environment variables (they hold keys) and imports nothing from the folder of the project.
    Raises ReconcilerError without the extra that evaluates expressions.
    """
    if not questions:
        return []
    evaluator()  # said here, where it is asked for
    each, deadline = min(EACH, seconds), monotonic() + PATIENCE
    said: list[Answer | list[Answer]] = []
    for left in range(seconds, 0, -each):
        said += _asked(questions[len(said) :], values, left, min(each, left), memory, deadline - monotonic())
        if len(said) >= len(questions):
            return said
        said.append(f"it takes more than {each} s of computing, or more than {memory >> 20:,} MB of memory")
    late = f"expressions before it took the {seconds} s of computing that all of them have"
    return [*said, *([late] * (len(questions) - len(said)))]


def _asked(
    questions: Sequence[Question], values: Mapping[str, Any], seconds: int, each: int, memory: int, patience: float
) -> list[Answer | list[Answer]]:
    """Return the answers up to the first question that has none within its bounds."""
    if not questions:
        return []
    rows = [(question.expression, question.address, question.objects) for question in questions]
    asked = json.dumps({"questions": rows, "values": values}).encode()
    bounds = [str(seconds), str(each), str(memory)]
    command = [sys.executable, "-I", "-c", _CHILD, *bounds, *(path for path in sys.path if os.path.isabs(path))]
    environ = {name: value for name, value in os.environ.items() if name.upper() == "SYSTEMROOT"}
    ran = run_program(command, Path.cwd(), environ, max(patience, 0), most=MOST_BYTES, given=asked)
    return [json.loads(line) for line in ran.printed.splitlines(keepends=True) if line.endswith(b"\n")]


def serve() -> None:
    """Answer the questions on standard input, one line each, as long as there is time and memory: what the process of
    its own does.
    """
    seconds, each, memory = (int(argument) for argument in sys.argv[1:4])
    _bound(seconds, memory)
    asked = json.loads(sys.stdin.buffer.read())
    verdicts = answers((Question(*question) for question in asked["questions"]), asked["values"])
    for _ in asked["questions"]:
        _allow(each)
        sys.stdout.write(json.dumps(next(verdicts)) + "\n")
        sys.stdout.flush()


def _bound(seconds: int, memory: int) -> None:
    try:
        import resource
    except ImportError:
        return  # not on this system: the time that the caller waits is the bound
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _allow(seconds: int) -> None:
    """Let this process compute for so many seconds more, of those that it has."""
    try:
        import resource
    except ImportError:
        return
    used, most = resource.getrusage(resource.RUSAGE_SELF), resource.getrlimit(resource.RLIMIT_CPU)[1]
    until = math.ceil(used.ru_utime + used.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (min(until, most), most))
