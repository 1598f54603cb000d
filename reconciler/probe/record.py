"""What a journal says of a probe that died: whatever became of its lines, what they still tell counts, and what they do
not is said.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from reconciler.model.http import is_id
from reconciler.model.records import mutable
from reconciler.probe.forms import FORMS, MARK, OWNERS, ProbeForm

MARKED = re.compile(rf"{MARK}[0-9A-Za-z]{{1,64}}", re.ASCII)
_COUNT = 10**9


@mutable
class ProbeEntry:
    """Something that a probe made, or may have made: its id is "" where nothing tells it. `ended` says what became of
    it: gone, refused, left; "" while it may be there. `what` is what was said of one that is left.
    """

    number: int
    form: ProbeForm
    attrs: Mapping[str, Any]
    id: str = ""
    ended: str = ""
    what: str = ""


@mutable
class ProbeRecord:
    """`mark` is "" where no line tells how things are named. `damaged` are lines that tell nothing, with why."""

    mark: str = ""
    entries: list[ProbeEntry] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    highest: int = 0


def recorded(lines: Iterable[tuple[int, object]]) -> ProbeRecord:
    """Return what the lines of a journal tell, in whatever order they are: (number of the line, its JSON; None where it
    is none).
    """
    record, kept = ProbeRecord(), list[tuple[int, Mapping[str, Any]]]()
    for place, line in lines:
        why = _wrong(line)
        if why or not isinstance(line, dict):
            record.damaged.append(f"line {place}: {why}")
        else:
            kept.append((place, line))
    record.mark = _mark_of(line for _, line in kept)
    record.highest = max((line.get("n", 0) for _, line in kept), default=0)
    entries = _made(record, kept)
    for place, line in kept:
        if line["op"] in ("made", "refused", "gone", "left"):
            if (entry := entries.get(line["n"])) is None:
                record.damaged.append(f"line {place}: no line says what {line['n']} is")
            else:
                _learn(record, entry, place, line)
    own = {(entry.form.path, entry.id) for entry in entries.values()}
    for entry in entries.values():
        owner = entry.form.owner
        if owner and not entry.ended and (OWNERS[owner], str(entry.attrs[owner])) not in own:
            record.damaged.append(f"{entry.number}: what it hangs on is none of the probe's")
        else:
            record.entries.append(entry)
    return record


def _made(record: ProbeRecord, lines: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[int, ProbeEntry]:
    """Return what was made, by its number in the journal."""
    entries: dict[int, ProbeEntry] = {}
    for place, line in lines:
        if line["op"] == "begin" and line["mark"] != record.mark:
            record.damaged.append(f"line {place}: everything else is named after `{record.mark}`")
        if line["op"] != "making":
            continue
        number, form = line["n"], FORMS[line["form"]]
        if form.label and _named(form, line) != record.mark:
            record.damaged.append(f"line {place}: everything else is named after `{record.mark}`")
        elif number in entries and (entries[number].form, entries[number].attrs) != (form, line["attrs"]):
            record.damaged.append(f"line {place}: {number} is something else in another line")
        else:
            entries.setdefault(number, ProbeEntry(number, form, line["attrs"]))
    return entries


def _learn(record: ProbeRecord, entry: ProbeEntry, place: int, line: Mapping[str, Any]) -> None:
    if line["op"] == "made":
        if entry.id and entry.id != str(line["id"]):
            record.damaged.append(f"line {place}: {entry.number} has another id in another line")
        entry.id = "" if entry.id and entry.id != str(line["id"]) else str(line["id"])
    elif entry.ended and entry.ended != line["op"]:
        record.damaged.append(f"line {place}: {entry.number} is {entry.ended} in another line")
        entry.ended = ""
    else:
        entry.ended, entry.what = line["op"], str(line.get("what", ""))
    if entry.ended == "refused" and entry.id:
        record.damaged.append(f"line {place}: {entry.number} was refused, and made")
        entry.ended = ""


def _mark_of(lines: Iterable[Mapping[str, Any]]) -> str:
    """Return how most things are named that the lines tell of; what `begin` says, where as many are named otherwise."""
    votes: Counter[str] = Counter()
    for line in sorted(lines, key=lambda line: bool(line["op"] != "begin")):
        if line["op"] == "begin":
            votes[line["mark"]] += 1
        elif line["op"] == "making" and FORMS[line["form"]].label:
            votes[_named(FORMS[line["form"]], line)] += 1
    return votes.most_common(1)[0][0] if votes else ""


def _named(form: ProbeForm, line: Mapping[str, Any]) -> str:
    match = MARKED.match(str(line["attrs"][form.label]).strip())
    return match[0] if match is not None else ""


def _wrong(line: object) -> str:
    """Return what is wrong with a line; "" for one that says something."""
    if not isinstance(line, dict):
        return "it is not a record of a probe"
    members = _MEMBERS.get(line["op"]) if isinstance(line.get("op"), str) else None
    if members is None:
        return "it says of nothing that a probe does"
    wrong = next((name for name, fits in members.items() if name not in line or not fits(line[name])), "")
    if not wrong and line["op"] == "making":
        wrong = next(_unfit(FORMS[line["form"]], line["attrs"]), "")
    return f"`{wrong}` is not what a probe writes" if wrong else ""


def _unfit(form: ProbeForm, attrs: Mapping[str, Any]) -> Iterator[str]:
    """Yield the attributes that do not tell how it is found again."""
    for name in filter(None, (form.label, form.owner, *form.match)):
        value = attrs.get(name)
        fits = isinstance(value, str | int) and not isinstance(value, bool)
        if name == form.label:
            fits = fits and MARKED.match(str(value).strip()) is not None
        elif name == form.owner:
            fits = is_id(value)
        if not fits:
            yield f"attrs.{name}"


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _COUNT


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_MEMBERS: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "begin": {"mark": lambda value: isinstance(value, str) and MARKED.fullmatch(value) is not None},
    "making": {
        "n": _is_count,
        "form": lambda value: isinstance(value, str) and value in FORMS,
        "attrs": lambda value: isinstance(value, dict),
    },
    "made": {"n": _is_count, "id": lambda value: is_id(value) and str(value) != "0"},
    "refused": {"n": _is_count},
    "gone": {"n": _is_count},
    "left": {"n": _is_count, "what": _is_text},
    "options": {"field": is_id},
}
"""What each record has, by what it says that happened."""
