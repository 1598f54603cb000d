"""Users and user groups (sections 2.18, 2.19)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator import classic
from reconciler.emulator.account import Behaviour, Child, Type
from reconciler.emulator.answers import Answer, Request, error, invalid, no_result, refused
from reconciler.emulator.rows import Row

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

FLAGS = (
    "unsubscribelink optinconfirm pgListAdd pgListEdit pgListDelete pgListHeaders pgListEmailaccount pgListBounce "
    "pgMessageAdd pgMessageEdit pgMessageDelete pgMessageSend pgContactAdd pgContactEdit pgContactDelete "
    "pgContactMerge pgContactImport pgContactApprove pgContactExport pgContactSync pgContactFilters pgContactActions "
    "pgContactFields pg_user_add pg_user_edit pg_user_delete pgGroupAdd pgGroupEdit pgGroupDelete pgTemplateAdd "
    "pgTemplateEdit pgTemplateDelete pgPersonalizationAdd pgPersonalizationEdit pgPersonalizationDelete "
    "pgAutomationManage pgFormEdit pgReportsCampaign pgReportsList pgReportsUser pgReportsTrend pgStartupReports "
    "pgStartupGettingstarted pgDeal pgDealDelete pgDealReassign pgDealGroupAdd pgDealGroupEdit pgDealGroupDelete "
    "pgSavedResponsesManage pgTagManage reqApproval socialdata"
).split()
"""What can be written."""
UNDOCUMENTED = (
    "pgReportsDeal pgAccountAdd pgAccountEdit pgAccountDelete pgAccountManageCustomField pgDealFields pgMfaAdmin "
    "pgDealExport pgDealManageRoles pgAccountNoteAdd pgAccountNoteEdit pgAccountNoteDelete pgDealNoteAdd "
    "pgDealNoteEdit pgDealNoteDelete pgDealListAll pgContactResubscribe pgDealImport pgAccountImport pgAccountExport"
).split()
"""What reads return besides (recorded 2020)."""
ON_BY_DEFAULT = frozenset(
    (
        "pgReportsTrend pgReportsDeal pgStartupGettingstarted pgAccountAdd pgAccountEdit pgAccountDelete "
        "pgAccountManageCustomField pgDeal pgDealDelete pgDealReassign pgDealFields pgDealGroupAdd pgDealGroupEdit "
        "pgDealGroupDelete pgContactResubscribe"
    ).split()
)
"""Flags of a group that was created with a title only (recorded)."""
GROUP_DEFAULTS: Row = {
    "descript": None, "p_admin": "1", **dict.fromkeys((*FLAGS, *UNDOCUMENTED), "0"),
    "reqApproval1st": "2", "reqApprovalNotify": "", "sdate": None,
}  # fmt: skip


OWNER = "1"
"""The account owner's user (section 2.19)."""


class Groups(Behaviour):
    """Titles may repeat."""

    def born(self, account: Account, row: Row, given: Row) -> None:
        """Some flags are on from the start (recorded), or none (documented)."""
        if account.settings.group_flags == "recorded":
            row |= {name: "1" for name in ON_BY_DEFAULT if name not in given}

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """`title, descript, p_admin, links, id`, whatever was sent (recorded)."""
        shown = {name: answer[name] for name in ("title", "descript") if name in answer}
        return {"group": {**shown, "p_admin": 1, "links": answer["links"], "id": row["id"]}}

    def deleted(self, account: Account, row: Row) -> None:
        """Relations to it go, or stay (row 58 of section 7)."""
        if account.settings.dead_references == "kept":
            return
        for table, key in (("listGroups", "group"), ("dealGroupGroups", "group"), ("addressGroups", "groupid")):
            account.rows.remove_where(table, **{key: row["id"]})


class Users(Behaviour):
    """The password is written and never read; the group is a row of its own."""

    def creating(self, account: Account, given: Row) -> None:
        """Names are unique (inferred); addresses in accounts that say so."""
        _unique(account, given, None)
        given.setdefault("group", None)

    def born(self, account: Account, row: Row, given: Row) -> None:
        """The relation to the group has the user's id in all recordings."""
        _join(account, row["id"], given.pop("group", None))
        given.pop("password", None)

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """What was sent but group and password, the zone, dates, id (recorded)."""
        shown = {name: value for name, value in answer.items() if name not in ("group", "password")}
        return {"user": {**shown, "localZoneid": row["localZoneid"]}}

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """Whether the username may change is contradictory (row 27 of section 7)."""
        _unique(account, given, row["id"])
        if not account.settings.username_changes:
            given.pop("username", None)

    def updated(self, account: Account, row: Row, given: Row, query: Mapping[str, str]) -> None:
        """A group that is sent replaces the one before."""
        if given.get("group") is not None:
            account.rows.remove_where("userGroups", user=row["id"])
            _join(account, row["id"], given["group"])
        given.pop("group", None)
        if given.pop("password", None):
            account.rows.put("users", row["id"], {**row, "password_updated_utc_timestamp": row["udate"]})

    def update_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The group relation comes along, with its dates (recorded)."""
        dates = {"cdate": row["cdate"], "udate": row["udate"]}
        stamps = {
            name: str(row[own])[:19].replace("T", " ")
            for name, own in (("created_timestamp", "cdate"), ("updated_timestamp", "udate"))
        }
        permission = {"user": row["id"], "permission": "0", **stamps, "id": row["id"]}
        related = {"userGroup": row["id"], "userConversationsPermission": row["id"]}
        return {
            "userGroups": [{**dates, **membership} for membership in account.rows.where("userGroups", user=row["id"])],
            "userConversationsPermissions": [permission],
            "user": {name: value for name, value in answer.items() if name != "lang"} | related,
        }

    def deleting(self, account: Account, row: Row) -> None:
        """The owner of the account stays (section 2.19; the answer is inferred)."""
        if str(row["id"]) == OWNER:
            raise refused()

    def deleted(self, account: Account, row: Row) -> None:
        """Seats are freed."""
        account.rows.remove_where("userGroups", user=row["id"])
        if account.settings.dead_references == "cleared":
            account.rows.remove_where("dealGroupUsers", user=row["id"])


def _unique(account: Account, given: Row, own: object) -> None:
    for name in ("username", "email") if "users" in account.settings.unique else ("username",):
        if name in given and any(row["id"] != own for row in account.rows.where("users", **{name: given[name]})):
            raise invalid(error(f"The user {name} is already in use.", name, code="duplicate"))


def _join(account: Account, user: str, group: object) -> None:
    if group in (None, "", 0, "0"):
        return
    if account.rows.get("groups", group) is None:
        raise no_result("Group", group)
    twins = {"userid": user, "groupid": str(group), "id": user, "group": str(group), "user": user}
    account.rows.put("userGroups", user, twins)


def users(account: Account, request: Request) -> Answer | None:
    """GET /users/me, /users/email/{email}, /users/username/{name}."""
    parts = request.parts
    if request.method != "GET":
        return None
    kind = account.types["users"]
    if parts[1:] == ["me"]:
        return Answer(200, {"user": classic.shown(account, kind, account.rows.get("users", "1") or {"id": "1"})})
    if len(parts) == 3 and parts[1] in ("email", "username"):
        matching = account.rows.where("users", **{parts[1]: parts[2]})
        if not matching:
            raise no_result("User", parts[2])
        return Answer(200, {"user": classic.shown(account, kind, matching[0])})
    return None


TYPES = (
    Type(
        "groups", "group", "Group",
        required=("title",),
        defaults=GROUP_DEFAULTS,
        readonly=("p_admin", "sdate"),
        dates={},
        children={
            "userGroups": Child("userGroups", "group"), "groupLimit": Child("groupLimits", "group", one=True),
            "dealGroupGroups": Child("dealGroupGroups", "group"), "listGroups": Child("listGroups", "group"),
            "addressGroups": Child("addressGroups", "groupid"),
        },
        missing={"PUT": 403, "GET": 403},
        acts=Groups(),
    ),
    Type(
        "users", "user", "User",
        required=("username", "email"),
        defaults={
            "firstName": "", "lastName": "",
            "phone": "", "signature": None, "lang": "english", "localZoneid": "America/Chicago",
            "password_updated_utc_timestamp": None, "mfaEnabled": "0",
        },
        readonly=("password_updated_utc_timestamp", "mfaEnabled"),
        children={
            "lists": Child("lists", "userid"), "userGroup": Child("userGroups", "user", one=True),
            "dealGroupUsers": Child("dealGroupUsers", "user"), "configs": Child("configs", "userid"),
        },
        acts=Users(),
    ),
    Type("userGroups", "userGroup", "UserGroup", dates={}, does=frozenset({"list", "get"})),
    Type(
        "groupLimits", "groupLimit", "GroupLimit",
        defaults={
            "groupid": "", "limitMail": "0", "limitMailType": "month", "limitContact": "0", "limitList": "0",
            "limitCampaign": "0", "limitCampaignType": "month", "limitAttachment": "-1", "limitUser": "0",
            "abuseRatio": "4", "forceSenderInfo": "0", "group": "",
        },
        dates={},
        does=frozenset({"list", "get"}),
    ),
)  # fmt: skip
ROUTES = {"users": users}
