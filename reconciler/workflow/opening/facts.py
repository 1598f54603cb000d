"""What is known of an account: read with the session, told in plans."""

from __future__ import annotations

import datetime
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from reconciler import __version__
from reconciler.config.reading.problems import unknown_kind
from reconciler.model.address import kind_of
from reconciler.model.errors import WrongInput
from reconciler.model.facts import Facts
from reconciler.model.findings import FactEntry, FactsFile
from reconciler.probe import Fact, load_experiments, takes, words
from reconciler.store.probefile import REPLACED, facts_files, facts_path, read_facts_file
from reconciler.workflow.opening.session import Session


def facts_file(path: Path) -> FactsFile | None:
    """Return the facts of a file; None where there is none. Raises WrongInput that names the file and the place in it,
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
            raise WrongInput(f"{path} is not a facts file: {wrong}", hint=REPLACED)
    return file


def _numbers(word: str) -> str:
    return "a number" if word == "#" else f"`{word}`"


def own_facts(folder: Path, account: str) -> FactsFile | None:
    """Return the facts of an account; None where there are none. Raises WrongInput for a damaged file, and for one that
    holds those of another account.
    """
    path = facts_path(folder, account)
    file = facts_file(path)
    if file is not None and file.account != account:
        raise WrongInput(f"{path} holds the facts of {file.account}, not of {account}", hint=REPLACED)
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
        except WrongInput as error:
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
    except WrongInput as error:
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
    lines = [f"{name}: it is not borrowed from, of whichever account it is; {REPLACED}" for name in facts.damaged]
    if lender and not facts.lent:
        lines.append(
            f"no facts of `{lender}` are there: what is not known of this account is treated with care "
            f"(`reconciler -e {lender} probe` finds out)"
        )
    return lines


def remarks(session: Session) -> list[str]:
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


def known_facts() -> dict[str, Fact]:
    """Return all facts that a probe can find out, by name."""
    return {fact.name: fact for experiment in load_experiments() for fact in experiment.facts}


def row_of(name: str) -> int:
    """Return the row of section 7 that a fact belongs to; 0 beside it."""
    fact = known_facts().get(name)
    return fact.row if fact is not None else 0


def facts_of(session: Session, what: str | None) -> list[dict[str, Any]]:
    """Return a row for each fact that a kind (or the kind of an address) rests on: what is taken, where that comes
    from, and how the account is. Raises WrongInput for what is not a kind.
    """
    kind = kind_of(what) if what else None
    if kind is not None and kind not in session.kinds:
        raise unknown_kind(kind, session.kinds)
    if session.facts.problem:
        raise WrongInput(session.facts.problem, hint=session.facts.hint)
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
