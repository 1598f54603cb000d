"""Drift as JUnit XML: every managed address is a test case, and one that differs fails."""

from __future__ import annotations

from xml.etree import ElementTree

from reconciler.model.document import ChangeView, PlanDocument
from reconciler.render import words
from reconciler.render.harmless import harmless
from reconciler.render.layout import Paper
from reconciler.render.text import change_lines

_PAPER = Paper(width=100)


def plan_junit(document: PlanDocument, *, suite: str = "drift") -> str:
    """Return one test suite: changes fail, what could not be planned is an error, broken
    rules fail, the rest of what is bound passes.
    """
    changed = {change.address: change for change in words.visible(document)}
    skipped = {entry.address: entry.reason for entry in document.skipped}
    listed = changed.keys() | skipped.keys()
    addresses = [
        *changed,
        *(skip for skip in skipped if skip not in changed),
        *(identity for identity in document.ids if identity not in listed),
    ]
    broken = [guard for guard in document.tripped if guard.name.startswith(words.RULES)]
    root = ElementTree.Element(
        "testsuite",
        name=_safe(f"{suite} {document.environment}".strip()),
        tests=str(len(addresses) + len(broken)),
        failures=str(len(changed) + len(broken)),
        errors=str(sum(skip not in changed for skip in skipped)),
    )
    for address in addresses:
        case = ElementTree.SubElement(root, "testcase", classname=_safe(address.partition(".")[0]), name=_safe(address))
        if address in changed:
            _fail(case, changed[address])
        elif address in skipped:
            ElementTree.SubElement(case, "error", message=_safe(skipped[address]))
    for guard in broken:
        case = ElementTree.SubElement(root, "testcase", classname="rule", name=_safe(guard.name))
        failure = ElementTree.SubElement(case, "failure", type="rule", message=_safe(guard.message))
        failure.text = _safe("\n" + "\n".join(guard.addresses) + "\n")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _fail(case: ElementTree.Element, change: ChangeView) -> None:
    names = ", ".join(view.name for view in change.attributes)
    meaning = words.SIGNS[change.action].meaning
    failure = ElementTree.SubElement(
        case, "failure", type=change.action, message=_safe(f"{meaning}: {names}" if names else meaning)
    )
    failure.text = _safe("\n" + "\n".join(change_lines(change, _PAPER)) + "\n")


def _safe(text: str) -> str:
    return harmless(text, "xml")
