"""JSON, JUnit and event streams."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from reconciler.model.document import AttributeView, ChangeView, PlanDocument, digest, sealed
from reconciler.model.events import Finished, Waiting
from reconciler.model.summary import ApplySummary
from reconciler.render import machine, tables
from tests.render import documents
from tests.render.golden import assert_golden


@pytest.mark.parametrize("size", documents.SIZES)
def test_json_of_each_size_reads_as_approved(size: str) -> None:
    """Plans of 1, 40 and 2,000 changes as JSON."""
    assert_golden(f"plan-{size}.json", machine.plan_json(documents.SIZES[size]()))


def test_json_is_the_document() -> None:
    """A plan that was printed as JSON and read again is the same plan, and its digest can be checked."""
    document = documents.refused()
    again = PlanDocument.model_validate_json(machine.plan_json(document))
    assert again == document
    assert digest(json.loads(machine.plan_json(document))) == digest(document.model_dump(mode="json"))


@pytest.mark.parametrize("size", documents.SIZES)
def test_the_digest_is_that_of_the_canonical_json(size: str) -> None:
    """It is taken piece by piece, and is the SHA-256 of the JSON in one line, with sorted members and without itself:
    of the document as of the file that was written of it.
    """
    document = sealed(documents.SIZES[size]())
    content = document.model_dump(mode="json", exclude={"digest"})
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    assert document.digest == hashlib.sha256(text.encode()).hexdigest() == digest(content)
    assert digest({}) == hashlib.sha256(b"{}").hexdigest()


def test_json_survives_half_a_character() -> None:
    """Half of a surrogate pair, which JSON from the account may hold, can be written in any encoding and read again."""
    broken = "a\ud800b"
    document = PlanDocument(
        changes=[
            ChangeView(
                address="tag.a", kind="tag", action="create", attributes=[AttributeView(name="name", after=broken)]
            )
        ]
    )
    printed = machine.plan_json(document).encode()
    assert json.loads(printed)["changes"][0]["attributes"][0]["after"] == broken


def test_junit_fails_what_drifted_and_passes_the_rest() -> None:
    """Changed addresses fail with their lines, unplanned ones are errors, bound ones pass, nothing is counted twice."""
    report = machine.plan_junit(documents.refused())
    assert_golden("drift.xml", report)
    suite = ElementTree.fromstring(report)
    cases = {case.get("name"): case for case in suite}
    assert suite.get("tests") == str(len(cases))
    assert cases["field.plan_tier"].find("failure") is not None
    assert cases["deal_field.value"].find("error") is not None
    assert len(cases["tag.same"]) == 0
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))


def test_junit_can_hold_any_text() -> None:
    """Characters that XML cannot carry do not break the report."""
    change = ChangeView(address="tag.a", kind="tag", action="delete", reason="a\x00\x1b<b>\ud800\uffff")
    assert ElementTree.fromstring(machine.plan_junit(PlanDocument(changes=[change]))).get("failures") == "1"


def test_events_are_one_line_of_json_each() -> None:
    """An event names itself, when it was, and its members."""
    line = machine.event_json(Finished(3, "tag.vip", "create", 0.21, "12"), elapsed=1.23456)
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "event": "finished",
        "elapsed": 1.235,
        "number": 3,
        "address": "tag.vip",
        "op": "create",
        "seconds": 0.21,
        "id": "12",
    }
    assert json.loads(machine.event_json(Waiting("rate limited", 3.0), elapsed=0))["event"] == "waiting"
    assert json.loads(machine.heartbeat_json(elapsed=10.0, over=3, total=9))["over"] == 3


def test_an_outcome_is_json_too() -> None:
    """The outcome of an apply with its failures by name."""
    summary = ApplySummary(added=1, failed=(("tag.a", "no", "try"),), forecast=3, requests=2)
    content = json.loads(machine.applied_json(summary))
    assert content["complete"] is False
    assert content["failed"] == [{"address": "tag.a", "message": "no", "hint": "try"}]


ROWS: list[dict[str, Any]] = [
    {"address": "tag.vip", "kind": "tag", "id": "1", "count": 12},
    {"address": "list.a-long-one", "kind": "list", "id": None, "count": 3, "more": ["x", "y"]},
]


def test_tables_line_up() -> None:
    """Headings, columns as wide as they need to be, numbers to the right, nothing for what is missing."""
    assert tables.table(ROWS, ["address", "id", "count"]) == (
        "ADDRESS          ID  COUNT\ntag.vip          1      12\nlist.a-long-one          3\n"
    )
    assert tables.table([], ["address"]) == ""


def test_tables_as_json_carry_whole_rows() -> None:
    """Machines get every member, also those that people are not shown, and an empty array for no rows."""
    assert json.loads(tables.table(ROWS, ["address"], "json")) == ROWS
    assert tables.table([], ["address"], "json") == "[]\n"
