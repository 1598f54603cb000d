"""Plans and outcomes as text."""

from __future__ import annotations

import re

import click
import pytest

from reconciler.cli.opening import narrowing, selection
from reconciler.model.document import (
    AttributeView,
    ChangeView,
    FindingView,
    Forecast,
    GuardView,
    ImpactView,
    PlanDocument,
    SkippedView,
    Summary,
    UseView,
)
from reconciler.model.redaction import as_made
from reconciler.model.summary import ApplySummary
from reconciler.render import html, markdown, sentences, text, words
from reconciler.render.layout import cells
from tests.render import documents
from tests.render.golden import assert_golden

_CODE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("size", documents.SIZES)
def test_a_plan_of_each_size_reads_as_approved(size: str) -> None:
    """Plans of 1, 40 and 2,000 changes look as they did when they were last approved."""
    assert_golden(f"plan-{size}.txt", text.plan(documents.SIZES[size]()))


def test_a_long_plan_begins_with_what_it_destroys_or_puts_at_risk() -> None:
    """What costs most first, before the first change in full; where there is nothing of that, the plan says so."""
    document = documents.many(40)
    shown = text.plan(document)
    first = shown[: shown.index("Actions are indicated")]
    risky = [change.address for change in document.changes if words.destructive(change)]
    assert risky
    assert all(f" {address}: " in first for address in risky)
    counts = [int(found.replace(",", "")) for found in re.findall(r": ([\d,]+) contacts", first)]
    assert counts == sorted(counts, reverse=True)
    calm = [change for change in documents.many(400).changes if not words.destructive(change)][:20]
    for counted, said in ((True, "loses customer data"), (False, "customer data was not counted")):
        one = document.model_copy(update={"changes": calm, "options": {} if counted else {"impact": False}})
        assert f"20 changes, none of which deletes anything {'or ' if counted else '('}{said}" in flat(text.plan(one))
    few = document.model_copy(update={"changes": document.changes[:19]})
    assert "of which" not in text.plan(few)


def test_a_long_plan_names_first_what_loses_a_part_without_records() -> None:
    """As the verdict of the report does: a field of a custom object that goes is something that goes."""
    calm = [change for change in documents.many(400).changes if not sentences.takes_away(change)][:20]
    fields = AttributeView(name="fields", before={"row": {"type": "text"}}, after={})
    loses = ChangeView(address="custom_object.seat", kind="custom_object", action="update", attributes=[fields])
    shown = text.plan(PlanDocument(changes=[*calm, loses]))
    first = shown[: shown.index("Actions are indicated")]
    assert ("of which these delete something" in flat(first), "~ custom_object.seat" in first) == (True, True)
    assert "none of which deletes anything" in flat(text.plan(PlanDocument(changes=calm)))


def flat(shown: str) -> str:
    """A text without its line breaks."""
    return re.sub(r"\s+", " ", shown)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_plan_with_everything_reads_as_approved_at_each_width(width: int) -> None:
    """Every action, guard and value shape at 60, 80 and 200 columns."""
    assert_golden(f"everything-{width}.txt", text.plan(documents.refused(), width=width))


def test_colours_add_nothing_but_codes() -> None:
    """Without its codes, coloured output is the plain output, character by character."""
    document = documents.refused()
    coloured = text.plan(document, colour=True)
    assert_golden("everything-colour.txt", coloured)
    assert _CODE.search(coloured)
    assert _CODE.sub("", coloured) == text.plan(document)


@pytest.mark.parametrize("width", [40, 60, 79, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Lines are wrapped; only the digest and an override, which are there to be copied, may be wider."""
    lines = text.plan(documents.refused(), width=width).splitlines()
    assert not [line for line in lines if cells(line) > width and not line.startswith(("Digest", "        --allow"))]


def test_wide_characters_count_as_two_columns() -> None:
    """A title in Japanese wraps where the terminal would."""
    change = ChangeView(address="tag.a", kind="tag", action="create", attributes=[documents.new("name", "日本語" * 20)])
    lines = text.plan(PlanDocument(changes=[change], summary=Summary(add=1)), width=60).splitlines()
    assert max(cells(line) for line in lines) <= 60
    assert sum(line.count("日") for line in lines) == 20


def test_ascii_only_escapes_everything_else() -> None:
    """A terminal without Unicode gets escapes and no question marks."""
    change = ChangeView(address="tag.a", kind="tag", action="create", attributes=[documents.new("name", "Größe 日")])
    shown = text.plan(PlanDocument(changes=[change], summary=Summary(add=1)), ascii_only=True)
    assert shown.isascii()
    assert r"Gr\xf6\xdfe \u65e5" in shown


def test_the_same_document_gives_the_same_text() -> None:
    """A document that was saved and read again renders to the same bytes."""
    document = documents.refused()
    again = PlanDocument.model_validate_json(document.model_dump_json())
    assert text.plan(document) == text.plan(again)


def test_no_changes_is_said_in_terraforms_words() -> None:
    """Nothing to do is one sentence."""
    assert "No changes. The account matches the configuration.\n" in text.plan(documents.nothing())


def test_a_part_is_not_the_account() -> None:
    """Under whichever option that narrows a plan, each view says that the selection matches, and of drift as well."""

    @narrowing
    @selection
    def narrows() -> None: ...

    names = {parameter.name for parameter in click.command()(narrows).params}
    assert names >= {"target", "exclude", "names", "no_delete", "only_adopt"}, "the options of a plan have other names"
    options = {("kinds" if name == "names" else str(name)): ["tag"] for name in names} | {"undo": "run"}
    for name, value in options.items():
        document = documents.nothing().model_copy(update={"options": {name: value}})
        drift = document.model_copy(update={"options": {name: value, "refresh_only": True}})
        for view in (text.plan, markdown.plan, html.plan):
            shown = " ".join(view(document).split())
            assert "No changes. The selection matches the configuration; the rest was left out." in shown, (name, view)
            assert "The account matches" not in shown
        assert "No drift. The selection is as it was last applied; the rest was left out." in text.plan(drift), name
    whole = documents.nothing().model_copy(update={"options": {"refresh_only": True}})
    assert "The account is as it was last applied." in text.plan(whole)


def test_no_changes_is_not_claimed_for_what_could_not_be_read() -> None:
    """With skipped addresses the plan does not say that the account matches."""
    shown = text.plan(PlanDocument(skipped=[SkippedView(address="tag.a", reason="forbidden")]))
    assert "matches the configuration" not in shown
    assert "No changes in what could be planned; 1 address could not be." in shown
    assert "tag.a" in shown


def test_what_a_delete_loses_stands_in_its_line() -> None:
    """The headline of a delete carries the measured loss, with thousands separators, and the plan sums it up."""
    shown = text.plan(documents.refused(), width=120)
    assert (
        "  - stage.sales.lead: 318 deals are moved to stage.sales.won first (worth USD 1,204,500, 97 of them open)"
        in shown
    )
    assert "  ~ field.plan_tier: 12,431 contacts who chose “Old” lose that answer" in shown
    assert "12,749 customer records are affected. For one change what is lost cannot be counted." in shown


def test_bounds_and_uncounted_losses_are_said() -> None:
    """`up to` marks an upper bound, and --no-impact is not silence."""
    change = ChangeView(
        address="tag.a", kind="tag", action="delete", impacts=[ImpactView(count=5, noun="contacts", at_most=True)]
    )
    document = PlanDocument(changes=[change], summary=Summary(destroy=1, records_at_risk=5, at_most=True))
    assert "- tag.a: up to 5 contacts are affected" in text.plan(document)
    assert "\nUp to 5 customer records are affected.\n" in text.plan(document)
    uncounted = document.model_copy(update={"options": {"impact": False}})
    assert "Whether customer data is lost was not counted." in text.plan(uncounted)


def test_the_summary_names_unusual_counts_only_when_there_are_some() -> None:
    """Terraform's line, and adopted, forgotten, moved and manual ones where there are any."""
    plain = PlanDocument(changes=documents.one().changes, summary=Summary(add=2, change=1))
    assert "\nPlan: 2 to add, 1 to change, 0 to destroy.\n" in text.plan(plain)
    more = PlanDocument(changes=documents.one().changes, summary=Summary(add=2, adopt=3, manual=1))
    assert "\nPlan: 2 to add, 0 to change, 0 to destroy, 3 to adopt, 1 manual step.\n" in text.plan(more)


def test_origin_and_place_of_each_changed_attribute_are_shown() -> None:
    """Each attribute of an update says whose change it is and which line asks for it."""
    shown = text.plan(documents.refused(), width=120)
    assert '~ title       = "Plan" -> "Plan tier"  # config, config/crm.yaml:41' in shown
    assert "~ required    = false -> true  # drift, config/crm.yaml:42" in shown
    assert '# both, config/crm.yaml:43, last applied "Basic"' in shown


def test_a_tripped_guard_says_how_to_say_yes_to_exactly_it() -> None:
    """Tripped guards are listed with their addresses and override; passed ones are only named."""
    shown = text.plan(documents.refused())
    assert "Refused by 1 guard; nothing will be written." in shown
    assert "\n        --allow max_records_lost=12749\n" in shown
    assert "\n  Kept: empty_configuration\n" in shown


def test_passed_guards_alone_say_nothing() -> None:
    """A plan that no guard minds has no word about guards."""
    document = documents.one().model_copy(update={"guards": [GuardView(name="max_deletes", verdict="passed")]})
    assert "guard" not in text.plan(document)


def test_values_from_the_account_cannot_steer_the_terminal() -> None:
    """Escape sequences, line ends and bidirectional marks in names, reasons and messages are shown, not obeyed."""
    evil = "\x1b[2J\x1b]0;owned\x07\rfake\u202e\u2028\x9b31m"
    change = ChangeView(
        address="tag.a",
        kind="tag",
        action="update",
        id=evil,
        reason=evil,
        manual={"x": evil},
        attributes=[AttributeView(name="name", before=evil, after=[evil, {evil: evil}], sensitive=False)],
        impacts=[ImpactView(count=1, noun=evil)],
    )
    shown = text.plan(PlanDocument(environment=evil, account=evil, changes=[change], warnings=[evil]))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", shown)


def test_masks_are_shown_as_given() -> None:
    """A sensitive attribute shows the mask that the document holds, without quotes."""
    assert "~ password = (sensitive value) -> another value, not shown" in text.plan(documents.refused())


def test_an_apply_that_did_everything_says_so_in_terraforms_words() -> None:
    """The closing line of a complete apply, with requests against the forecast."""
    shown = text.applied(ApplySummary(added=2, changed=1, requests=12, forecast=12, seconds=2.61))
    assert (
        shown == "Apply complete! Resources: 2 added, 1 changed, 0 destroyed.\n12 requests in 2.6 s (forecast: 12).\n"
    )


def test_an_apply_that_failed_in_part_does_not_say_complete() -> None:
    """Failures with hints, what was skipped for them, notes, and a closing line that is true."""
    summary = ApplySummary(
        added=1,
        adopted=2,
        failed=(
            ("pipeline.sales", "the account answered 422: title is taken", "rename it, or import the one that exists"),
        ),
        skipped=(("stage.sales.lead", "pipeline.sales failed"),),
        notes=(as_made("list.news: the server stores `https://a` as `https://a/`"),),
        requests=2_000,
        seconds=400.0,
    )
    shown = text.applied(summary)
    assert_golden("applied-partial.txt", shown)
    assert "Apply complete!" not in shown


def test_forecast_names_requests_rate_and_time() -> None:
    """The forecast line carries reads, writes, rate and seconds."""
    document = documents.one().model_copy(
        update={"forecast": Forecast(apply_reads=21, apply_writes=1200, rate=4.9, seconds=249.2)}
    )
    expected = (
        "Forecast: the apply takes 1,221 requests (21 to read, 1,200 to write), about 4 min 09 s at 4.9 requests/s."
    )
    assert expected in text.plan(document, width=200)


def test_what_is_the_same_for_several_changes_is_said_once() -> None:
    """Not under each of nine deletes that automations could not be looked into; alone, it stands at its place."""
    blind = UseView(where="automations", certainty="not inspected", note="the key may not read them")
    odd = FindingView(message="could not be checked beforehand: no answer", severity="warning")
    deletes = [
        ChangeView(address=f"tag.t{number}", kind="tag", action="delete", uses=[blind], findings=[odd])
        for number in range(9)
    ]
    shown = " ".join(text.plan(PlanDocument(changes=deletes)).split())
    assert shown.count("automations") == 1
    assert "Note: Could not be looked into: automations (the key may not read them)." in shown
    assert "(9 changes)" in shown
    assert shown.count("no answer") == 1
    assert "Note: Could not be checked beforehand: no answer. (9 changes)" in shown
    for view in (markdown.plan(PlanDocument(changes=deletes)), html.plan(PlanDocument(changes=deletes))):
        assert (view.count("no answer"), view.count("the key may not read them")) == (1, 1)
    assert "not inspected: automations (the key may not read them)" in text.plan(PlanDocument(changes=deletes[:1]))
