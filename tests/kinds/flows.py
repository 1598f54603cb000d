"""Running a kind's flow against answers that a test gives, without any account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.model.http import Bound, Flow, Request, Response
from reconciler.model.live import Live
from reconciler.model.values import Reference, Value
from reconciler.model.write import Write
from reconciler.resources import load_kinds

Answer = Callable[[Request], Response]


@dataclass
class Ran:
    """What a flow did: the requests it sent and the ids it reported."""

    sent: list[Request] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """Method and path of each request."""
        return [str(request) for request in self.sent]


def found(request: Request) -> Response:
    """Answer every request with success and an id under whatever wrapper was sent."""
    body = request.body if isinstance(request.body, dict) else {}
    return Response(200, {name: {**value, "id": "7"} for name, value in body.items() if isinstance(value, dict)})


def run(flow: Flow[Any], answer: Answer = found) -> Ran:
    """Run a flow to its end; what it raises is raised."""
    ran = Ran()
    reply = Response(200, {})
    try:
        item = next(flow)
        while True:
            if isinstance(item, Request):
                ran.sent.append(item)
                reply = answer(item)
            elif isinstance(item, Bound):
                ran.bound.append(item.id)
            item = flow.send(reply)
    except StopIteration:
        return ran


def write(
    kind: str, desired: Mapping[str, Value], live: Mapping[str, Value] | None = None, *, row: Any = None, **more: Any
) -> Write:
    """Return the write of a resource; with `live` of an object with id 7 whose changed attributes are those that
    differ.
    """
    held = Live(kind, "7", live, row=row or {}) if live is not None else None
    changed = frozenset(name for name, value in desired.items() if live is None or live.get(name) != value)
    return Write(f"{kind}.it", desired, changed, held, _id, **more)


def _id(reference: Reference) -> str:
    return str(getattr(reference, "id", "") or f"id-of-{reference}")


def kind_of(name: str) -> Any:
    """Return a kind by name."""
    return load_kinds()[name]
