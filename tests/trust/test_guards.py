"""Guards: what stops a plan, what it says, and that yes is said to exactly one thing."""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reconciler.model.document import PlanDocument
from reconciler.model.errors import PlanError
from tests.trust.stories import Story
from tests.world import World

PIPELINE = """
pipelines:
  sales:
    title: Sales
    currency: usd
    stages:
      lead: {title: Lead}
      won: {title: Won, lifecycle: {prevent_destroy: true}}
"""
LIST = "lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: R}}\n"
FIELD = "fields: {tier: {title: Tier, type: dropdown, options: [Free, Pro]}}\n"
KEEP = "tags: {keep: {name: Keep}}\n"


def with_values(world: World) -> None:
    """Let 12 contacts carry a value of the field."""
    field = world.rows("fields")[0]["id"]
    world.account.seed({"fieldValues": [{"contact": str(n), "field": field, "value": "Pro"} for n in range(12)]})


@dataclass(frozen=True)
class Case:
    """A guard: the configuration before and after, and the yes that it takes."""

    name: str
    before: str
    after: str
    yes: str
    guards: str = "{}"
    meanwhile: Callable[[World], None] = lambda world: None


CASES = [
    Case("max_deletes", "tags: {a: {}, b: {}, keep: {}}", "tags: {keep: {}}", "max_deletes=2", "{max_deletes: 1}"),
    Case(
        "max_delete_percent",
        "tags: {" + ", ".join(f"t{n}: {{}}" for n in range(10)) + "}",
        "tags: {" + ", ".join(f"t{n}: {{}}" for n in range(6)) + "}",
        "max_delete_percent=tag:4",
    ),
    Case("max_records_lost", FIELD + KEEP, KEEP, "max_records_lost=12", meanwhile=with_values),
    Case("list_deletes", LIST + KEEP, KEEP, "list_deletes=list.news"),
    Case("prevent_destroy", PIPELINE, PIPELINE.replace(re.findall(r"\n +won.*", PIPELINE)[0], ""),
         "prevent_destroy=stage.sales.won"),
    Case("empty_configuration", "tags: {a: {}, b: {}}", "{}", "empty_configuration"),
    Case("suspected_rename", "tags: {lead: {name: Lead}}", "tags: {leads: {name: Leads}}",
         "suspected_rename=tag.lead:tag.leads"),
    Case("max_requests", KEEP, "tags: {a: {}, b: {}, c: {}, d: {}, keep: {name: Keep}}", "max_requests=6",
         "{max_requests: 5}"),
]  # fmt: skip


def as_shown(world: World) -> None:
    """Run the command that the report shows, as somebody copies it from the page and from the comment: what comes of it
    is the plan that was refused, with this yes and no other.
    """
    assert world.cli("plan", "--format", "html=report.html", "--format", "markdown=report.md").code == 7
    page, comment = ((world.folder / f"report.{form}").read_text("utf-8") for form in ("html", "md"))
    [shown] = re.findall(r'<pre class="command"><code>(.*?)</code></pre>', page, re.DOTALL)
    [written] = re.findall(r"To allow exactly this: `(.*?)`", comment)
    assert html.unescape(shown) == written
    program, *argv = shlex.split(written)
    ran = world.cli(*argv)
    assert (program, ran.code) == ("reconciler", 0), ran.text
    saved = PlanDocument.model_validate_json((world.folder / "plan.json").read_text("utf-8"))
    assert [(guard.verdict, guard.by) for guard in saved.guards] == [("overridden", "command line")]
    assert [change.action for change in saved.changes] == [change.action for change in world.plan().document.changes]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_guard_story(world: World, case: Case) -> None:
    """Refused with exit code 7 and no write; the wrong yes changes nothing; the printed one lets it through and is
    recorded; the project file can say it too.
    """
    story = Story(world)
    world.write(case.before)
    world.apply()
    case.meanwhile(world)
    world.write(case.after)
    project = (world.folder / "reconciler.yaml").read_text()
    guarded = project.replace("account.db\n", f"account.db\n    guards: {case.guards}\n")
    world.write(guarded, "reconciler.yaml")
    assert story.run("apply", "--auto-approve") == 7
    assert not world.writes()
    assert story.run("plan", "--allow", case.yes + "x") == 7
    assert f"--allow {case.yes}x overrides nothing" in " ".join("\n".join(story.lines).split())
    standing = case.guards.strip("{}")
    world.write(
        guarded.replace(case.guards, "{" + (f"{standing}, " if standing else "") + f'allow: ["{case.yes}"]' + "}"),
        "reconciler.yaml",
    )
    planned = world.plan().document
    assert [(guard.verdict, guard.by) for guard in planned.guards] == [("overridden", "project file")]
    world.write(guarded, "reconciler.yaml")
    as_shown(world)
    assert story.run("apply", "--auto-approve", "--allow", case.yes) == 0
    assert world.plan().empty
    story.check(f"guard-{case.name}")


def test_protection_outlives_its_block(world: World) -> None:
    """prevent_destroy is kept in the state: removing the whole block does not remove the protection."""
    world.write(PIPELINE + KEEP)
    world.apply()
    world.write(KEEP)
    ran = world.cli("apply", "--auto-approve", "--allow", "max_records_lost=0")
    assert ran.code == 7, ran.text
    assert "prevent_destroy=stage.sales.won" in ran.out
    ran = world.cli("destroy", "--auto-approve")
    assert ran.code == 7, ran.text


def test_protection_added_later_is_recorded(world: World) -> None:
    """A protection or evacuation that is declared after the create gets into the state with the next apply."""
    world.write("tags: {a: {}}")
    world.apply()
    world.write("tags: {a: {lifecycle: {prevent_destroy: true}}}")
    world.apply()
    assert world.state().resources["tag.a"].prevent_destroy
    assert world.plan().empty


def test_no_impact_is_a_recorded_yes(world: World) -> None:
    """--no-impact sends no counting request, the plan says so, and the yes that it implies is in the document."""
    world.write(FIELD + KEEP)
    world.apply()
    with_values(world)
    world.write(KEEP)
    world.forget()
    document = world.plan(impact=False).document
    assert not [line for line in world.requests() if "fieldValues" in line]
    assert [(guard.name, guard.verdict) for guard in document.guards] == [("max_records_lost", "overridden")]
    assert "not counted (--no-impact)" in " ".join(world.cli("plan", "--no-impact").out.split())


def test_there_is_no_blanket_yes(world: World) -> None:
    """--force does not exist, and no guard takes a wildcard."""
    world.write("tags: {a: {}, b: {}}")
    world.apply()
    world.write("{}")
    assert world.cli("apply", "--force").code == 1
    assert world.cli("plan", "--allow", "*").code == 7


def test_reading_stops_at_the_budget(world: World) -> None:
    """--max-requests holds while planning too: an account that takes more is not read to its end."""
    world.account.seed({"tags": [{"tag": f"T{n}"} for n in range(450)]})
    world.write("tags: {a: {}}")
    ran = world.cli("plan", "--max-requests", "3")
    assert ran.code == 7, ran.text
    assert len(world.requests()) == 3


def test_moved_renames_without_losing(world: World) -> None:
    """The YAML that the guard prints makes it a rename: no delete, no create; the block may stay."""
    world.write("tags: {lead: {name: Lead}}")
    world.apply()
    world.write("tags: {leads: {name: Leads}}\nmoved: [{from: tag.lead, to: tag.leads}]")
    assert world.plan().lines == ["update tag.leads (name)"]
    before = world.rows("tags")[0]["id"]
    world.apply()
    assert [row["id"] for row in world.rows("tags")] == [before]
    assert world.plan().empty, "the block has done its work and stays harmless"


def test_stages_move_with_their_pipeline(world: World) -> None:
    """Moving a pipeline moves its stages, without a block for each."""
    world.write(PIPELINE)
    world.apply()
    world.write(PIPELINE.replace("  sales:", "  deals:") + "moved: [{from: pipeline.sales, to: pipeline.deals}]\n")
    assert world.plan().lines == ["move pipeline.deals", "move stage.deals.lead", "move stage.deals.won"]
    world.apply()
    assert set(world.state().resources) == {"pipeline.deals", "stage.deals.lead", "stage.deals.won"}
    assert world.plan().empty


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ("tags: {b: {}}\nmoved: [{from: tag.aa, to: tag.b}]", r"neither tag.aa nor tag.b .*did you mean tag.a\?"),
        ("tags: {a: {}, b: {}}\nmoved: [{from: tag.c, to: tag.b}]", "both tag.c .* and tag.b"),
        ("tags: {b: {}}\nremoved: [{address: tag.aa, destroy: false}]", "removed: tag.aa is not in the state"),
        ('tags: {a: {}, b: {}}\nimports: [{to: tag.b, id: "1"}]', "tag.b is bound to id 2 already, not to 1"),
    ],
    ids=["unused-move", "ambiguous-move", "unused-removal", "import-of-another"],
)
def test_blocks_that_do_nothing_are_errors(world: World, after: str, says: str) -> None:
    """A block that is unused or ambiguous stops the plan: most likely it means something else."""
    world.write("tags: {a: {}, b: {}, c: {}}" if "ambiguous" in says or "both" in says else "tags: {a: {}, b: {}}")
    world.apply()
    if says.startswith(("neither", "removed")):
        world.write("tags: {a: {}}")
        world.apply(yes=True)
    world.write(after)
    with pytest.raises(PlanError, match=says):
        world.plan()


def test_circular_moves_are_errors(world: World) -> None:
    """A circle of moves is found offline."""
    world.write("tags: {c: {}}\nmoved: [{from: tag.a, to: tag.b}, {from: tag.b, to: tag.a}]")
    ran = world.cli("validate")
    assert ran.code == 3
    assert "circle" in ran.err
