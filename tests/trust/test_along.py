"""What goes along with an object, what is moved and what becomes invisible: named in the plan, counted, and asked
about, over every command that writes.
"""

from __future__ import annotations

import json

import pytest

from tests.trust.losing import at
from tests.world import World

KEEP = "tags: {keep: {name: Keep}}\n"
PIPELINE = """
pipelines:
  sales:
    title: Sales
    currency: usd
    stages:
      lead: {title: Lead}
      won: {title: Won}
"""
TWO = PIPELINE + "  other: {title: Other, currency: eur, stages: {first: {title: First}}}\n"
FIELD = "fields: {tier: {title: Tier, perstag: TIER, type: dropdown, options: [Free, Pro], lists: all}}\n"
LIST = "lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: R}}\n"
SIZE = "deal_fields: {size: {label: Size, type: text}}"
OBJECT = """
custom_objects:
  ticket:
    slug: tickets
    labels: {singular: Ticket, plural: Tickets}
    fields:
      seat: {type: text, labels: {singular: Seat, plural: Seats}}
      price: {type: currency, default_currency: USD, labels: {singular: Price, plural: Prices}}
"""


def option_by_hand(world: World) -> None:
    """Somebody adds a choice in the product."""
    world.account.seed({"fieldOptions": [{"field": world.rows("fields")[0]["id"], "value": "Gold", "label": "Gold"}]})


def stage_by_hand(world: World) -> None:
    """Somebody adds a stage in the product."""
    world.account.seed({"dealStages": [{"title": "By hand", "group": world.rows("dealGroups")[0]["id"]}]})


def campaign(world: World) -> None:
    """Somebody sends a campaign to the list."""
    world.account.seed({"campaigns": [{"id": "7", "name": "May offer"}]})
    world.account.seed({"campaignLists": [{"campaign": "7", "list": world.rows("lists")[0]["id"]}]})


CASES = [
    (PIPELINE, stage_by_hand, "By hand", ()),
    (FIELD, option_by_hand, "Gold", ()),
    (LIST, campaign, "May offer", ("list_deletes=list.news",)),
]


@pytest.mark.parametrize(("before", "meanwhile", "name", "also"), CASES, ids=["stage", "option", "campaign"])
def test_what_nobody_manages_is_named_and_needs_a_yes(world: World, before, meanwhile, name, also) -> None:  # type: ignore[no-untyped-def]
    """In every view of the plan, in its counts, and refused by every command that would take it along; the yes is to
    that number.
    """
    world.write(before + KEEP)
    world.apply()
    meanwhile(world)
    world.write(KEEP)
    world.forget()
    yes = [word for one in also for word in ("--allow", one)]
    for form in ("text", "markdown", "html", "json"):
        assert name in world.cli("plan", "--format", form, *yes).out, form
    document = world.plan(allow=also).document
    assert document.summary.unmanaged == 1
    assert [(guard.name, guard.override) for guard in document.tripped] == [
        ("unmanaged_lost", "--allow unmanaged_lost=1")
    ]
    assert world.cli("apply", "--auto-approve", *yes).code == 7
    assert world.cli("apply", "--auto-approve", *yes, "--allow", "unmanaged_lost=2").code == 7
    world.write(before + KEEP)
    assert world.cli("destroy", "--auto-approve").code == 7
    assert not world.writes()
    world.write(KEEP)
    ran = world.cli("apply", "--auto-approve", *yes, "--allow", "unmanaged_lost=1")
    assert ran.code == 0, ran.text


@pytest.mark.parametrize(("before", "meanwhile", "name", "also"), CASES[:2], ids=["stage", "option"])
def test_what_comes_after_the_plan_is_not_taken_along(world: World, before, meanwhile, name, also) -> None:  # type: ignore[no-untyped-def]
    """A saved plan names what goes; something else that would go with it refuses that change."""
    world.write(before + KEEP)
    world.apply()
    table = "dealGroups" if before is PIPELINE else "fields"
    world.write(KEEP)
    assert world.cli("plan", "--out", "p.json").code == 0
    meanwhile(world)
    world.forget()
    ran = world.cli("apply", "p.json")
    assert ran.code in (6, 7), ran.text
    assert len(world.rows(table)) == 1
    assert name in str(world.rows("dealStages") + world.rows("fieldOptions"))


def schema_field_by_hand(world: World) -> None:
    """Somebody adds a field to the schema in the product."""
    schema = world.rows("schemas")[0]
    extra = {"id": "row", "type": "text", "labels": {"singular": "Row", "plural": "Rows"}}
    world.account.seed({"schemas": [{**schema, "fields": [*schema["fields"], extra]}]})


def deal_option_by_hand(world: World) -> None:
    """Somebody adds a choice to a deal field in the product."""
    row = world.rows("dealCustomFieldMeta", fieldLabel="Size")[0]
    world.account.rows.put("dealCustomFieldMeta", row["id"], {**row, "fieldOptions": [*row["fieldOptions"], "Gold"]})


CHOICES = "deal_fields: {size: {label: Size, type: dropdown, options: [S, M]}}\n"
LATE = [
    (PIPELINE, stage_by_hand, "By hand", "/dealStages", "dealGroups"),
    (FIELD, option_by_hand, "Gold", "/fields/", "fields"),
    (CHOICES, deal_option_by_hand, "Gold", "/dealCustomFieldMeta/", "dealCustomFieldMeta"),
    (OBJECT, schema_field_by_hand, "row", "/customObjects/schemas/", "schemas"),
]


@pytest.mark.parametrize("more", [(), ("--no-impact",)], ids=["counted", "uncounted"])
@pytest.mark.parametrize(
    ("before", "meanwhile", "name", "asks", "table"), LATE, ids=["pipeline", "field", "deal-field", "custom-object"]
)
def test_what_is_added_while_an_apply_runs_is_not_taken_along(  # type: ignore[no-untyped-def]
    world, before, meanwhile, name, asks, table, more
) -> None:
    """Right before its delete, what goes along with an object is listed once more, and what is new keeps it."""
    world.write(before + KEEP)
    world.apply()
    world.write(KEEP.replace("}}", "}, extra: {name: Extra}}"))
    count = len(world.rows(table))
    # The plan's own reads are listings; the page of the one object is asked for by the second look alone.
    hit = lambda method, path: method == "GET" and path.startswith(asks) and not path.endswith("Data")  # noqa: E731
    at(world, hit, lambda: meanwhile(world))
    ran = world.cli("apply", "--auto-approve", *more)
    assert ran.code == 7, ran.text
    assert f"would go along: {name}" in " ".join(ran.text.split())
    assert len(world.rows(table)) == count
    assert world.rows("tags", tag="Extra")


def test_a_forgotten_or_released_stage_goes_by_name(world: World) -> None:
    """After `state rm` nobody manages the stage, protected or not; `removed: {destroy: false}` says it shall stay."""
    world.write(PIPELINE.replace("{title: Won}", "{title: Won, lifecycle: {prevent_destroy: true}}") + KEEP)
    world.apply()
    assert world.cli("state", "rm", "stage.sales.won").code == 0
    world.write(KEEP)
    ran = world.cli("plan")
    assert ran.code == 7, ran.text
    assert "1 stage of it goes with it: Won" in ran.out
    assert "unmanaged_lost=1" in ran.out


def test_parts_that_were_declared_are_named_and_need_no_yes(world: World) -> None:
    """Options and relations of a field go with it: said, and no loss of anybody else."""
    world.write(FIELD + KEEP)
    world.apply()
    world.write(KEEP)
    change = world.plan().change("field.tier")
    assert {(one.effect, one.noun, tuple(one.objects)) for one in change.impacts if one.effect == "along"} == {
        ("along", "options", ("Free", "Pro")),
        ("along", "relations to lists", ("all",)),
    }
    assert not world.plan().document.tripped


def test_a_field_of_a_schema_made_by_hand_goes_by_name(world: World) -> None:
    """Fields that were added in the product are not in what was applied."""
    world.write(OBJECT + KEEP)
    world.apply()
    schema = world.rows("schemas")[0]
    extra = {"id": "row", "type": "text", "labels": {"singular": "Row", "plural": "Rows"}}
    world.account.seed({"schemas": [{**schema, "fields": [*schema["fields"], extra]}]})
    world.write(KEEP)
    document = world.plan().document
    assert [guard.override for guard in document.tripped] == ["--allow unmanaged_lost=1"]
    assert "`Row`" in document.tripped[0].message


def test_an_account_that_lists_no_campaigns_says_so(world: World) -> None:
    """Where neither listing is offered, the number is unknown and said to be."""
    world.write(LIST + KEEP)
    world.apply()
    world.behave(missing=("campaignLists", "campaigns"))
    world.write(KEEP)
    assert "unknown number of campaigns" in world.cli("plan", "--allow", "list_deletes=list.news").out


# --- moves of data ---------------------------------------------------------------------------------------------------


def deals(world: World) -> None:
    """Six deals in the first stage."""
    stage = world.rows("dealStages")[0]
    world.account.seed(
        {"deals": [{"stage": stage["id"], "group": stage["group"], "title": f"D{n}", "value": "100"} for n in range(6)]}
    )


def values(world: World) -> None:
    """Six contacts with a value."""
    field = world.rows("fields")[0]["id"]
    world.account.seed({"fieldValues": [{"contact": str(n), "field": field, "value": "Pro"} for n in range(6)]})


def tagged(world: World) -> None:
    """Six contacts with the tag."""
    world.account.seed({"contacts": [{"id": str(n), "email": f"c{n}@example.com"} for n in range(1, 7)]})
    tag = world.rows("tags")[0]["id"]
    world.account.seed({"contactTags": [{"contact": str(n), "tag": tag} for n in range(1, 7)]})


MOVED = (
    TWO.replace("      lead: {title: Lead}\n", "").replace("stages: {first", "stages: {lead: {title: Lead}, first")
    + "moved: [{from: stage.sales.lead, to: stage.other.lead}]\n"
)
MOVES = [
    (TWO, MOVED, deals, "go along into the other pipeline"),
    (PIPELINE, PIPELINE.replace("usd", "eur"), deals, "keep their currency"),
    (FIELD, FIELD.replace("perstag: TIER", "perstag: LEVEL"), values, "%TIER%"),
    ("tags: {keep: {name: Keep}}", "tags: {keep: {name: Keep, type: template}}", tagged, "shown on no contact"),
]


@pytest.mark.parametrize(
    ("before", "after", "meanwhile", "assumed"), MOVES, ids=["stage", "currency", "perstag", "tag-type"]
)
def test_moves_of_records_are_counted_and_need_a_yes(world: World, before, after, meanwhile, assumed) -> None:  # type: ignore[no-untyped-def]
    """Nothing is deleted, and six records are somewhere or something else afterwards: `records_moved`, with what is
    taken for granted about them in plan and rehearsal.
    """
    world.write(before)
    world.apply()
    meanwhile(world)
    world.write(after)
    world.forget()
    ran = world.cli("plan")
    assert ran.code == 7, ran.text
    assert "--allow records_moved=6" in ran.out
    assert assumed in " ".join(ran.out.split())
    assert world.plan().document.summary.records_moved == 6
    assert world.cli("apply", "--auto-approve", "--allow", "records_moved=5").code == 7
    assert world.cli("plan", "--out", "p.json", "--allow", "records_moved=7").code == 7
    assert world.cli("apply", "p.json").code == 7
    assert not world.writes()
    assert assumed in " ".join(world.cli("rehearse", "--allow", "records_moved=6").out.split())
    ran = world.cli("apply", "--auto-approve", "--allow", "records_moved=6")
    assert ran.code == 0, ran.text


def test_a_project_file_may_allow_moves(world: World) -> None:
    """`guards: {records_moved: 6}` is met by six, and exceeded by seven."""
    world.write(TWO)
    world.apply()
    deals(world)
    world.write(MOVED)
    project = (world.folder / "reconciler.yaml").read_text()
    for limit, code in ((6, 0), (5, 7)):
        world.write(
            project.replace("account.db\n", f"account.db\n    guards: {{records_moved: {limit}}}\n"), "reconciler.yaml"
        )
        assert world.cli("plan").code == code


def test_records_of_a_schema_that_are_read_by_another_rule_are_counted(world: World) -> None:
    """Another currency of a field."""
    world.write(OBJECT)
    world.apply()
    world.write(OBJECT.replace("USD", "EUR"))
    change = world.plan().change("custom_object.ticket")
    assert [(one.effect, "price" in one.noun) for one in change.impacts] == [("moved", True)]


def test_moving_deals_away_first_is_shown_and_asks_nothing(world: World) -> None:
    """`on_destroy` says in the files where they go: counted, and no guard minds it."""
    refuge = PIPELINE.replace("{title: Won}", "{title: Won, lifecycle: {on_destroy: {move_deals_to: lead}}}")
    world.write(refuge)
    world.apply()
    stage = world.rows("dealStages")[1]
    world.account.seed({"deals": [{"stage": stage["id"], "group": stage["group"], "title": "D"}]})
    world.write(PIPELINE.replace("      won: {title: Won}\n", ""))
    document = world.plan().document
    assert (document.summary.records_moved, document.summary.records_at_risk) == (1, 0)
    assert not document.tripped
    assert "1 deal is moved to stage.sales." in world.cli("plan").out


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (FIELD, FIELD.replace("lists: all", "lists: null"), "no `lists`"),
        (LIST, LIST.replace("string_id", "user_groups: null, string_id"), "no `user_groups`"),
        (SIZE, SIZE.replace("text}", "text, group: null}"),
         "no `group`"),
    ],
    ids=["field", "list", "deal-field"],
)  # fmt: skip
def test_hiding_is_said_and_stops_nothing(world: World, before: str, after: str, why: str) -> None:
    """Nothing is lost, so it is a warning; it is said once, by the plan that does it."""
    world.write(before)
    world.apply()
    world.write(after)
    document = json.loads(world.cli("plan", "--format", "json").out)
    assert [(guard["name"], guard["verdict"]) for guard in document["guards"]] == [("hidden", "warned")]
    assert why in world.cli("plan").out
    assert world.cli("apply", "--auto-approve").code == 0
    assert world.plan().empty
