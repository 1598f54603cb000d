"""Users and user groups (sections 2.18, 2.19)."""

from __future__ import annotations

import pytest

from tests.emulator.calling import Api


@pytest.mark.parametrize(("mode", "value"), [("recorded", "1"), ("documented", "0")])
def test_flags_of_a_new_group(mode: str, value: str) -> None:
    """Some flags are on from the start, as recorded, or none, as documented; `reqApproval1st` is "2"."""
    api = Api(group_flags=mode)
    made = api.make("/groups", "group", title="G", pgTagManage=True)
    read = api.get(f"/groups/{made['id']}")["group"]
    assert (read["pgDeal"], read["pgContactResubscribe"], read["pgListAdd"]) == (value, value, "0")
    assert (read["pgTagManage"], read["reqApproval1st"], read["sdate"], read["p_admin"]) == ("1", "2", None, "1")


def test_put_of_a_group_merges(api: Api) -> None:
    """A replay: only the title is sent; the whole object comes back."""
    made = api.make("/groups", "group", title="G", descript="kept")
    changed = api("PUT", f"/groups/{made['id']}", {"group": {"title": "H"}}).body["group"]
    assert (changed["title"], changed["descript"], changed["pgDeal"]) == ("H", "kept", "1")


def test_groups_of_a_fresh_account(api: Api) -> None:
    """Ids 1 to 3 are there, 3 is Admin, and the owner is in it; titles may repeat."""
    assert [row["id"] for row in api.get("/groups")["groups"]] == ["1", "2", "3"]
    assert api.get("/groups/3")["group"]["title"] == "Admin"
    assert [row["userid"] for row in api.get("/groups/3/userGroups")["userGroups"]] == ["1"]
    api.make("/groups", "group", title="Admin")
    assert api.get("/groups")["meta"]["total"] == "4"
    assert api.get("/groupLimits")["groupLimits"][0]["limitAttachment"] == "-1"


def test_users_by_address_name_and_me(api: Api) -> None:
    """Three look-ups; reads have no `group`; an unknown address is 404."""
    for path in ("/users/me", "/users/email/jane@acme.example", "/users/username/admin", "/users/1"):
        user = api.get(path)["user"]
        assert (user["id"], user["email"], "group" in user) == ("1", "jane@acme.example", False)
    assert api.get("/users/1/userGroup")["userGroup"]["group"] == "3"
    assert api("GET", "/users/email/nobody@acme.example").status == 404


def test_the_recorded_life_of_a_user(api: Api) -> None:
    """A replay: the answer of a create, of an update with its side-loads; the password is never read."""
    sent = {"username": "anmoly", "email": "a@acme.example", "firstName": "A", "lastName": "Y"}
    made = api.make("/users", "user", **sent, password="secret-1", group=3)
    assert set(made) == {*sent, "localZoneid", "cdate", "udate", "links", "id"}
    reply = api("PUT", f"/users/{made['id']}", {"user": {"firstName": "Anmol", "group": "2", "password": "secret-2"}})
    [relation] = reply.body["userGroups"]
    assert {name: relation[name] for name in ("userid", "groupid", "id", "group", "user")} == {
        "userid": "2", "groupid": "2", "id": "2", "group": "2", "user": "2",
    }  # fmt: skip
    assert (reply.body["user"]["userGroup"], reply.body["user"]["firstName"]) == ("2", "Anmol")
    read = api.get(f"/users/{made['id']}")["user"]
    assert (read["email"], read["mfaEnabled"], read["signature"]) == ("a@acme.example", "0", None)
    assert read["password_updated_utc_timestamp"]
    assert "secret" not in str(api.account.rows.dump())
    assert api("DELETE", f"/users/{made['id']}").body == {}
    assert [row["userid"] for row in api.get("/groups/2/userGroups")["userGroups"]] == []


@pytest.mark.parametrize(("changes", "name"), [(True, "mikahel"), (False, "mika")])
def test_a_username_changes_or_not(changes: bool, name: str) -> None:
    """Recorded to change, documented not to (row 27 of section 7)."""
    api = Api(username_changes=changes)
    made = api.make("/users", "user", username="mika", email="m@acme.example", firstName="M", lastName="E")
    api("PUT", f"/users/{made['id']}", {"user": {"username": "mikahel"}})
    assert api.get(f"/users/{made['id']}")["user"]["username"] == name


def test_names_of_users_are_unique_and_addresses_may_be() -> None:
    """A second user of a name is refused (inferred), of an address in accounts that say so."""
    lenient = Api()
    lenient.make("/users", "user", username="x", email="jane@acme.example")
    assert lenient("POST", "/users", {"user": {"username": "x", "email": "x@acme.example"}}).status == 422
    reply = Api(unique=("users",))("POST", "/users", {"user": {
        "username": "x", "email": "jane@acme.example", "firstName": "X", "lastName": "Y",
    }})  # fmt: skip
    assert (reply.status, reply.body["errors"][0]["code"]) == (422, "duplicate")


def test_the_owner_stays(api: Api) -> None:
    """User 1 owns the account (section 2.19); everybody else can be deleted."""
    made = api.make("/users", "user", username="sam", email="sam@acme.example")
    assert api("DELETE", "/users/1").status == 403
    assert api("DELETE", f"/users/{made['id']}").status == 200
    assert api("GET", "/users/me").body["user"]["id"] == "1"


def test_an_update_of_a_user_answers_as_recorded(api: Api) -> None:
    """Appendix B: relations with their dates, the user without `lang`."""
    made = api.make("/users", "user", username="sam", email="sam@acme.example")
    body = api("PUT", f"/users/{made['id']}", {"user": {"firstName": "Sam", "group": "3"}}).body
    assert set(body["userGroups"][0]) == {"userid", "groupid", "cdate", "udate", "id", "group", "user"}
    assert {"created_timestamp", "updated_timestamp"} <= set(body["userConversationsPermissions"][0])
    assert "lang" not in body["user"]
