"""What could not be read of the objects that an export takes, in lines that name it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from reconciler.deriving.exported import Exported
from reconciler.model.kind import Kinds
from reconciler.model.snapshot import Snapshot


def untold(snapshot: Snapshot, kinds: Kinds, exported: Iterable[Exported], then: str = "") -> dict[str, list[str]]:
    """Return, by kind, one line for each attribute that could not be read of what an export takes, with what that
    means (`then`), and for each setting of which that is so.
    """
    addresses: dict[str, dict[str, str]] = defaultdict(dict)
    for entry in exported:
        addresses[entry.live.kind][entry.live.id] = entry.resource.address
    lines = defaultdict(list)
    for kind, missing in snapshot.unread.items():
        for name, unread in missing.items():
            whole = name in kinds[kind].variants
            about = set() if whole else {addresses[kind][key] for key in unread.ids & addresses[kind].keys()}
            if whole or about:
                lines[kind].append(unread.line(kind, name, then, about))
    return lines
