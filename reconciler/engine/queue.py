"""The steps of a plan that can begin."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from reconciler.model.plan import Step


class Queue:
    """The steps of a plan that nothing has to wait for any more, in the order in which that became so. `before` is the
    step that another one comes after, whatever becomes of it, by number.

    Only steps that run have a task: one for each of ten thousand that wait took more memory than the plan.
    """

    def __init__(self, steps: Sequence[Step], before: Mapping[int, int]) -> None:
        self.ready: deque[Step] = deque()
        self._open: dict[int, int] = {}
        self._next: dict[int, list[Step]] = {}
        for step in steps:
            first = {*step.waits, *step.after, *([before[step.number]] if step.number in before else [])}
            if not first:
                self.ready.append(step)
                continue
            self._open[step.number] = len(first)
            for number in first:
                self._next.setdefault(number, []).append(step)

    def over(self, step: Step) -> None:
        """Take note of a step that is done, failed or skipped."""
        for following in self._next.pop(step.number, ()):
            self._open[following.number] -= 1
            if not self._open[following.number]:
                del self._open[following.number]
                self.ready.append(following)
