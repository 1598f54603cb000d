"""What the commands said that they leave out, as their output has it: of things as a whole, and of parts of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reconciler.resources import load_kinds
from tests.environments.likeness import Difference, Key

TITLES = {kind.title: name for name, kind in load_kinds().items()}
PARTS: Mapping[str, Mapping[str, str]] = {
    "account_field": {"default": "fieldDefault", "default_currency": "fieldDefaultCurrency", "options": "fieldOptions",
                      "type": "fieldType", "group": "groups"},
    "address": {"user_group": "groups"},
    "connection": {"list": "listId", "link_url": "linkUrl"},
    "custom_object": {"parent": "parentId"},
    "deal_field": {"default": "fieldDefault", "default_currency": "fieldDefaultCurrency", "options": "fieldOptions",
                   "type": "fieldType", "group": "groups"},
    "field": {"default": "defval", "description": "descript", "required": "isrequired", "group": "groups"},
    "list": {"user_groups": "groups", "carbon_copy": "carboncopy"},
    "personalization": {"lists": "listIds", "locked": "isLocked"},
    "pipeline": {"user_groups": "groups", "currency": "currency", "auto_assign": "autoassign"},
    "task_outcome": {"task_types": "types"},
    "webhook": {"list": "listid"},
}  # fmt: skip
"""Attributes that the property of the API is named otherwise than."""


@dataclass
class Named:
    """What was named: things that are missing, parts that differ, kinds that are left out as a whole with how many."""

    things: set[Key] = field(default_factory=set)
    parts: set[tuple[str, str, str]] = field(default_factory=set)
    kinds: dict[str, int] = field(default_factory=dict)

    def covers(self, one: Difference) -> bool:
        """Return whether a difference was named."""
        if (one.kind, one.id) in self.things:
            return True
        if one.kind in self.kinds and not one.name:
            self.kinds[one.kind] -= 1
            return self.kinds[one.kind] >= 0
        return (one.kind, one.id, one.name) in self.parts

    def read(self, text: str, addresses: Mapping[str, Key]) -> None:
        """Take what the notes of an export or a clone say; `addresses` are the things that they may speak of."""
        for whole_line in text.split("\n"):
            line = whole_line.removeprefix("Note: ").removeprefix("Not cloned: ")
            if whole := re.match(rf"({'|'.join(TITLES)}) (?:`.*` )?\(id (\S+)\) is left out: ", line):
                self.things.add((TITLES[whole[1]], whole[2]))
            elif counted := re.match(r"(\d+) of kind (\w+)(?: \(.*\))?: ", line):
                self.kinds[counted[2]] = int(counted[1])
            elif (said := re.match(r"([a-z_]+\.[\w.-]+?)(?:\.(\w+))?(?: is left out)?: ", line)) and (
                key := addresses.get(said[1]) or addresses.get(f"{said[1]}.{said[2]}")
            ):
                self._about(key, line, "" if f"{said[1]}.{said[2]}" in addresses else said[2] or "")

    def _about(self, key: Key, line: str, attribute: str) -> None:
        if attribute:
            self._part(key, attribute)
        elif " is left out: " in line or "so that the other account would refuse it" in line:
            self.things.add(key)
        elif dropped := re.match(r"\S+: (?:its|it has no) `([\w.]+)`", line):
            self._part(key, dropped[1])
        elif part := re.search(
            r": `(\w+)` (?:holds more than can be declared|is shown by no read|holds the id of)", line
        ):
            self._part(key, part[1])
        elif part := re.search(r"the account holds more than can be declared \((.*)\), which stays there", line):
            self._part(key, *(re.split(r"[.\[]", path)[0] for path in part[1].split(", ")))

    def _part(self, key: Key, *attributes: str) -> None:
        for attribute in attributes:
            name = attribute.split(".")[0]
            self.parts.add((*key, PARTS.get(key[0], {}).get(name, name)))

    def manual(self, steps: Mapping[str, Iterable[str]], known: Mapping[str, Key]) -> None:
        """Take what a plan says that somebody has to do."""
        for address, attributes in steps.items():
            if address in known:
                self._part(known[address], *attributes)

    def skipped(self, addresses: Iterable[str], known: Mapping[str, Key]) -> None:
        """Take what a plan says that it skips."""
        self.things |= {known[address] for address in addresses if address in known}
