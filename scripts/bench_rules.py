"""Measure 20 rules, ten of them expressions, over 10,000 objects: `python -m scripts.bench_rules [OBJECTS]`.

CPU is that of this process and of the one in which the expressions run, start-up of that one included; the best of some
runs, for other work on the machine makes all of them slower. The goal is a second.
"""

from __future__ import annotations

import datetime
import os
import sys

from reconciler.judging.objects import declared_objects
from reconciler.judging.rules import breaches
from reconciler.model.desired import Desired, Resource
from reconciler.model.project import Rule
from reconciler.model.ruling import Rules
from reconciler.resources import load_kinds
from reconciler.workflow.rules.evaluating import evaluate, evaluating

RUNS = 5
DENIES = (
    *({"kind": "tag", "attribute": "name", "unless_matches": f"^Team [0-9]+: .*{letter}?"} for letter in "abcdef"),
    {"kind": "tag", "attribute": "description", "empty": True},
    {"kind": "tag", "attribute": "name", "above": 80},
    {"kind": "*", "attribute": "description", "unless_matches": "owner: *[^ ]"},
    {"kind": "tag", "address": "tag.zz*"},
)
WHENS = (
    '!object.attributes.description.contains("owner:")',
    "object.attributes.name.size() > 60",
    'object.attributes.name.matches("^x")',
    'object.key.startsWith("Z")',
    'object.attributes.type != "contact"',
    "object.attributes.name == object.attributes.description",
    'object.attributes.description.endsWith("!")',
    "has(object.attributes.nothing)",
    'object.kind == "list"',
    'object.attributes.name.contains("VIP") && object.attributes.description == ""',
)


def main(arguments: list[str]) -> int:
    """Print the seconds of computing."""
    size = int(arguments[0]) if arguments else 10_000
    rules = [{"deny": clause} for clause in DENIES] + [{"when": clause} for clause in WHENS]
    held = Rules(tuple(Rule.model_validate({"id": f"r{n}", "message": "No", **rule}) for n, rule in enumerate(rules)))
    tags = (
        Resource(
            f"tag.t{number}",
            "tag",
            f"t{number}",
            {
                "name": f"Team {number}: label {number * 7}",
                "type": "contact",
                "description": f"owner: team {number % 50}, number {number}",
            },
        )
        for number in range(size)
    )
    desired, now = Desired({tag.address: tag for tag in tags}), datetime.datetime.now(datetime.UTC)
    best = min(_seconds(held, desired, now) for _ in range(RUNS))
    print(f"{len(held.rules)} rules over {size:,} objects: {best:.2f} s of computing")
    return 0


def _seconds(held: Rules, desired: Desired, now: datetime.datetime) -> float:
    objects = declared_objects(desired, load_kinds())
    before = os.times()
    broken = breaches(held, "declaration", objects, "prod", now, evaluate)
    evaluating().close()  # the system counts the time of a process that has ended only
    after = os.times()
    if broken:
        raise AssertionError("the objects keep all rules")
    return sum(after[:4]) - sum(before[:4])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
