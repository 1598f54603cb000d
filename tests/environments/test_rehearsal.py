"""Snapshots, plans against them, and rehearsals on a copy of the account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.model.snapshot_file import unreadable
from tests.world import World, new_world

CONFIG = """
tags: {vip: {name: VIP}}
lists:
  news:
    name: News
    sender_url: https://acme.example
    sender_reminder: You subscribed.
    subscription_notify: [boss@acme.example]
fields:
  plan: {title: Plan, type: dropdown, options: [Free, Pro], lists: [news]}
pipelines:
  sales: {title: Sales, currency: usd, users: [jane@acme.example], stages: {lead: {}, won: {}}}
webhooks:
  sync:
    name: Sync
    url: https://hooks.example.com/ac?key=${secret.HOOK_KEY}
    events: [subscribe]
    sources: [public]
"""


@pytest.fixture(name="applied")
def applied_world(tmp_path: Path) -> Iterator[World]:
    """A world whose account matches its configuration."""
    with new_world(tmp_path) as world:
        world.begin_with(_applied)
        yield world


def _applied(world: World) -> None:
    world.environ["HOOK_KEY"] = "c4nary-k3y"
    world.write(CONFIG)
    world.apply()


def test_a_snapshot_holds_no_secret_and_no_address(applied: World) -> None:
    """Query strings of URLs and e-mail addresses are digests in the file; what was equal stays equal."""
    ran = applied.cli("snapshot", "--out", "snap.json")
    assert ran.code == 0, ran.text
    text = (applied.folder / "snap.json").read_text()
    assert not [canary for canary in ("c4nary-k3y", "jane@", "boss@") if canary in text]
    assert unreadable("Jane@acme.example") == unreadable("jane@acme.example") != unreadable("joe@acme.example")


@pytest.mark.parametrize(
    "text",
    [
        "j\u00fcrgen@acme.example", "jane@m\u00fcller.example", "\u7528\u6237@\u4f8b\u5b50.\u516c\u53f8",
        "jane%40acme.example", "jane\uff20acme.example", "jane&#64;acme.example", "jane&#x40;acme.example",
        '"jane doe"@acme.example', "jane!@acme.example", "mailto:jane@acme.example?subject=x",
    ],
)  # fmt: skip
def test_an_address_is_one_however_it_is_written(text: str) -> None:
    """In any letters, as URLs and HTML write it: nothing of it is left, and what is beside it stays."""
    bare = unreadable(f"Ask {text}, or call", lambda _: "-")
    assert re.fullmatch(r"Ask (mailto:)?-@hidden\.invalid(\?subject=x)?, or call", bare), bare
    assert (
        unreadable("50% off @acme.example, (@acme.example) @media") == "50% off @acme.example, (@acme.example) @media"
    )
    assert unreadable("jane%40acme.example") == unreadable("jane@acme.example")


def test_a_long_text_is_read_once() -> None:
    """What may begin an address and is none costs no more than its length: this took ten minutes."""
    text = "a." * 200_000 + "@"
    assert unreadable(text) == text


def test_a_plan_against_a_snapshot_needs_no_account(applied: World) -> None:
    """The plan is the one that the account gave, also without the secrets; nothing is asked."""
    applied.cli("snapshot", "--out", "snap.json")
    applied.account.log.clear()
    assert "No changes." in applied.cli("plan", "--against", "snap.json").out
    applied.write(CONFIG.replace("name: VIP", "name: Vip"))
    del applied.environ["HOOK_KEY"]
    ran = applied.cli("plan", "--against", "snap.json", "--format", "json")
    assert [change["address"] for change in json.loads(ran.out)["changes"]] == ["tag.vip"]
    assert not applied.account.log


def test_a_rehearsal_touches_neither_account_nor_state(applied: World) -> None:
    """The plan is carried out on a copy, the second plan is empty, and all is as it was."""
    applied.write(
        CONFIG.replace("[Free, Pro]", "[Free, Pro, Max]").replace("lead: {}", "lead: {}, held: {}") + "deal_fields:\n"
        "  value: {label: Value, type: currency, default_currency: usd}\n"
    )
    state = (applied.folder / "state/demo.json").read_bytes()
    before = applied.account.rows.dump()
    applied.account.log.clear()
    ran = applied.cli("rehearse", "--format", "json")
    assert ran.code == 0, ran.text
    outcome = json.loads(ran.out)
    assert outcome["proven"]
    assert any("row 45" in one for one in outcome["assumptions"])
    assert {entry["method"] for entry in applied.account.log} == {"GET"}
    assert applied.account.rows.dump() == before
    assert (applied.folder / "state/demo.json").read_bytes() == state
    made = applied.apply()
    assert outcome["requests"] == made.summary.requests


def test_a_rehearsal_finds_the_step_that_will_fail(applied: World) -> None:
    """Two fields cannot have one title: the copy refuses it, and the real account is never asked to."""
    applied.account.seed({"fields": [{"title": "Region", "type": "text", "relids": ["0"]}]})
    applied.write(CONFIG.replace("title: Plan,", "title: Region, perstag: PLAN,"))
    applied.account.log.clear()
    ran = applied.cli("rehearse")
    assert ran.code == 5, ran.text
    assert "There is already a field with this title" in ran.out
    assert {entry["method"] for entry in applied.account.log} == {"GET"}


def test_a_snapshot_is_replayed_without_network_or_secrets(applied: World) -> None:
    """A report on a private account can be reproduced from the file, the configuration and the state."""
    applied.cli("snapshot", "--out", "snap.json")
    applied.write(CONFIG.replace("lead: {}, won: {}", "won: {}, lead: {}"))
    del applied.environ["HOOK_KEY"]
    applied.account.log.clear()
    ran = applied.cli("replay", "snap.json")
    assert ran.code == 0, ran.text
    assert "Rehearsal passed" in ran.out
    assert not applied.account.log


def test_a_copy_holds_every_kind(world: World) -> None:
    """Settings, domains, events and segments come along too: nothing differs on the copy."""
    example = Path(__file__).parents[2] / "examples/everything"
    for file in sorted((example / "config").glob("*.yaml")):
        text = file.read_text("utf-8").replace("variables:\n  host: {", "variables:\n  host: {default: shop.example, ")
        world.write(text, f"config/{file.name}")
    world.apply()
    assert "Nothing to rehearse." in world.cli("rehearse").out


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"format_version": "2.0", "exchanges": [{"path": "/tags"}]}'])
def test_what_is_no_snapshot_is_refused(applied: World, content: str) -> None:
    """A truncated file, another document, a newer format: a message, no traceback."""
    (applied.folder / "x.json").write_text(content)
    ran = applied.cli("replay", "x.json")
    assert ran.code == 3
    assert "is not a snapshot" in ran.err
