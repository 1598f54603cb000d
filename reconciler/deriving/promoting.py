"""Three sides of a promotion: what the source holds, what the target holds, and what both held at the last one. Pure.

The record of a promotion keeps salted hashes only: it lies in the project, and values may be secret or personal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model import values
from reconciler.model.kind import Kinds
from reconciler.model.snapshot import Snapshot
from reconciler.model.spec import Attribute
from reconciler.model.values import Lookup, Ref, RemoteId, Value

Status = Literal["same", "here", "there", "colliding", "kept", "waiting"]
WHOLE = ""
"""In place of an attribute's name: the whole object."""


class Base(BaseModel):
    """One attribute at the last promotion: hashes of what the source held, and of what the target held or was to."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    here: str
    there: list[str] = Field(default_factory=list)
    apart: bool = Field(False, description="The target was meant to hold another value.")


class Promotion(BaseModel):
    """What is remembered of the promotions from one environment to another: by address and attribute."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    format_version: int = 1
    salt: str
    resources: dict[str, dict[str, Base]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Side:
    """One attribute on both sides, as hashes; `differs` tells whether they mean different things."""

    here: str
    there: str
    differs: bool


def status(side: Side, base: Base | None, *, apart: bool, written: bool, settled: bool) -> Status:
    """Return whose change a difference is. `apart`: the target's files set this value apart from the others (overlay,
    variable); `written`: they ask for the source's value already; `settled`: they say what the target holds.
    """
    if not side.differs:
        return "same"
    touched = base is not None and side.there not in base.there
    if written:
        return "there" if touched else "waiting"
    if base is None:
        return "kept" if apart else "here"
    if side.here != base.here:
        return "colliding" if touched or base.apart else "here"
    return "there" if touched and not settled else "kept"


def names_of(seen: Snapshot, kinds: Kinds, addresses: Mapping[tuple[str, str], str]) -> Callable[[Value], Value]:
    """Return what turns references into texts that mean the same in every account: addresses, or names."""
    labels = {
        (kind, live.id): str(live.attrs.get(kinds[kind].identity.name_attribute))
        for kind, lives in seen.lives.items()
        for live in lives
    }

    def text(leaf: Value) -> Value:
        if isinstance(leaf, RemoteId):
            key = (leaf.kind, leaf.id)
            return addresses.get(key) or f"{leaf.kind}[{labels.get(key, leaf.id)}]"
        if isinstance(leaf, Ref):
            return leaf.address
        return f"{leaf.kind}[{leaf.value}]" if isinstance(leaf, Lookup) else leaf

    return text


def hashed(value: Value, attribute: Attribute, names: Callable[[Value], Value], salt: str) -> str:
    """Return the hash of a value in normal form."""
    normal = attribute.normal(values.transform(value, names))
    plain = json.dumps(_plain(normal), sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(f"{salt}:{plain}".encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """Return a value such that null, "", false and empty are the same, as everywhere in comparisons."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(item) for item in value] or None
    return None if value in ("", False) else value
