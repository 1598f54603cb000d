"""A notice to one URL: that there is drift, what an apply came to, what was refused. Nothing hangs on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.model.codehost import Web
from reconciler.model.document import PlanDocument
from reconciler.model.errors import Cancelled, ExitCode, LockHeld, ReconcilerError, Refused, StalePlan
from reconciler.model.redaction import abridged, published
from reconciler.model.summary import ApplySummary
from reconciler.render import cards, sentences, words
from reconciler.render.naming import without_people
from reconciler.workflow.opening.session import Session

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
    reasons = [f"{cards.title(guard)} ({guard.name}): {_ended(guard.message)}" for guard in document.tripped]
    return " ".join(["Nothing was applied.", *sentences.verdict(document), *reasons])


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


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
    counted = ", ".join(f"{words.number(count)} {what}" for count, what in counts if count) or "nothing changed"
    return f"Apply {'complete' if summary.complete else 'not complete'}: {counted}."


_WHY: Mapping[int, str] = {
    ExitCode.AUTH: "the account does not let its key read everything",
    ExitCode.PARTIAL: "what it needs is not there",
    ExitCode.REFUSED: "the account would refuse it",
    ExitCode.CANCELLED: "it was cancelled",
}


def left(code: int) -> tuple[str, str]:
    """Return event and text of a notice of a command that had nothing to do, and could not do all that is asked for."""
    why = _WHY.get(code)
    return "failure", f"Apply did nothing, and something is left{f': {why}' if why else ''} (exit code {code})."


def ended(error: BaseException) -> tuple[str, str]:
    """Return event and text of a notice of a command that an error ended. Who holds a lock is not said, and of an
    unexpected error only its class: its text may hold anything.
    """
    if isinstance(error, StalePlan | Refused):
        return "refusal", f"Nothing was applied: {error.message}."
    if isinstance(error, Cancelled) or not isinstance(error, Exception):
        return "failure", "Apply was cancelled before its end."
    if isinstance(error, LockHeld):
        return "failure", "Nothing was applied: another run holds the lock."
    if not isinstance(error, ReconcilerError):
        return "failure", f"Apply ended with a mistake of the program ({type(error).__name__})."
    return "failure", f"Apply did not come to its end (exit code {int(error.exit_code)}): {error.message}."


def notify(session: Session, event: str, message: str, web: Web, *, link: str = "") -> Sequence[str]:
    """Send a notice where the environment names an address for it, once, and return why it did not arrive.

    The text stands in `text`, which chat programs show, and has passed what a comment on a code host passes. Whatever
    goes wrong is a sentence: no apply fails for want of a message.
    """
    url = session.settings.notify
    if not url or not message:
        return []
    session.noticed.append(event)
    if "${" in url:
        return ["No notice was sent: the environment variable in `notify` is not set."]
    session.redactor.learn(url)
    where = session.settings.name
    text = abridged(published(f"{where}: {without_people(message)}"), LONGEST)
    body = {"event": event, "environment": where, "text": text} | ({"url": link} if link else {})
    try:
        answer = web.exchange("POST", url, body=body, most=MOST_BYTES, seconds=SECONDS)
    except (ReconcilerError, OSError, ValueError) as error:
        return [f"No notice was sent: {session.redactor.show(str(error))}"]
    return [] if answer.ok else [f"No notice was taken: the receiver answered {answer.status}."]
