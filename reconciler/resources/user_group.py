"""User groups: who may do what. API: /groups (section 2.18)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import Field

from reconciler.model.http import Flow, at
from reconciler.model.kind import Kind
from reconciler.model.live import Collection, Live, Row, Tables
from reconciler.model.nearest import did_you_mean
from reconciler.model.spec import KEY, Api, Default, Normal, Spec
from reconciler.model.traits import Abilities, Reading, Texts
from reconciler.model.values import Json, Value, map_of, sendable
from reconciler.model.write import Finding, Impact, Write
from reconciler.resources import losing
from reconciler.resources.counts import counted_rows

ADMIN = "3"
"""Id of the Admin group in every recorded and documented example (section 2.18)."""
RESERVED = ("1", "2", ADMIN)
PLAIN = ("title", "descript", "id", "links", "sdate", "cdate", "udate")
"""Properties that are not permissions."""
PERMISSION = re.compile(r"pg[A-Z_]\w*|reqApproval\w*|unsubscribelink|optinconfirm|socialdata")
"""Names of permissions, also of those that the vendor may add. What else a row holds may be a stamp or a count."""

WRITABLE = frozenset(
    """
    unsubscribelink optinconfirm pgListAdd pgListEdit pgListDelete pgListHeaders pgListEmailaccount pgListBounce
    pgMessageAdd pgMessageEdit pgMessageDelete pgMessageSend pgContactAdd pgContactEdit pgContactDelete pgContactMerge
    pgContactImport pgContactApprove pgContactExport pgContactSync pgContactFilters pgContactActions pgContactFields
    pg_user_add pg_user_edit pg_user_delete pgGroupAdd pgGroupEdit pgGroupDelete pgTemplateAdd pgTemplateEdit
    pgTemplateDelete pgPersonalizationAdd pgPersonalizationEdit pgPersonalizationDelete pgAutomationManage pgFormEdit
    pgReportsCampaign pgReportsList pgReportsUser pgReportsTrend pgStartupReports pgStartupGettingstarted pgDeal
    pgDealDelete pgDealReassign pgDealGroupAdd pgDealGroupEdit pgDealGroupDelete pgSavedResponsesManage pgTagManage
    reqApproval reqApproval1st reqApprovalNotify socialdata
    """.split()
)
"""Flags that the API documents for writes (section 2.18)."""
READ = frozenset(
    """
    p_admin pgReportsDeal pgAccountAdd pgAccountEdit pgAccountDelete pgAccountManageCustomField pgDealFields pgMfaAdmin
    pgDealExport pgDealManageRoles pgAccountNoteAdd pgAccountNoteEdit pgAccountNoteDelete pgDealNoteAdd pgDealNoteEdit
    pgDealNoteDelete pgDealListAll pgContactResubscribe pgDealImport pgAccountImport pgAccountExport
    """.split()
)
"""Flags that groups were recorded with, and that are read-only or undocumented for writes (section 2.18)."""
TEXTS = ("reqApproval1st", "reqApprovalNotify")
"""Flags that are not on or off: a number, and e-mail addresses."""


def normal_flags(flags: Value) -> dict[str, str]:
    """Return flags as they are compared: written as true, 1 or "1", read as "1" (section 1.4)."""
    return {name: _text(value) for name, value in map_of(flags).items()}


def _text(value: Value) -> str:
    return str(int(value)) if isinstance(value, bool) else "" if value is None else str(value)


class UserGroup(Spec):
    """A group of users with its permissions."""

    name: Annotated[str, Api("title"), Default(KEY)] = Field("", description="Title of the group.")
    description: Annotated[str | None, Api("descript")] = Field(None, description="What the group is for.")
    # The vendor adds flags over time, and the defaults of new groups are told differently (row 34 of section 7).
    flags: Annotated[dict[str, bool | int | str] | None, Api(None), Normal(normal_flags)] = Field(
        None,
        description="Permissions by the API's names, e.g. {pgListAdd: true}; those that are not named are left alone.",
    )


class UserGroupKind(Kind):
    """Only declared flags are managed. Groups 1 to 3 belong to the account and can only be looked up."""

    name = "user_group"
    section = "user_groups"
    spec = UserGroup
    title = "User group"
    path = "/groups"
    wrapper = "group"
    reading = Reading((Collection("/groups", "groups"),), filled=frozenset({"flags"}))
    abilities = Abilities(merges=frozenset({"flags"}))
    texts = Texts(
        delete_warning="Its users lose its permissions, and lists and pipelines that only it sees are hidden "
        "from them.",
        gone="Its people lose its permissions.",
        place=130,
    )

    def claims(self, row: Row, tables: Tables) -> bool:
        """Ids 1 and 2 are reserved, 3 is Admin."""
        return str(row["id"]) not in RESERVED

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Whatever is not a plain property is a flag."""
        flags = {name: _flag(value) for name, value in row.items() if name not in PLAIN and _is_flag(value)}
        return {**super().decode(row, tables), "flags": flags}

    def echoes(self, live: Live) -> dict[str, tuple[Json, Json]]:
        """And the permissions that are not flags: no write touches them."""
        others = {name: value for name, value in live.row.items() if PERMISSION.fullmatch(name) and not _is_flag(value)}
        return {**super().echoes(live), "flags": (others, {})}

    def body(self, write: Write, names: Iterable[str]) -> dict[str, Json]:
        """Flags are properties of the group; only those that differ are sent."""
        names = list(names)
        sent = super().body(write, names)
        if "flags" in names:
            live = map_of(write.live.attrs.get("flags") if write.live is not None else None)
            wanted = map_of(write.desired.get("flags"))
            sent |= {name: _sent(value) for name, value in wanted.items() if _text(value) != _text(live.get(name))}
        return sent

    def declare(self, attrs: Mapping[str, Value]) -> dict[str, Value]:
        """All flags, set or not: the defaults of a new group are not known well enough to leave any out."""
        flags = {
            name: value
            for name, value in map_of(attrs.get("flags")).items()
            if PERMISSION.fullmatch(name) and value != ""
        }
        return {**super().declare(attrs), **({"flags": flags} if flags else {})}

    def demands(self, attrs: Mapping[str, Value], changed: frozenset[str]) -> list[Finding]:
        """What cannot be a flag is refused; one that is not known may be new, and is told: a name that the account
        does not know is ignored by it, and would be planned again and again.
        """
        flags = map_of(attrs.get("flags")) if "flags" in changed else {}
        return [finding for name, value in flags.items() if (finding := _judged(name, value)) is not None]

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """No records; but who is in the group (rows of the linked sub-collection, section 5) should be known."""
        if not write.destroying:
            return []
        count = yield from counted_rows(at("/groups", write.id, "userGroups"), "userGroups")
        people = Impact(count, "people lose this group's permissions", effect="hidden")
        return [people, *(yield from losing.seen_by_group(write.id))]


def _judged(name: str, value: Value) -> Finding | None:
    """Return what is odd about a flag."""
    attribute = f"flags.{name}"
    if name not in WRITABLE | READ:
        hint = did_you_mean(name, WRITABLE | READ, "they are called as the API calls them, e.g. pgListAdd")
        if not PERMISSION.fullmatch(name):
            return Finding(f"`{name}` is not a permission of user groups", "error", attribute, hint)
        return Finding(f"`{name}` is not a permission that this version knows", "warning", attribute, hint)
    if name not in TEXTS and _text(value) not in ("", "0", "1"):
        return Finding(f"`{name}` is on or off", "warning", attribute, "write true or false")
    return None


def _is_flag(value: Json) -> bool:
    return isinstance(value, bool | int | str)


def _flag(value: Json) -> Value:
    """Return a flag as it would be declared."""
    flags: dict[str, Value] = {"0": False, "1": True}
    return flags.get(_text(value), value)


def _sent(value: Value) -> Json:
    return int(value) if isinstance(value, bool) else sendable(value)


KIND = UserGroupKind()
