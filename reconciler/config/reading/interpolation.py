"""`${var.x}`, `${env.X}`, `${secret.X}` and the literal `$${`: from trees to plain data with everything filled in.

Secrets are never resolved here: a marker stands for them until they are sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import cast

from reconciler.config.reading.nodes import Map, Node, Scalar, Sequence, Source, Spot
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.scalars import is_ambiguous
from reconciler.model.nearest import did_you_mean
from reconciler.model.records import mutable
from reconciler.model.values import Value, secret_marker

_PART = re.compile(r"\$\$\{|\$\{([^}\n]*)(\}?)")
_NAME = re.compile(r"(var|env|secret)\.([A-Za-z_][A-Za-z0-9_]*)")
_EACH = re.compile(r"\$\{each\.(?:key|value(?:\.[A-Za-z0-9_-]+)?)\}")
_RESERVED = re.compile("[\ue000-\ue002]")


class UnknownValue(Exception):
    """The value cannot be known; the reason was reported where it counts."""


@mutable
class Table:
    """The variables of a project or of what it includes. `unknown` names those whose value only a real run knows."""

    values: Mapping[str, Value]
    unknown: frozenset[str] = frozenset()
    used: set[str] = field(default_factory=set)


@mutable
class Uses:
    """What was asked of the process: environment variables with their places, and names of secrets."""

    env: list[tuple[str, Spot]] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)


@mutable
class Scope:
    """What may be filled in, and what came of it.

    `variables` is None where `${var.x}` is not allowed; `tables` are those of files that are included.
    With `offline`, environment variables that are not set stay as they are written; without `fill`, everything does.
    Without `complete`, variables may be declared in files that could not be read. `spoiled` holds the ids of the nodes
    whose value is not known: what else is wrong with them follows from that and is not reported.
    """

    problems: Problems
    environ: Mapping[str, str]
    variables: Table | None = None
    tables: dict[Source, Table] = field(default_factory=dict)
    secrets: bool = True
    offline: bool = False
    fill: bool = True
    complete: bool = True
    spoiled: set[int] = field(default_factory=set)
    uses: Uses = field(default_factory=Uses)

    def data(self, node: Node) -> Value:
        """Return a node as plain data."""
        if node.__class__ is Scalar:
            return self._scalar(node)
        if isinstance(node, Map):
            return {self._key(name, entry.key): self.data(entry.value) for name, entry in node.entries.items()}
        if isinstance(node, Sequence):
            return [self.data(item) for item in node.items]
        raise AssertionError("a node is a scalar, a list or a map")

    def _key(self, name: str, key: Scalar) -> str:
        written = name if self.fill else _EACH.sub("", name)
        if "${" in written or _RESERVED.search(name):
            self.problems.error("interpolation", "keys are written out: nothing is filled in", key.spot)
        return name

    def _scalar(self, node: Scalar) -> Value:
        value = node.value
        if not isinstance(value, str):
            return value
        if node.plain and is_ambiguous(value):
            self.spoiled.add(id(node))
            hint = f'write `true` or `false` for a flag, "{value}" in quotes for a text'
            self.problems.error(
                "ambiguous-boolean", f"`{value}` is a boolean to some readers and a text to others", node.spot, hint
            )
            return value
        if not value.isascii() and _RESERVED.search(value):
            self.spoiled.add(id(node))
            self.problems.error(
                "bad-character", "the text holds a character that this program reserves for itself", node.spot
            )
            return value
        if "${" not in value or not self.fill:
            return value
        try:
            return self._filled(node, value)
        except UnknownValue:
            self.spoiled.add(id(node))
            return value

    def _filled(self, node: Scalar, text: str) -> Value:
        whole = _PART.fullmatch(text)
        if whole is not None and whole.group() != "$${":
            return self._part(node, whole, alone=True)
        failed = False
        pieces: list[str] = []
        last = 0
        for match in _PART.finditer(text):
            pieces.append(text[last : match.start()])
            last = match.end()
            try:
                pieces.append("${" if match.group() == "$${" else cast(str, self._part(node, match, alone=False)))
            except UnknownValue:
                failed = True
        if failed:
            raise UnknownValue
        return "".join([*pieces, text[last:]])

    def _part(self, node: Scalar, match: re.Match[str], *, alone: bool) -> Value:
        inner, closed = match.group(1), match.group(2)
        spot = _spot_of(node, match.group())
        named = _NAME.fullmatch(inner)
        if not closed:
            self.problems.error(
                "interpolation", "`${` without `}`", spot, "write `$${` for the two characters themselves"
            )
        elif named is None:
            self.problems.error("interpolation", f"`{match.group()}` cannot be filled in", spot, _form_hint(inner))
        elif named.group(1) == "secret":
            return self._secret(named.group(2), spot)
        elif named.group(1) == "env":
            return self._environment(named.group(2), spot)
        else:
            return self._variable(named.group(2), spot, alone=alone)
        raise UnknownValue

    def _secret(self, name: str, spot: Spot) -> str:
        if self.secrets:
            self.uses.secrets.add(name)
            return secret_marker(name)
        self.problems.error(
            "interpolation", "a secret can be used in resources and variables only", spot, f"write `${{env.{name}}}`"
        )
        raise UnknownValue

    def _environment(self, name: str, spot: Spot) -> str:
        self.uses.env.append((name, spot))
        value = self.environ.get(name)
        if value is not None and not _RESERVED.search(value):
            return value
        if value is not None:
            self.problems.error(
                "bad-character", f"the environment variable `{name}` holds a character that this program reserves", spot
            )
        elif self.offline:
            self.problems.warn("missing-environment-variable", f"the environment variable `{name}` is not set", spot)
        else:
            hint = f"export {name}=... before running"
            self.problems.error(
                "missing-environment-variable", f"the environment variable `{name}` is not set", spot, hint
            )
        raise UnknownValue

    def _variable(self, name: str, spot: Spot, *, alone: bool) -> Value:
        table = self.tables.get(spot.source, self.variables)
        if table is None:
            self.problems.error(
                "interpolation",
                "variables can be used in resources only",
                spot,
                f"`${{env.{name}}}` reads the process environment",
            )
            raise UnknownValue
        table.used.add(name)
        if name in table.unknown or (name not in table.values and not self.complete):
            raise UnknownValue
        if name not in table.values:
            hint = did_you_mean(name, table.values, f"declare it in a resource file: `variables: {{{name}: {{}}}}`")
            self.problems.error("undeclared-variable", f"the variable `{name}` is not declared", spot, hint)
            raise UnknownValue
        value = table.values[name]
        if alone or isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        what = "a list" if isinstance(value, list) else "a map" if isinstance(value, dict) else "null"
        self.problems.error("wrong-type", f"the variable `{name}` is {what} and cannot be part of a text", spot)
        raise UnknownValue


def _form_hint(inner: str) -> str:
    scope, dot, _ = inner.strip().partition(".")
    near = did_you_mean(scope, ("var", "env", "secret")) if dot and scope not in ("var", "env", "secret") else ""
    if re.fullmatch(r"each\.(key|value)(\.[\w-]+)?", inner.strip()):
        return "it stands for a key or value of the `for_each` around it; in maps, write ${each.value.NAME}"
    return near or "there is `${var.x}`, `${env.X}` and `${secret.X}`, without blanks or logic; `$${` is a literal `${`"


def _spot_of(node: Scalar, written: str) -> Spot:
    """Return the place of a part of a text, if it is on the text's first line; else the place of the text."""
    column = node.source.line(node.line).find(written, node.column)
    return Spot(node.source, node.line, column, len(written)) if column >= 0 else node.spot
