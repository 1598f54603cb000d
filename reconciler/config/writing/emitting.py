"""Plain data to YAML text that people like to read and that `parsing` reads back as the very same data.

The same data always gives the same bytes. Texts carry quotes only where this or another YAML reader would take them for
something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from reconciler.config.reading.scalars import is_ambiguous, meaning
from reconciler.model.characters import SHOWN
from reconciler.model.errors import ReconcilerError
from reconciler.model.values import Value, items_of

WIDTH = 100
INDENT = "  "

# `-`, `?` and `:` may begin a text in some places; quotes are right in all.
_UNSAFE_START = re.compile(r"[-?:,\[\]{}#&*!|>'\"%@`\s]|\.\.\.")
_UNSAFE_INSIDE = re.compile(rf": |:$| #|\s$|[^{SHOWN}]")
_FLOW = re.compile(r"[,\[\]{}]|:[^\w/]")
_ESCAPED = re.compile(rf'["\\]|[^{SHOWN}]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LITERAL = re.compile(rf"[{SHOWN}\t\n]*")
_OLD_READER: Any = yaml.SafeLoader("")


def document(content: Mapping[str, Value]) -> str:
    """Return a document, one blank line between its sections. Empty maps at the top are left out."""
    parts = ["\n".join(_entry(name, section, "")) for name, section in content.items() if section]
    return "\n\n".join(parts) + "\n" if parts else ""


def as_block(value: Value, pad: str) -> list[str]:
    """Return the lines of a map or list as a block that begins at `pad`."""
    return _block(value, pad)


def as_flow(value: Value) -> str:
    """Return a value on one line, whatever its length."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(name), flow=True)}: {as_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_flow(item) for item in value) + "]"
    return _scalar(value, flow=True)


def _entry(name: str, value: Value, pad: str) -> list[str]:
    """Return the lines of one entry of a map."""
    head = f"{pad}{_text(name, flow=False)}:"
    short = _inline(value, WIDTH - len(head) - 1)
    if short is not None:
        return [f"{head} {short}"]
    if isinstance(value, str):
        return _literal(head, value, pad + INDENT)
    return [head, *_block(value, pad + INDENT)]


def _block(value: Value, pad: str) -> list[str]:
    if isinstance(value, Mapping):
        return [line for name, item in value.items() for line in _entry(str(name), item, pad)]
    lines: list[str] = []
    for item in items_of(value):
        short = _inline(item, WIDTH - len(pad) - 2)
        if short is not None:
            lines.append(f"{pad}- {short}")
        elif isinstance(item, str):
            lines += _literal(f"{pad}-", item, pad + INDENT)
        else:
            first, *rest = _block(item, pad + INDENT)
            lines += [f"{pad}- {first.removeprefix(pad + INDENT)}", *rest]
    return lines


def _inline(value: Value, room: int) -> str | None:
    """Return a value on one line; None where it is better written as a block."""
    if not isinstance(value, Mapping | list):
        return None if isinstance(value, str) and _is_literal(value) else _scalar(value, flow=False)
    if isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values()):
        return None
    text = _flow(value)
    return text if not value or (text is not None and len(text) <= room) else None


def _flow(value: Value) -> str | None:
    if isinstance(value, Mapping):
        return _joined((_flow_entry(str(name), item) for name, item in value.items()), "{", "}")
    if isinstance(value, list):
        return _joined((_flow(item) for item in value), "[", "]")
    return None if isinstance(value, str) and _is_literal(value) else _scalar(value, flow=True)


def _flow_entry(name: str, value: Value) -> str | None:
    text = _flow(value)
    return f"{_text(name, flow=True)}: {text}" if text is not None else None


def _joined(parts: Iterable[str | None], opening: str, closing: str) -> str | None:
    texts = list(parts)
    return None if None in texts else f"{opening}{', '.join(part for part in texts if part is not None)}{closing}"


def _scalar(value: Value, *, flow: bool) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value, flow=flow)
    text = str(value)
    if type(meaning(text)) is not type(value):
        raise ReconcilerError(f"the number {text} cannot be written to YAML")
    return text


def _text(text: str, *, flow: bool) -> str:
    plain = not (_UNSAFE_START.match(text) or _UNSAFE_INSIDE.search(text) or (flow and _FLOW.search(text)))
    return text if plain and _means_itself(text) else '"' + _ESCAPED.sub(_escape, text) + '"'


def _means_itself(text: str) -> bool:
    """Return whether this reader and those of YAML 1.1 take the plain text for a text."""
    if not isinstance(meaning(text), str) or is_ambiguous(text):
        return False
    return bool(_OLD_READER.resolve(yaml.ScalarNode, text, (True, False)) == "tag:yaml.org,2002:str")


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:
        raise ReconcilerError(
            "a text with half of a surrogate pair cannot be written to YAML", hint="correct the text in the account"
        )
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _is_literal(text: str) -> bool:
    """Return whether a text of several lines can stand as it is: no line with nothing but blanks, nothing invisible."""
    lines = text.split("\n")
    return (
        len(lines) > 1
        and bool(text.strip())
        and bool(_LITERAL.fullmatch(text))
        and not any(line and not line.strip() for line in lines)
    )


def _literal(head: str, text: str, pad: str) -> list[str]:
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    # A reader takes the indentation from the first line, so blanks or nothing there need it spelled out.
    indent = str(len(INDENT)) if text[0] in " \n\t" else ""
    chomp = "-" if ends == 0 else "" if ends == 1 else "+"
    lines = [f"{pad}{line}" if line else "" for line in body.split("\n")]
    return [f"{head} |{indent}{chomp}", *lines, *[""] * (ends - 1)]
