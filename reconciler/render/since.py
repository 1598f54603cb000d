"""What is different in a plan from an earlier one, that a user approved: line by line, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.document import AttributeView, ChangeView, GuardView, PlanDocument
from reconciler.model.since import Difference, Differences
from reconciler.render import cards, sentences, words
from reconciler.render.effects import at_risk, each
from reconciler.render.harmless import harmless
from reconciler.render.naming import Names, introduced, without_people
from reconciler.render.pages import filled
from reconciler.render.quoting import clean, literal, to_json
from reconciler.render.sides import called, items
from reconciler.render.tree import same

MEANING = {"+": "new", "-": "not any more", "~": "otherwise"}
_DOES = {
    "create": "create", "adopt": "take over", "update": "change", "replace": "delete and make again",
    "delete": "delete", "forget": "stop looking after", "move": "rename in the files", "manual": "change manually",
    "refresh": "note down",
}  # fmt: skip
"""What a plan does with an object, by the action."""
TONES = {"+": "add", "-": "destroy", "~": "change"}
MOST = 60_000
"""Characters of all lines in Markdown: hosts take few more in a comment."""


def compared(document: PlanDocument, earlier: PlanDocument, name: str) -> Differences:
    """Return what is different in a plan from an earlier one. `name` is what the earlier plan is called."""
    lines = [Difference.model_validate({"mark": line[0], "said": line[2:]}) for line in differences(document, earlier)]
    return Differences(
        since=name,
        environment=document.environment,
        account=document.account,
        same=not lines,
        differences=lines,
        not_compared=_hidden(document, earlier),
    )


def text(report: Differences) -> str:
    """Return what is different as text that ends with a newline."""
    lines = [f"Different from {report.since}: {report.verdict}."]
    lines += [f"  {difference.mark} {difference.said}" for difference in report.differences]
    return "\n".join(map(clean, [*lines, *_rest(report)])) + "\n"


def _rest(report: Differences) -> list[str]:
    return [f"Not compared, for it is not shown: {words.named(report.not_compared)}."] if report.not_compared else []


def as_json(report: Differences) -> str:
    """Return what is different as JSON."""
    return to_json(report.model_dump(mode="json"))


def markdown(report: Differences) -> str:
    """Return what is different for a comment: as many lines as a host takes, the others counted."""
    lines = [f"## Different from {harmless(report.since, 'code')}: {report.verdict}", ""]
    room = MOST
    for at, difference in enumerate(report.differences):
        line = f"- **{MEANING[difference.mark]}**: {harmless(difference.said, 'prose')}"
        room -= 2 * len(line)  # hosts count UTF-16 units
        if room < 0:
            lines.append(f"- and {words.counted(len(report.differences) - at, 'line')} more")
            break
        lines.append(line)
    return "\n".join([*lines, *(["", *map(_prose, rest)] if (rest := _rest(report)) else [])]).rstrip() + "\n"


def _prose(line: str) -> str:
    return harmless(line, "prose")


def html(report: Differences) -> str:
    """Return what is different as an HTML page."""
    return filled("since.html", report=report, meaning=MEANING, tones=TONES, rest=_rest(report))


def github(report: Differences) -> str:
    """Return what is different as GitHub workflow commands: a notice for each line, and one where there is none."""
    notices = [f"{MEANING[difference.mark]}: {difference.said}" for difference in report.differences] or [
        "Nothing is different."
    ]
    title = harmless(f"Different from {report.since}", "property")
    return "".join(f"::notice title={title}::{harmless(line, 'command')}\n" for line in [*notices, *_rest(report)])


def differences(document: PlanDocument, earlier: PlanDocument) -> Iterator[str]:
    """Yield what a plan does that an earlier one did not, what it does not do any more, and what it does otherwise."""
    if document.account != earlier.account:
        yield f"~ account {document.account}, was {earlier.account}"
    known = {**earlier.names, **document.names}
    names = _names(document, earlier)
    document, earlier = introduced(document, known), introduced(earlier, known)
    now, then = ({change.address: change for change in words.visible(plan)} for plan in (document, earlier))
    for address, change in now.items():
        if address not in then:
            yield f"+ new in the plan: {_told(change, names)}"
        else:
            yield from _changed(change, then[address], names)
    yield from (f"- not in the plan any more: {_told(then[address], names)}" for address in then if address not in now)
    yield from _guards(document, earlier, names)
    skipped, were = (
        {names.introduce(skipped.address): skipped.reason for skipped in plan.skipped} for plan in (document, earlier)
    )
    yield from _sides("not planned", skipped, were)
    yield from _only("warning", document.warnings, earlier.warnings)
    if (document.settings is None) != (earlier.settings is None) or (
        document.settings and earlier.settings and document.settings.mark != earlier.settings.mark
    ):
        yield "~ what the change does to the project file"


def _names(document: PlanDocument, earlier: PlanDocument) -> Names:
    """Return the names of all that one of two plans knows, as they are in the later one."""
    known = {key: str(without_people(name)) for key, name in {**earlier.names, **document.names}.items()}
    return Names([*earlier.changes, *document.changes], known)


def _told(change: ChangeView, names: Names) -> str:
    risk = at_risk(change, names)
    return f"{_does(change)} {names.introduce(change.address)}{f': {risk}' if risk else ''}"


def _does(change: ChangeView) -> str:
    return "switch off" if change.switches_off else _DOES.get(change.action, change.action)


def _changed(change: ChangeView, before: ChangeView, names: Names) -> Iterator[str]:
    where = names.introduce(change.address)
    if _does(change) != _does(before):
        yield f"~ {where}: {_does(change)}, was {_does(before)}"
    if change.id != before.id and change.id and before.id:
        yield f"~ {where}: id {change.id}, was id {before.id}"
    now, then = ({attribute.name: attribute for attribute in side.attributes} for side in (change, before))
    for name in [*now, *(name for name in then if name not in now)]:
        yield from _attribute(f"{where}, {called(name)}", now.get(name), then.get(name), names)
    impacts, was = ("; ".join(each(side.impacts, names)) or "nothing is touched" for side in (change, before))
    if impacts != was:
        yield f"~ {where}: {impacts}, was: {was}"
    yield from _only(where, _facts(change), _facts(before))
    yield from _sides(f"{where} manually", _called(change.manual), _called(before.manual))
    yield from _only(where, _destinations(change, names), _destinations(before, names))
    yield from _only(where, map(sentences.use, change.uses), map(sentences.use, before.uses))
    yield from _sides(
        f"{where} finding",
        {finding.message: finding.severity for finding in change.findings},
        {finding.message: finding.severity for finding in before.findings},
    )


def _facts(change: ChangeView) -> list[str]:
    """What holds of a change beside what it writes."""
    facts = [f"moved from {change.moved_from}"] if change.moved_from else []
    facts += ["takes over what exists"] if change.adopts and change.action != "adopt" else []
    facts += ["protected from being deleted"] if change.prevent_destroy else []
    facts += [f"left as it is: {', '.join(change.ignored)}"] if change.ignored else []
    return facts + (["its loss was not counted"] if change.uncounted else [])


def _only(where: str, now: Iterable[str], then: Iterable[str]) -> Iterator[str]:
    """Yield sentences that one side has and the other has not."""
    now, then = list(now), list(then)
    yield from (f"+ {where}: {card}" for card in now if card not in then)
    yield from (f"- {where}: {card}, not any more" for card in then if card not in now)


def _attribute(where: str, now: AttributeView | None, then: AttributeView | None, names: Names) -> Iterator[str]:
    if now is None or then is None:
        mark, what, view = ("+", "also changes", now) if then is None else ("-", "does not change any more", then)
        yield f"{mark} {where} {what}{f': {_shown(view)}' if view is not None else ''}"
    elif not (same(now.before, then.before) and same(now.after, then.after) and now.places == then.places):
        yield f"~ {where}: {_otherwise(now, then, names)}"


def _otherwise(now: AttributeView, then: AttributeView, names: Names) -> str:
    """Return how an attribute changes in two plans. Where it is the same in the account, what it becomes is told alone,
    and of two lists the entries that differ.
    """
    if now.places or then.places or now.sensitive or not same(now.before, then.before):
        return f"{_shown(now)}, was {_shown(then)}"
    if isinstance(now.after, list) and isinstance(then.after, list):
        other = [item for item in items(then.after, now.after, names) if item.state]
        return ", ".join(f"{item.text} ({item.note})" for item in other)
    return f"{literal(now.after)}, was {literal(then.after)}"


def _shown(view: AttributeView) -> str:
    if view.places:
        return f"place {view.places[0]} -> {view.places[1]}"
    before, after = (literal(value, sensitive=view.sensitive) for value in (view.before, view.after))
    return f"{before} -> {after}"


def _destinations(change: ChangeView, names: Names) -> list[str]:
    return [sentences.moved_first(what, names.introduce(address)) for what, address in change.on_destroy.items()]


def _called(by_attribute: Mapping[str, str]) -> dict[str, str]:
    return {called(name): text for name, text in by_attribute.items()}


def _guards(document: PlanDocument, earlier: PlanDocument, names: Names) -> Iterator[str]:
    """Yield which guards and rules speak otherwise. One that speaks once in both plans is one, whatever it is about."""
    now, then = (_spoken(plan) for plan in (document, earlier))
    for name in [*now, *(name for name in then if name not in now)]:
        mine, theirs = now.get(name, []), then.get(name, [])
        if len(mine) == len(theirs) == 1:
            yield from _guard(mine[0], theirs[0], names)
        else:
            yield from _sides("guard", _by_things(mine, names), _by_things(theirs, names))


def _spoken(document: PlanDocument) -> dict[str, list[GuardView]]:
    by_name: dict[str, list[GuardView]] = {}
    for guard in document.guards:
        if guard.verdict != "passed":
            by_name.setdefault(cards.coded(guard), []).append(guard)
    return by_name


def _by_things(guards: Iterable[GuardView], names: Names) -> dict[str, str]:
    return {
        f"{cards.coded(guard)} {words.named([names.introduce(address) for address in guard.addresses])}".strip(): (
            _verdict(guard)
        )
        for guard in guards
    }


def _guard(now: GuardView, then: GuardView, names: Names) -> Iterator[str]:
    """Yield that a guard says something else, and what it is about now, or is not any more."""
    if _verdict(now) != _verdict(then):
        sides = (
            (now.message, then.message) if words.state(now) == words.state(then) else (_verdict(now), _verdict(then))
        )
        yield f"~ guard {cards.coded(now)}: {sides[0]}, was {sides[1] or 'without a reason'}"
    for mark, what, here, other in (("+", "also about", now, then), ("-", "not any more about", then, now)):
        if some := [names.introduce(address) for address in here.addresses if address not in other.addresses]:
            yield f"{mark} guard {cards.coded(now)} {what} {words.named(some)}"


def _verdict(guard: GuardView) -> str:
    state = words.state(guard).lower()
    return f"{state}: {guard.message}" if guard.message else state


def _sides(what: str, now: Mapping[str, str], then: Mapping[str, str]) -> Iterator[str]:
    for name, value in now.items():
        if name not in then:
            yield f"+ {what} {name}: {value}"
        elif then[name] != value:
            yield f"~ {what} {name}: {value}, was {then[name]}"
    yield from (f"- {what} {name} not any more" for name in then if name not in now)


def _hidden(document: PlanDocument, earlier: PlanDocument) -> list[str]:
    """What changes in both plans and is masked in both: whether it is the same cannot be seen."""
    names = _names(document, earlier)
    mine, theirs = (
        {
            f"{names.introduce(change.address)}, {called(view.name)}"
            for change in plan.changes
            for view in change.attributes
            if view.sensitive
        }
        for plan in (document, earlier)
    )
    return sorted(mine & theirs)
