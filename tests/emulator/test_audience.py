"""Tags, lists, their groups, contacts; webhooks (sections 2.12 to 2.16)."""

from __future__ import annotations

import pytest

from tests.emulator.calling import Api


def test_the_recorded_life_of_a_tag(api: Api) -> None:
    """A replay: create without `subscriber_count`, read with it, rename, change the type, delete twice."""
    sent = {"tag": "Tag name", "tagType": "contact", "description": "Tag description"}
    made = api.make("/tags", "tag", **sent)
    assert {name: made[name] for name in sent} == sent
    assert "subscriber_count" not in made
    read = api.get(f"/tags/{made['id']}")["tag"]
    assert read["subscriber_count"] == "0"
    assert "udate" not in read
    changed = api("PUT", f"/tags/{made['id']}", {"tag": {"tag": "Tag name - updated", "tagType": "template"}})
    assert changed.body["tag"]["subscriber_count"] == "0"
    assert changed.body["tag"]["tagType"] == "template"
    assert api("DELETE", f"/tags/{made['id']}").body == {}
    assert api("DELETE", f"/tags/{made['id']}").status == 404


def test_tags_may_repeat_unless_the_account_says_otherwise(api: Api) -> None:
    """No source tells what a duplicate does: both can be had."""
    for name in ("customer", "Customer", "customer"):
        api.make("/tags", "tag", tag=name, tagType="contact")
    assert api.get("/tags", search="CUSTOMER")["meta"]["total"] == "3"
    strict = Api(unique=("tags",))
    strict.make("/tags", "tag", tag="customer")
    assert strict("POST", "/tags", {"tag": {"tag": "customer"}}).body["errors"][0]["code"] == "duplicate"


def test_tag_operators(api: Api) -> None:
    """`filters[search][operator]` compares names."""
    api.account.seed({"tags": [{"tag": name} for name in ("alpha", "beta", "alphabet")]})
    found = api.get("/tags", **{"filters[search][starts_with]": "alpha", "filters[search][neq]": "alpha"})["tags"]
    assert [row["tag"] for row in found] == ["alphabet"]


def test_contacts_are_counted_by_tag_and_list(api: Api) -> None:
    """`tagid`, `listid` with `status`, and `subscriber_count`; deleting the tag keeps the contacts."""
    api.account.seed({"tags": [{"tag": "A", "contacts": 3}], "lists": [{"name": "L", "contacts": 2}]})
    api.make("/contactLists", "contactList", list=1, contact=3, status=2)
    assert api.get("/tags/1")["tag"]["subscriber_count"] == "3"
    assert api.get("/contacts", tagid=1, limit=1)["meta"]["total"] == "3"
    assert [api.get("/contacts", listid=1, **q)["meta"]["total"] for q in ({}, {"status": 1}, {"status": -1})] == [
        "3", "2", "3",
    ]  # fmt: skip
    api("DELETE", "/tags/1")
    assert api.get("/contacts", tagid=1)["meta"]["total"] == "0"
    assert api.get("/contacts")["meta"]["total"] == "3"
    assert [row["id"] for row in api.get("/contacts", id_greater=1)["contacts"]] == ["2", "3"]


def test_the_recorded_error_of_a_contact_tag(api: Api) -> None:
    """A replay: no tag is a 400 in the parameter form."""
    reply = api("POST", "/contactTags", {"contactTag": {"contact": "1"}})
    assert reply.status == 400
    assert reply.body["errors"][0]["source"] == {"parameter": "contactTag.tag"}


def test_the_recorded_list(api: Api) -> None:
    """A replay of GET after a create with four attributes: nulls, empty texts, texts (appendix B)."""
    made = api.make(
        "/lists", "list", name="Awesome List", stringid="awesome-list", sender_url="https://w.example",
        sender_reminder="why",
    )  # fmt: skip
    read = api.get(f"/lists/{made['id']}")["list"]
    expected = {
        "userid": "0", "user": None, "carboncopy": None, "subscription_notify": None, "sender_name": "",
        "p_use_tracking": "1", "private": "0", "to_name": "Subscriber", "optinoptout": "1", "fulladdress": None,
        "send_last_broadcast": "0", "deletestamp": None, "created_by": None,
    }  # fmt: skip
    assert {name: read[name] for name in expected} == expected


@pytest.mark.parametrize(("mode", "empty"), [("empty", True), ("list", False)])
def test_put_of_a_list_answers_nothing_or_the_list(mode: str, empty: bool) -> None:
    """Recorded 200 with an empty body; others expect the list (row 14 of section 7). Both change it."""
    api = Api(list_put=mode)
    made = api.make("/lists", "list", name="list name")
    reply = api("PUT", f"/lists/{made['id']}", {"list": {"name": "list name - updated", "channel": "sms", "user": 1}})
    assert (reply.status, reply.raw == b"") == (200, empty)
    read = api.get(f"/lists/{made['id']}")["list"]
    assert (read["name"], read["channel"], read["user"], read["userid"]) == ("list name - updated", "email", "1", "1")


def test_a_list_gets_a_string_id(api: Api) -> None:
    """The server derives it when it is left out; an owner shows under both names."""
    made = api.make("/lists", "list", name="Weekly News!", user="1")
    read = api.get(f"/lists/{made['id']}")["list"]
    assert (read["stringid"], read["user"], read["userid"]) == ("weekly-news", "1", "1")
    assert api.get("/lists", **{"filters[name][contains]": "news"})["meta"]["total"] == "1"


def test_lists_need_a_permission() -> None:
    """Without it a create is 403 as text/plain."""
    reply = Api(admin=False)("POST", "/lists", {"list": {"name": "L"}})
    assert reply.status == 403
    assert reply.body["errors"][0]["detail"] == "You do not have permission to create lists."
    assert reply.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(("mode", "left"), [("deleted", ["1"]), ("kept", ["1", "2", "3"])])
def test_contacts_only_on_a_deleted_list(mode: str, left: list[str]) -> None:
    """They are deleted, as staff said, or stay, as posters expect (row 37 of section 7)."""
    api = Api(list_contacts=mode)
    api.account.seed({"lists": [{"name": "A", "contacts": 3}, {"name": "B", "contacts": 1}]})
    api("DELETE", "/lists/1")
    assert [row["id"] for row in api.get("/contacts")["contacts"]] == left


def test_the_recorded_list_group(api: Api) -> None:
    """A replay: written `listid` and `groupid`, read `list` and `group` with flags that are all "0"."""
    api.account.seed({"lists": [{"name": "L"}]})
    made = api.make("/listGroups", "listGroup", listid="1", groupid="3")
    assert {name: made[name] for name in ("list", "group", "id")} == {"list": "1", "group": "3", "id": "1"}
    read = api.get("/listGroups/1")["listGroup"]
    flags = {name: value for name, value in read.items() if name.startswith("p_")}
    assert (len(flags), set(flags.values())) == (14, {"0"})
    assert [row["list"] for row in api.get("/groups/3/listGroups")["listGroups"]] == ["1"]
    assert api("DELETE", "/listGroups/1").body == {}


def test_a_documented_webhook(api: Api) -> None:
    """A replay of the documented create, and of an explicit null for the list."""
    sent = {
        "name": "My Hook", "url": "http://example.com/my-hook", "events": ["subscribe", "unsubscribe", "sent"],
        "sources": ["public", "system"],
    }  # fmt: skip
    made = api.make("/webhooks", "webhook", **sent)
    assert {name: made[name] for name in sent} == sent
    assert (made["listid"], made["links"], "udate" in made) == ("0", [], False)
    assert api.make("/webhooks", "webhook", **sent, listid=None)["listid"] == "0"
    changed = api("PUT", f"/webhooks/{made['id']}", {"webhook": {"events": ["open"]}}).body["webhook"]
    assert (changed["events"], changed["sources"]) == (["open"], ["public", "system"])
    assert api.get("/webhooks", **{"filters[name]": "My Hook"})["meta"]["total"] == "2"


@pytest.mark.parametrize("wrong", [{"events": ["nonsense"]}, {"sources": ["nobody"]}])
def test_webhooks_know_events_and_sources(api: Api, wrong: dict[str, list[str]]) -> None:
    """Both come from closed sets."""
    sent = {"name": "H", "url": "https://h.example", "events": ["subscribe"], "sources": ["api"], **wrong}
    reply = api("POST", "/webhooks", {"webhook": sent})
    assert reply.status == 422
    assert "nonsense" in str(reply.body) or "nobody" in str(reply.body)


def test_events_of_webhooks(api: Api) -> None:
    """The published 25 and the five that only the create page names; the total is an integer."""
    body = api.get("/webhook/events")
    assert body["meta"]["total"] == len(body["webhookEvents"]) == 30
    assert {"sms_unsub", "account_contact_update"} < set(body["webhookEvents"])


def test_contacts_are_synced(api: Api) -> None:
    """A new address is 201, a known one 200 (recorded); values of fields come along."""
    field = api.make("/fields", "field", title="Size", type="text")
    body = {"contact": {"email": "a@acme.example", "fieldValues": [{"field": field["id"], "value": "L"}]}}
    first, again = (api("POST", "/contact/sync", body) for _ in range(2))
    assert (first.status, again.status) == (201, 200)
    assert first.body["contact"]["id"] == again.body["contact"]["id"]
    assert [row["value"] for row in api.get("/fieldValues")["fieldValues"]] == ["L"]
    assert api("POST", "/contacts/sync", body).status == 422


def test_accounts_are_kept(api: Api) -> None:
    """Companies, as public clients ask for them: unique names, dates of their own."""
    one = api.make("/accounts", "account", name="Acme", accountUrl="https://acme.example")
    assert api("POST", "/accounts", {"account": {"name": "Acme"}}).status == 422
    assert api("PUT", f"/accounts/{one['id']}", {"account": {"name": "Acme 2"}}).body["account"]["name"] == "Acme 2"
    assert api.get("/accounts", search="acme")["accounts"][0]["accountUrl"] == "https://acme.example"
    assert api("DELETE", f"/accounts/{one['id']}").status == 200
