"""An answer that is no answer to the question settles nothing: each experiment, with each request of it refused in each
way, finds what it finds otherwise, or nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import AccountSettings
from reconciler.model.errors import Unreachable
from reconciler.model.http import Request, Response
from reconciler.probe import Experiment, Lab, ProbeBudget, Unsettled, load_experiments
from reconciler.probe.means import writable
from reconciler.workflow.observation.holding import locked
from tests.probe.probes import probed_world
from tests.world import World
from tests.world.clock import run

REFUSALS: Mapping[str, Response | None] = {
    "401": Response(401, {"message": "Unauthorized"}),
    "402": Response(402, {}),
    "403": Response(403, {"message": "Forbidden"}),
    "404": Response(404, {"message": "Not Found"}),
    "405": Response(405, {}),
    "429": Response(429, {}),
    "500": Response(500, {}),
    "503": Response(503, {}),
    "302": Response(302, None),
    "page": None,
}
"""How a request is refused; None for a web page, which is no answer of the API's."""
SHOWN: Mapping[str, str] = {
    "bad_token_status": "401 403",
    "forbidden": "401 402 403",
    "missing": "404 405",
    "segments": "404 405",
    "site_domains": "404 405",
    "field_groups": "404 405",
    "option_bulk": "404 405",
    "option_bulk_singular": "404 405",
    "outcome_path": "404 405",
    "default_address_delete": "401 402 403 404 405 302",
    "tasktype_delete": "403",
    "not_found": "404",
    "limit_status": "429 503",
    "retry_after": "429 503",
    "rate_limit": "429 503",
}
"""Facts that show by nothing but such an answer: a path that is not there, a key that is refused."""


MARKS = itertools.count(1)


class Refusing:
    """A line on which one request is refused as often as it is sent in a row, and no other."""

    def __init__(self, line: Any, at: int, refusal: Response | None) -> None:
        self.line, self.at, self.refusal = line, at, refusal
        self.seen, self.last = 0, ""
        self.struck = False

    @property
    def requests(self) -> int:
        """As the line says."""
        return int(self.line.requests)

    async def raw(self, request: Request, *, token: str | None = None, paced: bool = True) -> Response:
        """Send once, or refuse."""
        what = f"{request} {request.query} {request.body} {token}"
        self.seen += what != self.last
        self.last = what
        if self.seen != self.at:
            answer: Response = await self.line.raw(request, token=token, paced=paced)
            return answer
        self.struck = True
        if self.refusal is None:
            raise Unreachable("a web page", sent=True)
        return Response(self.refusal.status, self.refusal.body, {}, str(request))


class Forgetful:
    """A journal that keeps nothing."""

    def append(self, record: Mapping[str, Any]) -> None:
        """Forget it."""


async def _found(
    world: World, one: Experiment, at: int, refusal: Response | None, around: Callable[[Any], Any] = lambda line: line
) -> tuple[dict[str, str], bool]:
    """Run one experiment; return what it found, and whether there was such a request."""

    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    session = world.session()
    async with AsyncExitStack() as stack:
        lock = stack.enter_context(locked(session, "probe"))
        line = session.connect(stack, write=True, hold=lock.hold, writable=writable(contacts=True))
        refusing = Refusing(around(line), at, refusal)
        spent = ProbeBudget(10**6, 10**6, lambda: 0.0)
        lab = Lab(refusing, Forgetful(), f"zz-probe-{next(MARKS):08}", spent, contacts=True, sleep=sleep)
        found: dict[str, str] = {}
        with suppress(Unsettled):
            async for name, what in one.run(lab):
                found |= {name: what} if isinstance(what, str) else {}
        struck = refusing.struck
        refusing.at = 0
        await lab.clear()
    return found, struck


def _wrong(folder: Path, one: Experiment, settings: AccountSettings, refusals: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is found otherwise where a request is refused; and "" for each case that was tried."""
    with probed_world(folder, settings) as world:
        usual, _ = run(_found(world, one, 0, None))
        for way, refusal in refusals.items():
            at, struck = 0, True
            while struck:
                at += 1
                found, struck = run(_found(world, one, at, refusal))
                yield ""
                for name, what in found.items():
                    if what != usual.get(name) and way not in SHOWN.get(name, "").split():
                        yield f"{one.name}, request {at} answered {way}: {name} is {what}, not {usual.get(name)}"


class Answering:
    """A line that answers in turn; None is no answer."""

    requests = 0

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)

    async def raw(self, request: Request, *, token: str | None = None, paced: bool = True) -> Response:
        """Answer."""
        status = self.statuses.pop(0)
        if status is None:
            raise Unreachable("the connection was reset", sent=True)
        return Response(status, {}, {}, str(request))


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ((403, 403, 403), 403), ((403, 403, 200), 200), ((None, 403, 403, 403), 403), ((500, None, 403, 200), 200),
        ((None, None, 403, 403), None), ((429, 403, 503, 403), None), ((None, None, None, 403), None),
    ],
)  # fmt: skip
def test_a_refused_read_is_believed_when_it_was_refused_three_times(
    statuses: tuple[int | None, ...], said: int | None
) -> None:
    """403 on a read is intermittent (section 1.2): tries that got no answer, or another one, do not count for it."""

    async def sleep(_: float) -> None:
        await asyncio.sleep(0)

    spent = ProbeBudget(10**6, 10**6, lambda: 0.0)
    lab = Lab(Answering(*statuses), Forgetful(), "zz-probe-00000001", spent, sleep=sleep)
    if said is None:
        with pytest.raises(Unsettled):
            run(lab.get("/scores"))
    else:
        assert run(lab.get("/scores")).status == said


EXPERIMENTS = {one.name: one for one in load_experiments()}


class Losing:
    """A line that loses the answers to some looks at a schema."""

    def __init__(self, line: Any, lost: int) -> None:
        self.line, self.lost = line, lost

    @property
    def requests(self) -> int:
        """As the line says."""
        return int(self.line.requests)

    async def raw(self, request: Request, *, token: str | None = None, paced: bool = True) -> Response:
        """Send it, and lose the answer."""
        answer: Response = await self.line.raw(request, token=token, paced=paced)
        if self.lost and ("showFields", "all") in request.query:
            self.lost -= 1
            raise Unreachable("the connection was reset", sent=True)
        return answer


@pytest.mark.parametrize(("lost", "found"), [(0, "2"), (1, None)])
def test_looks_that_an_answer_was_lost_of_are_not_counted(tmp_path: Path, lost: int, found: str | None) -> None:
    """The account counted one more than the probe saw: how long a field is there is not known then."""
    with probed_world(tmp_path, AccountSettings()) as world:
        told, _ = run(_found(world, EXPERIMENTS["schemas"], 0, None, lambda line: Losing(line, lost)))
    assert told.get("deletion_polls") == found
    assert told["schema_put"] == "merge"


def test_a_refusal_settles_nothing(tmp_path: Path) -> None:
    """Two experiments by chance, and the one of listings at two paths, with some refusals."""
    dice = random.Random(17)
    names = ["listings with two paths", "lists without a string id", "deal roles"]
    refusals = {way: REFUSALS[way] for way in dice.sample(sorted(REFUSALS), 2)} | {"403": REFUSALS["403"]}
    told = [line for name in names for line in _wrong(tmp_path / name, EXPERIMENTS[name], AccountSettings(), refusals)]
    assert [line for line in told if line] == []
    assert len(told) > 30


@pytest.mark.prove
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_no_refusal_settles_anything(tmp_path: Path, name: str, record_property: Callable[[str, object], None]) -> None:
    """Every experiment, at every request, in every way, on two accounts that differ in most."""
    other = AccountSettings(
        unique=("tags", "lists", "dealRoles"), list_update="refuse", bulk_options="replace", option_bulk="plural",
        outcome_path="taskOutccomes", arrays="maps", mixed_types=2, tasktype_delete="deleted", orphan_stages=True,
        list_channels="all", site_domains="old", field_groups="members", dead_references="kept", not_found="documented",
        missing=("audiences",), id_reuse=True,
    )  # fmt: skip
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for which, settings in (("usual", AccountSettings()), ("other", other)):
        told = list(_wrong(tmp_path / which, EXPERIMENTS[name], settings, REFUSALS))
        counts["cases"] += told.count("")
        wrong += [line for line in told if line]
    record_property(f"refused requests, {name}", {**counts, "wrong": len(wrong)})
    assert wrong == []
