"""Values that the account stores in its own way where no update could send them again."""

from __future__ import annotations

import html

import pytest

from tests.quirks.retold import Retell, retold, texts
from tests.world import World

NAMES = """
tags:
  research: {name: "R&D "}
deal_roles:
  research: {title: "R&D "}
tracked_events:
  demo: {name: "R&D "}
lists:
  news: {name: "R&D ", string_id: "R&D ", sender_url: "https://acme.example", sender_reminder: You signed up}
custom_objects:
  ticket: {slug: ticket, labels: {singular: "R&D ", plural: "R&Ds "}}
segments:
  all: {name: "R&D ", groups: [{conditions: [{object: tag, fields: [{name: tagid, value: {ref: tag.research}}]}]}]}
"""
REWRITING = {"trimmed": texts(str.strip), "escaped": texts(lambda text: html.escape(text, quote=False))}


@pytest.mark.parametrize("how", REWRITING)
def test_a_name_that_the_account_rewrites_is_told_once(world: World, how: str) -> None:
    """Trimmed or escaped names are noted after the create; the next plan is empty, and nothing is made twice."""
    rewriting: Retell = REWRITING[how]
    world.write(NAMES)
    with retold(world, told=rewriting):
        applied = world.apply()
        count = {table: len(found) for table, found in world.dump().items()}
        assert world.plan().empty
    notes = "\n".join(applied.summary.notes)
    for address in ("tag.research", "deal_role.research", "list.news", "segment.all"):
        assert f"{address}: the account stores" in notes
    assert {table: len(found) for table, found in world.dump().items()} == count
