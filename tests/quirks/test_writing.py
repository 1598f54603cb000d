"""What is sent, and what is made of strange answers to it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.errors import AmbiguousResponse
from reconciler.model.kind import Kind
from reconciler.model.live import Live, Row
from reconciler.model.values import Reference, RemoteId
from reconciler.model.write import Write
from reconciler.resources import load_kinds
from tests.loosely import loosely
from tests.quirks.strange import run


def identity(reference: Reference) -> str:
    """Answer the id of a live reference."""
    assert isinstance(reference, RemoteId)
    return reference.id


def write(kind: str, live: Live | None = None, **desired: Any) -> Write:
    """Make what a flow gets to know."""
    return Write(f"{kind}.x", desired, frozenset(desired), live, identity)


def kind(name: str) -> Kind:
    """Return a kind."""
    return load_kinds()[name]


def test_texts_are_sent_in_the_spelling_of_the_api() -> None:
    """Currencies in lower case, colours without `#`, personalization tags as the server stores them."""
    (request, *_), _, _ = run(
        kind("pipeline").create(write("pipeline", title="Sales", currency="USD")), {"dealGroup": {"id": "4"}}
    )
    assert loosely(request.body)["dealGroup"]["currency"] == "usd"
    pipeline = RemoteId("pipeline", "4")
    (request, *_), _, _ = run(
        kind("stage").create(write("stage", title="Lead", color="#32B0fc", pipeline=pipeline, order=1)),
        {"dealStage": {"id": "9"}},
    )
    assert loosely(request.body)["dealStage"]["color"] == "32B0fc"
    (request, *_), _, _ = run(
        kind("field").create(write("field", title="T", type="text", perstag="Plan tier-1")), {"field": {"id": "1"}}
    )
    assert loosely(request.body)["field"]["perstag"] == "PLANTIER1"


def test_a_create_that_answers_a_list_is_understood() -> None:
    """The reference shows the list body as the answer of POST /fields (row 2)."""
    body = {"fieldOptions": [], "fieldRels": [], "fields": [{"id": "405"}]}
    _, (bound,), _ = run(kind("field").create(write("field", title="T", type="text")), body)
    assert bound.id == "405"


@pytest.mark.parametrize("body", [None, {}, {"success": False, "message": "no"}, {"tag": {"tag": "VIP"}}, {"tag": []}])
def test_a_create_without_an_id_is_unclear_and_no_crash(body: Any) -> None:
    """Whether the object exists is then looked up by its natural key."""
    with pytest.raises(AmbiguousResponse, match="names no id"):
        run(kind("tag").create(write("tag", name="VIP", type="contact")), body)


@pytest.mark.parametrize("body", [None, {}, {"fieldOptions": None, "field": {"id": "7"}}, []])
def test_a_look_at_options_that_shows_none_is_no_crash(body: Any) -> None:
    """Whether a bulk POST replaced options cannot be told from such an answer; the read-back tells (row 45)."""
    row = {"_options": [{"id": "1", "value": "Free", "orderid": "1"}]}
    live = Live("field", "7", {"options": [{"value": "Free", "label": "Free", "default": False}]}, row=row)
    sent, _, _ = run(kind("field").update(write("field", live, options=["Free", "Pro"])), {}, body)
    assert [str(request) for request in sent] == ["POST /fieldOption/bulk", "GET /fields/7"]


def test_flags_of_schema_fields_do_not_contradict_each_other() -> None:
    """A field that is read with `isRequired` is sent with `required` alone (row 22)."""
    labels = {"singular": "Seat", "plural": "Seats"}
    field: Row = {"id": "seat", "type": "text", "labels": labels, "isRequired": False}
    row: Row = {"id": "u", "slug": "s", "labels": labels, "fields": [field], "relationships": []}
    live = Live("custom_object", "u", {"fields": {"seat": {"type": "text", "required": False}}}, row=row)
    wanted = {"seat": {"type": "text", "labels": labels, "required": True}}
    (request,), _, _ = run(kind("custom_object").update(write("custom_object", live, slug="s", fields=wanted)))
    assert loosely(request.body)["schema"]["fields"] == [
        {"id": "seat", "type": "text", "labels": labels, "required": True}
    ]


def test_a_left_over_stage_with_deals_is_not_deleted() -> None:
    """Stages that came with a pipeline may be adopted orphans, or in use by now (section 1.10)."""
    finish = kind("pipeline").finish(write("pipeline"), ["7", "8"])
    with pytest.raises(LookupError, match=r"stage id 8 .* holds deals"):
        run(finish, {"deals": [], "meta": {"total": 0}}, {}, {"deals": [{}], "meta": {"total": 1}})


def test_a_board_that_begins_at_zero_is_left_alone() -> None:
    """Only the relative order counts: 0, 1, 2 is in order (section 8.1)."""
    siblings: list[tuple[str, dict[str, Any], Live | None]] = [
        (f"stage.p.{n}", {}, Live("stage", str(n), {"order": n})) for n in range(3)
    ]
    assert kind("stage").arrange(siblings) == {f"stage.p.{n}": {"order": n} for n in range(3)}
