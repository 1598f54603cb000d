"""The pages of a listing, one after the other: the one loop over offsets. Where a listing ends is its reader's rule."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.model.http import DEFAULT_PAGE, PAGE, Flow, Request, Response


def follow(
    ask: Callable[[int], Request], after: Callable[[Response, int], int | None], *, begin: int = 0, most: int
) -> Flow[tuple[list[Response], bool]]:
    """Return the answers to the requests of a listing's pages, `most` at most, and whether the listing ended by then.

    `ask` makes the request of the page that begins at a row. `after` is the ending rule: from an answer and the row at
    which it began follows the row at which the next page begins, or None where the listing ends.
    """
    answers: list[Response] = []
    offset: int | None = begin
    while offset is not None and len(answers) < most:
        answers.append((yield ask(offset)))
        offset = after(answers[-1], offset)
    return answers, offset is None


def is_full(rows: int) -> bool:
    """Return whether a page of so many rows may be followed by another: it has as many as were asked for, or the 20 of
    an account that ignores `limit` (row 3 of section 7).
    """
    return rows in (PAGE, DEFAULT_PAGE)
