"""What a plan does, in sentences for people who read no YAML: what becomes of an object and of what hangs on it,
what it costs and what it needs. Nothing here is an address, an id or a term of ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from reconciler.model.document import ChangeView, FindingView, ImpactView, PlanDocument, Summary, UseView
from reconciler.render import words
from reconciler.render.directions import named
from reconciler.render.effects import NOTHING_LOST, impact, restates
from reconciler.render.naming import Names, identity, joined, label, member, pipeline_of, screen, set_apart, sized
from reconciler.render.outline import gathered
from reconciler.render.sides import called
from reconciler.render.terms import SCREENS
from reconciler.render.words import counted

_FIELDS = ("field", "deal_field", "account_field")
_SAID = 3
"""Kinds that a sentence names one by one; of more it counts the things."""

MOVED = "are kept, and are moved or read differently"


def consequences(change: ChangeView) -> list[str]:
    """Return what people notice when an object of this kind goes, but what its losses say with a number."""
    if change.action not in words.DESTRUCTIVE:
        return []
    sentences = [] if any(map(restates, change.impacts)) else [screen(change.kind).gone]
    if change.action == "replace":
        sentences.append("A new one is made; whatever used the old one has to be pointed to it.")
    return list(filter(None, sentences))


def losses(change: ChangeView, names: Names, *, reassuring: bool = True) -> list[str]:
    """Return what becomes of records and other things that a change touches, the worst first; without the sentence that
    nothing is lost unless `reassuring`: of a whole plan it is said once.
    """
    order = ("lost", "moved", "unmanaged", "along", "hidden")
    counted = sorted((view for view in change.impacts if view.count != 0), key=lambda view: order.index(view.effect))
    counted = [_in_words(view, change) for view in counted]
    evacuations = change.on_destroy if change.action in words.DESTRUCTIVE else {}
    to = joined([f"the {names.thing(where)}" for where in evacuations.values()])
    sentences = [impact(view, names, evacuated_to=to if view.effect in ("lost", "moved") else "") for view in counted]
    if not any(" first" in sentence for sentence in sentences):
        sentences += [moved_first(what, names.thing(where)) for what, where in evacuations.items()]
    if reassuring and any(view.effect in words.AT_RISK for view in change.impacts) and not words.risky(change):
        sentences.append(NOTHING_LOST)
    return sentences


def moved_first(what: str, where: str) -> str:
    """Return what `on_destroy` asks for: `Its deals are moved to the stage Won of Sales first.`"""
    return f"Its {what.removeprefix('move_').removesuffix('_to').replace('_', ' ')} are moved to the {where} first."


_DONE: Mapping[str, str] = {
    "create": "New",
    "adopt": "Taken over",
    "update": "Changed",
    "replace": "Replaced",
    "delete": "Deleted",
    "forget": "Left alone",
    "move": "Renamed in the files",
    "manual": "Manually",
    "refresh": "Noted down",
    "none": "As it is",
}
_MORE: Mapping[str, str] = {
    "adopt": "It exists already and is kept; no second one is made.",
    "forget": "It stays in the account as it is; these files do not look after it any more.",
    "move": "Nothing changes in the account.",
    "manual": "The product's interface to programs cannot do this; a user has to.",
    "refresh": "Nothing changes in the account; this is only noted down.",
}
_DRIFT = {"update": "Changed in the account", "delete": "Gone from the account"}


def done(change: ChangeView, *, drift: bool = False) -> str:
    """Return what happens to an object in one or two words."""
    if change.switches_off and not drift:
        return "Switched off"
    return "Taken over and changed" if _takes_over(change) else word_of(change.action, drift=drift)


def _takes_over(change: ChangeView) -> bool:
    """Return whether an object that exists and was not managed is changed from now on, and at once."""
    return change.adopts and change.action == "update"


def word_of(action: str, *, drift: bool = False) -> str:
    """Return what an action does in one or two words."""
    return (_DRIFT.get(action) if drift else None) or _DONE[action]


def quoted_for_people(text: str) -> str:
    """Return a text with quotation marks in place of those of code."""
    return re.sub(r"`([^`\n]+)`", r"“\1”", text)


def place_for_people(text: str) -> str:
    """Return where something is used, or could not be looked for, by the names of the screens."""
    return quoted_for_people(text).replace("automation blocks", "steps of automations")


def use(view: UseView, what: str = "it") -> str:
    """Return who uses `what`; what could not be looked into does not count as unused."""
    note = f" ({quoted_for_people(view.note)})" if view.note else ""
    view = view.model_copy(update={"where": place_for_people(view.where)})
    if view.certainty == "not inspected":
        return f"Could not be looked into: {view.where}{note}. Whether {what} is used there is not known."
    return f"{'Used' if view.certainty == 'used' else 'Maybe used'} by {view.where}{note}."


def headline(change: ChangeView, names: Names) -> str:
    """Return what happens to one object: `The tag VIP is deleted.`"""
    thing = names.thing(change.address)
    if parts := parts_lost(change):
        return f"The {thing} loses {parts}."
    if change.switches_off:
        return f"The {thing} is switched off, not deleted."
    if change.action == "update":
        return sentence(change, names)
    verbs = {"delete": "is deleted", "replace": "is deleted and made again"}
    return f"The {thing} {verbs.get(change.action, 'stays')}."


_TOLD: Mapping[str, str] = {
    "create": "is new",
    "adopt": "exists already and is taken over",
    "update": "changes",
    "replace": "is deleted and made again",
    "delete": "is deleted",
    "forget": "stays as it is, and these files do not look after it any more",
    "move": "has another key in the files; nothing changes in the account",
    "manual": "has to be changed by a user in the product",
    "refresh": "stays as it is; what is there is noted down",
}
_TOLD_OF_DRIFT = {"update": "was changed in the account", "delete": "is gone from the account"}


def sentence(change: ChangeView, names: Names, *, drift: bool = False) -> str:
    """Return what happens to one object, and of a change to what of it: `The list News changes: name and fields.`"""
    if change.switches_off and not drift:
        return headline(change, names)
    verb = (_TOLD_OF_DRIFT.get(change.action) if drift else None) or _TOLD.get(change.action, "stays as it is")
    verb = "exists already, is taken over and changes" if _takes_over(change) else verb
    what = f": {of}" if (of := touched(change)) else ""
    return f"The {names.thing(change.address)} {verb}{what}."


def more(change: ChangeView) -> str:
    """Return what an action means that a word does not tell."""
    return _MORE.get("adopt" if _takes_over(change) else change.action, "")


def touched(change: ChangeView) -> str:
    """Return what of an object changes, by the names of its attributes: `title, options and group`."""
    if change.action not in ("update", "replace", "adopt"):
        return ""
    return joined([_inside(called(attribute.name)) for attribute in change.attributes])


def _inside(label: str) -> str:
    """Return a label as it stands inside a sentence."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def rename(document: PlanDocument, names: Names) -> dict[tuple[str, str], str]:
    """Return the question about each pair that is most likely one object: (goes, comes) -> sentence."""
    questions = {}
    for pair in document.renames:
        kind = screen(pair.source.partition(".")[0])
        off = " from all contacts" if pair.source.startswith("tag.") else ""
        questions[pair.source, pair.target] = (
            f"This deletes the {kind.one} {names[pair.source]}{off} and makes a new one, {names[pair.target]}. "
            "Did you mean to rename it? A rename keeps it and all that hangs on it."
        )
    return questions


def verdict(document: PlanDocument) -> list[str]:
    """Return what a plan does, what it costs and what it needs, in a few sentences of plain words."""
    if document.options.get("refresh_only") and document.changes:
        unread = len(document.skipped)
        return [
            _drifted(document),
            *([f"{sized(unread, 'thing', 'things').capitalize()} could not be looked at."] if unread else []),
        ]
    if document.options.get("refresh_only") or not words.visible(document):
        return [words.verdict(document)]
    return list(filter(None, [_cloned(document), _does(document), *affects(document), _needs(document)]))


def _drifted(document: PlanDocument) -> str:
    """What was done in the account since the last apply."""
    gone = sum(change.action == "delete" for change in document.changes)
    changed = len(document.changes) - gone
    parts = [f"{sized(changed, 'thing was', 'things were')} changed in the account"] if changed else []
    parts += [f"{sized(gone, 'thing is', 'things are')} gone from {'it' if changed else 'the account'}"] if gone else []
    sentence = f"{joined(parts)} since the last apply."
    rest = counted(document.summary.unchanged, "other is", "others are")
    return f"{sentence[:1].upper()}{sentence[1:]}" + (f" {rest} as applied." if document.summary.unchanged else "")


def _cloned(document: PlanDocument) -> str:
    """What a clone is for, which its changes one by one do not tell."""
    source = (document.options.get("clone") or {}).get("from")
    return (
        f"This makes the account of {named(document.environment)} like that of {named(str(source))}." if source else ""
    )


def _does(document: PlanDocument) -> str:
    changes = words.visible(document)
    parts, others = _losses(changes), _gains(changes)
    sentences = [f"This plan {_clauses(parts)}."] if parts else []
    if others:
        sentences.append(f"{'It also' if parts else 'This plan'} {_clauses(others)}.")
    return " ".join(sentences) or "This plan changes nothing in the account; it notes down what is there."


def _clauses(parts: Sequence[str]) -> str:
    """Return clauses as one; those that hold an `and` of their own are parted by a comma from the last."""
    if len(parts) > 1 and any(" and " in part for part in parts):
        return f"{', '.join(parts[:-1])}, and {parts[-1]}"
    return joined(parts)


def _of(changes: Iterable[ChangeView], action: str) -> list[ChangeView]:
    return [change for change in changes if change.action == action]


def _losses(changes: Sequence[ChangeView]) -> list[str]:
    """Return what a plan takes away: what it deletes, makes again, and switches off."""
    deleted = [change for change in _of(changes, "delete") if not change.switches_off]
    parts_of = [removed(change) for change in _of(changes, "update")]
    counts = {name: sum(len(some.get(name, ())) for some in parts_of) for name in _PARTS}
    lost = [*_sorts(deleted, every=True), *(sized(count, *_PARTS[name]) for name, count in counts.items() if count)]
    parts = [f"deletes {joined(lost)}"] if lost else []
    if again := _of(changes, "replace"):
        parts.append(
            f"deletes {joined(_sorts(again, every=True))} and makes {'it' if len(again) == 1 else 'them'} again"
        )
    if off := [change for change in changes if change.switches_off]:
        parts.append(f"switches off {joined(_sorts(off, every=True))}")
    return parts


def _gains(changes: Sequence[ChangeView]) -> list[str]:
    """Return what else a plan does, and what it leaves to do."""
    mine = [change for change in changes if not _takes_over(change)]
    sorts = (
        ("changes", _of(mine, "update")),
        ("takes over and changes", [change for change in changes if _takes_over(change)]),
        ("takes over", _of(mine, "adopt")),
        ("stops looking after", _of(mine, "forget")),
        ("creates", _of(mine, "create")),
    )
    others = [f"{verb} {joined(_sorts(some))}" for verb, some in sorts if some]
    if manual := sum(bool(change.manual) for change in changes):
        others.append(f"leaves {sized(manual, 'thing', 'things')} to do manually")
    return others


def _sorts(changes: Sequence[ChangeView], *, every: bool = False) -> list[str]:
    """Return how many of which kinds; of many kinds only how many things, unless every one is to be named."""
    counts = Counter(change.kind for change in changes)
    if len(counts) > _SAID and not every:
        return [sized(len(changes), "thing", "things")]
    order = {kind: place for place, kind in enumerate(SCREENS)}
    kinds = sorted(counts, key=lambda kind: order.get(kind, len(order)))
    return [sized(counts[kind], screen(kind).one, screen(kind).many) for kind in kinds]


_PARTS: Mapping[str, tuple[str, str]] = {
    "options": ("option", "options"),
    "fields": ("field of a custom object", "fields of custom objects"),
    "relationships": ("relationship of a custom object", "relationships of custom objects"),
}
"""Attributes that hold parts of an object, with what one of them is called."""


def removed(change: ChangeView) -> dict[str, list[str]]:
    """Return what parts an object loses, by the attribute that holds them: options of a field, fields of a custom
    object.
    """
    gone: dict[str, list[str]] = {}
    for attribute in change.attributes if change.kind in ("custom_object", *_FIELDS) else ():
        before, after = attribute.before, attribute.after
        if attribute.name not in _PARTS:
            continue
        if isinstance(before, list) and isinstance(after, list):
            now = {identity(item) for item in after}
            gone[attribute.name] = [label(item) for item in before if identity(item) not in now]
        elif isinstance(before, dict):
            now = set(after) if isinstance(after, dict) else set()
            gone[attribute.name] = [member(str(key), item) for key, item in before.items() if key not in now]
    return {name: some for name, some in gone.items() if some}


def parts_lost(change: ChangeView) -> str:
    """Return the parts that an object loses and stays, `the options Old and New`; "" for none."""
    gone = removed(change) if change.action == "update" else {}
    return joined([_lost_parts(name, some) for name, some in gone.items()])


def _lost_parts(name: str, some: Sequence[str]) -> str:
    """Return `the option Old`, `the fields Seat and Row`."""
    word = _PARTS[name][len(some) > 1].partition(" of ")[0]
    return f"the {word} {words.named([set_apart(named(part)) for part in some])}"


def takes_away(change: ChangeView) -> bool:
    """Return whether a change takes something away: an object, records, or an option, also one that no record has."""
    return words.destructive(change) or bool(parts_lost(change))


def told_as_lost(changes: Sequence[ChangeView]) -> list[ChangeView]:
    """Return the changes that take something away, but for stages without records of their own whose pipeline goes: it
    is told of that.
    """
    going = {change.address for change in changes if change.kind == "pipeline" and change.action == "delete"}
    return [
        change
        for change in changes
        if takes_away(change)
        and not (
            change.kind == "stage"
            and change.action == "delete"
            and not words.lost(change)
            and pipeline_of(change.address) in going
        )
    ]


def in_order(changes: Iterable[ChangeView]) -> list[ChangeView]:
    """Return changes by kind as the screens have them, in each kind what destroys first; what is created last of
    all.
    """
    order = {kind: place for place, kind in enumerate(SCREENS)}
    return sorted(
        changes,
        key=lambda change: (
            change.action == "create",
            order.get(change.kind, len(order)),
            not words.destructive(change),
        ),
    )


def worst_first(changes: Iterable[ChangeView]) -> list[ChangeView]:
    """Return changes in the order in which what is lost is told: most of it first."""
    return sorted(in_order(changes), key=lambda change: -words.lost(change))


def _in_words(view: ImpactView, change: ChangeView) -> ImpactView:
    """Return an effect with options under the names that people see in place of what the account keeps of them."""
    noun = view.noun
    for attribute in change.attributes:
        if attribute.name == "options" and isinstance(attribute.before, list):
            for item in attribute.before:
                noun = noun.replace(f"`{identity(item)}`", f"`{label(item)}`")
        elif attribute.name == "fields" and isinstance(attribute.before, dict):
            noun = _with_labels(noun, attribute.before)
    return view if noun == view.noun else view.model_copy(update={"noun": noun})


def _with_labels(noun: str, parts: Mapping[str, object]) -> str:
    """Return what records lose with the labels of parts in place of their keys."""
    match = re.fullmatch(r"(records (?:lose|hold values of)) (.+)", noun)
    keys = match[2].split(", ") if match else []
    known = [set_apart(named(member(key, parts[key]))) for key in keys if key in parts]
    return f"{match[1]} {joined(known)}" if match and len(known) == len(keys) else noun


def affects(document: PlanDocument) -> list[str]:
    """Return what a plan does to customer data and to what is not declared, in sentences."""
    if document.options.get("impact") is False:
        return ["Whether customer data is lost was not counted."]
    return affected(document.summary)


def affected(counts: Summary) -> list[str]:
    """Return what changes with these counts do to customer data and to what is not declared, in sentences: those of a
    plan, and those of all accounts of a fleet together.
    """
    sentences = []
    if counts.records_at_risk:
        bound = "Up to " if counts.at_most else ""
        number_of = counted(counts.records_at_risk, "customer record")
        sentences.append(f"{bound}{number_of} {'is' if counts.records_at_risk == 1 else 'are'} affected.")
    if counts.unmeasured:
        sentences.append(f"For {sized(counts.unmeasured, 'change', 'changes')} what is lost cannot be counted.")
    if not sentences:
        sentences.append(NOTHING_LOST)
    if counts.records_moved:
        kept = "is kept, and is moved or read differently" if counts.records_moved == 1 else MOVED
        sentences.append(f"{counted(counts.records_moved, 'customer record')} {kept}.")
    if counts.unmanaged:
        go = "that are not in the files go" if counts.unmanaged > 1 else "that is not in the files goes"
        sentences.append(f"{counted(counts.unmanaged, 'thing')} {go} along.")
    return sentences


def _needs(document: PlanDocument) -> str:
    stopped = document.tripped
    if not stopped:
        return ""
    if all(guard.override for guard in stopped):
        return f"It needs {sized(len(stopped), 'approval', 'approvals')}."
    fixed = sum(not guard.override for guard in stopped)
    which = "the reason" if len(stopped) == 1 else f"{sized(fixed, '', '').strip()} of the reasons"
    return f"It cannot be applied: for {which} below there is no approval."


class SaidOnce(NamedTuple):
    """What is noted of more than one change, each in a sentence with of how many, and the changes without it."""

    notices: Sequence[tuple[str, int]]
    changes: Sequence[ChangeView]


def effects(change: ChangeView, names: Names, *, reassuring: bool) -> list[str]:
    """Return what people will notice of a loss: what follows from it, what is lost, and who uses it."""
    return [*consequences(change), *losses(change, names, reassuring=reassuring), *uses(change)]


def uses(change: ChangeView) -> list[str]:
    """Return who uses what a change takes away, the first ones of many and how many more there are."""
    known = [view for view in change.uses if view.certainty != "not inspected"]
    more = [f"{counted(len(known) - _SAID, 'more use')} below."] if len(known) > _SAID else []
    return [*map(use, known[:_SAID]), *more]


def said_once(changes: Sequence[ChangeView]) -> SaidOnce:
    """Return what is said once for many changes; of what has the same reason it is said together. Of one place it is
    said once with all that is unknown there, though for one change some of it may be known.
    """
    changes = _widened(changes)
    counts = Counter(
        (use.where, use.note) for change in changes for use in change.uses if use.certainty == "not inspected"
    )
    common = {about: count for about, count in counts.items() if count > 1}
    by_count: dict[int, list[UseView]] = {}
    for (where, note), count in common.items():
        by_count.setdefault(count, []).append(UseView(where=where, certainty="not inspected", note=note))
    notices = [(use(view, "what goes"), count) for count, some in by_count.items() for view in gathered(some)]
    warned = Counter(_warning(finding) for change in changes for finding in change.findings)
    repeated = {text: count for text, count in warned.items() if text and count > 1}
    return SaidOnce([*notices, *repeated.items()], [_without(change, common, repeated) for change in changes])


def _warning(finding: FindingView) -> str:
    """Return a warning as a sentence of its own, "" for what is none: an error stops its change, and is said there."""
    if finding.severity != "warning":
        return ""
    where = f"{called(finding.attribute)}: " if finding.attribute else ""
    text = quoted_for_people(f"{where}{finding.message}")
    return f"{text[:1].upper()}{text[1:]}{f' ({finding.hint})' if finding.hint else ''}."


_UNKNOWN = re.compile(r"(.+): (\d+ `[^`]+`(?:, \d+ `[^`]+`)*)")


def _widened(changes: Sequence[ChangeView]) -> list[ChangeView]:
    """Return changes with the sorts of rows that are unknown at one place for any of them."""
    sorts: dict[tuple[str, str], dict[str, int]] = {}
    for change in changes:
        for view in change.uses:
            if match := _UNKNOWN.fullmatch(view.note):
                known = sorts.setdefault((view.where, match[1]), {})
                for part in match[2].split(", "):
                    count, _, name = part.partition(" ")
                    known[name] = max(known.get(name, 0), int(count))
    return [
        change.model_copy(update={"uses": [_wide(view, sorts) for view in change.uses]}) if change.uses else change
        for change in changes
    ]


def _wide(view: UseView, sorts: Mapping[tuple[str, str], Mapping[str, int]]) -> UseView:
    if not (match := _UNKNOWN.fullmatch(view.note)):
        return view
    parts = (f"{count} {name}" for name, count in sorted(sorts[view.where, match[1]].items()))
    return UseView(where=view.where, certainty=view.certainty, note=f"{match[1]}: {', '.join(parts)}")


def _without(change: ChangeView, common: Container[tuple[str, str]], repeated: Container[str]) -> ChangeView:
    mine = [use for use in change.uses if use.certainty != "not inspected" or (use.where, use.note) not in common]
    findings = [finding for finding in change.findings if _warning(finding) not in repeated]
    if len(mine) == len(change.uses) and len(findings) == len(change.findings):
        return change
    return change.model_copy(update={"uses": mine, "findings": findings})
