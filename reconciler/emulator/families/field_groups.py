"""Field groups, which arrange fields on record pages, and their members (section 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator import classic
from reconciler.emulator.account import Behaviour, Child, Type
from reconciler.emulator.answers import Answer, Problem, Request, error, invalid, no_result, nothing_here, whole
from reconciler.emulator.rows import Row

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

DEFAULTS = ((1, "{**DEFAULT**}"), (2, "{**DEAL_DEFAULT**}"), (3, "{**ACCOUNT_DEFAULT**}"))
"""Types of fields, which are the ids of their default groups too, and those groups' labels."""
LEAKED = "https://escape-velocity-grouper.cluster-private.app-us1.com/member"


class Groups(Behaviour):
    """Integers throughout; written `groupType`, read `type_id`."""

    def creating(self, account: Account, given: Row) -> None:
        """A group without a type is one of contact fields (inferred)."""
        if not given.get("label"):
            raise invalid(error("The groupDefinition label was not provided.", "label", code="field_missing"))
        given["type_id"] = whole(given.get("type_id") or 1)
        last = account.rows.count("groupDefinitions")
        given["ordernum"] = last + 1 if given.get("ordernum") in (None, "") else whole(given["ordernum"])

    def born(self, account: Account, row: Row, given: Row) -> None:
        """Ids are JSON integers."""
        row["id"] = int(row["id"])

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The whole object [OAS]."""
        return {"groupDefinition": classic.shown(account, account.types["groupDefinitions"], row)}

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """Integers stay integers."""
        given.update({name: whole(given[name]) for name in ("type_id", "ordernum") if given.get(name) is not None})

    def deleted(self, account: Account, row: Row) -> None:
        """Members go with their group (inferred), or stay (row 58 of section 7)."""
        if account.settings.dead_references == "cleared":
            account.rows.remove_where("groupMembers", group_id=row["id"])


class Members(Behaviour):
    """Fields in groups."""

    def creating(self, account: Account, given: Row) -> None:
        """A missing field leaks the inner service's message as 403; an unknown group is 404 [OAS]."""
        if not given.get("rel_id"):
            inner = '{"message": {"rel_id": "rel_id is required"}}'
            message = f"Client error: `POST {LEAKED}` resulted in a `400 Bad Request` response:\n{inner}\n\n"
            raise Problem(Answer(403, {"message": message}))
        if account.rows.get("groupDefinitions", given.get("group_id")) is None:
            raise no_result("GroupDefinition", given.get("group_id"))
        given["rel_id"], given["group_id"] = whole(given["rel_id"]), whole(given["group_id"])
        if given.get("ordernum") is None:
            others = account.rows.where("groupMembers", group_id=given["group_id"])
            given["ordernum"] = max((whole(row.get("ordernum") or 0) for row in others), default=0) + 1

    def born(self, account: Account, row: Row, given: Row) -> None:
        """Ids are JSON integers."""
        row["id"] = int(row["id"])

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The whole object [OAS]."""
        return {"groupMember": classic.shown(account, account.types["groupMembers"], row)}

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """The same checks [OAS]."""
        self.creating(account, given)

    def updated(self, account: Account, row: Row, given: Row, query: Mapping[str, str]) -> None:
        """Others make room, where places are dense (row 56 of section 7)."""
        make_room(account, row)

    def deleted(self, account: Account, row: Row) -> None:
        """Others move up."""
        make_room(account, row)


def make_room(account: Account, row: Row) -> None:
    """Number the members of a row's group from 1, the row itself before who stands at its place."""
    if account.settings.member_order != "dense":
        return
    rows = account.rows.where("groupMembers", group_id=row["group_id"])
    rows.sort(key=lambda member: (whole(member.get("ordernum") or 0), member["id"] != row["id"], member["id"]))
    for place, member in enumerate(rows, 1):
        account.rows.put("groupMembers", member["id"], {**member, "ordernum": place})


def _place(row: Row) -> tuple[bool, int, int]:
    """Return where a member stands in its group: by number, ties by id; seeded rows may have texts, or no number."""
    order = row.get("ordernum")
    return order in (None, ""), whole(order or 0), whole(row["id"])


def group_definitions(account: Account, request: Request) -> Answer | None:
    """The documentation of POST describes query parameters (row 12 of section 7); listing may be elsewhere."""
    if request.method == "GET" and len(request.parts) == 1 and account.settings.field_groups == "members":
        raise nothing_here()
    prefix = "groupDefinition."
    asked = {name.removeprefix(prefix): v for name, v in request.query.items() if name.startswith(prefix)}
    if request.method == "POST" and asked:
        return classic.create(account, account.types["groupDefinitions"], {"groupDefinition": asked})
    return None


def group_members(account: Account, request: Request) -> Answer | None:
    """GET /groupMembers answers the groups; with `group_id` the members of one (row 11 of section 7). Where a field is
    in one group only (row 57), who joins another one moves there.
    """
    if request.method == "POST" and len(request.parts) == 1:
        return _joined(account, request)
    if request.method != "GET" or len(request.parts) > 1:
        return None
    group = request.query.get("group_id")
    if group is None and account.settings.field_groups != "definitions":
        return classic.listing(account, account.types["groupDefinitions"], request.query)
    rows = account.rows.all("groupMembers") if group is None else account.rows.where("groupMembers", group_id=group)
    rows = sorted(rows, key=lambda row: (whole(row["group_id"]), *_place(row)))
    return Answer(200, {"groupMembers": classic.paged(account, rows, request.query)})


def _joined(account: Account, request: Request) -> Answer:
    kind = account.types["groupMembers"]
    given = classic.sent(kind, request.body)
    group = account.rows.get("groupDefinitions", given.get("group_id"))
    if account.settings.field_memberships == "one" and group is not None:
        own = {str(group["id"]) for group in account.rows.where("groupDefinitions", type_id=group["type_id"])}
        for row in account.rows.where("groupMembers", rel_id=given.get("rel_id")):
            if str(row["group_id"]) in own:
                answer = classic.update(account, kind, row, request)
                return Answer(account.settings.created_status, answer.body)
    answer = classic.create(account, kind, request.body)
    membership = account.rows.get("groupMembers", answer.body["groupMember"]["id"])
    if membership is not None:
        make_room(account, membership)
    return answer


TYPES = (
    Type(
        "groupDefinitions", "groupDefinition", "GroupDefinition",
        total="none", native=True, dates={}, echoed=(),
        defaults={"type_id": 1, "label": "", "ordernum": 1, "created_by": 1, "updated_by": 1},
        names={"groupType": "type_id"},
        readonly=("created_by", "updated_by"),
        children={"groupMembers": Child("groupMembers", "group_id")},
        acts=Groups(),
    ),
    Type(
        "groupMembers", "groupMember", "GroupMember",
        total="none", native=True, dates={}, echoed=(),
        defaults={"group_id": 0, "rel_id": 0, "ordernum": 1, "created_by": 1, "updated_by": 1},
        readonly=("created_by", "updated_by"),
        acts=Members(),
    ),
)  # fmt: skip
ROUTES = {"groupDefinitions": group_definitions, "groupMembers": group_members}
