"""How many customer records are at objects that no plan changes: what a delete of each would lose is counted.
Reads only, and no more requests than the budget allows; what was not counted is said, never taken for none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from reconciler.engine.examine import examine
from reconciler.model.http import Remote
from reconciler.model.kind import Kinds
from reconciler.model.plan import Change, Plan
from reconciler.model.write import Impact


async def records_at(
    changes: Iterable[Change], remote: Remote, kinds: Kinds, ids: Mapping[str, str], *, secret: Callable[[str], str]
) -> dict[str, tuple[Impact, ...]]:
    """Return what deletes of these objects would lose, each by itself and one after the other: where the budget ends is
    the same each time.
    """
    impacts = dict[str, tuple[Impact, ...]]()
    for change in changes:
        measured = await examine(Plan((change,), ids=ids), remote, kinds, secret=secret)
        impacts[change.address] = measured.changes[0].impacts
    return impacts
