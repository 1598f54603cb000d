"""What is different in the odd accounts of thousands is said, however much is the same."""

from __future__ import annotations

import pytest

from reconciler.fleet.differences import compared
from reconciler.model.document import AttributeView, ChangeView, ImpactView, PlanDocument
from reconciler.model.fleet import FleetReport, Group
from reconciler.render.fleet import VIEWS
from tests.fleet.conftest import CONFIG, Fleet, file_of

MANY = [f"create tag.t{at}" for at in range(40)]


def group(name: str, count: int, *changes: str) -> Group:
    """Return accounts with these changes."""
    return Group(digest=name, accounts=[f"{name}{at}" for at in range(count)], changes=list(changes))


def plan(*changes: ChangeView) -> PlanDocument:
    """Return a plan."""
    return PlanDocument(changes=list(changes))


def change(action: str, address: str, *impacts: ImpactView, **after: object) -> ChangeView:
    """Return a change with these values."""
    attributes = [AttributeView(name=name, after=value) for name, value in after.items()]
    return ChangeView.model_validate(
        {"address": address, "kind": "tag", "action": action, "attributes": attributes, "impacts": impacts}
    )


LOSES = ImpactView(count=4, noun="contacts carry the tag")
PLANS = {
    "values": (
        plan(change("create", "tag.vip", name="VIP", description="a"), change("create", "tag.gold", name="Gold")),
        plan(change("create", "tag.vip", name="VIP", description="b"), change("create", "tag.gold", name="Gold")),
        ["otherwise create tag.vip (description)"],
    ),
    "records": (
        plan(change("delete", "tag.vip", LOSES)),
        plan(change("delete", "tag.vip", LOSES.model_copy(update={"count": 1200, "at_most": True}))),
        ["otherwise delete tag.vip (up to 1,200 contacts carry the tag)"],
    ),
    "unknown": (
        plan(change("delete", "tag.vip", LOSES)),
        plan(change("delete", "tag.vip", LOSES.model_copy(update={"count": None}))),
        ["otherwise delete tag.vip (an unknown number of contacts carry the tag)"],
    ),
    "none": (
        plan(change("delete", "tag.vip", LOSES)),
        plan(change("delete", "tag.vip")),
        ["otherwise delete tag.vip (no contacts carry the tag)"],
    ),
    "nothing that is told": (plan(change("create", "tag.vip")), plan(change("create", "tag.vip")), []),
}


class TestDifferences:
    """Groups, compared with larger ones."""

    @pytest.mark.parametrize("case", PLANS)
    def test_values_and_records_of_the_same_changes_are_compared(self, case: str) -> None:
        """As the plans of one account of each have them."""
        larger, own, differs = PLANS[case]
        groups = [group("a", 5, "create tag.vip"), group("b", 1, "create tag.vip")]
        found = compared(groups, lambda name: larger if name == "a0" else own)
        assert [(one.like, one.differs) for one in found] == [("", []), ("a" if differs else "", differs)]

    def test_the_one_that_is_different_among_many_is_named(self) -> None:
        """Only the first lines of a group are shown."""
        groups = [group("a", 400, *MANY), group("b", 7, *MANY[:-1], "delete tag.old")]
        found = compared(groups, lambda name: None)
        assert found[1].differs == ["also delete tag.old", f"not {MANY[-1]}"]
        text = VIEWS["text"](FleetReport(name="r", mode="plan", groups=found))
        assert "7 accounts with the changes of a0 and 399 more, but for some: b0, b1" in text
        assert "  also delete tag.old\n" in text
        assert text.count("create tag.t0\n") == 1, "what is the same is told once"

    def test_a_group_is_compared_with_the_one_that_it_is_like(self) -> None:
        """Clients with another baseline have nothing in common: their changes are told as they are."""
        other = [f"create list.l{at}" for at in range(5)]
        groups = [group("a", 9, *MANY[:5]), group("b", 3, *other), group("c", 1, *other[:4]), group("d", 1, *MANY[2:9])]
        found = compared(groups, lambda name: None)
        assert [one.like for one in found] == ["", "", "b", ""]
        assert VIEWS["text"](FleetReport(name="r", mode="plan", groups=found)).count("with these changes") == 1


def test_the_odd_ones_of_a_rollout_are_shown(fleet: Fleet) -> None:
    """In each form; on the page as people call it."""
    greeting = "variables: {greeting: other}"
    fleet.write(file_of({"a": "", "b": "", "c": greeting}), CONFIG)
    ran = fleet.run("plan", "-q")
    assert (
        "1 account with the changes of a and 1 more, but for some: c\n  otherwise create tag.vip (description)"
        in ran.out
    )
    page = fleet.run("report", "--format", "html").out
    assert "Otherwise than there: The tag Vip is new. (description)" in page
    assert "otherwise create tag.vip" in fleet.run("report", "--format", "markdown").out
