"""Encoded values on one line. They are foreign: nothing in them may move a cursor or reverse a line."""

from __future__ import annotations

import json
import re
import shlex
import unicodedata
from collections.abc import Collection
from typing import Any

from reconciler.model.characters import BLANKS, compiled
from reconciler.render.harmless import harmless

_SURROGATES = "[\ud800-\udfff]"
_PLAIN_KEY = r"[A-Za-z_][\w.-]*"
MARKERS = ("$ref", "$id", "$lookup", "$secret")


def clean(text: str) -> str:
    """Return `text` with every character escaped that could change how the rest is shown."""
    return harmless(text)


def is_marker(value: object) -> bool:
    """Return whether a map is the encoded form of a reference or a secret."""
    return isinstance(value, dict) and any(mark in value for mark in MARKERS)


def quoted(text: str) -> str:
    """Return a text in double quotes, as JSON writes it, but readable: only what is unsafe is escaped."""
    return clean(json.dumps(text, ensure_ascii=False))


def key(name: object) -> str:
    """Return a map's key: plain where it is a word, quoted where it is not."""
    text = str(name)
    return text if re.fullmatch(_PLAIN_KEY, text) else quoted(text)


def literal(value: object, *, sensitive: bool = False) -> str:
    """Return an encoded value on one line. A sensitive text in parentheses is a mask and has no quotes."""
    if sensitive and isinstance(value, str) and value.startswith("("):
        return clean(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        if is_marker(value):
            return _marker(value)
        return "{" + ", ".join(f"{key(name)}: {literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return json.dumps(value, default=str)


def _marker(value: dict[str, Any]) -> str:
    if "$ref" in value:
        return clean(str(value["$ref"]))
    if "$secret" in value:
        return quoted(str(value["$secret"]))
    if "$id" in value:
        name = f" {quoted(str(value['name']))}" if value.get("name") else ""
        return clean(f"{value.get('kind', '')} id {value['$id']}{name}".strip())
    inner = value["$lookup"] if isinstance(value["$lookup"], dict) else {"name": value["$lookup"]}
    return clean("{" + ", ".join(f"{name}: {text}" for name, text in inner.items() if name != "kind") + "}")


def apart(text: str, others: Collection[str]) -> str:
    """Return a text with escapes where one of the others is another text and looks the same: blanks of other widths,
    accents composed or not.
    """
    if text.isascii() and all(other.isascii() for other in others):
        return text
    alike = [other for other in others if other != text and _look(other) == _look(text)]
    if any(unicodedata.normalize("NFC", other) == unicodedata.normalize("NFC", text) for other in alike):
        return ascii(text)[1:-1]
    return compiled(f"[{BLANKS}]").sub(lambda match: ascii(match[0])[1:-1], text) if alike else text


def _look(text: str) -> str:
    return compiled(f"[{BLANKS}]").sub(" ", unicodedata.normalize("NFC", text))


def to_json(content: object, *, indent: int | None = 2) -> str:
    """Return JSON that ends with a newline: readable, with halves of surrogate pairs escaped."""
    text = json.dumps(content, indent=indent, ensure_ascii=False, default=str)
    return re.sub(_SURROGATES, lambda match: f"\\u{ord(match.group()):04x}", text) + "\n"


def place(path: object) -> str:
    """Return a path as it is printed: on one line, whatever is in its name."""
    return clean(str(path))


def typed(path: object) -> str:
    """Return a path as a shell takes it, on one line as well."""
    text = str(path)
    if clean(text) == text:
        return shlex.quote(text)
    inside = "".join(
        _SHELL.get(character) or (character if clean(character) == character else _bytes(character))
        for character in text
    )
    return f"$'{inside}'"


_SHELL = {"'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _bytes(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
