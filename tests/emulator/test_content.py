"""Addresses, calendars, saved responses, messages, templates, personalizations, connections (2.20 to 2.27)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.calling import Api

ADDRESS = {"companyName": "mhenrixon Consulting", "address1": "Fork 69", "country": "DE", "zip": "15738"}


def test_the_recorded_address(api: Api) -> None:
    """A replay: the first becomes the default, a flag is echoed as 0, a partial update keeps the rest."""
    made = api.make("/addresses", "address", **ADDRESS)
    assert made["isDefault"] == 1
    changed = api("PUT", "/addresses/1", {"address": {"city": "Funky Freak Town"}, "changeCase": False})
    expected = {**ADDRESS, "city": "Funky Freak Town", "isDefault": "1", "allgroup": "0", "district": ""}
    assert {name: changed.body["address"][name] for name in expected} == expected
    assert api("PUT", "/addresses/1", {"address": {"isDefault": False}}).body["address"]["isDefault"] == 0
    assert api.get("/addresses/1")["address"]["isDefault"] == "0"


def test_documented_names_of_addresses(api: Api) -> None:
    """Snake case is taken as well, reads are camel case; there is one default at most."""
    api.make("/addresses", "address", **ADDRESS)
    made = api.make("/addresses", "address", company_name="T", address_1="A", country="US", is_default=True, groupid=3)
    rows = api.get("/addresses")["addresses"]
    assert [(row["companyName"], row["isDefault"]) for row in rows] == [(ADDRESS["companyName"], "0"), ("T", "1")]
    assert [row["addressid"] for row in api.get("/groups/3/addressGroups")["addressGroups"]] == [made["id"]]
    assert api("DELETE", "/addressGroups/1").body == {}
    assert api("POST", "/addresses", {"address": {"companyName": "T"}}).status == 422


@pytest.mark.parametrize(("mode", "status"), [("ok", 200), ("refused", 403)])
def test_deleting_the_default_address(mode: str, status: int) -> None:
    """It may be refused, until the flag is taken off."""
    api = Api(default_address_delete=mode)
    api.make("/addresses", "address", **ADDRESS)
    assert api("DELETE", "/addresses/1").status == status
    api("PUT", "/addresses/1", {"address": {"isDefault": False}})
    assert api("DELETE", "/addresses/1").status == (404 if status == 200 else 200)


def test_the_documented_calendar(api: Api) -> None:
    """A replay: the server's token, the flag as a number in echoes and a text in reads; 404 as text/plain."""
    made = api.make("/calendars", "calendar", title="Calendar Title", type="All", notification=1)
    assert (made["notification"], made["userid"], len(made["token"])) == (1, "1", 32)
    read = api.get(f"/calendars/{made['id']}")["calendar"]
    assert (read["notification"], read["token"]) == ("1", made["token"])
    changed = api("PUT", f"/calendars/{made['id']}", {"calendar": {"type": "Deals", "notification": 0, "token": "x"}})
    assert {name: changed.body["calendar"][name] for name in ("type", "notification", "token")} == {
        "type": "Deals", "notification": 0, "token": made["token"],
    }  # fmt: skip
    assert changed.body["calendar"]["mdate"] > made["mdate"]
    reply = api("GET", "/calendars/9")
    assert (reply.status, reply.body, reply.headers["content-type"][:10]) == (
        404, {"message": "No Result found for Calendar with id 9"}, "text/plain",
    )  # fmt: skip
    assert api("POST", "/calendars", {"calendar": {"title": "T", "type": "Some"}}).status == 422


def test_the_documented_saved_response(api: Api) -> None:
    """A replay: no date of change until there is one; what is missing is told at once; odd statuses."""
    made = api.make("/savedResponses", "savedResponse", title="T", subject="S", body="B")
    assert set(made) == {"title", "subject", "body", "cdate", "links", "id"}
    assert api.get(f"/savedResponses/{made['id']}")["savedResponse"]["mdate"] is None
    changed = api("PUT", f"/savedResponses/{made['id']}", {"savedResponse": {"title": "U"}}).body["savedResponse"]
    assert (changed["title"], changed["subject"], changed["mdate"] is None) == ("U", "S", False)
    reply = api("POST", "/savedResponses", {"savedResponse": {}})
    assert [one["source"]["pointer"][17:] for one in reply.body["errors"]] == ["title", "subject", "body"]
    reply = api("PUT", "/savedResponses/0", {"savedResponse": {}})
    assert (reply.status, reply.body) == (422, {"message": "No Result found for SavedResponse with id 0"})
    assert api("DELETE", "/savedResponses/9").headers["content-type"].startswith("text/plain")
    assert Api(forbidden=("savedResponses",))("GET", "/savedResponses").status == 403


def test_messages(api: Api) -> None:
    """System messages exist; a create gets a body that says hello; `email` is the other name of the sender."""
    assert api.get("/messages")["meta"]["total"] == "2"
    made = api.make("/messages", "message", fromname="A", email="a@acme.example", subject="S")
    read = api.get(f"/messages/{made['id']}")["message"]
    assert (read["fromemail"], read["text"], read["format"], read["user"]) == ("a@acme.example", "hello", "mime", "1")
    changed = api("PUT", f"/messages/{made['id']}", {"message": {"html": "<p>x</p>"}}).body["message"]
    assert (changed["html"], changed["subject"]) == ("<p>x</p>", "S")
    assert api("GET", "/messages/99").body == {"message": "No Result found for Message with id 99"}


def test_templates_are_read_and_deleted(api: Api) -> None:
    """Ids begin at 100000; there is no create."""
    assert api.get("/templates/100000")["template"]["name"] == "Basic"
    assert api("POST", "/templates", {"template": {"name": "T"}}).status == 405
    assert api("DELETE", "/templates/100000").body == {}


@pytest.fixture
def lists(api: Api) -> Api:
    """An account with the lists of the documented example, ids 2 to 5."""
    names = {"2": "Another List", "3": "League Players", "5": "real", "4": "Test Segmentation"}
    api.account.seed({"lists": [{"id": identity, "name": name} for identity, name in names.items()]})
    return api


VARIABLE: dict[str, Any] = {
    "tag": "brand-new-tag",
    "name": "n",
    "format": "text",
    "content": "Hello",
    "listids": "2,3,4,5",
}


def test_the_documented_personalization(lists: Api) -> None:
    """A replay: written `listids`, read `listIds` in another order with names and a count; a flag as a boolean."""
    made = lists.make("/personalizations", "personalization", **VARIABLE)
    assert {name: made[name] for name in (*VARIABLE, "userid", "isLocked")} == {
        **VARIABLE, "userid": "1", "isLocked": False,
    }  # fmt: skip
    read = lists.get(f"/personalizations/{made['id']}")["personalization"]
    assert read["listIds"] == "2,3,5,4"
    assert read["listNames"] == "Another List,League Players,real,Test Segmentation"
    assert (read["listsCount"], read["isLocked"], "listids" in read) == ("4", False, False)
    changed = lists("PUT", f"/personalizations/{made['id']}", {"personalization": {"name": "changed name"}})
    assert changed.body["personalization"]["listids"] == "2,3,4,5"
    assert "created_timestamp" in changed.body["personalization"]


def test_filters_of_personalizations_are_singular(lists: Api) -> None:
    """`filter[tag]`, by list name too; `filters[tag]` is unknown and ignored."""
    lists.make("/personalizations", "personalization", **VARIABLE)
    lists.make("/personalizations", "personalization", **{**VARIABLE, "tag": "other", "listids": ""})
    totals = [
        lists.get("/personalizations", **{name: value})["meta"]["total"]
        for name, value in (("filter[tag]", "other"), ("filter[listName]", "real"), ("filters[tag]", "other"))
    ]
    assert totals == ["1", "1", "2"]


def test_locks(lists: Api) -> None:
    """PATCH locks and unlocks; without being an admin it fails with 200; a locked variable stays as it is."""
    lists.make("/personalizations", "personalization", **VARIABLE)
    assert lists("PATCH", "/personalizations/1/lock").body["success"] is True
    assert lists.get("/personalizations/1")["personalization"]["isLocked"] is True
    assert lists("PUT", "/personalizations/1", {"personalization": {"name": "x"}}).status == 403
    assert lists("DELETE", "/personalizations/1").status == 403
    lists("PATCH", "/personalizations/1/unlock")
    assert lists("PUT", "/personalizations/1", {"personalization": {"name": "x"}}).status == 200
    other = Api(admin=False)
    other.account.seed({"personalizations": [{"tag": "t", "name": "n", "isLocked": True}]})
    reply = other("PATCH", "/personalizations/1/unlock")
    assert (reply.status, reply.body["success"]) == (200, False)
    assert other.get("/personalizations/1")["personalization"]["isLocked"] is True


def test_missing_personalizations(api: Api) -> None:
    """GET is 404, PUT is 404 with a PHP class, DELETE is 400; the bulk delete answers a text."""
    assert api("GET", "/personalizations/22").body == {"message": "No Result found for Personalization with id 22"}
    reply = api("PUT", "/personalizations/22", {"personalization": {}})
    assert "ActiveCampaign\\Hosted\\Personalization\\Personalization" in reply.body["message"]
    assert api("DELETE", "/personalizations/22").status == 400
    assert api("DELETE", "/personalizations/bulkdelete?ids=1,2").raw == b"Delete successful"


CONNECTION = {
    "service": "fooCommerce", "externalid": "toystore123", "name": "Toystore, Inc.",
    "logoUrl": "http://example.com/i/foo.png", "linkUrl": "http://example.com/foo/",
}  # fmt: skip


def test_the_documented_connection(api: Api) -> None:
    """A replay: an external one by its marker, status and list by default, one of a pair only."""
    made = api.make("/connections", "connection", **CONNECTION)
    assert made["isInternal"] == 0
    read = api.get(f"/connections/{made['id']}")["connection"]
    assert {name: read[name] for name in ("isInternal", "status", "syncStatus", "lastSync", "listId")} == {
        "isInternal": "0", "status": "1", "syncStatus": "0", "lastSync": None, "listId": "0",
    }  # fmt: skip
    assert api("POST", "/connections", {"connection": CONNECTION}).status == 422
    assert api.get("/connections", **{"filters[service]": "other"})["meta"]["total"] == "0"
    reply = api("POST", "/connections", {"connection": {"name": "x"}})
    assert reply.body["errors"][0]["title"] == "The connection service was not provided."


def test_customers_go_with_their_connection(api: Api) -> None:
    """They are counted by a documented filter."""
    api.make("/connections", "connection", **CONNECTION)
    api.make("/ecomCustomers", "ecomCustomer", connectionid=1, externalid="c", email="c@example.com")
    assert api.get("/ecomCustomers", **{"filters[connectionid]": 1, "limit": 1})["meta"]["total"] == "1"
    api("DELETE", "/connections/1")
    assert api.get("/ecomCustomers")["meta"]["total"] == "0"
