"""Drift alone, the whole story of one object, and selections that say what they bring along."""

from __future__ import annotations

import json

from tests.trust.stories import Story
from tests.world import World

CONFIG = """
tags:
  a: {name: A, description: ours}
  b: {name: B}
  c: {name: C, description: x, lifecycle: {ignore_changes: [description]}}
pipelines:
  sales: {title: Sales, currency: usd, stages: {lead: {title: Lead}, won: {title: Won}}}
webhooks:
  crm: {name: CRM, url: "https://hooks.example/t0ken", events: [deal_add], sources: [api]}
"""


def edit(world: World, table: str, change: dict[str, str], **where: str) -> None:
    """Change a row behind the tool's back."""
    row = world.rows(table, **where)[0]
    world.account.rows.put(table, row["id"], {**row, **change})


def test_story_of_drift(world: World) -> None:
    """`drift` shows what changed since the last apply, not what the files ask for; exit code 2 only when asked for."""
    story = Story(world)
    world.write(CONFIG)
    world.apply()
    assert story.run("drift", "--detailed-exitcode") == 0
    story.tell("somebody edits tag A, deletes tag B, edits an attribute that is ignored; and our files change too")
    edit(world, "tags", {"description": "theirs"}, tag="A")
    edit(world, "tags", {"description": "ignored"}, tag="C")
    edit(world, "webhooks", {"url": "https://hooks.example/0ther"}, name="CRM")
    world.account.rows.remove("tags", world.rows("tags", tag="B")[0]["id"])
    world.write(CONFIG.replace("name: A", "name: A1"))
    assert story.run("drift") == 0
    assert story.run("plan", "--refresh-only", "--detailed-exitcode") == 2
    assert story.run("plan", "--detailed-exitcode") == 2
    assert "t0ken" not in "\n".join(story.lines)
    assert "0ther" not in "\n".join(story.lines)
    assert not world.writes()
    story.check("drift")


def test_drift_is_told_as_data(world: World) -> None:
    """Before is what was applied, after what is live; the origin is drift; each row names its run and its line."""
    world.write(CONFIG)
    world.apply()
    edit(world, "tags", {"description": "theirs"}, tag="A")
    changes = json.loads(world.cli("drift", "--format", "json").out)["changes"]
    assert [(change["address"], change["action"]) for change in changes] == [("tag.a", "update")]
    item = changes[0]["attributes"][0]
    assert (item["name"], item["before"], item["after"], item["origin"]) == ("description", "ours", "theirs", "drift")
    assert item["place"] == "config/main.yaml:3:16"
    assert item["run"]


def test_order_of_stages_drifts_only_relatively(world: World) -> None:
    """Renumbered stages in the same order are no drift; a swapped order is."""
    world.write(CONFIG)
    world.apply()
    edit(world, "dealStages", {"order": "5"}, title="Lead")
    edit(world, "dealStages", {"order": "9"}, title="Won")
    assert world.plan(refresh_only=True).lines == []
    edit(world, "dealStages", {"order": "12"}, title="Lead")
    assert len(world.plan(refresh_only=True).lines) == 1


def test_story_of_explain(world: World) -> None:
    """Identity, what a plan would do, dependencies both ways, whose change is open, what a delete loses."""
    story = Story(world)
    world.write(
        """
        tags: {a: {name: A, description: ours}}
        lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: R}}
        fields:
          tier: {title: Tier, type: dropdown, options: [Free, Pro], lists: [news]}
        """
    )
    assert story.run("explain", "tag.a") == 0
    world.apply()
    field = world.rows("fields")[0]["id"]
    world.account.seed({"fieldValues": [{"contact": str(n), "field": field, "value": "Pro"} for n in range(3)]})
    edit(world, "fields", {"descript": "by hand"})
    edit(world, "lists", {"name": "Renamed"})
    assert story.run("explain", "field.tier") == 0
    assert story.run("explain", "list.news") == 0
    assert story.run("explain", "field.tears") == 3
    assert story.run("explain", "list.news", "--format", "json") == 0
    assert not world.writes()
    story.check("explain")


def test_targets_bring_what_they_need_and_say_so(world: World) -> None:
    """A target plans its dependencies too, an exclusion leaves out what depends on it; both are said."""
    world.write(
        """
        lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: R}}
        fields: {tier: {title: Tier, type: text, lists: [news]}, other: {title: Other, type: text}}
        tags: {a: {}, b: {}}
        """
    )
    assert world.plan(target=("field.tier",)).lines == ["create list.news", "create field.tier"]
    said = " ".join(world.cli("plan", "--target", "field.tier").out.split())
    assert "Also planned, for the selection needs it: list.news." in said
    assert world.plan(exclude=("list.news", "tag.*")).lines == ["create field.other"]
    said = " ".join(world.cli("plan", "--exclude", "list.news").out.split())
    assert "Left out too, for it depends on what was excluded: field.tier." in said


def test_selections_from_files(world: World) -> None:
    """@FILE holds one address or glob on each line; comments and blank lines do not count."""
    world.write("tags: {a: {}, b: {}, c: {}}")
    world.write("# the first two\ntag.a\n\ntag.b  # and this\n", "chosen.txt")
    document = json.loads(world.cli("plan", "--target", "@chosen.txt", "--format", "json").out)
    assert [change["address"] for change in document["changes"]] == ["tag.a", "tag.b"]
    assert world.cli("plan", "--target", "@missing.txt").code == 3
    world.write("# nothing\n", "empty.txt")
    ran = world.cli("plan", "--target", "@empty.txt")
    assert ran.code == 3, "an empty file must not select everything"
    assert world.cli("plan", "--target", "tag.x").code == 3
