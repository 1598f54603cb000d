"""Tracked events and site domains: identity by name, no updates, an old and a new path."""

from __future__ import annotations

from tests.world import World


def test_events_come_and_go_by_name(world: World) -> None:
    """Created, found again by name after the state is lost, replaced where the name changes, deleted."""
    world.write("tracked_events: {demo: {name: watched demo}, other: {}}")
    world.apply()
    assert world.plan().empty
    assert world.state().resources["tracked_event.demo"].id == "watched demo"
    (world.folder / "state" / "demo.json").unlink()
    assert world.plan().lines == ["adopt tracked_event.demo", "adopt tracked_event.other"]
    world.apply()
    world.write("tracked_events: {demo: {name: watched the demo}, other: {}}")
    assert world.plan().lines == ["replace tracked_event.demo (name)"]
    world.apply()
    assert world.plan().empty
    world.write("tracked_events: {other: {}}")
    assert world.plan().lines == ["delete tracked_event.demo"]
    world.apply()
    names = {one["name"] for one in world.call("GET", "/eventTrackingEvents")["eventTrackingEvents"]}
    assert names >= {"__pagevisit", "__redir", "other"}
    assert not names & {"watched demo", "watched the demo"}


def test_the_accounts_own_events_are_never_claimed(world: World) -> None:
    """Names with two underscores cannot be managed, and an export leaves them out."""
    world.write("tracked_events: {other: {}}")
    world.apply()
    world.export(world.folder / "copy")
    text = (world.folder / "copy/config/tracked_events.yaml").read_text("utf-8")
    assert "other" in text
    assert "__pagevisit" not in text


def test_a_domain_is_replaced_and_its_switches_are_turned_by_hand(world: World) -> None:
    """There is no update (section 2.29): another domain is another entry; a switch is a manual step."""
    world.write("site_domains: {shop: {domain: shop.example, conversations: false}}")
    world.apply()
    assert world.plan().empty
    world.write("site_domains: {shop: {domain: www.shop.example, conversations: false}}")
    assert world.plan().lines == ["replace site_domain.shop (domain)"]
    world.apply()
    assert world.plan().empty
    world.write("site_domains: {shop: {domain: www.shop.example, conversations: true}}")
    planned = world.plan()
    assert planned.lines == ["manual site_domain.shop (conversations)"]
    assert planned.document.steps == []
    world.write("tags: {vip: {}}")
    assert "delete site_domain.shop" in world.plan().lines
    world.apply()
    assert world.call("GET", "/prism/urlWhitelistings")["data"] == []


def test_an_account_with_the_old_path_is_served_by_it(world: World) -> None:
    """Row 28 of section 7: where the new path does not exist, the old one is read, written and deleted at."""
    world.behave(site_domains="old")
    world.write("site_domains: {shop: {domain: shop.example}}")
    world.apply()
    assert world.plan().empty
    world.write("tags: {vip: {}}")
    world.apply()
    assert "DELETE /siteTrackingDomains/shop.example" in world.writes()
    assert world.plan().empty
