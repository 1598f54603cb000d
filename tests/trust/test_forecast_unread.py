"""The forecast of an apply is what is sent, whatever a listing beside the objects answers: refused, not there, empty,
rows that do not add up; for the plan, its rehearsal, a saved plan and a clone.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reconciler.emulator import AccountSettings
from tests.world import TWO_ACCOUNTS, World, new_world
from tests.world.accounts import hold

BEFORE = """
lists: {one: {name: One, sender_url: https://a.example, sender_reminder: R, user_groups: [{name: Admin}]}}
fields: {tier: {title: Tier, type: dropdown, options: [A, B], lists: [one], group: left}}
deal_fields: {size: {label: Size, type: text, group: right}}
field_groups: {left: {label: Left, object: contact}, right: {label: Right, object: deal}}
pipelines: {sales: {title: Sales, currency: usd, stages: {lead: {}, won: {}}, users: [jane@acme.example]}}
task_outcomes: {o: {title: Old, sentiment: POSITIVE, task_types: [{name: Call}]}}
tags: {vip: {name: VIP}}
segments:
  s: {name: Loyal, groups: [{conditions: [{object: tag, fields: [{name: tagid, value: {ref: tag.vip}}]}]}]}
"""
AFTER = (
    (r"name: One", "name: Two"), ("Tier", "Tyre"), ("Size", "Area"), ("Sales,", "Sold,"), ("Old", "New"),
    ("{name: Loyal,", "{name: Loyal, description: Who stays,"),
    ("right: {", "more: {label: More, object: deal}, right: {"),
    ("pipelines: {", "pipelines: {rest: {title: Rest, currency: usd, stages: {a: {}}, users: [jane@acme.example]}, "),
)  # fmt: skip
"""What is renamed, and what is new beside it."""
BESIDE = ("listGroups", "groupMembers", "dealGroupUsers", "tasktypeOutcomeRels")
KINDS = ("lists", "fields", "dealGroups", "groups", "users", "dealTasktypes", "audiences")
HOW = ("refused", "missing", "empty", "odd")
"""What a listing answers: 403, 404, nothing, fewer rows than it says that there are."""


def answer(world: World, how: str, paths: tuple[str, ...]) -> None:
    """Let the account answer these listings so from now on."""
    if how == "refused":
        world.behave(forbidden=paths)
    elif how == "missing":
        world.behave(missing=paths)
    elif how == "odd":
        for path in paths:
            world.fault("lying_total", f"^GET /{path}([?]|$)", times=1000)
    else:
        for path in paths:
            for row in world.rows(path):
                world.account.rows.remove(path, row["id"])


def said(text: str) -> tuple[int, int]:
    """Return how many requests a command said that the apply takes, and how many it says that were sent."""
    foretold = re.search(r"the apply takes ([\d,]+) request", " ".join(text.split()))
    sent = re.findall(r"([\d,]+) requests? in [\d.]+ s", text)
    return (
        int(foretold[1].replace(",", "")) if foretold is not None else 0,
        sum(int(one.replace(",", "")) for one in sent),
    )


def check_clone(world: World) -> None:
    """Hold the clone of an account, which is read in part, to its forecast."""
    ran = world.cli("clone", "--from", "a", "--to", "b", "--auto-approve")
    foretold, sent = said(ran.out)
    assert foretold == sent > 10, f"clone: {ran.text}"


def check_rehearsal(world: World) -> int:
    """Hold a rehearsal to its forecast, and return that."""
    rehearsed = world.cli("rehearse", "-q").out
    foretold, sent = said(rehearsed)
    assert foretold == sent, f"rehearse: {rehearsed}"
    return foretold


def check_saved(world: World) -> int:
    """Hold a saved plan to its forecast, what its proof costs included, and return what its changes cost."""
    world.cli("plan", "--out", "p.json")
    cost = json.loads((world.folder / "p.json").read_text())["forecast"]
    planned = int(cost["apply_reads"] + cost["apply_writes"])
    whole = cost["check_requests"] + planned
    world.forget()
    ran = world.cli("apply", "p.json")
    assert said(ran.out)[1] == len(world.requests()) == whole, f"apply: {whole}: {ran.text}"
    return planned


def check_forecasts(folder: Path, how: str, paths: tuple[str, ...], commands: tuple[str, ...]) -> None:
    """Hold these commands to their forecasts."""
    settings = AccountSettings()
    with new_world(folder, settings, project=TWO_ACCOUNTS) as world, hold(folder / "state/b.db", settings):
        world.write(BEFORE)
        world.apply()
        answer(world, how, paths)
        if "clone" in commands:
            check_clone(world)
        text = BEFORE
        for old, new in AFTER:
            assert old in text
            text = text.replace(old, new, 1)
        world.write(text)
        rehearsed = check_rehearsal(world) if "rehearse" in commands else 0
        planned = check_saved(world) if "apply" in commands else 0
        if rehearsed and how in ("refused", "missing"):
            assert rehearsed == planned, "a rehearsal forecasts what the plan does"


@pytest.mark.parametrize(
    ("how", "commands"),
    [("refused", ("clone",)), ("missing", ("rehearse", "apply")), ("odd", ("apply",)), ("empty", ("apply",))],
)
def test_what_is_forecast_is_sent_though_listings_cannot_be_read(
    tmp_path: Path, how: str, commands: tuple[str, ...]
) -> None:
    """All listings beside the objects answer so."""
    check_forecasts(tmp_path / "p", how, BESIDE, commands)


@pytest.mark.prove
@pytest.mark.parametrize(
    ("path", "how"), [(path, how) for path in (*BESIDE, *KINDS) for how in HOW if path in BESIDE or how != "empty"]
)
def test_what_is_forecast_is_sent_whichever_listing_cannot_be_read(tmp_path: Path, path: str, how: str) -> None:
    """Each by itself, of those with the objects too."""
    check_forecasts(tmp_path / "p", how, (path,), ("clone", "rehearse", "apply"))
