"""What came of tests of a configuration: for people, as JUnit XML, as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.etree import ElementTree

from reconciler.model.scenario import Verdict
from reconciler.render.harmless import harmless


def text(verdicts: Sequence[Verdict], verb: str = "failed") -> str:
    """Return a line for each test, the difference below one that failed, and the count."""
    lines: list[str] = []
    for verdict in verdicts:
        lines.append(f"{'passed' if verdict.passed else verb if verdict.lines else 'error '} {harmless(verdict.title)}")
        if verdict.error:
            lines.append(f"    {harmless(verdict.error)}")
        lines += [f"    {harmless(line)}" for line in verdict.lines]
    counts = {
        "passed": sum(verdict.passed for verdict in verdicts),
        verb: sum(bool(verdict.lines) for verdict in verdicts),
        "could not be run": sum(bool(verdict.error) for verdict in verdicts),
    }
    counted = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return "\n".join([*lines, f"{len(verdicts)} test{'s' if len(verdicts) != 1 else ''}: {counted}."])


def as_json(verdicts: Sequence[Verdict]) -> str:
    """Return one object for each test."""
    rows = [
        {
            "name": verdict.name,
            "file": verdict.file,
            "line": verdict.line,
            "passed": verdict.passed,
            "differing": list(verdict.differing),
            "difference": list(verdict.lines),
            "error": verdict.error,
        }
        for verdict in verdicts
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False)


def junit(verdicts: Sequence[Verdict]) -> str:
    """Return one suite for each file."""
    root = ElementTree.Element("testsuites")
    for file in dict.fromkeys(verdict.file for verdict in verdicts):
        cases = [verdict for verdict in verdicts if verdict.file == file]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_safe(file),
            tests=str(len(cases)),
            failures=str(sum(bool(verdict.differing) and not verdict.error for verdict in cases)),
            errors=str(sum(bool(verdict.error) for verdict in cases)),
            time=f"{sum(verdict.seconds for verdict in cases):.3f}",
        )
        for case in cases:
            _case(suite, case)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, verdict: Verdict) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_safe(verdict.file),
        name=_safe(verdict.name),
        file=_safe(verdict.file),
        line=str(verdict.line),
        time=f"{verdict.seconds:.3f}",
    )
    if verdict.error:
        ElementTree.SubElement(case, "error", message=_safe(verdict.error))
    elif verdict.differing:
        failure = ElementTree.SubElement(case, "failure", message=_safe(f"differs in {', '.join(verdict.differing)}"))
        failure.text = _safe("\n" + "\n".join(verdict.lines) + "\n")


def _safe(value: str) -> str:
    return harmless(value, "xml")
