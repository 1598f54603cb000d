"""A promotion as text and as data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Protocol

from reconciler.model.redaction import abridged
from reconciler.render.quoting import literal

MEANING = {
    "here": "changed in {source}",
    "there": "changed in {target} manually since the last promotion",
    "colliding": "changed on both sides",
    "kept": "different on purpose",
    "waiting": "waits for an apply",
}
ORDER = ("here", "colliding", "there", "waiting", "kept")


class PromotionLine(Protocol):
    """An attribute, or an object as a whole, that differs: whose change it is, and what each side holds."""

    @property
    def address(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def here(self) -> object: ...
    @property
    def there(self) -> object: ...
    @property
    def note(self) -> str: ...


class LeftAlone(Protocol):
    """An attribute that was left alone, and why."""

    @property
    def address(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def reason(self) -> str: ...


class PromotionOutcome(Protocol):
    """What a promotion found and did."""

    @property
    def rows(self) -> Iterable[PromotionLine]: ...
    @property
    def same(self) -> int: ...
    @property
    def files(self) -> Iterable[str]: ...
    @property
    def refused(self) -> Iterable[LeftAlone]: ...
    @property
    def left_out(self) -> Iterable[str]: ...


def text(rows: Iterable[PromotionLine], same: int, source: str, target: str) -> str:
    """Return what differs, whose change by whose change."""
    rows = list(rows)
    lines = [f"Promotion from {source} to {target}", ""]
    for status in ORDER:
        mine = [row for row in rows if row.status == status]
        if not mine:
            continue
        lines.append(f"  {MEANING[status].format(source=source, target=target)}:")
        lines += [f"    {_row(row, source, target)}" for row in mine]
        lines.append("")
    lines.append(f"  {same} attribute{'s' if same != 1 else ''} the same.")
    return "\n".join(lines) + "\n"


def _row(row: PromotionLine, source: str, target: str) -> str:
    if not row.name:
        return f"{row.address} ({row.note})" if row.note else str(row.address)
    where = f"{row.address}.{row.name}"
    if row.note:
        return f"{where}: ({row.note})"
    return f"{where}: {source} {_short(row.here)}, {target} {_short(row.there)}"


def _short(value: object) -> str:
    return abridged(literal(value), 60)


def data(outcome: PromotionOutcome, source: str, target: str, plan: Mapping[str, object] | None = None) -> str:
    """Return the promotion as JSON."""
    content: dict[str, object] = {
        "from": source,
        "to": target,
        "same": outcome.same,
        "rows": [
            {
                "address": row.address,
                "kind": row.address.partition(".")[0],
                "attribute": row.name,
                "status": row.status,
                "here": row.here,
                "there": row.there,
                "note": row.note,
            }
            for row in outcome.rows
        ],
        "files": list(outcome.files),
        "left": [
            {"address": refusal.address, "attribute": refusal.name, "reason": refusal.reason}
            for refusal in outcome.refused
        ],
        "left_out": list(outcome.left_out),
    }
    if plan is not None:
        content["plan"] = plan
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
