"""What is known of an account: read with the session, told in plans, marked where the account contradicts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler import __version__
from reconciler.engine.remotes import Clue, Watched
from reconciler.model.address import kind_of
from reconciler.model.errors import ReconcilerError, StateError
from reconciler.model.facts import Facts
from reconciler.model.findings import Contradiction, FactEntry, FactsFile
from reconciler.model.http import Remote
from reconciler.model.plan import Change
from reconciler.probe import Fact, load_experiments
from reconciler.store.probefile import facts_path, lent_facts, read_facts, write_facts
from reconciler.workflow.session import Session

UNKNOWN_PATH = (404, 405)
CLUES = (
    Clue("option_bulk", ("singular", "both"), "POST", "/fieldOption/bulk", UNKNOWN_PATH),
    Clue("option_bulk", ("plural", "both"), "POST", "/fieldOptions/bulk", UNKNOWN_PATH),
    Clue("outcome_path", ("taskOutcomes", "both"), "PUT", "/taskOutcomes/[^/]+", UNKNOWN_PATH),
    Clue("outcome_path", ("taskOutccomes", "both"), "PUT", "/taskOutccomes/[^/]+", UNKNOWN_PATH),
    Clue("site_domains", ("new", "both"), "POST", "/prism/urlWhitelistings", UNKNOWN_PATH),
    Clue("site_domains", ("old", "both"), "POST", "/siteTrackingDomains", UNKNOWN_PATH),
    Clue("field_groups", ("definitions", "both"), "GET", "/groupDefinitions", UNKNOWN_PATH),
    Clue("field_groups", ("members",), "GET", "/groupMembers", UNKNOWN_PATH),
    Clue("list_update", ("merge", "reset"), "PUT", "/lists/[^/]+", (422,)),
)
"""Answers that say that a fact is otherwise, or not so any more."""


def load_facts(folder: Path, account: str, lender: str | None) -> Facts:
    """Return what is known of an account: its own facts, and for the others those of the environment that lends them. A
    fact that its own account contradicts is not known. Raises StateError for a damaged file.
    """
    own, lent = read_facts(folder, account), lent_facts(folder, lender) if lender else None
    if own is None and lent is None:
        return Facts()
    mine = own.facts if own is not None else {}
    theirs = {name: one for name, one in lent.facts.items() if name not in mine} if lent is not None else {}
    good = {name: one for name, one in {**theirs, **mine}.items() if one.contradicted is None and one.found}
    return Facts(
        known={name: one.found for name, one in good.items()},
        probed={name: one.probed for name, one in good.items()},
        borrowed=frozenset(theirs.keys() & good.keys()),
        lender=lender or "",
        account=account,
        contradicted=frozenset(name for name, one in mine.items() if one.contradicted is not None),
    )


def blank(session: Session) -> FactsFile:
    """Return the facts file of an account of which nothing is known."""
    now = session.runtime.stamp()
    return FactsFile(account=session.identity, environment=session.settings.name, probed=now, version=__version__)


def told(session: Session) -> list[str]:
    """Return what a plan says of the facts that it rests on: whose they are, and which the account contradicts."""
    facts, lines = session.facts, []
    if facts.problem:
        lines.append(f"{facts.problem}: everything is treated with care; probe again, or restore the file from Git")
    lender = session.settings.facts
    if lender and not facts.borrowed and not facts.known:
        lines.append(
            f"no facts of `{lender}` are there: everything is treated with care (`reconciler -e {lender} probe`)"
        )
    if facts.borrowed:
        count = len(facts.borrowed)
        lines.append(
            f"{count} fact{'s' if count != 1 else ''} that this plan may rest on were probed on `{facts.lender}`, not "
            "on this account (`explain --facts` lists them)"
        )
    gone = "was contradicted by this account and is not relied on: probe it again"
    return [*lines, *(f"the fact `{name}` {gone}" for name in sorted(facts.contradicted))]


@dataclass
class Watch:
    """What an apply notices that is against the facts, by name, with the request that says so (without ids)."""

    session: Session
    found: dict[str, str] = field(default_factory=dict)
    again: set[tuple[str, str]] = field(default_factory=set)

    def around(self, remote: Remote) -> Any:
        """Return the remote, watched; as it is where nothing is known of the account."""
        if not self.session.facts.known:
            return remote
        return Watched(remote, CLUES, self.session.facts.known, self.note)

    def note(self, name: str, request: str) -> None:
        """Remember a contradiction."""
        if name in self.session.facts.known:
            self.found.setdefault(name, request)

    def resent(self, left: Change) -> None:
        """Remember what had not taken as sent, and is sent once more."""
        self.again |= {(left.address, item.name) for item in left.attributes}

    def stored_otherwise(self, address: str, attribute: str) -> None:
        """It had taken: the account stores it in its own way, which is no fact's fault."""
        self.again.discard((address, attribute))

    def _read_back(self) -> None:
        """Note what the attributes that did not take as sent say of the facts that their writes rest on."""
        for address, attribute in sorted(self.again):
            kind = kind_of(address)
            rests = self.session.kinds[kind].rests
            for name in (rests.get(attribute, rests.get("", "")), f"put.{kind}"):
                self.note(name, f"the read-back of `{attribute}` of a {kind}")

    def mark(self) -> list[str]:
        """Mark what was contradicted in the facts file of this very account, and return what to say of it."""
        self._read_back()
        if not self.found or self.session.facts.account != self.session.identity:  # a copy of it is no witness
            return []
        session, facts = self.session, self.session.facts
        now = session.runtime.stamp()
        try:
            file = read_facts(session.folder, session.identity) or blank(session)
            entries = dict(file.facts)
            for name, request in self.found.items():
                before = entries.get(name) or FactEntry(row=row_of(name), found="", verdict="unknown", probed=now)
                entries[name] = before.model_copy(update={"contradicted": Contradiction(at=now, request=request)})
            path = write_facts(session.folder, file.model_copy(update={"facts": dict(sorted(entries.items()))}))
            where = f"marked in {path.relative_to(session.folder)}"
        except (OSError, ReconcilerError) as error:
            where = f"it could not be marked: {error}"
        return [
            f"the account contradicts the fact `{name}` ({facts.get(name)}"
            f"{f', probed on {facts.lender}' if name in facts.borrowed else ''}): {request}; {where}, probe it again"
            for name, request in self.found.items()
        ]


def known_facts() -> dict[str, Fact]:
    """Return all facts that a probe can find out, by name."""
    return {fact.name: fact for one in load_experiments() for fact in one.facts}


def row_of(name: str) -> int:
    """Return the row of section 7 that a fact belongs to; 0 beside it."""
    fact = known_facts().get(name)
    return fact.row if fact is not None else 0


def facts_of(session: Session, what: str | None) -> list[dict[str, Any]]:
    """Return a row for each fact that a kind (or the kind of an address) rests on: what is taken, where that comes
    from, and how the account is. Raises ReconcilerError for what is no kind.
    """
    kind = kind_of(what) if what else None
    if kind is not None and kind not in session.kinds:
        raise ReconcilerError(f"there is no kind `{kind}`", hint="`reconciler kinds` lists them")
    if session.facts.problem:
        raise StateError(session.facts.problem, hint="probe again, or restore the file from Git")
    return [
        {
            "fact": fact.name,
            "row": fact.row or None,
            "says": fact.says,
            **_known(session.facts, fact),
            "affects": list(fact.affects),
        }
        for fact in sorted(known_facts().values(), key=lambda one: (kind not in one.affects, one.row == 0, one.row))
        if kind is None or kind in fact.affects or "every kind" in fact.affects
    ]


def _known(facts: Facts, fact: Fact) -> Mapping[str, str]:
    if fact.name in facts.contradicted:
        return {"found": "", "from": "contradicted by an apply: treated with care"}
    if not facts.get(fact.name):
        sources = {"vendor": "the vendor's page", "recording": "a recording", "client": "a client's code"}
        return {"found": "", "from": f"{sources.get(fact.source, 'nothing says it')}: treated with care"}
    whose = f" on `{facts.lender}`" if fact.name in facts.borrowed else ""
    return {"found": facts.get(fact.name), "from": f"probe{whose}, {facts.probed[fact.name][:10]}"}


__all__ = ["Watch", "blank", "facts_of", "facts_path", "known_facts", "load_facts", "told"]
