"""What the account held when it was read: live objects by kind, and the kinds about which nothing can be said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.model.kind import Kinds, Live, Tables
from reconciler.model.values import encode


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Live objects by kind. A kind in `unknown` (with the reason) could not be read: never the same as empty."""

    lives: Mapping[str, Sequence[Live]] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)


def snapshot(kinds: Kinds, names: Iterable[str], tables: Tables) -> Snapshot:
    """Return the snapshot of these kinds, decoded from what was read."""
    lives: dict[str, Sequence[Live]] = {}
    unknown: dict[str, str] = {}
    for name in names:
        why = kinds[name].unreadable(tables)
        if why:
            unknown[name] = why
        else:
            lives[name] = kinds[name].lives(tables)
    return Snapshot(lives, unknown)


def fingerprint(live: Live) -> str:
    """Return the SHA-256 (hex) of an object in normal form, by which a saved plan notices that it moved."""
    content = [live.kind, live.id, encode(dict(live.attrs))]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()
