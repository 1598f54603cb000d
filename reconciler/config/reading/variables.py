"""Variables: declared in resource files, given by environments, used as `${var.x}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from reconciler.config.reading.interpolation import Scope
from reconciler.config.reading.nodes import Entry, Map, Spot, entries_of, is_null
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.validation import validated
from reconciler.model.nearest import did_you_mean

_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "number": (int, float), "bool": (bool,), "list": (list,)}


class Declaration(BaseModel):
    """A variable: its value comes from the environment, or else is the default."""

    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True)

    description: str = Field("", description="What the variable is for.")
    type: Literal["string", "number", "bool", "list"] | None = Field(
        None, description="What values it takes; anything when left out."
    )
    default: Any = Field(
        None, description="Value in environments that give none; without it, every environment must give one."
    )


class GivenVariables(NamedTuple):
    """What an environment gives: its values with their places. `known` is false where no environment was chosen."""

    values: Mapping[str, Any]
    spots: Mapping[str, Spot]
    known: bool = True
    where: str = ""


def settle(declared: Mapping[str, Entry], given: GivenVariables, scope: Scope) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the variables' values, and the names of those whose value only a real run can know."""
    values: dict[str, Any] = {}
    unknown: set[str] = set()
    for name, entry in declared.items():
        declaration = _declaration(entry, scope)
        value = _value(name, entry, declaration, given, scope) if declaration is not None else None
        if value is None:
            # Whatever is wrong with a declaration is told once, where it stands.
            unknown.add(name)
        values[name] = value[0] if value is not None else None
    for name in [name for name in given.values if name not in declared and scope.complete]:
        hint = did_you_mean(name, declared, f"declare it in a resource file: `variables: {{{name}: {{}}}}`")
        scope.problems.error(
            "undeclared-variable", f"the variable `{name}` is not declared", given.spots.get(name), hint
        )
    return values, frozenset(unknown)


def _value(name: str, entry: Entry, declaration: Declaration, given: GivenVariables, scope: Scope) -> tuple[Any] | None:
    if name in given.values:
        value, spot = given.values[name], given.spots.get(name, entry.key.spot)
        if scope.offline and "${env." in repr(value):
            return None
    elif "default" in declaration.model_fields_set:
        default = entries_of(entry.value)["default"]
        value, spot = declaration.default, default.spot
        if id(default.value) in scope.spoiled:
            return None
    else:
        if given.known:
            hint = f"set it below {given.where}, or give it a default"
            scope.problems.error("missing-variable", f"the variable `{name}` has no value", entry.key.spot, hint)
        return None
    return (value,) if _fits(name, value, declaration, spot, scope.problems) else None


def tell_unused(declared: Mapping[str, Entry], used: set[str], problems: Problems) -> None:
    """Warn of variables that nothing uses."""
    for name, entry in declared.items():
        if name not in used:
            problems.warn("unused-variable", f"nothing uses the variable `{name}`", entry.key.spot)


def _declaration(entry: Entry, scope: Scope) -> Declaration | None:
    if is_null(entry.value):
        return Declaration()
    if isinstance(entry.value, Map):
        return validated(Declaration, scope.data(entry.value), entry, scope)
    name = entry.key.text
    scope.problems.error(
        "wrong-type", f"the variable `{name}` must be a map", entry.spot, f"write `{name}: {{default: ...}}`"
    )
    return None


def _fits(name: str, value: Any, declaration: Declaration, spot: Spot, problems: Problems) -> bool:
    if declaration.type is None or value is None:
        return True
    right = isinstance(value, _TYPES[declaration.type]) and isinstance(value, bool) == (declaration.type == "bool")
    if not right:
        problems.error(
            "wrong-type", f"the variable `{name}` is declared as a {declaration.type}, and its value is not", spot
        )
    return right
