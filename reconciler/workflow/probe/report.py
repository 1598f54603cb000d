"""What a probe is asked, and how what it found is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from reconciler import __version__
from reconciler.model.findings import FactVerdict, LeftView, ListingView, PointView, ProbePart, ProbeReport
from reconciler.model.records import mutable, record
from reconciler.model.redaction import abridged
from reconciler.probe import POINTS, Fact, Lab, Point, load_experiments, takes
from reconciler.probe.experiments.listings import LISTINGS, Listing, longer, total_type
from reconciler.probe.points import UNDECIDED
from reconciler.probe.unsettled import Unsettled
from reconciler.workflow.opening.session import Session

FOUND = 200
"""Characters of a finding, at most."""


@record
class Asked:
    """What a probe is to do. No limit that is given: enough for its experiments."""

    rows: frozenset[int] = frozenset()
    read_only: bool = False
    contacts: bool = False
    burst: bool = False
    max_requests: int | None = None
    max_seconds: float | None = None


@mutable
class Results:
    """What the experiments found so far."""

    values: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    complete: bool = True

    def take(self, name: str, value: str | Unsettled) -> None:
        """Take note of what was found of a fact, or why nothing was."""
        if isinstance(value, Unsettled):
            self.why[name] = str(value)
        elif takes(name, value := abridged(value, FOUND)):
            self.values[name] = value
        else:
            self.why[name] = "the account answered something that no branch of this program knows"


def report_of(session: Session, asked: Asked, lab: Lab, results: Results, about: Mapping[str, Any]) -> ProbeReport:
    """Return the report of a probe."""
    facts = [fact for experiment in load_experiments() for fact in experiment.facts]
    parts = {fact.name: _part(fact, results, asked) for fact in facts}
    by_row: dict[int, list[ProbePart]] = {}
    for fact in facts:
        by_row.setdefault(fact.row, []).append(parts[fact.name])
    return ProbeReport(
        version=__version__,
        probed=session.runtime.stamp(),
        read_only=asked.read_only,
        complete=results.complete,
        requests=lab.line.requests,
        seconds=round(lab.spent.elapsed, 1),
        plan=about["plan"],
        permissions=about["permissions"],
        listings=[_listing(listing, lab) for listing in LISTINGS if listing.path in lab.reads],
        points=[_point(point, by_row.get(point.row, [])) for point in POINTS],
        beside=by_row.get(0, []),
        left=list(left_of(lab)),
    )


def _listing(listing: Listing, lab: Lab) -> ListingView:
    reply = lab.reads[listing.path]
    total = total_type(reply) if reply.ok else ""
    shown = len(reply.rows(listing.key)) if reply.ok and longer(reply, listing) else None
    return ListingView(
        path=listing.path,
        kind=listing.kind,
        status=reply.status,
        total=total,
        default=shown,
        largest=lab.largest.get(listing.path),
    )


def _part(fact: Fact, results: Results, asked: Asked) -> ProbePart:
    value = results.values.get(fact.name, "")
    verdict: FactVerdict = (
        "unknown" if not value else "assumed" if value == fact.assumed or not fact.assumed else "differs"
    )
    return ProbePart(
        name=fact.name,
        fact=fact.says,
        source=fact.source,
        assumed=fact.assumed,
        found=value,
        verdict=verdict,
        why="" if value else results.why.get(fact.name, _not_run(fact, asked)),
        changes=fact.changes,
        affects=list(fact.affects),
    )


def _not_run(fact: Fact, asked: Asked) -> str:
    """Return why the experiment of a fact did not run."""
    experiment = next(experiment for experiment in load_experiments() if fact in experiment.facts)
    if experiment.needs == "contacts" and not asked.contacts:
        return "it takes contacts: --with-contacts makes two"
    if experiment.needs == "burst" and not asked.burst:
        return "it takes a burst of reads: --burst sends one"
    if experiment.writes and asked.read_only:
        return "it takes writes, and --read-only sends none"
    return "it was not asked for"


def _point(point: Point, parts: list[ProbePart]) -> PointView:
    known = [part for part in parts if part.verdict != "unknown"]
    differs = [part for part in known if part.verdict == "differs"]
    verdict: FactVerdict = "differs" if differs else "assumed" if known else "unknown"
    text = "; ".join(f"{part.name}: {part.found}" if len(parts) > 1 else part.found for part in known)
    affects = {kind: None for part in differs for kind in part.affects}
    return PointView(
        row=point.row,
        fact=point.says,
        verdict=verdict,
        found=text,
        affects=list(affects or dict.fromkeys(point.affects)),
        why="" if known else _why_unknown(point, parts),
        parts=parts,
    )


def _why_unknown(point: Point, parts: list[ProbePart]) -> str:
    return point.unknown or next((part.why for part in parts if part.why), UNDECIDED)


def left_of(lab: Lab) -> tuple[LeftView, ...]:
    """Return what a probe could not remove."""
    return tuple(LeftView(form=form, id=identity, what=what) for form, identity, what in dict.fromkeys(lab.left))
