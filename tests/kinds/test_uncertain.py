"""Facts about which the sources differ (section 7 of the API page): probed in one place, read back, never assumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.model.errors import Unexpected
from reconciler.model.http import Request, Response
from reconciler.model.live import Row
from reconciler.model.values import Json, RemoteId, Value
from tests.kinds.flows import Answer, found, kind_of, run, write
from tests.loosely import loosely

GONE = {"message": "No Result found for TaskOutcome with id 7"}
WON = {"title": "Won", "sentiment": "Positive"}


def _knows(*paths: str) -> Answer:
    """An account that knows these paths only."""

    def answer(request: Request) -> Response:
        return found(request) if request.path.startswith(paths) else Response(404, {"message": "Not Found"})

    return answer


@pytest.mark.parametrize("path", ["/taskOutcomes/7", "/taskOutccomes/7"])
def test_an_outcome_is_changed_under_either_spelling(path: str) -> None:
    """Row 13: the believed path first, the documented typo where the account does not know it."""
    kind = kind_of("task_outcome")
    ran = run(kind.update(write("task_outcome", WON, {**WON, "title": "Lost"})), _knows(path))
    assert ran.lines[-1] == f"PUT {path}"
    assert len(ran.lines) == (1 if path == "/taskOutcomes/7" else 2)
    assert ran.sent[-1].body == {"taskOutcome": {"title": "Won"}}
    assert run(kind.delete(write("task_outcome", WON, WON)), _knows(path)).lines[-1] == f"DELETE {path}"


def test_an_account_that_knows_neither_spelling_is_told_precisely() -> None:
    """The error names the requests, what was expected and what came, and nothing of anybody's data."""
    kind = kind_of("task_outcome")
    with pytest.raises(Unexpected) as error:
        run(kind.update(write("task_outcome", WON, {**WON, "title": "Lost"})), _knows("/nothing"))
    assert "PUT /taskOutcomes/7" in error.value.message
    assert "PUT /taskOutccomes/7" in error.value.message
    assert "404" in error.value.message
    assert "row 13" in error.value.message
    assert "Won" not in error.value.message


def test_a_missing_object_is_not_mistaken_for_a_missing_path() -> None:
    """The message "No Result found" is about the object: the other spelling is not tried."""
    kind = kind_of("task_outcome")
    assert run(kind.delete(write("task_outcome", WON, WON)), lambda request: Response(404, GONE)).lines == [
        "DELETE /taskOutcomes/7"
    ]
    with pytest.raises(Unexpected):
        run(kind.update(write("task_outcome", WON, {"title": "x"})), lambda request: Response(404, GONE))


def test_a_site_domain_is_added_in_the_form_that_the_account_knows() -> None:
    """Row 28: JSON:API with all five properties, else the old path with the name alone."""
    kind = kind_of("site_domain")
    shop = {"domain": "shop.example", "page": "*"}
    new = run(kind.create(write("site_domain", shop)), lambda request: Response(201, {"data": {"id": "490469"}}))
    assert new.lines == ["POST /prism/urlWhitelistings"]
    assert set(loosely(new.sent[0].body)["data"]["attributes"]) == {
        "whitelisted_domain",
        "whitelisted_page",
        "tracking_enabled",
        "conversations_enabled",
        "wp_enabled",
    }
    assert new.bound == ["490469"]
    old = run(kind.create(write("site_domain", shop)), _knows("/siteTrackingDomains"))
    assert old.lines == ["POST /prism/urlWhitelistings", "POST /siteTrackingDomains"]
    assert old.sent[1].body == {"siteTrackingDomain": {"name": "shop.example"}}
    assert old.bound == ["shop.example"]


def test_a_lock_that_is_refused_with_success_is_an_error() -> None:
    """Locking answers 200 `success: false` to keys that may not (section 1.5)."""
    kind = kind_of("personalization")
    no: Json = {"success": False, "message": "Only admin can lock/unlock personalizations"}
    with pytest.raises(Unexpected) as error:
        run(kind.update(write("personalization", {"locked": True}, {"locked": False})), lambda _: Response(200, no))
    assert "PATCH /personalizations/7/lock" in error.value.message
    assert "Only admin" in error.value.message


def test_an_outcome_relation_is_written_in_every_form_that_reads_show() -> None:
    """Section 2.11: the write form is unknown; unknown keys are ignored, so both pairs go and the read-back decides."""
    ran = run(
        kind_of("task_outcome").create(write("task_outcome", {**WON, "task_types": [RemoteId("task_type", "3")]}))
    )
    assert ran.sent[-1].path == "/tasktypeOutcomeRels"
    assert set(loosely(ran.sent[-1].body)["tasktypeOutcomeRel"]) == {"tasktype", "tasktype_id", "outcome", "outcome_id"}


def test_brandings_links_are_enabled_by_leaving_them_out() -> None:
    """Section 2.26: any value disables them, so every other change of a branding without links sends them again."""
    kind = kind_of("setting")
    off: dict[str, Value] = {"name": "branding", "site_name": "Old", "links": False}
    row = {"_id": "1", "links": ""}

    def body(desired: Mapping[str, Value], live: Mapping[str, Value], row: Row) -> object:
        change = write("setting", desired, live, row=row)
        held = change.live
        assert held is not None
        sent = run(kind.update(change._replace(live=held._replace(id="branding")))).sent
        return loosely(sent[0].body)["branding"]

    assert body({"site_name": "New"}, off, row) == {"siteName": "New", "links": "0"}
    assert body({"site_name": "New", "links": True}, off, row) == {"siteName": "New"}
    assert body({"links": True}, off, {**row, "siteName": "Old"}) == {"siteName": "Old"}
    assert body({"links": False}, {**off, "links": True}, {"_id": "1", "links": "1"}) == {"links": "0"}
    assert body({"site_name": "New"}, {**off, "links": True}, {"_id": "1", "links": "1"}) == {"siteName": "New"}
    usual: Any = {"_id": "1", "links": {"group": "https://a.example/groups/3"}}
    assert body({"site_name": "New"}, {"name": "branding", "site_name": "Old"}, usual) == {"siteName": "New"}


def test_the_name_of_an_event_is_encoded_in_its_path() -> None:
    """Section 2.28: names may hold spaces and slashes."""
    held = write("tracked_event", {}, {})
    assert held.live is not None
    gone = run(kind_of("tracked_event").delete(held._replace(live=held.live._replace(id="my event / x"))))
    assert gone.lines == ["DELETE /eventTrackingEvents/my%20event%20%2F%20x"]
    event = write("tracked_event", {"name": "my event / x"})
    created = run(kind_of("tracked_event").create(event))
    assert created.bound == ["my event / x"]
