"""Plans as the engine keeps them: small, whole again, and in memory one after the other."""

from __future__ import annotations

import base64
import re
import zlib
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.fleet import spec
from reconciler.fleet.spec import packed, result_of, unpacked
from reconciler.model.errors import StateError
from reconciler.model.fleet import FleetReport, JobResult
from reconciler.render.fleet import causes, headline


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_packed_is_whole_again(text: str) -> None:
    """Whatever stands in it."""
    assert unpacked(packed(text)) == text
    assert unpacked(f"{{{text}") == f"{{{text}", "an earlier program packed nothing"


@pytest.mark.parametrize("kept", ["", "AAAA", packed("x" * 9)[:12], base64.b64encode(b"x").decode(), "ä"], ids=range(5))
def test_what_is_damaged_is_told(kept: str) -> None:
    """As a fault of the database, not of the program."""
    with pytest.raises(StateError, match="in the fleet's database"):
        unpacked(kept)


def test_what_grows_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write to the database fills no memory."""
    monkeypatch.setattr(spec, "MOST_BYTES", 1000)
    assert unpacked(packed("x" * 999)) == "x" * 999
    with pytest.raises(StateError, match="too large"):
        unpacked(base64.b64encode(zlib.compress(b"x" * 100_000)).decode())


def test_a_plan_comes_with_a_result_only_where_it_is_asked_for() -> None:
    """A report of 10,000 accounts holds none of them."""
    output = {"account": "acme", "outcome": "changes", "document": packed("{}")}
    row = SimpleNamespace(status="SUCCESS", output=output, workflow_id="r/w/plan/acme")
    bare, whole = result_of(row), result_of(row, whole=True)
    assert bare is not None
    assert whole is not None
    assert (bare.document, unpacked(whole.document)) == ("", "{}")


@pytest.mark.parametrize(
    ("messages", "causes_told"),
    [
        ({"a": "37 customer records are lost"}, ["37 customer records are lost"]),
        ({"a": "accounts/a.db is a folder", "b": "accounts/b.db is a folder"}, ["accounts/<account>.db is a folder"]),
        ({"acme": "the state of `acme` is damaged", "b": "the state of `b` is damaged"}, None),
        ({"acme": "https://acme.example/x is away", "b": "https://b.example/x is away"}, None),
        ({"x": "state:x.json is away", "x-1": "state:x-1.json is away"}, None),
        ({"acme": "a file of acme-2.json is away"}, ["a file of acme-2.json is away"]),
        ({"the": "the key is not set", "x": "the key is not set"}, ["the key is not set"]),
    ],
)
def test_failures_are_told_by_their_first_cause(messages: dict[str, str], causes_told: list[str] | None) -> None:
    """What only the name of an account tells apart is one cause; the same letters elsewhere stay."""
    failed = [JobResult(account=name, outcome="failed", message=message) for name, message in messages.items()]
    found = [message for message, _, _ in causes(FleetReport(name="r", mode="apply", accounts=failed))]
    assert found == causes_told if causes_told else len(found) == 1 and "<account>" in found[0]


@pytest.mark.parametrize(
    ("mode", "outcomes", "pending", "told"),
    [
        (
            "apply",
            ["applied", "changes"],
            ["a1", "a2"],
            "3 accounts: 1 applied, 1 with changes not applied, 1 not planned.",
        ),
        ("apply", ["changes"], ["a0"], "1 account: 1 with changes not applied."),
        ("plan", ["changes"], ["a1"], "2 accounts: 1 with changes, 1 not done."),
        ("plan", [], [], "0 accounts: nothing to do."),
        ("drift", ["changes"], [], "1 account: 1 with drift."),
    ],
)
def test_the_headline_counts_each_account_once(mode: Any, outcomes: list[Any], pending: list[str], told: str) -> None:
    """Of an apply, what was planned and not come to is on record and still to do."""
    results = [JobResult(account=f"a{at}", outcome=outcome) for at, outcome in enumerate(outcomes)]
    said = headline(FleetReport(name="r", mode=mode, accounts=results, pending=pending))
    parts = [int(word) for word in re.findall(r"\b\d+\b", said)]
    assert (said, sum(parts[1:])) == (told, parts[0])
