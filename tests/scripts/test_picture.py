"""The picture of the report says which report it was taken of."""

from __future__ import annotations

import pytest

from reconciler import __version__
from scripts import picture


def test_a_mark_is_kept_in_a_picture_and_changes_nothing_else() -> None:
    """It is read back, replaced by the next one, and the picture stays the same file besides."""
    before = picture.PICTURE.read_bytes()
    after = picture.marked(picture.marked(before, "a" * 64), "b" * 64)
    assert picture.mark_of(after) == "b" * 64
    rest = [one for one in picture.chunks(before) if one[0] != b"tEXt"]
    assert [one for one in picture.chunks(after) if one[0] != b"tEXt"] == rest
    assert picture.marked(after, picture.mark_of(before)) == before
    with pytest.raises(ValueError, match="not a PNG file"):
        picture.chunks(b"<svg/>")


@pytest.mark.parametrize("more", ["<b>x</b>", "37 records", "1 of 2"])
def test_another_report_has_another_digest_and_another_run_has_not(more: str) -> None:
    """Times, digests and the version differ from run to run; words, figures and layout make a picture stale."""
    made = "made 2026-11-28T14:59:16Z by reconciler {}, digest {}, 0.4 s"
    one = picture.digest(made.format(__version__, "a" * 64))
    assert one == picture.digest(made.format(__version__, "b" * 64).replace("14:59:16", "09:00:00"))
    assert one != picture.digest(made.format(__version__, "a" * 64) + more)
