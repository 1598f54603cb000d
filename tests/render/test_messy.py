"""The report of an account that nobody prepared: each thing is said once, and read as it is meant."""

from __future__ import annotations

import html as pages
import re

import pytest

from reconciler.model.document import AttributeView, ChangeView, PlanDocument, SkippedView, Summary
from reconciler.render import html, markdown, sentences, words
from reconciler.render.naming import Names, set_apart
from reconciler.render.sides import rows
from tests.render import documents


def read() -> str:
    """Return what stands on the page, without what is folded away for engineers."""
    body = re.sub(r'(?s)<details class="facts">.*?</details>', " ", html.plan(documents.messy()).partition("<body>")[2])
    return " ".join(pages.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def between(page: str, first: str, last: str) -> str:
    """Return a part of a page by its headings."""
    return page.partition(first)[2].partition(last)[0]


def test_a_name_that_runs_on_is_told_from_the_sentence_around_it() -> None:
    """A long one, and one with the marks of a sentence; an ordinary one has no quotes."""
    page = read()
    assert f"The list “{documents.LONG}” is deleted." in page
    assert "The pipeline Onboarding is deleted." in page
    assert [set_apart(name) for name in ("VIP", "A, B", "What? Now", "v1.2")] == [
        "VIP",
        "“A, B”",
        "“What? Now”",
        "v1.2",
    ]


def test_stages_go_with_their_pipeline() -> None:
    """What is lost tells them of the pipeline; a stage of one that stays, or one with records, is told of by itself."""
    lost = between(read(), "What is lost", "What has to be allowed")
    assert ("The stage First" in lost, "The stage Other of Other is deleted." in lost) == (False, True)
    comment = between(markdown.plan(documents.messy()), "### What is lost", "### What has")
    assert ("The stage First" in comment, "The stage Other" in comment) == (False, True)


def test_a_custom_object_loses_fields_by_their_labels() -> None:
    """In the verdict, among what is lost, and as entries of a list; a new field is an entry as well."""
    page = read()
    assert "one field of a custom object" in page
    assert "The custom object Order loses the field Note. Up to 9 records lose what they have in Note." in page
    change = documents.messy().changes[-1]
    (row,) = rows(change, Names([change]))
    assert [(item.text, item.state) for item in row.items] == [
        ("Sum (currency)", "new"),
        ("Note (text, required)", "gone"),
    ]
    kept = {"a": {"type": "text", "labels": {"singular": "A"}}}
    other = {"a": {"type": "date", "labels": {"singular": "A"}}}
    change = change.model_copy(update={"attributes": [AttributeView(name="fields", before=kept, after=other)]})
    assert sentences.removed(change) == {}
    assert [row.name for row in rows(change, Names([change]))] == ["Fields › A › Type"]


def test_who_uses_what_goes_is_told_where_it_is_lost() -> None:
    """The first three, and how many more there are below."""
    lost = between(read(), "What is lost", "What has to be allowed")
    assert "Used by automation “Win back”." in lost
    change = documents.messy().changes[0]
    many = change.model_copy(update={"uses": [change.uses[0]] * 5})
    assert sentences.uses(many)[3:] == ["2 more uses below."]


def test_blocks_that_are_not_known_are_told_once() -> None:
    """With all their sorts, though of one change some of them are known; not in the words of the API."""
    page = read()
    assert page.count("Could not be looked into") == 1
    assert "steps of automations (what they hold is not known: 2 “send”, 1 “tag”)" in page
    assert "(3 changes)" in page
    assert markdown.plan(documents.messy()).count("Could not be looked into") == 1


def test_a_card_names_a_few_things_and_counts_many() -> None:
    """What its sentence names is not named again; of many things the comment has the addresses."""
    cards = between(read(), "What has to be allowed", "How it will look")
    assert cards.count(documents.LONG) == 2  # the sentence, and the fold of the rule
    assert "It is about 6 things" in cards
    assert "Looked at and fine: Rule: Many at once" in cards
    comment = markdown.plan(documents.messy())
    assert "(6 things: `list.old`, `list.x`," in comment


def test_a_harmless_plan_says_so_once() -> None:
    """In the verdict, and not at each of its changes again."""
    gone = [
        ChangeView(address=f"tag.t{number}", kind="tag", action="delete", impacts=documents.everything()[5].impacts)
        for number in range(3)
    ]
    harmless = [
        change.model_copy(update={"impacts": [change.impacts[0].model_copy(update={"count": 0})]}) for change in gone
    ]
    for view in (html.plan, markdown.plan):
        assert view(PlanDocument(changes=harmless)).count("No customer data is lost.") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-09T08:00:00Z", "9 November 2026, 08:00 UTC"),
        ("2026-11-29T08:00:00.123Z", "29 November 2026, 08:00 UTC"),
        ("2026-13-09T08:00:00Z", "2026-13-09T08:00:00Z"),
        ("<b>", "<b>"),
    ],
)
def test_a_time_is_written_as_people_write_it(text: str, shown: str) -> None:
    """Of what is no time, nothing is made."""
    assert words.moment(text) == shown


def test_drift_is_told_in_a_sentence_and_what_cannot_be_seen_by_its_reason() -> None:
    """Not as counts; a box that could hide nothing, or everything, is not offered."""
    hidden = [
        SkippedView(address=f"deal_role.{name}", reason="the key may not read `dealRoles`") for name in ("a", "b")
    ]
    tags = [ChangeView(address="tag.vip", kind="tag", action="delete")]
    tags += [ChangeView(address=f"tag.t{number}", kind="tag", action="update") for number in range(2)]
    document = PlanDocument(
        changes=tags, skipped=hidden, warnings=["`tag.vip` may be two"], summary=Summary(unchanged=1),
        options={"refresh_only": True},
    )  # fmt: skip
    page = html.plan(document)
    told = " ".join(pages.unescape(re.sub(r"<[^>]+>", " ", page.partition("<body>")[2])).split())
    verdict = "Two things were changed in the account and one thing is gone from it since the last apply."
    assert f"{verdict} 1 other is as applied. Two things could not be looked at." in told
    assert told.count("the key may not read “dealRoles”") == 1
    assert "Not looked at" in told
    assert "“tag Vip” may be two" in told
    offered = '<label><input type="checkbox" id="f-risky">'
    assert (offered in page, offered in html.plan(documents.messy())) == (False, True)
    assert verdict in markdown.plan(document)
