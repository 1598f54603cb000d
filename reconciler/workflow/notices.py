"""A notice to one URL: that there is drift, what an apply came to, what was refused. Nothing hangs on it."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.codehost import Web
from reconciler.model.document import PlanDocument
from reconciler.model.errors import ReconcilerError
from reconciler.model.redaction import abridged, published
from reconciler.model.summary import ApplySummary
from reconciler.render import sentences, words
from reconciler.workflow.session import Session

SECONDS = 10.0
"""How long the receiver may take to answer."""
MOST_BYTES = 100_000
LONGEST = 2_000
"""Characters of a notice."""


def drifted(document: PlanDocument) -> str:
    """Return what a notice says of drift; empty where there is none."""
    return words.drift(document) if document.changes else ""


def refused(document: PlanDocument) -> str:
    """Return what a notice says of a plan that guards stop at its apply."""
    told = [f"{guard.name}: {guard.message}" if guard.message else guard.name for guard in document.tripped]
    return " ".join(["Nothing was applied.", *sentences.verdict(document), *told])


def stale(count: int) -> str:
    """Return what a notice says of changes of a saved plan that do not fit the account any more."""
    return f"{words.counted(count, 'change')} of the saved plan not applied: the account moved on since it was made."


def applied(summary: ApplySummary) -> str:
    """Return what a notice says of an apply that began."""
    counts = (
        (summary.added, "added"), (summary.changed, "changed"), (summary.destroyed, "destroyed"),
        (summary.switched_off, "switched off"), (summary.adopted, "adopted"),
        (len(summary.failed), "failed"), (len(summary.skipped), "skipped"),
    )  # fmt: skip
    told = ", ".join(f"{words.number(count)} {what}" for count, what in counts if count) or "nothing changed"
    return f"Apply {'complete' if summary.complete else 'not complete'}: {told}."


def notify(session: Session, event: str, said: str, web: Web, *, link: str = "") -> Sequence[str]:
    """Send a notice where the environment names an address for it, once, and return why it did not arrive.

    The text stands in `text`, which chat programs show, and has passed what a comment on a code host passes. Whatever
    goes wrong is a sentence: no apply fails for want of a message.
    """
    url = session.settings.notify
    if not url or not said:
        return []
    if "${" in url:
        return ["No notice was sent: the environment variable in `notify` is not set."]
    session.redactor.learn(url)
    where = session.settings.name
    text = abridged(published(f"{where}: {said}"), LONGEST)
    body = {"event": event, "environment": where, "text": text} | ({"url": link} if link else {})
    try:
        answer = web.exchange("POST", url, body=body, most=MOST_BYTES, seconds=SECONDS)
    except (ReconcilerError, OSError, ValueError) as error:
        return [f"No notice was sent: {session.redactor.show(str(error))}"]
    return [] if answer.ok else [f"No notice was taken: the receiver answered {answer.status}."]
