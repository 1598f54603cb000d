"""Reading the program's own JSON files: whatever stands in them is a document or a ValueError."""

from __future__ import annotations

import json
from typing import Any


def read_json(content: bytes | str) -> Any:
    """Return the document. Raises ValueError for what is none: truncated, nested without end, with numbers that are
    none or halves of characters.
    """
    text = content.decode("utf-8") if isinstance(content, bytes) else content
    try:
        found = json.loads(text, parse_constant=_none)
    except RecursionError as error:
        raise ValueError("it is nested without end") from error
    if "\\ud" in text or "\\uD" in text:
        json.dumps(found, ensure_ascii=False).encode()  # halves of pairs have no bytes: a ValueError
    return found


def _none(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
