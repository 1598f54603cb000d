"""Pipelines, stages, deals (sections 1.10, 2.7, 2.8, appendix F)."""

from __future__ import annotations

import pytest

from tests.emulator.calling import Api


def new_pipeline(api: Api, title: str = "P") -> str:
    """Create a pipeline and return its id."""
    return str(api.make("/dealGroups", "dealGroup", title=title, currency="eur")["id"])


def titles(api: Api, pipeline: str) -> list[str]:
    """Return the titles of a pipeline's stages, in their order."""
    rows = api.get("/dealStages", **{"filters[d_groupid]": pipeline})["dealStages"]
    return [row["title"] for row in sorted(rows, key=lambda row: int(row["order"]))]


def test_the_recorded_create_of_a_pipeline(api: Api) -> None:
    """A replay: three undated default stages, users and groups as rows, ids in the pipeline, in the recorded order."""
    sent = {
        "title": "Bogus Pipeline", "currency": "eur", "allgroups": 1, "allusers": 1, "autoassign": 1,
        "users": ["1"], "groups": ["3"],
    }  # fmt: skip
    reply = api("POST", "/dealGroups", {"dealGroup": sent})
    assert reply.status == 201
    stages = reply.body["dealStages"]
    assert [(row["title"], row["order"], row["cdate"]) for row in stages] == [
        ("To Contact", "1", None), ("In Contact", "2", None), ("Follow Up", "3", None),
    ]  # fmt: skip
    assert {row["cardRegion4"] for row in stages} == {"contact-fullname-acctname"}
    assert reply.body["dealGroupUsers"] == [{"dealGroup": "1", "user": "1", "cdate": None, "id": "1"}]
    assert reply.body["dealGroupGroups"] == [
        {"d_groupid": "1", "groupid": "3", "cdate": None, "id": "1", "dealGroup": "1", "group": "3"}
    ]
    made = reply.body["dealGroup"]
    assert (made["stages"], made["dealGroupUsers"], made["dealGroupGroups"]) == (["1", "2", "3"], ["1"], ["1"])
    assert not {"users", "groups"} & set(made)
    assert [row["user"] for row in api.get("/dealGroups/1/dealGroupUsers")["dealGroupUsers"]] == ["1"]


def test_the_recorded_update_of_a_pipeline(api: Api) -> None:
    """A replay: no `stages` in the answer; groups that are sent replace, users that are not stay."""
    made = api.make("/dealGroups", "dealGroup", title="A", currency="eur", users=["1"], groups=["3"])
    reply = api("PUT", f"/dealGroups/{made['id']}", {"dealGroup": {"title": "B", "currency": "usd", "groups": []}})
    assert "stages" not in reply.body["dealGroup"]
    assert (reply.body["dealGroup"]["title"], reply.body["dealGroup"]["currency"]) == ("B", "usd")
    assert (len(reply.body["dealGroupUsers"]), reply.body["dealGroupGroups"]) == (1, [])


def test_pipelines_may_share_a_title(api: Api) -> None:
    """Four pipelines of one title are recorded; the title filter contains."""
    for _ in range(2):
        new_pipeline(api, "Bogus Pipeline")
    assert api.get("/dealGroups", **{"filters[title]": "bogus"})["meta"]["total"] == "2"


@pytest.mark.parametrize("palette", ["2020-05", "2020-07"])
def test_default_colours_depend_on_the_day(palette: str) -> None:
    """The palette changed between two recordings."""
    api = Api(palette=palette)
    new_pipeline(api)
    first = api.get("/dealStages")["dealStages"][0]
    assert first["color"] == {"2020-05": "18D499", "2020-07": "19CCA3"}[palette]


def test_deleting_a_pipeline_takes_stages_and_deals(api: Api) -> None:
    """The documented cascade, without a refusal."""
    api.account.seed({"dealGroups": [{"title": "P", "stages": [{"title": "S", "deals": 2}]}]})
    assert api("DELETE", "/dealGroups/1").body == {}
    assert api.get("/dealStages")["meta"]["total"] == "0"
    assert api.get("/deals")["meta"] == {"total": 0, "currencies": []}


def test_orphan_stages_are_listed_and_adopted() -> None:
    """As in 2020: stage rows outlive their pipeline, and a new one of the same id answers six (appendix F)."""
    api = Api(orphan_stages=True, id_reuse=True)
    first = new_pipeline(api)
    api("DELETE", f"/dealGroups/{first}")
    assert api.get("/dealStages")["meta"]["total"] == "3"
    assert api.get("/dealGroups")["dealStages"] == []
    reply = api("POST", "/dealGroups", {"dealGroup": {"title": "Again", "currency": "eur"}})
    assert reply.body["dealGroup"]["id"] == first
    assert [row["id"] for row in reply.body["dealStages"]] == ["1", "2", "3", "4", "5", "6"]
    assert reply.body["dealGroup"]["stages"] == ["1", "2", "3", "4", "5", "6"]


def test_ids_are_not_reused_by_default(api: Api) -> None:
    """The id of the last pipeline stays taken when it is deleted."""
    api("DELETE", f"/dealGroups/{new_pipeline(api)}")
    assert new_pipeline(api) == "2"


def test_a_new_stage_comes_last_with_the_documented_defaults(api: Api) -> None:
    """Order is the highest plus one; colour, width, regions are the documented ones."""
    pipeline = new_pipeline(api)
    made = api.make("/dealStages", "dealStage", title="S", group=pipeline)
    read = api.get(f"/dealStages/{made['id']}")["dealStage"]
    assert (made["order"], read["color"], read["width"], read["dealOrder"]) == (4, "3f3f3f", "280", "next-action DESC")
    assert [read[f"cardRegion{n}"] for n in range(1, 6)] == [
        "title", "next-action", "show-avatar", "contact-fullname-orgname", "value",
    ]  # fmt: skip


def test_reorder_puts_the_newest_first_on_equal_orders(api: Api) -> None:
    """`reorder=1` renumbers from 1 by (order, highest id first), on create and update."""
    pipeline = new_pipeline(api)
    api("POST", "/dealStages?reorder=1", {"dealStage": {"title": "New", "group": pipeline, "order": 2}})
    assert titles(api, pipeline) == ["To Contact", "New", "In Contact", "Follow Up"]
    api("PUT", "/dealStages/3?reorder=1", {"dealStage": {"order": 1}})
    assert titles(api, pipeline) == ["Follow Up", "To Contact", "New", "In Contact"]
    rows = api.get("/dealStages")["dealStages"]
    assert sorted(row["order"] for row in rows) == ["1", "2", "3", "4"]


def test_without_reorder_orders_stay_as_sent(api: Api) -> None:
    """Equal orders and gaps are possible."""
    pipeline = new_pipeline(api)
    api.make("/dealStages", "dealStage", title="S", group=pipeline, order=2)
    api("PUT", "/dealStages/1", {"dealStage": {"order": 9}})
    assert sorted(row["order"] for row in api.get("/dealStages")["dealStages"]) == ["2", "2", "3", "9"]


def test_moving_all_deals_of_a_stage(api: Api) -> None:
    """PUT /dealStages/{id}/deals moves them within the pipeline; another pipeline is a 422."""
    one, other = new_pipeline(api), new_pipeline(api)
    for _ in range(2):
        api.make("/deals", "deal", title="D", stage="1", group=one, value=500, currency="eur")
    reply = api("PUT", "/dealStages/1/deals", {"deal": {"stage": "4"}})
    assert (reply.status, reply.body["errors"][0]["detail"]) == (422, "Target stage does not belong to same pipeline")
    assert other != one
    assert len(api("PUT", "/dealStages/1/deals", {"deal": {"stage": "2"}}).body["deals"]) == 2
    assert api.get("/deals", **{"filters[stage]": "2", "limit": 1})["meta"] == {
        "total": 2,
        "currencies": {"EUR": {"total": "2", "value": "1000", "currency": "EUR", "isDisabled": False}},
    }


def test_deleting_a_stage_takes_its_deals(api: Api) -> None:
    """No refusal (section 2.8)."""
    api.account.seed({"dealGroups": [{"title": "P", "stages": [{"title": "S", "deals": 3, "open": 2, "worth": 100}]}]})
    assert api.get("/deals", **{"filters[group]": "1", "filters[status]": "0"})["meta"]["total"] == 2
    api("DELETE", "/dealStages/1")
    assert api.get("/deals")["meta"]["total"] == 0


def test_stages_of_an_unknown_pipeline_are_refused(api: Api) -> None:
    """A stage needs a pipeline that there is (inferred)."""
    assert api("POST", "/dealStages", {"dealStage": {"title": "S", "group": "9"}}).status == 404


def test_pipelines_with_and_without_stages(api: Api) -> None:
    """`filters[have_stages]`; a pipeline without stages can exist."""
    api.account.seed({"dealGroups": [{"title": "empty"}]})
    new_pipeline(api)
    assert [row["title"] for row in api.get("/dealGroups", **{"filters[have_stages]": "0"})["dealGroups"]] == ["empty"]


def test_an_update_of_a_pipeline_names_its_members(api: Api) -> None:
    """The rows beside it and their ids inside, as after a create, but no stages (section 2.7)."""
    one = api.make("/dealGroups", "dealGroup", title="Sales", currency="eur", users=["1"], groups=["3"])
    body = api("PUT", f"/dealGroups/{one['id']}", {"dealGroup": {"title": "Sales 2"}}).body
    assert body["dealGroup"]["dealGroupUsers"] == [row["id"] for row in body["dealGroupUsers"]]
    assert body["dealGroup"]["dealGroupGroups"] == [row["id"] for row in body["dealGroupGroups"]]
    assert "stages" not in body["dealGroup"]
