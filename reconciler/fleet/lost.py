"""Work of this process whose end the fleet's database did not take.

The engine tries again where a database is locked or away. One that refuses, because its disk is full, loses the end of
a job: its row says that it runs, nothing runs, and a rollout that waits for it waits for ever.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import field

from reconciler.fleet.job import Worker
from reconciler.fleet.rollout_store import RolloutStore
from reconciler.model.errors import StateError
from reconciler.model.records import mutable

APART = 10.0
"""Seconds between two looks."""
LOOKS = 12
"""Looks in a row at which a job has ended and its row says that it runs, until it is lost. They take
longer than the engine waits between two tries (90 s); they are counted, for a process that was frozen sees one and the
next at once.
"""


@mutable
class LostJobs:
    """Looks for jobs that ended in this process, and run by their rows; the engine knows the process by a `name`."""

    worker: Worker
    name: str
    _looks: Counter[str] = field(default_factory=Counter)
    _next: float = float("-inf")

    def look(self, store: RolloutStore) -> StateError | None:
        """Look, unless the last time was just now; return what is wrong where jobs were lost."""
        if time.monotonic() < self._next:
            return None
        ended = frozenset(self.worker.ended)  # before what is on record, which may be on its way
        unrecorded = ended.intersection(store.running(self.name))
        self.worker.ended -= ended - unrecorded
        self._looks = Counter({job: self._looks[job] + 1 for job in unrecorded})
        self._next = time.monotonic() + APART
        lost = sum(looks >= LOOKS for looks in self._looks.values())
        jobs = "a job" if lost == 1 else f"{lost} jobs"
        if not lost:
            return None
        return StateError(
            f"the fleet's database did not take the end of {jobs} of this process",
            hint="see that it can be written (a full disk?), then `reconciler fleet resume`",
        )
