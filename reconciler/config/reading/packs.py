"""The rules of a project: those of its file, and those of the packs that it includes, with their parameters.

Read apart from the resources, for they may come from another place: of a change, its own rules do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field

from reconciler.config.reading.including import Included, Includes
from reconciler.config.reading.interpolation import Scope, Table
from reconciler.config.reading.nodes import Entry, Map, Node, Scalar, Sequence, Source, Spot, at, entries_of
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.problems import Problems, listed
from reconciler.config.reading.project import LoadedProject
from reconciler.config.reading.sections import RULES, VARIABLES
from reconciler.config.reading.validation import validated
from reconciler.config.reading.variables import GivenVariables, settle
from reconciler.model.diagnostics import Position
from reconciler.model.nearest import did_you_mean
from reconciler.model.project import Include, Rule
from reconciler.model.records import mutable
from reconciler.model.ruling import Rules

INCLUDE = "include"
_OPEN = r"\$\{(var|env|secret)\."


def rules_of(
    project: LoadedProject, environ: Mapping[str, str], includes: Includes, wrong: Callable[[str], str]
) -> Rules:
    """Return the rules that a project is held to; `wrong` says why an expression is none, "" for one. Raises
    ConfigError with every problem of them, of policies, and of waivers.
    """
    reading, waiving = _Reading(includes, environ, includes.problems, wrong), _nodes(project.tree, "waivers")
    for rule, node in zip(project.project.rules, _nodes(project.tree, RULES), strict=True):
        reading.add(rule, node, node.spot)
        reading.known_environments(f"rule `{rule.id}`", rule.environments, node, project)
    for node in _nodes(project.tree, INCLUDE):
        reading.include(node, "", (), node.spot)
    for policy, node in zip(project.project.policies, _nodes(project.tree, "policies"), strict=True):
        reading.expression(f"policy `{policy.name}`", policy.when, node)
        reading.known_environments(f"policy `{policy.name}`", policy.environments, node, project)
        if policy.name in reading.rules:
            reading.problems.error("twin-rules", f"a rule and a policy are called `{policy.name}`", node.spot)
    names = {*(policy.name for policy in project.project.policies), *reading.rules}
    for waiver, node in zip(project.project.waivers, waiving, strict=True):
        if waiver.rule not in names:
            hint = did_you_mean(waiver.rule, names, f"there are {listed(names)}" if names else "there are no rules")
            spot = _spot(node, "rule")
            reading.problems.error("unknown-rule", f"there is no rule `{waiver.rule}` to waive", spot, hint)
    reading.problems.check()
    at = tuple(_spot(node, "address").position for node in waiving)
    return Rules(tuple(reading.rules.values()), tuple(project.project.waivers), reading.places, at, reading.written)


def _nodes(tree: Node, name: str) -> list[Node]:
    entry = at(tree, name)
    return entry.value.items if entry is not None and isinstance(entry.value, Sequence) else []


@mutable
class _Reading:
    """Reads packs, one inside another."""

    includes: Includes
    environ: Mapping[str, str]
    problems: Problems
    wrong: Callable[[str], str]
    rules: dict[str, Rule] = field(default_factory=dict)
    places: dict[str, Position] = field(default_factory=dict)
    written: dict[str, Position] = field(default_factory=dict)

    def add(self, rule: Rule, node: Node, origin: Spot) -> None:
        """Note a rule, once; `origin` is where the project file says it, or includes it."""
        self.expression(f"rule `{rule.id}`", rule.when, node)
        if rule.id in self.rules:
            first = self.places[rule.id]
            hint = f"the first is at {first}; an include takes a `prefix`"
            self.problems.error("twin-rules", f"the rule `{rule.id}` is written twice", node.spot, hint)
            return
        self.rules[rule.id], self.places[rule.id], self.written[rule.id] = rule, origin.position, node.spot.position

    def expression(self, name: str, when: str | None, node: Node) -> None:
        """Note why the expression of a rule or policy is none: it could only ever fail."""
        if when is not None and (why := self.wrong(when)):
            hint = "`when` is an expression in CEL (https://cel.dev) that is true where the rule is broken"
            self.problems.error("bad-expression", f"the {name}: {why}", _spot(node, "when"), hint)

    def known_environments(self, name: str, named: Iterable[str], node: Node, project: LoadedProject) -> None:
        """Note environments that the project does not have: what holds there only holds nowhere."""
        known = project.project.environments
        for environment in named:
            if environment not in known:
                hint = did_you_mean(environment, known, f"there are {listed(known)}")
                message = f"the {name} holds in the environment `{environment}`, which there is not"
                self.problems.error("unknown-environment", message, _spot(node, "environments"), hint)

    def include(self, node: Node, prefix: str, stack: tuple[str, ...], origin: Spot) -> None:
        """Read the rules of what an include names."""
        # Whatever is wrong with an include or the resources in it is told where the resources are read.
        quiet = Scope(Problems(), self.environ, Table({}), offline=True, complete=False)
        block = validated(Include, quiet.data(node), _entry(node), quiet)
        source = at(node, "source")
        if block is None or source is None:
            return
        place = self.includes.find(block.source, node.source, source.spot, stack)
        if place is not None:
            self._pack(place, block, prefix + block.prefix, (*stack, place.name), origin)

    def _pack(self, place: Included, block: Include, prefix: str, stack: tuple[str, ...], origin: Spot) -> None:
        roots = list(self._roots(place.sources))
        if any(RULES in root.entries or INCLUDE in root.entries for root in roots):
            declared = {name: variable for root in roots for name, variable in _variables(root).items()}
            quiet = Scope(Problems(), self.environ, offline=True, complete=False)
            values, unknown = settle(declared, GivenVariables(block.variables, {}), quiet)
            scope = Scope(self.problems, {}, Table(values, unknown), secrets=False, offline=True)
            for root in roots:
                for node in _nodes(root, RULES):
                    self._rule(node, scope, prefix, origin)
                for node in _nodes(root, INCLUDE):
                    self.include(node, prefix, stack, origin)

    def _roots(self, sources: Iterable[Source | None]) -> Iterable[Map]:
        for source in sources:
            if source is not None and any(word in source.text for word in (RULES, INCLUDE, VARIABLES)):
                for root in parse(source, Problems()) or ():
                    if isinstance(root, Map):
                        yield root

    def _rule(self, node: Node, scope: Scope, prefix: str, origin: Spot) -> None:
        data = scope.data(node)
        if re.search(_OPEN, repr(data)):
            hint = "write the parameter itself into the `variables` of the include"
            self.problems.error("unknown-parameter", "a parameter of this rule is not known", node.spot, hint)
            return
        rule = validated(Rule, data, _entry(node), scope)
        if rule is not None:
            self.add(rule.model_copy(update={"id": f"{prefix}{rule.id}"}), node, origin)


def _spot(node: Node, name: str) -> Spot:
    """Return the place of a member of a map; of the map where it has none."""
    entry = at(node, name)
    return entry.value.spot if entry is not None else node.spot


def _variables(root: Map) -> Mapping[str, Entry]:
    entry = at(root, VARIABLES)
    return entries_of(entry.value) if entry is not None else {}


def _entry(node: Node) -> Entry:
    return Entry(Scalar(node.source, node.line, node.column, "", True, ""), node)
