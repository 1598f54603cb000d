"""Addresses, saved responses, messages, personalizations (sections 2.20 to 2.25): texts, and how HTML in them comes
back.
"""

from __future__ import annotations

from reconciler.model.grammar import a
from reconciler.probe import asking
from reconciler.probe.answers import done
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab

CAMEL = Fact("address_names", 26, "addresses are written and read in camelCase", "camelCase", ("address",))
DEFAULT = Fact("default_address_delete", 0, "the default address can be deleted", "ok", ("address",), "inferred",
               "its flag is taken off first")  # fmt: skip
SENDER = Fact("message_sender", 33, "a message's sender is `fromemail`", "fromemail", ("message",), "vendor")
HTML = tuple(
    Fact(f"html.{kind}", 0, f"HTML in {a(kind.replace('_', ' '))} comes back as it was sent", "kept", (kind,),
         "inferred",
         "the account stores it in its own way, which is told and remembered")
    for kind in ("saved_response", "message", "personalization")
)  # fmt: skip


async def _addresses(lab: Lab) -> Findings:
    first = not await lab.listed("/addresses", "addresses")
    created = await lab.make(
        "address", {"companyName": lab.name("address"), "address1": "1 Example St", "country": "US"}
    )
    row = await lab.read(created)
    yield "address_names", "camelCase" if row.get("companyName") == lab.name("address") else "other"
    yield "put.address", await asking.merges(lab, created, {"companyName": lab.name("address 2")}, "address1")
    if first and str((await lab.read(created)).get("isDefault")) == "1":
        reply = await lab.leave(created)
        if not reply.ok:  # by its flag, or because the key may not?
            done(await lab.put(created, isDefault=False))
            done(await lab.leave(created))
        yield "default_address_delete", "ok" if reply.ok else "refused"


async def _responses(lab: Lab) -> Findings:
    created = await lab.make("saved_response", {"title": lab.name("response"), "subject": "kept", "body": asking.HTML})
    yield "html.saved_response", asking.compared(asking.HTML, str((await lab.read(created)).get("body") or ""))
    yield "put.saved_response", await asking.merges(lab, created, {"title": lab.name("response 2")}, "subject")


async def _messages(lab: Lab) -> Findings:
    attrs = {
        "name": lab.name("message"), "fromname": "Probe", "fromemail": "probe@example.com", "subject": "kept",
        "reply2": "probe@example.com", "html": asking.HTML, "text": "kept",
    }  # fmt: skip
    created = await lab.make("message", attrs)
    row = await lab.read(created)
    yield "message_sender", "fromemail" if row.get("fromemail") == attrs["fromemail"] else "email"
    yield "html.message", asking.compared(asking.HTML, str(row.get("html") or ""))
    yield "put.message", await asking.merges(lab, created, {"subject": "changed"}, "text")


async def _personalizations(lab: Lab) -> Findings:
    attrs = {"name": lab.name("variable"), "tag": lab.mark.upper().replace("-", "_"), "format": "html"}
    created = await lab.make("personalization", {**attrs, "content": asking.HTML})
    yield "html.personalization", asking.compared(asking.HTML, str((await lab.read(created)).get("content") or ""))
    yield "put.personalization", await asking.merges(lab, created, {"name": lab.name("variable 2")}, "content")
    again = {**attrs, "name": lab.name("twin")}
    yield "unique.personalization_tags", await asking.repeats(lab, "personalization", again)


EXPERIMENTS = (
    Experiment("addresses", (CAMEL, asking.merging("address", "address"), DEFAULT), _addresses, 16),
    Experiment("saved responses", (HTML[0], asking.merging("saved_response", "saved_response")), _responses, 6),
    Experiment("messages", (SENDER, HTML[1], asking.merging("message", "message")), _messages, 6),
    Experiment("personalization variables",
               (HTML[2], asking.merging("personalization", "personalization"),
                asking.repeating("personalization_tags", "tag", "personalization")), _personalizations, 8),
)  # fmt: skip
