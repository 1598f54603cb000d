"""An apply as lines of JSON while it runs: what is planned, each event, heartbeats, and what it came to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Self, TextIO

from reconciler.model.document import PlanDocument
from reconciler.model.events import Event, Failed, Finished, Skip
from reconciler.model.redaction import Shown, as_made, redactor
from reconciler.model.summary import ApplySummary
from reconciler.render import machine
from reconciler.render.harmless import outgoing
from reconciler.render.quoting import to_json

BEAT = 10.0
"""Seconds of silence after which a heartbeat is written."""


class EventStream:
    """Called with each event, writes it as one line; `beat` breaks a long silence. `clock` answers seconds."""

    def __init__(self, stream: TextIO, *, total: int, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._total = total
        self._clock = clock
        self._began = self._last = clock()
        self._over = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """What happened is written already."""

    def planned(self, document: PlanDocument) -> None:
        """Say which plan is about to be applied."""
        self._say("planned", _heading(document))

    def __call__(self, event: Event) -> None:
        """Write an event."""
        self._over += isinstance(event, Finished | Failed | Skip)
        self._put(redactor().show(machine.event_json(event, elapsed=self._elapsed())))

    def beat(self) -> None:
        """Write a heartbeat if nothing was written for `BEAT` seconds."""
        if self._clock() - self._last >= BEAT:
            self._put(as_made(machine.heartbeat_json(elapsed=self._elapsed(), over=self._over, total=self._total)))

    def ended(self, summary: ApplySummary) -> None:
        """Write the outcome, the last line of a stream."""
        self._say("ended", json.loads(redactor().show(machine.applied_json(summary))))

    def _elapsed(self) -> float:
        return self._clock() - self._began

    def _say(self, name: str, content: dict[str, Any]) -> None:
        self._put(as_made(to_json({"event": name, "elapsed": round(self._elapsed(), 3), **content}, indent=None)))

    def _put(self, line: Shown) -> None:
        self._last = self._clock()
        self._stream.write(outgoing(line, "json"))
        self._stream.flush()


def refused_line(document: PlanDocument) -> str:
    """Return the only line of a stream whose plan a guard or policy stops."""
    guards = [guard.model_dump(mode="json") for guard in document.tripped]
    return to_json({"event": "refused", "elapsed": 0.0, **_heading(document), "guards": guards}, indent=None)


def _heading(document: PlanDocument) -> dict[str, Any]:
    return {
        "environment": document.environment,
        "account": document.account,
        "digest": document.digest,
        "summary": document.summary.model_dump(mode="json"),
        "forecast": document.forecast.model_dump(mode="json"),
    }
