"""What is known of an account: read with the session, told in plans, marked where the account contradicts it."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler import __version__
from reconciler.engine.remotes import Clue, Watched
from reconciler.model.address import kind_of
from reconciler.model.errors import ReconcilerError, StateError
from reconciler.model.facts import Facts
from reconciler.model.findings import Contradiction, FactEntry, FactsFile
from reconciler.model.grammar import a
from reconciler.model.http import Remote
from reconciler.model.live import Live
from reconciler.model.plan import Change
from reconciler.probe import Fact, load_experiments, takes, words
from reconciler.store.probefile import REPLACED, facts_files, facts_path, read_facts_file, write_facts
from reconciler.workflow.session import Session

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


def facts_file(path: Path) -> FactsFile | None:
    """Return the facts of a file; None where there is none. Raises StateError that names the file and the place in it,
    also for what is of no such row, or what no probe finds.
    """
    file, known = read_facts_file(path), known_facts()
    for name, entry in file.facts.items() if file is not None else ():
        fact, wrong = known.get(name), ""
        if fact is not None and entry.row != fact.row:
            wrong = f"`facts.{name}.row`: the fact is of row {fact.row}"
        elif fact is not None and entry.found and not takes(name, entry.found):
            wrong = f"`facts.{name}.found`: a probe finds {', '.join(_numbers(word) for word in words(name))}"
        if wrong:
            raise StateError(f"{path} is not a facts file: {wrong}", hint=REPLACED)
    return file


def _numbers(word: str) -> str:
    return "a number" if word == "#" else f"`{word}`"


def own_facts(folder: Path, account: str) -> FactsFile | None:
    """Return the facts of an account; None where there are none. Raises StateError for a damaged file, and for one that
    holds those of another account.
    """
    path = facts_path(folder, account)
    file = facts_file(path)
    if file is not None and file.account != account:
        raise StateError(f"{path} holds the facts of {file.account}, not of {account}", hint=REPLACED)
    return file


def lent_facts(folder: Path, environment: str, account: str) -> tuple[FactsFile | None, tuple[str, ...]]:
    """Return the facts that were probed last under the name of an environment, None where there are none; and what is
    wrong with files that may be those. The file of the `account` that borrows is none of them.
    """
    files, damaged = [], []
    for path in facts_files(folder):
        if path == facts_path(folder, account):
            continue
        try:
            lent = facts_file(path)
        except StateError as error:
            damaged.append(error.message)
        else:
            files += [lent] if lent is not None and lent.environment == environment else []
    return max(files, key=lambda file: datetime.datetime.fromisoformat(file.probed), default=None), tuple(damaged)


def load_facts(folder: Path, account: str, lender: str | None) -> Facts:
    """Return what is known of an account: its own facts, and for the others those of the environment that lends them. A
    fact that its own account contradicts is not known. Nothing is, where its own file is damaged (`problem`).
    """
    try:
        own = own_facts(folder, account)
    except StateError as error:
        return Facts(problem=error.message, hint=error.hint, lender=lender or "")
    lent, damaged = lent_facts(folder, lender, account) if lender else (None, ())
    mine: Mapping[str, FactEntry] = own.facts if own is not None else {}
    theirs = _without(lent.facts, mine) if lent is not None else {}
    good = {name: fact for name, fact in {**theirs, **mine}.items() if fact.contradicted is None and fact.found}
    return Facts(
        known={name: fact.found for name, fact in good.items()},
        probed={name: fact.probed for name, fact in good.items()},
        borrowed=frozenset(theirs.keys() & good.keys()),
        lender=lender or "",
        lent=lent is not None,
        account=account if mine or theirs else "",
        contradicted=_contradicted(mine),
        damaged=damaged,
    )


def _without(facts: Mapping[str, FactEntry], names: Container[str]) -> dict[str, FactEntry]:
    return {name: fact for name, fact in facts.items() if name not in names}


def _contradicted(facts: Mapping[str, FactEntry]) -> frozenset[str]:
    return frozenset(name for name, fact in facts.items() if fact.contradicted is not None)


def blank(session: Session) -> FactsFile:
    """Return the facts file of an account of which nothing is known."""
    now = session.runtime.stamp()
    return FactsFile(account=session.identity, environment=session.settings.name, probed=now, version=__version__)


def troubles(session: Session) -> list[str]:
    """Return what is wrong with the facts that a run would rest on: files that cannot be read, and what is not lent."""
    facts, lender = session.facts, session.settings.facts
    if facts.problem:
        return [f"{facts.problem}: everything is treated with care; {facts.hint}"]
    lines = [f"{name}: it is not borrowed from, whoever it is of; {REPLACED}" for name in facts.damaged]
    if lender and not facts.lent:
        lines.append(
            f"no facts of `{lender}` are there: what is not known of this account is treated with care "
            f"(`reconciler -e {lender} probe` finds out)"
        )
    return lines


def told(session: Session) -> list[str]:
    """Return what a plan says of the facts that it rests on: what is wrong with them, whose they are, and which the
    account contradicts.
    """
    facts, lines = session.facts, troubles(session)
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
        if not self.found or self.session.facts.account != self.session.identity:  # a copy of it proves nothing
            return []
        session, facts = self.session, self.session.facts
        now = session.runtime.stamp()
        try:
            file = own_facts(session.folder, session.identity) or blank(session)
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
    return {fact.name: fact for experiment in load_experiments() for fact in experiment.facts}


def row_of(name: str) -> int:
    """Return the row of section 7 that a fact belongs to; 0 beside it."""
    fact = known_facts().get(name)
    return fact.row if fact is not None else 0


def facts_of(session: Session, what: str | None) -> list[dict[str, Any]]:
    """Return a row for each fact that a kind (or the kind of an address) rests on: what is taken, where that comes
    from, and how the account is. Raises ReconcilerError for what is not a kind.
    """
    kind = kind_of(what) if what else None
    if kind is not None and kind not in session.kinds:
        raise ReconcilerError(f"there is no kind `{kind}`", hint="`reconciler kinds` lists them")
    if session.facts.problem:
        raise StateError(session.facts.problem, hint=session.facts.hint)
    return [
        {
            "fact": fact.name,
            "row": fact.row or None,
            "says": fact.says,
            **_known(session.facts, fact),
            "affects": list(fact.affects),
        }
        for fact in sorted(known_facts().values(), key=lambda fact: (kind not in fact.affects, fact.row == 0, fact.row))
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
