"""Pipelines, their stages, and deals as far as they are counted (sections 2.7, 2.8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator import classic
from reconciler.emulator.account import Behaviour, Child, Filter, Type
from reconciler.emulator.answers import Answer, Problem, Request, inner, no_result, whole
from reconciler.emulator.rows import Row

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

DEFAULT_STAGES = ("To Contact", "In Contact", "Follow Up")
PALETTES = {"2020-05": ("18D499", "32B0FC", "E6CE4B"), "2020-07": ("19CCA3", "5884EA", "FBD965")}
MEMBERS = (("users", "dealGroupUsers", "user"), ("groups", "dealGroupGroups", "group"))
"""What pipelines are sent, the table that keeps it, its column."""


class Pipelines(Behaviour):
    """Three default stages with each; users and groups are rows of their own."""

    def born(self, account: Account, row: Row, given: Row) -> None:
        """Stage rows that an earlier pipeline of this id left behind are adopted (section 1.10)."""
        _set_members(account, row["id"], given)
        kind = account.types["dealStages"]
        for order, (title, color) in enumerate(zip(DEFAULT_STAGES, PALETTES[account.settings.palette], strict=True), 1):
            identity = account.rows.next_id("dealStages", reuse=False)
            own: Row = {"group": row["id"], "title": title, "color": color, "order": str(order)}
            undated = {"cardRegion4": "contact-fullname-acctname", "cdate": None, "udate": None, "id": identity}
            account.rows.put("dealStages", identity, {**kind.defaults, **own, **undated})

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """Stages, users, groups in that order, and their ids (recorded)."""
        sides = _members(account, row["id"])
        stages = account.rows.where("dealStages", group=row["id"])
        ids = {table: [row["id"] for row in rows] for table, rows in sides.items()}
        plain = {name: value for name, value in answer.items() if name not in ("users", "groups")}
        return {"dealStages": stages, **sides, "dealGroup": plain | ids | {"stages": [stage["id"] for stage in stages]}}

    def updated(self, account: Account, row: Row, given: Row, query: Mapping[str, str]) -> None:
        """Arrays that are sent replace (section 1.9)."""
        _set_members(account, row["id"], given)

    def update_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """Ids of users and groups as after a create, but no `stages` (recorded)."""
        hidden = ("stages", "users", "groups")
        sides = _members(account, row["id"])
        ids = {table: [row["id"] for row in rows] for table, rows in sides.items()}
        return {**sides, "dealGroup": {name: value for name, value in answer.items() if name not in hidden} | ids}

    def shown(self, account: Account, row: Row) -> Row:
        """Ids of stages, orphans included, come with reads."""
        return row | {"stages": [stage["id"] for stage in account.rows.where("dealStages", group=row["id"])]}

    def rows(self, account: Account, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """`filters[have_stages]`."""
        wanted = query.get("filters[have_stages]")
        if wanted not in ("0", "1"):
            return rows
        return [row for row in rows if bool(account.rows.where("dealStages", group=row["id"])) == (wanted == "1")]

    def sides(self, account: Account, page: list[Row]) -> dict[str, list[Row]]:
        """Stages of the page that the key may see."""
        if not account.settings.side_load_stages:
            return {}
        seen = [row["id"] for row in page if row["id"] not in account.settings.hidden_pipelines]
        kind = account.types["dealStages"]
        return {
            "dealStages": [
                classic.shown(account, kind, stage) for group in seen
                for stage in account.rows.where("dealStages", group=group)
            ]
        }  # fmt: skip

    def deleted(self, account: Account, row: Row) -> None:
        """Deals go with a pipeline; stages too, or stay as orphans (row 8 of section 7)."""
        account.rows.remove_where("deals", group=row["id"])
        for _, table, _ in MEMBERS:
            account.rows.remove_where(table, dealGroup=row["id"])
        if not account.settings.orphan_stages:
            account.rows.remove_where("dealStages", group=row["id"])


def _members(account: Account, pipeline: object) -> dict[str, list[Row]]:
    return {table: account.rows.where(table, dealGroup=pipeline) for _, table, _ in MEMBERS}


def _set_members(account: Account, pipeline: str, given: Row) -> None:
    for name, table, key in MEMBERS:
        if name not in given:
            continue
        account.rows.remove_where(table, dealGroup=pipeline)
        for member in given[name] or ():
            identity = account.rows.next_id(table, reuse=False)
            twins = {"d_groupid": pipeline, "groupid": str(member)} if key == "group" else {}
            own = {"cdate": None, "id": identity, "dealGroup": pipeline, key: str(member)}
            account.rows.put(table, identity, twins | own)


class Stages(Behaviour):
    """Relative order, and where a stage may be."""

    def creating(self, account: Account, given: Row) -> None:
        """Without an order a stage comes last."""
        if account.rows.get("dealGroups", given["group"]) is None:
            raise no_result("DealGroup", given["group"])
        if given.get("order") is None:
            others = account.rows.where("dealStages", group=given["group"])
            given["order"] = max((whole(row["order"]) for row in others), default=0) + 1

    def updated(self, account: Account, row: Row, given: Row, query: Mapping[str, str]) -> None:
        """Renumber when `reorder=1`."""
        if query.get("reorder") == "1":
            reorder(account, row["group"])

    def rows(self, account: Account, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """Pipelines that the key's user cannot manage are left out in silence (section 1.2)."""
        hidden = account.settings.hidden_pipelines
        return [row for row in rows if str(row["group"]) not in hidden] if hidden else rows

    def deleted(self, account: Account, row: Row) -> None:
        """No refusal: deals go with their stage."""
        account.rows.remove_where("deals", stage=row["id"])


def reorder(account: Account, pipeline: object) -> None:
    """Number the stages of a pipeline from 1; on equal orders the highest id comes first (section 2.8)."""
    mine = account.rows.where("dealStages", group=pipeline)
    for order, stage in enumerate(sorted(mine, key=lambda stage: (whole(stage["order"]), -int(stage["id"]))), 1):
        account.rows.put("dealStages", stage["id"], {**stage, "order": str(order)})


def stages(account: Account, request: Request) -> Answer | None:
    """Creates with `reorder=1`, and the move of all deals of a stage."""
    parts = request.parts
    if request.method == "POST" and len(parts) == 1 and request.query.get("reorder") == "1":
        answer = classic.create(account, account.types["dealStages"], request.body)
        reorder(account, answer.body["dealStage"]["group"])
        return answer
    if request.method != "PUT" or parts[2:] != ["deals"]:
        return None
    stage = account.rows.get("dealStages", parts[1])
    if stage is None:
        raise no_result("DealStage", parts[1])
    target = account.rows.get("dealStages", inner(request.body, "deal").get("stage"))
    if target is None or str(target["group"]) != str(stage["group"]):
        error = {
            "title": "Invalid attribute",
            "detail": "Target stage does not belong to same pipeline",
            "source": {"pointer": "/data/attributes/stage"},
            "status": 422,
        }
        raise Problem(Answer(422, {"errors": [error]}))
    for deal in account.rows.where("deals", stage=stage["id"]):
        account.rows.put("deals", deal["id"], {**deal, "stage": str(target["id"])})
    return Answer(200, {"deals": account.rows.where("deals", stage=target["id"])})


class Deals(Behaviour):
    """Customer data, as far as it is counted."""

    def shown(self, account: Account, row: Row) -> Row:
        """Deals of pipelines that the key's user cannot manage are but a title (section 1.2)."""
        if str(row.get("group")) in account.settings.hidden_pipelines:
            return {"id": row["id"], "title": row.get("title"), "isDisabled": 1, "links": []}
        return row

    def meta(self, account: Account, rows: list[Row]) -> dict[str, Any]:
        """Sums by currency; `[]` when there are none (section 1.4)."""
        sums: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            sums[str(row.get("currency") or "usd").upper()].append(whole(row.get("value") or 0))
        totals = {
            code: {"total": str(len(values)), "value": str(sum(values)), "currency": code, "isDisabled": False}
            for code, values in sums.items()
        }
        return {"currencies": totals or []}


TYPES = (
    Type(
        "dealGroups", "dealGroup", "DealGroup",
        required=("title", "currency"),
        defaults={"allgroups": "1", "allusers": "0", "autoassign": "1", "win_probability_initialize_date": None},
        readonly=("win_probability_initialize_date",),
        filters={"filters[title]": Filter("title", contains=True)},
        orders={"orders[title]": "title"},
        children={
            "dealGroupUsers": Child("dealGroupUsers", "dealGroup"), "stages": Child("dealStages", "group"),
            "dealGroupGroups": Child("dealGroupGroups", "dealGroup"),
        },
        acts=Pipelines(),
    ),
    Type(
        "dealStages", "dealStage", "DealStage",
        required=("title", "group"),
        defaults={
            "color": "3f3f3f", "order": "1", "width": "280", "dealOrder": "next-action DESC",
            "cardRegion1": "title", "cardRegion2": "next-action", "cardRegion3": "show-avatar",
            "cardRegion4": "contact-fullname-orgname", "cardRegion5": "value",
        },
        filters={"filters[d_groupid]": Filter("group"), "filters[title]": Filter("title", contains=True)},
        orders={"orders[title]": "title"},
        children={"group": Child("dealGroups", "id", one=True)},
        acts=Stages(),
    ),
    Type("dealGroupUsers", "dealGroupUser", "DealGroupUser", does=frozenset({"list", "get"})),
    Type("dealGroupGroups", "dealGroupGroup", "DealGroupGroup", does=frozenset({"list", "get"})),
    Type(
        "deals", "deal", "Deal",
        total="int",
        required=("title",),
        defaults={
            "group": None, "stage": None, "owner": "1", "contact": None, "value": "0", "currency": "usd",
            "status": "0", "percent": None, "description": "", "dealTasktype": None,
        },
        filters={
            "filters[stage]": Filter("stage"), "filters[group]": Filter("group"), "filters[owner]": Filter("owner"),
            "filters[status]": Filter("status"), "filters[title]": Filter("title"),
            "filters[tasktype]": Filter("dealTasktype"),
        },
        acts=Deals(),
    ),
)  # fmt: skip
ROUTES = {"dealStages": stages}
