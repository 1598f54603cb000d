"""The words and symbols of every view: Terraform's, and a few for what Terraform has no word for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reconciler.model.document import (
    AttributeView,
    ChangeView,
    EyesView,
    Forecast,
    GuardView,
    PlanDocument,
    Summary,
)
from reconciler.render.quoting import literal

NO_CHANGES = "No changes. The account matches the configuration."
REST = "the rest was left out"
NARROWED = ("target", "exclude", "kinds", "no_delete", "only_adopt", "undo")
"""Options with which the plan is about a part of what is declared or managed."""
NOTHING = "Nothing is declared and nothing is managed: the account was compared with nothing."
MOST_NAMED = 30
"""Addresses that are named in one sentence; the others are counted."""

VERDICTS = {"passed": "Fine", "tripped": "Needs approval", "overridden": "Allowed", "warned": "Please note"}
_SCREEN = r"https://[a-z0-9-]+\.activehosted\.com/[\w./-]*\w"


class Sign(NamedTuple):
    """How an action looks: its symbol, what it means, and the colour class shared by all views."""

    symbol: str
    meaning: str
    tone: str


SIGNS = {
    "create": Sign("+", "create", "add"),
    "adopt": Sign("<=", "adopt existing", "adopt"),
    "update": Sign("~", "update in-place", "change"),
    "replace": Sign("-/+", "destroy and then create replacement", "replace"),
    "delete": Sign("-", "destroy", "destroy"),
    "forget": Sign("#", "forget", "forget"),
    "move": Sign(">", "move in the state", "move"),
    "manual": Sign("!", "manual step", "manual"),
    "refresh": Sign("=", "complete and record", "refresh"),
}
DRIFTED = {"update": "changed in the account", "delete": "gone from the account"}
"""What the symbols mean where only drift is shown: nothing of it will be done."""
AT_RISK = frozenset({"lost", "moved", "unmanaged"})
DESTRUCTIVE = frozenset({"delete", "replace"})


def visible(document: PlanDocument) -> list[ChangeView]:
    """Return the changes that a view shows, in the document's order."""
    return [change for change in document.changes if change.action in SIGNS]


def sign(change: ChangeView) -> Sign:
    """Return how what happens to an object looks."""
    return SWITCH_OFF if change.switches_off else SIGNS[change.action]


def destructive(change: ChangeView) -> bool:
    """Return whether a change deletes something: an object, or records that it puts at risk."""
    return change.action in DESTRUCTIVE or risky(change)


def risky(change: ChangeView) -> bool:
    """Return whether a change puts records or objects at risk, or may do so where they could not be counted."""
    return any(impact.count != 0 for impact in change.impacts if impact.effect in AT_RISK)


def number(value: int) -> str:
    """Return an integer with thousands separators."""
    return f"{value:,}"


def counted(value: int, noun: str, plural: str = "") -> str:
    """Return `1 request`, `2,000 requests`."""
    return f"{number(value)} {noun if value == 1 else plural or noun + 's'}"


def named(addresses: Sequence[str]) -> str:
    """Return addresses with commas, the first ones of many and how many more there are."""
    more = f" and {number(len(addresses) - MOST_NAMED)} more" if len(addresses) > MOST_NAMED else ""
    return ", ".join(addresses[:MOST_NAMED]) + more


def lost(change: ChangeView) -> float:
    """Return how much a change puts at risk; what could not be counted is more than any number."""
    counts = [view.count for view in change.impacts if view.effect in AT_RISK]
    return float("inf") if None in counts else float(sum(count or 0 for count in counts))


SWITCH_OFF = Sign("-", "switch off", "destroy")
"""How a delete looks where the account cannot delete: the object is offered no more."""
RULES = ("rule ", "policy ")
"""How the names of rules begin among those of guards."""


FINE, FINE_CHANGES = "Looked at and fine", "Kept by what changes"


def kept(guards: Iterable[GuardView]) -> list[tuple[str, list[str]]]:
    """Return the names of guards and policies that found nothing to say against the plan, and those of rules, which
    were asked about what changes only: what stands may break them.
    """
    names = [guard.name for guard in guards if guard.verdict == "passed"]
    rules = [name for name in names if name.startswith("rule ")]
    rest = [name for name in names if name not in rules]
    return [(label, names) for label, names in ((FINE, rest), (FINE_CHANGES, rules)) if names]


def stopped(document: PlanDocument) -> str:
    """Return what errors of guards and rules mean for the document, in one sentence; empty where there are none."""
    count = len(document.tripped)
    if count and document.options.get("refresh_only"):
        return f"{counted(count, 'rule')} {'is' if count == 1 else 'are'} broken in the account."
    return f"Refused by {counted(count, 'guard')}; nothing will be written." if count else ""


def approved(guard: GuardView) -> str:
    """Return where a guard was approved; empty where it was not."""
    return {
        "": "",
        "command line": "allowed on the command line",
        "project file": "waived in the project file" if guard.name.startswith(RULES) else "allowed in the project file",
    }[guard.by]


def last_applied(view: AttributeView) -> str:
    """Return what this program last wrote to an attribute, and in which run."""
    return f"last applied {literal(view.applied, sensitive=view.sensitive)}" + (f" by {view.run}" if view.run else "")


def evacuation(what: str, where: str) -> str:
    """Return what is done before a delete (`on_destroy`), e.g. `before that: move deals to stage.sales.won`."""
    return f"before that: {what.replace('_', ' ')} {where}"


def duration(seconds: float) -> str:
    """Return seconds as people say them: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 05 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds else "0 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min"


def moment(text: str) -> str:
    """Return a time (RFC 3339, UTC) as people write it: `29 November 2026, 10:08 UTC`. Any other text stays."""
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])-(\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?Z", text)
    return f"{int(match[3])} {_MONTHS[int(match[2]) - 1]} {match[1]}, {match[4]} UTC" if match else text


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def line_of(place: str) -> str:
    """Return `file:line` of a `file:line:column`; anything else is returned as it is."""
    match = re.fullmatch(r"(.*:\d+):\d+", place)
    return match.group(1) if match else place


def summary(counts: Summary, *, recorded: int = 0) -> str:
    """Return `Plan: 2 to add, 1 to change, 0 to destroy.`, and what is not in Terraform's line if there is some."""
    parts = [
        f"{number(counts.add)} to add",
        f"{number(counts.change)} to change",
        f"{number(counts.destroy)} to destroy",
    ]
    extras = (
        (counts.switch_off, "to switch off"),
        (counts.adopt, "to adopt"),
        (counts.forget, "to forget"),
        (counts.move, "to move"),
        (recorded, "to record"),
    )
    parts += [f"{number(count)} {word}" for count, word in extras if count]
    if counts.manual:
        parts.append(counted(counts.manual, "manual step"))
    return f"Plan: {', '.join(parts)}."


def forecast(view: Forecast) -> str:
    """Return what the apply will cost and what the plan did; empty when there is no forecast."""
    parts = []
    if view.apply_requests:
        split = f"{number(view.apply_reads)} to read, {number(view.apply_writes)} to write"
        pace = f" at {view.rate:g} requests/s" if view.rate else ""
        parts.append(
            f"the apply takes {counted(view.apply_requests, 'request')} ({split}), about {duration(view.seconds)}{pace}"
        )
    if view.plan_requests:
        parts.append(f"this plan took {counted(view.plan_requests, 'request')}")
    return f"Forecast: {'; '.join(parts)}." if parts else ""


def eyes(seen: EyesView) -> str:
    """Say with whose key the account was read, without a name."""
    if seen.sees == "everything":
        return "Read with the key of an Admin user, who is shown everything."
    if seen.sees == "part":
        return f"Read with the key of a user in user group {seen.user_group}, who may be shown a part only."
    return "Read with the key of a user of whom the account does not say what is shown to them."


def selection(document: PlanDocument) -> list[str]:
    """Return a sentence for each option that makes the plan less, or more, than a usual one."""
    options = document.options
    texts = []
    if options.get("destroy"):
        texts.append("Everything that this project manages is planned to be destroyed (--destroy).")
    if options.get("refresh_only"):
        texts.append("Only differences between the account and what was last applied are shown (--refresh-only).")
    for option, meaning in (
        ("target", "Only a selection was planned"),
        ("kinds", "Only these kinds were planned"),
        ("exclude", "A part was left out of the plan"),
    ):
        if chosen := options.get(option):
            names = [chosen] if isinstance(chosen, str) else [str(name) for name in chosen]
            texts.append(f"{meaning} (--{option} {named(names)}).")
    if again := options.get("replace"):
        texts.append(f"Deleted and made again, for it was asked for: {named(again)} (--replace).")
    if options.get("no_delete"):
        texts.append("Nothing is planned to be destroyed (--no-delete).")
    if options.get("only_adopt"):
        texts.append("Only objects that exist as declared are planned to be taken over (--only-adopt).")
    for option, meaning in (
        ("brought", "Also planned, for the selection needs it"),
        ("along", "Goes along, for it cannot be without what goes"),
        ("dropped", "Left out too, for it depends on what was excluded"),
        ("kept", "Left as it is, though it would change"),
    ):
        if chosen := options.get(option):
            texts.append(f"{meaning}: {named(chosen)}.")
    return texts


def narrowed(document: PlanDocument) -> bool:
    """Whether the plan is about a part: then it says nothing of the account as a whole."""
    return any(document.options.get(option) for option in NARROWED)


def drift(document: PlanDocument) -> str:
    """Return how far the account has moved away from what was last applied."""
    gone = sum(change.action == "delete" for change in document.changes)
    changed = len(document.changes) - gone
    if not document.changes and document.skipped:
        return f"No drift in what could be read; {counted(len(document.skipped), 'address', 'addresses')} could not be."
    if not document.changes and _idle(document):
        return "Nothing is managed: there is nothing that could have changed."
    if not document.changes:
        what, rest = ("selection", f"; {REST}") if narrowed(document) else ("account", "")
        return f"No drift. The {what} is as it was last applied{rest}."
    return f"Drift: {number(changed)} changed, {number(gone)} gone, {number(document.summary.unchanged)} as applied."


def verdict(document: PlanDocument) -> str:
    """Return the one line that says what this plan is: nothing to do, or what it adds, changes and destroys."""
    if document.options.get("refresh_only"):
        return drift(document)
    if changes := visible(document):
        return summary(document.summary, recorded=sum(change.action == "refresh" for change in changes))
    if document.skipped:
        missing = counted(len(document.skipped), "address", "addresses")
        return f"No changes in what could be planned; {missing} could not be."
    if document.options.get("destroy") and _idle(document):
        return "Nothing is managed: there is nothing to destroy."
    if _idle(document) and not document.declared:
        return NOTHING
    return NO_CHANGES if not narrowed(document) else f"No changes. The selection matches the configuration; {REST}."


def _idle(document: PlanDocument) -> bool:
    """Whether the state knew nothing when the plan was made."""
    return not any(document.managed.values()) and not document.summary.unchanged


def linked(text: str) -> tuple[str, str, str]:
    """Return a text before, at and after its link to a screen of an account; no other address counts as a link."""
    link = re.search(_SCREEN, text)
    return (text[: link.start()], link.group(), text[link.end() :]) if link else (text, "", "")


def slug(text: str) -> str:
    """Return a text as an identifier of lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def at_risk(counts: Summary) -> bool:
    """Return whether customer records are lost, or may be."""
    return bool(counts.records_at_risk or counts.unmeasured)


def takes(counts: Summary) -> bool:
    """Return whether something goes away, or is elsewhere afterwards: what a person has to be told of."""
    return at_risk(counts) or bool(counts.destroy or counts.switch_off or counts.records_moved or counts.unmanaged)


def state(guard: GuardView) -> str:
    """Return in a word or two what a guard, a rule or a policy says of the plan."""
    if guard.verdict == "tripped" and guard.name.startswith(RULES):
        return "Broken"
    return "Cannot be allowed" if guard.verdict == "tripped" and not guard.override else VERDICTS[guard.verdict]
