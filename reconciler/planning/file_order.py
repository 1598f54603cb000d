"""In which order changed files are written, so that a command that is killed between two of them leaves files that can
be read: a declaration before what refers to it, and what referred to a declaration before that is taken out. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from reconciler.model.desired import Desired
from reconciler.model.values import Ref, references


def file_order(names: Collection[str], before: Desired, after: Desired, first: Collection[str] = ()) -> list[str]:
    """Return the names of changed files in the order in which to write them; those in `first` (the project file, whose
    variables others use) come first. Files that need each other both ways follow each other by name.
    """
    needs: dict[str, set[str]] = {name: set() for name in names}
    for user, declaring in (*_uses(after, before), *((there, user) for user, there in _uses(before, after))):
        if user != declaring and user in needs and declaring in needs:
            needs[user].add(declaring)
    left = sorted(names, key=lambda name: (name not in first, name))
    ordered: list[str] = []
    while left:
        ordered.append(next((name for name in left if needs[name] <= {*ordered}), left[0]))
        left.remove(ordered[-1])
    return ordered


def _uses(configuration: Desired, other: Desired) -> Iterator[tuple[str, str]]:
    """Yield the file of each reference to what only one of two configurations declares, and the file that declares
    it.
    """
    declaring = {
        address: resource.at.file
        for address, resource in configuration.resources.items()
        if resource.at is not None and address not in other.resources
    }
    for resource in configuration.resources.values():
        leaves = (item for value in resource.attrs.values() for item in references(value))
        used = [item.address for item in leaves if isinstance(item, Ref)]
        if resource.at is not None:
            yield from ((resource.at.file, declaring[address]) for address in used if address in declaring)
    for block in configuration.imports:
        if block.at is not None and block.target in declaring:
            yield block.at.file, declaring[block.target]
