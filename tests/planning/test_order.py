"""The order of stages and steps."""

from __future__ import annotations

import itertools
import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.live import Live
from reconciler.model.plan import Plan
from reconciler.model.values import Ref
from reconciler.resources import load_kinds
from tests.loosely import loosely
from tests.planning.world import account, bound, desired, planned, resource, state, summary


def arranged(orders: list[int | None]) -> list[int]:
    """Arrange stages that are declared in this order and live with these `order`s (None: new)."""
    siblings: list[tuple[str, dict[str, Any], Live | None]] = [
        (f"s{index}", {}, None if order is None else Live("stage", str(index), {"order": order}))
        for index, order in enumerate(orders)
    ]
    found = load_kinds()["stage"].arrange(siblings)
    return [loosely(found[f"s{index}"]["order"]) for index in range(len(orders))]


def fewest_writes(orders: list[int | None]) -> int:
    """The least number of existing stages that must change, by trying every set of stages to keep."""
    live = [index for index, order in enumerate(orders) if order is not None]
    for size in range(len(live), -1, -1):
        for kept in itertools.combinations(live, size):
            values = [(index, orders[index] or 0) for index in kept]  # equal neighbours stand by their ids
            room = all(b - a >= (j - i if j - i > 1 else 0) for (i, a), (j, b) in itertools.pairwise(values))
            if room and (not values or values[0][1] - values[0][0] >= 1):
                return len(live) - size
    return len(live)


@given(st.lists(st.one_of(st.none(), st.integers(1, 9)), max_size=7))
def test_stages_follow_the_file_with_the_fewest_writes(orders: list[int | None]) -> None:
    """The result rises from 1 or more, ties only among neighbours that had one, and no smaller set of existing stages
    could change.
    """
    found = arranged(orders)
    both = itertools.pairwise(zip(orders, found, strict=True))
    assert all(a < b or (a == b == was == other) for (was, a), (other, b) in both)
    assert all(order >= 1 for order in found)
    changed = sum(order is not None and order != new for order, new in zip(orders, found, strict=True))
    assert changed == fewest_writes(orders)


def test_gaps_are_legal_and_cost_nothing() -> None:
    """Recorded stages stand at 2, 4, 6 (section 2.8): that order is as good as 1, 2, 3."""
    assert arranged([2, 4, 6]) == [2, 4, 6]
    assert arranged([2, None, 4]) == [2, 3, 4]
    assert arranged([4, 2, 6]) == [1, 2, 6]


SENDER: dict[str, Any] = {"sender_url": "https://x", "sender_reminder": "r"}


def steps(made: Plan) -> list[str]:
    """One line for each step."""
    return [f"{step.op} {step.address}" for step in made.steps]


def sample() -> list[Any]:
    """A configuration with references between kinds."""
    hook = resource("webhook.h", name="h", url="https://x", events=["sent"], sources=["api"], list=Ref("list", "news"))
    return [
        hook,
        resource("stage.p.b", title="B", pipeline=Ref("pipeline", "p"), parent="pipeline.p", rank=1),
        resource("stage.p.a", title="A", pipeline=Ref("pipeline", "p"), parent="pipeline.p", rank=0),
        resource("pipeline.p", title="P", currency="usd", nested=("stages",)),
        resource("field.f", title="F", type="text", lists=[Ref("list", "news")], group=Ref("field_group", "g")),
        resource("field_group.g", label="G", object="contact"),
        resource("list.news", name="News", sender_url="https://x", sender_reminder="r"),
    ]


def test_creates_follow_references_and_stages_the_board() -> None:
    """What is referred to comes first; siblings keep the order of the file."""
    assert steps(planned(desired(*sample()), account())) == [
        "create field_group.g",
        "create list.news",
        "create pipeline.p",
        "create field.f",
        "create stage.p.a",
        "create stage.p.b",
        "create webhook.h",
        "finish pipeline.p",
    ]


def test_the_plan_does_not_depend_on_the_order_of_the_files() -> None:
    """Shuffled declarations make the same plan, to the step."""
    expected = planned(desired(*sample()), account())
    for seed in range(5):
        shuffled = sample()
        random.Random(seed).shuffle(shuffled)
        made = planned(desired(*shuffled), account())
        assert (summary(made), made.steps) == (summary(expected), expected.steps)


def test_deletes_run_the_other_way_and_after_what_let_go() -> None:
    """A list goes after the webhook that used it was pointed elsewhere; a pipeline after its stages."""
    seen = account(
        lists=[{"id": "1", "name": "Old", "stringid": "old"}, {"id": "2", "name": "New", "stringid": "new"}],
        listGroups=[{"id": "5", "list": "2", "group": "3"}, {"id": "6", "list": "1", "group": "3"}],
        webhooks=[{"id": "9", "name": "h", "url": "https://x", "events": ["sent"], "sources": ["api"], "listid": "1"}],
        dealGroups=[{"id": "4", "title": "P", "stages": ["41"]}],
        dealStages=[{"id": "41", "title": "A", "group": "4", "order": "1"}],
    )
    known = state(
        list__old=bound("list", "1"),
        list__new=bound("list", "2"),
        webhook__h=bound("webhook", "9", depends_on=["list.old"]),
        pipeline__p=bound("pipeline", "4"),
        stage__p=bound("stage", "41", depends_on=["pipeline.p"]),
    )
    hook = resource("webhook.h", name="h", url="https://x", events=["sent"], sources=["api"], list=Ref("list", "new"))
    made = planned(desired(hook, resource("list.new", name="New")), seen, known)
    assert steps(made) == ["update webhook.h", "delete stage.p", "delete pipeline.p", "delete list.old"]


def test_a_name_is_taken_only_after_it_was_let_go() -> None:
    """A rename onto a name that another object gives up waits for it."""
    seen = account(tags=[{"id": "1", "tag": "A", "tagType": "contact"}, {"id": "2", "tag": "B", "tagType": "contact"}])
    known = state(tag__one=bound("tag", "1"), tag__two=bound("tag", "2"))
    made = planned(desired(resource("tag.one", name="B", type="contact")), seen, known)
    assert steps(made) == ["delete tag.two", "update tag.one"]


def test_what_cannot_change_is_replaced_and_its_users_follow() -> None:
    """A list whose channel changes is destroyed and created; the field on it is related anew."""
    seen = account(
        lists=[{"id": "1", "name": "News", "stringid": "news", "channel": "email", **SENDER}],
        listGroups=[{"id": "5", "list": "1", "group": "3"}],
        fields=[{"id": "3", "title": "F", "type": "text", "perstag": "F"}],
        fieldRels=[{"id": "8", "field": "3", "relid": "1"}],
    )
    known = state(list__news=bound("list", "1"), field__f=bound("field", "3"))
    wanted = desired(
        resource("list.news", name="News", channel="sms", **SENDER),
        resource("field.f", title="F", type="text", lists=[Ref("list", "news")]),
    )
    made = planned(wanted, seen, known)
    assert summary(made) == ["replace list.news (channel)", "update field.f (lists)"]
    assert steps(made) == ["delete list.news", "create list.news", "update field.f"]


def test_leftover_stages_of_a_half_made_pipeline_are_claimed_and_removed() -> None:
    """After a crash the stages that the server made are taken over in order, and the rest goes."""
    seen = account(
        dealGroups=[{"id": "4", "title": "P", "currency": "usd", "stages": ["41", "42", "43"]}],
        dealStages=[
            {"id": str(41 + n), "title": title, "group": "4", "order": str(n + 1)}
            for n, title in enumerate(("To Contact", "In Contact", "Follow Up"))
        ],
    )
    known = state(pipeline__p=bound("pipeline", "4", spares=["41", "42", "43"], incomplete=True))
    wanted = desired(
        resource("pipeline.p", title="P", currency="usd", nested=("stages",)),
        resource("stage.p.a", title="A", pipeline=Ref("pipeline", "p"), parent="pipeline.p", rank=0),
    )
    made = planned(wanted, seen, known)
    assert summary(made) == ["refresh pipeline.p", "create stage.p.a"]
    assert steps(made) == ["bind pipeline.p", "create stage.p.a", "finish pipeline.p"]
