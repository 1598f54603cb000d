"""What things are called that a plan only refers to: by their names where these are known, in every form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from reconciler.model.called import called
from reconciler.model.document import AttributeView, ChangeView, ImpactView, PlanDocument
from reconciler.render import html, markdown, since, text
from reconciler.render.naming import Names
from reconciler.render.terms import SCREENS
from tests.render import documents
from tests.world import World

DECLARED = """
user_groups: {agents: {name: Agents}}
lists:
  news: {name: News, string_id: news, sender_url: "https://acme.example", sender_reminder: You asked.,
         user_groups: [{name: Support}, agents]}
account_fields: {size: {label: Headcount, type: number}}
fields: {tier: {title: Tier, type: dropdown, options: [Free, {value: ent, label: Enterprise}]}}
custom_objects:
  ticket:
    slug: event-ticket
    labels: {singular: Event ticket, plural: Event tickets}
    fields: {seat: {type: text, labels: {singular: Seat no., plural: Seats}}}
"""
BARE = re.compile(
    rf"\b(?:{'|'.join(screen.one for screen in SCREENS.values())}|user_group|field_group)s? (?:id )?\d+\b"
)
FORMS: dict[str, Callable[[PlanDocument], str]] = {
    "html": html.plan,
    "markdown": markdown.plan,
    "text": lambda document: text.plan(document, width=400),
}


@pytest.fixture(name="torn")
def a_plan_that_deletes_what_refers_to_others(world: World) -> PlanDocument:
    """Of an account with groups that nothing declares."""
    world.account.seed({"groups": [{"id": "9", "title": "Support"}]})
    world.write(DECLARED)
    world.apply()
    world.cli("plan", "--destroy", "--out", "plan.json")
    return PlanDocument.model_validate(json.loads((world.folder / "plan.json").read_text("utf-8")))


def test_what_nothing_declares_is_named_in_every_form(torn: PlanDocument) -> None:
    """Groups of users, the default group of fields, options, fields of custom objects: none by a number or key."""
    for form, shown in FORMS.items():
        page = shown(torn)
        assert "Support" in page, form
        assert "General Details" in page, form
        assert not re.search(r"ACCOUNT_DEFAULT|\bent\b(?!&|\W*default|\))", page.partition("For engineers")[0]), form
        assert BARE.findall(page) == [], form
    assert "The custom object Event ticket is deleted." in html.plan(torn)
    assert "1 field goes with it: Seat no.." in markdown.plan(torn).replace("\\", "")
    assert torn.names["user_group id 9"] == "Support"


def test_of_what_was_not_read_a_report_says_what_it_is() -> None:
    """With its id, for there is nothing else; a name that looks like one of ours stays a name."""
    names = Names((), {"list id 4": "News"})
    assert names.mentioned("list id 4") == "list News"
    assert names.mentioned("account_field id 5") == "an account field (id 5)"
    assert names.mentioned("list 4") == "list 4"


def _joined(group: str, name: str) -> PlanDocument:
    view = AttributeView(name="user_groups", before=[], after=[{"$id": group, "kind": "user_group"}])
    change = ChangeView(address="list.news", kind="list", action="update", attributes=[view])
    impact = ImpactView(count=1, noun="permissions of user groups", effect="along", objects=[f"user_group id {group}"])
    names = {f"user_group id {group}": name}
    return PlanDocument(changes=[change.model_copy(update={"impacts": [impact]})], names=names)


def test_another_name_of_what_a_plan_refers_to_is_not_another_plan() -> None:
    """The same group was renamed in the account: nothing else is done. Another group is, and is named."""
    assert list(since.differences(_joined("3", "Admin"), _joined("3", "Administrators"))) == []
    lines = list(since.differences(_joined("3", "Admin"), _joined("9", "Support")))
    assert any("Support" in line for line in lines)
    assert any("Admin" in line for line in lines)


@pytest.mark.parametrize(
    ("attrs", "name"),
    [
        ({"label": "{**ACCOUNT_DEFAULT**}"}, "General Details (accounts)"),
        ({"label": "{**DEFAULT**}"}, "General Details (contacts)"),
        ({"label": "{**Ours"}, "{**Ours"),
        ({"slug": "event-ticket", "labels": {"singular": "Event ticket", "plural": "x"}}, "Event ticket"),
        ({"tag": "OPENING_HOURS", "name": "Opening hours"}, "Opening hours"),
        ({"order": 3, "name": {"$secret": "${secret.X}"}}, ""),
    ],
)
def test_an_object_is_called_what_the_screens_call_it(attrs: dict[str, object], name: str) -> None:
    """Not by what programs know it by."""
    assert called(attrs) == name


def test_a_plan_that_refers_to_nothing_else_says_no_names() -> None:
    """Nothing is added to plans that have no use for it."""
    assert "names" not in documents.many(40).model_dump()
