"""Checks over all resources together: references, what lifecycles name, twins, cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from graphlib import CycleError, TopologicalSorter

from reconciler.config.reading.nodes import Entry, Map, Node, Scalar, Sequence, Source, Spot, at, entries_of
from reconciler.config.reading.problems import Problems, listed
from reconciler.model.address import join, key_of, kind_of
from reconciler.model.desired import Resource
from reconciler.model.grammar import a
from reconciler.model.kind import Kind, Kinds, NaturalKey
from reconciler.model.nearest import Words, did_you_mean
from reconciler.model.nearness import apart, near_keys
from reconciler.model.records import mutable
from reconciler.model.spec import Roster
from reconciler.model.values import Lookup, Ref, Value, references, transform

MAX_CYCLES = 20
"""Reference cycles told in one run."""


@mutable
class Checks:
    """The declared resources. `declared` has every address, also of what is not valid; without `complete`, some are
    not known.
    """

    kinds: Kinds
    declared: Mapping[str, Entry]
    problems: Problems
    complete: bool = True
    prefixes: Mapping[Source, str] = field(default_factory=dict)
    """What was put before the keys of included files."""
    _named: dict[tuple[Callable[[str], str], tuple[str, ...]], Words] = field(default_factory=dict)

    def resolved(self, resources: Mapping[str, Resource]) -> dict[str, Resource]:
        """Return the resources with every reference checked, and completed where it names a sibling."""
        return {address: self._resolve(resource) for address, resource in resources.items()}

    def _resolve(self, resource: Resource) -> Resource:
        if references(resource.attrs):
            referring = {name: value for name, value in resource.attrs.items() if references(value)}
            checked = {name: transform(value, self._leaf_of(name, resource)) for name, value in referring.items()}
            resource = resource._replace(attrs={**resource.attrs, **checked})
        if not resource.lifecycle.on_destroy:
            return resource
        targets = {what: self._target(target, what, resource) for what, target in resource.lifecycle.on_destroy.items()}
        return resource._replace(lifecycle=resource.lifecycle.model_copy(update={"on_destroy": targets}))

    def _leaf_of(self, name: str, resource: Resource) -> Callable[[Value], Value]:
        return lambda leaf: self._leaf(leaf, name, resource)

    def _leaf(self, leaf: Value, name: str, resource: Resource) -> Value:
        if isinstance(leaf, Lookup):
            self._check_lookup(leaf, name, resource)
        if not isinstance(leaf, Ref):
            return leaf
        own = Ref(leaf.kind, f"{self._prefix(resource)}{leaf.key}")
        if own.address in self.declared:
            return own
        if leaf.address in self.declared:
            return leaf
        sibling = self._sibling(leaf.kind, leaf.key, resource)
        if sibling in self.declared:
            return Ref(leaf.kind, key_of(sibling))
        if self.complete:
            self._dangling(leaf, name, resource)
        return leaf

    def _prefix(self, resource: Resource) -> str:
        """Return what an include put before the resource's key: what is included refers to its own by their keys."""
        return self.prefixes.get(self.declared[resource.address].key.source, "")

    def _sibling(self, kind: str, key: str, resource: Resource) -> str:
        return join(kind, f"{key_of(resource.parent)}.{key}") if resource.parent is not None else ""

    def _target(self, target: str, what: str, resource: Resource) -> str:
        """Return the address of what a lifecycle names: a sibling's key, a key of the same kind or of one nested in it,
        an address.
        """
        nested = [name for name, kind in self.kinds.items() if kind.nested == resource.kind]
        candidates = [
            self._sibling(resource.kind, target, resource),
            *(join(kind, f"{self._prefix(resource)}{target}") for kind in (resource.kind, *nested)),
            *(join(kind, target) for kind in (resource.kind, *nested)),
            target,
        ]
        address = next((candidate for candidate in candidates if candidate in self.declared), None)
        entry = (
            at(self.declared[resource.address].value, "lifecycle", "on_destroy", what)
            or self.declared[resource.address]
        )
        if address is None and self.complete:
            near = did_you_mean(candidates[0] or candidates[1], self._words(str, resource.kind, *nested))
            self.problems.error("dangling-reference", f"`{target}` is not declared", entry.spot, near)
        elif address == resource.address:
            self.problems.error(
                "self-reference", f"`{what}` names the object that is deleted", entry.spot, "name another one"
            )
        return address or target

    def _words(self, named: Callable[[str], str], *kinds: str) -> Words:
        """Return what the resources of these kinds are named by: thousands may be named wrongly at once."""
        if (named, kinds) not in self._named:
            self._named[named, kinds] = Words(named(address) for address in self.declared if kind_of(address) in kinds)
        return self._named[named, kinds]

    def _check_lookup(self, lookup: Lookup, name: str, resource: Resource) -> None:
        kind = self.kinds.get(lookup.kind)
        if kind is None:
            return
        known = ["id", "name", *kind.attributes]
        if lookup.by not in known:
            spot = _find(self.declared[resource.address], name, lookup.by)
            hint = did_you_mean(lookup.by, known, f"there are {listed(dict.fromkeys(known))}")
            self.problems.error(
                "unknown-attribute", f"{a(lookup.kind)} cannot be looked up by `{lookup.by}`", spot, hint
            )

    def _dangling(self, ref: Ref, name: str, resource: Resource) -> None:
        spot = _find(self.declared[resource.address], name, ref.key)
        kind = self.kinds.get(ref.kind)
        keys = self._words(key_of, ref.kind)
        prefix, dot, rest = ref.key.partition(".")
        # From the surest cause to the least sure one: only the first is said.
        others = [other for other in self.kinds if join(other, ref.key) in self.declared]
        if dot and prefix == ref.kind and join(prefix, rest) in self.declared:
            self.problems.error("bad-reference", f"`{name}` takes the key alone", spot, f"write `{rest}`")
        elif dot and join(prefix, rest) in self.declared:
            self.problems.error("wrong-kind", f"`{name}` refers to {a(ref.kind)}, and `{ref.key}` is {a(prefix)}", spot)
        elif kind is not None and not kind.abilities.managed:
            by = "email" if "email" in kind.attributes else "name"
            self.problems.error(
                "dangling-reference",
                f"nothing declares {a(ref.kind)}",
                spot,
                f"look it up in the account: {{{by}: {ref.key}}}",
            )
        elif others and not did_you_mean(ref.key, keys):
            where = self.declared[join(others[0], ref.key)].key.spot.position
            message = f"`{name}` refers to {a(ref.kind)}, and `{ref.key}` is {a(others[0])}"
            self.problems.error("wrong-kind", message, spot, f"it is declared at {where}")
        else:
            label = kind.identity.name_attribute if kind is not None else "name"
            hint = did_you_mean(ref.key, keys, f"declare it, or look up one that is not declared: {{{label}: ...}}")
            self.problems.error("dangling-reference", f"no {ref.kind} `{ref.key}` is declared", spot, hint)


def check_twins(
    resources: Iterable[Resource],
    kinds: Kinds,
    declared: Mapping[str, Entry],
    pinned: frozenset[str],
    problems: Problems,
) -> None:
    """Report declarations that mean the same object, unless both are pinned to ids.

    Sharing only a weaker key, while their better ones differ, is a warning: the account may hold such objects.
    """
    resources = list(resources)
    seen: dict[tuple[object, ...], tuple[Resource, int]] = {}
    reported: set[str] = set()
    for resource in resources:
        for tier, key in enumerate(kinds[resource.kind].natural_keys(resource.attrs)):
            first, place = seen.setdefault((resource.kind, *key), (resource, tier))
            if first is resource:
                continue
            if not pinned.issuperset((first.address, resource.address)):
                _tell_twins(kinds[resource.kind], first, resource, declared, problems, weak=bool(tier and place))
            reported.add(resource.address)
            break
    del seen  # as large as what is looked up next
    _check_near(
        [resource for resource in resources if resource.address not in reported], kinds, declared, pinned, problems
    )


def _check_near(
    resources: Iterable[Resource],
    kinds: Kinds,
    declared: Mapping[str, Entry],
    pinned: frozenset[str],
    problems: Problems,
) -> None:
    """Warn of names that the account may or may not take for one."""
    seen: dict[tuple[object, ...], tuple[Resource, NaturalKey]] = {}
    for resource in resources:
        kind = kinds[resource.kind]
        for near, key in near_keys(kind, resource.attrs).items():
            first, other = seen.setdefault((resource.kind, *near), (resource, key))
            if first is resource or pinned.issuperset((first.address, resource.address)):
                continue
            what = kind.title.lower() or kind.name
            word = str(key[0]).rstrip("~")
            derived = key not in kind.known_as(resource.attrs) or other not in kind.known_as(first.attrs)
            why = (
                f"the server may derive the {word} `{key[1]}` for both"
                if derived
                else f"they differ in {differs} only"
                if (differs := apart(key, other))
                else f"they have the same {word}"
            )
            message = f"`{resource.address}` may mean the same {what} as `{first.address}`: {why}"
            problems.warn(
                "similar-identity", message, declared[resource.address].key.spot, f"the other is at {first.at}"
            )
            break


def _tell_twins(
    kind: Kind, first: Resource, second: Resource, declared: Mapping[str, Entry], problems: Problems, *, weak: bool
) -> None:
    spot = declared[second.address].key.spot
    if weak:
        message = f"`{second.address}` may mean the same {kind.title.lower() or kind.name} as `{first.address}`"
        problems.warn("similar-identity", message, spot, f"the other is at {first.at}")
        return
    message = f"`{second.address}` and `{first.address}` mean the same {kind.title.lower() or kind.name}"
    hint = f"the other is at {first.at}; change one, or pin both to ids with `imports`"
    problems.error("twin-identity", message, spot, hint)


def check_refuges(
    resources: Iterable[Resource], kinds: Kinds, declared: Mapping[str, Entry], problems: Problems
) -> None:
    """Report evacuations that the API cannot make, such as deals into another pipeline."""
    for resource in resources:
        for what, target in resource.lifecycle.on_destroy.items():
            why = kinds[resource.kind].unmovable(what, resource.address, target)
            if why and target in declared and target != resource.address:
                entry = declared[resource.address]
                spot = (at(entry.value, "lifecycle", "on_destroy", what) or entry).spot
                problems.error("impossible-evacuation", f"`{resource.address}`: {what}: {why}", spot)


def check_rosters(
    resources: Mapping[str, Resource], kinds: Kinds, declared: Mapping[str, Entry], problems: Problems
) -> None:
    """Report members that a list names twice, and those that a list names and that say it themselves too."""
    for resource in resources.values():
        for name, mark in kinds[resource.kind].marked(Roster).items():
            listed_here: set[object] = set()
            for reference in references(resource.attrs.get(name)):
                written = (
                    reference.key
                    if isinstance(reference, Ref)
                    else reference.value
                    if isinstance(reference, Lookup)
                    else reference.id
                )
                if reference in listed_here:
                    spot = _find(declared[resource.address], name, written)
                    problems.error(
                        "listed-twice", f"`{name}` names `{reference}` twice", spot, "a place is one place: once"
                    )
                listed_here.add(reference)
                member = resources.get(reference.address) if isinstance(reference, Ref) else None
                if member is not None and mark.short in member.attrs:
                    message = (
                        f"`{member.address}` says its `{mark.short}` itself, and is in the `{name}` of "
                        f"`{resource.address}` too"
                    )
                    spot = _find(declared[resource.address], name, written)
                    where = member.places.get(mark.short) or member.at
                    hint = f"say it in one of the two: take it out of the list, or take out `{mark.short}` at {where}"
                    problems.error("said-twice", message, spot, hint)


def check_cycles(resources: Mapping[str, Resource], declared: Mapping[str, Entry], problems: Problems) -> None:
    """Report references that lead in a circle, each with all its steps."""
    leading = (
        (address, {leaf.address for leaf in references(resource.attrs) if isinstance(leaf, Ref)})
        for address, resource in resources.items()
    )
    graph = {address: ends for address, ends in leading if ends}
    for _ in range(MAX_CYCLES):
        try:
            TopologicalSorter(graph).prepare()
            return
        except CycleError as error:
            # From what is referred to, to what refers to it; told the other way, from the first one in the files.
            cycle = list(reversed(error.args[1]))[:-1]
        start = cycle.index(min(cycle, key=lambda address: list(resources).index(address)))
        cycle = cycle[start:] + cycle[:start]
        path = " -> ".join([*cycle, cycle[0]])
        problems.error(
            "reference-cycle",
            f"references lead in a circle: {path}",
            declared[cycle[0]].key.spot,
            "take one of these references out",
        )
        graph[cycle[0]] = graph[cycle[0]] - {cycle[1 % len(cycle)]}


def _find(entry: Entry, name: str, written: str) -> Spot:
    """Return the place of a text inside an attribute, or of the attribute where a variable brought it."""
    attribute = at(entry.value, name)
    if attribute is None:
        return entry.key.spot
    return _search(attribute.value, written) or attribute.spot


def _search(node: Node, written: str) -> Spot | None:
    if isinstance(node, Scalar):
        return node.spot if node.text == written else None
    if isinstance(node, Map) and written in node.entries:
        return node.entries[written].key.spot
    children = node.items if isinstance(node, Sequence) else [entry.value for entry in entries_of(node).values()]
    return next((spot for child in children if (spot := _search(child, written)) is not None), None)
