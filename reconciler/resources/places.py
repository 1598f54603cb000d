"""Where other things of the account may mention an object. No kind lives here.

What an automation's blocks, a segment's conditions and a form's actions hold is not documented: ids are looked for
under the names by which they are known, and what is of an unknown sort counts as not inspected, never as no use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from reconciler.model.conditions import HOLDERS
from reconciler.model.live import Collection, Row
from reconciler.model.mention import Mention
from reconciler.model.usage import Certainty, Place, leaves
from reconciler.model.values import Json, items_of, maps_of
from reconciler.resources.segment_body import searchable

Likelihood = Certainty | Literal[""]
KNOWN_BLOCKS = frozenset({"wait", "end"})
"""Sorts of automation blocks that hold no reference: one waits, one ends."""


def _by_id(known: Callable[[Row], bool], part: str = "") -> Callable[[Row, Mention], Likelihood]:
    """Return a search for an object's id: under one of its names it is a use, elsewhere it may be one."""

    def finds(row: Row, mention: Mention) -> Likelihood:
        pairs = list(leaves(row.get(part) if part else row))
        if any(text == mention.id and key.lower() in mention.keys for key, text in pairs):
            return "used"
        if mention.texts and any(wanted in text for _, text in pairs for wanted in mention.texts):
            return "used"
        if not mention.keys or known(row):
            return ""
        return "maybe" if any(text == mention.id for _, text in pairs) else "not inspected"

    return finds


def _form(row: Row, mention: Mention) -> Likelihood:
    """`cfields[].id` are fields; `actiondata.actions[]` name lists and tags (section 3.1)."""
    if not mention.keys:
        return ""
    if mention.kind == "field":
        fields = row.get("cfields")
        ids = (
            {str(field.get("id")) for field in fields if isinstance(field, dict)} if isinstance(fields, list) else None
        )
        return "not inspected" if ids is None else "used" if mention.id in ids else ""
    actions = row.get("actiondata", "absent") or []
    if not isinstance(actions, dict | list):
        return "not inspected"
    pairs = list(leaves(actions))
    return "used" if any(text == mention.id and key.lower() in mention.keys for key, text in pairs) else ""


def _segment(row: Row, mention: Mention) -> Likelihood:
    """`tests` hold the values of a segment's conditions by the field that is looked at (`searchable`)."""
    others = [test for test in maps_of(row["tests"]) if test["name"] not in HOLDERS]
    if mention.keys:
        if any(_is_about(test, mention) and mention.id in items_of(test["ids"]) for test in maps_of(row["tests"])):
            return "used"
        if any(mention.id in items_of(ids) for ids in (*(test["ids"] for test in others), row["more"])):
            return "maybe"
    documented = row["documented"] and (not others or mention.kind in HOLDERS.values())
    return "" if documented else "not inspected"


def _is_about(test: Mapping[str, Json], mention: Mention) -> bool:
    name = str(test["name"])
    return HOLDERS.get(name) == mention.kind or name.lower() in mention.keys


def _content(*parts: str) -> Callable[[Row, Mention], Likelihood]:
    """Return a search for personalization tags in the texts of a row."""

    def finds(row: Row, mention: Mention) -> Likelihood:
        if not any(part in row for part in parts):
            return "not inspected"
        texts = [str(row.get(part) or "") for part in parts]
        return "used" if any(wanted in text for text in texts for wanted in mention.texts) else ""

    return finds


_CONTENT = frozenset({"field", "deal_field", "account_field", "personalization"})
PLACES = (
    Place(
        "automation",
        Collection("/automationBlocks", "automationBlocks"),
        _by_id(lambda row: row.get("type") in KNOWN_BLOCKS, "params"),
        names=Collection("/automations", "automations"),
        owner="automation",
        sort="type",
    ),
    Place("form", Collection("/forms", "forms"), _form, frozenset({"field", "list", "tag"})),
    Place(
        "segment",
        Collection("/audiences", "data", paging="page", table="audiences", ids="text"),
        _segment,
        detail="/segmentsV2",
        spelled=searchable,
    ),
    Place("campaign", Collection("/campaignLists", "campaignLists"),
          _by_id(lambda row: not {"list", "listid"}.isdisjoint(row)), frozenset({"list"}),
          names=Collection("/campaigns", "campaigns"), owner="campaign"),
    Place("message", Collection("/messages", "messages"),
          _content("html", "text", "subject", "preheader_text"), _CONTENT, label="subject"),
    Place("template", Collection("/templates", "templates"), _content("content", "subject"), _CONTENT),
)  # fmt: skip
"""In the order in which they are asked, the most telling first: the budget may end before the list does."""
