"""An account whose answers are damaged anywhere: its plan is the same, or the kind is unknown, or it is refused; never
an exception, and nothing is made, deleted or replaced for it. Memory, requests and time of each are bounded.

What an undamaged account answers is asked once. In each case one of the answers is damaged, every time that it is asked
for or the first time only, and goes through the client as it came; most cases call the workflow, some the command line.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from reconciler.cli.plan import exit_code
from reconciler.cli.views import plan_view
from reconciler.model.errors import PlanError, ReconcilerError
from reconciler.model.http import Remote, Request, Response
from reconciler.remote.answers import MOST_BYTES, parse
from reconciler.remote.client import Client, Endpoint
from reconciler.workflow.observation.book import open_book
from reconciler.workflow.opening.session import Session
from reconciler.workflow.plans.options import PlanOptions
from reconciler.workflow.plans.planning import make_plan
from tests.quirks.retold import Message, _sized
from tests.world import World, new_world
from tests.world.clock import run as run_jumping

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "everything" / "config"
ODD: tuple[Any, ...] = (
    None, True, False, "", "x", "0", "-1", "1?x=", "..", "null", [], {}, [[]], [None], [{}], {"0": 1},
    {"a": {"b": [1]}}, -1, 0, 1.5, 10**30, 1e308, "9" * 40, "\ud800", "\x00", "x" * 200_000, "2026-13-45",
    [1, "2", None], {"1": "a", "3": "b"},
)  # fmt: skip
RAW = (
    b"Infinity",
    b"NaN",
    b"1e999",
    b"9" * 5000,
    b"[" * 5000,
    b'{"a":' * 5000,
    b"\xff\xfe",
    b'"\\ud83d"',
    b"\x00",
    b"<html>",
)
SAMPLE, TYPED, WHOLE = 240, 20, 100_000
"""Cases of each run, those of them over the command line, and those of `make prove`."""
PARTS = 20
MOST_MEMORY = 300
"""MB that all cases together may add to the memory of a process, at their highest."""
MOST_SECONDS = 10.0
"""Seconds of the processor that one case may take; most take a fiftieth of one."""
DRY = "PUT /customObjects/schemas"
"""Schemas are validated by a request that changes nothing (section 2.17)."""
NAMED = ("tracked_event", "site_domain")
"""Kinds whose id is the name itself: another name is another object."""
CALM = {"update", "adopt", "refresh", "manual", "move", "none"}
"""What a plan may say of a damaged account: a value that is another one is drift."""


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything inside a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from nodes(part, (*path, key))


def put(value: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """Return the document with the node at a path changed."""
    if not path:
        return change(value)
    found = copy.copy(value)
    found[path[0]] = put(found[path[0]], path[1:], change)
    return found


def restructured(body: Any, dice: random.Random) -> Any:
    """Return a document with one node of another form."""
    # An array of rows that is empty is no damage: it says that there is nothing.
    path = dice.choice([one for one in nodes(body) if len(one) != 1 or not isinstance(body[one[0]], list)])
    way = dice.choice(["odd", "odd", "odd", "wrap", "numbered", "more", "named"])

    def change(node: Any) -> Any:
        if way == "wrap":
            return [node]
        if way == "numbered" and isinstance(node, list):
            return {str(number): one for number, one in enumerate(node)}
        if way == "more" and isinstance(node, dict):
            return {**node, "brand_new": dice.choice(ODD)}
        if way == "named" and isinstance(node, dict) and node:
            name = dice.choice(sorted(node))
            return {("_" + key if key == name else key): one for key, one in node.items()}
        return copy.deepcopy(dice.choice(ODD))

    return put(body, path, change)


def damaged(body: bytes, dice: random.Random) -> bytes:
    """Return bytes of which a part is cut off, overwritten, doubled or foreign."""
    at = dice.randrange(len(body) + 1)
    way = dice.choice(["cut", "foreign", "doubled", "flipped", "lost"] * 20 + ["long", "many", "deep"])
    if way in ("long", "many", "deep"):
        return body[:-1] + {"long": b" " * (MOST_BYTES + 1), "many": b"," * 2_000_001, "deep": b"[" * 10**6}[way]
    if way == "cut":
        return body[:at]
    if way == "foreign":
        return body[:at] + dice.choice(RAW) + body[at:]
    if way == "doubled":
        return body + body
    if way == "flipped" and at < len(body):
        return body[:at] + bytes([dice.randrange(256)]) + body[at + 1 :]
    return body[:at] + body[at + dice.randint(1, 40) :]


def mutated(world: World, nth: int, dice: random.Random, *, whole: bool) -> Any:
    """Return a patch under which the nth answer is damaged, in its structure (`whole`) or in its bytes."""
    inner, seen = world.account.app, 0

    async def app(scope: Message, receive: Callable[[], Any], send: Callable[[Message], Any], *rest: Any) -> None:
        nonlocal seen
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        await inner(scope, receive, keep, *rest)
        begin, body = sent[0], b"".join(message.get("body", b"") for message in sent[1:])
        seen += 1
        if seen == nth and body:
            body = json.dumps(restructured(json.loads(body), dice)).encode() if whole else damaged(body, dice)
        await send({**begin, "headers": _sized(begin["headers"], body)})
        await send({"type": "http.response.body", "body": body})

    return patch.object(world.account, "app", app)


@pytest.fixture(scope="module", name="stands")
def everything_applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An account with an object of every kind, and its state."""
    with new_world(tmp_path_factory.mktemp("mutations") / "project") as world:
        for path in EXAMPLE.glob("*.yaml"):
            world.write(
                path.read_text("utf-8").replace("of the shop}", "of the shop, default: acme.example}"),
                f"config/{path.name}",
            )
        world.apply(yes=True)
        yield world


@dataclass
class Told:
    """Implements `model.http.Remote` on the answers of an undamaged account; `damaged` is the one that is not, and
    `kept` whether it is damaged each time. What was never asked goes to the account.
    """

    account: Remote
    answers: dict[Request, bytes]
    damaged: Request | None = None
    content: bytes = b""
    packed: bool = False
    kept: bool = True
    asked: int = 0
    sent: list[Request] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many were sent."""
        return len(self.sent)

    async def send(self, request: Request) -> Response:
        """Answer as the account did, or as it did not."""
        self.sent.append(request)
        if request == self.damaged:
            async with Client(_NOWHERE, transport=httpx.MockTransport(self._answer)) as client:
                return await client.send(request)
        if request.method == "GET" and request in self.answers:
            return Response(200, parse(200, self.answers[request], "application/json"))
        answer = await self.account.send(request)
        if request.method == "GET" and self.damaged is None:
            self.answers[request] = json.dumps(answer.body).encode()
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert self.damaged is not None
        self.asked += 1
        content = self.content if self.kept or self.asked == 1 else self.answers[self.damaged]
        headers = {"content-type": "application/json", **({"content-encoding": "gzip"} if self.packed else {})}
        return httpx.Response(200, headers=headers, content=gzip.compress(content, 1) if self.packed else content)


_NOWHERE = Endpoint("https://account.example", "key", None)


@dataclass
class Account:
    """What the cases share: the project, the undamaged answers, and what came of it so far."""

    session: Session
    remote: Told
    found: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    async def plan(self, remote: Told) -> Any:
        """Plan without counts and uses."""
        return await make_plan(replace(self.session, remote=remote), PlanOptions(impact=False, uses=False))

    async def case(self, seed: int) -> None:
        """Try one damage. Raises AssertionError, and whatever is no error of ours."""
        dice, answers = random.Random(seed), self.remote.answers
        whole, which = bool(seed % 3), random.Random(seed).choice(list(answers))
        body = answers[which]
        content = json.dumps(restructured(json.loads(body), dice)).encode() if whole else damaged(body, dice)
        remote = Told(self.remote.account, answers, which, content, packed=seed % 7 == 0, kept=seed % 4 != 0)
        place, began = f"seed {seed}, {which}: {content[:300]!r}", time.process_time()
        refused: ReconcilerError | None = None
        try:
            planned = await self.plan(remote)
        except ReconcilerError as error:
            refused = error
        if refused is not None:
            assert isinstance(refused, PlanError), place
            verdict = "refused"
        else:
            document = planned.document
            assert exit_code(document, False) in (0, 4, 5, 7), place
            actions = {change.action for change in document.changes}
            if whole:
                assert actions <= CALM or another(document.model_dump_json()), f"{place}: {actions}"
            verdict = "unknown" if exit_code(document, False) == 4 else "another" if actions else "equal"
            if seed % 16 == 0:
                assert all(plan_view(document, form) for form in ("text", "json", "markdown", "html", "sarif")), place
        self.found[verdict] += 1
        self.slowest = max(self.slowest, time.process_time() - began)
        assert self.slowest < MOST_SECONDS, place
        writes = {str(one).rpartition("/")[0] for one in remote.sent if one.method != "GET"}
        assert writes <= {DRY}, place
        assert len(remote.sent) <= 3 * len(answers) + 20, place


async def told(world: World, stack: AsyncExitStack) -> Account:
    """Ask the undamaged account everything once, and return what the cases begin with."""
    session = world.session()
    remote = Told(session.connect(stack, write=False), {})
    stack.enter_context(patch.object(session, "load", return_value=session.load()))
    book = open_book(session)
    stack.enter_context(patch("reconciler.workflow.observation.observing.open_book", return_value=book))
    account = Account(session, remote)
    assert (await account.plan(remote)).document.changes == []
    return account


def peak() -> float:
    """Return the highest memory that this process had, in MB, since the last call of `forget_peak`."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))[0]) / 1024


def forget_peak() -> float:
    """Let the system forget the highest memory of this process; returns what it has now, in MB."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return peak()


def tried(world: World, seeds: Sequence[int], note: Callable[[str, object], None]) -> Counter[str]:
    """Try these seeds, and measure; returns how many came out how."""

    async def all_of_them() -> Account:
        async with AsyncExitStack() as stack:
            account = await told(world, stack)
            for seed in seeds:
                await account.case(seed)
            return account

    before = forget_peak()
    account = run_jumping(all_of_them())
    grown = peak() - before
    note("mutated answers", f"{len(seeds)} from {seeds[0]}: {dict(account.found)}")
    note("mutated answers cost", f"{grown:.0f} MB more at the highest, {account.slowest:.2f} s for the slowest")
    assert grown < MOST_MEMORY
    return account.found


def check(world: World, seed: int, requests: int) -> str:
    """Plan on the command line against one damaged answer; returns what came of it."""
    dice = random.Random(seed)
    whole = bool(seed % 3)
    world.forget()
    with mutated(world, dice.randint(1, requests), dice, whole=whole):
        ran = world.cli("plan", "--no-impact", "--no-uses", "--format", "json")
    place = f"seed {seed}: {ran.text[-600:]}"
    assert "mistake in the program" not in ran.text, place
    assert "Traceback" not in ran.text, place
    assert ran.code in (0, 1, 3, 4, 5, 7), place
    assert {line.partition("?")[0].rsplit("/", 1)[0] for line in world.writes()} <= {DRY}, place
    assert len(world.requests()) <= 3 * requests + 20, place
    if ran.code in (1, 3):
        assert ran.err.startswith("error: "), place
        return "refused"
    actions = {change["action"] for change in json.loads(ran.out)["changes"]}
    if whole:
        assert actions <= CALM or another(ran.out), f"{place}: {actions}"
    return "unknown" if ran.code == 4 else "another" if actions else "equal"


def another(document: str) -> bool:
    """Whether nothing goes or comes but for a text that is another one in the account: what tells an event apart from
    others, or cannot be changed in place.
    """
    rest = [change for change in json.loads(document)["changes"] if change["action"] not in CALM]
    return all(
        change["action"] == "replace" or (change["kind"] in NAMED and change["action"] == "create") for change in rest
    )


def test_a_damaged_answer_makes_no_wrong_plan(stands: World, record_property: Callable[[str, object], None]) -> None:
    """A sample of the mutations; the seed of one that fails is in the message."""
    found = tried(stands, range(SAMPLE), record_property)
    assert {"equal", "unknown"} <= found.keys()


def test_a_damaged_answer_makes_no_wrong_plan_on_the_command_line(stands: World) -> None:
    """Some of them from one end to the other."""
    world = stands
    world.forget()
    assert world.cli("plan", "--no-impact", "--no-uses", "--detailed-exitcode").code == 0
    requests = len(world.requests())
    found = Counter(check(world, seed, requests) for seed in range(TYPED))
    assert {"equal", "unknown"} <= found.keys()


@pytest.mark.prove
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("part", range(PARTS))
def test_many_damaged_answers_make_no_wrong_plan(
    stands: World, part: int, record_property: Callable[[str, object], None]
) -> None:
    """A hundred thousand in twenty parts."""
    size = WHOLE // PARTS
    found = tried(stands, range(part * size, (part + 1) * size), record_property)
    assert sum(found.values()) == size
