"""The verb `coverage`: what of the account is managed. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from reconciler.config.reading.ignores import live_ignores
from reconciler.deriving.coverage import KindCoverage, cover, percent
from reconciler.deriving.export import export
from reconciler.judging.rules import Breach
from reconciler.model.address import kind_of
from reconciler.model.desired import Resource
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError
from reconciler.model.records import record
from reconciler.model.ruling import NONE, Rules
from reconciler.workflow.observation.observing import connected
from reconciler.workflow.opening.session import Session
from reconciler.workflow.rules.ruling import broken_in_account, idle_waivers, rules_of


@record
class Ledger:
    """The coverage of an account, kind by kind."""

    kinds: tuple[KindCoverage, ...]
    broken: tuple[Breach, ...] = ()
    """What breaks the rules of the project, managed or not."""
    rules: Rules = NONE
    notes: tuple[Diagnostic, ...] = ()
    """Waivers of what is neither declared nor there."""

    @property
    def percent(self) -> float:
        """The share of objects that are managed or deliberately ignored, over all kinds that could be read."""
        return percent(self.kinds)

    @property
    def unknown(self) -> dict[str, str]:
        """Kinds that could not be read, with the reason."""
        return {row.kind: row.unknown for row in self.kinds if row.unknown}

    @property
    def aside(self) -> list[str]:
        """What is not counted by decision, in words."""
        return [line for row in self.kinds for line in row.aside]

    @property
    def unread(self) -> list[str]:
        """What could not be read of objects that are counted, in words."""
        return [line for row in self.kinds for line in row.unread]

    def rows(self) -> list[dict[str, Any]]:
        """One row for each kind, for tables and machines."""
        return [
            {
                "address": row.kind,
                "kind": row.kind,
                "id": None,
                "managed": row.managed,
                "ignored": row.ignored,
                "unmanaged": len(row.unmanaged),
                "percent": round(percent([row]), 1) if not row.unknown else None,
                "unknown": row.unknown or None,
                "aside": row.aside,
                "unread": row.unread,
                "objects": [{"address": uncovered.address, "id": uncovered.id} for uncovered in row.unmanaged],
                "broken": [
                    {
                        "rule": breach.rule.id,
                        "address": breach.address,
                        "severity": breach.rule.severity,
                        "message": breach.message,
                        "waived": breach.waiver.expires if breach.waiver is not None else None,
                    }
                    for breach in self.broken
                    if kind_of(breach.address) == row.kind
                ],
            }
            for row in self.kinds
        ]


async def coverage(session: Session) -> Ledger:
    """Read the account and return its coverage, and what breaks the rules. Raises ConfigError for an ignore rule that
    is past its date, and for rules that are wrong.
    """
    ignores = live_ignores(session.project, session.kinds, session.runtime.now().date())
    rules = rules_of(session)
    declared: Mapping[str, Resource] = {}
    if rules.rules:
        with suppress(ConfigError):  # where the configuration is wrong, `validate` says so: places are left out
            declared = session.load(offline=True).desired.resources
    async with connected(session) as account:
        seen = await account.observe_all()
    bindings = seen.book.state().resources
    entries = export(seen.snapshot, session.kinds, bindings, redactor=session.redactor)
    rows = cover(entries, seen.snapshot, session.kinds, bindings, ignores)
    objects = [(entry.resource.address, entry.live) for entry in entries]
    whole = not set(seen.snapshot.unknown) - seen.snapshot.absent
    broken = broken_in_account(session, objects, bindings, declared, whole=whole)
    known = {*declared, *bindings, *(address for address, _ in objects)}
    notes = idle_waivers(rules, known, "that is there", session.runtime.now().date()) if whole else []
    return Ledger(tuple(rows), tuple(broken), rules, tuple(notes))
