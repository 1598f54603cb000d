"""Task outcomes: how a task ended, and for which types of tasks it is offered. API: /taskOutcomes, /tasktypeOutcomeRels
(section 2.11).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from reconciler.model.coerce import ident
from reconciler.model.http import Bound, Flow, Request, at, delete, post, put
from reconciler.model.kind import Kind
from reconciler.model.live import Collection, Row, Tables
from reconciler.model.spec import KEY, Api, Default, Folded, Link, RefTo, Spec
from reconciler.model.traits import Abilities, Identity, Parts, Reading, Texts
from reconciler.model.values import RemoteId, Value, links_of
from reconciler.model.write import Impact, Write
from reconciler.resources.counts import counted
from reconciler.resources.joined import pairs
from reconciler.resources.spellings import either, gone

RELATIONS = Collection(
    "/tasktypeOutcomeRels",
    "tasktypeOutcomeRels",
    feeds=("task_types",),
    tells=(("outcome_id", "outcome"), ("tasktype_id", "tasktype")),
)


def spelled(value: Value) -> Value:
    """Return a sentiment as it is written to the API; it is read in upper case (section 2.11)."""
    return value.capitalize() if isinstance(value, str) else value


class TaskOutcome(Spec):
    """A result that a task can have."""

    title: Annotated[str, Default(KEY)] = Field("", description="Title of the outcome; unique in the account.")
    sentiment: Annotated[Literal["Positive", "Neutral", "Negative"], BeforeValidator(spelled), Folded()] = Field(
        description="Whether it is good news."
    )
    disabled: bool | None = Field(None, description="Not offered any more.")
    task_types: Annotated[list[Link] | None, Api(None), RefTo("task_type")] = Field(
        None, description="Types of tasks that it is offered for."
    )


class TaskOutcomeKind(Kind):
    """Update and delete are documented under a misspelt path (row 13 of section 7)."""

    name = "task_outcome"
    section = "task_outcomes"
    spec = TaskOutcome
    title = "Task outcome"
    path = "/taskOutcomes"
    wrapper = "taskOutcome"
    reading = Reading((Collection("/taskOutcomes", "taskOutcomes"),), created="created_utc_timestamp")
    identity = Identity(name_attribute="title", unique=(("title",),))
    abilities = Abilities(
        observed=("update", "delete"),
        writes=("/taskOutccomes", "/taskOutccomes/ID", "/tasktypeOutcomeRels", "/tasktypeOutcomeRels/ID"),
        parts={"task_types": Parts("relations to task types")},
    )
    texts = Texts(
        delete_warning="Tasks lose the outcome that was noted on them; there is no undo.",
        gone="Tasks lose the outcome that was noted on them.",
        place=150,
    )

    def needs(self, declared: frozenset[str]) -> tuple[Collection, ...]:
        """Relations are read only when they are declared."""
        return (*self.reading.collections, RELATIONS) if "task_types" in declared else self.reading.collections

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Join (relation id, task type id) pairs to each outcome, under `_types`; absent where they were not read."""
        if RELATIONS.name not in tables.rows:
            return tables.get("taskOutcomes")
        types: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in tables.get(RELATIONS.name):
            outcome, kind = row.get("outcome_id", row.get("outcome")), row.get("tasktype_id", row.get("tasktype"))
            types[ident(outcome)].append((ident(row["id"]), ident(kind)))
        return [{**row, "_types": sorted(types[ident(row["id"])])} for row in tables.get("taskOutcomes")]

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Sentiments as they are written, and the task types where they were read."""
        attrs = super().decode(row, tables)
        attrs["sentiment"] = spelled(attrs.get("sentiment"))
        if "_types" in row:
            attrs["task_types"] = [
                RemoteId("task_type", task_type)
                for task_type in dict.fromkeys(kind for _, kind in pairs(row["_types"]))
            ]
        return attrs

    def create(self, write: Write) -> Flow[None]:
        """POST the outcome, then one relation for each task type."""
        answer = yield post(self.path, {self.wrapper: self.body(write, write.desired)})
        created = answer.created(self.wrapper, self.reading.collections[0].key)
        yield Bound(created)
        for kind in links_of(write.desired.get("task_types")):
            yield _offer(created, write.ids(kind))

    def update(self, write: Write) -> Flow[None]:
        """PUT the properties under whichever spelling works; relations are added before others go."""
        body = self.body(write, sorted(write.changed))
        if body:
            first, second = (put(path, {self.wrapper: body}) for path in self._paths(write.id))
            yield from either(first, second, "row 13 of section 7")
        if "task_types" not in write.changed:
            return
        wanted = {write.ids(kind) for kind in links_of(write.desired.get("task_types"))}
        rows = pairs(write.live.row.get("_types", ())) if write.live else ()
        for kind in sorted(wanted - {kind for _, kind in rows}):
            yield _offer(write.id, kind)
        for relation, kind in rows:
            if kind not in wanted:
                yield delete(at(RELATIONS.path, relation))

    def delete(self, write: Write) -> Flow[None]:
        """Delete under whichever spelling works."""
        yield from gone(*(delete(path) for path in self._paths(write.id)))

    def _paths(self, identity: str) -> tuple[str, str]:
        """Row 13 of section 7: the reference says `/taskOutccomes/{id}` for PUT and DELETE, a typo presumably."""
        right, misspelt = at("/taskOutcomes", identity), at("/taskOutccomes", identity)
        return (misspelt, right) if self.facts.says("outcome_path", "taskOutccomes") else (right, misspelt)

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Tasks that ended with the outcome (documented filter)."""
        if not write.destroying:
            return []
        return (yield from counted("/dealTasks", "tasks have the outcome", {"filters[outcome_id]": write.id}))


def _offer(outcome: str, kind: str) -> Request:
    """Relate an outcome to a task type. The write form is unknown, the pages are marked "WIP" (section 2.11): both
    pairs of names that reads show are sent, for unknown ones are ignored (section 1.3), and the result is read back.
    """
    relation: Mapping[str, str] = {"tasktype": kind, "outcome": outcome, "tasktype_id": kind, "outcome_id": outcome}
    return post(RELATIONS.path, {"tasktypeOutcomeRel": dict(relation)})


KIND = TaskOutcomeKind()
