"""What is different in a plan from an earlier one, that a user approved: line by line, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.document import AttributeView, ChangeView, GuardView, PlanDocument
from reconciler.model.since import Difference, Differences
from reconciler.render import cards, words
from reconciler.render.effects import at_risk, each
from reconciler.render.harmless import harmless
from reconciler.render.naming import Names, introduced, without_people
from reconciler.render.pages import filled
from reconciler.render.quoting import clean, literal, to_json
from reconciler.render.sides import called
from reconciler.render.tree import same

MEANING = {"+": "new", "-": "not any more", "~": "otherwise"}
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
    yield from _sides("guard", _guards(document, names), _guards(earlier, names))
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
    return f"{words.sign(change).meaning} {names.introduce(change.address)}{f': {risk}' if risk else ''}"


def _changed(change: ChangeView, before: ChangeView, names: Names) -> Iterator[str]:
    where = names.introduce(change.address)
    if words.sign(change) != words.sign(before):
        yield f"~ {where}: {words.sign(change).meaning}, was {words.sign(before).meaning}"
    if change.id != before.id and change.id and before.id:
        yield f"~ {where}: id {change.id}, was id {before.id}"
    now, then = ({attribute.name: attribute for attribute in side.attributes} for side in (change, before))
    for name in [*now, *(name for name in then if name not in now)]:
        yield from _attribute(f"{where}, {called(name)}", now.get(name), then.get(name))
    impacts, was = ("; ".join(each(side.impacts, names)) or "nothing is touched" for side in (change, before))
    if impacts != was:
        yield f"~ {where}: {impacts}, was: {was}"
    yield from _only(where, _facts(change), _facts(before))
    yield from _sides(f"{where} manually", _called(change.manual), _called(before.manual))
    yield from _sides(f"{where} on_destroy", _destinations(change, names), _destinations(before, names))
    yield from _sides(f"{where} used by", _uses(change), _uses(before))
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


def _attribute(where: str, now: AttributeView | None, then: AttributeView | None) -> Iterator[str]:
    if now is None or then is None:
        mark, what, view = ("+", "also changes", now) if then is None else ("-", "does not change any more", then)
        yield f"{mark} {where} {what}{f': {_shown(view)}' if view is not None else ''}"
    elif not (same(now.before, then.before) and same(now.after, then.after) and now.places == then.places):
        yield f"~ {where}: {_shown(now)}, was {_shown(then)}"


def _shown(view: AttributeView) -> str:
    if view.places:
        return f"place {view.places[0]} -> {view.places[1]}"
    before, after = (literal(value, sensitive=view.sensitive) for value in (view.before, view.after))
    return f"{before} -> {after}"


def _destinations(change: ChangeView, names: Names) -> dict[str, str]:
    return {what: names.introduce(address) for what, address in change.on_destroy.items()}


def _called(by_attribute: Mapping[str, str]) -> dict[str, str]:
    return {called(name): text for name, text in by_attribute.items()}


def _guards(document: PlanDocument, names: Names) -> dict[str, str]:
    by_name: dict[str, str] = {}
    for guard in document.guards:
        if guard.verdict != "passed":
            by_name[
                f"{cards.coded(guard)} {words.named([names.introduce(address) for address in guard.addresses])}".strip()
            ] = _verdict(guard)
    return by_name


def _verdict(guard: GuardView) -> str:
    state = words.state(guard).lower()
    return f"{state}: {guard.message}" if guard.message else state


def _uses(change: ChangeView) -> dict[str, str]:
    return {f"{use.where}{f' ({use.note})' if use.note else ''}": use.certainty for use in change.uses}


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
