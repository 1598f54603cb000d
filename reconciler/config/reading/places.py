"""Where each declaration is written: the file and the path of keys in it, and why some cannot be changed there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from reconciler.config.reading.interpolation import Scope
from reconciler.config.reading.nodes import Entry, Node, Source, at
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.repeating import FOR_EACH
from reconciler.model.address import split
from reconciler.model.kind import Kind, Kinds
from reconciler.model.records import record
from reconciler.model.spec import Nested

KeyPath = tuple[str, ...]
_FILLED = r"\$\$\{|(\$\{[^}\n]*\})"


class Fixed(Exception):
    """The declaration cannot be changed where it stands; the message says why."""


@record
class Places:
    """The declared entries by address, as merged from all layers. `included` are files that other projects share."""

    kinds: Kinds = field(default_factory=dict)
    declared: Mapping[str, Entry] = field(default_factory=dict)
    included: frozenset[Source] = frozenset()
    sources: tuple[Source, ...] = ()
    """The project's own resource files, in the order in which they were read."""
    overlays: tuple[Source, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    """The variables that the project's own files declare, with their values."""
    _plain: dict[Source, Any] = field(default_factory=dict)

    def entry(self, address: str, name: str = "") -> Entry | None:
        """Return the entry of a resource, or of one of its attributes."""
        whole = self.declared.get(address)
        return at(whole.value, name) if whole is not None and name else whole

    def path(self, address: str) -> KeyPath:
        """Return the keys that lead to a resource in its file."""
        kind, key = split(address)
        parent = self.kinds[kind].nested
        if not parent:
            return (self.kinds[kind].section, key)
        above, _, own = key.rpartition(".")
        return (*self.path(f"{parent}.{above}"), nesting(self.kinds[parent], kind), own)

    def filled(self, entry: Entry) -> bool:
        """Return whether anything is filled into a value: a variable, a secret."""
        return bool(filled_in(written(entry.value)))

    def check(self, address: str, source: Source) -> None:
        """Raise Fixed where the part of a resource that `source` holds cannot be changed there."""
        if source in self.included:
            raise Fixed(
                f"it stands in {source.file}, which other projects may include too: change it there, or in an overlay"
            )
        data = self.plain(source)
        for step in self.path(address):
            if not isinstance(data, Mapping) or step not in data:
                raise Fixed(f"it is one of several that a `{FOR_EACH}` in {source.file} makes")
            data = data[step]

    def plain(self, source: Source) -> Any:
        """Return what is written in a file, with nothing filled in."""
        if source not in self._plain:
            documents = parse(source, Problems()) or []
            self._plain[source] = [written(document) for document in documents]
        written_documents = self._plain[source]
        if len(written_documents) > 1:
            raise Fixed(f"{source.file} holds several documents: change it there manually")
        return written_documents[0] if written_documents else None

    def plain_file(self, file: str) -> Mapping[str, Any]:
        """Return what is written in one of the project's own files, by its name."""
        source = next((source for source in self.sources if source.file == file), None)
        data = self.plain(source) if source is not None else None
        return data if isinstance(data, Mapping) else {}

    def pins(self, address: str) -> bool:
        """Return whether an `imports` block of the project's own files is about an address."""
        blocks = [
            self.plain_file(source.file).get("imports") for source in self.sources if self._holds(source, "imports")
        ]
        return any(
            isinstance(block, Mapping) and block.get("to") == address
            for listed in blocks
            for block in (listed if isinstance(listed, list) else ())
        )

    def section(self, name: str) -> Source | None:
        """Return the last of the project's own files that holds a section."""
        holding = [source for source in self.sources if self._holds(source, name)]
        return holding[-1] if holding else None

    def _holds(self, source: Source, name: str) -> bool:
        try:
            data = self.plain(source)
        except Fixed:
            return False
        return isinstance(data, Mapping) and name in data


def nesting(parent: Kind, child: str) -> str:
    """Return the attribute of a kind that holds its nested resources of another."""
    marks = {name: attribute.mark(Nested) for name, attribute in parent.attributes.items()}
    return next(name for name, mark in marks.items() if mark is not None and mark.kind == child)


def filled_in(raw: Any) -> list[str]:
    """Return what is filled into a value as written: `${var.x}`, each once."""
    names = [match.group(1) for match in re.finditer(_FILLED, repr(raw)) if match.group(1)]
    return list(dict.fromkeys(names))


def written(node: Node) -> Any:
    """Return a tree as plain data with nothing filled in."""
    return Scope(Problems(), {}, fill=False).data(node)
