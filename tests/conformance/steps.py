"""Steps that many tests take."""

from __future__ import annotations

from typing import Any

from tests.conformance.case import Case, shown
from tests.contract.checker import check_request
from tests.world import World


def settled(world: World, config: dict[str, Any]) -> None:
    """Apply a configuration; everything takes, the plan after it is empty, and every request is one that the vendor
    documents.
    """
    world.write(config)
    world.apply(yes=True)
    after = world.plan()
    sent = [(one["method"], one["path"], one["query"], one["body"]) for one in world.account.log]
    problems = {problem for request in sent for problem in check_request(*request)}
    assert not problems, sorted(problems)
    assert after.empty, (after.lines, after.document.warnings, after.document.skipped, after.document.guards)


def begin(world: World, case: Case, config: dict[str, Any]) -> None:
    """Bring the account to where a case begins, and apply a configuration; with the same one, that is done once."""
    world.begin_with(_applied, case, config)


def _applied(world: World, case: Case, config: dict[str, Any]) -> None:
    world.account.seed(case.seed)
    world.write(config)
    world.apply()


def holdings(world: World, case: Case) -> dict[str, list[dict[str, Any]]]:
    """Return all that the account holds, by table; stages that outlived their pipeline do not count, nor what was
    retired because the API deletes none.
    """
    alive = {row["id"] for row in world.rows("dealGroups")}
    stages = [row for row in world.rows("dealStages") if row["group"] in alive]
    found = {**world.dump(), "dealStages": stages}
    if case.retired:
        found[case.table] = [row for row in found[case.table] if not is_retired(row, case)]
    return found


def is_retired(row: dict[str, Any], case: Case) -> bool:
    """Return whether a row is what a removal makes of an object."""
    return bool(case.retired) and all(shown(row.get(name)) == value for name, value in case.retired.items())
