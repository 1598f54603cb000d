"""The crash matrix: one run of every kind is broken at every request and at every write to the state, in every way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import stamina

from reconciler.emulator import Fault
from tests.properties.convergence import converged, strangers
from tests.properties.world import Kill, World

Config = dict[str, dict[str, Any]]

SENDER = {"sender_url": "https://acme.example", "sender_reminder": "You signed up."}
BEFORE: Config = {
    "tags": {"vip": {"name": "VIP"}, "old": {"name": "Old"}},
    "lists": {
        "news": {"name": "News", **SENDER, "user_groups": [{"name": "Admin"}, {"name": "Clients"}]},
        "leaving": {"name": "Leaving", **SENDER},
    },
    "field_groups": {"facts": {"label": "Facts", "object": "contact"}, "deal": {"label": "Deal", "object": "deal"}},
    "fields": {
        "plan": {
            "title": "Plan",
            "type": "dropdown",
            "options": ["Free", "Pro", {"value": "ent", "label": "Enterprise", "default": True}],
            "lists": ["news", "leaving"],
            "group": "facts",
            "order": 4,
        },
        "note": {"title": "Note", "type": "text"},
        "gone": {"title": "Gone", "type": "checkbox", "options": ["a", "b"]},
    },
    "deal_fields": {
        "value": {"label": "Value", "type": "text", "group": "deal"},
        "end": {"label": "End", "type": "date"},
    },
    "account_fields": {"size": {"label": "Size", "type": "dropdown", "options": ["S", "L"]}},
    "pipelines": {
        "sales": {
            "title": "Sales",
            "currency": "usd",
            "users": ["jane@acme.example"],
            "stages": {"lead": {"title": "Lead"}, "won": {"title": "Won", "color": "32B0FC"}},
        },
        "support": {
            "title": "Support",
            "currency": "eur",
            "stages": {"a": {"title": "A"}, "b": {"title": "B"}, "c": {"title": "C"}, "d": {"title": "D"}},
        },
    },
    "webhooks": {
        "sync": {
            "name": "Sync",
            "url": "https://hook.example/a?key=1",
            "events": ["subscribe"],
            "sources": ["api"],
            "list": "news",
        }
    },
    "custom_objects": {
        "ticket": {
            "slug": "ticket",
            "labels": {"singular": "Ticket", "plural": "Tickets"},
            "fields": {
                "seat": {"type": "text", "labels": {"singular": "Seat", "plural": "Seats"}},
                "price": {"type": "number", "labels": {"singular": "Price", "plural": "Prices"}},
            },
        }
    },
}
AFTER: Config = {
    "tags": {"vip": {"name": "Very important", "description": "100 %"}, "new": {"name": "Old", "type": "template"}},
    "lists": {"news": {"name": "Newsletter", **SENDER, "user_groups": [{"name": "Admin"}], "sender_name": "Acme"}},
    "field_groups": {
        "facts": {"label": "Facts about them", "object": "contact"},
        "deal": {"label": "Deal", "object": "account"},
    },
    "fields": {
        "plan": {
            "title": "Plan tier",
            "type": "dropdown",
            "options": ["Pro", "Team", "Free"],
            "lists": ["news"],
            "order": 2,
        },
        "note": {"title": "Note", "type": "textarea", "lists": ["news"], "group": "facts"},
    },
    "deal_fields": {"value": {"label": "Value", "type": "number"}},
    "account_fields": {"size": {"label": "Size of them", "type": "dropdown", "options": ["L", "M"], "group": "deal"}},
    "pipelines": {
        "sales": {
            "title": "Sales 2",
            "currency": "usd",
            "users": [],
            "stages": {"won": {"title": "Won"}, "new": {"title": "New"}, "lead": {"title": "Leads"}},
        }
    },
    "webhooks": {
        "sync": {
            "name": "Sync",
            "url": "https://hook.example/b",
            "events": ["unsubscribe"],
            "sources": ["api", "admin"],
        }
    },
    "custom_objects": {
        "ticket": {
            "slug": "ticket",
            "labels": {"singular": "Ticket", "plural": "All tickets"},
            "fields": {"seat": {"type": "text", "labels": {"singular": "Place", "plural": "Places"}}},
        },
        "course": {"slug": "course", "labels": {"singular": "Course", "plural": "Courses"}},
    },
}
NOTHING: Config = {}
PLANS: dict[str, tuple[Config, Config]] = {
    "create": (NOTHING, BEFORE),
    "change": (BEFORE, AFTER),
    "delete": (BEFORE, NOTHING),
}
"""What stands before the run that is broken, and what that run wants."""
KILLS = ("before", "after", "answered", "late")
FAULTS = {
    "dropped before the work": Fault("drop_before"),
    "dropped after the work": Fault("drop_after"),
    "500 before the work": Fault("fail_before"),
    "500 after the work": Fault("fail_after"),
    "429 five times": Fault("rate_limited", times=5),
    "403": Fault("forbidden"),
    "html": Fault("html"),
    "cut off": Fault("truncated"),
    "stale": Fault("stale_list"),
}


@dataclass(frozen=True)
class Case:
    """One way of breaking one plan."""

    plan: str
    kill: Kill | None = None
    fault: str = ""
    nth: int = 0

    def __str__(self) -> str:
        return f"{self.plan}: " + (str(self.kill) if self.kill else f"{self.fault} at request {self.nth}")


@pytest.fixture(autouse=True)
def _quiet_retries() -> Iterator[None]:
    """Retries are expected here by the thousand; nobody reads their log."""
    stamina.instrumentation.set_on_retry_hooks([])
    yield
    stamina.instrumentation.set_on_retry_hooks(None)


def broken(case: Case) -> list[str]:
    """Break one run, run once more, and return everything that is not as it has to be."""
    first, second = PLANS[case.plan]
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            before = strangers(world.account)
            if first:
                assert world.apply(first).clean
            faults = (
                [Fault(FAULTS[case.fault].action, nth=case.nth, times=FAULTS[case.fault].times)] if case.fault else []
            )
            world.apply(second, kill=case.kill, faults=faults, during_apply=True)
            again = world.apply(second)
            return converged(second, world, before) if again.clean else [str(again)]
        finally:
            world.close()


def size(plan: str) -> tuple[int, int]:
    """Return how many requests and how many writes to the state a plan takes when nothing goes wrong."""
    first, second = PLANS[plan]
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            strangers(world.account)
            world.apply(first)
            assert world.apply(second).clean
            return world.process.requests, world.process.stores
        finally:
            world.close()


def matrix() -> list[Case]:
    """Every case, plan by plan."""
    found = []
    for plan in PLANS:
        requests, stores = size(plan)
        found += [Case(plan, Kill("request", n, when)) for n in range(1, requests + 1) for when in KILLS]
        found += [Case(plan, Kill("store", n, when)) for n in range(1, stores + 1) for when in ("before", "after")]
        found += [Case(plan, None, fault, n) for n in range(1, requests + 1) for fault in FAULTS]
    return found


def failures(cases: list[Case], tell: Callable[[str, object], None]) -> list[str]:
    """Run the cases and return the failures; how many there were of both is told at the end of the test run."""
    failed = [f"{case}: {problems[0]}" for case in cases if (problems := broken(case))]
    tell("crash matrix", f"{len(cases)} cases, {len(failed)} failures")
    return failed


def test_a_sample_of_the_crash_matrix_is_mended_by_one_run(record_property: Callable[[str, object], None]) -> None:
    """After a crash one more run leaves the account as declared, without a duplicate, an orphan or a manual step."""
    cases = matrix()
    assert len(cases) > 1000
    assert failures(cases[:: len(cases) // 30], record_property) == []


@pytest.mark.prove
@pytest.mark.parametrize("part", range(8))
def test_the_whole_crash_matrix_is_mended_by_one_run(part: int, record_property: Callable[[str, object], None]) -> None:
    """Every request and every write to the state, broken in every way: one more run mends all of them."""
    assert failures(matrix()[part::8], record_property) == []
