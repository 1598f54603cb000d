"""Canonical YAML: sections and attributes in the order of the documentation, one style, every comment kept.

Entries move as blocks of text with the comments above them; ruamel then lays the text out. What comes out means the
same and has the same comments, or it is not used.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from reconciler.config.reading.loading import plain_data
from reconciler.config.reading.sections import BLOCKS, VARIABLES, sections_of
from reconciler.config.writing.arranging import block_start, rearranged
from reconciler.config.writing.editing import compose
from reconciler.model.errors import ReconcilerError
from reconciler.model.kind import Kind, Kinds
from reconciler.model.project import Environment, Project
from reconciler.model.spec import Nested

REST = "*"
"""In an order: whatever it does not name."""
Order = Callable[[tuple[str, ...]], Sequence[str]]
"""The order of the keys of the map at a path; keys it does not name keep theirs, at the end or where it says `REST`."""


def formatted(text: str, file: str, kinds: Kinds, *, project: bool) -> str:
    """Return the text of a resource file, or of the project file, in canonical form.

    Raises ConfigError for bad YAML.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    before = plain_data(text, file)
    if not isinstance(before, Mapping):
        return mark + text
    order = _project_order if project else _resource_order(kinds)
    head = _head(text) if project else ""
    for change in (lambda text: _ordered(text, order), _laid_out, _indented, _spaced):
        try:
            changed = head + change(text.removeprefix(head))
        except yaml.YAMLError:
            continue  # several documents in one file, for example
        if _same(changed, text, before, file):
            text = changed
    return mark + text


def _head(text: str) -> str:
    """Return the comments at the top of a project file: they are about the project, not about its first entry."""
    match = re.match(r"(?:#[^\n]*\n)+", text)
    return match.group() if match else ""


def _same(changed: str, text: str, before: object, file: str) -> bool:
    """Return whether a change of form kept meaning and comments."""
    try:
        return plain_data(changed, file) == before and _comments(changed) == _comments(text)
    except ReconcilerError:
        return False


def _comments(text: str) -> list[str]:
    """Return the comments of a text, sorted."""
    inside = _inside(text)
    comments = re.finditer(r"(?:^|(?<=\s))#[^\n]*", text, re.MULTILINE)
    return sorted(match.group().rstrip() for match in comments if not inside[match.start()])


def _inside(text: str) -> list[bool]:
    """Return for each character whether it is part of a value: tokens tell a comment from a `#` inside a text."""
    inside = [False] * (len(text) + 1)
    for token in yaml.scan(text, yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            block = token.style in ("|", ">")
            end = len(text[: token.end_mark.index].rstrip()) if block else token.end_mark.index
            inside[token.start_mark.index : end] = [True] * (end - token.start_mark.index)
    return inside


# --- order -----------------------------------------------------------------------------------------------------------


def _project_order(path: tuple[str, ...]) -> Sequence[str]:
    if not path:
        return list(Project.model_fields)
    return list(Environment.model_fields) if len(path) == 2 and path[0] == "environments" else ()


def _resource_order(kinds: Kinds) -> Order:
    sections = sections_of(kinds)

    def order(path: tuple[str, ...]) -> Sequence[str]:
        if not path:
            return ["include", VARIABLES, REST, *(name for name in BLOCKS if name != "include")]
        kind = kinds[sections[path[0]]] if path[0] in sections else None
        return _attributes(kind, path[1:], kinds) if kind is not None else ()

    return order


def _attributes(kind: Kind, path: tuple[str, ...], kinds: Kinds) -> Sequence[str]:
    """Return the order of a resource's attributes: `for_each` first, `lifecycle` last."""
    if len(path) == 1:
        return ["for_each", *(name for name in kind.attributes if name != "lifecycle"), "lifecycle"]
    if len(path) < 3:
        return ()
    attribute = kind.attributes.get(path[1])
    nested = attribute.mark(Nested) if attribute is not None else None
    return _attributes(kinds[nested.kind], path[2:], kinds) if nested is not None else ()


def _ordered(text: str, order: Order) -> str:
    """Return the text with the entries of every map in order, innermost first."""
    root = compose(text)
    for path, node in sorted(_maps(root, ()), key=lambda pair: -len(pair[0])):
        wanted = {name: place for place, name in enumerate(order(path))}
        names = [str(key.value) for key, _ in node.value]
        rest = wanted.get(REST, len(wanted))
        ranks = [-1 if name == "<<" or name.startswith("x-") else wanted.get(name, rest) for name in names]
        if ranks != sorted(ranks):
            fresh = rearranged(text, node, ranks)
            if fresh != text:
                return _ordered(fresh, order)
    return text


def _maps(node: yaml.Node | None, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], yaml.MappingNode]]:
    if isinstance(node, yaml.MappingNode):
        yield path, node
        for key, value in node.value:
            yield from _maps(value, (*path, str(key.value)))


# --- style -----------------------------------------------------------------------------------------------------------


def _laid_out(text: str) -> str:
    """Return the text with one indentation and without needless blanks."""
    from ruamel.yaml import YAML

    layout: Any = YAML()
    layout.preserve_quotes = True
    layout.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )  # ruamel would write nothing, and `key:` looks unfinished
    layout.width = 10_000
    layout.indent(mapping=2, sequence=4, offset=2)
    layout.brace_single_entry_mapping_in_flow_sequence = True
    out = io.StringIO()
    try:
        layout.dump(layout.load(text), out)
    except Exception:  # noqa: BLE001 - whatever it cannot lay out stays as it is
        return text
    return _as_quoted(out.getvalue(), text)


def _as_quoted(layouted: str, text: str) -> str:
    """Return the text with everything in double quotes spelled as before: ruamel writes out invisible characters that
    were escaped, and escapes others in ways of its own.
    """
    now, before = (
        [token for token in yaml.scan(each, yaml.SafeLoader) if isinstance(token, yaml.ScalarToken)]
        for each in (layouted, text)
    )
    if len(now) != len(before):
        return layouted
    parts, end = [], 0
    for new, old in zip(now, before, strict=True):
        written = text[old.start_mark.index : old.end_mark.index]
        if new.style == old.style == '"' and "\n" not in written:
            parts += [layouted[end : new.start_mark.index], written]
            end = new.end_mark.index
    return "".join([*parts, layouted[end:]])


def _indented(text: str) -> str:
    """Return the text with each comment on a line of its own as far in as what it stands above, and no two blank lines
    in a row, none behind `key:` and none at the end of a line.
    """
    inside, lines, at = _inside(text), [], 0
    for line in text.split("\n"):
        in_value = inside[at] if at < len(inside) else False
        at += len(line) + 1
        lines.append((line if in_value else line.rstrip(), in_value))
    moved: list[str] = []
    for place, (line, in_value) in enumerate(lines):
        if in_value:
            moved.append(line)
        elif line.lstrip().startswith("#"):
            below = next((other for other, _ in lines[place + 1 :] if other and not other.lstrip().startswith("#")), "")
            moved.append(" " * (len(below) - len(below.lstrip())) + line.lstrip())
        elif line or (moved and moved[-1] and not re.search(r"^[^#]*:\s*(#.*)?$", moved[-1])):
            moved.append(line)
    return "\n".join(moved)


def _spaced(text: str) -> str:
    """Return the text with one blank line between sections, at most one elsewhere, and none at its ends."""
    root = compose(text)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return text.rstrip() + "\n"
    starts = [block_start(text, key.start_mark.index) for key, _ in root.value]
    bounds = [start for start in starts if start is not None]
    head = text[: bounds[0]].strip("\n")
    head += "\n\n" if text[: bounds[0]].endswith("\n\n") else "\n"
    parts = [text[a:b] for a, b in zip(bounds, [*bounds[1:], len(text)], strict=True)]
    body = "\n".join(f"{part.strip(chr(10))}\n" for part in parts)
    return (head if head.strip() else "") + body
