"""What a run takes for granted of its account because a probe found it out. Nothing is, where nothing was probed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from reconciler.model.empty import NOTHING

LONGEST = 255
"""Characters of a text that was probed."""


class Facts(NamedTuple):
    """What a run may take for granted of its account, by name; nothing where nothing was probed. `borrowed` are those
    that were probed on another account, the environment `lender`.
    """

    known: Mapping[str, str] = NOTHING
    probed: Mapping[str, str] = NOTHING
    borrowed: frozenset[str] = frozenset()
    lender: str = ""
    account: str = ""
    """The account that they are of: its host, or the emulator's file."""
    contradicted: frozenset[str] = frozenset()
    problem: str = ""
    """Why the facts file cannot be read; then nothing is known."""
    hint: str = ""
    lent: bool = False
    """Whether the facts of the lender are there."""
    damaged: tuple[str, ...] = ()
    """What is wrong with files that may be the lender's."""

    def get(self, name: str) -> str:
        """Return what was found, "" where it is not known: then a fact is taken neither way."""
        return self.known.get(name, "")

    def says(self, name: str, *values: str) -> bool:
        """Return whether a fact is known to be one of these values: for what costs a request more where it is wrong."""
        return self.known.get(name) in values

    @property
    def keeps_texts(self) -> bool:
        """Whether it was found on this very account that odd texts come back as they were sent."""
        keeping = [name for name in self.known if name.startswith(("name.", "html."))]
        return bool(keeping) and all(self.own(name, "kept") for name in keeping)

    def own(self, name: str, *values: str) -> bool:
        """Return whether that was found on this very account: for what would do harm where it is wrong."""
        return name not in self.borrowed and self.says(name, *values)
