"""What all endpoints have in common (section 1 of the API page, section 8.3)."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.families import TYPES
from tests.emulator.calling import Api


def test_five_requests_a_second_and_a_sixth_is_told_to_wait() -> None:
    """The sixth request of a second is answered 429 with Retry-After and RateLimit-*; a second later all is well."""
    api = Api(rate_limit=5.0)
    replies = [api("GET", "/tags") for _ in range(6)]
    assert [reply.status for reply in replies] == [200] * 5 + [429]
    assert [reply.headers["ratelimit-remaining"] for reply in replies] == ["4", "3", "2", "1", "0", "0"]
    assert replies[5].headers["retry-after"] == "1"
    assert replies[5].headers["ratelimit-limit"] == "5"
    api.now += 1.0
    assert api("GET", "/tags").status == 200


def test_429_without_a_hint() -> None:
    """Some 429 come without Retry-After and without RateLimit headers."""
    api = Api(rate_limit=1.0, retry_after=False)
    api("GET", "/tags")
    reply = api("GET", "/tags")
    assert reply.status == 429
    assert not {"retry-after", "ratelimit-limit"} & set(reply.headers)


@pytest.mark.parametrize("status", [403, 401])
def test_bad_token(status: int) -> None:
    """A wrong or missing token is answered 403, or 401 as other clients saw, and nothing is done."""
    api = Api(bad_token_status=status)
    reply = api("POST", "/tags", {"tag": {"tag": "A"}}, headers={"Api-Token": "wrong"})
    assert (reply.status, reply.body) == (status, {"message": "Forbidden"})
    assert api.get("/tags")["tags"] == []


def test_intermittent_403() -> None:
    """Every so many-th read is answered 403 although the key is right."""
    api = Api(flaky_reads=3)
    assert [api("GET", "/tags").status for _ in range(6)] == [200, 200, 403, 200, 200, 403]


def test_pages_hold_20_rows_unless_asked_and_100_at_most(api: Api) -> None:
    """`limit` is 20 by default and capped at 100; `offset` counts rows from 0; the total is the whole."""
    api.account.seed({"tags": [{"tag": f"t{n}"} for n in range(130)]})
    assert len(api.get("/tags")["tags"]) == 20
    assert len(api.get("/tags", limit=500)["tags"]) == 100
    page = api.get("/tags", limit=100, offset=100)
    assert [row["tag"] for row in page["tags"]] == [f"t{n}" for n in range(100, 130)]
    assert page["meta"]["total"] == "130"
    assert api.get("/tags", limit="many")["meta"]["total"] == "130"


def test_fields_may_page_by_100_by_default() -> None:
    """The default page of fields is 20 as seen, or 100 as documented; other types keep 20."""
    for page in (20, 100):
        api = Api(field_page=page)
        api.account.seed({path: [{}] * 30 for path in ("fields", "dealCustomFieldMeta", "accountCustomFieldMeta")})
        api.account.seed({"tags": [{"tag": str(n)} for n in range(30)]})
        assert len(api.get("/fields")["fields"]) == min(page, 30)
        assert len(api.get("/accountCustomFieldMeta")["accountCustomFieldMeta"]) == min(page, 30)
        assert len(api.get("/tags")["tags"]) == 20


def test_an_account_may_cap_pages_lower() -> None:
    """A server that ignores `limit` shows as a short page with the right total."""
    api = Api(cap_limit=20)
    api.account.seed({"tags": [{"tag": str(n)} for n in range(30)]})
    page = api.get("/tags", limit=100)
    assert (len(page["tags"]), page["meta"]["total"]) == (20, "30")


TOTALS = {
    "text": "fields fieldValues tags lists listGroups groups users dealGroups dealStages contacts webhooks",
    "int": "deals dealCustomFieldData webhook/events customObjects/schemas",
    "absent": "dealCustomFieldMeta accountCustomFieldMeta accountCustomFieldData groupMembers groupDefinitions",
}


@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind, paths in TOTALS.items() for path in paths.split()])
def test_type_of_the_total(api: Api, kind: str, path: str) -> None:
    """`meta.total` is a text, an integer or absent, by endpoint (section 1.4)."""
    total = api.get(f"/{path}").get("meta", {}).get("total")
    assert type(total).__name__ == {"text": "str", "int": "int", "absent": "NoneType"}[kind]


def test_unknown_filters_are_ignored(api: Api) -> None:
    """A filter that an endpoint does not document is passed over in silence."""
    api.account.seed({"tags": [{"tag": "a"}, {"tag": "b"}], "dealCustomFieldMeta": [{"values": 2}]})
    assert api.get("/tags", **{"filters[nonsense]": "x"})["meta"]["total"] == "2"
    assert api.get("/dealCustomFieldData", **{"filters[customFieldId]": "99"})["meta"]["total"] == 2


def test_writes_echo_types_and_reads_return_texts(api: Api) -> None:
    """Numbers and flags come back as sent (flags as 0 and 1), later reads hold texts (recorded for stages)."""
    group = api.make("/dealGroups", "dealGroup", title="P", currency="eur", allgroups=1)
    assert group["allgroups"] == 1
    assert api.get(f"/dealGroups/{group['id']}")["dealGroup"]["allgroups"] == "1"
    stage = api.make("/dealStages", "dealStage", title="S", group=group["id"], order=1, width=360)
    assert (stage["order"], stage["width"]) == (1, 360)
    read = api.get(f"/dealStages/{stage['id']}")["dealStage"]
    assert (read["order"], read["width"]) == ("1", "360")
    changed = api("PUT", f"/dealStages/{stage['id']}", {"dealStage": {"width": 300}}).body["dealStage"]
    assert (changed["width"], changed["order"]) == (300, "1")
    assert api.make("/fields", "field", title="F", type="text", visible=True)["visible"] == 1


def test_create_answers_are_sparse(api: Api) -> None:
    """A create answers what was sent and a few computed keys (recorded)."""
    made = api.make("/lists", "list", name="A", stringid="a", sender_url="https://a.example", sender_reminder="r")
    assert set(made) == {"name", "stringid", "sender_url", "sender_reminder", "cdate", "udate", "links", "id"}
    assert set(api.make("/groups", "group", title="G", descript="d", pgTagManage=True)) == {
        "title", "descript", "p_admin", "links", "id",
    }  # fmt: skip
    tag = api.make("/tags", "tag", tag="T", tagType="contact", description="d")
    assert set(tag) == {"tag", "tagType", "description", "cdate", "links", "id"}


def test_put_merges(api: Api) -> None:
    """What a PUT leaves out keeps its value (section 1.9)."""
    tag = api.make("/tags", "tag", tag="T", tagType="contact", description="kept")
    changed = api("PUT", f"/tags/{tag['id']}", {"tag": {"tag": "U", "tagType": "template"}})
    assert changed.status == 200
    read = api.get(f"/tags/{tag['id']}")["tag"]
    assert (read["tag"], read["tagType"], read["description"]) == ("U", "template", "kept")


def test_a_wrong_wrapper_changes_nothing(api: Api) -> None:
    """PUT with a wrong wrapper key is 200 and the unchanged object (recorded for deal fields)."""
    field = api.make("/dealCustomFieldMeta", "dealCustomFieldMetum", fieldLabel="A", fieldType="text")
    reply = api("PUT", f"/dealCustomFieldMeta/{field['id']}", {"dealCustomFieldMeta": {"fieldLabel": "B"}})
    assert (reply.status, reply.body["dealCustomFieldMetum"]) == (200, field)


def test_unknown_properties_are_echoed_and_forgotten(api: Api) -> None:
    """A property that no type has is not refused, and not there on the next read."""
    made = api.make("/tags", "tag", tag="T", colour="red")
    assert made["colour"] == "red"
    assert "colour" not in api.get(f"/tags/{made['id']}")["tag"]


@pytest.mark.parametrize("status", [201, 200])
def test_status_of_creates(status: int) -> None:
    """Creates answer 201 as recorded, or 200 as documented."""
    api = Api(created_status=status)
    assert api("POST", "/tags", {"tag": {"tag": "T"}}).status == status


def test_deletes_answer_by_type(api: Api) -> None:
    """DELETE is 200 with {}; deal and account fields say so in words; options answer an empty body."""
    field = api.make("/fields", "field", title="F", type="radio")
    options = {"fieldOptions": [{"field": field["id"], "value": "a", "label": "a"}]}
    option = api("POST", "/fieldOption/bulk", options).body["fieldOptions"][0]
    assert api("DELETE", f"/fieldOptions/{option['id']}").raw == b""
    assert api("DELETE", f"/fields/{field['id']}").body == {}
    for path, wrapper, label in (
        ("dealCustomFieldMeta", "dealCustomFieldMetum", "DealCustomFieldMeta"),
        ("accountCustomFieldMeta", "accountCustomFieldMetum", "AccountCustomFieldMeta"),
    ):
        made = api.make(f"/{path}", wrapper, fieldLabel="A", fieldType="text")
        assert api("DELETE", f"/{path}/{made['id']}").body == {"message": f"{label} deleted."}
        assert api("DELETE", f"/{path}/{made['id']}").body == {"errors": [{"status": 404, "title": "Not Found"}]}


def test_options_answer_an_object_in_2021() -> None:
    """The same delete answered {} a year later."""
    api = Api(option_delete="object")
    api.account.seed({"fields": [{"title": "F", "type": "radio", "options": ["a"]}]})
    assert api("DELETE", "/fieldOptions/1").body == {}


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("fields", "Field"), ("fieldRels", "FieldRel"), ("tags", "Tag"), ("lists", "_List"),
        ("dealGroups", "DealGroup"), ("dealStages", "DealStage"), ("contactTags", "SubscriberTag"),
        ("fieldValues", "FieldValue"),
    ],
)  # fmt: skip
def test_what_is_gone_is_404_with_the_inner_class_name(api: Api, path: str, label: str) -> None:
    """A second DELETE is 404 with the name of the class inside (recorded)."""
    reply = api("DELETE", f"/{path}/31")
    assert (reply.status, reply.body) == (404, {"message": f"No Result found for {label} with id 31"})


def test_an_empty_id_is_id_0(api: Api) -> None:
    """DELETE /dealStages/ looks for id 0 (recorded)."""
    assert api("DELETE", "/dealStages/").body == {"message": "No Result found for DealStage with id 0"}


def test_a_missing_list_or_group_may_be_403() -> None:
    """The documentation has 403 where its recorded likes have 404."""
    api = Api(not_found="documented")
    assert (api("DELETE", "/lists/7").status, api("PUT", "/groups/8", {"group": {}}).status) == (403, 403)
    assert api("DELETE", "/lists/7").body == {"message": "No Result found for _List with id 7"}


def test_required_properties(api: Api) -> None:
    """What is required and not sent is named, all of it, in a 422."""
    reply = api("POST", "/fields", {"field": {}})
    assert reply.status == 422
    assert [one["title"] for one in reply.body["errors"]] == [
        "The field title was not provided.", "The field type was not provided.",
    ]  # fmt: skip
    assert {one["code"] for one in reply.body["errors"]} == {"field_missing"}


def test_features_that_the_plan_lacks() -> None:
    """Plan gating is a 403 on all paths of the feature, and nothing else."""
    api = Api(forbidden=("deals", "customObjects"))
    assert api("GET", "/deals").status == 403
    assert api("GET", "/customObjects/schemas").status == 403
    assert api("GET", "/dealGroups").status == 200


def test_a_key_that_sees_less() -> None:
    """Stages of pipelines that the key's user cannot manage are left out in silence; deals are but a title."""
    api = Api(hidden_pipelines=("1",))
    api.account.seed(
        {"dealGroups": [{"title": title, "stages": [{"title": "S", "deals": 1}]} for title in ("hidden", "seen")]}
    )
    assert [row["group"] for row in api.get("/dealStages")["dealStages"]] == ["2"]
    hidden, seen = api.get("/deals")["deals"]
    assert (hidden["isDisabled"], "stage" in hidden, seen["stage"]) == (1, False, "2")
    assert len(api.get("/dealGroups")["dealGroups"]) == 2


def test_mixed_types() -> None:
    """An account may mix "1", 1 and true, and null and "", between rows; ids stay texts."""
    api = Api(mixed_types=1)
    api.account.seed({"lists": [{"name": str(n)} for n in range(40)]})
    rows = api.get("/lists", limit=100)["lists"]
    assert {type(row["p_use_tracking"]) for row in rows} == {str, int, bool}
    assert {row["carboncopy"] for row in rows} == {None, ""}
    assert all(isinstance(row["id"], str) for row in rows)


def test_the_root_redirects(api: Api) -> None:
    """GET / is 301 (recorded)."""
    assert api("GET", "/").status == 301


def test_unknown_paths_and_methods(api: Api) -> None:
    """An unknown path is 404, an unknown method 405; an endpoint may be missing from an account."""
    assert api("GET", "/nonsense").status == 404
    assert api("PUT", "/fieldRels/1", {"fieldRel": {}}).status == 405
    assert Api(missing=("lists",))("GET", "/lists").status == 404


def test_relations_by_their_names_in_links(api: Api) -> None:
    """Each entry of `links` is a sub-collection; types without any have `[]` (section 1.7)."""
    api.account.seed({"lists": [{"name": "L"}], "fields": [{"title": "F", "options": ["a", "b"], "relids": ["0"]}]})
    field = api.get("/fields/1")["field"]
    assert field["links"]["options"].endswith("/api/3/fields/1/options")
    assert [row["value"] for row in api.get("/fields/1/options")["fieldOptions"]] == ["a", "b"]
    assert [row["relid"] for row in api.get("/fields/1/relations")["fieldRels"]] == ["0"]
    assert api.get("/fieldRels/1")["fieldRel"]["links"] == []
    assert api("GET", "/fields/1/nonsense").status == 404


def test_account_settings(api: Api) -> None:
    """GET /settings/account is flat, and for admins only."""
    body = api.get("/settings/account")
    assert (body["account"], body["status"], body["subscriber_total"]) == ("demo", "active", 0)
    assert Api(admin=False)("GET", "/settings/account").status == 403


def test_the_redirect_of_the_root_ends(api: Api) -> None:
    """Whoever follows it arrives somewhere else than where it began."""
    location = api("GET", "/").headers["location"]
    assert not location.endswith("/api/3/")
    assert api("GET", location).status == 404


ODD: tuple[Any, ...] = ("12.50", "", None, "x", -1, 1.5, [], "0")
"""What seeds and clients put into columns of any kind."""


@pytest.mark.parametrize("path", sorted(path for path, kind in TYPES.items() if "list" in kind.does))
def test_no_value_of_a_row_makes_the_account_fail(path: str) -> None:
    """Whatever a seed holds, listings answer: `GET /deals` was a 500 after a deal worth "12.50"."""
    api, kind = Api(), TYPES[path]
    names = sorted({*kind.defaults, *kind.required, *kind.columns} - {"id", "options"})
    for value in ODD:
        api.account.seed({path: [dict.fromkeys(names, value)]})
    assert api("GET", f"/{path}", limit=100).status == 200


@pytest.mark.parametrize("path", sorted(path for path, kind in TYPES.items() if "list" in kind.does))
def test_no_row_that_lacks_columns_makes_the_account_fail(path: str) -> None:
    """A seed that says nothing of a row, or something that no type has: whatever the account shows with it answers."""
    api, kind = Api(), TYPES[path]
    api.account.seed({path: [{"id": "77"}, {"id": "78", "alien": "x"}]})
    asked = {f"/{path}", f"/{path}/77", *(f"/{path}/78/{child}" for child in kind.children)}
    asked |= {f"/{other}" for other, one in TYPES.items() if path in {child.table for child in one.children.values()}}
    for place in sorted(asked):
        api.now += 10
        assert api("GET", place).status < 500, place


RELATED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lists", "fieldRels", {"field": "5", "relid": "77"}),
    ("lists", "listGroups", {"list": "77", "group": "3"}),
    ("groups", "listGroups", {"list": "5", "group": "77"}),
    ("groups", "dealGroupGroups", {"dealGroup": "5", "group": "77"}),
    ("groups", "addressGroups", {"addressid": "5", "groupid": "77"}),
    ("users", "dealGroupUsers", {"dealGroup": "5", "user": "77"}),
    ("addresses", "addressGroups", {"addressid": "77", "groupid": "3"}),
    ("dealTasktypes", "tasktypeOutcomeRels", {"tasktype_id": "77", "outcome_id": "5"}),
    ("taskOutcomes", "tasktypeOutcomeRels", {"tasktype_id": "5", "outcome_id": "77"}),
    ("groupDefinitions", "groupMembers", {"group_id": 77, "rel_id": 5, "ordernum": 1}),
)
"""What is deleted, and a relation to it."""


@pytest.mark.parametrize("how", ["cleared", "kept"])
@pytest.mark.parametrize(("path", "table", "row"), RELATED, ids=[f"{one[1]} to {one[0]}" for one in RELATED])
def test_relations_go_with_what_they_relate_or_stay(how: Any, path: str, table: str, row: dict[str, Any]) -> None:
    """Row 58 of section 7: no cascade is documented, for none of them."""
    api = Api(dead_references=how, tasktype_delete="deleted")
    api.account.seed({path: [{"id": "77"}], table: [{"id": "900", **row}]})
    assert api("DELETE", f"/{path}/77").status == 200
    assert (api.account.rows.get(table, "900") is not None) == (how == "kept")
