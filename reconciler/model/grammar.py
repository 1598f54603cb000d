"""English of messages that name a kind."""

from __future__ import annotations

import re


def a(noun: str) -> str:
    """Return a noun with its indefinite article: `a tag`, `an account field`, `a user group`."""
    return f"{'an' if re.match(r'[aeioAEIO]|u(?![ns][ei])', noun) else 'a'} {noun}"
