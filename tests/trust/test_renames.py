"""Suspected renames: pairs that are one thing and pairs that are two; see `test_rename_corpus` for many more."""

from __future__ import annotations

import pytest

from reconciler.model.live import Live
from reconciler.model.plan import Action, Change
from reconciler.model.values import Value
from reconciler.planning.renames import suspected
from reconciler.resources import load_kinds

OPTIONS = ["Bronze", "Silver", "Gold", "Platinum"]
EVENTS = ["subscribe", "unsubscribe", "contact_update", "deal_add"]

# (kind, key and attributes before, key and attributes after)
Pair = tuple[str, str, dict[str, Value], str, dict[str, Value]]

RENAMES: list[Pair] = [
    ("tag", "lead", {"name": "Lead"}, "leads", {"name": "Leads"}),
    ("tag", "vip", {"name": "VIP"}, "vip_customer", {"name": "VIP"}),
    ("tag", "vip", {"name": "VIP"}, "vip", {"name": "V.I.P."}),
    ("tag", "vip", {"name": "VIP"}, "vip_customer", {"name": "VIP customer"}),
    ("tag", "churn_risk", {"name": "Churn risk"}, "at_risk_churn", {"name": "Churn Risk!"}),
    ("tag", "newsletter_en", {"name": "Newsletter EN"}, "newsletter_english", {"name": "Newsletter English"}),
    ("tag", "webinar_2024", {"name": "Webinar 2024"}, "webinar2024", {"name": "webinar-2024"}),
    ("tag", "big_spender", {"name": "Big spender", "description": "Spends over 1,000 a year"},
     "vip", {"name": "VIP", "description": "Spends over 1,000 a year"}),
    ("tag", "custmer", {"name": "Custmer"}, "customer", {"name": "Customer"}),
    ("tag", "do_not_call", {"name": "Do not call"}, "dnc", {"name": "Do not call (DNC)"}),
    ("field", "plan", {"title": "Plan", "options": OPTIONS}, "tier", {"title": "Tier", "options": OPTIONS}),
    ("field", "plan_tier", {"title": "Plan tier", "options": OPTIONS},
     "plan_level", {"title": "Plan level", "options": [*OPTIONS, "Diamond"]}),
    ("field", "birthday", {"title": "Birthday"}, "birth_day", {"title": "Birth day"}),
    ("field", "company_size", {"title": "Company size", "description": "Number of employees"},
     "company_headcount", {"title": "Company headcount", "description": "Number of employees"}),
    ("list", "customers", {"name": "Customers"}, "all_customers", {"name": "All customers"}),
    ("webhook", "crm", {"name": "CRM", "events": EVENTS, "url": "https://a.example/ac"},
     "crm_sync", {"name": "CRM sync", "events": EVENTS, "url": "https://a.example/ac"}),
    ("pipeline", "sales", {"title": "Sales"}, "sales_eu", {"title": "Sales"}),
    ("deal_role", "decider", {"title": "Decision maker"}, "decision_maker", {"title": "Decision Maker"}),
]  # fmt: skip
TWO_THINGS: list[Pair] = [
    ("tag", "lead", {"name": "Lead"}, "customer", {"name": "Customer"}),
    ("tag", "newsletter_en", {"name": "Newsletter EN"}, "newsletter_de", {"name": "Newsletter DE"}),
    ("tag", "event_2023", {"name": "Event 2023"}, "event_2024", {"name": "Event 2024"}),
    ("tag", "webinar_may", {"name": "Webinar May"}, "webinar_june", {"name": "Webinar June"}),
    ("tag", "bought_shoes", {"name": "Bought: shoes"}, "bought_hats", {"name": "Bought: hats"}),
    ("tag", "vip", {"name": "VIP"}, "press", {"name": "Press"}),
    ("tag", "opened", {"name": "Opened mail"}, "clicked", {"name": "Clicked mail"}),
    ("tag", "churn", {"name": "Churn"}, "trial", {"name": "Trial"}),
    ("tag", "segment_a", {"name": "Segment A"}, "segment_b", {"name": "Segment B"}),
    ("tag", "q1", {"name": "Q1 campaign"}, "q2", {"name": "Q2 campaign"}),
    ("field", "birthday", {"title": "Birthday"}, "company", {"title": "Company"}),
    ("field", "shoe_size", {"title": "Shoe size", "options": ["36", "37", "38"]},
     "colour", {"title": "Favourite colour", "options": ["Red", "Green", "Blue"]}),
    ("field", "first_order", {"title": "First order"}, "last_order", {"title": "Last order"}),
    ("field", "home_phone", {"title": "Home phone"}, "work_phone", {"title": "Work phone"}),
    ("list", "news", {"name": "News", "sender_url": "https://acme.example", "sender_reminder": "You joined"},
     "beta", {"name": "Beta testers", "sender_url": "https://beta.example", "sender_reminder": "You test for us"}),
    ("field", "source", {"title": "Source", "options": ["Web", "Ads", "Fair"]},
     "channel", {"title": "Channel", "options": ["Mail", "Phone", "Ads"]}),
    ("list", "customers_uk", {"name": "Customers UK"}, "customers_fr", {"name": "Customers FR"}),
    ("webhook", "crm", {"name": "CRM", "events": EVENTS, "url": "https://crm.example/ac"},
     "shop", {"name": "Shop", "events": ["sale", "open"], "url": "https://shop.example/hook"}),
    ("pipeline", "sales", {"title": "Sales"}, "support", {"title": "Support"}),
    ("tag", "a", {"name": "A"}, "b", {"name": "B"}),
]  # fmt: skip


def changes(pair: Pair) -> tuple[Change, Change]:
    """Return the delete and the create of a pair."""
    kind, old, was, new, now = pair
    live = Live(kind, "7", was)
    return (
        Change(f"{kind}.{old}", kind, Action.DELETE, live=live),
        Change(f"{kind}.{new}", kind, Action.CREATE, desired=now),
    )


def found(pair: Pair) -> bool:
    """Whether a plan of nothing but this pair would suspect a rename."""
    return bool(suspected(changes(pair), load_kinds(), {}))


@pytest.mark.parametrize("pair", RENAMES, ids=lambda pair: f"{pair[0]}.{pair[1]}-{pair[3]}")
def test_one_thing_under_another_name(pair: Pair) -> None:
    """Names, contents or natural keys say so, without an account to compare with."""
    assert found(pair)


@pytest.mark.parametrize("pair", TWO_THINGS, ids=lambda pair: f"{pair[0]}.{pair[1]}-{pair[3]}")
def test_two_things(pair: Pair) -> None:
    """They look alike, and are not one."""
    assert not found(pair)


def test_each_object_is_in_one_pair() -> None:
    """Of several candidates the most alike is suspected; the others are left alone."""
    gone = [Change(f"tag.{n}", "tag", Action.DELETE, live=Live("tag", n, {"name": n})) for n in ("leads", "lead2")]
    new = [Change("tag.lead", "tag", Action.CREATE, desired={"name": "leads"})]
    assert [(pair.source, pair.target) for pair in suspected([*gone, *new], load_kinds(), {})] == [
        ("tag.leads", "tag.lead")
    ]
