"""What was probably meant is found among few words and among thousands, and costs what is looked for, not more."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.reading.loading import load_texts
from reconciler.model.errors import ConfigError
from reconciler.model.nearest import MANY, Words
from reconciler.resources import load_kinds

KINDS = load_kinds()
NAMES = [
    f"{place}_{what}_{number}"
    for place in ("north", "south", "inner")
    for what in ("vip", "lead")
    for number in range(400)
]
SLIPS = st.tuples(st.sampled_from(NAMES), st.integers(0, 30), st.sampled_from(["", "x", "7x"]))


@given(SLIPS)
def test_a_slip_finds_what_is_as_like_as_what_was_meant(slip: tuple[str, int, str]) -> None:
    """A letter that is wrong, missing or too much, also in another case, among more words than are compared."""
    meant, place, instead = slip
    at = place % len(meant)
    written = f"{meant[:at]}{instead}{meant[at + 1 :]}"
    found = Words(NAMES).nearest(written.upper())
    assert len(NAMES) > 10 * MANY
    assert found is not None

    def like(word: str) -> float:
        return difflib.SequenceMatcher(None, word, written).ratio()

    assert like(found) >= like(meant)


def test_among_few_words_each_is_compared() -> None:
    """A word that begins and ends as none of them is near to the one that it holds."""
    few = [f"{letter}-newsletter-{letter}" for letter in "abcdefgh"]
    assert Words(few).nearest("zz-Newsletter-c") == "c-newsletter-c"
    assert Words(few).nearest("pipeline") is None
    assert Words([]).nearest("pipeline") is None


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many words were compared with each that is wrong."""
    counts: list[int] = []
    matches = difflib.get_close_matches

    def counting(word: str, options: Iterator[str], n: int, cutoff: float) -> list[str]:
        among = list(options)
        counts.append(len(among))
        return matches(word, among, n, cutoff)

    monkeypatch.setattr(difflib, "get_close_matches", counting)
    return counts


@pytest.mark.parametrize("size", [220, 440])
def test_wrong_references_are_not_compared_with_all_that_is_declared(size: int, compared: list[int]) -> None:
    """References, targets and blocks that name nothing, all at once: 2,000 of them took 15 seconds."""
    tags = "".join(f"  t{n}: {{name: T {n}}}\n" for n in range(size))
    moved = "".join(f"  - {{from: tag.a{n}, to: tag.tx{n}}}\n" for n in range(size))
    lists = "".join(
        f"  l{n}: {{name: L{n}, string_id: l-{n}, sender_url: 'https://a.example', sender_reminder: You}}\n"
        for n in range(size)
    )
    fields = "".join(f"  f{n}: {{title: F {n}, type: text, lists: [lx{n}]}}\n" for n in range(size))
    with pytest.raises(ConfigError) as wrong:
        load_texts({"all.yaml": f"tags:\n{tags}moved:\n{moved}lists:\n{lists}fields:\n{fields}"}, None, KINDS, {})
    assert len(wrong.value.diagnostics) == 2 * size
    assert (len(compared), max(compared) < MANY) == (2 * size, True)
