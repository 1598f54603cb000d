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
    by_address = {change.address: change for change in planned}
    return [change.address for change in left if not _covers(by_address.get(change.address), change)]


def _covers(planned: ChangeView | None, left: ChangeView) -> bool:
    if left.action in RECORDED:
        return True
    if planned is None or left.action not in FOLLOWS.get(planned.action, {planned.action}):
        return False
    if left.action in ("update", "delete", "replace") and planned.id is not None and left.id != planned.id:
        return planned.action == "replace"
    values = {**planned.desired, **{item.name: item.after for item in planned.attributes}}
    return all(item.name in values and item.after == values[item.name] for item in left.attributes) and all(
        impact in planned.impacts for impact in left.impacts
    )
