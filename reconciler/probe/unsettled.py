"""What an experiment raises that cannot tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


class Unsettled(Exception):
    """An experiment cannot tell, here and now; the text says why, for people."""
