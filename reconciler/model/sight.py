"""Whose eyes an account is read with: the key's user is shown some kinds in part, without a word (section 1.2)."""

from __future__ import annotations

from typing import Literal, NamedTuple

ADMIN = "3"
"""The user group Admin has this id in every account that is known (section 2.18)."""


class Eyes(NamedTuple):
    """The user group of the key's user (its id, "" where the account does not say). No name and no address: whose key
    it is stays private.
    """

    group: str = ""
    strict: bool = False
    """Doubt what was never seen too, where it is unknown whose key it is: a comparison makes nothing of it."""

    @property
    def sees(self) -> Literal["everything", "part", "unknown"]:
        """What is shown to that group of the kinds that permissions filter. Only of Admin it is known to be all: a
        group may have every flag and yet be kept out of a pipeline.
        """
        return "everything" if self.group == ADMIN else "part" if self.group else "unknown"

    @property
    def why(self) -> str:
        """Why absence proves nothing; "" where it does."""
        if self.sees == "everything":
            return ""
        if self.group:
            whose = f"the key's user is in user group {self.group} and"
        else:
            whose = "the account does not say in which user group the key's user is, who"
        return f"{whose} may be shown part of them only: use the key of an Admin user"
