"""What was probably meant by a word that is none of those that there are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

MANY = 200
"""Up to so many words are all compared with one."""
_NEXT = 12


class Words:
    """The words that there are. Of thousands, those are compared with one that stand next to it by their beginnings and
    by their ends: a slip leaves one of the two as it was meant, and thousands of slips are told in one go.
    """

    def __init__(self, options: Iterable[str]) -> None:
        self._options = {option.casefold(): option for option in sorted(options)}
        many = len(self._options) > MANY
        self._forwards = sorted(self._options) if many else []
        self._backwards = sorted(option[::-1] for option in self._options) if many else []

    def nearest(self, word: str, likeness: float = 0.6) -> str | None:
        """Return the option that is most like a word in either case, None where none is by so much (0 to 1)."""
        import difflib  # where all words are known, nothing is compared

        meant = word.casefold()
        near = difflib.get_close_matches(meant, self._compared(meant), 1, likeness)
        return self._options[near[0]] if near else None

    def _compared(self, word: str) -> Iterable[str]:
        if not self._forwards:
            return self._options
        ends = (option[::-1] for option in _around(self._backwards, word[::-1]))
        return dict.fromkeys((*_around(self._forwards, word), *ends))


def _around(words: Sequence[str], word: str) -> Sequence[str]:
    place = bisect_left(words, word)
    return words[max(0, place - _NEXT) : place + _NEXT]


def nearest(word: str, options: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the option that is most like a word, None where none is by so much (0 to 1)."""
    return Words(options).nearest(word, likeness)


def did_you_mean(word: str, options: Iterable[str] | Words, otherwise: str = "") -> str:
    """Return a hint that names the option that was probably meant, or another hint when none is near."""
    near = (options if isinstance(options, Words) else Words(options)).nearest(word)
    return f"did you mean `{near}`?" if near is not None else otherwise
