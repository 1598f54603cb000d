"""What the process of its own does that evaluates expressions (see `evaluating`). It imports little, for it starts
whenever an expression is asked.
"""

from __future__ import annotations

import json
import math
import os
import sys

from reconciler.judging.expressions import Question, answers


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
