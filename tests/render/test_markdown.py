"""Plans as comments on pull requests."""

from __future__ import annotations

import re

import pytest

from reconciler.model.document import AttributeView, ChangeView, GuardView, PlanDocument, SkippedView, Summary
from reconciler.render import markdown, mermaid
from reconciler.render.naming import Names
from tests.render import documents
from tests.render.golden import assert_golden


@pytest.mark.parametrize("size", documents.SIZES)
def test_a_comment_of_each_size_reads_as_approved(size: str) -> None:
    """Plans of 1, 40 and 2,000 changes as comments."""
    assert_golden(
        f"plan-{size}.md", markdown.plan(documents.SIZES[size](), apply_command="reconciler -e prod apply plan.json")
    )


def test_a_comment_with_everything_reads_as_approved() -> None:
    """Every action, guard, skipped kind and warning."""
    assert_golden("everything.md", markdown.plan(documents.refused()))


def test_things_are_called_as_in_the_report() -> None:
    """What is asked about, what is to be done manually and what is not planned: the name, and the address behind it."""
    document = documents.refused()
    names, told = Names.of(document), markdown.plan(document)
    asked = [address for guard in document.guards if guard.verdict != "passed" for address in guard.addresses]
    left = [change.address for change in document.changes if change.manual]
    for address in [*asked, *left, *(skipped.address for skipped in document.skipped)]:
        assert f"{names.thing(address)} `{address}`" in told


def test_the_verdict_comes_first_and_destruction_is_never_folded() -> None:
    """Verdict, what is lost, what has to be allowed, destructive changes; only then something folded, creates last."""
    text = markdown.plan(documents.refused())
    folded = text.index("<details>")
    order = [
        text.index(part)
        for part in (
            "This plan deletes one stage",
            "### What is lost",
            "### What has to be allowed",
            "- stage.sales.lead: 318 deals",
        )
    ]
    assert order == sorted(order)
    assert order[-1] < folded
    assert text.index("- -/+ custom_object.ticket") < folded
    assert text.index("1 webhook</summary>") < text.index("1 new tag</summary>") < text.index("+ tag.vip")


@pytest.mark.parametrize("limit", [markdown.LEAST, markdown.BITBUCKET, markdown.GITHUB])
@pytest.mark.parametrize("size", [40, 2000])
def test_a_comment_fits_and_counts_what_was_cut(limit: int, size: int) -> None:
    """The text stays below the limit, cuts between objects, and shown plus cut changes are all changes."""
    text = markdown.plan(documents.many(size), limit=limit, apply_command="reconciler apply plan.json")
    assert len(text) <= limit
    shown = len(re.findall(r"^[+!-] (?:~ )?(?:tag|field|stage|pipeline)\.", text, re.MULTILINE))
    cut = re.search(r"\*\*([\d,]+) changes? not shown\*\*", text)
    assert shown + (int(cut.group(1).replace(",", "")) if cut else 0) == size
    assert text.count("```") % 2 == 0
    assert text.count("<details>") == text.count("</details>")
    assert "reconciler apply plan.json" in text


def test_destruction_is_cut_last() -> None:
    """Where not everything fits, the folded changes give way to the destructive ones."""
    text = markdown.plan(documents.many(2000), limit=markdown.BITBUCKET)
    assert text.count("\n- field.f") == 200
    assert "not shown" in text


def test_a_limit_counts_as_the_host_counts() -> None:
    """Characters outside of the basic plane count twice."""
    changes = [
        ChangeView(
            address=f"tag.t{number}", kind="tag", action="create", attributes=[documents.new("name", "\U0001f600" * 60)]
        )
        for number in range(200)
    ]
    text = markdown.plan(PlanDocument(changes=changes, summary=Summary(add=200)), limit=8_000)
    assert len(text.encode("utf-16-le")) // 2 <= 8_000


def test_heads_with_thousands_of_entries_are_bounded() -> None:
    """Thousands of skipped addresses, guards and warnings do not push out the verdict or break the limit."""
    document = PlanDocument(
        changes=documents.many(40).changes,
        skipped=[SkippedView(address=f"tag.t{number}", reason=f"reason {number % 100}") for number in range(5_000)],
        warnings=[f"warning {number}" for number in range(5_000)],
        guards=[GuardView(name=f"g{n}", verdict="tripped", addresses=["tag.a"] * 1000) for n in range(1_000)],
    )
    text = markdown.plan(document)
    assert len(text) <= markdown.GITHUB
    assert "and 4,970 more" in text
    assert "and 70 more" in text


def test_long_texts_do_not_push_out_the_rest() -> None:
    """A message of a million characters is clipped, and what comes after it is still there."""
    document = documents.refused().model_copy(update={"warnings": ["x" * 1_000_000] * 40})
    text = markdown.plan(document)
    assert len(text) <= markdown.GITHUB
    assert "+ tag.vip" in text
    assert "Digest" in text


def test_foreign_text_cannot_leave_its_fence_mention_anybody_or_close_an_issue() -> None:
    """Fences are longer than any backticks inside; mentions, HTML and quick actions outside of fences are dead."""
    evil = "```\n</details>\n/close\n@all <img src=x> [a](javascript:b) #12 `x`"
    change = ChangeView(
        address="tag.a",
        kind="tag",
        action="create",
        reason=evil,
        attributes=[
            AttributeView(name="name", after=evil),
            AttributeView(name="more", before=evil, after=evil + "\n````"),
        ],
    )
    document = PlanDocument(
        environment=evil,
        changes=[change],
        warnings=[evil],
        guards=[GuardView(name=evil, verdict="tripped", message=evil, override=evil)],
        skipped=[SkippedView(address="tag.b", reason=evil)],
    )
    text = markdown.plan(document)
    outside = re.sub(r"(?ms)^(`{3,})diff$.*?^\1$", "", text)
    assert not re.search(r"^\s*/", outside, re.MULTILINE)
    spans = re.sub(r"(?s)(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"\\.", "", outside))
    assert spans.count("</details>") == 1
    assert "<img" not in spans
    assert "@all" not in spans
    assert "[a]" not in spans
    assert "#12" not in spans


def test_a_refused_plan_offers_no_command() -> None:
    """The command that applies is shown only where it would work."""
    command = "reconciler apply plan.json"
    assert command in markdown.plan(documents.one(), apply_command=command)
    assert command not in markdown.plan(documents.refused(), apply_command=command)
    assert command not in markdown.plan(documents.nothing(), apply_command=command)


def test_no_changes_is_a_short_comment() -> None:
    """Nothing to do is said, with the digest."""
    text = markdown.plan(documents.nothing())
    assert "**No changes. The account matches the configuration.**" in text
    assert len(text.splitlines()) < 10


def test_the_graph_draws_objects_and_in_large_plans_kinds() -> None:
    """Forty changes are drawn one by one, more as kinds with counts; the text stays small."""
    small = mermaid.graph(documents.many(40).changes)
    assert small.splitlines()[0] == "graph LR"
    assert small.count("-->") == 24
    assert '["+ pipeline.p0"]:::add' in small
    large = mermaid.graph(documents.many(2000).changes)
    assert 'n1["stage: + 1,200"]:::add' in large
    assert len(large) < 2_000
    assert mermaid.graph(documents.one().changes) == ""
