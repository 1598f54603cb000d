"""No account gets more than it allows within any second, counted where the requests come: on a network that delivers
some later than others, over new connections, in an account that hangs, and after refusals.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from functools import partial

import httpx
import pytest
import stamina

from reconciler.model.http import MARGIN, get
from reconciler.remote.client import Client, Endpoint
from reconciler.remote.pacer import JITTER, STRICT, Pacer
from tests.world import clock

RATE = 5
REQUESTS = 40
CONNECTIONS = 10


@dataclass
class Network:
    """A way to an account which counts strictly: more than 5 arrivals within any 1.0 s are refused. `out` and `work`
    are drawn for each request; a new connection costs `shake` seconds, and for `hangs` the account does nothing.
    """

    chance: random.Random
    out: tuple[float, float] = (0.02, 0.02)
    work: tuple[float, float] = (0.05, 0.05)
    shake: float = 0.0
    hangs: tuple[float, float] = (0.0, 0.0)
    lost: float = 0.0
    began: float = float("inf")
    came: list[float] = field(default_factory=list)
    free: list[bool] = field(default_factory=list)
    lanes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        loop = asyncio.get_running_loop()
        self.began = min(self.began, loop.time())
        async with self.lanes:
            if self.free:
                self.free.pop()
            else:
                await asyncio.sleep(self.shake)
            await request.extensions["trace"]("http11.send_request_headers.started", {})
            await asyncio.sleep(self.chance.uniform(*self.out))
            if self.chance.random() < self.lost:
                raise httpx.ReadError("lost", request=request)
            self.came.append(loop.time())
            if self.hangs[0] <= (since := loop.time() - self.began) < self.hangs[1]:
                await asyncio.sleep(self.hangs[1] - since)
            await asyncio.sleep(self.chance.uniform(*self.work) + self.out[0])
            self.free.append(True)
        return httpx.Response(200, json={}, request=request)

    async def aclose(self) -> None:
        """Nothing is open."""

    @property
    def most(self) -> int:
        """The most requests that came within any second."""
        came = sorted(self.came)
        return max(sum(at <= later < at + 1.0 for later in came) for at in came)

    @property
    def refused(self) -> int:
        """How many requests came when as many as are allowed had come within the second before."""
        came = sorted(self.came)
        return sum(later - first < 1.0 for first, later in zip(came, came[RATE:], strict=False))


def through(network: Network, jitter: float = STRICT) -> float:
    """Send requests as fast as is allowed, and return for how long they came."""

    async def run() -> None:
        pacer = Pacer(RATE, asyncio.get_running_loop().time, jitter=jitter)
        client = Client(Endpoint("https://account.example", "key"), pacer=pacer)
        client._transport = network  # type: ignore[assignment]
        await asyncio.gather(*(client.send(get("/tags")) for _ in range(REQUESTS)), return_exceptions=True)

    stamina.set_testing(True, attempts=20, cap=True)
    try:
        clock.run(run())
    finally:
        stamina.set_testing(False)
    return max(network.came) - min(network.came)


def strict(seed: int) -> int:
    """Return the most requests within a second on a network that may do anything to single ones."""
    chance = random.Random(seed)
    out, work = chance.uniform(0.01, 0.05), chance.uniform(0.01, 0.2)
    network = Network(
        chance,
        out=(out, out + chance.choice([0.0, 0.1, 0.4])),
        work=(work, work + chance.choice([0.0, 0.1, 0.8])),
        shake=chance.choice([0.0, 0.1, 0.5]),
        lost=chance.choice([0.0, 0.2]),
    )
    through(network)
    return network.most


def hanging(seed: int) -> int:
    """Return the most requests within a second at an account that does nothing for a while."""
    chance = random.Random(seed)
    begins, lasts = chance.uniform(0.5, 3), chance.uniform(0.5, 20)
    network = Network(chance, hangs=(begins, begins + lasts))
    through(network, JITTER)
    return network.most


def cost(seed: int) -> tuple[float, int]:
    """Return the part of the limit's time that is taken where requests come a little late, or answers do, and how many
    requests an account refuses that counts strictly.
    """
    chance = random.Random(seed)
    late = chance.uniform(0, JITTER)
    network = Network(chance, out=(0.02, 0.02 + late), work=(0.05, 0.05 + chance.choice([0.0, 0.5])))
    took = through(network, JITTER)
    return took / ((REQUESTS - 1) / RATE), network.refused


FEW, MANY = range(6), pytest.param(range(6, 1500), marks=[pytest.mark.prove, pytest.mark.timeout(1200)])


class TestPace:
    """What arrives at an account."""

    @pytest.mark.parametrize("seeds", [FEW, MANY], ids=["few", "many"])
    def test_no_second_has_more_than_the_account_allows(self, seeds: range) -> None:
        """Whatever the network does to single requests, and however often one is sent again."""
        assert {seed: most for seed in seeds if (most := strict(seed)) > RATE} == {}

    @pytest.mark.parametrize("seeds", [FEW, MANY], ids=["few", "many"])
    def test_an_account_that_hung_is_not_asked_everything_at_once(self, seeds: range) -> None:
        """What waited for a connection goes out as slowly as the rest."""
        assert {seed: most for seed in seeds if (most := hanging(seed)) > RATE} == {}

    @pytest.mark.parametrize("seeds", [FEW, MANY], ids=["few", "many"])
    def test_an_account_that_never_refused_costs_five_percent_at_most(self, seeds: range) -> None:
        """On a network that delivers within some hundredths of a second, or an account that takes its time for some."""
        costs = {seed: cost(seed) for seed in seeds}
        assert {seed: part for seed, (part, _) in costs.items() if not 1.0 <= part <= 1.055} == {}
        assert sum(refused for _, refused in costs.values()) <= 0.005 * len(seeds) * REQUESTS

    def test_a_steady_account_costs_the_margin_alone(self) -> None:
        """Where nothing is late, nothing is waited for; a strict count takes the way there and back."""
        steady, careful = (through(Network(random.Random(1)), jitter) for jitter in (JITTER, STRICT))
        assert steady == pytest.approx(MARGIN * (REQUESTS - 1) / RATE, rel=0.01)
        assert careful == pytest.approx((1.0 + 0.09) * (REQUESTS - 1) / RATE, rel=0.03)

    def test_after_a_refusal_the_count_is_strict(self) -> None:
        """A hold makes a pace careful: late requests are waited for in full."""
        late: list[float] = []

        async def run(refused: bool) -> None:
            loop = asyncio.get_running_loop()
            pacer = Pacer(RATE, loop.time)
            for took in [0.01] * RATE + [0.5]:
                turn = await pacer.wait()
                loop.call_later(took, partial(turn.over, answered=True))
            if refused:
                pacer.hold(0.0)
            for _ in range(RATE - 1):
                (await pacer.wait()).over()
            begun = turn.passed
            late.append((await pacer.wait()).passed - begun)

        clock.run(run(False))
        clock.run(run(True))
        assert late[0] == pytest.approx(1.0 + JITTER, abs=0.02)
        assert late[1] == pytest.approx(1.5, abs=0.02)

    def test_who_comes_after_somebody_else_waits_for_a_turn_first(self) -> None:
        """A process that takes an account over knows nothing of the requests before."""

        async def first() -> float:
            loop = asyncio.get_running_loop()
            pacer, begun = Pacer(RATE, loop.time, other=True), loop.time()
            return (await pacer.wait()).passed - begun

        assert clock.run(first()) == pytest.approx(MARGIN / RATE, abs=0.02)
