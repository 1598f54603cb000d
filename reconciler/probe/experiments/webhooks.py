"""Webhooks (section 2.16). The host that they call does not exist, and cannot."""

from __future__ import annotations

from reconciler.probe import asking
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab

NOWHERE = "https://zz-probe.invalid/nowhere"
"""A domain that is reserved for never being one (RFC 2606)."""
EVENTS = Fact("webhook_events_put", 0, "events that are sent replace those of a webhook", "replace", ("webhook",),
              "vendor",
              "events that should stay have to be sent along, and are")  # fmt: skip


async def _webhooks(lab: Lab) -> Findings:
    attrs = {"name": lab.name("webhook"), "url": NOWHERE, "events": ["sms_unsub", "sms_reply"], "sources": ["system"]}
    created = await lab.make("webhook", attrs)
    yield "put.webhook", await asking.merges(lab, created, {"name": lab.name("webhook 2")}, "url")
    reply = await lab.put(created, **{**attrs, "events": ["sms_unsub"]})
    if reply.ok:
        now = (await lab.read(created)).get("events")
        yield "webhook_events_put", "replace" if now == ["sms_unsub"] else "add"
    yield "unique.whole_webhooks", await asking.repeats(lab, "webhook", attrs)


EXPERIMENTS = (
    Experiment("webhooks",
               (asking.merging("webhook", "webhook"), EVENTS,
                asking.repeating("whole_webhooks", "name and url", "webhook")),
               _webhooks, 10),
)  # fmt: skip
