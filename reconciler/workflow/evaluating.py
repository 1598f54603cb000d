"""Expressions of rules in a process of its own, which has an end: seconds of computing, and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.judging.expressions import Answer, Question, answers, evaluator

SECONDS = 20
"""Of computing, for all expressions of a plan; a process that waits for its turn on a busy machine loses none."""
PATIENCE = 15 * SECONDS
MEMORY = 4 << 30
_CHILD = "import sys; sys.path += sys.argv[3:]; from reconciler.workflow.evaluating import serve; serve()"


def evaluate(
    questions: Sequence[Question], values: Mapping[str, Any], *, seconds: int = SECONDS, memory: int = MEMORY
) -> list[Answer | list[Answer]]:
    """Return what each expression says of a plan; of one that takes more than it may, and of those behind it, that.

    The process inherits no environment variables (they hold keys) and imports nothing from the folder of the project.
    Raises ReconcilerError without the extra that evaluates expressions.
    """
    if not questions:
        return []
    evaluator()  # said here, where it is asked for
    rows = [(question.expression, question.address, question.objects) for question in questions]
    asked = json.dumps({"questions": rows, "values": values})
    known = [path for path in sys.path if os.path.isabs(path)]
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD, str(seconds), str(memory), *known],
            input=asked.encode(),
            capture_output=True,
            check=False,
            timeout=PATIENCE,
            env={name: value for name, value in os.environ.items() if name.upper() == "SYSTEMROOT"},
        )
        printed = done.stdout
    except subprocess.TimeoutExpired as error:
        printed = error.stdout or b""
    lines = [line for line in printed.splitlines(keepends=True) if line.endswith(b"\n")]
    said = [json.loads(line) for line in lines]
    late = (
        f"it takes more than {seconds} s of computing or {memory >> 20:,} MB of memory, or stands behind one that does"
    )
    return [*said, *([late] * (len(questions) - len(said)))]


def serve() -> None:
    """Answer the questions on standard input, one line each, as long as there is time and memory: what the process of
    its own does.
    """
    _bound(int(sys.argv[1]), int(sys.argv[2]))
    asked = json.loads(sys.stdin.buffer.read())
    for answer in answers((Question(*one) for one in asked["questions"]), asked["values"]):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _bound(seconds: int, memory: int) -> None:
    try:
        import resource
    except ImportError:
        return  # not on this system: the time that the caller waits is the bound
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
