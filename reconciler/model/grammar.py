"""English of messages that name a kind."""

from __future__ import annotations

import re


def a(noun: str) -> str:
    """Return a noun with its indefinite article: `a tag`, `an account field`, `a user group`."""
    return f"{'an' if re.match(r'[aeioAEIO]|u(?![ns][ei])', noun) else 'a'} {noun}"


_VERBS = {"carry": "carries", "have": "has", "lose": "loses", "hold": "holds", "are": "is", "go": "goes", "do": "does"}
_VERB = rf"(?<!may )\b(?:{'|'.join(_VERBS)})\b"
_PLURAL = rf"(?P<one>(?:[\w-]+ )*?[\w-]{{2,}})s(?=$|,| (?:of|that|in|to|may|{'|'.join(_VERBS)})\b)"


def agreeing(count: int | None, phrase: str) -> str:
    """Return a phrase about several things such that it is about `count` of them: `contacts carry the tag` of one is
    `contact carries the tag`.
    """
    if count != 1:
        return phrase
    people = phrase.startswith("people ")
    single = f"person{phrase[6:]}" if people else re.sub(_PLURAL, r"\g<one>", phrase, count=1)
    return re.sub(_VERB, lambda match: _VERBS[match[0]], single, count=1)
