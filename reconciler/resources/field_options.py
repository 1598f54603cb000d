"""Options of contact fields: their form, which of them stay, what a removed one takes along. No kind lives here."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import TypedDict

from pydantic import Field

from reconciler.model.coerce import ident, number, text, truthy
from reconciler.model.http import Flow
from reconciler.model.live import Live, Row
from reconciler.model.spec import Spec
from reconciler.model.values import Value, items_of, map_of
from reconciler.model.write import Impact
from reconciler.resources import sequence
from reconciler.resources.counts import counted, counted_each


class Choice(TypedDict):
    """An option as it is compared, with every property spelled out."""

    value: str
    label: str
    default: bool


class Option(Spec):
    """One choice of a field. Contacts store the value as text."""

    value: str = Field(description="What is stored.")
    label: str | None = Field(None, description="What is shown; default: the value.")
    default: bool | None = Field(None, description="Chosen at first.")


def normal(options: Value) -> list[Choice]:
    """Return options with every property spelled out; a plain text is value and label."""
    entries = [{"value": option} if isinstance(option, str) else map_of(option) for option in items_of(options)]
    return [
        Choice(
            value=str(entry["value"]),
            label=str(entry.get("label") or entry["value"]),
            default=bool(entry.get("default")),
        )
        for entry in entries
    ]


def chosen(live: Live, options: Sequence[Choice], query: Mapping[str, str]) -> Flow[list[Impact]]:
    """Count the contacts whose value is an option of the field that is not among these."""
    wanted = {option["value"] for option in options}
    gone = [option["value"] for option in normal(live.attrs["options"]) if option["value"] not in wanted]
    if not gone:
        return []
    noun = f"contacts may have chosen {_quoted(gone)}"
    if live.attrs.get("type") in ("multiselect", "checkbox"):
        # Several choices are one text (`||a||b||`): an exact match would undercount. Each option goes with a
        # request of its own, so the ids say which values are new since the first one.
        return (yield from counted_each("/fieldValues", "fieldValues", noun, query))
    (whole,) = yield from counted("/fieldValues", noun, query, at_most=True)
    if not whole.count:
        return [whole]
    impacts: list[Impact] = []
    for value in gone:
        noun = f"contacts have chosen {_quoted([value])}"
        (count,) = yield from counted("/fieldValues", noun, {**query, "filters[val]": value})
        # The two filters together are not verified: a total like that of the field says that one was ignored.
        impacts.append(replace(count, at_most=count.count == whole.count))
    return impacts


def without(options: Sequence[tuple[int, Choice]], values: Container[str]) -> list[tuple[int, Choice]]:
    """Return the options, each with its `orderid`, whose value is not among these."""
    return [(order, option) for order, option in options if option["value"] not in values]


def _quoted(values: Sequence[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def brief(option: Choice) -> Value:
    """Return the shortest declaration of an option."""
    entry: dict[str, Value] = {"value": option["value"]}
    if option["label"] != option["value"]:
        entry["label"] = option["label"]
    if option["default"]:
        entry["default"] = True
    return option["value"] if len(entry) == 1 else entry


def place_of(row: Row) -> tuple[int, int]:
    """Return where a live option stands: by number, ties by id."""
    return number(row.get("orderid")) or 0, number(row.get("id")) or 0


def kept(wanted: Sequence[Choice], rows: Sequence[Row]) -> tuple[dict[str, Row], dict[str, int]]:
    """Return the live options that can stay, by value: same label and default, in the wanted order (see `sequence`).
    And the `orderid` of every option.
    """
    by_value: dict[str, Row] = {}
    for row in rows:
        by_value.setdefault(text(row.get("value")) or "", row)
    alike: list[Row | None] = [
        like if (like := by_value.get(choice["value"])) is not None and _says(like, choice) else None
        for choice in wanted
    ]
    stay = sequence.kept([(place_of(row)[0], ident(row["id"])) if row is not None else None for row in alike])
    orders = sequence.numbered(len(wanted), stay)
    kept = {wanted[index]["value"]: row for index, row in enumerate(alike) if row is not None and index in stay}
    return kept, {choice["value"]: order for choice, order in zip(wanted, orders, strict=True)}


def _says(row: Row, option: Choice) -> bool:
    label = text(row.get("label")) or option["value"]
    return bool(label == option["label"] and truthy(row.get("isdefault")) == option["default"])
