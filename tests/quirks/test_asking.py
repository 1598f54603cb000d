"""What a plan asks beside the listings: once, and without depending on an answer."""

from __future__ import annotations

from tests.world import World

HOOKS = """
webhooks:
  one: {name: One, url: "https://h.example/1", events: [subscribe], sources: [public]}
  two: {name: Two, url: "https://h.example/2", events: [subscribe], sources: [public]}
  three: {name: Three, url: "https://h.example/3", events: [update], sources: [public]}
"""


def test_the_same_question_is_asked_once(world: World) -> None:
    """Three webhooks need one list of events."""
    world.write(HOOKS)
    world.plan()
    assert world.requests().count("GET /webhook/events") == 1


def test_an_account_without_a_list_of_events_is_planned_all_the_same(world: World) -> None:
    """What cannot be checked beforehand is said, and no reason to stop."""
    world.behave(missing=("webhook",))
    world.write(HOOKS)
    made = world.plan()
    assert made.lines == ["create webhook.one", "create webhook.three", "create webhook.two"]
    assert not made.document.tripped
    assert "could not be checked beforehand" in made.change("webhook.one").findings[0].message
