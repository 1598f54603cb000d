"""Contact fields, options, relations, field groups, deal and account fields (sections 2.1 to 2.6)."""

from __future__ import annotations

import pytest

from tests.emulator.calling import Api


def test_the_recorded_create_of_a_field(api: Api) -> None:
    """A replay: `ordernum` is ignored and an integer, the tag is upper case, reads hold texts and nulls."""
    sent = {
        "title": "Custom text", "type": "text", "descript": "A custom text field", "isrequired": "0",
        "perstag": "perstag", "defval": "Default value", "visible": "1", "ordernum": "2",
    }  # fmt: skip
    reply = api("POST", "/fields", {"field": sent})
    assert reply.status == 201
    made = reply.body["field"]
    assert {name: made[name] for name in sent} == sent | {"perstag": "PERSTAG", "ordernum": 1}
    assert set(made) - set(sent) == {"cdate", "udate", "links", "id"}
    read = api.get(f"/fields/{made['id']}")
    assert (read["fieldOptions"], read["fieldRels"]) == ([], [])
    assert read["field"]["ordernum"] == "1"
    assert {name: read["field"][name] for name in ("show_in_list", "rows", "cols", "service", "created_by")} == {
        "show_in_list": "0", "rows": "0", "cols": "0", "service": "", "created_by": None,
    }  # fmt: skip
    assert (read["field"]["options"], read["field"]["relations"]) == ([], [])


def test_the_recorded_update_of_a_field(api: Api) -> None:
    """A replay: `ordernum` and `isrequired` are honoured, the tag stays, the answer has no options and relations."""
    made = api.make("/fields", "field", title="Custom text", type="text", perstag="perstag")
    sent = {"title": "Custom text - updated", "isrequired": "1", "ordernum": "3"}
    changed = api("PUT", f"/fields/{made['id']}", {"field": sent}).body["field"]
    assert {name: changed[name] for name in (*sent, "perstag")} == sent | {"perstag": "PERSTAG"}
    assert not {"options", "relations"} & set(changed)
    assert changed["udate"] > made["udate"]


def test_order_on_create_is_the_highest_plus_one(api: Api) -> None:
    """With five fields present the next gets 6 (recorded)."""
    for number in range(5):
        api.make("/fields", "field", title=f"F{number}", type="text")
    assert api.make("/fields", "field", title="F", type="text", ordernum=2)["ordernum"] == 6


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("Personalized Tag", "PERSONALIZEDTAG"), ("listBoxTagName", "LISTBOXTAGNAME"), ("a_b-c", "A_BC"),
        (None, "ANOTHER_TEST_TITLE"),
    ],
)  # fmt: skip
def test_tags_are_normalised_or_derived(api: Api, sent: str | None, stored: str) -> None:
    """An explicit tag loses spaces; one that is derived from the title gets underscores."""
    given = {} if sent is None else {"perstag": sent}
    assert api.make("/fields", "field", title="Another Test Title", type="text", **given)["perstag"] == stored
    assert api.get("/fields", **{"filters[perstag]": stored})["meta"]["total"] == "1"


def test_titles_are_unique(api: Api) -> None:
    """A second field of a title is a 422 with code `duplicate`; its own title is no duplicate."""
    made = api.make("/fields", "field", title="Test Title", type="text")
    reply = api("POST", "/fields", {"field": {"title": "Test Title", "type": "text"}})
    assert reply.status == 422
    assert reply.body["errors"] == [
        {
            "title": "There is already a field with this title",
            "detail": "There is already a field named 'Test Title' -- choose another name",
            "code": "duplicate",
        }
    ]
    assert api("PUT", f"/fields/{made['id']}", {"field": {"title": "Test Title"}}).status == 200


def test_the_recorded_bulk_of_options(api: Api) -> None:
    """A replay: options come back without `orderid`, and all have "0" when read."""
    field = api.make("/fields", "field", title="F", type="radio")["id"]
    sent = [{"field": field, "label": text, "value": text} for text in ("Option 1", "Option 2")]
    reply = api("POST", "/fieldOption/bulk", {"fieldOptions": sent})
    assert reply.status == 201
    first, second = reply.body["fieldOptions"]
    assert set(first) == {"label", "value", "field", "cdate", "udate", "links", "id"}
    read = api.get(f"/fieldOptions/{second['id']}")["fieldOption"]
    assert (read["orderid"], read["isdefault"], read["value"]) == ("0", "0", "Option 2")
    listed = api.get("/fields")
    assert [row["id"] for row in listed["fieldOptions"]] == [first["id"], second["id"]]
    assert listed["fields"][0]["options"] == [first["id"], second["id"]]


def test_bulk_wants_an_array(api: Api) -> None:
    """Anything else is a 422 whose `errors` is a text."""
    reply = api("POST", "/fieldOption/bulk", {"fieldOption": {}})
    text = "Bulk operation failed. Request must contain an array of fieldOption objects."
    assert (reply.status, reply.body) == (422, {"errors": text})


@pytest.mark.parametrize(("mode", "left"), [("append", ["a", "b"]), ("replace", ["b"])])
def test_bulk_appends_or_replaces(mode: str, left: list[str]) -> None:
    """Nobody knows which; both can be had."""
    api = Api(bulk_options=mode)
    api.account.seed({"fields": [{"title": "F", "type": "radio", "options": ["a"]}]})
    api("POST", "/fieldOption/bulk", {"fieldOptions": [{"field": "1", "value": "b", "isdefault": True}]})
    assert [row["value"] for row in api.get("/fields")["fieldOptions"]] == left


def test_the_recorded_relation(api: Api) -> None:
    """A replay: texts in, texts out, no links; the second delete is 404."""
    field = api.make("/fields", "field", title="F", type="text")["id"]
    made = api.make("/fieldRels", "fieldRel", field=field, relid="0")
    assert {name: made[name] for name in ("relid", "field", "links")} == {"relid": "0", "field": field, "links": []}
    assert api("DELETE", f"/fieldRels/{made['id']}").body == {}
    assert api("DELETE", f"/fieldRels/{made['id']}").status == 404


def test_side_loads_belong_to_their_page(api: Api) -> None:
    """Options and relations of a page of fields are those of its fields (section 1.7)."""
    api.account.seed({"fields": [{"title": n, "options": [n], "relids": ["0"]} for n in ("a", "b", "c")]})
    page = api.get("/fields", limit=1, offset=1)
    assert [row["value"] for row in page["fieldOptions"]] == ["b"]
    assert [row["field"] for row in page["fieldRels"]] == ["2"]
    assert page["meta"] == {"total": "3", "selected": None}


def test_values_go_with_their_field(api: Api) -> None:
    """Counting values by field and text is recorded; deleting the field deletes them, options and relations."""
    api.account.seed({"fields": [{"title": "F", "options": ["a"], "relids": ["0"], "values": {"a": 2, "b": 1}}]})
    assert api.get("/fieldValues", **{"filters[fieldid]": "1", "limit": 1})["meta"]["total"] == "3"
    assert api.get("/fieldValues", **{"filters[fieldid]": "1", "filters[val]": "a"})["meta"]["total"] == "2"
    api("DELETE", "/fields/1")
    assert api.get("/fieldValues")["meta"]["total"] == "0"
    assert not api.account.rows.all("fieldOptions") + api.account.rows.all("fieldRels")


def test_the_default_field_groups(api: Api) -> None:
    """Groups 1, 2, 3 have magic labels; ids are integers; there is no meta."""
    body = api.get("/groupDefinitions")
    assert [(row["id"], row["type_id"], row["label"]) for row in body["groupDefinitions"]] == [
        (1, 1, "{**DEFAULT**}"), (2, 2, "{**DEAL_DEFAULT**}"), (3, 3, "{**ACCOUNT_DEFAULT**}"),
    ]  # fmt: skip
    assert "meta" not in body


@pytest.mark.parametrize(("mode", "definitions", "members"), [("both", 1, 1), ("definitions", 1, 0), ("members", 0, 1)])
def test_where_field_groups_are_listed(mode: str, definitions: int, members: int) -> None:
    """At /groupDefinitions, at /groupMembers, or at both (row 11 of section 7)."""
    api = Api(field_groups=mode)
    assert (api("GET", "/groupDefinitions").status == 200) == bool(definitions)
    assert ("groupDefinitions" in api.get("/groupMembers")) == bool(members)


def test_group_members_are_integers_and_append(api: Api) -> None:
    """The documented create: texts in, integers out, null appends; `group_id` lists the members."""
    api.make("/groupMembers", "groupMember", rel_id="9", ordernum=17, group_id="1")
    made = api.make("/groupMembers", "groupMember", rel_id="10", ordernum=None, group_id="1")
    assert (made["group_id"], made["rel_id"], made["ordernum"]) == (1, 10, 18)
    assert isinstance(made["id"], int)
    assert [row["rel_id"] for row in api.get("/groupMembers", group_id=1)["groupMembers"]] == [9, 10]
    assert api.get(f"/groupMembers/{made['id']}")["groupMember"]["rel_id"] == 10
    assert api("DELETE", f"/groupMembers/{made['id']}").body == {}
    assert api("DELETE", f"/groupMembers/{made['id']}").body == {"errors": [{"status": 404, "title": "Not Found"}]}


def test_a_member_without_a_field_leaks_the_inner_service(api: Api) -> None:
    """A validation error arrives as 403; an unknown group is 404."""
    reply = api("POST", "/groupMembers", {"groupMember": {"rel_id": "", "group_id": "1"}})
    assert reply.status == 403
    assert "rel_id is required" in reply.body["message"]
    reply = api("POST", "/groupMembers", {"groupMember": {"rel_id": "1", "group_id": "94"}})
    assert (reply.status, reply.body) == (404, {"message": "No Result found for GroupDefinition with id 94"})


def test_a_field_group_in_both_written_forms(api: Api) -> None:
    """JSON, or the query parameters of the documentation (row 12 of section 7)."""
    made = api.make("/groupDefinitions", "groupDefinition", label="Shop", ordernum=4, groupType=2)
    assert (made["type_id"], made["label"], made["ordernum"]) == (2, "Shop", 4)
    reply = api("POST", "/groupDefinitions?groupDefinition.label=Other&groupDefinition.groupType=1")
    assert reply.body["groupDefinition"]["type_id"] == 1


def test_the_recorded_deal_field(api: Api) -> None:
    """A replay: flags become 1, the tag gets a number as DEAL_TITLE is taken, the built-in field is there."""
    sent = {
        "fieldLabel": "title", "fieldType": "dropdown", "fieldOptions": ["option1", "option2"],
        "fieldDefault": "option2", "fieldDefaultCurrency": None, "isFormVisible": True, "isRequired": True,
        "displayOrder": 1,
    }  # fmt: skip
    made = api.make("/dealCustomFieldMeta", "dealCustomFieldMetum", **sent)
    assert made["personalization"] == "DEAL_TITLE_1"
    assert (made["isFormVisible"], made["isRequired"], made["knownFieldId"], made["id"]) == (1, 1, None, "2")
    assert made["createdTimestamp"].endswith("+00:00")
    builtin = api.get("/dealCustomFieldMeta")["dealCustomFieldMeta"][0]
    assert (builtin["knownFieldId"], builtin["personalization"]) == (13, "DEAL_FORECASTED_CLOSE_DATE")


def test_a_deal_field_keeps_its_type(api: Api) -> None:
    """The type is not in the PUT schema; options are replaced as a whole."""
    made = api.make("/dealCustomFieldMeta", "dealCustomFieldMetum", fieldLabel="A", fieldType="dropdown")
    sent = {"fieldType": "text", "fieldOptions": ["x"], "fieldLabel": "B"}
    changed = api("PUT", f"/dealCustomFieldMeta/{made['id']}", {"dealCustomFieldMetum": sent})
    read = changed.body["dealCustomFieldMetum"]
    assert (read["fieldType"], read["fieldOptions"], read["fieldLabel"]) == ("dropdown", ["x"], "B")
    assert read["personalization"] == "DEAL_A"


def test_a_deal_field_without_a_type(api: Api) -> None:
    """The 422 names the type with a numeric code."""
    reply = api("POST", "/dealCustomFieldMeta", {"dealCustomFieldMetum": {"fieldLabel": "A"}})
    assert reply.body == {"errors": [{"title": "The field type field is required.", "detail": "", "code": 422}]}


def test_values_of_deal_and_account_fields(api: Api) -> None:
    """Values are counted by paging the field's sub-collection; deleting the field deletes them."""
    api.account.seed(
        {"dealCustomFieldMeta": [{"id": "5", "values": 130}], "accountCustomFieldMeta": [{"id": "5", "values": 3}]}
    )
    assert api.get("/dealCustomFieldData", limit=1)["meta"]["total"] == 130
    pages = [
        len(api.get("/dealCustomFieldMeta/5/dealCustomFieldData", limit=100, offset=n)["dealCustomFieldData"])
        for n in (0, 100, 200)
    ]
    assert pages == [100, 30, 0]
    rows = api.get("/accountCustomFieldMeta/5/accountCustomFieldData")["accountCustomFieldData"]
    assert [row["accountId"] for row in rows] == [1, 2, 3]
    api("DELETE", "/dealCustomFieldMeta/5")
    assert api.get("/dealCustomFieldData")["meta"]["total"] == 0


def test_what_a_person_would_not_see(api: Api) -> None:
    """A field without a list, a deal field without a group, a list without a user group are invisible (8.2)."""
    field = api.make("/fields", "field", title="F", type="text")["id"]
    deal = api.make("/dealCustomFieldMeta", "dealCustomFieldMetum", fieldLabel="D", fieldType="text")["id"]
    account = api.make("/accountCustomFieldMeta", "accountCustomFieldMetum", fieldLabel="A", fieldType="text")["id"]
    mailing = api.make("/lists", "list", name="L")["id"]
    everything = {
        "lists": ["L"], "fields": ["F"], "dealCustomFieldMeta": ["D"], "accountCustomFieldMeta": ["A"],
    }  # fmt: skip
    assert api.account.visibility() == everything
    api.make("/fieldRels", "fieldRel", field=field, relid=0)
    api.make("/groupMembers", "groupMember", rel_id=deal, group_id=2)
    api.make("/groupMembers", "groupMember", rel_id=account, group_id=3)
    api.make("/listGroups", "listGroup", listid=int(mailing), groupid=3)
    assert api.account.visibility() == {name: [] for name in everything}
