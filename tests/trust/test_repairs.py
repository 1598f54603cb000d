"""What did not take is sent once more, and counted once more: a repair is held to the number that somebody saw."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from tests.trust.losing import CASES, KEEP, Losing
from tests.trust.test_along import FIELD, MOVED, PIPELINE, TWO
from tests.trust.test_counts import prepared, saved_after, yes
from tests.world import Ran, World

LOSING = {case.name: case for case in CASES}


def _moving(name: str, like: str, before: str, after: str, address: str) -> Losing:
    base = LOSING[like]
    return Losing(name, address, before, after, base.records, base.add, base.asks)


UPDATES = (
    *(LOSING[name] for name in ("option", "option of several", "option of a deal field")),
    _moving("moved stage", "stage", TWO, MOVED, "stage.other.lead"),
    _moving("currency", "pipeline", PIPELINE, PIPELINE.replace("usd", "eur"), "pipeline.sales"),
    _moving("perstag", "contact field", FIELD, FIELD.replace("perstag: TIER", "perstag: LEVEL"), "field.tier"),
)


def deaf(world: World, meanwhile: Callable[[], None]) -> None:
    """Let the account answer updates and deletes with success and do nothing, until it is asked for a listing after
    one; `meanwhile` happens then.
    """
    app, missed = world.held._account.app, list[str]()
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}

    async def answering(
        scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        hearing = scope["type"] != "http" or missed[-1:] == ["over"]
        if not hearing and scope["method"] in ("PUT", "DELETE"):
            missed.append(scope["path"])
            await send(head)
            await send({"type": "http.response.body", "body": b"{}"})
            return
        if not hearing and missed and scope["method"] == "GET" and b"limit=100" in scope["query_string"]:
            missed.append("over")
            meanwhile()
        await app(scope, receive, send)

    world.held.app = answering  # type: ignore[method-assign]


def applied(world: World, case: Losing, how: str, arriving: int) -> Ran:
    """Apply a change of one record that is not taken at first; so many arrive before it is sent again."""
    if how == "saved":
        argv: tuple[str, ...] = (str(saved_after(world, case, 1)),)
    else:
        prepared(world, case, 1)
        argv = ("--auto-approve", *yes(world))
    deaf(world, lambda: case.arrive(world, arriving))
    return world.cli("apply", *argv)


@pytest.mark.parametrize("how", ["saved", "at-once"])
@pytest.mark.parametrize("case", UPDATES, ids=lambda case: case.name)
def test_a_repair_that_costs_more_is_refused(world: World, case: Losing, how: str) -> None:
    """The account did not take the change, and thirty records came before it is sent again."""
    ran = applied(world, case, how, 30)
    assert ran.code == 7, ran.text
    told = " ".join(ran.text.split())
    assert re.search(r"had not taken it as sent: planned against 1, found (at most )?31\b", told), ran.text
    assert case.left(world) == 31
    assert world.rows("tags", tag="Extra")


@pytest.mark.parametrize("case", UPDATES, ids=lambda case: case.name)
def test_a_repair_that_costs_no_more_is_made(world: World, case: Losing) -> None:
    """The same number is a reason to send it once more."""
    ran = applied(world, case, "saved", 0)
    assert ran.code == 0, ran.text
    assert "it was sent once more" in " ".join(ran.text.split())
    assert world.cli("plan", "--detailed-exitcode").code == 0


def test_a_repair_that_fails_says_why(world: World) -> None:
    """What the account answered to the second try is told, not that nothing changed."""
    world.write(f"tags: {{vip: {{name: VIP}}, {KEEP}}}")
    world.apply()
    world.write(f"tags: {{vip: {{name: VIP, description: New}}, {KEEP}}}")
    deaf(world, lambda: world.fault("fail_before", "PUT .*", status=422, body={"errors": [{"title": "Too late"}]}))
    ran = world.cli("apply", "--auto-approve")
    assert ran.code == 5, ran.text
    assert "Too late" in ran.text


def test_a_schema_field_that_stays_is_not_taken_for_gone(world: World) -> None:
    """The account answers 202 and does nothing: said, and removed by the next apply, with its number."""
    case = LOSING["field of a custom object"]
    path = saved_after(world, case, 1)
    world.fault("fail_before", "DELETE .*", status=202)
    ran = world.cli("apply", str(path))
    assert ran.code == 5, ran.text
    assert "still shows it: plan again later" in ran.text
    again = world.cli("plan")
    assert again.code == 7, again.text
    assert world.cli("apply", "--auto-approve", "--allow", "max_records_lost=1").code == 0
    assert [one["id"] for one in world.rows("schemas")[0]["fields"] if "status" not in one] == ["seat"]
