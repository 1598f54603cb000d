"""Tracked events: names of what websites and programs report. API: /eventTrackingEvents (section 2.28)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.http import Bound, Flow, at, delete, post
from reconciler.model.kind import Kind
from reconciler.model.live import Collection, Row, Tables
from reconciler.model.spec import KEY, Default, Immutable, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.write import Write


class TrackedEvent(Spec):
    """An event that can be reported."""

    name: Annotated[str, Default(KEY), Immutable()] = Field("", description="Name of the event, which is its identity.")


class TrackedEventKind(Kind):
    """There are no ids: the name is what the state holds. Another name is another event."""

    name = "tracked_event"
    section = "tracked_events"
    spec = TrackedEvent
    title = "Tracked event"
    path = "/eventTrackingEvents"
    wrapper = "eventTrackingEvent"
    reading = Reading((Collection("/eventTrackingEvents", "eventTrackingEvents", identity="name", ids="text"),))
    identity = Identity(code_names=("name",), unique=(("name",),))
    abilities = Abilities(updatable=False)
    texts = Texts(
        delete_warning="Automations that wait for the event wait for good.",
        gone="Automations that wait for it wait for good.",
        place=220,
    )

    def claims(self, row: Row, tables: Tables) -> bool:
        """Names with two underscores are the account's own."""
        return not str(row.get("name")).startswith("__")

    def create(self, write: Write) -> Flow[None]:
        """POST the name; what the account makes of it is what the event is found by."""
        body = self.body(write, ["name"])
        answer = yield post(self.path, {self.wrapper: body})
        yield Bound(str(answer.row(self.wrapper).get("name") or body["name"]))

    def delete(self, write: Write) -> Flow[None]:
        """The name is part of the path, encoded."""
        yield delete(at(self.path, write.id))


KIND = TrackedEventKind()
