"""Calendar feeds of tasks. API: /calendars (section 2.21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection
from reconciler.model.spec import KEY, Default, Spec
from reconciler.model.traits import Identity, Reading, Texts
from reconciler.model.values import Value


class Calendar(Spec):
    """A feed that calendar programs subscribe to."""

    title: Annotated[str, Default(KEY)] = Field("", description="Title of the feed.")
    type: Literal["All", "Deals", "Contacts"] = Field(description="Whose tasks it shows.")
    notification: bool | None = Field(None, description="Entries carry a reminder.")


class CalendarKind(Kind):
    """Feeds belong to the user of the API key. The token in its URL is a secret: it is read into nothing."""

    name = "calendar"
    section = "calendars"
    spec = Calendar
    title = "Calendar feed"
    path = "/calendars"
    wrapper = "calendar"
    reading = Reading((Collection("/calendars", "calendars"),))
    identity = Identity(name_attribute="title")
    texts = Texts(
        delete_warning="Programs that subscribe to the feed get nothing more; a new feed has another URL.",
        one="calendar feed",
        gone="Calendars that subscribe to it get nothing more.",
        place=240,
    )

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(title, type)."""
        return (("title+type", attrs["title"], attrs.get("type")),) if attrs.get("title") else ()


KIND = CalendarKind()
