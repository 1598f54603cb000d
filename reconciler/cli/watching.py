"""How an apply is watched: as text with progress, or as lines of JSON with heartbeats."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from reconciler.cli.program import Globals
from reconciler.model.records import record

if TYPE_CHECKING:
    from reconciler.render.progress import Progress
    from reconciler.render.stream import EventStream
    from reconciler.workflow.apply.archiving import Archive
    from reconciler.workflow.plans.planned import Planned


@record
class OutputMode:
    """How an apply is told: `stream` as lines of JSON on standard output, otherwise as text with progress; `archive`
    is where the records that it loses are told to.
    """

    quiet: bool = False
    verbose: int = 0
    stream: bool = False
    archive: Archive | None = None


def watcher(chosen: Globals, planned: Planned, mode: OutputMode) -> Progress | EventStream:
    """Return the context manager that shows the events of an apply."""
    total = len(planned.plan.steps)
    if mode.stream:
        from reconciler.render.stream import EventStream

        events = EventStream(sys.stdout, total=total, clock=monotonic)
        events.planned(planned.document)
        return events
    from reconciler.render.progress import Progress

    return Progress(
        sys.stderr,
        total=total,
        environ=os.environ,
        clock=monotonic,
        forecast=planned.document.forecast.seconds,
        quiet=mode.quiet,
        traffic=chosen.screen.traffic,
        off={change.address for change in planned.document.changes if change.switches_off},
    )


async def beats(shown: Progress | EventStream) -> None:
    """Let a stream of events show that the run is alive, until cancelled."""
    from reconciler.render.stream import EventStream

    with suppress(asyncio.CancelledError):
        while isinstance(shown, EventStream):
            await asyncio.sleep(1.0)
            shown.beat()
