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
    for one in verdicts:
        lines.append(f"{'passed' if one.passed else verb if one.lines else 'error '} {harmless(one.title)}")
        if one.error:
            lines.append(f"    {harmless(one.error)}")
        lines += [f"    {harmless(line)}" for line in one.lines]
    counts = {
        "passed": sum(one.passed for one in verdicts),
        verb: sum(bool(one.lines) for one in verdicts),
        "could not be run": sum(bool(one.error) for one in verdicts),
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return "\n".join([*lines, f"{len(verdicts)} test{'s' if len(verdicts) != 1 else ''}: {told}."])


def as_json(verdicts: Sequence[Verdict]) -> str:
    """Return one object for each test."""
    rows = [
        {
            "name": one.name,
            "file": one.file,
            "line": one.line,
            "passed": one.passed,
            "differing": list(one.differing),
            "difference": list(one.lines),
            "error": one.error,
        }
        for one in verdicts
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False)


def junit(verdicts: Sequence[Verdict]) -> str:
    """Return one suite for each file."""
    root = ElementTree.Element("testsuites")
    for file in dict.fromkeys(one.file for one in verdicts):
        cases = [one for one in verdicts if one.file == file]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_safe(file),
            tests=str(len(cases)),
            failures=str(sum(bool(one.differing) and not one.error for one in cases)),
            errors=str(sum(bool(one.error) for one in cases)),
            time=f"{sum(one.seconds for one in cases):.3f}",
        )
        for one in cases:
            _case(suite, one)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, one: Verdict) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_safe(one.file),
        name=_safe(one.name),
        file=_safe(one.file),
        line=str(one.line),
        time=f"{one.seconds:.3f}",
    )
    if one.error:
        ElementTree.SubElement(case, "error", message=_safe(one.error))
    elif one.differing:
        failure = ElementTree.SubElement(case, "failure", message=_safe(f"differs in {', '.join(one.differing)}"))
        failure.text = _safe("\n" + "\n".join(one.lines) + "\n")


def _safe(value: str) -> str:
    return harmless(value, "xml")
