"""Settings: one of each in every account; adopted, changed in place, never created or deleted."""

from __future__ import annotations

import pytest

from tests.world import World

ALL = """
    settings:
      site_tracking: {enabled: true}
      event_tracking: {enabled: true}
      branding: {site_name: Acme, help: true}
"""


def _branding(world: World) -> dict[str, object]:
    return dict(world.call("GET", "/brandings/1")["branding"])


def test_settings_are_adopted_changed_and_left(world: World) -> None:
    """The first plan updates what differs, the next is empty; a removed block is forgotten and changes nothing."""
    world.write(ALL)
    applied = world.apply()
    assert not [line for line in applied.planned.lines if line.startswith(("create", "delete"))]
    assert world.plan().empty
    assert world.call("GET", "/siteTracking")["siteTracking"]["enabled"] in (True, 1, "1")
    world.write("tags: {vip: {}}")
    assert [line for line in world.plan().lines if "setting" in line] == [
        "forget setting.branding",
        "forget setting.event_tracking",
        "forget setting.site_tracking",
    ]
    before = _branding(world)
    world.forget()
    world.apply()
    assert world.writes() == ["POST /tags"]
    assert _branding(world) == before


@pytest.mark.parametrize("key", ["site_tracking", "event_tracking"])
def test_tracking_is_written_only_on_change(world: World, key: str) -> None:
    """Setting a status that it has already may be an error (section 2.28)."""
    world.write(f"settings: {{{key}: {{enabled: true}}}}")
    world.apply()
    world.forget()
    world.apply()
    assert world.writes() == []
    world.write(f"settings: {{{key}: {{enabled: false}}}}")
    assert world.plan().lines == [f"update setting.{key} (enabled)"]
    world.apply()
    assert world.plan().empty


def test_absence_has_a_meaning_in_brandings(world: World) -> None:
    """`links` is enabled by leaving it out (section 2.26): switched off it stays off while other things change."""
    for text in ("{site_name: Acme, links: false}", "{site_name: Acme Ltd, links: false}", "{site_name: Acme Inc}"):
        world.write(f"settings: {{branding: {text}}}")
        world.apply()
        assert world.plan().empty
    body = world.account.log[-1]["body"] or next(one["body"] for one in reversed(world.account.log) if one["body"])
    assert "links" in body["branding"]
    world.write("settings: {branding: {site_name: Acme Inc, links: true}}")
    world.apply()
    assert world.plan().empty


def test_only_what_is_declared_is_read(world: World) -> None:
    """One setting costs one request."""
    world.write("settings: {event_tracking: {enabled: true}}")
    world.apply()
    world.forget()
    world.plan()
    assert world.requests() == ["GET /eventTracking"]


def test_a_setting_that_does_not_exist_is_named(world: World) -> None:
    """A key is one of those that there are; the hint names the nearest."""
    world.write("settings: {site_traking: {enabled: true}}")
    ran = world.cli("validate")
    assert ran.code == 3, ran.text
    assert "there is no setting `site_traking`" in ran.text
    assert "did you mean `site_tracking`?" in ran.text
    world.write("settings: {site_tracking: {site_name: Acme}}")
    assert "unknown attribute `site_name`" in world.cli("validate").text


def test_one_setting_that_cannot_be_read_stops_no_other(world: World) -> None:
    """It is skipped by name with exit code 4; the others are applied."""
    world.behave(forbidden=("brandings",))
    world.write(ALL)
    assert world.cli("plan").code == 4
    planned = world.plan()
    assert [one.address for one in planned.document.skipped] == ["setting.branding"]
    world.cli("apply", "--auto-approve")
    assert {"setting.site_tracking", "setting.event_tracking"} <= set(world.state().resources)
