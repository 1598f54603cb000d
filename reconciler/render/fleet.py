"""Reports of a fleet: for a terminal, as JSON, Markdown and one HTML page. Groups come first: accounts with the same
changes are reviewed once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import Any

from reconciler.model.address import kind_of
from reconciler.model.document import Summary
from reconciler.model.fleet import BAD, AccountOutcome, Drifted, FleetReport, Group, JobResult, WaveReport
from reconciler.render.directions import isolated
from reconciler.render.naming import Names, joined
from reconciler.render.pages import filled
from reconciler.render.quoting import clean
from reconciler.render.same_changes import SameChanges, of_notes
from reconciler.render.sentences import affected
from reconciler.render.terms import SCREENS
from reconciler.render.words import counted, moment, takes

FEW = 5
MANY = 20
"""Accounts that are named; the others are counted."""
FEW_GROUPS = 12
FEW_FAILURES = 10
FEW_DRIFTED = 10
_STATES = {
    "running": "running",
    "approval": "waiting for an approval",
    "stopped": "stopped by a gate",
    "cancelled": "cancelled",
    "done": "done",
}


def named(accounts: list[str]) -> str:
    """Return the first accounts by name, and how many more there are."""
    more = f" and {len(accounts) - FEW:,} more" if len(accounts) > FEW else ""
    return ", ".join(accounts[:FEW]) + more


def headline(report: FleetReport, *, refused: str = "refused by a guard") -> str:
    """Return one sentence: what came of how many accounts."""
    count = Counter[str](account.outcome for account in report.accounts)
    words = {
        "applied": "applied",
        "same": "with nothing to do" if report.mode != "drift" else "without drift",
        "changes": {"plan": "with changes", "drift": "with drift", "apply": "with changes not applied"}[report.mode],
        "partial": "applied in part",
        "refused": refused,
        "stale": "that moved since the plan",
        "locked": "locked by another process",
        "failed": "failed",
    }
    parts = [f"{count[name]:,} {what}" for name, what in words.items() if count[name]]
    unknown = set(report.pending).difference(account.account for account in report.accounts)
    if unknown:
        parts.append(f"{len(unknown):,} not {'planned' if report.mode == 'apply' else 'done'}")
    whole = len(unknown) + len(report.accounts)
    nothing = "nothing is known yet" if whole else "nothing to do"
    return f"{counted(whole, 'account')}: {', '.join(parts) or nothing}."


def causes(report: FleetReport, *, only: Container[str] = BAD) -> list[tuple[str, str, list[str]]]:
    """Return failures by their first cause: message, hint, accounts; `only` those with certain outcomes."""
    by_cause: dict[tuple[str, str], list[str]] = {}
    for failure in (failure for failure in report.failures if failure.outcome in only):
        by_cause.setdefault((_unnamed(failure.message, failure.account), failure.hint), []).append(failure.account)
    rows = [(message or "no reason is known", hint, accounts) for (message, hint), accounts in by_cause.items()]
    return sorted(rows, key=lambda row: (-len(row[2]), row[0]))


def _unnamed(message: str, account: str) -> str:
    """Return a message without the name of its account, where that is a part of a path, a URL or a quotation: an
    account may be called `a`.
    """
    name = re.escape(account)
    return re.sub(rf"(?<=[^\w\s-]){name}(?![\w-])|(?<![\w-]){name}(?=[^\w\s-]\w)", "<account>", message)


def text(report: FleetReport) -> str:
    """Return the report for a terminal."""
    lines = [f"Rollout {report.name}: {_STATES[report.state]}", headline(report), ""]
    lines += [line for wave in report.waves for line in _wave(report, wave)]
    for at, group in enumerate(report.groups[:FEW_GROUPS]):
        lines += _group(report, group, MANY if at == 0 else FEW)
    if len(report.groups) > FEW_GROUPS:
        rest = report.groups[FEW_GROUPS:]
        lines += ["", f"and {len(rest):,} more groups of {sum(len(group.accounts) for group in rest):,} accounts"]
    for message, hint, accounts in causes(report)[:FEW_FAILURES]:
        lines += ["", f"{counted(len(accounts), 'account')}: {clean(message)}", f"  {named(accounts)}"]
        lines += [f"  hint: {clean(hint)}"] if hint else []
    return "\n".join([*lines, *_closing(report)]).rstrip() + "\n"


def _wave(report: FleetReport, wave: WaveReport) -> list[str]:
    stopped = f", stopped: {wave.stopped}" if wave.stopped else ""
    lines = [f"  wave {wave.name}: {counted(wave.accounts, 'account')}, {wave.state}{stopped}"]
    lines += [f"    {away}"] if (away := _away(report, wave)) else []
    if wave.state == "approval":
        command, option = approval(report, wave)
        lines += [f"    {command} \\", f"      {option}"]
    return lines


def protected(wave: WaveReport) -> str:
    """Return from which production accounts a wave takes something away; "" where from none."""
    count = counted(len(wave.production), "production account")
    return f"takes something away from {count}: {named(wave.production)}" if wave.production else ""


def approval(report: FleetReport, wave: WaveReport) -> tuple[str, str]:
    """Return the command that approves a wave, and the option that names its plans."""
    return f"reconciler fleet approve {report.name} --wave {wave.name}", f"--digest {wave.digest}"


def _group(report: FleetReport, group: Group, most: int) -> list[str]:
    shown, most = (group.differs, MANY) if group.differs else (group.changes, most)
    lines = ["", f"{same_changes(report, group)}: {named(group.accounts)}"]
    lines += [f"  {clean(line)}" for line in shown[:most]]
    return lines + ([f"  and {len(shown) - most} more"] if len(shown) > most else [])


def same_changes(report: FleetReport, group: Group) -> str:
    """Return what accounts of a group have in common: `4 accounts with the same changes`."""
    count = counted(len(group.accounts), "account")
    if not group.differs:
        return f"{count} with {'the same' if len(group.accounts) > 1 else 'these'} changes"
    larger = next((other.accounts for other in report.groups if other.digest == group.like), [])
    more = f" and {len(larger) - 1:,} more" if len(larger) > 1 else ""
    return f"{count} with the changes of {larger[0] if larger else 'others'}{more}, but for some"


def _closing(report: FleetReport) -> list[str]:
    lines = ["", at_stake] if (at_stake := at_risk(report)) else []
    if report.versions:
        lines += ["", "Versions: " + ", ".join(f"{name} {count:,}" for name, count in sorted(report.versions.items()))]
    for by, rows in drift_of(report):
        lines += ["", f"Drift by {by}:"]
        lines += [f"  {clean(row.name)}: {row.drifted:,} of {row.accounts:,}" for row in rows[:FEW_DRIFTED]]
        lines += [f"  and {len(rows) - FEW_DRIFTED:,} more"] if len(rows) > FEW_DRIFTED else []
    if report.news:
        lines += ["", f"Since {report.since}: {counted(len(report.news), 'account')} changed"]
        lines += [f"  {clean(line)}" for line in report.news[:FEW_FAILURES]]
        lines += [f"  and {len(report.news) - FEW_FAILURES:,} more"] if len(report.news) > FEW_FAILURES else []
    return lines


def at_risk(report: FleetReport) -> str:
    """Return what the changes of all accounts do to customer data, in the words of a plan; "" where nothing goes."""
    counts = whole(report.accounts)
    return " ".join(affected(counts)) if report.mode != "drift" and takes(counts) else ""


def whole(results: Sequence[JobResult]) -> Summary:
    """Return the counts of all accounts together; one upper bound makes the sum one."""
    shared = Summary.model_fields.keys() & JobResult.model_fields.keys()
    sums = {name: sum(getattr(result, name) for result in results) for name in shared}
    return Summary.model_validate({**sums, "at_most": any(result.at_most for result in results)})


def drift_of(report: FleetReport) -> list[tuple[str, list[Drifted]]]:
    """Return the drift by version, by label and by object."""
    return [(by, [row for row in report.drift if row.by == by]) for by in dict.fromkeys(row.by for row in report.drift)]


def as_json(report: FleetReport) -> str:
    """Return the report as JSON, without the plan documents."""
    bare = [account.model_copy(update={"document": ""}) for account in report.accounts]
    return report.model_copy(update={"accounts": bare}).model_dump_json(indent=2) + "\n"


def markdown(report: FleetReport) -> str:
    """Return the report as Markdown, for a comment or an issue."""
    lines = [f"## Rollout {cell(report.name)}: {_STATES[report.state]}", "", cell(headline(report)), ""]
    lines += [f"**{at_stake}**", ""] if (at_stake := at_risk(report)) else []
    lines += ["| wave | accounts | state | stopped |", "|---|---|---|---|"]
    lines += [
        f"| {cell(wave.name)} | {wave.accounts:,} | {wave.state} | {cell(wave.stopped)} |" for wave in report.waves
    ]
    lines += _asking(report)
    for group in report.groups[:FEW_GROUPS]:
        what = cell(same_changes(report, group))
        lines += ["", f"**{what}**: {cell(named(group.accounts))}", ""]
        lines += [f"- {cell(line)}" for line in (group.differs or group.changes)[:MANY]]
    if len(report.groups) > FEW_GROUPS:
        lines += ["", f"{len(report.groups) - FEW_GROUPS:,} more groups."]
    if report.drift:
        lines += ["", "| drift by | | accounts |", "|---|---|---|"]
        for by, rows in drift_of(report):
            lines += [f"| {by} | {cell(row.name)} | {row.drifted:,} of {row.accounts:,} |" for row in rows[:MANY]]
    if report.news:
        lines += ["", f"Since {cell(report.since)}:", "", *(f"- {cell(line)}" for line in report.news[:MANY])]
        lines += [f"- and {len(report.news) - MANY:,} more"] if len(report.news) > MANY else []
    if report.failures:
        lines += ["", "| failed | first cause | accounts |", "|---|---|---|"]
        lines += [f"| {len(names):,} | {cell(cause)} | {cell(named(names))} |" for cause, _, names in causes(report)]
    return "\n".join(lines) + "\n"


def _asking(report: FleetReport) -> list[str]:
    lines: list[str] = []
    for wave in report.waves:
        if away := _away(report, wave):
            lines += ["", f"**{cell(wave.name)}** {cell(away)}."]
    return lines


def _away(report: FleetReport, wave: WaveReport) -> str:
    """Return from which production accounts something goes where a wave waits for that, or an apply would."""
    return protected(wave) if wave.state == "approval" or report.mode == "plan" else ""


def cell(text: str) -> str:
    """Return a text as it may stand in a cell of a table: one line, nothing of Markdown or HTML."""
    return isolated(re.sub(r"([\\`*_{}\[\]<>()#|!~&@])", r"\\\1", clean(text).replace("\n", " ")))


def html(
    report: FleetReport, links: Mapping[str, str] | None = None, planned: Mapping[str, SameChanges] | None = None
) -> str:
    """Return the report as one page; `links` lead from accounts to their own reports, `planned` says by group what is
    done in its accounts, where a plan tells it.
    """
    drift = report.mode == "drift"
    same = {group.digest: of_notes(group.changes, drift=drift) for group in report.groups} | dict(planned or {})
    groups = [(group, same[group.digest]) for group in report.groups]
    return filled(
        "fleet.html",
        report=report,
        title=_title(report),
        begun=moment(report.begun),
        headline=headline(report, refused="that need an approval, or break a rule"),
        does=_does(report),
        groups=groups,
        losing=[(group, changes) for group, changes in groups if changes.lost],
        waiting=[(wave, approval(report, wave)) for wave in report.waves if wave.state == "approval"],
        stopped=[wave for wave in report.waves if wave.stopped],
        asked=causes(report, only=_ASKED),
        causes=causes(report, only=BAD - _ASKED),
        drift=drift_of(report),
        thing=_thing,
        protected=protected,
        same_changes=partial(same_changes, report),
        plainly=_plainly,
        at_risk=at_risk(report),
        rows=[_row(result, drift=drift) for result in report.accounts],
        links=dict(links or {}),
        counted=counted,
    )


_ASKED = frozenset({"refused"})


def _title(report: FleetReport) -> str:
    """Return what the page is about: a plan is done when it is made, a rollout when it is over."""
    accounts = counted(len({*report.pending, *(result.account for result in report.accounts)}), "account")
    if report.mode == "apply":
        return f"Rollout to {accounts}: {_STATES[report.state]}"
    what = f"{'Drift of' if report.mode == 'drift' else 'Plan for'} {accounts}"
    return what if report.state == "done" else f"{what}: {_STATES[report.state]}"


_DIFFERING = {"also": "Besides", "not": "Not here", "otherwise": "Otherwise than there"}


def _plainly(line: str) -> str:
    """Return where changes differ, as people call what they are about."""
    word, _, note = line.partition(" ")
    same = of_notes([note])
    sentences = [*(headline for headline, _ in same.lost), *same.rest]
    names = re.search(r" (\(.*\))$", note)
    return f"{_DIFFERING[word]}: {' '.join(sentences)}{f' {names[1]}' if names else ''}"


def _does(report: FleetReport) -> str:
    """Return what is done in all accounts together; "" where only drift was looked for."""
    counts = whole(report.accounts)
    parts = [f"{counted(count, 'thing')} {verb}" for count, verb in _counts(counts) if count]
    return f"All accounts together: {joined(parts)}." if parts and report.mode != "drift" else ""


def _counts(counts: Summary | JobResult) -> Sequence[tuple[int, str]]:
    return (
        (counts.destroy, "deleted"), (counts.switch_off, "switched off"), (counts.change, "changed"),
        (counts.add, "new"),
    )  # fmt: skip


def _thing(row: Drifted) -> str:
    """Return what an entry of the drift is about, as people call it."""
    if row.by == "object" and kind_of(row.name) in SCREENS:
        return Names(()).thing(row.name)
    return f"{'version of the baseline' if row.by == 'version' else row.by} {row.name}"


_OUTCOMES: Mapping[AccountOutcome, str] = {
    "same": "nothing to do",
    "changes": "changes are planned",
    "applied": "done",
    "partial": "done in part",
    "refused": "stopped: it needs an approval, or breaks a rule",
    "stale": "not done: the account has moved on",
    "locked": "not done: another run was at work",
    "failed": "failed",
}
_OUTCOMES_OF_DRIFT: Mapping[AccountOutcome, str] = {"same": "as it was left", "changes": "changed in the account"}


def _row(result: JobResult, *, drift: bool) -> dict[str, Any]:
    words = {**_OUTCOMES, **(_OUTCOMES_OF_DRIFT if drift else {})}
    counts = [f"{count:,} {verb}" for count, verb in _counts(result) if count]
    return {
        "account": result.account,
        "outcome": words[result.outcome],
        "message": result.message,
        "version": result.version,
        "counts": joined(counts) if not drift else "",
        "at_risk": _bounded(result),
        "bad": result.bad,
    }


def _bounded(result: JobResult) -> str:
    """Return how many records are affected, as a cell: `none`, `up to 1,200`, `3 and unknown`."""
    if not result.records_at_risk:
        return "unknown" if result.unmeasured else "none"
    count = f"{'up to ' if result.at_most else ''}{result.records_at_risk:,}"
    return f"{count} and unknown" if result.unmeasured else count


VIEWS: Mapping[str, Callable[[FleetReport], Any]] = {
    "text": text,
    "json": as_json,
    "markdown": markdown,
    "html": html,
}
"""A report in each form."""
