"""How much of an account is under management: every live object that could be, by kind. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from reconciler.deriving.aside import set_aside
from reconciler.deriving.exported import Exported
from reconciler.deriving.untold import untold
from reconciler.model.address import key_of
from reconciler.model.kind import Kinds
from reconciler.model.project import Ignore
from reconciler.model.records import mutable, record
from reconciler.model.snapshot import Snapshot
from reconciler.model.state import Binding


@record
class Uncovered:
    """A live object that is not managed: the address that an export would give it, and its id."""

    address: str
    id: str


@mutable
class KindCoverage:
    """One kind: how many objects are managed and deliberately ignored, and which are neither. `unknown` says why the
    kind could not be read; `absent` that the account has no such thing; `aside` what is not counted, and why.
    """

    kind: str
    managed: int = 0
    ignored: int = 0
    unmanaged: list[Uncovered] = field(default_factory=list)
    unknown: str = ""
    absent: bool = False
    aside: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """What could not be read of its objects, in words: attributes, and single settings."""

    @property
    def says(self) -> bool:
        """Whether there is anything to say of the kind."""
        return bool(self.total or self.aside or self.unread or (self.unknown and not self.absent))

    @property
    def total(self) -> int:
        """All objects of the kind that could be managed."""
        return self.managed + self.ignored + len(self.unmanaged)


def cover(
    exported: Iterable[Exported],
    snapshot: Snapshot,
    kinds: Kinds,
    bindings: Mapping[str, Binding],
    rules: Sequence[Ignore],
) -> list[KindCoverage]:
    """Return the coverage of what an export finds, for every kind with objects or that could not be read, in order.

    What came with the account does not count, nor what is not expected to be managed (see `Kind.incidental`).
    """
    bound = {(binding.kind, binding.id) for binding in bindings.values()}
    rows = {
        name: KindCoverage(name, unknown=snapshot.unknown.get(name, ""), absent=name in snapshot.absent)
        for name in kinds
    }
    exported = list(exported)
    for entry in exported:
        row = rows[entry.resource.kind]
        if kinds[row.kind].silent(entry.live):
            continue
        if (entry.live.kind, entry.live.id) in bound:
            row.managed += 1
        elif any(_fits(rule, entry, kinds) for rule in rules):
            row.ignored += 1
        else:
            row.unmanaged.append(Uncovered(entry.resource.address, entry.live.id))
    for name, lines in set_aside(snapshot, kinds, bindings).items():
        rows[name].aside = lines
    for name, lines in untold(snapshot, kinds, exported).items():
        rows[name].unread = lines
    return [row for row in rows.values() if kinds[row.kind].abilities.managed and row.says]


def percent(rows: Iterable[KindCoverage]) -> float:
    """Return the share of objects that are managed or deliberately ignored, in percent; 100 where there are none."""
    counted = list(rows)
    total = sum(row.total for row in counted)
    return 100.0 * sum(row.managed + row.ignored for row in counted) / total if total else 100.0


def _fits(rule: Ignore, entry: Exported, kinds: Kinds) -> bool:
    """Return whether a rule is about an object: its pattern fits the key that an export gives it, or its name."""
    name = str(entry.live.attrs.get(kinds[rule.kind].identity.name_attribute) or "")
    return rule.kind == entry.resource.kind and any(
        fnmatch.fnmatchcase(text.casefold(), rule.key.casefold()) for text in (key_of(entry.resource.address), name)
    )
