"""The figures of a plan as bars: what it puts at risk, and how its apply spends the account's requests over time."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.document import ChangeView, PlanDocument, StepView
from reconciler.model.records import record
from reconciler.render import words
from reconciler.render.effects import at_risk
from reconciler.render.graph import OP_TONES

WIDTH = 960
"""Pixels of a full bar."""

_VERBS = {"bind": "adopt"}
_MOST_BARS = 20
_MOST_CHUNKS = 120
_TICKS = 6
_SECONDS = (
    0.1,
    0.2,
    0.5,
    1.0,
    2.0,
    5.0,
    10.0,
    20.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1200.0,
    1800.0,
    3600.0,
    7200.0,
    18000.0,
)
_COUNTS = tuple(float(digit * 10**power) for power in range(7) for digit in (1, 2, 5))


@record
class Bar:
    """One object's records at risk, as a bar of `width` pixels. Where the API cannot count, `known` is false."""

    address: str
    text: str
    width: float
    known: bool


@record
class Blast:
    """The largest risks first, and how many more there are."""

    bars: Sequence[Bar]
    more: int


@record
class ChartSegment:
    """Requests of one sort in a row: where they stand, what they are."""

    x: float
    width: float
    title: str
    tone: str


@record
class Timeline:
    """The apply from left to right. `ticks` are (x, text), `unit` is what the axis counts, `key` explains colours."""

    segments: Sequence[ChartSegment]
    ticks: Sequence[tuple[float, str]]
    unit: str
    key: Sequence[tuple[str, str]]


def blast(changes: Sequence[ChangeView]) -> Blast:
    """Return the bars of all changes that put records at risk; what cannot be counted comes first."""
    risky = [change for change in changes if words.risky(change)]
    counts = {
        change.address: [view.count for view in change.impacts if view.effect in words.AT_RISK] for change in risky
    }
    totals = {address: sum(count or 0 for count in mine) for address, mine in counts.items()}
    unknown = {address for address, mine in counts.items() if None in mine}
    most = max(totals.values(), default=0) or 1
    risky.sort(key=lambda change: (change.address not in unknown, -totals[change.address], change.address))
    bars = [
        Bar(
            change.address,
            at_risk(change),
            round(max(totals[change.address] / most * WIDTH, 3.0), 1),
            change.address not in unknown,
        )
        for change in risky[:_MOST_BARS]
    ]
    return Blast(bars, max(len(risky) - _MOST_BARS, 0))


def timeline(document: PlanDocument) -> Timeline | None:
    """Return the apply's requests in the order of its steps, with the reads around them; None when nothing is sent."""
    forecast = document.forecast
    total = forecast.apply_requests
    if not total:
        return None
    before = -(-forecast.apply_reads // 2)
    spans = [(before, "read again what the plan was made from", "read")] if before else []
    spans += _spans(document.steps, forecast.apply_writes)
    if forecast.apply_reads - before:
        spans.append((forecast.apply_reads - before, "read back what was written", "read"))
    rate = forecast.rate
    segments, sent = [], 0
    for count, title, tone in spans:
        cost = words.counted(count, "request") + (f", {words.duration(count / rate)}" if rate else "")
        segments.append(
            ChartSegment(round(sent / total * WIDTH, 2), round(count / total * WIDTH, 2), f"{title}: {cost}", tone)
        )
        sent += count
    key = dict.fromkeys((tone, "read" if tone == "read" else title.partition(" ")[0]) for _, title, tone in spans)
    return Timeline(segments, _ticks(total, rate), "time" if rate else "requests", list(key))


def _spans(steps: Sequence[StepView], writes: int) -> list[tuple[int, str, str]]:
    """Return (requests, title, tone) of runs of steps with one operation on one kind, together `writes` requests.

    Of many steps, neighbours are taken together, so that the number of runs stays bounded.
    """
    spans: list[tuple[int, str, str]] = []
    size = -(-len(steps) // _MOST_CHUNKS) or 1
    for start in range(0, len(steps), size):
        chunk: dict[tuple[str, str], int] = {}
        for step in steps[start : start + size]:
            title = f"{_VERBS.get(step.op, step.op)} {step.address.partition('.')[0]}"
            chunk[title, OP_TONES[step.op]] = chunk.get((title, OP_TONES[step.op]), 0) + _writes(step)
        for (title, tone), count in chunk.items():
            if spans and spans[-1][1] == title:
                spans[-1] = (spans[-1][0] + count, title, tone)
            elif count:
                spans.append((count, title, tone))
    known = sum(count for count, _, _ in spans)
    if known > writes:
        return [(writes, "write", "manual")] if writes else []
    return [*spans, (writes - known, "other writes", "manual")] if known < writes else spans


def _writes(step: StepView) -> int:
    """How many of a step's requests change something; its reads are among those of the whole apply."""
    return sum(not request.startswith("GET ") for request in step.requests)


def _ticks(total: int, rate: float | None) -> list[tuple[float, str]]:
    """Return marks at round times, or at round numbers of requests where the account has no limit."""
    length = total / rate if rate else float(total)
    steps = _SECONDS if rate else _COUNTS
    step = next((step for step in steps if length / step <= _TICKS), steps[-1])
    marks = [index * step for index in range(int(length / step) + 1)][: 10 * _TICKS]
    return [(round(mark / length * WIDTH, 1), _time(mark) if rate else words.number(round(mark))) for mark in marks]


def _time(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else words.duration(seconds)
