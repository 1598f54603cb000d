"""Each kind from its first apply to its last; after every apply the plan is empty, and the account as asked."""

from __future__ import annotations

import filecmp
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.spec import Default, Nested
from reconciler.resources import load_kinds
from tests.conformance.accounts import ACCOUNTS
from tests.conformance.case import NOTHING, Attr, Case
from tests.conformance.cases import load_cases
from tests.conformance.steps import begin, holdings, is_retired, settled
from tests.world import Killed, World, new_world

CASES = load_cases()
CORE = frozenset("tag list field deal_field account_field field_group pipeline stage webhook custom_object".split())
# Some come and go together with another kind of schema, some are shown by nothing: see `tests/kinds`, `test_members`.
ELSEWHERE = {("custom_object", name) for name in ("visibility", "app_id", "parent")} | {
    ("user", "password"),
    ("field_group", "fields"),
    ("address", "user_group"),
}
PAIRS = [(case, one) for case in CASES for one in case.attributes]


def everywhere(chosen: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Return the arguments with each account: `make test` runs each with one of them, `make prove` with all."""
    return [
        pytest.param(
            account,
            *arguments,
            id="-".join([account, *map(str, arguments)]),
            marks=() if (turn + number) % len(ACCOUNTS) == 0 else pytest.mark.prove,
        )
        for number, arguments in enumerate(chosen)
        for turn, account in enumerate(ACCOUNTS)
    ]


EACH_CASE = pytest.mark.parametrize(("account", "case"), everywhere((case,) for case in CASES), indirect=["account"])
ATTRIBUTE = ("account", "case", "attribute")


@pytest.fixture(params=ACCOUNTS)
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world for each way in which accounts behave."""
    with new_world(tmp_path / "project", ACCOUNTS[request.param]) as world:
        yield world


def test_every_attribute_of_every_kind_has_a_case() -> None:
    """An attribute of a kind with cases needs one, and no case is about what no spec has."""
    kinds = load_kinds()
    assert {case.kind for case in CASES} >= CORE
    covered = {(case.kind, one.name) for case in CASES for one in case.attributes} | ELSEWHERE
    declared = {
        (name, attribute.name)
        for name in {case.kind for case in CASES}
        for attribute in kinds[name].attributes.values()
        if not attribute.has(Nested) and attribute.name in kinds[name].spec.model_fields
    }
    assert covered == declared


@EACH_CASE
def test_created_as_declared(account: World, case: Case) -> None:
    """What is declared is what the account holds; people can see it, and nothing is left to do."""
    account.account.seed(case.seed)
    settled(account, case.full())
    case.check(account)
    assert account.hidden() == {}


@EACH_CASE
def test_least_declaration_settles(account: World, case: Case) -> None:
    """With only what is required declared, the plan after an apply is empty, and people see the object."""
    account.account.seed(case.seed)
    settled(account, case.least())
    assert account.hidden() == {}


@pytest.mark.parametrize(ATTRIBUTE, everywhere(PAIRS), indirect=["account"])
def test_attribute_changes(account: World, case: Case, attribute: Attr) -> None:
    """A changed attribute is the only change of the plan, done the way the API allows; then the account holds it."""
    begin(account, case, case.full())
    account.write(case.full(**{attribute.name: attribute.then}))
    plan = account.plan()
    assert plan.lines == [f"{attribute.how} {case.address} ({attribute.name})"]
    assert plan.origins(case.address) == {attribute.name: "config"}
    if attribute.how == "manual":
        assert plan.change(case.address).manual.keys() == {attribute.name}
        assert plan.document.steps == []
        return
    settled(account, case.full(**{attribute.name: attribute.then}))
    case.check(account, **{attribute.name: attribute.seen_then})
    assert account.hidden() == {}


@pytest.mark.parametrize(
    ATTRIBUTE,
    everywhere((case, one) for case, one in PAIRS if one.how == "update" and one.name not in case.always),
    indirect=["account"],
)
def test_attribute_can_be_added_later(account: World, case: Case, attribute: Attr) -> None:
    """An attribute that was left to the account can be declared later, and left to the account again."""
    begin(account, case, case.least())
    settled(account, case.least(**{attribute.name: attribute.then}))
    assert attribute.read(account, case.row(account)) == attribute.seen_then
    if not load_kinds()[case.kind].attributes[attribute.name].has(Default):
        settled(account, case.least())
        assert attribute.read(account, case.row(account)) == attribute.seen_then


@pytest.mark.parametrize(
    ATTRIBUTE, everywhere((case, one) for case, one in PAIRS if one.clear is not NOTHING), indirect=["account"]
)
def test_attribute_can_be_cleared(account: World, case: Case, attribute: Attr) -> None:
    """Null, or an empty list, empties the attribute, and stays empty."""
    begin(account, case, case.full())
    account.write(case.full(**{attribute.name: attribute.clear}))
    assert account.plan().lines == [f"update {case.address} ({attribute.name})"]
    settled(account, case.full(**{attribute.name: attribute.clear}))
    case.check(account, **{attribute.name: attribute.seen_clear})
    assert (account.hidden() == {}) == (attribute.name not in case.hidden_by)


@pytest.mark.parametrize(
    ATTRIBUTE, everywhere((case, one) for case, one in PAIRS if one.drift is not None), indirect=["account"]
)
def test_drift_is_shown_and_reverted(account: World, case: Case, attribute: Attr) -> None:
    """What somebody changed in the account shows as drift of that attribute, and the next apply brings it back."""
    begin(account, case, case.full())
    assert attribute.drift is not None
    attribute.drift(account, case.row(account))
    plan = account.plan()
    assert plan.lines == [f"update {case.address} ({attribute.name})"]
    assert plan.origins(case.address) == {attribute.name: "drift"}
    settled(account, case.full())
    case.check(account)


@EACH_CASE
def test_removed_from_the_configuration(account: World, case: Case) -> None:
    """What is no longer declared is deleted, and nothing else is touched."""
    account.account.seed(case.seed)
    settled(account, case.without())
    before = holdings(account, case)
    settled(account, case.full())
    account.write(case.without())
    assert account.plan().lines == [f"delete {case.address}"]
    identity = account.state().resources[case.address].id
    settled(account, case.without())
    assert case.address not in account.state().resources
    rows = account.rows(case.table, id=identity)
    assert [is_retired(row, case) for row in rows] == [True] * bool(case.retired)
    assert holdings(account, case) == before


@pytest.mark.parametrize(
    ("account", "case"), everywhere((case,) for case in CASES if not case.retired), indirect=["account"]
)
def test_gone_from_the_account(account: World, case: Case) -> None:
    """What somebody deleted in the account is created again."""
    begin(account, case, case.full())
    path = case.table if case.table != "schemas" else "customObjects/schemas"
    account.call("DELETE", f"/{path}/{case.row(account)['id']}")
    assert account.plan().lines == [f"create {case.address}"]
    settled(account, case.full())
    case.check(account)


@EACH_CASE
def test_export_is_complete(account: World, case: Case, tmp_path: Path) -> None:
    """A plan of an export is empty, a second export is the same byte for byte, and an empty account takes it."""
    begin(account, case, case.full())
    first, second = (tmp_path / name / "project" for name in ("first", "second"))
    for folder in (first, second):
        account.export(folder)
        after = account.plan(folder)
        assert after.empty, (after.lines, after.document.warnings, after.document.skipped)
    names = sorted(path.relative_to(first).as_posix() for path in first.glob("config/*"))
    assert filecmp.cmpfiles(first, second, names, shallow=False) == (names, [], [])
    with new_world(tmp_path / "third", account.account.settings) as third:
        third.account.seed(case.seed)
        for name in names:
            third.write((first / name).read_text("utf-8"), name)
            third.set_secrets(name)
        third.apply()
        assert third.plan().empty, third.plan().lines
        assert third.hidden() == {}


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.prove)])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_killed_in_between(world: World, case: Case, after: bool, every: int) -> None:
    """Killed at any request of its creation and run again, the object is there once, whole and visible."""
    world.account.seed(case.seed)
    settled(world, case.without())
    world.write(case.full())
    reads = world.plan().document.forecast.plan_requests
    before = holdings(world, case)
    for nth in range(2 - after, 40, every):
        world.kill(reads + nth, after=after)
        try:
            world.apply()
        except Killed:
            world.revive()
        else:
            break
        world.apply()
        assert world.plan().empty, (nth, world.plan().lines)
        case.check(world)
        assert world.hidden() == {}
        settled(world, case.without())
        assert holdings(world, case) == before, nth
        world.write(case.full())
    else:
        pytest.fail("the apply never came to its end")
