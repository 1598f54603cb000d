"""Which live object is which declared one."""

from __future__ import annotations

import pytest

from reconciler.model.desired import Import
from reconciler.model.errors import PlanError
from reconciler.model.plan import Action
from reconciler.model.values import Ref
from tests.planning.world import account, bound, desired, planned, resource, state, summary

VIP = {"id": "7", "tag": "VIP", "tagType": "contact", "description": "", "cdate": "2021-03-23T06:08:39-05:00"}
TAG = resource("tag.vip", name="VIP", type="contact")


def test_an_unknown_object_of_the_same_name_is_adopted() -> None:
    """An object that exists and is not managed is taken over, as an action of its own."""
    made = planned(desired(TAG), account(tags=[VIP]))
    assert summary(made) == ["adopt tag.vip"]
    assert made.changes[0].adopts
    assert [step.op for step in made.steps] == ["bind"]


def test_a_name_in_another_case_is_adopted_and_renamed() -> None:
    """Tags match without regard to case, exact case first (section 2.12 of the API page)."""
    made = planned(desired(TAG), account(tags=[{**VIP, "tag": "vip"}]))
    assert summary(made) == ["update tag.vip (name)"]
    exact = planned(desired(TAG), account(tags=[{**VIP, "id": "8", "tag": "vip"}, VIP]))
    assert exact.changes[0].live is not None
    assert exact.changes[0].live.id == "7"


def test_twins_are_an_error_that_names_both_ids_and_the_way_out() -> None:
    """Two live objects of one name are never guessed between; an imports block pins one."""
    twins = account(
        dealGroups=[{"id": "16", "title": "Sales", "stages": []}, {"id": "25", "title": "Sales", "stages": []}]
    )
    wanted = desired(resource("pipeline.sales", title="Sales"))
    with pytest.raises(PlanError) as error:
        planned(wanted, twins)
    assert "ids 16 and 25" in error.value.message
    assert "`reconciler import pipeline.sales 16` or `reconciler import pipeline.sales 25`" in error.value.message
    assert 'imports: [{to: pipeline.sales, id: "16"}]' in error.value.message
    pinned = planned(type(wanted)(wanted.resources, imports=(Import("pipeline.sales", "25"),)), twins)
    assert pinned.changes[0].live is not None
    assert pinned.changes[0].live.id == "25"


def test_a_rename_by_hand_is_drift_and_not_a_new_object() -> None:
    """The bound id wins over the name where the creation stamp is the same."""
    known = state(
        tag__vip=bound(
            "tag", "7", natural_key=["name", "VIP", "contact"], created=VIP["cdate"], applied={"name": "VIP"}
        )
    )
    made = planned(desired(TAG), account(tags=[{**VIP, "tag": "Gold"}]), known)
    assert summary(made) == ["update tag.vip (name)"]
    assert made.changes[0].attributes[0].origin == "drift"


def test_a_reused_id_is_not_ours() -> None:
    """Ids can come back after deletes (section 1.10): another name and another birth mean another object."""
    known = state(
        pipeline__sales=bound("pipeline", "16", natural_key=["title", "Sales"], created="2020-05-24T10:15:36-05:00")
    )
    other = {"id": "16", "title": "Support", "cdate": "2020-06-01T09:00:00-05:00", "stages": []}
    made = planned(
        desired(resource("pipeline.sales", title="Sales", currency="usd")), account(dealGroups=[other]), known
    )
    assert summary(made) == ["create pipeline.sales"]


def test_without_a_stamp_the_object_that_carries_the_name_is_ours() -> None:
    """Where the API has no creation stamp, an id whose name went to another object is not trusted."""
    known = state(field_group__g=bound("field_group", "4", natural_key=["object+label", "contact", "Profile"]))
    groups = [{"id": 4, "type_id": 1, "label": "Other"}, {"id": 9, "type_id": 1, "label": "Profile"}]
    made = planned(
        desired(resource("field_group.g", label="Profile", object="contact")), account(groupDefinitions=groups), known
    )
    assert [(change.action, change.live.id if change.live else None) for change in made.changes] == [
        (Action.ADOPT, "9")
    ]


def test_a_deleted_object_is_created_again_with_the_reason() -> None:
    """What is managed, declared and gone is planned as a create."""
    made = planned(desired(TAG), account(), state(tag__vip=bound("tag", "7")))
    assert summary(made) == ["create tag.vip"]
    assert made.changes[0].reason == "no longer in the account"


def test_what_is_managed_and_no_longer_declared_is_deleted_and_strangers_are_left_alone() -> None:
    """Only what the state manages is ever deleted."""
    known = state(tag__vip=bound("tag", "7", natural_key=["name", "VIP", "contact"]))
    made = planned(desired(), account(tags=[VIP, {**VIP, "id": "8", "tag": "Stranger"}]), known)
    assert summary(made) == ["delete tag.vip"]


def test_what_is_managed_undeclared_and_gone_is_forgotten() -> None:
    """A delete by hand leaves only the state to clean."""
    made = planned(desired(), account(), state(tag__vip=bound("tag", "7")))
    assert summary(made) == ["forget tag.vip"]


def test_adopt_never_refuses_to_take_over() -> None:
    """`lifecycle: {adopt: never}` is an error where an object of that name exists."""
    from reconciler.model.spec import Lifecycle

    shy = TAG._replace(lifecycle=Lifecycle(adopt="never"))
    with pytest.raises(PlanError, match="adopt: never"):
        planned(desired(shy), account(tags=[VIP]))


def test_built_in_objects_are_never_claimed() -> None:
    """The built-in deal field carries a knownFieldId (section 2.5)."""
    builtin = {"id": "1", "fieldLabel": "Forecasted Close Date", "fieldType": "date", "knownFieldId": 13}
    wanted = desired(resource("deal_field.close", label="Forecasted Close Date", type="date"))
    made = planned(wanted, account(dealCustomFieldMeta=[builtin]))
    assert summary(made) == ["create deal_field.close"]


def test_an_unreadable_kind_is_skipped_with_what_needs_it() -> None:
    """A forbidden listing is unknown, never empty: nothing is created or deleted on such evidence."""
    from reconciler.model.live import Tables, Unknown
    from reconciler.model.snapshot import snapshot
    from reconciler.model.values import Ref
    from reconciler.resources import load_kinds

    kinds = load_kinds()
    seen = snapshot(
        kinds, dict.fromkeys(("list", "webhook"), frozenset[str]()), Tables({"webhooks": ()}, {"lists": Unknown("403")})
    )
    hook = resource("webhook.h", name="h", url="https://x", events=["sent"], sources=["api"], list=Ref("list", "news"))
    made = planned(desired(resource("list.news", name="News"), hook), seen, state(list__old=bound("list", "1")))
    assert made.changes == ()
    assert {one.address: one.forbidden for one in made.skipped} == {
        "list.news": True,
        "list.old": True,
        "webhook.h": True,
    }


def test_of_two_bindings_to_one_id_that_of_the_name_has_the_object() -> None:
    """An account that was wiped gives out an id again; the state still binds what was not made again to it."""
    stage = {"id": "1", "title": "A", "group": "9", "order": "1"}
    seen = account(dealGroups=[{"id": "9", "title": "New", "currency": "usd", "stages": ["1"]}], dealStages=[stage])
    old, new = (
        [
            resource(f"pipeline.{key}", title=key.title(), currency="usd", nested=["stages"]),
            resource(f"stage.{key}.a", parent=f"pipeline.{key}", title="A", pipeline=Ref("pipeline", key)),
        ]
        for key in ("old", "new")
    )
    known = state(
        stage__old__a=bound("stage", "1", natural_key=["pipeline+title", {"$id": "3", "kind": "pipeline"}, "A"]),
        pipeline__new=bound("pipeline", "9", natural_key=["title", "New"]),
        stage__new__a=bound("stage", "1", natural_key=["pipeline+title", {"$id": "9", "kind": "pipeline"}, "A"]),
    )
    made = planned(desired(*old, *new), seen, known)
    assert summary(made) == ["create pipeline.old", "create stage.old.a"]


def test_what_an_import_names_is_taken_before_what_a_name_fits() -> None:
    """In whatever order they are declared: the other one is made."""
    tags = [resource(f"tag.{key}", name=name, type="contact") for key, name in (("a", "VIP"), ("b", "Other"))]
    wanted = desired(*tags)
    made = planned(type(wanted)(wanted.resources, imports=(Import("tag.b", "7"),)), account(tags=[VIP]))
    assert {change.address: change.action for change in made.changes} == {
        "tag.a": Action.CREATE,
        "tag.b": Action.UPDATE,
    }
