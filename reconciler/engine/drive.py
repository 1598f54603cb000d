"""Running a kind's flow against the account: requests out, answers in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from reconciler.model.errors import AmbiguousResponse, RemoteError
from reconciler.model.http import Bound, Flow, Pause, Remote, Request, Response, shown

T = TypeVar("T")
BOUND = 10_000
"""No flow has more items than this; one that does is wrong."""
ODD = (ArithmeticError, AttributeError, KeyError, IndexError, RecursionError, TypeError, ValueError)
"""How flows fail over a value in an answer that is of a type that was never seen there."""


async def drive(
    flow: Flow[T],
    remote: Remote,
    *,
    on_bound: Callable[[Bound, bool], None] | None = None,
    before: Callable[[int, bool | None], Awaitable[None]] | None = None,
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    """Run a flow to its end and return its result. An error of a request is raised here, not inside the flow.

    `before` is awaited right before each request that can take something away, with its number (0 is the first) and
    None, and before each repetition of one, with whether a try may have been carried out; what it raises keeps it from
    being sent. `on_bound` is told of an object with whether the flow goes on: before anything else is sent, or at the
    end.
    """
    answer, taken = Response(200, {}), 0
    bound: list[Bound] = []

    def tell(*, more: bool) -> None:
        while bound and on_bound is not None:
            on_bound(bound.pop(0), more)

    try:
        item = next(flow)
        for _ in range(BOUND):
            tell(more=True)
            if isinstance(item, Request):
                if before is not None and item.overwrites:
                    await before(taken, None)
                    item, taken = replace(item, again=partial(before, taken)), taken + 1
                answer = (await remote.send(item))._replace(request=str(item))
            elif isinstance(item, Pause):
                await sleep(item.seconds)
            else:
                bound.append(item)
            try:
                item = flow.send(answer)
            except ODD as error:
                tell(more=True)
                raise _odd(item, answer, error) from error
    except StopIteration as stop:
        tell(more=False)
        result: T = stop.value
        return result
    raise RuntimeError(f"a flow did not end after {BOUND} items")


def _odd(item: object, answer: Response, error: Exception) -> RemoteError:
    """Return what it means that a flow cannot go on with an answer. After a write, whether it took has to be looked
    up. Raises the error where nothing was answered.
    """
    if not isinstance(item, Request):
        raise error
    expected = f"values of the documented types ({type(error).__name__}: {shown(str(error))})"
    return AmbiguousResponse(answer.other(expected).message) if item.writes else answer.other(expected)
