"""Deal roles, task types, tasks as far as they are counted, task outcomes (sections 2.9 to 2.11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator import classic
from reconciler.emulator.account import Behaviour, Child, Filter, Type
from reconciler.emulator.answers import (
    PLAIN_TEXT,
    Answer,
    Problem,
    Request,
    error,
    inner,
    invalid,
    no_result,
    nothing_here,
)
from reconciler.emulator.families.audience import unique_name
from reconciler.emulator.rows import Row
from reconciler.emulator.types import DATED, ISO, UTC_STAMPED

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

SENTIMENTS = ("NEGATIVE", "NEUTRAL", "POSITIVE")
"""In the order of `filters[sentiment]`, from 1."""


def deal_roles(account: Account, request: Request) -> Answer | None:
    """The documented request of a create has no wrapper."""
    body = request.body
    if request.method == "POST" and isinstance(body, dict) and "dealRole" not in body and "title" in body:
        return classic.create(account, account.types["dealRoles"], {"dealRole": body})
    return None


class DealRoles(Behaviour):
    """No update."""

    def creating(self, account: Account, given: Row) -> None:
        """Whether titles are unique is unknown."""
        unique_name(account, "dealRoles", "title", given)


class TaskTypes(Behaviour):
    """Disabled rather than deleted."""

    def creating(self, account: Account, given: Row) -> None:
        """Titles "should be unique"."""
        unique_name(account, "dealTasktypes", "title", given)

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The creator is answered, the status is not (recorded)."""
        return {"dealTasktype": {**answer, "created_by": row["created_by"]}}

    def deleting(self, account: Account, row: Row) -> None:
        """403 always, or 200 as recorded in 2021 (row 6 of section 7)."""
        if account.settings.tasktype_delete == "refused":
            raise Problem(Answer(403, {}))

    def deleted(self, account: Account, row: Row) -> None:
        """Relations go (inferred), or stay (row 58 of section 7)."""
        if account.settings.dead_references == "cleared":
            account.rows.remove_where("tasktypeOutcomeRels", tasktype_id=row["id"])


def task_types(account: Account, request: Request) -> Answer | None:
    """PUT /dealTasktypes/{id}/dealTasks moves all tasks to another type (recorded)."""
    if request.method != "PUT" or request.parts[2:] != ["dealTasks"]:
        return None
    target = inner(request.body, "dealTask").get("dealTasktype")
    for identity in (request.parts[1], target):
        if account.rows.get("dealTasktypes", identity) is None:
            raise no_result("DealTasktype", identity)
    moved = [{**row, "dealTasktype": str(target)} for row in tasks_of(account, request.parts[1])]
    account.rows.put_many("dealTasks", [(row["id"], row) for row in moved])
    return Answer(200, {"dealTasks": moved})


def tasks_of(account: Account, tasktype: str) -> list[Row]:
    """The tasks of a type."""
    return account.rows.where("dealTasks", dealTasktype=tasktype)


class Outcomes(Behaviour):
    """Sentiments are written `Positive` and read `POSITIVE`; titles are unique."""

    def creating(self, account: Account, given: Row) -> None:
        """Both errors are told at once."""
        problems = []
        if not given.get("title"):
            title = "The taskOutcome title was not provided."
            code = "taskOutcome_title_was_not_provided"
            problems.append(error(title, "title", code="field_missing", error=code))
        _check(account, given, None, problems, plain=bool(given.get("title")), required=True)

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """`disabled` is an empty text in the echo [OAS]."""
        shown = {name: row[name] for name in ("title", "sentiment", "created_by")}
        return {"taskOutcome": {**shown, "disabled": "", "links": answer["links"], "id": row["id"]}}

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """The same checks."""
        _check(account, given, row["id"], [], plain=True, required=False)

    def update_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """No ids of task types [OAS]."""
        return {"taskOutcome": {name: value for name, value in answer.items() if name != "dealTasktype_ids"}}

    def shown(self, account: Account, row: Row) -> Row:
        """Ids of task types come with reads."""
        relations = account.rows.where("tasktypeOutcomeRels", outcome_id=row["id"])
        return row | {"dealTasktype_ids": [relation["tasktype_id"] for relation in relations]}

    def rows(self, account: Account, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """`filters[sentiment]`: 1 negative, 2 neutral, 3 positive."""
        wanted = query.get("filters[sentiment]")
        if wanted not in ("1", "2", "3"):
            return rows
        return [row for row in rows if row["sentiment"] == SENTIMENTS[int(wanted) - 1]]

    def deleted(self, account: Account, row: Row) -> None:
        """Relations go (inferred), or stay (row 58 of section 7)."""
        if account.settings.dead_references == "cleared":
            account.rows.remove_where("tasktypeOutcomeRels", outcome_id=row["id"])


def _check(account: Account, given: Row, own: object, problems: list[Any], *, plain: bool, required: bool) -> None:
    title = given.get("title")
    if title and any(row["id"] != own for row in account.rows.where("taskOutcomes", title=title)):
        problems.append(error("A task outcome with the same title already exists.", "title", error=""))
    if required or "sentiment" in given:
        sentiment = str(given.get("sentiment")).upper()
        if sentiment not in SENTIMENTS:
            text = "Sentiment value must be one of Positive, Neutral, or Negative."
            problems.append(error(text, "sentiment", error=""))
        given["sentiment"] = sentiment
    if problems:
        raise invalid(*problems, plain=plain)


def outcomes(account: Account, request: Request) -> Answer | None:
    """Updates and deletes may be at the misspelt path only (row 13 of section 7)."""
    if request.method in ("PUT", "DELETE") and account.settings.outcome_path == "taskOutccomes":
        raise nothing_here()
    return None


def misspelt_outcomes(account: Account, request: Request) -> Answer | None:
    """PUT and DELETE /taskOutccomes/{id}, as the documentation spells it."""
    if request.method not in ("PUT", "DELETE") or account.settings.outcome_path == "taskOutcomes":
        raise nothing_here()
    return classic.handle(account, account.types["taskOutcomes"], request)


class OutcomeRelations(Behaviour):
    """The written shape is unknown: taken under the names of reads, with and without `_id`."""

    def creating(self, account: Account, given: Row) -> None:
        """Both ends exist (inferred)."""
        for name, table, label in (
            ("tasktype_id", "dealTasktypes", "DealTasktype"),
            ("outcome_id", "taskOutcomes", "TaskOutcome"),
        ):
            if account.rows.get(table, given[name]) is None:
                raise no_result(label, given[name])

    def shown(self, account: Account, row: Row) -> Row:
        """Twins [OAS]."""
        return row | {"tasktype": row["tasktype_id"], "outcome": row["outcome_id"], "createdBy": row["created_by"]}

    def deleting(self, account: Account, row: Row) -> None:
        """Refused while the type has tasks, as prose says; or never (row 50 of section 7)."""
        if account.settings.outcome_rel_delete == "conflict" and tasks_of(account, row["tasktype_id"]):
            raise Problem(Answer(409, {"message": "The task type has tasks"}, PLAIN_TEXT))


TYPES = (
    Type(
        "dealRoles", "dealRole", "DealRole",
        required=("title",),
        dates={"created_timestamp": ISO, "updated_timestamp": ISO},
        echoed=("created_timestamp", "updated_timestamp"),
        does=frozenset({"list", "create", "delete"}),
        filters={"search": Filter("title", contains=True)},
        children={"contactDeals": Child("contactDeals", "role")},
        acts=DealRoles(),
    ),
    Type(
        "contactDeals", "contactDeal", "SubscriberDeal",
        required=("contact", "deal"),
        columns=("role",),
    ),
    Type(
        "dealTasktypes", "dealTasktype", "DealTasktype",
        required=("title",),
        defaults={"defduration": "0", "status": "0", "created_by": "1", "updated_by": None, "display_order": "0"},
        readonly=("defduration", "created_by", "updated_by", "display_order"),
        dates=DATED | UTC_STAMPED,
        children={"dealTasks": Child("dealTasks", "dealTasktype")},
        acts=TaskTypes(),
    ),
    Type(
        "dealTasks", "dealTask", "DealTask",
        defaults={
            "title": "", "reltype": "Deal", "relid": None, "status": "0", "note": "", "duedate": None, "edate": None,
            "dealTasktype": None, "outcome": None, "user": "1", "assignee": None, "automation": None,
            "doneAutomation": None,
        },
        names={"d_tasktypeid": "dealTasktype", "outcome_id": "outcome"},
        filters={
            "filters[d_tasktypeid]": Filter("dealTasktype"), "filters[outcome_id]": Filter("outcome"),
            "filters[status]": Filter("status"), "filters[reltype]": Filter("reltype"),
            "filters[relid]": Filter("relid"), "filters[title]": Filter("title"), "filters[userid]": Filter("user"),
            "filters[assignee_userid]": Filter("assignee"),
        },
    ),
    Type(
        "taskOutcomes", "taskOutcome", "TaskOutcome",
        defaults={"title": "", "sentiment": "", "disabled": "0", "created_by": "1", "updated_by": "1"},
        readonly=("created_by", "updated_by"),
        dates=UTC_STAMPED,
        plain=frozenset({"DELETE"}),
        acts=Outcomes(),
    ),
    Type(
        "tasktypeOutcomeRels", "tasktypeOutcomeRel", "TasktypeOutcomeRel",
        required=("tasktype_id", "outcome_id"),
        defaults={"display_order": "0", "created_by": "0", "updated_by": None},
        names={"tasktype": "tasktype_id", "outcome": "outcome_id"},
        readonly=("created_by", "updated_by"),
        dates=UTC_STAMPED,
        echoed=("created_utc_timestamp", "updated_utc_timestamp"),
        plain=frozenset({"DELETE"}),
        acts=OutcomeRelations(),
    ),
)  # fmt: skip
ROUTES = {
    "dealRoles": deal_roles,
    "dealTasktypes": task_types,
    "taskOutcomes": outcomes,
    "taskOutccomes": misspelt_outcomes,
}
FRESH: Mapping[str, list[Row]] = {
    "dealTasktypes": [
        {"title": title, "cdate": None, "udate": None, "created_by": "0"}
        for title in ("Call", "Email", "Lunch", "Meeting")
    ],
    "dealRoles": [{"title": "Decision Maker"}, {"title": "Contributor"}],
}
