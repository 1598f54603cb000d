"""What is known of one account where the sources of the API differ: the report of a probe, and its facts file."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from reconciler.model.empty import no_items, no_members
from reconciler.model.facts import LONGEST

FORMAT_VERSION = "1.0"
LAST_ROW = 59
FactVerdict = Literal["assumed", "differs", "unknown"]


def _moment(text: str) -> str:
    if datetime.datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time has a zone")
    return text


Timestamp = Annotated[str, AfterValidator(_moment)]
"""ISO 8601, with a zone."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True, frozen=True)


class ProbePart(_Document):
    """One thing that was looked at."""

    name: str = Field(description="Its key in the facts file.")
    fact: str = Field(description="What is assumed.")
    source: str = Field(description="Where that comes from: vendor, recording, client, inferred; nothing says it.")
    assumed: str = Field(description="What is found where it is so.")
    found: str = Field("", description="What was found; empty where nothing was.")
    verdict: FactVerdict
    why: str = Field("", description="Why it is unknown.")
    changes: str = Field("", description="What this program does about it where it is otherwise.")
    affects: list[str] = Field(default_factory=no_items, description="Kinds or features that rest on it.")


class PointView(_Document):
    """One uncertain point of the API: a row of section 7 of the vendor facts."""

    row: int = Field(description="Number of the row in section 7.")
    fact: str = Field(description="What this program takes it for.")
    verdict: FactVerdict = Field(
        description="`assumed`: it is so here. `differs`: it is not. `unknown`: nothing was found."
    )
    found: str = Field("", description="What this account does.")
    affects: list[str] = Field(description="Kinds or features that rest on it.")
    why: str = Field("", description="Why it is unknown.")
    parts: list[ProbePart] = Field(default_factory=no_items)


class ListingView(_Document):
    """One listing of the API, as this account answers it."""

    path: str
    kind: str = Field(description="Kind that it is read for.")
    status: int = Field(description="HTTP status: 403 for what the key or the plan lacks, 404 for no such endpoint.")
    total: str = Field("", description="JSON type of `meta.total`: text, int, none.")
    default: int | None = Field(None, description="Rows of a page without `limit`; null where all fit on one.")
    largest: int | None = Field(None, description="Most rows of a page; null where all fit on one.")


class LeftView(_Document):
    """Something that could not be removed."""

    form: str = Field(description="What it is.")
    id: str
    what: str = Field(description="What was done with it, or is to be done manually.")


class ProbeReport(_Document):
    """What a probe found. It names neither the account nor a person, so that it can be sent with a bug report."""

    format_version: str = FORMAT_VERSION
    version: str = Field(description="Of the program.")
    probed: str = Field(description="When, ISO 8601, UTC.")
    read_only: bool = Field(description="Whether only experiments ran that write nothing.")
    complete: bool = Field(description="Whether every experiment came to its end.")
    requests: int
    seconds: float
    plan: dict[str, Any] = Field(description="What the account says of its plan, as far as the key may ask.")
    permissions: dict[str, Any] = Field(description="The key's user group: its number, and which flags are off.")
    listings: list[ListingView] = Field(description="What was read: what the account has, and what the key may see.")
    points: list[PointView] = Field(description="One for each row of section 7.")
    beside: list[ProbePart] = Field(description="What was found beside that table.")
    left: list[LeftView] = Field(default_factory=no_items, description="What the probe could not remove.")


class Contradiction(_Document):
    """A fact that an apply found to be otherwise."""

    at: Timestamp
    request: str = Field(max_length=LONGEST, description="The request whose answer says so, without ids.")


class FactEntry(_Document):
    """One fact of an account."""

    row: int = Field(ge=0, le=LAST_ROW)
    found: str = Field(max_length=LONGEST)
    verdict: FactVerdict
    probed: Timestamp = Field(description="When, ISO 8601, UTC.")
    contradicted: Contradiction | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.verdict == "unknown") != (not self.found):
            raise ValueError("`found` is empty where the verdict is `unknown`, and nowhere else")
        return self


class FactsFile(_Document):
    """What is known of one account; small, and meant to be committed."""

    format_version: str = FORMAT_VERSION
    account: str = Field(min_length=1, description="The host of the API, or the emulator's file.")
    environment: str = Field(
        min_length=1, description="Name of the environment that was probed last; others borrow by it."
    )
    probed: Timestamp = Field(description="When it was probed last, ISO 8601, UTC.")
    version: str = Field(description="Of the program that probed it.")
    facts: dict[str, FactEntry] = Field(default_factory=no_members)

    def with_report(self, report: ProbeReport) -> FactsFile:
        """Return the file with what a report found; what it did not find out stays as it was known."""
        parts = [(point.row, part) for point in report.points for part in point.parts]
        parts += [(0, part) for part in report.beside]
        news = {
            part.name: FactEntry(row=row, found=part.found, verdict=part.verdict, probed=report.probed)
            for row, part in parts
            if part.verdict != "unknown"
        }
        update = {"facts": dict(sorted({**self.facts, **news}.items()))}
        return self.model_copy(update={**update, "probed": report.probed, "version": report.version})
