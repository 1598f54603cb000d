"""What a member of a model is where it is left out. pydantic asks each factory for its signature, once per member: that
of a function is at hand, that of `list` or `dict` is parsed from a text, 60 times in a small plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def no_items() -> list[Any]:
    """Return a new empty list."""
    return []


def no_members() -> dict[str, Any]:
    """Return a new empty map."""
    return {}


NOTHING: Mapping[Any, Any] = MappingProxyType({})
"""The default of a member that is a map, shared by all."""
