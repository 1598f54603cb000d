"""Deal roles, task types, task outcomes and their relations (sections 2.9 to 2.11)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.calling import Api


def test_deal_roles_are_created_and_deleted_only(api: Api) -> None:
    """Two exist from the start; no read by id, no update; the wrapper may be left out, as documented."""
    assert {row["title"] for row in api.get("/dealRoles")["dealRoles"]} == {"Decision Maker", "Contributor"}
    made = api.make("/dealRoles", "dealRole", title="Finance")
    assert set(made) == {"title", "created_timestamp", "updated_timestamp", "links", "id"}
    assert api("POST", "/dealRoles", {"title": "Bare"}).body["dealRole"]["title"] == "Bare"
    assert api.get("/dealRoles", search="fin")["meta"]["total"] == "1"
    assert [api(method, f"/dealRoles/{made['id']}", {"dealRole": {}}).status for method in ("GET", "PUT")] == [405, 405]
    api.make("/contactDeals", "contactDeal", contact=1, deal=1, role=made["id"])
    assert len(api.get(f"/dealRoles/{made['id']}/contactDeals")["contactDeals"]) == 1
    assert api("DELETE", f"/dealRoles/{made['id']}").body == {}


def test_the_recorded_task_type(api: Api) -> None:
    """A replay: the status is not echoed but read, the default types are undated, the update merges."""
    made = api.make("/dealTasktypes", "dealTasktype", title="Review")
    assert set(made) == {"title", "cdate", "udate", "created_by", "links", "id"}
    api("PUT", f"/dealTasktypes/{made['id']}", {"dealTasktype": {"status": 1}})
    changed = api("PUT", f"/dealTasktypes/{made['id']}", {"dealTasktype": {"title": "New Cool Title"}})
    assert (changed.body["dealTasktype"]["status"], changed.body["dealTasktype"]["defduration"]) == ("1", "0")
    rows = api.get("/dealTasktypes")["dealTasktypes"]
    assert [(row["title"], row["cdate"]) for row in rows[:4]] == [
        ("Call", None), ("Email", None), ("Lunch", None), ("Meeting", None),
    ]  # fmt: skip


@pytest.mark.parametrize(("mode", "status"), [("refused", 403), ("deleted", 200)])
def test_deleting_a_task_type(mode: str, status: int) -> None:
    """403 always, or 200 as in 2021; the body is {} in both."""
    api = Api(tasktype_delete=mode)
    reply = api("DELETE", "/dealTasktypes/1")
    assert (reply.status, reply.body) == (status, {})
    assert api.get("/dealTasktypes")["meta"]["total"] == ("4" if status == 403 else "3")


def test_tasks_are_counted_and_moved(api: Api) -> None:
    """By type and by outcome; all tasks of a type move to another."""
    api.account.seed({"dealTasktypes": [{"id": "9", "title": "Demo", "tasks": 3}]})
    api.account.seed({"taskOutcomes": [{"id": "5", "title": "Won", "sentiment": "POSITIVE", "tasks": 2}]})
    assert api.get("/dealTasks", **{"filters[d_tasktypeid]": 9, "limit": 1})["meta"]["total"] == "3"
    assert api.get("/dealTasks", **{"filters[outcome_id]": 5, "limit": 1})["meta"]["total"] == "2"
    assert len(api("PUT", "/dealTasktypes/9/dealTasks", {"dealTask": {"dealTasktype": "2"}}).body["dealTasks"]) == 3
    assert api.get("/dealTasks", **{"filters[d_tasktypeid]": 9})["meta"]["total"] == "0"
    assert api("PUT", "/dealTasktypes/9/dealTasks", {"dealTask": {"dealTasktype": "2"}}).body == {"dealTasks": []}


def test_the_documented_outcome(api: Api) -> None:
    """A replay: written `Positive`, read `POSITIVE`; `disabled` is "" in the echo and "0" when read."""
    made = api.make("/taskOutcomes", "taskOutcome", title="Interested", sentiment="Positive")
    assert {name: made[name] for name in ("title", "sentiment", "created_by", "disabled")} == {
        "title": "Interested", "sentiment": "POSITIVE", "created_by": "1", "disabled": "",
    }  # fmt: skip
    read = api.get(f"/taskOutcomes/{made['id']}")["taskOutcome"]
    assert (read["disabled"], read["dealTasktype_ids"], read["sentiment"]) == ("0", [], "POSITIVE")
    assert api.get("/taskOutcomes", **{"filters[sentiment]": 3})["meta"]["total"] == "1"
    assert api.get("/taskOutcomes", **{"filters[sentiment]": 1})["meta"]["total"] == "0"


def test_errors_of_outcomes(api: Api) -> None:
    """Title and sentiment are complained of at once; a title that is taken is told as text/plain."""
    reply = api("POST", "/taskOutcomes", {"taskOutcome": {}})
    assert [(one["code"], one["source"]["pointer"][17:]) for one in reply.body["errors"]] == [
        ("field_missing", "title"), ("field_invalid", "sentiment"),
    ]  # fmt: skip
    api.make("/taskOutcomes", "taskOutcome", title="A", sentiment="Neutral")
    reply = api("POST", "/taskOutcomes", {"taskOutcome": {"title": "A", "sentiment": "Neutral"}})
    assert reply.body["errors"][0]["title"] == "A task outcome with the same title already exists."
    assert (reply.status, reply.headers["content-type"][:10]) == (422, "text/plain")


@pytest.mark.parametrize(
    ("mode", "right", "wrong"),
    [("both", 200, 200), ("taskOutcomes", 200, 404), ("taskOutccomes", 404, 200)],
)
def test_both_spellings_of_the_path(mode: str, right: int, wrong: int) -> None:
    """Updates and deletes are at /taskOutcomes, at the documented /taskOutccomes, or at both."""
    api = Api(outcome_path=mode)
    made = api.make("/taskOutcomes", "taskOutcome", title="A", sentiment="Neutral")
    body = {"taskOutcome": {"sentiment": "Positive"}}
    assert api("PUT", f"/taskOutcomes/{made['id']}", body).status == right
    assert api("PUT", f"/taskOutccomes/{made['id']}", body).status == wrong
    assert api("GET", f"/taskOutccomes/{made['id']}").status == 404
    path = "taskOutcomes" if right == 200 else "taskOutccomes"
    assert api("DELETE", f"/{path}/{made['id']}").body == {}


@pytest.mark.parametrize("sent", [{"tasktype_id": 1, "outcome_id": 1}, {"tasktype": "1", "outcome": "1"}])
def test_relations_of_outcomes(api: Api, sent: dict[str, Any]) -> None:
    """The written shape is unknown: both names are taken, reads have both."""
    api.make("/taskOutcomes", "taskOutcome", title="A", sentiment="Neutral")
    made = api.make("/tasktypeOutcomeRels", "tasktypeOutcomeRel", **sent)
    read = api.get(f"/tasktypeOutcomeRels/{made['id']}")["tasktypeOutcomeRel"]
    assert {name: read[name] for name in ("tasktype_id", "outcome_id", "tasktype", "outcome", "display_order")} == {
        "tasktype_id": "1", "outcome_id": "1", "tasktype": "1", "outcome": "1", "display_order": "0",
    }  # fmt: skip
    assert api.get("/taskOutcomes/1")["taskOutcome"]["dealTasktype_ids"] == ["1"]
    assert (
        api("POST", "/tasktypeOutcomeRels", {"tasktypeOutcomeRel": {**sent, **dict.fromkeys(sent, 99)}}).status == 404
    )
    assert api("DELETE", f"/tasktypeOutcomeRels/{made['id']}").body == {}


@pytest.mark.parametrize(("mode", "status"), [("ok", 200), ("conflict", 409)])
def test_a_relation_whose_type_has_tasks(mode: str, status: int) -> None:
    """Its delete works, or is a 409 (row 50 of section 7)."""
    api = Api(outcome_rel_delete=mode)
    api.account.seed({"dealTasktypes": [{"id": "9", "title": "Demo", "tasks": 1}]})
    api.make("/taskOutcomes", "taskOutcome", title="A", sentiment="Neutral")
    made = api.make("/tasktypeOutcomeRels", "tasktypeOutcomeRel", tasktype_id=9, outcome_id=1)
    assert api("DELETE", f"/tasktypeOutcomeRels/{made['id']}").status == status
