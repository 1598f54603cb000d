"""Reading what the API spells in several ways: strings, ints, bools and null mix (section 1.4 of the API page)."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.values import Json, Value

LARGEST = 10**18
"""Beyond this, a number of the account is not one that was meant."""


def truthy(raw: Value) -> bool:
    """Read a flag in any of the spellings that the API uses: true, 1, "1", "true"."""
    return raw is True or raw == 1 or (isinstance(raw, str) and raw.lower() in ("1", "true", "yes"))


def listed(raw: Json) -> list[Json] | None:
    """Read a list; one with gaps or numbered by PHP arrives as a map of numbers, an empty one as null or "". None where
    it is not a list in any of these forms.
    """
    if isinstance(raw, list | tuple):
        return list(raw)
    if isinstance(raw, Mapping) and all(str(key).isdecimal() for key in raw):
        return [raw[key] for key in sorted(raw, key=int)]
    return [] if raw is None or raw == "" else None


def number(raw: object) -> int | None:
    """Read an integer that may arrive as text; None when there is none."""
    if isinstance(raw, bool):
        return int(raw)
    try:
        return int(float(raw)) if isinstance(raw, str | int | float) and raw != "" else None
    except (OverflowError, ValueError):
        return None


def text(raw: object) -> str | None:
    """Read a text; null, "" and absent are the same. Numbers and flags become their decimal string. Raises ValueError
    for what has an inside: how Python writes it is not a text of the account.
    """
    if raw is None or raw == "":
        return None
    if isinstance(raw, Mapping | list | tuple):
        raise ValueError("what should be a text is a map or a list")
    return str(int(raw)) if isinstance(raw, bool) else str(raw)


def ident(raw: object) -> str:
    """Read an id, which may arrive as text or as a number in any answer (section 1.4); "" when there is none."""
    return str(int(raw)) if isinstance(raw, bool) else "" if raw is None else str(raw)


def folded(value: object) -> str:
    """Return the form in which case-insensitive texts are compared."""
    return str(value).lstrip("#").casefold()
