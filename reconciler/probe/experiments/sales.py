"""Deal roles, task types and task outcomes (sections 2.9 to 2.11)."""

from __future__ import annotations

from reconciler.model.http import at
from reconciler.probe import asking
from reconciler.probe.answers import lacks, refuses
from reconciler.probe.fact import Experiment, Fact, Findings
from reconciler.probe.lab import Lab
from reconciler.probe.unsettled import Unsettled

DELETED = Fact("tasktype_delete", 6, "a task type cannot be deleted", "refused", ("task_type",), "vendor",
               "it is disabled; where it can be deleted, it is disabled anyway")  # fmt: skip
PATH = Fact("outcome_path", 13, "a task outcome is changed and deleted at both spellings of its path", "both",
            ("task_outcome",), "vendor", "the one that works is used at once")  # fmt: skip
SPELLED = Fact("outcome_sentiment", 0, "sentiments are written `Positive` and read `POSITIVE`", "upper",
               ("task_outcome",), "vendor", "they are compared without regard to case")  # fmt: skip
UNIQUE = Fact("unique.taskOutcomes", 20, "titles of task outcomes are unique", "yes", ("task_outcome",), "vendor")


async def _roles(lab: Lab) -> Findings:
    await lab.make("deal_role", {"title": lab.name("role")})
    yield "unique.dealRoles", await asking.repeats(lab, "deal_role", {"title": lab.name("role")})


async def _types(lab: Lab) -> Findings:
    created = await lab.make("task_type", {"title": lab.name("task type")})
    yield "put.task_type", await asking.merges(lab, created, {"title": lab.name("task type 2")}, "status")
    yield "unique.dealTasktypes", await asking.repeats(lab, "task_type", {"title": lab.name("task type 2")})
    first = await lab.remove(created)  # this refusal is a 403 (section 2.9)
    if first.status == 403 or refuses(first):
        yield "tasktype_delete", "refused"
    else:
        yield "tasktype_delete", "deleted"


async def _outcomes(lab: Lab) -> Findings:
    attrs = {"title": lab.name("outcome"), "sentiment": "Positive"}
    created = await lab.make("task_outcome", attrs)
    row = await lab.read(created)
    yield "outcome_sentiment", "upper" if row.get("sentiment") == "POSITIVE" else "other"
    yield "unique.taskOutcomes", await asking.repeats(lab, "task_outcome", attrs)
    works = []
    for number, base in enumerate(("/taskOutcomes", "/taskOutccomes")):
        sent = {"taskOutcome": {**attrs, "title": lab.name(f"outcome {number}")}}
        works += [] if lacks(await lab.change(created, sent, path=at(base, created.id))) else [base]
    if not works:
        raise Unsettled("a task outcome can be changed at neither path")
    yield "outcome_path", "both" if len(works) > 1 else works[0].lstrip("/")


EXPERIMENTS = (
    Experiment("deal roles", (asking.repeating("dealRoles", "title", "deal_role"),), _roles, 5),
    Experiment("task types",
               (asking.merging("task_type", "task_type"), asking.repeating("dealTasktypes", "title", "task_type"),
                DELETED),
               _types, 14, held=18, leaves="up to 2 task types, disabled, where the account does not delete them"),
    Experiment("task outcomes", (SPELLED, UNIQUE, PATH), _outcomes, 10),
)  # fmt: skip
