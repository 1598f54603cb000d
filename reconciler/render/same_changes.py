"""What accounts with the same changes have in common, for people who read no YAML: what is lost, and what else is done.
A plan of one of them tells it; without one, what was noted of each change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from reconciler.model.address import kind_of
from reconciler.model.document import ChangeView, PlanDocument
from reconciler.model.records import record
from reconciler.render import sentences, words
from reconciler.render.naming import Names
from reconciler.render.terms import SCREENS

_ACTIONS = frozenset(get_args(ChangeView.model_fields["action"].annotation))


@record
class SameChanges:
    """What is done in each of several accounts: what is lost, as what happens and what people will notice; all else."""

    lost: Sequence[tuple[str, Sequence[str]]]
    rest: Sequence[str]


def of_plan(document: PlanDocument, *, drift: bool = False) -> SameChanges:
    """Return what a plan does in sentences, what is created last."""
    names = Names.of(document)
    changes = sentences.in_order(sorted(words.visible(document), key=lambda change: change.address))
    lost = [change for change in changes if not drift and sentences.takes_away(change)]
    return SameChanges(
        [
            (
                sentences.headline(change, names),
                [*sentences.consequences(change), *sentences.losses(change, names)],
            )
            for change in sentences.worst_first(lost)
        ],
        [sentences.sentence(change, names, drift=drift) for change in changes if change not in lost],
    )


def of_notes(lines: Sequence[str], *, drift: bool = False) -> SameChanges:
    """Return what was noted of changes (`delete tag.vip`) in sentences; anything else as it is."""
    changes, others = [], []
    for line in lines:
        action, _, rest = line.partition(" ")
        address = rest.partition(" ")[0]
        if action in _ACTIONS and kind_of(address) in SCREENS:
            changes.append(ChangeView.model_validate({"address": address, "kind": kind_of(address), "action": action}))
        else:
            others.append(line)
    same = of_plan(PlanDocument(changes=changes), drift=drift)
    return SameChanges(same.lost, [*same.rest, *others])
