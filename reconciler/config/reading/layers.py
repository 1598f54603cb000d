"""Includes: folders of resources with variables of their own, shared by several projects (baselines)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field

from reconciler.config.reading.including import Includes
from reconciler.config.reading.interpolation import Scope, Table
from reconciler.config.reading.nodes import Entry, Node, Scalar, Source, at, entries_of
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.repeating import expanded
from reconciler.config.reading.sections import RULES, Sections, collect, sections_of
from reconciler.config.reading.validation import validated
from reconciler.config.reading.variables import GivenVariables, settle, tell_unused
from reconciler.model.kind import Kinds
from reconciler.model.project import Include
from reconciler.model.records import mutable

INCLUDE = "include"
_NAMED = r"\$\{[^}\n]*?\bvar\.([A-Za-z_][A-Za-z0-9_]*)"


@mutable
class Layers:
    """Reads the files of a project and of everything that it includes, each layer with variables of its own.

    `includes` finds what is included; `prefixes` tells by source what is put before the keys of a layer.
    """

    includes: Includes
    kinds: Kinds
    scope: Scope
    prefixes: dict[Source, str] = field(default_factory=dict)
    tables: list[tuple[Mapping[str, Entry], Table, list[Source]]] = field(default_factory=list)
    included: list[Source] = field(default_factory=list)

    @property
    def problems(self) -> Problems:
        """Where to tell what is wrong."""
        return self.scope.problems

    def read(
        self,
        sources: Iterable[Source | None],
        given: GivenVariables,
        includes: Iterable[Node] = (),
        *,
        prefix: str = "",
        stack: tuple[str, ...] = (),
    ) -> Sections:
        """Return what a layer declares, with what it includes merged in. A source of None could not be read."""
        sections, mine = Sections(), []
        for source in sources:
            documents = parse(source, self.problems) if source is not None else None
            if source is None or documents is None:
                self.scope.complete = False
                continue
            mine.append(source)
            collect(documents, self.kinds, sections, self.problems)
        table = self._settled(sections, given, mine, prefix, main=not stack)
        if stack:
            self.included += mine
        for section, name in sections_of(self.kinds).items():
            if section in sections.resources:
                entries = sections.resources[section]
                sections.resources[section] = expanded(self.kinds[name], entries, self.kinds, self.scope)
        self._rules(sections.blocks.pop(RULES, ()), inside=bool(stack))
        merged = Sections(variables=sections.variables)
        for node in [*includes, *sections.blocks.pop(INCLUDE, ())]:
            self._merge(merged, self._include(node, prefix, stack), "")
        self._merge(merged, sections, prefix)
        self.tables.append((sections.variables, table, mine))
        return merged

    def _rules(self, nodes: Iterable[Node], *, inside: bool) -> None:
        """Note which variables the rules of a pack use; `packs` reads them. Resource files of a project hold none: a
        change could take out the rule that it breaks.
        """
        for node in nodes:
            if inside:
                self.scope.data(node)
            else:
                hint = "move it to the project file, or to a folder that the project file includes"
                self.problems.error("misplaced-section", "`rules` do not hold in a resource file", node.spot, hint)

    def tell_unused(self) -> None:
        """Warn of variables that nothing uses. What is wrong was not filled in to its end, so beside errors a variable
        counts as used that is only named: the expression that names it may be the one that is wrong.
        """
        wrong = self.problems.errors
        for declared, table, sources in self.tables:
            named = {name for source in sources for name in re.findall(_NAMED, source.text)} if wrong else set()
            tell_unused(declared, table.used | named, self.problems)

    def _settled(
        self, sections: Sections, given: GivenVariables, mine: list[Source], prefix: str, *, main: bool
    ) -> Table:
        scope = self.scope
        plain = Scope(scope.problems, scope.environ, offline=scope.offline, complete=scope.complete, uses=scope.uses)
        values, unknown = settle(sections.variables, given, plain)
        table = Table(values, unknown)
        if main:
            self.scope.variables = table
        for source in mine:
            self.scope.tables[source] = table
            self.prefixes[source] = prefix
        return table

    def _include(self, node: Node, prefix: str, stack: tuple[str, ...]) -> Sections:
        entry = Entry(Scalar(node.source, node.line, node.column, "", True, ""), node)
        block = validated(Include, self.scope.data(node), entry, self.scope)
        if block is None:
            self.scope.complete = False
            return Sections()
        source = at(node, "source")
        spot = source.spot if source is not None else node.spot
        place = self.includes.find(block.source, node.source, spot, stack)
        if place is None:
            self.scope.complete = False
            return Sections()
        inside = at(node, "variables")
        spots = {name: included.spot for name, included in entries_of(inside.value if inside else None).items()}
        given = GivenVariables(block.variables, spots, True, where=f"`variables` of the include at {spot.position}")
        return self.read(place.sources, given, prefix=prefix + block.prefix, stack=(*stack, place.name))

    def _merge(self, into: Sections, other: Sections, prefix: str) -> None:
        for section, entries in other.resources.items():
            known = into.resources.setdefault(section, {})
            for key, entry in entries.items():
                full = prefix + key
                if full in known:
                    first = known[full].key.spot.position
                    self.problems.error(
                        "twin-keys",
                        f"the key of `{section}` `{full}` is declared twice",
                        entry.key.spot,
                        f"the first is at {first}; an include takes a `prefix`",
                    )
                else:
                    known[full] = entry
        for name, nodes in other.blocks.items():
            into.blocks.setdefault(name, []).extend(nodes)
