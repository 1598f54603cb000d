"""Lists and the user groups that see them (sections 2.13, 2.14), and relations to lists that are gone."""

from __future__ import annotations

from reconciler.model.http import at
from reconciler.probe import asking
from reconciler.probe.answers import done, refuses
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab
from reconciler.probe.unsettled import Unsettled

REQUIRED = {
    "sender_url": "https://example.com", "sender_reminder": "You do not subscribe to this.",
    "send_last_broadcast": 0, "carboncopy": "", "subscription_notify": "", "unsubscription_notify": "",
}  # fmt: skip
ADMIN = "3"
"""The user group that each account comes with (section 2.18)."""
PUT = Fact("list_put", 14, "PUT /lists/{id} answers with an empty body", "empty", ("list",), changes="it is read back")
OWNER = Fact("list_owner", 15, "a list without an owner has `userid` 0", "0", ("list",))
STRING_ID = Fact("list_string_id", 16, "a list can be created without `stringid`", "derived", ("list",), "client",
                 "one is always sent")  # fmt: skip
KEYS = Fact("list_group_keys", 49, "a list group is written `listid`, `groupid`", "listid", ("list",))
TWICE = Fact("unique.listGroups", 20, "a list group may be there twice", "no", ("list",), "inferred")
CHANNELS = Fact("list_channels", 51, "GET /lists shows lists for e-mail unless the channel is asked for", "email",
                ("list",), "client",
                 "the channel is always asked for")  # fmt: skip
UPDATE = Fact("list_update", 52, "PUT /lists keeps what is left out", "merge", ("list",), "recording",
              "required properties are sent along from the live list")  # fmt: skip
DEAD = Fact("dead_references", 58, "a relation to a deleted list goes along", "cleared", ("field", "list"), "nothing",
            "relations that lead nowhere are told, and left")  # fmt: skip


async def _lists(lab: Lab) -> Findings:
    attrs = {"name": lab.name("list"), "stringid": lab.name("list").replace(" ", "-"), **REQUIRED}
    created = await lab.make("list", attrs)
    owner = (await lab.read(created)).get("userid")
    yield "list_owner", str(owner) if owner not in (None, "") else "none"
    reply = await lab.put(created, name=lab.name("list 2"))
    if not refuses(reply):
        row = await lab.read(created)
        kept = row.get("sender_url") == REQUIRED["sender_url"]
        yield "list_update", "merge" if kept else "reset"
    else:
        yield "list_update", "refuse"
        reply = await lab.put(created, **{**REQUIRED, "name": lab.name("list 2")})
    if reply.ok:
        yield "list_put", "list" if reply.row("list") else "empty"
    also = {**REQUIRED, "name": lab.name("list 2")}
    yield "empty.list", await asking.clears(lab, created, "carboncopy", "", also=also)
    yield "unique.lists", await asking.repeats(lab, "list", {**attrs, "name": lab.name("list 2"), "stringid": lab.mark})
    other = {**attrs, "name": lab.name("other list")}
    yield "unique.list_string_ids", await asking.repeats(lab, "list", other)


async def _unnamed(lab: Lab) -> Findings:
    created = await lab.make("list", {"name": lab.name("unnamed list"), **REQUIRED})
    yield "list_string_id", "derived" if (await lab.read(created)).get("stringid") else "empty"
    related = await lab.make("list_group", {"listid": created.id, "groupid": ADMIN})
    row = await lab.read(related)
    yield "list_group_keys", "listid" if str(row.get("list", row.get("listid"))) == created.id else "other"
    yield "unique.listGroups", await asking.repeats(lab, "list_group", {"listid": created.id, "groupid": ADMIN})


async def _channels(lab: Lab) -> Findings:
    name = lab.name("sms list")
    reply, created = await lab.attempt("list", {"name": name, "channel": "sms", **REQUIRED})
    if created is None:
        raise Unsettled(f"a list for SMS was answered {reply.status}")
    if (await lab.read(created)).get("channel") != "sms":
        raise Unsettled("the account has no lists for SMS")
    shown = {str(row.get("id")) for row in await lab.listed("/lists", "lists")}
    yield "list_channels", "all" if created.id in shown else "email"


async def _dead(lab: Lab) -> Findings:
    created = await lab.make("list", {"name": lab.name("gone list"), **REQUIRED})
    field = await lab.make("field", {"title": lab.name("related"), "type": "text"})
    relation = await lab.make("relation", {"field": field.id, "relid": created.id})
    done(await lab.remove(created))
    reply = done(await lab.get(at("/fields", field.id)))
    left = [row for row in reply.rows("fieldRels") if str(row.get("id")) == relation.id]
    yield "dead_references", "kept" if left else "cleared"


EXPERIMENTS = (
    Experiment("lists",
               (OWNER, UPDATE, PUT, asking.clearing("list", "list")[0], asking.repeating("lists", "name", "list"),
                asking.repeating("list_string_ids", "string id", "list")), _lists, 18),
    Experiment("lists without a string id", (STRING_ID, KEYS, TWICE), _unnamed, 12),
    Experiment("channels of lists", (CHANNELS,), _channels, 12),
    Experiment("relations to lists that are gone", (DEAD,), _dead, 10),
)  # fmt: skip
