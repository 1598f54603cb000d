"""Task types cannot be deleted: a removed one is disabled, a declared one enabled again."""

from __future__ import annotations

from tests.world import World


def _status(world: World, title: str) -> list[str]:
    return [str(row["status"]) for row in world.rows("dealTasktypes", title=title)]


def test_removal_disables_and_declaring_again_enables(world: World) -> None:
    """No DELETE is sent, no second type is made, and each plan says what happens."""
    world.write("task_types: {demo: {title: Demo}, other: {}}")
    world.apply()
    world.write("task_types: {other: {}}")
    planned = world.plan()
    assert planned.lines == ["delete task_type.demo"]
    assert (
        planned.change("task_type.demo").reason == "the API cannot delete a task type: it is switched off, not deleted"
    )
    world.forget()
    world.apply()
    assert [line.split(" ")[0] for line in world.writes()] == ["PUT"]
    assert _status(world, "Demo") == ["1"]
    assert world.plan().empty
    world.write("task_types: {demo_again: {title: Demo}, other: {}}")
    assert world.plan().lines == ["update task_type.demo_again (disabled)"]
    world.apply()
    assert _status(world, "Demo") == ["0"]
    assert world.plan().empty


def test_a_type_that_is_disabled_already_is_only_forgotten(world: World) -> None:
    """Nothing is left to do in the account."""
    world.write("task_types: {demo: {title: Demo, disabled: true}, other: {}}")
    world.apply()
    world.write("task_types: {other: {}}")
    assert world.plan().lines == ["forget task_type.demo"]
    world.forget()
    world.apply()
    assert world.writes() == []


def test_an_export_leaves_disabled_types_out(world: World) -> None:
    """They are as good as deleted; one that the state knows stays."""
    world.write("task_types: {demo: {title: Demo}, off: {title: Switched off, disabled: true}}")
    world.apply()
    world.write("task_types: {off: {title: Switched off, disabled: true}}")
    world.apply()
    world.export(world.folder / "copy")
    text = (world.folder / "copy/config/task_types.yaml").read_text("utf-8")
    assert "Demo" not in text
    assert world.plan(world.folder / "copy").empty


def test_tasks_are_moved_before_their_type_is_disabled(world: World) -> None:
    """`on_destroy: {move_tasks_to: ...}` sends the documented call first (section 2.10)."""
    world.write(
        """
        task_types:
          demo: {title: Demo, lifecycle: {on_destroy: {move_tasks_to: call}}}
          call: {title: Call back}
        """
    )
    world.apply()
    target = world.state().resources["task_type.call"].id
    identity = world.state().resources["task_type.demo"].id
    world.write("task_types: {call: {title: Call back}}")
    world.forget()
    world.apply()
    assert world.writes() == [f"PUT /dealTasktypes/{identity}/dealTasks", f"PUT /dealTasktypes/{identity}"]
    assert [one["body"] for one in world.account.log if one["path"].endswith("/dealTasks")] == [
        {"dealTask": {"dealTasktype": target}}
    ]
