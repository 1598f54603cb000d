"""Problems for code hosts, of configurations and plans: SARIF 2.1.0, GitHub commands, GitLab code quality."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from reconciler.model.diagnostics import Diagnostic, Position, Severity
from reconciler.model.document import ChangeView, GuardView, PlanDocument
from reconciler.model.ruling import waiver_in
from reconciler.render import cards, words
from reconciler.render.harmless import harmless
from reconciler.render.quoting import clean, to_json

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ELSEWHERE = ("git+", "pack:")
"""How the names of files begin that are included from elsewhere."""
NOWHERE = Position("reconciler.yaml")
"""Where hosts that want a place show what has none: the project file, home of environments, guards and policies."""


GITHUB: Mapping[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
GITLAB: Mapping[Severity, str] = {"error": "major", "warning": "minor", "note": "info"}
WAIVER = "change it, or have a waiver with reason and date merged into the project file"
"""What to do about a broken rule."""


def diagnostics_sarif(problems: Sequence[Diagnostic], *, tool_version: str = "") -> str:
    """Return problems as a SARIF 2.1.0 log. Columns count code points; paths are relative to the project folder."""
    rules = sorted({problem.code for problem in problems})
    driver: dict[str, Any] = {"name": "reconciler", "rules": [{"id": code, "name": _camel(code)} for code in rules]}
    if tool_version:
        driver["version"] = tool_version
    results = [
        _result(problem, rules.index(problem.code), mark)
        for problem, mark in zip(problems, _fingerprints(problems), strict=True)
    ]
    if any(problem.waived for problem in problems):  # all of a run have the member, or none
        for result, problem in zip(results, problems, strict=True):
            result["suppressions"] = _suppressions(problem)
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return to_json({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def diagnostics_github(problems: Sequence[Diagnostic]) -> str:
    """Return problems as GitHub workflow commands, one a line; GitHub shows them beside the source."""
    return "".join(_command(problem) + "\n" for problem in problems)


def diagnostics_gitlab(problems: Sequence[Diagnostic]) -> str:
    """Return problems as a GitLab code-quality report."""
    entries = [
        {
            "description": _description(problem),
            "check_name": problem.code,
            "fingerprint": mark,
            "severity": GITLAB[problem.severity],
            "location": {"path": (problem.at or NOWHERE).file, "lines": {"begin": (problem.at or NOWHERE).line}},
        }
        for problem, mark in zip(problems, _fingerprints(problems), strict=True)
    ]
    return to_json(entries)


def plan_sarif(document: PlanDocument, folder: str = "") -> str:
    """Return what a plan is stopped or warned by as a SARIF 2.1.0 log."""
    return diagnostics_sarif(below(concerns(document), folder), tool_version=document.tool_version)


def plan_github(document: PlanDocument, folder: str = "") -> str:
    """Return what a plan is stopped or warned by as GitHub workflow commands."""
    return diagnostics_github(below(concerns(document), folder))


def plan_gitlab(document: PlanDocument, folder: str = "") -> str:
    """Return what a plan is stopped or warned by as a GitLab code-quality report."""
    return diagnostics_gitlab(below(concerns(document), folder))


def below(problems: Sequence[Diagnostic], folder: str) -> list[Diagnostic]:
    """Return problems with paths relative to the repository, whose `folder` holds the project (empty: its root)."""
    here = [_here(problem) for problem in problems]
    if not folder:
        return here
    return [
        problem._replace(
            at=(problem.at or NOWHERE)._replace(file=f"{folder.rstrip('/')}/{(problem.at or NOWHERE).file}")
        )
        for problem in here
    ]


def _here(problem: Diagnostic) -> Diagnostic:
    """Return a problem in a baseline or pack, which are not files of the repository, at the project file that includes
    it.
    """
    if problem.at is None or not problem.at.file.startswith(ELSEWHERE):
        return problem
    return problem._replace(message=f"{problem.message} ({problem.at})", at=NOWHERE, excerpt="", length=1, shift=0)


def concerns(document: PlanDocument) -> list[Diagnostic]:
    """Return what guards, policies, findings, skipped addresses and warnings say, with places."""
    places = {change.address: change.place for change in document.changes}
    diagnostics = [problem for guard in document.guards for problem in _of_guard(guard, places)]
    diagnostics += [problem for change in document.changes for problem in _of_change(change)]
    diagnostics += [
        Diagnostic(
            f"{entry.address} could not be planned: {entry.reason}",
            _position(places.get(entry.address)),
            code="not-planned",
        )
        for entry in document.skipped
    ]
    return diagnostics + [Diagnostic(warning, code="plan-warning", severity="warning") for warning in document.warnings]


def _of_guard(guard: GuardView, places: dict[str, str | None]) -> Iterable[Diagnostic]:
    """Yield what a guard says, once; what a rule says, for each object that breaks it, as `validate` does."""
    if guard.verdict == "passed":
        return
    tripped, waived = guard.verdict == "tripped", _waiver(guard)
    severity: Severity = "error" if tripped else "note" if waived else "warning"
    if guard.name.startswith("rule ") and guard.addresses:
        for address in guard.addresses:
            at = _position(guard.places.get(address) or places.get(address))
            code = guard.name.replace(" ", "-")
            hint = "" if waived else WAIVER
            yield Diagnostic(f"{address}: {guard.message}", at, hint, code=code, severity=severity, waived=waived)
        return
    place = next((places[address] for address in guard.addresses if places.get(address)), None)
    named = f" ({', '.join(guard.addresses)})" if guard.addresses else ""
    yield Diagnostic(
        f"{guard.message or cards.coded(guard)}{named}",
        _position(place),
        f"to allow exactly this: {guard.override}" if tripped and guard.override else "",
        code=f"guard-{words.slug(guard.name)}",
        severity=severity,
        waived=waived,
    )


def _waiver(guard: GuardView) -> str:
    """Return until when a broken rule is waived, and why; "" where it is not."""
    return waiver_in(guard.message) if guard.verdict == "overridden" and guard.name.startswith(words.RULES) else ""


def _of_change(change: ChangeView) -> Iterable[Diagnostic]:
    for finding in change.findings:
        place = next(
            (view.place for view in change.attributes if view.name == finding.attribute and view.place), change.place
        )
        severity: Severity = "error" if finding.severity == "error" else "warning"
        yield Diagnostic(
            f"{change.address}: {finding.message}", _position(place), finding.hint, code="finding", severity=severity
        )
    for name, todo in change.manual.items():
        yield Diagnostic(
            f"{change.address}: {name} has to be changed manually: {todo}",
            _position(change.place),
            code="manual-step",
            severity="warning",
        )


def _position(place: str | None) -> Position | None:
    """Read `file:line:column` or `file:line`."""
    match = re.fullmatch(r"(.+?):(\d+)(?::(\d+))?", place or "")
    return Position(match.group(1), int(match.group(2)), int(match.group(3) or 1)) if match else None


def _result(problem: Diagnostic, rule: int, mark: str) -> dict[str, Any]:
    at = problem.at or NOWHERE
    region: dict[str, Any] = {
        "startLine": at.line,
        "startColumn": at.column,
        "endColumn": at.column + max(problem.length, 1),
    }
    if problem.excerpt:
        region["snippet"] = {"text": clean(problem.excerpt)}
    return {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": harmless(_description(problem), "sarif")},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": quote(at.file)}, "region": region}}],
        "partialFingerprints": {"reconcilerProblem/v1": mark},
    }


def _suppressions(problem: Diagnostic) -> list[dict[str, str]]:
    """Return why a problem is none for now: a user decided so outside of the place where it is."""
    if not problem.waived:
        return []
    return [{"kind": "external", "status": "accepted", "justification": harmless(clean(problem.waived), "sarif")}]


def _description(problem: Diagnostic) -> str:
    return clean(f"{problem.message} (hint: {problem.hint})" if problem.hint else problem.message)


def _fingerprints(problems: Sequence[Diagnostic]) -> list[str]:
    """Return a stable identity of each problem that survives lines that move; twins in a file are counted."""
    seen: dict[str, int] = {}
    marks = []
    for problem in problems:
        key = "\0".join((problem.code, (problem.at or NOWHERE).file, problem.message))
        seen[key] = seen.get(key, 0) + 1
        marks.append(hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "replace")).hexdigest())
    return marks


def _command(problem: Diagnostic) -> str:
    at = problem.at or NOWHERE
    properties = {
        "file": at.file,
        "line": at.line,
        "col": at.column,
        "endColumn": at.column + max(problem.length, 1),
        "title": problem.code,
    }
    text = clean(problem.message) + (f"\nhint: {clean(problem.hint)}" if problem.hint else "")
    listed = ",".join(f"{name}={harmless(str(value), 'property')}" for name, value in properties.items())
    return f"::{GITHUB[problem.severity]} {listed}::{harmless(text, 'command')}"


def _camel(code: str) -> str:
    return "".join(part.capitalize() for part in code.split("-"))
