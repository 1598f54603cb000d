"""Task types: kinds of tasks on deals and contacts. API: /dealTasktypes (section 2.10)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.address import kind_of
from reconciler.model.http import Flow, at, put
from reconciler.model.kind import Kind
from reconciler.model.live import Collection, Live
from reconciler.model.spec import KEY, Api, Default, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.write import Write


class TaskType(Spec):
    """A type of task."""

    title: Annotated[str, Default(KEY)] = Field("", description="Title of the type; should be unique.")
    disabled: Annotated[bool, Api("status"), Default(False)] = Field(
        False, description="Not offered for new tasks. A type that is declared is enabled unless this says otherwise."
    )


class TaskTypeKind(Kind):
    """Deletes "will always return 403" (row 6 of section 7): a removed type is disabled, a declared one
    enabled again.
    """

    name = "task_type"
    section = "task_types"
    spec = TaskType
    title = "Task type"
    path = "/dealTasktypes"
    wrapper = "dealTasktype"
    reading = Reading((Collection("/dealTasktypes", "dealTasktypes"),))
    identity = Identity(name_attribute="title")
    abilities = Abilities(deletable=False, writes=("/dealTasktypes/ID/dealTasks",))
    texts = Texts(
        delete_warning="It is not offered for new tasks any more; tasks of the type keep it.",
        removal_effect="it is switched off",
        gone="It cannot be chosen for new tasks any more; old tasks keep it.",
        place=140,
    )

    def retired(self, live: Live) -> bool:
        """Disabled ones still exist and can be enabled again."""
        return live.attrs.get("disabled") is True

    def unmovable(self, what: str, address: str, target: str) -> str:
        """Tasks can be moved to any other type (section 2.10)."""
        if what != "move_tasks_to":
            return super().unmovable(what, address, target)
        return "" if kind_of(target) == self.name else f"{target} is not a task type"

    def delete(self, write: Write) -> Flow[None]:
        """Move the type's tasks where asked to (recorded), then disable it."""
        target = write.on_destroy.get("move_tasks_to")
        if target is not None:
            yield put(at(self.path, write.id, "dealTasks"), {"dealTask": {"dealTasktype": target}})
        yield put(at(self.path, write.id), {self.wrapper: {"status": 1}})


KIND = TaskTypeKind()
