"""The top level of resource files: sections of the same name merge across files, overlays are patched over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from reconciler.config.reading.nodes import Entry, Map, Node, Sequence, is_null, merged_entries
from reconciler.config.reading.problems import Problems, listed
from reconciler.model.catalog import outlines
from reconciler.model.grammar import a
from reconciler.model.kind import Kinds
from reconciler.model.nearest import did_you_mean, nearest
from reconciler.model.records import mutable
from reconciler.model.spec import Nested

VARIABLES = "variables"
RULES = "rules"
BLOCKS = ("moved", "removed", "imports", "include", RULES)


@mutable
class Sections:
    """What the files hold, before anything is filled in: entries by section and key, variables, blocks."""

    resources: dict[str, dict[str, Entry]] = field(default_factory=dict)
    variables: dict[str, Entry] = field(default_factory=dict)
    blocks: dict[str, list[Node]] = field(default_factory=dict)


def sections_of(kinds: Kinds) -> dict[str, str]:
    """Return the names of the sections with the kinds that they hold."""
    return {outline.section: name for name, outline in outlines(kinds).items() if outline.section}


def collect(documents: list[Node], kinds: Kinds, into: Sections, problems: Problems) -> None:
    """Add the documents of a file to what was found."""
    sections = sections_of(kinds)
    for root in documents:
        for name, entry in _top(root, problems).items():
            if name in sections:
                _merge(f"key of `{name}`", into.resources.setdefault(name, {}), entry, problems)
            elif name == VARIABLES:
                _merge("variable", into.variables, entry, problems)
            elif name in BLOCKS:
                into.blocks.setdefault(name, []).extend(_items(entry, problems))
            else:
                hint = _section_hint(name, kinds)
                problems.error("unknown-section", f"unknown section `{name}`", entry.key.spot, hint)


def patch(documents: list[Node], kinds: Kinds, into: Sections, problems: Problems) -> None:
    """Change what was found as an overlay's documents say (RFC 7396); `null` removes a resource."""
    sections = sections_of(kinds)
    for root in documents:
        for name, entry in _top(root, problems).items():
            if name in sections:
                _patch_section(into.resources.setdefault(name, {}), _keys(entry, problems), problems)
            elif name == VARIABLES or name in BLOCKS:
                hint = "move it to a resource file; an environment's variables are set in the project file"
                problems.error("misplaced-section", f"an overlay cannot hold `{name}`", entry.key.spot, hint)
            else:
                problems.error(
                    "unknown-section", f"unknown section `{name}`", entry.key.spot, _section_hint(name, kinds)
                )


def _patch_section(section: dict[str, Entry], changes: Mapping[str, Entry], problems: Problems) -> None:
    for key, entry in changes.items():
        if is_null(entry.value) and key not in section:
            hint = did_you_mean(key, section)
            problems.warn(
                "overlay-without-effect", f"`{key}` is removed here, but no file declares it", entry.key.spot, hint
            )
    merged = merged_entries(section, changes)
    section.clear()
    section |= merged


def _top(root: Node, problems: Problems) -> Mapping[str, Entry]:
    """Return the sections of a document; `x-...` ones only hold anchors."""
    if is_null(root):
        return {}
    if not isinstance(root, Map):
        problems.error(
            "wrong-type",
            "a resource file is a map of sections",
            root.spot,
            "for example `tags:` and below it `vip: {}`",
        )
        return {}
    return {name: entry for name, entry in root.entries.items() if not name.startswith("x-")}


def _keys(entry: Entry, problems: Problems) -> Mapping[str, Entry]:
    if isinstance(entry.value, Map):
        return entry.value.entries
    if not is_null(entry.value):
        problems.error("wrong-type", f"`{entry.key.text}` must be a map from keys to what they stand for", entry.spot)
    return {}


def _items(entry: Entry, problems: Problems) -> list[Node]:
    if isinstance(entry.value, Sequence):
        return entry.value.items
    if not is_null(entry.value):
        problems.error("wrong-type", f"`{entry.key.text}` must be a list", entry.spot)
    return []


def _merge(what: str, into: dict[str, Entry], entry: Entry, problems: Problems) -> None:
    for key, own in _keys(entry, problems).items():
        if key in into:
            first = into[key].key.spot.position
            problems.error(
                "twin-keys", f"the {what} `{key}` is declared twice", own.key.spot, f"the first is at {first}"
            )
        else:
            into[key] = own


RECORDS = frozenset(
    "account accounts automation_enrollments contact contacts deal deals ecom_customers ecom_orders note notes order "
    "orders record records subscriber subscribers task tasks".split()
)
"""What people look for that is data of customers."""


def _section_hint(name: str, kinds: Kinds) -> str:
    if name in RECORDS:
        return (
            "customer data is never declared: contacts, deals and the like are counted where a change would cost them, "
            "and left to the product and its importers"
        )
    sections = sections_of(kinds)
    if name in kinds and kinds[name].abilities.managed and kinds[name].section:
        return f"did you mean `{kinds[name].section}`?"
    looked_up = next(
        (kind for kind in kinds.values() if not kind.abilities.managed and name in (kind.section, kind.name)), None
    )
    if looked_up is not None:
        by = looked_up.identity.name_attribute
        return f"{a(looked_up.name)} is not managed, only referred to: {{{by}: ...}} looks one up"
    for kind in kinds.values():
        if any(name == nested and attribute.has(Nested) for nested, attribute in kind.attributes.items()):
            return f"`{name}` are declared inside {kind.section}"
    known = [*sections, VARIABLES, *BLOCKS]
    near = nearest(name, known)
    return f"did you mean `{near}`?" if near is not None else f"there are {listed(known, 40)}; `x-...` is ignored"
