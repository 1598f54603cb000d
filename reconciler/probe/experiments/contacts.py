"""Filters that counts of records rely on, with two contacts at example.com that are subscribed to nothing; only where
that is asked for. What is found here is told, and no count ever relies on it.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.probe.answers import counted
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab

VALUE_FILTER = Fact("value_filter", 0, "values are filtered by their field", "honoured", ("field",), "recording",
                    "what a delete would lose cannot be counted")  # fmt: skip
TEXT_FILTER = Fact("value_text_filter", 0, "values of a field are filtered by their text", "honoured", ("field",),
                   "recording", "what a removed option would lose is counted too high")  # fmt: skip
TAG_FILTER = Fact("tag_filter_contacts", 0, "contacts are filtered by tag", "honoured", ("tag",), "vendor",
                  "what a delete would lose cannot be counted")  # fmt: skip


async def _contacts(lab: Lab) -> Findings:
    contact, two = [await lab.make("contact", {"email": f"{lab.mark}-{name}@example.com"}) for name in "ab"]
    field, other = [await lab.make("field", {"title": lab.name(name), "type": "text"}) for name in "xy"]
    tag = await lab.make("tag", {"tag": lab.name("counted"), "tagType": "contact"})
    await lab.make("field_value", {"contact": contact.id, "field": field.id, "value": "red"})
    await lab.make("field_value", {"contact": two.id, "field": field.id, "value": "blue"})
    await lab.make("contact_tag", {"contact": contact.id, "tag": tag.id})
    counts, none = [await _count(lab, "/fieldValues", {"filters[fieldid]": created.id}) for created in (field, other)]
    yield "value_filter", "honoured" if (counts, none) == (2, 0) else "ignored"
    red = await _count(lab, "/fieldValues", {"filters[fieldid]": field.id, "filters[val]": "red"})
    yield "value_text_filter", "honoured" if red == 1 else "ignored"
    yield "tag_filter_contacts", "honoured" if await _count(lab, "/contacts", {"tagid": tag.id}) == 1 else "ignored"


async def _count(lab: Lab, path: str, query: Mapping[str, str]) -> int:
    return counted(await lab.ask(path, {**query, "limit": "1"}))


EXPERIMENTS = (
    Experiment("filters of counts", (VALUE_FILTER, TEXT_FILTER, TAG_FILTER), _contacts, 22, needs="contacts", held=34,
               leaves="nothing, but ids of contacts that were used up"),
)  # fmt: skip
