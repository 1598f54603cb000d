"""Steps that many tests take."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import Case
from tests.world import World


def settled(world: World, config: dict[str, Any]) -> None:
    """Apply a configuration; everything takes, and the plan after it is empty."""
    world.write(config)
    world.apply(yes=True)
    after = world.plan()
    assert after.empty, (after.lines, after.document.warnings, after.document.skipped, after.document.guards)


def begin(world: World, case: Case, config: dict[str, Any]) -> None:
    """Bring the account to where a case begins, and apply a configuration."""
    world.account.seed(case.seed)
    world.write(config)
    world.apply()


def holdings(world: World) -> dict[str, list[dict[str, Any]]]:
    """Return all that the account holds, by table; stages that outlived their pipeline do not count."""
    alive = {row["id"] for row in world.rows("dealGroups")}
    stages = [row for row in world.rows("dealStages") if row["group"] in alive]
    return {**world.dump(), "dealStages": stages}
