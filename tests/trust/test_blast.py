"""Blast radius: what the plan says would be lost is what is there, asked with no request too many."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world import Killed, World, new_world

CONFIG = """
tags: {vip: {name: VIP}, keep: {name: Keep}}
lists: {news: {name: News, string_id: news, sender_url: https://a.example, sender_reminder: R}}
fields: {tier: {title: Tier, type: dropdown, options: [Free, Pro]}}
deal_fields: {size: {label: Size, type: text}}
account_fields: {branch: {label: Branch, type: text}}
pipelines: {sales: {title: Sales, currency: usd, stages: {lead: {title: Lead}, won: {title: Won}}}}
custom_objects:
  ticket:
    slug: ticket
    labels: {singular: T, plural: Ts}
    fields: {seat: {type: text, labels: {singular: S, plural: Ss}}}
"""


def seed(world: World) -> None:
    """Fill the account with customer data: 40 carry the tag, 30 are on the list, 20 have a value, and so on."""
    contacts = [{"id": str(n), "email": f"c{n}@example.com"} for n in range(1, 41)]
    tag, news = world.rows("tags", tag="VIP")[0]["id"], world.rows("lists")[0]["id"]
    field = world.rows("fields")[0]["id"]
    lead = world.rows("dealStages", title="Lead")[0]
    data: dict[str, list[dict[str, Any]]] = {
        "contacts": contacts,
        "contactTags": [{"contact": one["id"], "tag": tag} for one in contacts],
        "contactLists": [{"contact": one["id"], "list": news, "status": "1"} for one in contacts[:30]],
        "fieldValues": [{"contact": one["id"], "field": field, "value": "Pro"} for one in contacts[:12]]
        + [{"contact": one["id"], "field": field, "value": "Free"} for one in contacts[12:20]],
        "deals": [
            {"title": f"D{n}", "stage": lead["id"], "group": lead["group"], "value": "150000", "currency": "usd",
             "status": "0" if n < 9 else "1"} for n in range(130)
        ],
        "dealCustomFieldData": [
            {"dealId": str(n), "customFieldId": world.rows("dealCustomFieldMeta", fieldLabel="Size")[0]["id"],
             "fieldValue": "x"} for n in range(7)
        ],
        "accountCustomFieldData": [
            {"customerAccountId": str(n), "customFieldId": world.rows("accountCustomFieldMeta")[0]["id"],
             "fieldValue": "x"} for n in range(5)
        ],
    }  # fmt: skip
    world.account.seed(data)
    schema = world.account.rows.all("schemas")[0]["id"]
    world.account.rows.put_many(
        "records", [(f"r{n}", {"id": f"r{n}", "schema": schema, "fields": []}) for n in range(3)]
    )


@pytest.fixture
def full(world: World) -> World:
    """A world with customer data."""
    world.begin_with(_full)
    return world


def _full(world: World) -> None:
    world.write(CONFIG)
    world.apply()
    seed(world)
    world.forget()


EXPECTED = {
    "tag.vip": "40 contacts lose this tag",
    "list.news": "up to 30 contacts, on this list only, are deleted",
    "field.tier": "up to 20 contacts lose what they have in this field",
    "deal_field.size": "7 deals lose what they have in this field",
    "account_field.branch": "5 companies lose what they have in this field",
    "pipeline.sales": "130 deals are deleted (worth USD 195,000.00, 9 of them open)",
    "custom_object.ticket": "3 records are deleted",
}


def counting(world: World) -> list[str]:
    """The requests that are no listings of configuration."""
    data = (
        "/contacts",
        "/fieldValues",
        "/deals",
        "/dealCustomFieldMeta/",
        "/accountCustomFieldMeta/",
        "/customObjects/rec",
    )
    return [line for line in world.requests() if line.split(" ")[1].startswith(data)]


def test_printed_counts_are_the_seeded_ones(full: World) -> None:
    """Every kind that holds records tells how many; one request each, two for a pipeline of more than 100 deals; what
    is in a pipeline is not asked for, and not counted, twice.
    """
    full.write("tags: {keep: {name: Keep}}")
    ran = full.cli("plan")
    assert ran.code == 7, ran.text
    printed = " ".join(ran.out.split())
    for address, text in EXPECTED.items():
        assert f"{address}: {text}" in printed, printed
    assert f"Up to {40 + 30 + 20 + 7 + 5 + 130 + 3} customer records are affected" in printed
    assert len(counting(full)) == len(EXPECTED) + 1, counting(full)


def test_no_impact_counts_nothing(full: World) -> None:
    """--no-impact sends none of these requests."""
    full.write("tags: {keep: {name: Keep}}")
    full.cli("plan", "--no-impact")
    assert counting(full) == []


def test_removed_option_counts_those_who_chose_it(full: World) -> None:
    """The two filters together are believed where they leave less than the field's own total."""
    full.write(CONFIG.replace("[Free, Pro]", "[Free]"))
    document = full.plan().document
    impacts = document.changes[0].impacts
    assert [(one.count, one.at_most, one.noun) for one in impacts] == [(12, False, "contacts have chosen `Pro`")]
    assert len(counting(full)) == 2


def test_ignored_filter_is_not_believed(full: World) -> None:
    """Where everybody has the value, or the account ignores the second filter, the count is an upper bound."""
    field = full.rows("fields")[0]["id"]
    for row in full.rows("fieldValues", field=field):
        full.account.rows.put("fieldValues", row["id"], {**row, "value": "Pro"})
    full.write(CONFIG.replace("[Free, Pro]", "[Free]"))
    impact = full.plan().document.changes[0].impacts[0]
    assert (impact.count, impact.at_most) == (20, True)


def test_several_choices_are_one_text(full: World) -> None:
    """Of a multi-choice field the removed options are bounded by all values, once and not once per option."""
    full.write(CONFIG.replace("type: dropdown, options: [Free, Pro]", "type: multiselect, options: [Free, Pro, Max]"))
    full.apply(yes=True)
    field = full.rows("fields")[0]["id"]
    full.account.seed({"fieldValues": [{"contact": str(n), "field": field, "value": "||Pro||Max||"} for n in range(4)]})
    full.write(CONFIG.replace("type: dropdown, options: [Free, Pro]", "type: multiselect, options: [Free]"))
    document = full.plan().document
    assert [(one.count, one.at_most) for one in document.changes[0].impacts] == [(4, True)]
    assert document.summary.records_at_risk == 4


def test_type_change_is_a_loss(full: World) -> None:
    """A type cannot be changed in place: the replacement says what goes with the old field."""
    full.write(CONFIG.replace("type: dropdown, options: [Free, Pro]", "type: text"))
    document = full.plan().document
    assert [(change.action, change.impacts[0].count) for change in document.changes] == [("replace", 20)]
    assert [guard.name for guard in document.tripped] == ["max_records_lost"]


def test_uncountable_is_no_zero(full: World) -> None:
    """Where the account refuses to count, the loss is unknown, and unknown is not harmless."""
    full.behave(forbidden=("contacts",))
    full.write(CONFIG.replace("vip: {name: VIP}, ", ""))
    document = full.plan().document
    assert document.summary.unmeasured == 1
    assert [guard.override for guard in document.tripped] == ["--allow max_records_lost=unknown"]


@pytest.mark.parametrize("rows", [99, 100, 250])
def test_values_of_deal_fields_are_counted_to_the_last(world: World, rows: int) -> None:
    """A short page is counted; a full one is not taken for all."""
    world.write("deal_fields: {size: {label: Size, type: text}, other: {label: Other, type: text}}")
    world.apply()
    ids = {row["fieldLabel"]: row["id"] for row in world.rows("dealCustomFieldMeta")}
    world.account.seed(
        {
            "dealCustomFieldData": [
                {"dealId": str(n), "customFieldId": ids["Size"], "fieldValue": "x"} for n in range(rows)
            ]
        }
    )
    world.write("deal_fields: {other: {label: Other, type: text}}")
    assert world.plan().change("deal_field.size").impacts[0].count == rows


EVACUATING = """
pipelines:
  sales:
    title: Sales
    currency: usd
    stages:
      lead: {title: Lead, lifecycle: {on_destroy: {move_deals_to: won}}}
      won: {title: Won}
"""


def evacuated(world: World) -> None:
    """A stage with 3 deals that is no longer declared, whose deals are to be moved."""
    world.begin_with(_evacuated)


def _evacuated(world: World) -> None:
    world.write(EVACUATING)
    world.apply()
    lead = world.rows("dealStages", title="Lead")[0]
    world.account.seed({"deals": [{"title": "D", "stage": lead["id"], "group": lead["group"]} for _ in range(3)]})
    world.write("pipelines: {sales: {title: Sales, currency: usd, stages: {won: {title: Won}}}}")
    world.forget()


def test_deals_are_moved_before_their_stage_goes(world: World) -> None:
    """on_destroy is remembered in the state: move, look that none is left, delete; no record is at risk."""
    evacuated(world)
    lead = world.rows("dealStages", title="Lead")[0]["id"]
    ran = world.cli("apply", "--auto-approve")
    assert ran.code == 0, ran.text
    assert "before that: move deals to stage.sales.won" in ran.out
    won = world.rows("dealStages", title="Won")[0]["id"]
    assert {row["stage"] for row in world.rows("deals")} == {won}
    assert world.writes() == [f"PUT /dealStages/{lead}/deals", f"DELETE /dealStages/{lead}"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", range(1, 6))
def test_evacuation_killed_anywhere_is_finished_by_the_next_run(world: World, nth: int, after: bool) -> None:
    """Whenever the program dies, the next run moves what is left and deletes; no deal is lost."""
    evacuated(world)
    world.kill(nth, after=after)
    with pytest.raises(Killed):
        world.apply()
    world.revive()
    gc.collect()
    world.apply()
    assert len(world.rows("deals")) == 3
    assert [row["title"] for row in world.rows("dealStages")] == ["Won"]
    assert world.plan().empty


PIPELINE_ITSELF = EVACUATING.replace(
    "title: Sales\n", "title: Sales\n    lifecycle: {on_destroy: {move_deals_to: sales}}\n"
)
ELSEWHERE = (
    EVACUATING
    + """
  other: {title: O, currency: usd, stages: {x: {lifecycle: {on_destroy: {move_deals_to: stage.sales.won}}}}}
"""
)
OF_A_TAG = "tags: {a: {}, b: {lifecycle: {on_destroy: {move_deals_to: a}}}}"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (PIPELINE_ITSELF, "names the object that is deleted"),
        (ELSEWHERE, "another pipeline"),
        (OF_A_TAG, "offers nothing"),
    ],
    ids=["pipeline", "other-pipeline", "tag"],
)
def test_evacuations_that_the_api_cannot_do_are_errors(world: World, config: str, says: str) -> None:
    """Deals move only between stages of one pipeline; a plan that asks for more is refused before it is made."""
    world.write(config)
    ran = world.cli("plan")
    assert ran.code == 3, ran.text
    assert says in " ".join(ran.err.split()), ran.err


def test_doomed_refuge_is_no_refuge(world: World) -> None:
    """Deals cannot be moved to a stage that goes too: they count as lost, and the plan says why."""
    evacuated(world)
    world.write("pipelines: {sales: {title: Sales, currency: usd, stages: {new: {title: New}}}}")
    document = world.plan().document
    assert [
        impact.count for impact in next(c for c in document.changes if c.address == "stage.sales.lead").impacts
    ] == [3]
    assert "cannot be moved to stage" in document.warnings[0]
    assert "max_records_lost" in {guard.name for guard in document.tripped}


# --- no plan at exit code 0 loses a record ---------------------------------------------------------------------------

PARTS: dict[str, list[dict[str, Any]]] = {
    "tags": [{"vip": {"name": "VIP"}}, {"keep": {"name": "Keep"}}, {"vip": {"name": "Very important"}}],
    "lists": [
        {"news": {"name": "News", "string_id": "news", "sender_url": "https://a.example", "sender_reminder": "R"}}
    ],
    "fields": [
        {"tier": {"title": "Tier", "type": "dropdown", "options": ["Free", "Pro"]}},
        {"tier": {"title": "Tier", "type": "dropdown", "options": ["Free"]}},
        {"tier": {"title": "Tier", "type": "text"}},
        {"level": {"title": "Level", "type": "text"}},
    ],
    "deal_fields": [{"size": {"label": "Size", "type": "text"}}, {"size": {"label": "Size", "type": "number"}}],
    "account_fields": [{"branch": {"label": "Branch", "type": "text"}}],
    "pipelines": [
        {
            "sales": {
                "title": "Sales",
                "currency": "usd",
                "stages": {"lead": {"title": "Lead"}, "won": {"title": "Won"}},
            }
        },
        {"sales": {"title": "Sales", "currency": "usd", "stages": {"won": {"title": "Won"}}}},
        {
            "sales": {
                "title": "Deals",
                "currency": "usd",
                "stages": {"won": {"title": "Won"}, "lead": {"title": "Open"}},
            }
        },
    ],
}
LOSABLE = ("contacts", "contactTags", "contactLists", "fieldValues", "deals", "dealCustomFieldData",
           "accountCustomFieldData", "records")  # fmt: skip

configurations = st.fixed_dictionaries(
    {}, optional={section: st.sampled_from(choices) for section, choices in PARTS.items()}
)


def losable(world: World) -> dict[str, int]:
    """How many customer records there are, by table."""
    return {table: len(world.rows(table)) for table in LOSABLE}


@settings(max_examples=25)
@given(before=configurations, after=configurations, counts=st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_no_plan_without_a_yes_loses_a_record(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, Any], after: dict[str, Any], counts: list[int]
) -> None:
    """Over random configurations and accounts with data: a plan at exit code 0, applied without a yes, keeps all."""
    with new_world(tmp_path_factory.mktemp("world")) as world:
        world.write(before)
        world.apply()
        fill(world, counts)
        had = losable(world)
        world.write(after)
        if world.cli("plan").code == 0:
            assert world.cli("apply", "--auto-approve").code == 0
            assert losable(world) == had


def fill(world: World, counts: list[int]) -> None:
    """Give every object as many records as said."""
    tags, listed, values, deals, data = counts
    world.account.seed({"contacts": [{"id": str(n), "email": f"c{n}@example.com"} for n in range(1, 4)]})
    for row in world.rows("tags"):
        world.account.seed({"contactTags": [{"contact": str(n + 1), "tag": row["id"]} for n in range(tags)]})
    for row in world.rows("lists"):
        on_list = {"list": row["id"], "status": "1"}
        world.account.seed({"contactLists": [{"contact": str(n + 1), **on_list} for n in range(listed)]})
    for row in world.rows("fields"):
        of_field = {"field": row["id"], "value": "Pro"}
        world.account.seed({"fieldValues": [{"contact": str(n + 1), **of_field} for n in range(values)]})
    for row in world.rows("dealStages"):
        world.account.seed({"deals": [{"stage": row["id"], "group": row["group"]} for _ in range(deals)]})
    for kind in ("deal", "account"):
        for row in world.rows(f"{kind}CustomFieldMeta"):
            world.account.seed(
                {f"{kind}CustomFieldData": [{"customFieldId": row["id"], "fieldValue": "x"} for _ in range(data)]}
            )
