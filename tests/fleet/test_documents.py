"""Plans as the engine keeps them: small, whole again, and in memory one after the other."""

from __future__ import annotations

import base64
import zlib
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.fleet import spec
from reconciler.fleet.spec import packed, result_of, unpacked
from reconciler.model.errors import StateError


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
