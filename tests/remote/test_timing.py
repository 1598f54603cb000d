"""How long plans and applies take on an account that is far or has a limit, in a loop whose waiting takes no time."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from itertools import pairwise

import httpx
import pytest

from reconciler.cli import program
from reconciler.remote.client import in_process
from reconciler.workflow.opening.runtime import Runtime, within
from tests.world import World
from tests.world.clock import JumpingLoop, jumping_clock

PROJECT = """
version: 1
environments:
  far: {{url: "https://account.example", token: emulator-token, requests_per_second: {rate}}}
"""
AWAY = 30.0
"""Seconds that an answer takes: so many that what the test itself takes is nothing, fewer than a request may take."""


class VirtualLoop(JumpingLoop):
    """A loop whose only time is what it skipped: however long this machine takes in between, nothing comes later."""

    def time(self) -> float:
        return self.skipped


@dataclass
class Far(httpx.AsyncBaseTransport):
    """A connection that takes its time, and notes when each request came and when the last answer was there."""

    inner: httpx.AsyncBaseTransport
    away: float = 0.0
    came: list[float] = field(default_factory=list)
    ended: float = 0.0
    loops: list[VirtualLoop] = field(default_factory=list)

    def loop(self) -> VirtualLoop:
        """Return a new loop, whose waiting counts as that of the ones before."""
        self.loops.append(VirtualLoop())
        return self.loops[-1]

    def now(self) -> float:
        """Return the seconds that all loops skipped: what the test itself takes does not count."""
        return sum(loop.skipped for loop in self.loops)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.came.append(self.now())
        await asyncio.sleep(self.away)
        answer = await self.inner.handle_async_request(request)
        self.ended = self.now()
        return answer


def run(world: World, far: Far, *argv: str) -> int:
    """Run a command on the account behind this connection."""
    clock = jumping_clock()._replace(steady=far.now, beat=False)
    around = Runtime(dict(os.environ), clock=clock, loop=far.loop, transport=far)
    with within(around):
        return program.run(["--chdir", str(world.folder), "-e", "far", *argv])


@pytest.mark.parametrize(("kinds", "trips"), [(1, 2), (6, 5)])
def test_a_plan_of_a_thousand_waits_for_few_round_trips(world: World, kinds: int, trips: int) -> None:
    """All kinds are asked for at once, and all pages of a listing as soon as the first one says how many there are. At
    50 ms a request, a plan of a thousand waits for 0.1 s, whatever it reads; for one more trip where a listing is of
    what another one holds (members of groups), and for two where it matters whose key it is.
    """
    world.write(PROJECT.format(rate=10_000), "reconciler.yaml")
    world.account.seed({"tags": [{"tag": f"T{n}"} for n in range(1000)]})
    others = [
        "lists: {news: {name: News, sender_url: https://a.example, sender_reminder: You asked}}",
        "deal_roles: {finance: {title: Finance}}",
    ]
    others += [
        "fields: {tier: {title: Tier, type: text, lists: [news]}}",
        "deal_fields: {value: {label: Value, type: text}}",
    ]
    others += ["pipelines: {sales: {title: Sales, currency: usd, stages: {lead: {title: Lead}}}}"]
    tags = "tags:\n" + "".join(f"  t{n}: {{name: T{n}}}\n" for n in range(1000))
    world.write("\n".join([tags, *others[: kinds - 1]]))
    far = Far(in_process(world.account.app), AWAY)
    assert run(world, far, "plan", "--no-impact") == 0
    assert len(far.came) >= 10
    assert round((far.ended - far.came[0]) / AWAY) == trips


def test_an_apply_takes_what_the_limit_takes_and_no_more(world: World) -> None:
    """Of 100 creates at 5 requests/s none comes too early, and all together take 2 % longer than the limit says."""
    world.write(PROJECT.format(rate=5), "reconciler.yaml")
    world.write("tags:\n" + "".join(f"  t{n}: {{name: T{n}}}\n" for n in range(100)))
    far = Far(in_process(world.account.app))
    assert run(world, far, "apply", "--auto-approve", "--quiet") == 0
    assert len(world.rows("tags")) == 100
    bound = (len(far.came) - 1) / 5
    assert len(far.came) <= 1.05 * 101
    assert bound <= far.came[-1] - far.came[0] <= 1.05 * bound
    apart = [later - earlier for earlier, later in pairwise(far.came)]
    assert min(apart) > 0.199, "an account that counts 5 in each second answers 429"
