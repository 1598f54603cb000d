"""Tags, lists and who may see them, and contacts as far as they are counted (sections 2.12 to 2.14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator import classic
from reconciler.emulator.account import Behaviour, Child, Filter, Type
from reconciler.emulator.answers import (
    Answer,
    Problem,
    Request,
    error,
    inner,
    invalid,
    no_result,
    nothing_here,
    refused,
)
from reconciler.emulator.families.segments import members as segment_members
from reconciler.emulator.rows import Row
from reconciler.emulator.types import AUTHORS, CDATE, DATED, ISO, STAMPED

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__, "neq": str.__ne__, "lt": str.__lt__, "lte": str.__le__, "gt": str.__gt__, "gte": str.__ge__,
    "contains": lambda name, wanted: wanted in name, "starts_with": lambda name, wanted: name.startswith(wanted),
}  # fmt: skip
"""What `filters[name][operator]` compares, without regard to case [OAS]."""


def named(rows: list[Row], column: str, param: str, query: Mapping[str, str]) -> list[Row]:
    """Return the rows whose name passes the operators that were asked for."""
    for operator, holds in OPERATORS.items():
        wanted = query.get(f"filters[{param}][{operator}]")
        if wanted is not None:
            rows = [row for row in rows if holds(str(row[column]).casefold(), wanted.casefold())]
    return rows


def unique_name(account: Account, path: str, column: str, given: Row, own: object = None) -> None:
    """Refuse a name that another row has, in accounts where names of this path are unique (row 20 of section 7)."""
    if path not in account.settings.unique or column not in given:
        return
    if any(row["id"] != own for row in account.rows.where(path, **{column: given[column]})):
        title = f"The {account.types[path].one} {column} already exists."
        raise invalid(error(title, column, code="duplicate"))


class Tags(Behaviour):
    """Names may repeat; deleting a tag takes it from all contacts."""

    def creating(self, account: Account, given: Row) -> None:
        """No source tells what a duplicate does."""
        unique_name(account, "tags", "tag", given)

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """Renames are recorded."""
        unique_name(account, "tags", "tag", given, row["id"])

    def shown(self, account: Account, row: Row) -> Row:
        """`subscriber_count` comes with reads and PUT answers."""
        return {**row, "subscriber_count": str(len(account.rows.where("contactTags", tag=row["id"])))}

    def rows(self, account: Account, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """`filters[search][operator]`."""
        return named(rows, "tag", "search", query)

    def deleted(self, account: Account, row: Row) -> None:
        """No undo."""
        account.rows.remove_where("contactTags", tag=row["id"])


class Lists(Behaviour):
    """Lists are seen by no user until a user group is related to them."""

    def creating(self, account: Account, given: Row) -> None:
        """`stringid` is derived when left out; `user` wins over `userid`."""
        if not account.settings.admin:
            raise refused("You do not have permission to create lists.", plain=True)
        unique_name(account, "lists", "name", given)
        unique_name(account, "lists", "stringid", given)

    def born(self, account: Account, row: Row, given: Row) -> None:
        """`userid` is "0" and `user` null when left out (recorded)."""
        if not row["stringid"]:
            row["stringid"] = slug(row["name"])
        _user(row, given)

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """What is left out is kept (recorded, never read again), refused or emptied (row 52 of section 7)."""
        gone = [name for name in LIST_REQUIRED if name not in given]
        if account.settings.list_update == "refuse" and gone:
            title = "The list {} was not provided."
            raise invalid(*(error(title.format(name), name, code="field_missing") for name in gone))
        if account.settings.list_update == "reset":
            defaults = account.types["lists"].defaults
            given.update({name: defaults.get(name, "") for name in gone})

    def updated(self, account: Account, row: Row, given: Row, query: Mapping[str, str]) -> None:
        """The twins stay equal."""
        if "user" in given or "userid" in given:
            row = dict(row)
            _user(row, given)
            account.rows.put("lists", row["id"], row)

    def rows(self, account: Account, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """`filters[name][operator]`, and the channel, which is e-mail unless asked for (row 51 of section 7)."""
        channel = query.get("filters[channel]", account.settings.list_channels)
        if channel != "all":
            rows = [row for row in rows if row.get("channel", "email") == channel]
        return named(rows, "name", "name", query)

    def deleted(self, account: Account, row: Row) -> None:
        """Its campaigns go with it (section 2.13); contacts that are only on it do, or stay (row 37 of section 7)."""
        members = {str(relation["contact"]) for relation in account.rows.where("contactLists", list=row["id"])}
        account.rows.remove_where("contactLists", list=row["id"])
        if account.settings.dead_references == "cleared":
            account.rows.remove_where("listGroups", list=row["id"])
            account.rows.remove_where("fieldRels", relid=row["id"])
        for pair in account.rows.where("campaignLists", list=row["id"]):
            account.rows.remove("campaigns", str(pair["campaign"]))
        account.rows.remove_where("campaignLists", list=row["id"])
        if account.settings.list_contacts == "kept":
            return
        for contact in members:
            if not account.rows.where("contactLists", contact=contact):
                forget_contact(account, contact)


LIST_REQUIRED = (
    "name", "sender_url", "sender_reminder", "send_last_broadcast", "carboncopy", "subscription_notify",
    "unsubscription_notify",
)  # fmt: skip
"""What the vendor's own client sends with every update of a list."""


def _user(row: Row, given: Row) -> None:
    owner = given.get("user", given.get("userid"))
    none = owner in (None, "", "0", 0)
    row["userid"], row["user"] = ("0", None) if none else (str(owner), str(owner))


def slug(name: object) -> str:
    """The `stringid` of a name."""
    return re.sub(r"[^a-z0-9]+", "-", str(name).lower()).strip("-")


def forget_contact(account: Account, contact: str) -> None:
    """Remove a contact and what is known of it."""
    account.rows.remove("contacts", contact)
    for table in ("contactTags", "contactLists", "fieldValues"):
        account.rows.remove_where(table, contact=contact)


class ListGroups(Behaviour):
    """Written `listid`, `groupid`, read `list`, `group` (recorded)."""

    def creating(self, account: Account, given: Row) -> None:
        """Both ends exist (inferred)."""
        if account.rows.get("lists", given["list"]) is None:
            raise no_result("_List", given["list"])
        if account.rows.get("groups", given["group"]) is None:
            raise no_result("Group", given["group"])


class Contacts(Behaviour):
    """Customer data, as far as it is counted."""

    def rows(self, account: Account, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """`listid` with `status` (-1: any), `segmentid` [OAS]; `id_greater` [DOC:pagination]."""
        wanted, status = query.get("listid"), query.get("status", "-1")
        if wanted is not None:
            members = {
                str(relation["contact"]) for relation in account.rows.where("contactLists", list=wanted)
                if status == "-1" or str(relation["status"]) == status
            }  # fmt: skip
            rows = [row for row in rows if str(row["id"]) in members]
        if "segmentid" in query:
            rows = segment_members(account, query["segmentid"], rows)
        after = query.get("id_greater", "")
        return [row for row in rows if int(row["id"]) > int(after)] if after.isdigit() else rows

    def meta(self, account: Account, rows: list[Row]) -> dict[str, Any]:
        """Recorded beside the total."""
        return {"page_input": {"segmentid": 0, "formid": 0, "listid": 0, "tagid": 0, "limit": 20, "offset": 0},
                "sortable": True}  # fmt: skip

    def creating(self, account: Account, given: Row) -> None:
        """E-mail addresses are unique [OAS]."""
        if account.rows.where("contacts", email=given["email"]):
            raise invalid(error("Email address already exists in the system", "email", code="duplicate"))

    def deleted(self, account: Account, row: Row) -> None:
        """Everything known of it goes."""
        forget_contact(account, row["id"])


class ContactTags(Behaviour):
    """Tags on contacts."""

    def creating(self, account: Account, given: Row) -> None:
        """A missing tag is 400 in the parameter form (recorded); a contact that is not there 404 [OAS]."""
        if not given.get("tag"):
            title, detail = "Invalid value for query parameter contactTag.tag", "No tag id provided"
            entry = {"title": title, "detail": detail, "source": {"parameter": "contactTag.tag"}}
            raise Problem(Answer(400, {"errors": [entry]}))
        if account.rows.get("contacts", given["contact"]) is None:
            gone = {"status": 404, "title": "Not Found", "detail": "Contact not found"}
            raise Problem(Answer(404, {"errors": [gone]}))


class Customers(Behaviour):
    """Accounts, in the sense of companies: customer data, as far as public clients ask for it [OAS]."""

    def creating(self, account: Account, given: Row) -> None:
        """Names are unique [OAS]."""
        _unique_customer(account, given, None)

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """Names stay unique."""
        _unique_customer(account, given, row["id"])

    def shown(self, account: Account, row: Row) -> Row:
        """No user is related to any."""
        return {**row, "contactCount": "0", "dealCount": "0"}


def _unique_customer(account: Account, given: Row, own: object) -> None:
    name = given.get("name")
    if any(row["id"] != own for row in account.rows.where("accounts", name=name)):
        title = f'An account named "{name}" already exists. Please choose a new name.'
        raise invalid(error(title, "name", code="duplicate"))


def sync(account: Account, request: Request) -> Answer | None:
    """POST /contact/sync: create a contact, or update the one with this address; 201 and 200 (recorded)."""
    if request.method != "POST" or request.parts[1:] != ["sync"]:
        return None
    kind, given = account.types["contacts"], inner(request.body, "contact")
    known = account.rows.where("contacts", email=given.get("email"))
    answer = classic.update(account, kind, known[0], request) if known else classic.create(account, kind, request.body)
    contact = answer.body["contact"]["id"]
    values = []
    for value in given.get("fieldValues") or ():
        own = {"contact": contact, "field": str(value.get("field")), "value": value.get("value")}
        account.rows.remove_where("fieldValues", contact=contact, field=own["field"])
        row = classic.new_row(account, account.types["fieldValues"], own)
        account.rows.put("fieldValues", row["id"], row)
        values.append(row)
    return Answer(200 if known else 201, {"fieldValues": values, **answer.body})


def contacts(account: Account, request: Request) -> Answer | None:
    """POST /contacts/sync is a plain create, or no path of the API (row 59 of section 7)."""
    if request.method != "POST" or request.parts[1:] != ["sync"]:
        return None
    if account.settings.contacts_sync == "missing":
        raise nothing_here()
    return classic.create(account, account.types["contacts"], request.body)


_P_FLAGS = (
    "list_add list_edit list_delete list_sync list_filter message_add message_edit message_delete message_send "
    "subscriber_add subscriber_edit subscriber_delete subscriber_import subscriber_approve"
).split()

TYPES = (
    Type(
        "tags", "tag", "Tag",
        required=("tag",),
        defaults={"tagType": "contact", "description": "", **AUTHORS},
        readonly=("created_by", "updated_by"),
        dates=CDATE | STAMPED,
        filters={"search": Filter("tag", contains=True)},
        orders={"orders[search]": "tag"},
        children={"contactTags": Child("contactTags", "tag")},
        acts=Tags(),
    ),
    Type(
        "lists", "list", "_List",
        required=("name",),
        # Recorded on a fresh list (appendix B); `channel` is newer.
        defaults={
            "stringid": "", "userid": "0", "p_use_tracking": "1", "p_use_analytics_read": "0",
            "p_use_analytics_link": "0", "p_use_twitter": "0", "p_use_facebook": "0", "p_embed_image": "1",
            "p_use_captcha": "1", "send_last_broadcast": "0", "private": "0", "analytics_domains": None,
            "analytics_source": "", "analytics_ua": "", "twitter_token": "", "twitter_token_secret": "",
            "facebook_session": None, "carboncopy": None, "subscription_notify": None,
            "unsubscription_notify": None, "require_name": "0", "get_unsubscribe_reason": "0",
            "to_name": "Subscriber", "optinoptout": "1", "sender_name": "", "sender_addr1": "", "sender_addr2": "",
            "sender_city": "", "sender_state": "", "sender_zip": "", "sender_country": "", "sender_phone": "",
            "sender_url": "", "sender_reminder": "", "fulladdress": None, "optinmessageid": "0",
            "optoutconf": "0", "deletestamp": None, "channel": "email", **AUTHORS, "user": None,
        },
        readonly=("created_by", "updated_by", "deletestamp"),
        frozen=("channel",),
        dates=DATED | STAMPED,
        filters={"filters[name]": Filter("name"), "filters[userid]": Filter("userid")},
        orders={"orders[name]": "name"},
        children={"contactLists": Child("contactLists", "list"), "addressLists": Child("addressLists", "listid")},
        missing={"DELETE": 403},
        acts=Lists(),
    ),
    Type(
        "listGroups", "listGroup", "ListGroup",
        required=("list", "group"),
        defaults={f"p_{name}": "0" for name in _P_FLAGS},
        names={"listid": "list", "groupid": "group"},
        readonly=tuple(f"p_{name}" for name in _P_FLAGS),
        dates={},
        does=frozenset({"list", "create", "get", "delete"}),
        acts=ListGroups(),
    ),
    Type(
        "contacts", "contact", "Subscriber",
        required=("email",),
        defaults={"phone": "", "firstName": "", "lastName": ""},
        filters={
            "tagid": Filter("tag", through="contactTags"), "email": Filter("email"),
            "email_like": Filter("email", contains=True),
        },
        orders={"orders[email]": "email"},
        children={
            "contactTags": Child("contactTags", "contact"), "contactLists": Child("contactLists", "contact"),
            "fieldValues": Child("fieldValues", "contact"),
        },
        acts=Contacts(),
    ),
    Type(
        "accounts", "account", "CustomerAccount",
        required=("name",),
        defaults={"accountUrl": None},
        dates={"createdTimestamp": ISO, "updatedTimestamp": ISO},
        echoed=("createdTimestamp", "updatedTimestamp"),
        filters={"search": Filter("name", contains=True)},
        acts=Customers(),
    ),
    Type(
        "contactTags", "contactTag", "SubscriberTag",
        required=("contact",),
        columns=("tag",),
        does=frozenset({"list", "create", "get", "delete"}),
        acts=ContactTags(),
    ),
    Type("contactLists", "contactList", "ContactList", required=("contact", "list"), defaults={"status": "1"}),
    Type(
        "fieldValues", "fieldValue", "FieldValue",
        required=("contact", "field"),
        defaults={"value": "", **AUTHORS},
        readonly=("created_by", "updated_by"),
        filters={"filters[fieldid]": Filter("field"), "filters[val]": Filter("value")},
    ),
)  # fmt: skip
ROUTES = {"contact": sync, "contacts": contacts}
