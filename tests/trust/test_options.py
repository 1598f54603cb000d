"""Options that are taken out: whatever an account makes of the values, no more records lose theirs than was shown."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.trust.test_counts import saved, yes
from tests.world import World, new_world

OPTIONS = ("a", "b", "c", "d")
KEEP = "tags: {keep: {name: Keep}}\n"


@dataclass(frozen=True)
class Choosing:
    """A field with options, and where the account keeps what was chosen: a table, and its names for field and value."""

    name: str
    section: str
    type: str
    table: str
    field: str
    value: str
    several: bool

    def config(self, options: Sequence[str]) -> str:
        """Return a configuration with these options."""
        label = "title" if self.section == "fields" else "label"
        lists = ", lists: all" if self.section == "fields" else ""
        return (
            f"{KEEP}{self.section}: {{x: {{{label}: X, type: {self.type}, options: [{', '.join(options)}]{lists}}}}}\n"
        )

    def choose(self, world: World, picks: Sequence[set[str]]) -> None:
        """Let records arrive that chose these."""
        meta = {"fields": "fields", "deal_fields": "dealCustomFieldMeta", "account_fields": "accountCustomFieldMeta"}
        field = next(
            row["id"] for row in world.rows(meta[self.section]) if "X" in (row.get("title"), row.get("fieldLabel"))
        )
        had = max((int(row["id"]) for row in world.rows(self.table)), default=0)
        owner = {"fieldValues": "contact", "dealCustomFieldData": "dealId"}.get(self.table, "customerAccountId")
        rows = [
            {"id": str(had + n), owner: str(had + n), self.field: field, self.value: self.text(pick)}
            for n, pick in enumerate(picks, 1)
        ]
        world.account.seed({self.table: rows})

    def text(self, pick: set[str]) -> str:
        """Return how choices are kept."""
        return f"||{'||'.join(sorted(pick))}||" if self.several else min(pick)

    def chosen(self, world: World) -> dict[str, set[str]]:
        """Return what each record chose, by id."""
        return {str(row["id"]): set(re.findall(r"[^|]+", str(row[self.value]))) for row in world.rows(self.table)}


FIELDS = tuple(
    Choosing(f"{section} {kind}", section, kind, table, field, value, kind in ("multiselect", "checkbox"))
    for section, table, field, value in (
        ("fields", "fieldValues", "field", "value"),
        ("deal_fields", "dealCustomFieldData", "customFieldId", "fieldValue"),
        ("account_fields", "accountCustomFieldData", "customFieldId", "fieldValue"),
    )
    for kind in ("dropdown", "radio", "multiselect", "checkbox")
)

MANY = tuple(one for one in FIELDS if one.section == "fields" and one.several)
"""Their options go one by one, and their values cannot be counted by option."""


def dropping(world: World, what: Choosing, meanwhile: Callable[[], None]) -> list[str]:
    """Let the account drop values with an option that it loses; `meanwhile` happens after each write. Return the ids of
    the records that lose something, as it grows.
    """
    app, lost = world.held._account.app, list[str]()

    def options() -> set[str]:
        rows = world.rows("fieldOptions") if what.section == "fields" else []
        held = {str(row["value"]) for row in rows}
        for table in ("dealCustomFieldMeta", "accountCustomFieldMeta"):
            held |= {
                one if isinstance(one, str) else one["value"]
                for row in world.rows(table)
                for one in row.get("fieldOptions") or ()
            }
        return held

    async def answering(
        scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        before = options()
        await app(scope, receive, send)
        if scope["type"] != "http" or scope["method"] == "GET":
            return
        gone = before - options()
        for identity, picks in what.chosen(world).items():
            if picks & gone:
                lost.append(identity)
                world.account.rows.remove(what.table, identity)
        meanwhile()

    world.held.app = answering  # type: ignore[method-assign]
    return lost


PICKS = st.lists(st.sets(st.sampled_from(OPTIONS), min_size=1, max_size=2), max_size=4)


def history(what: Choosing, first: list[set[str]], left: list[str], later: list[list[set[str]]], how: str) -> bool:
    """Run one history; return whether the change was refused."""
    with tempfile.TemporaryDirectory() as folder, new_world(Path(folder)) as world:
        world.write(what.config(OPTIONS))
        world.apply()
        what.choose(world, first)
        world.write(what.config(left))
        argv = (str(saved(world)),) if how == "saved" else ("--auto-approve", *yes(world))
        shown = world.plan().document.summary.records_at_risk
        waves = iter(later)
        lost = dropping(world, what, lambda: what.choose(world, next(waves, [])))
        ran = world.cli("apply", *argv)
        assert len(set(lost)) <= shown, f"{len(set(lost))} records lost a value, {shown} were shown\n{ran.text}"
        assert ran.code in (0, 7), ran.text
        return ran.code == 7


def check(cases: int) -> tuple[int, int]:
    """Try so many histories; return how many there were, and how many were refused."""
    seen: list[bool] = []

    @settings(max_examples=cases, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(
        st.sampled_from((*FIELDS, *MANY * 6)), PICKS,
        st.lists(st.sampled_from(OPTIONS), min_size=1, max_size=2, unique=True),
        st.lists(PICKS, min_size=1, max_size=3), st.sampled_from(["saved", "at-once"]),
    )  # fmt: skip
    def tried(what: Choosing, first: list[set[str]], left: list[str], later: list[list[set[str]]], how: str) -> None:
        seen.append(history(what, first, sorted(left), later, how))

    tried()
    return len(seen), sum(seen)


@pytest.mark.parametrize("cases", [30, pytest.param(1_500, marks=pytest.mark.prove)])
def test_no_more_values_go_than_were_shown(cases: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Over all kinds with options and all types, in an account that drops values with their option."""
    count, refused = check(cases)
    assert 0 < refused < count
    with capsys.disabled():
        print(f"options taken out: {count} histories, {refused} refused")  # noqa: T201


@pytest.mark.parametrize("what", FIELDS, ids=lambda what: what.name)
def test_several_options_go_together_as_shown(what: Choosing) -> None:
    """Nothing arrives: what was said yes to goes, in one apply, though it takes several requests."""
    assert not history(what, [{"a", "b"}, {"c"}, {"b"}], ["a"], [], "saved")


def test_values_that_arrive_between_two_options_stay() -> None:
    """Four were shown, two go with the first option; two more arrive and make six."""
    assert history(MANY[0], [{"a"}, {"a"}, {"b"}, {"b"}], ["c"], [[{"b"}, {"b"}]], "saved")
