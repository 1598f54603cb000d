"""Lists: what contacts subscribe to. API: /lists and /listGroups (sections 2.13, 2.14)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from reconciler.model.coerce import ident
from reconciler.model.http import Bound, Flow, Request, at, delete, get, post
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.spec import Api, Commas, Doubts, Ensure, Expected, Immutable, Link, RefTo, Spec
from reconciler.model.traits import Abilities, Identity, IdParameters, Parts, Reading, Texts
from reconciler.model.values import Json, RemoteId, Value, links_of
from reconciler.model.write import Impact, Write
from reconciler.resources import losing, records, rules
from reconciler.resources.counts import listed
from reconciler.resources.joined import pairs
from reconciler.resources.user_group import ADMIN

NAMED = 25
"""How many campaigns are asked for their names."""
Emails = Annotated[list[str] | None, Commas(), Doubts(rules.mail_address)]


class ContactList(Spec):
    """A list that contacts subscribe to."""

    name: str = Field(description="Name of the list.")
    string_id: Annotated[str | None, Api("stringid"), Doubts(rules.url_safe)] = Field(
        None, description="URL-safe name; made from the key when left out."
    )
    sender_url: Annotated[str | None, Expected(), Doubts(rules.web_address)] = Field(
        None, description="Website that contacts signed up on."
    )
    sender_reminder: Annotated[str | None, Expected()] = Field(None, description="Why contacts receive the mail.")
    channel: Annotated[Literal["email", "sms"] | None, Immutable()] = Field(None, description="What the list sends.")
    send_last_broadcast: bool | None = Field(None, description="Send the last broadcast to new subscribers.")
    carbon_copy: Annotated[Emails, Api("carboncopy")] = Field(
        None, description="Addresses that get a copy of every mail."
    )
    subscription_notify: Emails = Field(None, description="Addresses told of subscriptions.")
    unsubscription_notify: Emails = Field(None, description="Addresses told of unsubscriptions.")
    user: Annotated[Link | None, RefTo("user", lookup="email")] = Field(None, description="Owner of the list.")
    user_groups: Annotated[
        list[Link] | None, Api(None), RefTo("user_group"), Ensure([RemoteId("user_group", ADMIN)])
    ] = Field(
        None,
        description="User groups that see the list; without any it is invisible, so Admin is used when left out.",
    )
    sender_name: str | None = Field(None, description="Sender's name in the address block.")
    sender_addr1: str | None = Field(None, description="Sender's address, first line.")
    sender_addr2: str | None = Field(None, description="Sender's address, second line.")
    sender_city: str | None = Field(None, description="Sender's city.")
    sender_state: str | None = Field(None, description="Sender's state.")
    sender_zip: str | None = Field(None, description="Sender's postal code.")
    sender_country: str | None = Field(None, description="Sender's country.")
    sender_phone: str | None = Field(None, description="Sender's phone.")


class ListKind(Kind):
    """A list shows in the product only with a list group (section 2.13); updates use the undocumented, recorded PUT
    (row 14).
    """

    name = "list"
    section = "lists"
    spec = ContactList
    title = "List"
    path = "/lists"
    wrapper = "list"
    # Without the filter an account may answer lists for e-mail only (row 51 of section 7).
    # The vendor's own client sends them all: "no partial update" (row 52 of section 7).
    reading = Reading(
        (
            Collection("/lists", "lists", query=(("filters[channel]", "all"),)),
            Collection(
                "/listGroups",
                "listGroups",
                optional=True,
                feeds=("user_groups",),
                tells=(("list", "listid"), ("group", "groupid")),
            ),
        ),
        filtered=True,
        filled=frozenset({"channel", "string_id"}),
        parts={"userid": "user"},
    )
    identity = Identity(
        code_names=("string_id",),
        id_parameters=IdParameters(links=("list", "listid", "lists"), rows=("list_id", "listids")),
    )
    abilities = Abilities(
        observed=("update",),
        carried=(
            "name",
            "sender_url",
            "sender_reminder",
            "send_last_broadcast",
            "carbon_copy",
            "subscription_notify",
            "unsubscription_notify",
        ),
        writes=("/listGroups", "/listGroups/ID"),
        parts={"user_groups": Parts("permissions of user groups")},
        salvage=records.SUBSCRIBED,
        delete_needs_approval=True,
    )
    texts = Texts(
        delete_warning="Contacts only on this list are deleted, and its campaigns, reports and segments; "
        "there is no undo.",
        screen="/app/contacts/?listid={id}&status=1",  # [OAS], of the list a contact is subscribed to
        gone="Its campaigns, reports and segments go with it.",
        place=10,
    )

    rests: ClassVar[Mapping[str, str]] = {"": "list_update"}

    def beneath(self, write: Write) -> dict[str, Json]:
        """Leave out what is declared, where it was found on this very account that PUT keeps it (row 52 of section 7):
        were that wrong, the read-back shows it. What is not declared would be lost in silence, and is sent along.
        """
        sent = super().beneath(write)
        seen = {self.attributes[name].api for name in write.desired} if self.facts.own("list_update", "merge") else ()
        return {name: value for name, value in sent.items() if name not in seen}

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Add the owner under either of its names, and the groups that see the list."""
        attrs = super().decode(row, tables)
        # `user` is null where `userid` is "0", and either may be missing (section 2.13).
        if attrs.get("user") is None and "userid" in row:
            attrs["user"] = self.attributes["user"].decode(row["userid"])
        if "_groups" in row:
            attrs["user_groups"] = [
                RemoteId("user_group", group) for group in dict.fromkeys(held for _, held in pairs(row["_groups"]))
            ]
        return attrs

    def echoes(self, live: Live) -> dict[str, tuple[Json, Json]]:
        """The owner under the name that says one."""
        echoes = super().echoes(live)
        if "user" in echoes:
            stored, sent = echoes["user"]
            echoes["user"] = (stored or live.row.get("userid"), sent)
        return echoes

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """`stringid`, then the name."""
        return tuple((label, attrs[label]) for label in ("string_id", "name") if attrs.get(label))

    def create(self, write: Write) -> Flow[None]:
        """POST the list, then one list group each."""
        body = self.body(write, write.desired)
        body.setdefault("stringid", re.sub(r"[^a-z0-9]+", "-", write.key.lower()).strip("-"))  # row 16: "send it"
        created = (yield post("/lists", {"list": body})).created("list", "lists")
        yield Bound(created)
        for group in links_of(write.desired.get("user_groups")):
            yield _join(created, write.ids(group))

    def update(self, write: Write) -> Flow[None]:
        """PUT the properties; list groups have no update: the new ones are added before the old ones go."""
        yield from super().update(write)
        if "user_groups" not in write.changed:
            return
        wanted = {write.ids(group) for group in links_of(write.desired.get("user_groups"))}
        rows = pairs(write.live.row.get("_groups", ())) if write.live else ()
        for group in sorted(wanted - {group for _, group in rows}):
            yield _join(write.id, group)
        for membership, group in rows:
            if group not in wanted:
                yield delete(at("/listGroups", membership))

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Join (list group id, user group id) pairs to each list; writes say `listid`/`groupid`, reads
        `list`/`group` (section 2.14).
        """
        if "listGroups" in tables.unknown:
            return tables.get("lists")
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in tables.get("listGroups"):
            groups[ident(row.get("list", row.get("listid")))].append(
                (ident(row["id"]), ident(row.get("group", row.get("groupid"))))
            )
        return [{**row, "_groups": sorted(groups[ident(row["id"])])} for row in tables.get("lists")]

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Contacts on the list in any status. How many are only on it, and so are deleted, cannot be counted in one
        call.
        """
        if not write.destroying:
            return []
        along = [*(yield from losing.fields_of_list(write.id)), *(yield from _campaigns(write.id))]
        answer = yield get("/contacts", listid=write.id, status="-1", limit="1")  # last: right before the delete
        noun = "contacts, on this list only, are deleted"
        return [Impact(answer.total(), noun, at_most=True), *along]


def _campaigns(identity: str) -> Flow[list[Impact]]:
    """Campaigns of the list go with it (section 2.13). Which they are, only undocumented listings tell (section 1.11,
    [TAP]): where there is none, or where it is longer than can be read, it is unknown how many.
    """
    noun = "campaigns go along"
    ids = yield from _mailed(identity)
    if ids is None:
        return [Impact(None, noun, detail="(the account does not list them)", effect="along")]
    names = []
    for campaign in ids[:NAMED]:
        answer = yield Request("GET", at("/campaigns", campaign), expect=(403, 404))
        names.append(str((answer.object_in("campaign") if answer.ok else {}).get("name") or f"id {campaign}"))
    names += [f"id {identity}" for identity in ids[NAMED:]]
    return [Impact(len(names), noun, effect="unmanaged", objects=tuple(names))] if names else []


def _mailed(identity: str) -> Flow[list[str] | None]:
    """Return the ids of the campaigns that are sent to a list, from the listing of all pairs, or else from the
    sub-collection that the links of each campaign name; None where neither tells.
    """
    pairs = yield from listed("/campaignLists", "campaignLists")
    if pairs is None:
        pairs, campaigns = [], (yield from listed("/campaigns", "campaigns"))
        if campaigns is None or len(campaigns) > NAMED:
            return None
        for row in campaigns:
            mine = yield from listed(at("/campaigns", row["id"], "campaignLists"), "campaignLists")
            if mine is None:
                return None
            pairs += [{"campaign": row["id"], **pair} for pair in mine]
    ids = [ident(row.get("campaign", row.get("campaignid"))) for row in pairs if ident(_list_of(row)) == identity]
    return list(dict.fromkeys(ids))


def _list_of(row: Row) -> object:
    return row.get("list", row.get("listid"))


def _join(identity: str, group: str) -> Request:
    return post("/listGroups", {"listGroup": {"listid": identity, "groupid": group}})


KIND = ListKind()
