"""What pydantic finds wrong with a piece of a file, in plain words and with its place in the tree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from reconciler.config.reading.interpolation import Scope
from reconciler.config.reading.nodes import Entry, Map, Node, Sequence, Spot, is_null
from reconciler.config.reading.problems import Problems, listed
from reconciler.config.reading.scalars import meaning
from reconciler.model.nearest import did_you_mean, nearest
from reconciler.model.redaction import abridged
from reconciler.model.spec import Api, Spec

Model = TypeVar("Model", bound=BaseModel)
ValuePath = tuple[str | int, ...]

_EXPECTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "list_type": "a list",
    "dict_type": "a map",
    "mapping_type": "a map",
    "model_type": "a map",
    "none_required": "null",
}
_VERSION_HINT = "this program reads projects of version 1: write `version: 1`, or install a newer one"
_NUMBERLIKE = r"(?i)[-+]?(?:0[xob][0-9a-f]{1,16}|(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:e[-+]?\d{1,3})?)"
_LIMITS = {
    "greater_than": ("gt", "must be greater than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}


class Violation(NamedTuple):
    """One of pydantic's errors, found in the tree. `path` holds what is in the data, without pydantic's union tags."""

    path: ValuePath
    entry: Entry | None
    node: Node
    error: ErrorDetails
    in_union: bool

    @property
    def spot(self) -> Spot:
        """Where a wrong value stands."""
        return self.entry.spot if self.entry is not None else self.node.spot

    @property
    def holder(self) -> Spot:
        """Where the key of a map stands in which something is missing or too much."""
        return self.entry.key.spot if self.entry is not None else self.node.spot

    @property
    def name(self) -> str:
        """What to call the value in a sentence."""
        *_, last = self.path or ("the value",)
        if isinstance(last, int):
            outer = next((part for part in reversed(self.path) if isinstance(part, str)), "the list")
            return f"item {last + 1} of `{outer}`"
        return f"`{last}`"


def validated(model: type[Model], data: object, root: Entry, scope: Scope) -> Model | None:
    """Return the model's instance, or None where the data is wrong, which the scope's problems then tell.

    `root` is the entry of the tree that the data comes from.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = [_located(detail, root) for detail in error.errors(include_url=False)]
    for group in _groups(faults):
        if id(group[0].node) not in scope.spoiled:
            _tell(group, model, scope.problems)
    return None


def _located(error: ErrorDetails, root: Entry) -> Violation:
    """Follow an error's location as far as the tree goes; what it does not have is a union tag or a missing key."""
    entry: Entry | None = root
    node = root.value
    path: list[str | int] = []
    skipped = False
    for step in error["loc"]:
        if isinstance(node, Map) and step in node.entries:
            entry = node.entries[str(step)]
            node = entry.value
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            entry, node = None, node.items[step]
        else:
            skipped = True
            continue
        path.append(step)
    if error["type"] == "missing":
        path.append(error["loc"][-1])
        skipped = len(path) < len(error["loc"])
    return Violation(tuple(path), entry, node, error, skipped)


def _groups(faults: list[Violation]) -> list[list[Violation]]:
    """Return what is to be told together: the branches of a union that fail at one place.

    Where a branch got further than the others it was the one that was meant; the others are dropped.
    """
    paths = {fault.path for fault in faults}
    deeper = {path[:length] for path in paths for length in range(len(path))}
    grouped: dict[ValuePath, list[Violation]] = {}
    for fault in faults:
        if not (fault.in_union and fault.path in deeper):
            grouped.setdefault(fault.path, []).append(fault)
    return list(grouped.values())


def _tell(group: list[Violation], model: type[BaseModel], problems: Problems) -> None:
    fault = group[0]
    kind = fault.error["type"]
    if kind == "missing":
        hint = _description(model, fault.path)
        problems.error("missing-attribute", f"{fault.name} is missing", fault.holder, hint)
    elif kind == "extra_forbidden":
        _tell_unknown(fault, model, problems)
    elif all(other.error["type"] in _EXPECTED or other.error["type"] == "literal_error" for other in group):
        _tell_mismatch(group, model, problems)
    elif kind == "string_pattern_mismatch":
        describe = _key_description if fault.error["loc"][-1] == "[key]" else _description
        hint = describe(model, fault.path)
        problems.error("invalid-value", f"{fault.name} does not have the right form", fault.spot, hint)
    else:
        problems.error(
            "invalid-value", _sentence(fault), fault.spot, _VERSION_HINT if fault.path == ("version",) else ""
        )


def _sentence(fault: Violation) -> str:
    kind, context = fault.error["type"], fault.error.get("ctx", {})
    if kind == "int_parsing_size":
        return f"{fault.name} is too large a number"
    if kind in _LIMITS:
        limit, words = _LIMITS[kind]
        return f"{fault.name} {words} {context[limit]:g}"
    if kind == "too_short":
        count = context["min_length"]
        return f"{fault.name} needs at least {count} {'entry' if count == 1 else 'entries'}"
    if kind == "value_error":
        return f"{fault.name}: {context['error']}"
    return f"{fault.name}: {fault.error['msg'][:1].lower()}{fault.error['msg'][1:]}"


def _tell_unknown(fault: Violation, model: type[BaseModel], problems: Problems) -> None:
    name = str(fault.path[-1]) if fault.path else ""
    known: dict[str, str] = {}
    for owner in _models_at(model, fault.path[:-1]):
        for field, info in owner.model_fields.items():
            known[info.alias or field] = info.alias or field
            known |= {mark.name: field for mark in info.metadata if isinstance(mark, Api) and mark.name}
    if " " in name and is_null(fault.node):
        hint = "inside `{}` and `[]`, put quotes around a text with a comma"
        problems.error("unknown-attribute", f"unknown attribute `{name}`", fault.holder, hint)
        return
    near = nearest(name, known)
    hint = (
        f"did you mean `{known[near]}`?"
        if near is not None
        else f"there are {listed(dict.fromkeys(known.values()), 30)}"
    )
    problems.error("unknown-attribute", f"unknown attribute `{name}`", fault.holder, hint)


def _tell_mismatch(group: list[Violation], model: type[BaseModel], problems: Problems) -> None:
    fault = group[0]
    choices: list[str] = []
    wanted: list[str] = []
    for other in group:
        if other.error["type"] == "literal_error":
            choices += _choices(other.error)
            wanted.append(_one_of(_choices(other.error)))
        else:
            wanted.append(_EXPECTED[other.error["type"]])
    given = fault.error["input"]
    code = "invalid-value" if choices and isinstance(given, str) else "wrong-type"
    counted = choices == ["1"] or any("number" in word for word in wanted)
    spelled = "1" if given is True and choices == ["1"] else _as_number(given) if counted else None
    if fault.path == ("version",) and spelled != "1":
        hint = _VERSION_HINT
    elif given is None:
        hint = "leave it out" + (" to keep what the account has" if issubclass(model, Spec) else "")
    elif spelled is not None:
        hint = _hint_for_number(fault.spot, spelled, wanted)
    else:
        hint = _mismatch_hint(given, choices, wanted, _written(fault.spot, given))
    problems.error(
        code,
        f"{fault.name} must be {' or '.join(dict.fromkeys(wanted))}, not {_shown(given, bool(choices), spelled)}",
        fault.spot,
        _or_by_type(hint, wanted),
    )


def _or_by_type(hint: str, wanted: list[str]) -> str:
    """Return a hint; where a value says nothing of what is meant, and there is none, how its type is written."""
    one_type = wanted in (["`true` or `false`"], ["a whole number"], ["a number"])
    return hint or (f"write {wanted[0]}" if one_type else "")


def _written(spot: Spot, given: object) -> str:
    """Return how a number or flag is written in the file: 3.10 is another text than 3.1."""
    text = spot.source.line(spot.line)[spot.column : spot.column + spot.length]
    if type(meaning(text)) is type(given) and meaning(text) == given:
        return text
    return str(given).lower() if isinstance(given, bool) else str(given)


def _mismatch_hint(given: object, choices: list[str], wanted: list[str], written: str) -> str:
    """Return what to write instead, by the type of what is given."""
    if isinstance(given, str):
        return did_you_mean(given, choices) if choices else _hint_for_text(given, wanted)
    if not isinstance(given, bool | int | float):
        return ""
    if "`true` or `false`" in wanted:
        return "write `true`" if given == 1 else "write `false`" if given == 0 else ""
    return f'put it in quotes to make it a text: "{written}"' if choices or "a text" in wanted else ""


def _hint_for_text(given: str, wanted: list[str]) -> str:
    if given.lower() in ("true", "false", "yes", "no", "on", "off", "1", "0") and "`true` or `false`" in wanted:
        return f"write `{'true' if given.lower() in ('true', 'yes', 'on', '1') else 'false'}`, without quotes"
    return f"a list of one is written [{given}]" if "a list" in wanted else ""


def _as_number(given: object) -> str | None:
    """Return how a number is written that a user wrote in another way, or as another type; None for what is none."""
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        return None
    text = str(given).replace("_", "").strip()
    if not re.fullmatch(_NUMBERLIKE, text):
        return None
    for read in (_whole, lambda digits: int(digits, 0), float):
        try:
            number = read(text)
        except ValueError:
            continue
        if number == number and abs(number) < 1e15:
            return str(int(number)) if number == int(number) else str(number)
    return None


def _whole(digits: str) -> int:
    return int(digits, 10)  # 010 is ten: to be eight is the surprise of other loaders


def _hint_for_number(spot: Spot, spelled: str, wanted: list[str]) -> str:
    """Return how to write a number: the quotes make it a text, other forms of numbers are none in a configuration."""
    whole = not any(word == "a number" for word in wanted)
    if whole and not spelled.lstrip("-").isdecimal():
        return "write a whole number"
    quoted = spot.source.line(spot.line)[spot.column : spot.column + 1] in ("'", '"')
    return f"the quotes make it a text: write {spelled}" if quoted else f"write {spelled}"


def _choices(error: ErrorDetails) -> list[str]:
    expected = str(error.get("ctx", {}).get("expected", ""))
    return re.findall(r"'([^']*)'", expected) or [expected]


def _one_of(choices: list[str]) -> str:
    return f"one of {listed(choices, 40)}" if len(choices) > 1 else f"`{choices[0]}`"


def _shown(value: object, choice: bool, spelled: str | None = None) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        text = "the text " if spelled is not None else ""
        return f"{text}`{abridged(value, 40)}`" if choice or text else "a text"
    return "null" if value is None else "a list" if isinstance(value, list) else "a map"


def _description(model: type[BaseModel], path: ValuePath) -> str:
    while path and isinstance(path[-1], int):  # an item of a list is what the list holds
        path = path[:-1]
    if not path:
        return ""
    for info in _fields_at(model, path):
        if info.description:
            return info.description
    return ""


def _key_description(model: type[BaseModel], path: ValuePath) -> str:
    """Return the description of what the keys of a map may be; `path` leads to an entry of it."""
    for info in _fields_at(model, path[:-1]):
        for meta in getattr(next(iter(get_args(info.annotation)), None), "__metadata__", ()):
            if isinstance(meta, FieldInfo) and meta.description:
                return meta.description
    return ""


def _fields_at(model: type[BaseModel], path: ValuePath) -> Iterator[FieldInfo]:
    """Yield the fields that may stand at a path of the data."""
    for owner in _models_at(model, path[:-1]):
        for name, info in owner.model_fields.items():
            if path and (info.alias or name) == path[-1]:
                yield info


def _models_at(model: type[BaseModel], path: ValuePath) -> list[type[BaseModel]]:
    """Return the models that may stand at a path of the data."""
    current = [model]
    for step in path:
        fields = [
            info
            for owner in current
            for name, info in owner.model_fields.items()
            if isinstance(step, str) and (info.alias or name) == step
        ]
        if fields:
            current = [model for info in fields for model in _models_in(info.annotation)]
    return current


def _models_in(annotation: object) -> Iterable[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
