"""Plans and drift as texts on a code host: found again by a hidden mark, and cut below the host's limit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from reconciler.model.document import PlanDocument
from reconciler.model.redaction import abridged
from reconciler.render import markdown, words
from reconciler.render.harmless import harmless
from reconciler.render.quoting import clean

APPROVAL = re.compile(r"^reconciler approve (?P<environment>\S+) (?P<digest>[0-9a-f]{64})[ \t\r]*$", re.MULTILINE)
"""The line by which a user approves a plan."""
MOST_LEFT = 20
"""What could not be taken over is named for so many."""


def mark(about: str, document: PlanDocument, folder: str = "") -> str:
    """Return the hidden first line by which a text is found again: one for each project folder and environment."""
    return f"<!-- reconciler {about}: {quote(folder or '.')} {quote(document.environment)} -->"


def approval(document: PlanDocument) -> str:
    """Return the line that approves exactly this plan."""
    return f"reconciler approve {document.environment} {document.digest}"


def plan_comment(document: PlanDocument, *, limit: int, folder: str = "", how: str = "") -> str:
    """Return the comment about a plan, of at most `limit` UTF-16 units. `how` says how to approve on this host."""
    footer = ""
    if how and words.visible(document) and not document.tripped:
        footer = f"\n{how}\n\n```text\n{clean(approval(document))}\n```\n"
    return _sized(mark("plan", document, folder), document, footer, limit)


def drift_report(document: PlanDocument, left: Sequence[str] = (), *, limit: int, folder: str = "") -> str:
    """Return the text of the issue about drift, of at most `limit` UTF-16 units. `left` is what a request was to take
    over and does not, with the reasons.
    """
    footer = (
        "\nTake a change over by declaring it, or undo it with `reconciler apply`. This issue is updated by every run, "
        f"and closed by the first that finds no drift.{_left(left)}\n"
    )
    return _sized(mark("drift", document, folder), document, footer if words.visible(document) else "", limit)


def drift_proposal(document: PlanDocument, left: Sequence[str], *, limit: int, folder: str = "") -> str:
    """Return the text of the request that takes drift over, of at most `limit` UTF-16 units."""
    footer = (
        "\nMerging this keeps what was changed in the account: the files say it from then on. Closing it keeps "
        f"the files, and the next apply of these objects undoes the change. Every run updates this request."
        f"{_left(left)}\n"
    )
    return _sized(mark("drift", document, folder), document, footer if words.visible(document) else "", limit)


def _left(left: Sequence[str]) -> str:
    """Return what is not taken over, "" for nothing."""
    shown = [f"- {harmless(name, 'prose')}" for name in left[:MOST_LEFT]]
    if len(left) > MOST_LEFT:
        shown.append(f"- and {words.number(len(left) - MOST_LEFT)} more")
    return "\n\nNot taken over, for the files cannot say it:\n\n" + "\n".join(shown) if shown else ""


def drift_title(document: PlanDocument, folder: str = "") -> str:
    """Return the title of the issue about drift."""
    where = f" of {folder}" if folder else ""
    broken = f" {words.stopped(document)}" if document.tripped else ""
    what = words.drift(document).removeprefix("Drift: ")
    return abridged(clean(f"Drift in environment {document.environment}{where}: {what}{broken}"), 200)


def _sized(head: str, document: PlanDocument, footer: str, limit: int) -> str:
    rest = len(f"{head}\n{footer}".encode("utf-16-le", "surrogatepass")) // 2
    return f"{head}\n{markdown.plan(document, limit=limit - rest)}{footer}"
