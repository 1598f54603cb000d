"""Where two values differ inside: paths with the value before and after. The only home of deepdiff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from reconciler.model.document import PartView
from reconciler.model.values import Value


def parts(before: Value, after: Value) -> list[PartView]:
    """Return what differs inside two encoded maps or lists, by path. Empty for scalars: there is nothing inside.

    Lists of maps with a `value` (options) are compared by it, so that one new option is one difference.
    """
    if not isinstance(before, dict | list) or type(before) is not type(after):
        return []
    from deepdiff import DeepDiff  # 0.3 s to import, and most plans have no use for it

    found = DeepDiff(_keyed(before), _keyed(after), view="tree", verbose_level=2)
    rows = [_part(level) for levels in found.values() for level in levels]
    return sorted(rows, key=lambda row: row.path)


def _keyed(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _keyed(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, dict) and "value" in item for item in value):
        entries = {str(item["value"]): {k: _keyed(v) for k, v in item.items()} for item in value}
        return entries if len(entries) == len(value) else value
    return value


class DiffLevel(Protocol):
    """A difference, as deepdiff tells it."""

    t1: object
    t2: object

    def path(self, *, output_format: str) -> Iterable[object]: ...


def _part(level: DiffLevel) -> PartView:
    return PartView(path=".".join(_steps(level)), before=_side(level.t1), after=_side(level.t2))


def _steps(level: DiffLevel) -> Iterator[str]:
    return (str(step) for step in level.path(output_format="list"))


def _side(value: object) -> object:
    return None if type(value).__name__ == "NotPresent" else value
