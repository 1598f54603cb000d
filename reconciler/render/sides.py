"""What changes of an object, before and after, for people: rows of which only the parts that differ are marked, lists
as their entries with what moved, colours to be painted.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from reconciler.model.conditions import in_words
from reconciler.model.document import AttributeView, ChangeView
from reconciler.model.records import record
from reconciler.model.values import is_empty
from reconciler.render import words
from reconciler.render.lines import Block, as_before, blocks, lines, written
from reconciler.render.naming import Names, humanised, label, member, without_people
from reconciler.render.outline import ANOTHER, moved, unseen
from reconciler.render.quoting import apart, clean, is_marker, literal
from reconciler.render.tree import MISSING, ListEntry, SideValue, entries, same

_COMPARED = 400
_MARKED = 2_000
"""Characters of a text up to which its words are compared."""
_DEEPEST = 4
_COLOUR = re.compile(r"#?([0-9A-Fa-f]{6})")
_CALLED = {
    "perstag": "Personalization tag", "string_id": "Short name", "url": "URL", "order": "Place",
    "width": "Column width",
    "sender_reminder": "Why contacts get mail", "sender_url": "Sender's website", "flags": "Permissions",
    "match": "Which groups must hold", "groups": "Groups of conditions",
    "html": "HTML", "app_id": "App", "reply_to": "Answers go to",
}  # fmt: skip
ItemState = Literal["", "new", "gone", "moved", "changed"]


@record
class TextPart:
    """A part of a text; marked where the other side does not have it."""

    text: str
    marked: bool = False


@record
class Item:
    """An entry of a list, in the order in which entries are afterwards; `note` says what happened to it."""

    text: str
    state: ItemState = ""
    note: str = ""


@record
class TextLine:
    """A line of a text: its parts, or in place of them what there is to say of it (`note`)."""

    parts: Sequence[TextPart] = ()
    note: str = ""
    marked: bool = False


@record
class SideRow:
    """One thing that changes. Of a list there are `items`, of a text of many lines the lines of both sides, else
    the two sides. `was_colour` and `colour` are six hexadecimal digits where the sides are colours.
    """

    name: str
    before: Sequence[TextPart] = ()
    after: Sequence[TextPart] = ()
    items: Sequence[Item] = ()
    lines_before: Sequence[TextLine] = ()
    lines_after: Sequence[TextLine] = ()
    was_colour: str = ""
    colour: str = ""
    notes: Sequence[str] = ()


def rows(change: ChangeView, names: Names, *, drift: bool = False) -> list[SideRow]:
    """Return what changes; of an object that goes and says nothing about that, what it is now, without people's
    addresses.
    """
    if change.attributes or change.action != "delete":
        return [row for view in change.attributes for row in _rows(change, view, names, drift=drift)]
    kept = {name: value for name, value in change.found.items() if value not in (None, "", [], {})}
    return [row for name, value in kept.items() for row in _sides(called(name), without_people(value), MISSING, names)]


def called(name: str) -> str:
    """Return an attribute's name as a label."""
    return _CALLED.get(name) or humanised(_permission(name))


def _permission(name: str) -> str:
    """Return what a permission of a user group is about: `pgDealReassign` as `deal reassign`."""
    match = re.fullmatch(r"pg((?:[A-Z][a-z]*)+)", name)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", match[1]).lower() if match else name


def _rows(change: ChangeView, view: AttributeView, names: Names, *, drift: bool) -> Iterator[SideRow]:
    notes = []
    if view.forces_replacement:
        notes.append("This cannot be changed in place: the object is deleted and made again.")
    if view.origin in ("drift", "both") and not drift:
        notes.append("This was changed in the account after it was last applied.")
    before: SideValue = MISSING if change.action == "create" else view.before
    after: SideValue = MISSING if change.action in ("delete", "forget") else view.after
    rows: Sequence[SideRow]
    if place := moved(view):
        rows = [SideRow(called(view.name), after=(TextPart(place),))]
    elif view.sensitive or unseen(view):
        was = _masked(view.before) if change.action != "create" else ""
        now = ANOTHER if unseen(view) else _masked(view.after) if after is not MISSING else ""
        rows = [SideRow(called(view.name), _pieces(was), _pieces(now))]
    else:
        rows = list(_sides(called(view.name), before, after, names))
    for place_of, row in enumerate(rows):
        yield row if place_of else replace(row, notes=notes)


def _masked(value: Any) -> str:
    plain = isinstance(value, str) or (isinstance(value, dict) and "$secret" in value)
    return "" if value is None else human(value, _NO_NAMES) if plain else literal(value, sensitive=True)


def _pieces(text: str, marked: bool = False) -> tuple[TextPart, ...]:
    return (TextPart(text, marked),) if text else ()


def _sides(name: str, before: SideValue, after: SideValue, names: Names, depth: int = 0) -> Iterator[SideRow]:
    """Yield one row for each value that differs; maps are split into entries."""
    sides = [side for side in (before, after) if side is not MISSING and side is not None]
    if depth < _DEEPEST and _all(sides, dict):
        yield from _of_parts(name, before, after, names, depth)
    elif _all(sides, list):
        old, new = (side if isinstance(side, list) else [] for side in (before, after))
        one_sided = before is MISSING or after is MISSING
        yield SideRow(name, items=_apart([_item(entry, names, quiet=one_sided) for entry in _ordered(old, new)]))
    elif any(isinstance(side, str) and "\n" in side for side in sides):
        yield _of_lines(name, before, after, names)
    else:
        yield _scalar(name, before, after, names)


def _all(sides: Sequence[SideValue], kind: type) -> bool:
    """Return whether there are sides, all of this type and none the mark of a value that is not shown."""
    return bool(sides) and all(isinstance(side, kind) and not is_marker(side) for side in sides)


def _of_parts(name: str, before: SideValue, after: SideValue, names: Names, depth: int) -> Iterator[SideRow]:
    """Yield the rows of a map. Where its entries are parts of an object, as fields of a custom object are, those that
    only one side has are entries of a list; of the others it is told what differs in them.
    """
    was, now = (side if isinstance(side, dict) else {} for side in (before, after))
    if not all(isinstance(part, dict) and "labels" in part for part in (*was.values(), *now.values())):
        yield from _members(name, before, after, names, depth)
        return
    quiet = before in (MISSING, None) or after is MISSING
    items = [_part(key, part, "new", names, quiet=quiet) for key, part in now.items() if key not in was]
    items += [_part(key, part, "gone", names, quiet=quiet) for key, part in was.items() if key not in now]
    if items:
        yield SideRow(name, items=_apart(items))
    both = {key: part for key, part in now.items() if key in was}
    yield from _members(name, {key: was[key] for key in both}, both, names, depth)


def _part(key: str, value: Mapping[str, Any], state: ItemState, names: Names, *, quiet: bool) -> Item:
    """A part by its label, its type, and what else holds of it."""
    known = {name: item for name, item in value.items() if name != "labels" and item not in (None, "", False, [], {})}
    more = [
        human(item, names)
        if name == "type"
        else f"{called(str(name)).lower()}{'' if item is True else f' {human(item, names)}'}"
        for name, item in known.items()
    ]
    text = clean(member(str(key), value)) + (f" ({', '.join(more)})" if more else "")
    return Item(text, "" if quiet else state, "" if quiet else {"gone": "removed"}.get(state, state))


def _members(name: str, before: SideValue, after: SideValue, names: Names, depth: int) -> Iterator[SideRow]:
    was, now = (side if isinstance(side, dict) else {} for side in (before, after))
    for key in [*now, *(key for key in was if key not in now)]:
        here, other = was.get(key, MISSING), now.get(key, MISSING)
        if not same(here, other):
            yield from _sides(f"{name} › {called(str(key))}", here, other, names, depth + 1)


def _ordered(before: Sequence[Any], after: Sequence[Any]) -> list[ListEntry]:
    """Return entries as they are afterwards, and behind them what went."""
    return sorted(entries(before, after), key=lambda entry: entry.now is None)


def items(before: Sequence[Any], after: Sequence[Any], names: Names) -> Sequence[Item]:
    """Return the entries of a list as they are afterwards, with what happened to each, and behind them what went."""
    return _apart([_item(entry, names, quiet=False) for entry in _ordered(before, after)])


def _apart(items: Sequence[Item]) -> Sequence[Item]:
    """Return entries of which none looks like another one that it is not."""
    texts = [item.text for item in items][:_COMPARED]
    return [replace(item, text=apart(item.text, texts)) if item.state else item for item in items]


def _item(entry: ListEntry, names: Names, *, quiet: bool) -> Item:
    """An entry; where there is one side only (`quiet`), nothing is marked, for everything is new, or goes."""
    if entry.now is None:
        return Item(_entry(entry.before, names), "" if quiet else "gone", "" if quiet else "removed")
    text = _entry(entry.after, names)
    if entry.was is None:
        return Item(text, "" if quiet else "new", "" if quiet else "new")
    notes = [f"was in place {entry.was + 1}"] if entry.moved else []
    if not same(entry.before, entry.after):
        notes.append(f"was {_entry(entry.before, names)}")
    return Item(text, "moved" if entry.moved else "changed" if notes else "", ", ".join(notes))


def _entry(value: SideValue, names: Names) -> str:
    """An entry by its name, and what else it says."""
    if not isinstance(value, Mapping) or is_marker(value):
        return human(value, names)
    if phrase := in_words(value, lambda item: human(item, names)):
        return clean(phrase)
    title = label(value)
    if not title:
        return human(value, names)
    more = [
        "chosen by default"
        if (name, item) == ("default", True)
        else f"{humanised(str(name)).lower()} {human(item, names)}"
        for name, item in value.items()
        if item not in (None, "", False, [], {})
        and str(item) != title
        and (name != "value" or title != value.get("label"))
    ]
    return clean(title) + (f" ({', '.join(more)})" if more else "")


def _of_lines(name: str, before: SideValue, after: SideValue, names: Names) -> SideRow:
    """A text of several lines: those of both sides that differ, or all where there is one side only."""
    if isinstance(before, str) and isinstance(after, str) and before and after:
        was: list[TextLine] = []
        now: list[TextLine] = []
        for block in blocks(before, after):
            old, new = _block(block)
            was += old
            now += new
        return SideRow(name, lines_before=was, lines_after=now)
    alone = [
        [_line(line) for line in lines(side)] if isinstance(side, str) and side else _unlined(side, names)
        for side in (before, after)
    ]
    return SideRow(name, lines_before=alone[0], lines_after=alone[1])


def _unlined(side: SideValue, names: Names) -> list[TextLine]:
    return [] if side is MISSING else [TextLine(_pieces(human(side, names)))]


def _block(block: Block) -> tuple[list[TextLine], list[TextLine]]:
    """Return neighbouring lines of both sides; lines that stand for each other are compared word by word."""
    if block.unchanged:
        note = [TextLine(note=as_before(block.unchanged))]
        return note, note
    if block.same:
        return [_line(line) for line in block.old], [_line(line) for line in block.new]
    was = [_line(line, block.new, marked=True) for line in block.old]
    now = [_line(line, block.old, marked=True) for line in block.new]
    if len(was) == len(now):
        for place, (old, new) in enumerate(zip(block.old, block.new, strict=True)):
            if old.strip() and new.strip():
                sides = _marked(old, new)
                was[place], now[place] = (TextLine(side, marked=True) for side in sides)
    return was, now


def _line(line: str, others: Sequence[str] = (), *, marked: bool = False) -> TextLine:
    shown = written(line)
    note = shown.note if marked else ""
    return TextLine(_pieces(apart(shown.text, others), marked), note, marked)


def _scalar(name: str, before: SideValue, after: SideValue, names: Names) -> SideRow:
    was, now = (_told(side, names) for side in (before, after))
    was, now = apart(was, [now]), apart(now, [was])
    colours = [colour_of(name, side) for side in (before, after)]
    sides = _marked(was, now) if isinstance(before, str) and isinstance(after, str) else (_pieces(was), _pieces(now))
    return SideRow(name, *sides, was_colour=colours[0], colour=colours[1])


def _told(value: SideValue, names: Names) -> str:
    return "" if value is MISSING else human(value, names)


def colour_of(name: str, value: SideValue) -> str:
    """Return the six hexadecimal digits of a value that is a colour, "" of any other."""
    colour = _COLOUR.fullmatch(value) if isinstance(value, str) and "color" in name.lower() else None
    return colour[1] if colour else ""


def human(value: SideValue, names: Names) -> str:
    """Return a value as people write it: texts without quotes, `yes`, `nothing`, the names of things."""
    if value is MISSING or is_empty(value):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return _human_text(value)
    if isinstance(value, list | tuple):
        return ", ".join(human(item, names) for item in value)
    if isinstance(value, dict):
        return _map(value, names)
    return words.number(value) if isinstance(value, int) and abs(value) >= 10_000 else literal(value)


def _human_text(text: str) -> str:
    return clean(text) if text == text.strip() and "\n" not in text else literal(text)


def _map(value: dict[str, Any], names: Names) -> str:
    """A reference by the name of what it is about; other maps by their members."""
    if "$ref" in value:
        return clean(names[str(value["$ref"])])
    if "$id" in value:
        return clean(names.undeclared(str(value.get("kind", "")), str(value["$id"])))
    inner = value.get("$lookup")
    if isinstance(inner, dict) and isinstance(inner.get("name"), str):
        return clean(inner["name"])
    if "$secret" in value:
        return clean(str(value["$secret"]))
    if is_marker(value):
        return literal(value)
    return ", ".join(f"{humanised(str(name)).lower()} {human(item, names)}" for name, item in value.items())


def _marked(before: str, after: str) -> tuple[Sequence[TextPart], Sequence[TextPart]]:
    """Return two texts with the words that the other does not have marked. Only blanks part words, so that no picture
    that is written with several characters is cut.
    """
    if len(before) + len(after) > _MARKED or before != before.strip() or after != after.strip():
        return _pieces(human(before, _NO_NAMES), True), _pieces(human(after, _NO_NAMES), True)
    old, new = (re.findall(r"\s+|\S+", text) for text in (before, after))
    was: list[TextPart] = []
    now: list[TextPart] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        was += _pieces(clean("".join(old[a:b])), tag != "equal")
        now += _pieces(clean("".join(new[c:d])), tag != "equal")
    return was or _pieces("nothing"), now or _pieces("nothing")


_NO_NAMES = Names(())
