"""What was probably meant by a word that is none of those that there are."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, options: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the option that is most like a word, None where none is by so much (0 to 1)."""
    import difflib  # where all words are known, nothing is compared

    near = difflib.get_close_matches(word, list(options), 1, likeness)
    return near[0] if near else None
