"""What a write takes and what it does: what a flow of requests needs to know, what a change does to records and other
objects, and what a look at the account revealed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from reconciler.model import values
from reconciler.model.codecs import Ids
from reconciler.model.empty import NOTHING
from reconciler.model.live import Live
from reconciler.model.records import record
from reconciler.model.values import Value

Effect = Literal["lost", "moved", "hidden", "along", "unmanaged"]
"""What a change does to what it touches: records are lost or moved; objects become invisible, go with the object as
parts of it (along), or go with it and are not managed.
"""


@record
class Impact:
    """What a change does to records and to other objects, as measured. `count` is None where the API cannot tell;
    `at_most` marks an upper bound; `objects` names what it concerns; `ids` are those of the records, where all were
    listed. Objects of one kind say so (`of`), in the order of their `ids`: what of them is managed, others know.
    """

    count: int | None
    noun: str
    at_most: bool = False
    detail: str = ""
    effect: Effect = "lost"
    objects: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    of: str = ""


def likely(text: str) -> str:
    """Return what no source of the API says for certain, as a part of the detail of an impact; see `assumption`."""
    return f"(most likely {text}; ActiveCampaign does not say)"


def assumption(detail: str) -> str:
    """Return what the detail of an impact takes for granted, "" for nothing."""
    match = re.search(r"\(most likely (.*); ActiveCampaign does not say\)", detail)
    return match[1] if match else ""


class Finding(NamedTuple):
    """Something that a look at the account revealed about a planned change. Errors stop the change."""

    message: str
    severity: str = "error"
    attribute: str = ""
    hint: str = ""


class Write(NamedTuple):
    """What a write flow needs to know. `desired` are all declared attributes; `changed` those that differ from `live`.

    `ids` answers remote ids, `secret` resolves `${secret.X}`; `applied` are the attributes as last applied by this
    tool. `spare` is the id of a server-made object to take over instead of creating one. `on_destroy` maps what to do
    before a delete to remote ids. `key` is the resource's key. With `recounting`, only the numbers of what would be
    lost are asked for, not what they are worth. `children` are the ids of what was nested in the object when planning.
    `before` are the values that the changed attributes were compared with; `elsewhere` names those that the roster of
    another object says too, and brings about.
    """

    address: str
    desired: Mapping[str, Value]
    changed: frozenset[str]
    live: Live | None
    ids: Ids
    secret: Callable[[str], str] = str
    applied: Mapping[str, Value] = NOTHING
    spare: str | None = None
    replacing: bool = False
    destroying: bool = False
    on_destroy: Mapping[str, str] = NOTHING
    recounting: bool = False
    children: frozenset[str] = frozenset()
    before: Mapping[str, Value] = NOTHING
    elsewhere: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """The last part of the address."""
        return self.address.rpartition(".")[2]

    @property
    def id(self) -> str:
        """The id of the live object."""
        if self.live is None:
            raise LookupError(f"{self.address} has no live object")
        return self.live.id

    def reveal(self, value: Value) -> Value:
        """Return the value with secrets resolved."""
        return values.transform(value, lambda leaf: values.reveal(leaf, self.secret) if isinstance(leaf, str) else leaf)
