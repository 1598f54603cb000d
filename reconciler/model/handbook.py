"""The handbook of an account: everything that it holds, with what people ask about it. Texts are shown as they are: who
makes a handbook has taken out secrets and addresses of people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Literal

from reconciler.model.records import record

EntryStanding = Literal["managed", "declared", "undeclared", "forgotten", "outside"]
"""`managed`: declared, and in the account; `declared`: not in the account, or it was not asked; `undeclared`: in the
account only; `forgotten`: in the account by the state, and declared no more; `outside`: of a kind that the API cannot
write.
"""
EntryMark = Literal["unused", "undescribed", "twin"]

GENERATOR = '<meta name="generator" content="reconciler handbook">'
"""What every page of a handbook holds, so that no other page is written over."""


@record
class Piece:
    """A piece of a value: its text, and the address of the object that it names, "" for none."""

    text: str
    address: str = ""


@record
class Detail:
    """An attribute of an object: its name, and its value in pieces; a list has more than one, or says so. Of a map of
    switches (`switches`) the pieces are the names of those that are on, and what else it says.
    """

    name: str
    pieces: tuple[Piece, ...]
    listed: bool = False
    switches: bool = False


@record
class Mentioned:
    """What uses an object beside what the API can write: `certain`, or it may only look like it."""

    text: str
    address: str = ""
    certain: bool = True


@record
class BlindSpot:
    """Where uses could not be looked for, all for the same reason."""

    places: tuple[str, ...]
    why: str = ""


@record
class Twin:
    """Another object that people take for this one, and in what the two differ; "" for nothing."""

    address: str
    differs: str


@record
class LastChange:
    """When an object changed last, as far as runs are kept: what was done, by which run, at what time (RFC 3339)."""

    run: str
    when: str = ""
    action: str = ""


@record
class HandbookEntry:
    """One object. `description` is None where the API has none for its kind. `records` are sentences with numbers of
    records, `uncounted` says why there is none. `uses` are the addresses that refer to it, `refers` those it refers to.
    """

    address: str
    kind: str
    title: str
    standing: EntryStanding
    id: str = ""
    description: str | None = None
    owner: str = ""
    place: str = ""
    parent: str = ""
    children: tuple[str, ...] = ()
    refers: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    """What it may refer to: a number in it is the id of that, or of something else."""
    uses: tuple[str, ...] = ()
    mentions: tuple[Mentioned, ...] = ()
    blind: tuple[str, ...] = ()
    """Where uses of it could not be looked for."""
    records: tuple[str, ...] = ()
    uncounted: str = ""
    changed: LastChange | None = None
    details: tuple[Detail, ...] = ()
    twins: tuple[Twin, ...] = ()
    marks: frozenset[EntryMark] = frozenset()
    screen: str = ""
    """The URL of the product's screen for it."""


@record
class Chapter:
    """All objects of a kind. `attributes` are what can be said of one, with what it means. `aside` are sentences about
    what the account holds and this book does not list, `partly` about attributes that could not be read, `unread` is
    why the kind could not be.
    """

    kind: str
    title: str
    about: str
    attributes: Sequence[tuple[str, str]] = ()
    entries: Sequence[HandbookEntry] = ()
    aside: Sequence[str] = ()
    unread: str = ""
    screen: str = ""
    """The URL of the product's screen for it."""
    loses: str = ""
    """What a delete of one takes along."""
    partly: Sequence[str] = ()

    def marked(self, mark: EntryMark) -> int:
        """Return how many of the objects have a mark."""
        return sum(mark in entry.marks for entry in self.entries)


@record
class Handbook:
    """A whole handbook. `source` says what it was made from, `blind` what could not be looked into, `spent` what the
    numbers and uses took, `counted` whether records were counted.
    """

    name: str
    environment: str
    source: str
    chapters: Sequence[Chapter]
    blind: Sequence[BlindSpot] = ()
    spent: str = ""
    counted: bool = False
    entries: Mapping[str, HandbookEntry] = field(init=False)
    """All entries by address."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", {entry.address: entry for part in self.chapters for entry in part.entries})

    @property
    def unread(self) -> Mapping[str, Sequence[Chapter]]:
        """The kinds that could not be read, by the reason: of many it is often one."""
        reasons: dict[str, list[Chapter]] = {}
        for part in self.chapters:
            if part.unread:
                reasons.setdefault(part.unread, []).append(part)
        return reasons

    def marked(self, mark: EntryMark) -> list[HandbookEntry]:
        """Return the entries with a mark."""
        return [entry for entry in self.entries.values() if mark in entry.marks]
