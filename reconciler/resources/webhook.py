"""Webhooks: where the account reports events to. API: /webhooks, /webhook/events (section 2.16)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.address import abridged
from reconciler.model.http import Flow, get
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection
from reconciler.model.nearest import did_you_mean
from reconciler.model.spec import Api, Link, RefTo, Sensitive, Spec, Takes, Unordered
from reconciler.model.traits import Identity, Reading, Texts
from reconciler.model.values import Value, texts_of
from reconciler.model.write import Finding, Write
from reconciler.resources import rules

# Named here because the spec has an attribute called `list`.
Events = Annotated[list[str], Unordered()]
Sources = Annotated[list[Literal["public", "admin", "api", "system"]], Unordered()]


class Webhook(Spec):
    """A subscription of an outside system to events."""

    name: str = Field(description="Name of the webhook.")
    url: Annotated[str, Sensitive(), Takes(rules.receiver)] = Field(
        description="Where events are posted to; https on port 443 only."
    )
    events: Events = Field(min_length=1, description="Events to report, as /webhook/events of the account names them.")
    sources: Sources = Field(min_length=1, description="Who may have caused the event.")
    list: Annotated[Link | None, Api("listid"), RefTo("list")] = Field(None, description="Only events of this list.")


class WebhookKind(Kind):
    """Name and URL together are the identity: several webhooks may share either."""

    name = "webhook"
    section = "webhooks"
    spec = Webhook
    title = "Webhook"
    path = "/webhooks"
    wrapper = "webhook"
    reading = Reading((Collection("/webhooks", "webhooks"),), singly=True)
    identity = Identity(names_repeat=True)
    texts = Texts(
        delete_warning="The outside system receives no more events; what it misses is not sent again.",
        gone="The other system hears nothing through it any more.",
        place=110,
    )

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(name, digest of the url): the key is written into the state, and URLs carry tokens."""
        name, url = attrs.get("name"), attrs.get("url")
        return (("name+url", name, hashlib.sha256(str(url).encode()).hexdigest()[:32]),) if name and url else ()

    def known_as(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """The URL as it is: a digest is near no other one."""
        name, url = attrs.get("name"), attrs.get("url")
        return (("name+url", name, url),) if name and url else ()

    def examine(self, write: Write) -> Flow[list[Finding]]:
        """Check events against what the account offers; the published lists differ (row 25 of section 7), so none
        is built in.
        """
        if "events" not in write.changed and write.live is not None:
            return []
        answer = yield get("/webhook/events")
        offered = answer.body.get("webhookEvents") if isinstance(answer.body, dict) else None
        if not isinstance(offered, list) or not all(isinstance(event, str) for event in offered):
            raise answer.other("a list of texts `webhookEvents`")
        findings = []
        for event in texts_of(write.desired.get("events")):
            if offered and event not in offered:
                hint = did_you_mean(event, offered, f"it offers {abridged(sorted(offered))}")
                findings.append(Finding(f"the account knows no webhook event `{event}`", attribute="events", hint=hint))
        return findings


KIND = WebhookKind()
