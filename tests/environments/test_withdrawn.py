"""A promotion whose files were taken back, while the record of it stayed: `git checkout` leaves what is not tracked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.deriving.promoting import Base, Promotion
from tests.environments.test_promote import MAIN, OVERLAY, Two
from tests.world import new_world
from tests.world.accounts import hold

RECORD = "promotions/sandbox-prod.json"


@pytest.fixture(name="two")
def a_sandbox_and_production(tmp_path: Path) -> Iterator[Two]:
    """Both hold what the files say."""
    with new_world(tmp_path) as world, hold(world.folder / "state/prod.db") as prod:
        yield Two(world, prod)


def _take_back(two: Two, to: str = OVERLAY) -> None:
    two.world.write(MAIN)
    two.world.write(to, "environments/prod.yaml")


@pytest.mark.parametrize("remembered", [True, False], ids=["after another promotion", "at the first one"])
def test_what_was_taken_back_is_promoted_again(two: Two, remembered: bool) -> None:
    """A text and a new object: nobody meant production to differ, and it was said that somebody did."""
    if remembered:
        two.promote()
    two.edit("sandbox", "tags", {"description": "the very best"}, tag="VIP")
    two.world.account.seed({"tags": [{"tag": "Churned"}]})
    first = two.promote()[1]
    assert first.items() >= {"tag.vip.description": "here", "tag.churned": "here"}.items()
    written = two.text("environments/prod.yaml")
    for again in range(2):
        _take_back(two)
        assert two.promote("--plan")[1] == first, again
        assert two.text("environments/prod.yaml") == written
    assert set(two.promote()[1].values()) == {"waiting", "kept"}
    two.apply("prod")
    assert set(two.promote()[1].values()) == {"kept"}


def test_an_order_that_was_taken_back_is_promoted_again(two: Two) -> None:
    """It is remembered like a value."""
    main = MAIN.replace("won:", "lost: {title: Lost}\n      won:")
    two.world.write(main)
    for name in ("sandbox", "prod"):
        two.apply(name)
    two.edit("sandbox", "dealStages", {"order": "9"}, title="Lost")
    for again in range(2):
        two.world.write(main)
        assert two.promote(to="flat")[1]["stage.sales.lost.order"] == "here", again
        assert two.text("config/main.yaml") != main
    assert two.promote(to="flat")[1]["stage.sales.lost.order"] == "waiting"


def test_taking_back_gives_back_what_was_known_before(two: Two) -> None:
    """What collided collides again, and what was different on purpose is it again; also of the second of two
    promotions that no apply came between.
    """
    two.promote()
    two.edit("sandbox", "tags", {"description": "anybody"}, tag="Lead")
    assert two.promote()[1]["tag.lead.description"] == "colliding"
    assert two.promote("--overrule")[2]["files"] == ["environments/prod.yaml"]
    once = two.text("environments/prod.yaml")
    two.edit("sandbox", "tags", {"description": "everybody"}, tag="Lead")
    assert two.promote("--overrule")[1]["tag.lead.description"] == "here"
    _take_back(two, once)
    assert two.promote("--dry-run")[1]["tag.lead.description"] == "here"
    _take_back(two)
    assert two.promote("--dry-run")[1]["tag.lead.description"] == "colliding"
    two.edit("sandbox", "tags", {"description": "someone"}, tag="Lead")
    assert two.promote("--dry-run")[1]["tag.lead.description"] == "kept"


def test_what_was_applied_and_then_set_apart_stays_different_on_purpose(two: Two) -> None:
    """A value from before that somebody wants again in production is a value like any other."""
    two.edit("sandbox", "tags", {"description": "the very best"}, tag="VIP")
    two.promote()
    two.apply("prod")
    two.promote()
    _take_back(two)
    two.apply("prod")
    assert two.promote()[1]["tag.vip.description"] == "kept"


def test_a_declaration_that_was_pruned_and_taken_back_is_gone_from_the_source_again(two: Two) -> None:
    """Also where the state of the source knows it no longer; and what the source makes anew is new."""
    two.promote()
    two.world.account.rows.remove("tags", next(iter(two.world.account.rows.where("tags", tag="VIP")))["id"])
    assert two.promote("--prune")[1]["tag.vip"] == "here"
    assert two.world.cli("-e", "sandbox", "state", "rm", "tag.vip").code == 0
    _take_back(two)
    assert two.promote("--dry-run")[1]["tag.vip"] == "here"
    two.promote("--prune")
    two.apply("prod")
    two.world.account.seed({"tags": [{"tag": "VIP", "description": "the best"}]})
    assert two.promote("--dry-run")[1]["tag.vip"] == "here"


def test_an_older_record_is_read(two: Two) -> None:
    """It says nothing of the files as they were: what it says of both accounts holds."""
    two.promote()
    assert '"before"' not in two.text(RECORD)
    whole = Promotion.model_validate_json(two.text(RECORD))
    assert whole.resources["tag.lead"]["description"] == Base(
        here=whole.resources["tag.lead"]["description"].here,
        there=whole.resources["tag.lead"]["description"].there,
        apart=True,
    )


def test_what_the_target_holds_undeclared_waits_for_its_apply(two: Two) -> None:
    """Its declaration is new and its object is not: nobody changed that in production."""
    two.world.account.seed({"tags": [{"tag": "Churned", "description": "left"}]})
    two.prod.seed({"tags": [{"tag": "Churned", "description": "gone"}]})
    assert two.promote()[1]["tag.churned.description"] == "here"
    assert two.promote()[1]["tag.churned.description"] == "waiting"
    _take_back(two)
    assert two.promote("--dry-run")[1]["tag.churned.description"] == "here"
