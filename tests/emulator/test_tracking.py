"""Event and site tracking, events, domains, segments, branding, exclusions, what is read only (2.15, 2.26 to 2.35)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.calling import Api


@pytest.mark.parametrize(("mode", "status"), [("error", 422), ("ok", 200)])
def test_event_tracking_may_refuse_the_status_that_it_has(mode: str, status: int) -> None:
    """Setting it twice is an error, or not; a change is none."""
    api = Api(repeated_event_tracking=mode)
    assert api.get("/eventTracking") == {"eventTracking": {"enabled": False}}
    sent = {"eventTracking": {"enabled": True}}
    assert api("PUT", "/eventTracking", sent).body == sent
    assert api("PUT", "/eventTracking", sent).status == status
    assert api.get("/eventTracking") == sent


def test_site_tracking_may_be_set_twice(api: Api) -> None:
    """No error there; the snippet is HTML."""
    sent = {"siteTracking": {"enabled": True}}
    assert [api("PUT", "/siteTracking", sent).status for _ in range(2)] == [200, 200]
    assert api.get("/siteTracking") == sent
    assert api("GET", "/siteTracking/code").headers["content-type"] == "text/html"


def test_events_are_known_by_name(api: Api) -> None:
    """Built-ins exist; names are encoded in paths, slashes too; there is no id and no update."""
    assert api.get("/eventTrackingEvents") == {
        "eventTrackingEvents": [{"name": "__pagevisit"}, {"name": "__redir"}], "meta": {"total": 2},
    }  # fmt: skip
    reply = api("POST", "/eventTrackingEvents", {"eventTrackingEvent": {"name": "my / fab event"}})
    assert (reply.status, reply.body) == (201, {"eventTrackingEvent": {"name": "my / fab event"}})
    assert api("POST", "/eventTrackingEvents", {"eventTrackingEvent": {"name": "my / fab event"}}).status == 422
    assert api("DELETE", "/eventTrackingEvents/my%20%2F%20fab%20event").body == {}
    assert api("DELETE", "/eventTrackingEvents/my%20%2F%20fab%20event").status == 404
    assert api("DELETE", "/eventTrackingEvents/__redir").status == 403


def whitelist(domain: str, **attributes: Any) -> dict[str, Any]:
    """The body of a new domain."""
    return {"data": {"type": "urlWhitelistings", "attributes": {"whitelisted_domain": domain, **attributes}}}


def test_the_documented_domain(api: Api) -> None:
    """A replay: booleans when created, numbers when listed, 409 for a second, 204 for the delete."""
    reply = api("POST", "/prism/urlWhitelistings", whitelist("example.com", whitelisted_page="*"))
    assert reply.status == 201
    made = reply.body["data"]
    assert (made["type"], made["attributes"]["tracking_enabled"]) == ("urlWhitelistings", True)
    assert made["attributes"]["url_regex"] == r"#^example\.com(\/.*)?$#"
    listed = api.get("/prism/urlWhitelistings")["data"]
    assert [(row["id"], row["attributes"]["tracking_enabled"], row["attributes"]["wp_enabled"]) for row in listed] == [
        (made["id"], 1, 0)
    ]
    assert type(listed[0]["attributes"]["wp_enabled"]) is int
    assert api("POST", "/prism/urlWhitelistings", whitelist("example.com")).status == 409
    assert api("POST", "/prism/urlWhitelistings", {"siteTrackingDomain": {"name": "x"}}).status == 422
    reply = api("DELETE", f"/prism/urlWhitelistings/{made['id']}")
    assert (reply.status, reply.raw) == (204, b"")
    assert api("DELETE", f"/prism/urlWhitelistings/{made['id']}").status == 404


@pytest.mark.parametrize(("mode", "new", "old"), [("new", 200, 404), ("old", 404, 200), ("both", 200, 200)])
def test_domains_moved(mode: str, new: int, old: int) -> None:
    """Which path exists is a switch; both show the same domains."""
    api = Api(site_domains=mode)
    assert api("GET", "/prism/urlWhitelistings").status == new
    assert api("GET", "/siteTrackingDomains").status == old
    if old == 200:
        assert api("POST", "/siteTrackingDomains", {"siteTrackingDomain": {"name": "a.example"}}).status == 200
        assert api.get("/siteTrackingDomains")["siteTrackingDomains"] == [{"name": "a.example"}]
        assert api("DELETE", "/siteTrackingDomains/a.example").status == 204


def segment(**more: Any) -> dict[str, Any]:
    """The body of a segment with one condition on a tag."""
    field = {"name": "tagid", "operator": "=", "value": "14", "data_type": "string"}
    condition = {"id": "1", "object_type": "tag", "source_system": "activecampaign", "fields": [field]}
    group = {"id": "1", "operator": "and", "values": [{"id": "1", "type": "condition"}]}
    base = {"segment_condition_group_operator": "and", "segment_condition_groups": [group]}
    return {"data": [{"attributes": {**base, "segment_conditions": [condition], **more}}]}


def test_a_segment_and_its_summary(api: Api) -> None:
    """Hashes and dates are computed; a named one is an audience; the delete answers the last body."""
    reply = api("POST", "/segmentsV2", segment(name="VIPs", description="d"))
    assert reply.status == 200
    made = reply.body["data"][0]["attributes"]
    assert (made["name"], made["category"], made["user_id"], len(made["segment_hash"])) == ("VIPs", "AUDIENCE", "1", 40)
    assert len(made["segment_conditions"][0]["hash_simple"]) == 40
    identity = made["segment_id"]
    api("POST", "/segmentsV2", segment())
    assert [one["attributes"]["name"] for one in api.get("/audiences", search="vip")["data"]] == ["VIPs"]
    assert len(api.get("/audiences")["data"]) == 1
    assert api.get(f"/audiences/{identity}")["data"][0]["attributes"]["counts"]["last_total"]["count"] == 0
    changed = api("PUT", f"/segmentsV2/{identity}", segment(description="e")).body["data"][0]["attributes"]
    assert (changed["name"], changed["description"]) == ("VIPs", "e")
    assert api("DELETE", f"/segmentsV2/{identity}").body["data"][0]["id"] == identity
    assert api("GET", f"/segmentsV2/{identity}").status == 404


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (segment(name="VIPs"), "name must be unique"),
        (segment(segment_id="7"), "already exist"),
        (segment(segment_conditions=[{"id": "1", "object_type": "tag"}]), "SourceSystem is a required field."),
        (segment(segment_condition_groups=[]), "must be included in a condition group"),
        ({"data": {}}, "required"),
    ],
)
def test_what_a_segment_must_be(api: Api, body: dict[str, Any], detail: str) -> None:
    """A wrong one is a 400 with a status as text and a detail."""
    api("POST", "/segmentsV2", segment(name="VIPs", segment_id="7"))
    reply = api("POST", "/segmentsV2", body)
    assert (reply.status, reply.body["errors"][0]["status"]) == (400, "400")
    assert detail in reply.body["errors"][0]["detail"]


def test_contacts_are_counted_by_segment(api: Api) -> None:
    """`segmentid` counts the contacts that carry the tag of the condition; an unknown segment has none."""
    api.account.seed({"tags": [{"id": "14", "tag": "A", "contacts": 3}, {"id": "15", "tag": "B", "contacts": 5}]})
    identity = api("POST", "/segmentsV2", segment()).body["data"][0]["id"]
    assert api.get("/contacts", segmentid=identity, limit=1)["meta"]["total"] == "3"
    assert api.get("/contacts", segmentid="none")["meta"]["total"] == "0"


def test_a_name_cannot_be_added_to_a_segment(api: Api) -> None:
    """Names are given at creation only."""
    identity = api("POST", "/segmentsV2", segment()).body["data"][0]["id"]
    assert api("PUT", f"/segmentsV2/{identity}", segment(name="Late")).status == 400


def test_branding_is_disabled_by_being_sent(api: Api) -> None:
    """`links` and `help` are on when a PUT leaves them out and off when it has them, with any value."""
    assert api.get("/brandings")["brandings"][0]["links"] == "1"
    reply = api("PUT", "/brandings/1", {"branding": {"siteName": "Acme", "links": True, "groupid": 9}})
    assert {name: reply.body["branding"][name] for name in ("siteName", "links", "help", "groupid", "license")} == {
        "siteName": "Acme", "links": "0", "help": "1", "groupid": "3", "license": "1",
    }  # fmt: skip
    api("PUT", "/brandings/1", {"branding": {"copyright": "0"}})
    read = api.get("/brandings/1")["branding"]
    assert (read["links"], read["copyright"], read["siteName"]) == ("1", "0", "Acme")
    assert [api(method, "/brandings/1").status for method in ("DELETE", "POST")] == [405, 405]


def test_exclusions_are_strict(api: Api) -> None:
    """An unknown filter is a 422, the object is bare, lists go with `several` only."""
    rows = [{"id": "2", "matchPhrase": ".example", "matchType": "end", "channel": "all", "hidden": False, "lists": []}]
    api.account.seed({"exclusions": rows})
    assert api.get("/lists/exclusions") == {"exclusions": rows, "meta": {"total": 1}}
    assert api.get("/lists/exclusions/2") == rows[0]
    reply = api("GET", "/lists/exclusions?filters[nonExisting]=1&orders[lists]=DASC")
    assert (reply.status, len(reply.body["errors"])) == (422, 2)
    assert api("PUT", "/lists/exclusions/2", {"channel": "all", "lists": ["1"]}).status == 422
    assert api("PUT", "/lists/exclusions/2", {"channel": "several", "lists": ["1"]}).body["lists"] == ["1"]
    assert api("GET", "/lists/exclusions/9").body == {"message": "Exclusion not found [id=9]"}


def test_what_can_only_be_read(api: Api) -> None:
    """Automations, goals, campaigns, forms, scores, old segments: listed and read; a missing form is 403."""
    paths = {
        "automations": "automation",
        "goals": "goal",
        "campaigns": "campaign",
        "forms": "form",
        "scores": "score",
        "segments": "segment",
    }
    api.account.seed({path: [{"id": "6", "name": "Six"}] for path in paths})
    api.account.seed({"automationBlocks": [{"automation": "6", "type": "addtag", "params": {"tag": "1"}}]})
    for path, one in paths.items():
        assert api.get(f"/{path}/6")[one]["name"] == "Six"
        assert api.get(f"/{path}")["meta"]["total"] == "1"
        assert api("POST", f"/{path}", {one: {"name": "x"}}).status == 405
    assert api.get("/automations")["meta"]["filtered"] is False
    assert [row["params"] for row in api.get("/automations/6/blocks")["automationBlocks"]] == [{"tag": "1"}]
    api.account.seed({"links": [{"campaignid": "6", "campaign": "6", "name": "Read Tracker"}]})
    assert [row["name"] for row in api.get("/campaigns/6/links")["links"]] == ["Read Tracker"]
    assert (api("GET", "/campaigns/7/links").status, api("GET", "/links").status) == (404, 405)
    reply = api("GET", "/forms/7")
    assert (reply.status, reply.body) == (403, {"message": "No Result found for Form with id 7"})


def test_settings_of_the_interface(api: Api) -> None:
    """GET /configs is undocumented, PUT is; a missing one is ConfigResult."""
    assert api.get("/configs")["configs"][0]["keyname"] == "pagination.users_index"
    assert api("PUT", "/configs/1", {"config": {"val": "50"}}).body["config"]["val"] == "50"
    reply = api("PUT", "/configs/100", {"config": {}})
    assert reply.body == {"message": "No Result found for ConfigResult with id 100"}
