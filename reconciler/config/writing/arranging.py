"""The entries of a YAML map in another order: they move as blocks of text, with the comments above them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import yaml

from reconciler.config.reading.loading import plain_data
from reconciler.config.writing.editing import compose, ends_at
from reconciler.model.errors import ReconcilerError
from reconciler.model.values import identical

MODELINE = "# yaml-language-server:"


def interleaved(have: Sequence[str], wanted: Sequence[str], *, settled: bool = False) -> list[str]:
    """Return keys in the wanted order: those that are not wanted anywhere stay at their places, and each new one stands
    right behind the one that is wanted before it. With `settled`, all that were there stay at their places.
    """
    common = iter([key for key in wanted if key in have])
    keys = [next(common) if key in wanted and not settled else key for key in have]
    before = -1
    for key in wanted:
        if key not in keys:
            keys.insert(before + 1, key)
        before = keys.index(key)
    return keys


def arranged(text: str, path: Sequence[str], keys: Sequence[str], file: str = "the file") -> str:
    """Return the text with the entries of the map at a path in the order of these keys; others stay at their places.

    Raises ReconcilerError where an entry has no safe place.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    node = _at(compose(text), path)
    names = [str(key.value) for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
    wanted = interleaved(names, [key for key in keys if key in names])
    if not isinstance(node, yaml.MappingNode) or wanted == names:
        return mark + text
    changed = rearranged(text, node, [wanted.index(name) for name in names])
    before, after = plain_data(text, file), plain_data(changed, file)
    if (
        changed == text
        or not identical(before, after)
        or _keys(after, path) != [name for name in wanted if name != "<<"]
    ):
        raise ReconcilerError(
            f"{file}: the entries of `{'.'.join(path)}` cannot be put into another order where they stand",
            hint=f"put them in this order manually: {', '.join(wanted)}",
        )
    return mark + changed


def _at(node: yaml.Node | None, path: Sequence[str]) -> yaml.Node | None:
    for step in path:
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for key, value in entries if str(key.value) == step), None)
    return node


def _keys(data: object, path: Sequence[str]) -> list[str]:
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return list(data) if isinstance(data, dict) else []


def rearranged(text: str, node: yaml.MappingNode, ranks: Sequence[int]) -> str:
    """Return the text with the entries of a map by their ranks; unchanged where its layout has no safe place."""
    order = sorted(range(len(ranks)), key=lambda place: (ranks[place], place))
    return _in_flow(text, node, order) if node.flow_style else _in_block(text, node, order)


def _in_flow(text: str, node: yaml.MappingNode, order: list[int]) -> str:
    """Return the text with the entries of a map in braces in this order; unchanged where the map has several lines."""
    spans = [(key.start_mark.index, max(ends_at(value, text), key.end_mark.index)) for key, value in node.value]
    first, last = spans[0][0], spans[-1][1]
    if "\n" in text[first:last]:
        return text
    return text[:first] + ", ".join(text[slice(*spans[place])] for place in order) + text[last:]


def _in_block(text: str, node: yaml.MappingNode, order: list[int]) -> str:
    """Return the text with the lines of a map's entries in this order; unchanged where one begins behind a dash."""
    starts = [block_start(text, key.start_mark.index) for key, _ in node.value]
    bounds = [start for start in starts if start is not None]
    if len(bounds) < len(starts):
        return text
    last = text.find("\n", ends_at(node, text))
    bounds.append(len(text) if last < 0 else last + 1)
    blocks = [text[begin:end].removesuffix("\n") + "\n" for begin, end in pairwise(bounds)]
    return text[: bounds[0]] + "".join(blocks[place] for place in order) + text[bounds[-1] :]


def block_start(text: str, index: int) -> int | None:
    """Return where the lines of an entry begin, with the comments right above it; None behind a dash."""
    start = text.rfind("\n", 0, index) + 1
    if text[start:index].strip():
        return None
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        line = text[above:start].lstrip()
        if not line.startswith("#") or line.startswith(MODELINE):
            break
        start = above
    return start
