"""What an apply notices that is against the facts, marked in the facts file of the account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Any

from reconciler.engine.remotes import Clue, Watched
from reconciler.model.address import kind_of
from reconciler.model.errors import ReconcilerError
from reconciler.model.findings import Contradiction, FactEntry
from reconciler.model.grammar import a
from reconciler.model.http import Remote
from reconciler.model.live import Live
from reconciler.model.plan import Change
from reconciler.model.records import mutable
from reconciler.store.probefile import write_facts
from reconciler.workflow.opening.facts import blank, own_facts, row_of
from reconciler.workflow.opening.session import Session

UNKNOWN_PATH = (404, 405)
CLUES = (
    Clue("option_bulk", ("singular", "both"), "POST", "/fieldOption/bulk", UNKNOWN_PATH),
    Clue("option_bulk", ("plural", "both"), "POST", "/fieldOptions/bulk", UNKNOWN_PATH),
    Clue("outcome_path", ("taskOutcomes", "both"), "PUT", "/taskOutcomes/[^/]+", UNKNOWN_PATH),
    Clue("outcome_path", ("taskOutccomes", "both"), "PUT", "/taskOutccomes/[^/]+", UNKNOWN_PATH),
    Clue("site_domains", ("new", "both"), "POST", "/prism/urlWhitelistings", UNKNOWN_PATH),
    Clue("site_domains", ("old", "both"), "POST", "/siteTrackingDomains", UNKNOWN_PATH),
    Clue("field_groups", ("definitions", "both"), "GET", "/groupDefinitions", UNKNOWN_PATH, "groupDefinitions"),
    Clue("field_groups", ("members",), "GET", "/groupMembers", UNKNOWN_PATH, "groupDefinitions"),
    Clue("list_update", ("merge", "reset"), "PUT", "/lists/[^/]+", (422,)),
)
"""Answers that say that a fact is otherwise, or not so any more."""


@mutable
class FactWatch:
    """What an apply notices that is against the facts, by name, with the request that says so (without ids)."""

    session: Session
    evidence: dict[str, str] = field(default_factory=dict)
    again: set[tuple[str, str]] = field(default_factory=set)

    def around(self, remote: Remote) -> Any:
        """Return the remote, watched; as it is where nothing is known of the account."""
        if not self.session.facts.known:
            return remote
        return Watched(remote, CLUES, self.session.facts.known, self.note)

    def note(self, name: str, request: str) -> None:
        """Remember a contradiction."""
        if name in self.session.facts.known:
            self.evidence.setdefault(name, request)

    def seen(self, lives: Mapping[str, Collection[Live]]) -> None:
        """Remember the names that the account has twice, though it was found that it takes no two."""
        for name, kind in self.session.kinds.items():
            if kind.found_unique and kind.holds_twice(lives.get(name, ())):
                self.note(kind.found_unique, f"the account holds two of one `{kind.identity.name_attribute}`")

    def resent(self, left: Change) -> None:
        """Remember what had not taken as sent, and is sent once more."""
        self.again |= {(left.address, item.name) for item in left.attributes}

    def stored_otherwise(self, address: str, attribute: str) -> None:
        """It had taken: the account stores it in its own way, which is not a fact's fault."""
        self.again.discard((address, attribute))

    def _read_back(self) -> None:
        """Note what the attributes that did not take as sent say of the facts that their writes rest on."""
        for address, attribute in sorted(self.again):
            kind = kind_of(address)
            rests = self.session.kinds[kind].rests
            for name in (rests.get(attribute, rests.get("", "")), f"put.{kind}"):
                self.note(name, f"the read-back of `{attribute}` of {a(kind)}")

    def mark(self) -> list[str]:
        """Mark what was contradicted in the facts file of this very account, and return what to say of it."""
        self._read_back()
        if not self.evidence or self.session.facts.account != self.session.identity:  # a copy of it proves nothing
            return []
        session, facts = self.session, self.session.facts
        now = session.runtime.stamp()
        try:
            file = own_facts(session.folder, session.identity) or blank(session)
            entries = dict(file.facts)
            for name, request in self.evidence.items():
                before = entries.get(name) or FactEntry(row=row_of(name), found="", verdict="unknown", probed=now)
                entries[name] = before.model_copy(update={"contradicted": Contradiction(at=now, request=request)})
            path = write_facts(session.folder, file.model_copy(update={"facts": dict(sorted(entries.items()))}))
            where = f"marked in {path.relative_to(session.folder)}"
        except (OSError, ReconcilerError) as error:
            where = f"it could not be marked: {error}"
        return [
            f"the account contradicts the fact `{name}` ({facts.get(name)}"
            f"{f', probed on {facts.lender}' if name in facts.borrowed else ''}): {request}; {where}, probe it again"
            for name, request in self.evidence.items()
        ]
