"""What is left of a plan whose run stopped in the middle. Pure: nothing is done that the plan does not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.model.document import ChangeView

FOLLOWS: Mapping[str, frozenset[str]] = {
    "create": frozenset({"create", "update"}),
    "adopt": frozenset({"adopt", "update"}),
    "replace": frozenset({"replace", "create", "update"}),
}
"""What may be left of a change, by what it was planned as; of any other one it is the change itself."""
RECORDED = ("refresh", "none")
"""Changes of which the account sees nothing."""


def beyond(left: Iterable[ChangeView], planned: Iterable[ChangeView]) -> list[str]:
    """Return the addresses of changes that the plan did not say: an approval of the plan does not cover them."""
    said = {change.address: change for change in planned}
    return [change.address for change in left if not _covers(said.get(change.address), change)]


def _covers(said: ChangeView | None, left: ChangeView) -> bool:
    if left.action in RECORDED:
        return True
    if said is None or left.action not in FOLLOWS.get(said.action, {said.action}):
        return False
    if left.action in ("update", "delete", "replace") and said.id is not None and left.id != said.id:
        return said.action == "replace"
    values = {**said.desired, **{item.name: item.after for item in said.attributes}}
    return all(item.name in values and item.after == values[item.name] for item in left.attributes) and all(
        impact in said.impacts for impact in left.impacts
    )
