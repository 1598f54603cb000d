"""What commands show while they wait for accounts, and how an interrupt ends them."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib
import inspect
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import click
import pytest

import reconciler.cli
from reconciler.cli import program, screen, terminal, watching
from reconciler.cli.screen import Screen
from reconciler.model.events import Finished, Started
from reconciler.model.http import Request, Response, get
from reconciler.remote.client import Client
from reconciler.render import progress
from reconciler.render.reading import LONG, SLOW, SOON, ReadingProgress
from reconciler.render.traffic import Traffic
from reconciler.workflow.apply.hooks import Hooks
from reconciler.workflow.opening.session import Session
from tests.cli.glass import Glass
from tests.world import TWO_ACCOUNTS, World
from tests.world.commands import leaves

pytestmark = pytest.mark.usefixtures("interruptible")

CAPTURES = Path(__file__).parent / "captures"
CONFIG = """
tags: {vip: {}, gold: {}}
lists: {news: {name: News, sender_url: https://acme.example, sender_reminder: You signed up.}}
pipelines: {sales: {title: Sales, currency: usd, stages: {lead: {}, won: {}}}}
"""
TERMINAL = {"TERM": "xterm-256color", "LINES": "24"}


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Alarm:
    """A timer that rings when told to."""

    made: list[Alarm]

    def __init__(self, seconds: float, function: Callable[[], None]) -> None:
        self.seconds, self.ring, self.daemon = seconds, function, False
        Alarm.made.append(self)

    def start(self) -> None: ...

    def cancel(self) -> None:
        self.ring = lambda: None


@pytest.fixture
def sitting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Glass]]:
    """Sit in front of a terminal: standard streams are one, and timers ring when told to."""
    Alarm.made = []
    with contextlib.ExitStack() as stack:

        def sit(columns: int) -> Glass:
            glass = Glass(columns)
            for name in ("CI", "NO_COLOR", "FORCE_COLOR", "PAGER"):
                monkeypatch.delenv(name, raising=False)
            for name, value in {**TERMINAL, "COLUMNS": str(columns)}.items():
                monkeypatch.setenv(name, value)
            monkeypatch.setattr(threading, "Timer", Alarm)
            stack.enter_context(contextlib.redirect_stdout(glass))
            stack.enter_context(contextlib.redirect_stderr(glass))
            return glass

        yield sit


def at_request(monkeypatch: pytest.MonkeyPatch, number: int, look: Callable[[], None]) -> list[int]:
    """Look at the screen when the nth request is on its way: its answer, and all later ones, are not there yet. Returns
    how many there were.
    """
    real, count = Client._whole, [0]

    async def slow(client: Client, request: Request, headers: dict[str, str], turn: Any) -> Any:
        count[0] += 1
        if count[0] == number:
            look()
            await asyncio.sleep(0)  # an interrupt comes in here
        return await real(client, request, headers, turn)

    monkeypatch.setattr(Client, "_whole", slow)
    return count


class Phases:
    """How many kinds each phase of a command said that it reads, at each of its requests from the first on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.totals: list[list[int]] = []
        self.unread: list[str] = []
        begin, request = Traffic.begin, Traffic.request

        def begun(traffic: Traffic) -> None:
            self.totals.append([])
            begin(traffic)

        def asked(traffic: Traffic, *arguments: Any) -> Any:
            found = request(traffic, *arguments)
            self.totals[-1] += [len(traffic.kinds)] if traffic.kinds else []
            self.unread = [one.name for one in traffic.kinds if not one.over]
            return found

        monkeypatch.setattr(Traffic, "begin", begun)
        monkeypatch.setattr(Traffic, "request", asked)


COMMANDS = [
    "plan", "plan --refresh-only", "plan --destroy", "apply --auto-approve", "destroy --auto-approve",
    "export", "import tag.vip 1", "clone --from a --to b --dry-run", "promote --from a --to b --dry-run",
    "compare a b", "snapshot --out s.json", "rehearse", "drift", "drift --revert", "drift --absorb", "explain tag.vip",
    "coverage", "handbook --out book", "state doctor", "undo --auto-approve", "doctor",
    "init acme --adopt emulator:../state/account.db",
]  # fmt: skip


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_shows_a_sign_of_life_before_the_first_answer(
    world: World, monkeypatch: pytest.MonkeyPatch, sitting: Callable[[int], Glass], line: str
) -> None:
    """Within 300 ms, by the timer that draws the frame: the account has answered nothing yet. No frame stays. The
    number of kinds is that of all that are going to be read, from the first request to the last; then they are over.
    """
    world.write(TWO_ACCOUNTS, "reconciler.yaml")
    world.write(CONFIG)
    world.apply()
    world.write(CONFIG.replace("gold: {}", "gold: {description: Best}"))
    stopped_at_once(monkeypatch, world, line)
    glass, seen = sitting(80), []
    phases = Phases(monkeypatch)

    def look() -> None:
        for alarm in Alarm.made:
            alarm.ring()
        seen.append(glass.shown())

    at_request(monkeypatch, 1, look)
    assert program.run(["--chdir", str(world.folder), *line.split()]) in (0, 5, 7)
    assert any(phases.totals)
    assert all(len(set(totals)) <= 1 for totals in phases.totals), phases.totals
    assert phases.unread == []
    assert [alarm.seconds <= 0.3 for alarm in Alarm.made], "no timer draws a frame"
    assert re.search(r"(Reading|Checking) (a|b|prod|a and b|b and a): 0/\d+ kinds, 1 request,", seen[0])
    assert "Reading a:" not in glass.shown()


def test_a_line_stands_before_the_program_is_loaded(
    world: World, monkeypatch: pytest.MonkeyPatch, sitting: Callable[[int], Glass]
) -> None:
    """Loading is longer than reading a small project: the first line is drawn before, and nothing is left of it."""
    world.write(CONFIG)
    glass, seen = sitting(80), []
    real = importlib.import_module("reconciler.workflow.opening.projects").open_session

    def look(*arguments: Any, **options: Any) -> Any:
        seen.append(glass.shown())
        return real(*arguments, **options)

    monkeypatch.setattr("reconciler.workflow.opening.projects.open_session", look)
    assert program.run(["--chdir", str(world.folder), "plan", "--no-impact"]) == 0
    assert "Reading the configuration" in seen[0]
    assert "Reading the configuration" not in glass.shown()
    world.write("tags: [", "config/broken.yaml")
    assert program.run(["--chdir", str(world.folder), "plan"]) == 3
    assert "Reading the configuration" not in glass.shown()
    assert program.run(["--chdir", str(world.folder), "-q", "plan"]) == 3
    assert len(seen) == 3
    assert "Reading" not in seen[2].splitlines()[-1]


def test_a_line_stands_before_an_account_is_adopted(
    world: World, monkeypatch: pytest.MonkeyPatch, sitting: Callable[[int], Glass]
) -> None:
    """What checks, exports and plans takes its time to load."""
    glass, seen = sitting(80), []
    real = importlib.import_module("reconciler.workflow.adopting").address_of

    def look(address: str) -> str:
        seen.append(glass.shown())
        return cast(str, real(address))

    monkeypatch.setattr("reconciler.workflow.adopting.address_of", look)
    for options in ([], ["-q"]):
        line = ["--chdir", str(world.folder), *options, "init", f"acme{len(options)}"]
        assert program.run([*line, "--adopt", "emulator:../state/account.db"]) == 0
    assert "Checking the account" in seen[0]
    assert "Checking the account" not in seen[1].splitlines()[-1]
    assert "Checking the account" not in glass.shown()


@pytest.mark.parametrize("name", sorted(program.WAITING))
def test_the_first_line_stands_before_a_command_begins(
    name: str, monkeypatch: pytest.MonkeyPatch, sitting: Callable[[int], Glass]
) -> None:
    """As soon as its line was read, whatever it loads then; not with -q, nor where each request is told."""
    command = leaves()[name]
    assert isinstance(command.callback, program._Alive)
    for options, stands in (({}, True), ({"quiet": True}, False), ({"verbose": 2}, False)):
        glass = sitting(80)
        seen: list[str] = []
        monkeypatch.setattr(command.callback, "_run", lambda glass=glass, seen=seen: seen.append(glass.shown()))
        with click.Context(command, obj=program.Globals(Path(), None, **options)):
            command.callback()
        terminal.settle()
        assert ("Reading the configuration" in seen[0]) == stands


def test_every_command_that_asks_an_account_is_known_to() -> None:
    """By its module; what plans on a snapshot, and a project that is not there yet, have nothing to read."""
    asking = {
        path.stem.strip("_")
        for path in Path(reconciler.cli.__file__).parent.glob("*.py")
        if re.search(r"screen\.wait\(|under_lock\(", path.read_text("utf-8"))
    }
    assert {"plan", "compare", "runs", "state", "ci"} <= asking
    assert asking - {name.split()[0] for name in program.WAITING} <= {"init", "opening", "changing", "replay", "screen"}


def test_nothing_waits_for_an_account_in_any_other_way() -> None:
    """Whoever runs a verb does it through the screen; what writes shows its own progress and obeys interrupts."""
    places = set()
    for path in Path(reconciler.cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "run_async":
                places.add(path.stem)
    assert places == {"screen", "apply", "clone"}


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_captures(world: World, monkeypatch: pytest.MonkeyPatch, sitting: Callable[[int], Glass], columns: int) -> None:
    """What stands on a terminal in the middle of an export and of an apply, and when each is over."""
    world.write("tags: {" + ", ".join(f"t{number}: {{name: T{number}}}" for number in range(150)) + "}")
    world.apply()
    world.write("tags: {" + ", ".join(f"t{number}: {{name: T{number}}}" for number in range(158)) + "}")
    clock, taken = Clock(), []
    for module in (screen, watching):
        monkeypatch.setattr(module, "monotonic", clock)
    monkeypatch.setattr(progress, "_STANDS", 0.0)  # the clock stands still, and so would a frame

    def capture(line: str, number: int) -> None:
        glass = sitting(columns)

        def look() -> None:
            clock.now += 2.0
            for alarm in Alarm.made:
                alarm.ring()
            taken.append(f"=== {line}: request {number}\n{tail(glass)}")

        with monkeypatch.context() as patched:
            at_request(patched, number, look)
            assert program.run(["--chdir", str(world.folder), *line.split()]) == 0
        taken.append(f"=== {line}: over\n{tail(glass)}")
        Alarm.made = []

    capture("export", 9)
    capture("plan", 2)
    capture("apply --auto-approve", 11)
    golden(f"{columns}.txt", "".join(taken))


def tail(glass: Glass) -> str:
    """The end of what is shown, without digests."""
    text = re.sub(r"Digest: [0-9a-f\n]+\n", "Digest: ...\n", glass.shown())
    lines = re.sub(r"requests in [\d.]+ s", "requests in ... s", text).splitlines()
    return "".join(f"{line}\n" for line in lines[-8:])


def golden(name: str, text: str) -> None:
    """Compare with a file as last approved; `UPDATE_GOLDEN=1` writes it."""
    path = CAPTURES / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), f"{name} differs; if that is meant: UPDATE_GOLDEN=1 pytest tests/cli"


# --- the pager -----------------------------------------------------------------------------------------------------


class Watched(io.StringIO):
    """Standard input of somebody who sits there."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("rows", "environ", "paged"), [
    (10, {}, True), (99, {}, False), (10, {"CI": "1"}, False), (10, {"TERM": "dumb"}, False),
    (10, {"PAGER": ""}, False),
])  # fmt: skip
def test_a_plan_that_is_longer_than_the_screen_is_paged(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    sitting: Callable[[int], Glass],
    rows: int,
    environ: dict[str, str],
    paged: bool,
) -> None:
    """Through PAGER, on a terminal that somebody sits at and in no CI; all else is printed."""
    world.write(CONFIG)
    seen: list[str] = []
    glass = sitting(80)
    monkeypatch.setenv("LINES", str(rows))
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdin", Watched())
    monkeypatch.setattr(click, "echo_via_pager", lambda text, color: seen.append(text))
    assert program.run(["--chdir", str(world.folder), "plan"]) == 0
    assert ("Plan: 6 to add" in glass.shown()) is not paged
    assert bool(seen) is paged


# --- counting ------------------------------------------------------------------------------------------------------


def reading(stream: Any, *, quiet: bool = False, rate: float | None = 5.0) -> tuple[ReadingProgress, Traffic, Clock]:
    """Return what shows the reading of an account, what counts it, and its clock."""
    clock = Clock()
    traffic = Traffic(clock)
    traffic.connected("prod", {"/tags": "tag", "/fields": "field", "/fieldRels": "field"}, rate)
    return ReadingProgress(stream, traffic, environ={}, quiet=quiet), traffic, clock


def page(traffic: Traffic, shown: ReadingProgress, path: str, offset: int, rows: int, total: int | None) -> None:
    """Ask for a page and have it answered."""
    request = Request("GET", path, (("limit", "100"), ("offset", str(offset))))
    meta = {} if total is None else {"meta": {"total": str(total)}}
    answer = Response(200, {path.strip("/"): [{}] * rows, **meta})
    for moment, told in (("asked", None), ("sent", None), ("answered", answer)):
        traffic.request(moment, request, told)  # type: ignore[arg-type] # they are the moments
        shown.request(moment, request, told)  # type: ignore[arg-type]


def test_pages_that_are_announced_are_still_to_come() -> None:
    """Time is left for what is known to come, at the rate of the account; when all is read, none."""
    shown, traffic, _ = reading(Glass(80))
    page(traffic, shown, "/tags", 0, 100, 1_000)
    assert (traffic.left, traffic.seconds_left()) == (9, 9 / 5.0)
    for offset in range(100, 1_000, 100):
        page(traffic, shown, "/tags", offset, 100, 1_000)
    topic = traffic.topics["prod", "tag"]
    assert (traffic.left, traffic.seconds_left(), topic.over, topic.rows) == (0, None, True, 1_000)


def test_a_full_page_without_a_total_may_be_followed_by_another() -> None:
    """A listing that does not say its total is over at a page that is not full."""
    shown, traffic, _ = reading(Glass(80))
    page(traffic, shown, "/tags", 0, 100, None)
    assert not traffic.topics["prod", "tag"].over
    page(traffic, shown, "/tags", 100, 7, None)
    assert traffic.topics["prod", "tag"].over


def test_single_objects_take_the_place_of_pages() -> None:
    """What is read one by one is not paged through as well."""
    shown, traffic, _ = reading(Glass(80))
    page(traffic, shown, "/tags", 0, 100, 1_000)
    traffic.request("asked", get("/tags/7"))
    assert traffic.left == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "failed"),
    [
        ("GET", "/tags", 403, True), ("GET", "/tags", None, True), ("GET", "/tags", 404, True),
        ("GET", "/tags/7", 403, True), ("GET", "/tags/7", 404, False),
        ("POST", "/tags", 422, False), ("DELETE", "/tags/7", None, False),
    ],
)  # fmt: skip
def test_a_kind_could_not_be_read_only_where_a_read_failed(
    method: Any, path: str, status: int | None, failed: bool
) -> None:
    """That one object is not there is an answer, and what becomes of a write is no matter of reading."""
    shown, traffic, _ = reading(Glass(80))
    page(traffic, shown, "/tags", 0, 7, 7)
    answer = None if status is None else Response(status)
    assert traffic.request("answered", Request(method, path), answer).failed is failed


def test_a_log_gets_one_line_for_each_kind_of_a_long_run(capsys: pytest.CaptureFixture[str]) -> None:
    """What takes three seconds or more says of each kind once that it was read, with its objects and requests."""
    with_ = reading(sys.stderr)
    shown, traffic, _ = with_
    with shown:
        page(traffic, shown, "/fields", 0, 3, 3)
        page(traffic, shown, "/fieldRels", 0, 1, 1)
        assert traffic.foreseen() < LONG
        assert capsys.readouterr().err == ""
        for offset in range(0, 1_500, 100):
            page(traffic, shown, "/tags", offset, 100, 1_500)
    assert capsys.readouterr().err == "Read field: 3 objects, 2 requests\nRead tag: 1,500 objects, 15 requests\n"


@pytest.mark.parametrize(("quiet", "rate", "seconds", "lines"), [
    (False, 5.0, 0.0, 0), (False, 5.0, SLOW, 1), (True, 5.0, SLOW, 0), (False, None, SLOW, 0),
])  # fmt: skip
def test_a_log_is_told_of_what_takes_long(
    capsys: pytest.CaptureFixture[str], quiet: bool, rate: float | None, seconds: float, lines: int
) -> None:
    """Few requests that are answered slowly are told; with `-q`, or of the account inside the program, nothing is."""
    shown, traffic, clock = reading(sys.stderr, quiet=quiet, rate=rate)
    with shown:
        clock.now += seconds
        page(traffic, shown, "/tags", 0, 3, 3)
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_a_frame_is_drawn_soon() -> None:
    """The timer rings well within 300 ms, so that a terminal can draw it by then."""
    assert SOON <= 0.2


# --- interrupts ----------------------------------------------------------------------------------------------------


class _Ended(SystemExit):
    """Stands for the end of the process."""


async def turns() -> None:
    """Let the loop turn a few times: a signal comes in at one of them."""
    for _ in range(5_000):
        await asyncio.sleep(0)


class Store:
    """A store that writes results at once."""

    coalesces = False


class Opened:
    """A session."""

    store = Store()
    on_wait: Any = None


def test_the_first_interrupt_says_what_is_in_flight_and_the_second_what_is_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both at once, whatever the account does; the second ends the process with 130."""
    from reconciler.render.progress import Progress

    def ended(code: int) -> None:
        raise _Ended(code)

    monkeypatch.setattr(os, "_exit", ended)
    ours, hooks = Screen(), Hooks()
    for request in [get(name) for name in ("/tags", "/lists", "/fields")]:
        ours.request("asked", request)
        ours.request("sent", request)
    shown = Progress(sys.stderr, total=8, environ={}, clock=Clock())

    async def work() -> None:
        with ours.writing(cast(Session, Opened()), hooks, shown, 8):
            hooks.emit(Started(1, "tag.a", "create", 8))
            hooks.emit(Finished(1, "tag.a", "create", 0.2, "1"))
            signal.raise_signal(signal.SIGINT)
            await turns()
            assert hooks.stop.is_set()
            assert "Stopping after 3 requests in flight; press again to stop now." in capsys.readouterr().err
            signal.raise_signal(signal.SIGINT)
            await turns()

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    with pytest.raises(_Ended) as caught:
        asyncio.run(work())
    assert caught.value.args == (130,)
    lines = capsys.readouterr().err.rpartition("\x1b[2K")[2].splitlines()
    assert [line for line in lines if len(line) > 60] == []
    said = " ".join(line.strip() for line in lines)
    assert "Stopped. 1 of 8 steps are done and recorded." in said
    assert "`reconciler apply`" in said
    assert "`reconciler runs resume`" in said


def test_an_interrupt_before_the_loop_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the libraries of the frame are loaded: the verb that was not begun is closed, without a warning."""
    began = []

    async def verb() -> None:
        began.append(1)

    def interrupted(self: Screen, what: str) -> Any:
        raise KeyboardInterrupt

    coroutine = verb()
    monkeypatch.setattr(Screen, "reading", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Screen().wait(coroutine)
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
    assert not began


def test_an_interrupt_takes_away_the_line_that_stands(
    monkeypatch: pytest.MonkeyPatch, sitting: Callable[[int], Glass]
) -> None:
    """Before the word that it was cancelled, and without a copy of it above."""
    glass = sitting(80)

    def loading() -> None:
        terminal.begin("Reading the configuration")
        assert "Reading the configuration" in glass.shown()
        raise KeyboardInterrupt

    monkeypatch.setattr(
        importlib.import_module("reconciler.cli.version"), "command", click.Command("version", callback=loading)
    )
    assert program.run(["version"]) == 130
    assert "Reading" not in glass.shown()
    assert "Cancelled." in glass.shown()


# --- what is said of a command that was interrupted ----------------------------------------------------------------


def interrupt(monkeypatch: pytest.MonkeyPatch, world: World, number: int, line: str, *, twice: bool = False) -> str:
    """Run a command, interrupt it while its nth request is on the way, and return what it said."""
    ends = Client.send

    async def ended(client: Client, request: Request) -> Any:
        try:
            return await ends(client, request)
        except asyncio.CancelledError:
            if twice:
                signal.raise_signal(signal.SIGINT)
            raise

    with monkeypatch.context() as patched:
        patched.setattr(Client, "send", ended)
        at_request(patched, number, lambda: signal.raise_signal(signal.SIGINT))
        ran = world.cli(*line.split())
    assert ran.code == 130, ran.text
    assert "Traceback" not in ran.text
    return ran.err


def stopped_at_once(monkeypatch: pytest.MonkeyPatch, world: World, line: str) -> None:
    """Assert that an interrupt at the second request, and a second interrupt, say what was read and that nothing was
    changed; what was stopped is not read.
    """
    writes = len(world.writes())
    for twice in {"plan": (False, True)}.get(line, (len(line) % 2 == 0,)):
        said = interrupt(monkeypatch, world, 2, line, twice=twice)
        told = re.search(r"Cancelled\. (\d+) of (\d+) kinds of [\w ]+ had been (?:read|checked), with \d req", said)
        assert told, said
        assert int(told[1]) < int(told[2]) or "explain" in line  # which has read its one kind by then
        assert "\nNothing was changed.\nThe same command begins again.\n" in said
        assert len(world.writes()) == writes


def test_an_interrupt_of_what_wrote_files_names_them_and_what_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project that was written before its account was read is there: `export` goes on."""
    world.write(CONFIG)
    world.apply()
    phases = Phases(monkeypatch)
    with monkeypatch.context() as patched:
        count = at_request(patched, 0, lambda: None)
        assert world.cli("init", "whole", "--adopt", "emulator:../state/account.db").code == 0
    monkeypatch.chdir(world.folder)
    line = "init acme --adopt emulator:../state/account.db"
    said = interrupt(monkeypatch, world, len(phases.totals[0]) // 3 + 2, line)
    assert "Nothing was changed in the account. Written before: " in said
    assert "acme/reconciler.yaml" in said
    assert said.endswith("`reconciler --chdir acme export` goes on from there.\n")
    said = interrupt(monkeypatch, world, count[0], line.replace("acme", "more"))
    assert "more/config" in said
    assert ".edits" not in said
    assert said.endswith("`reconciler --chdir more plan` goes on from there.\n")


def test_an_interrupt_at_a_question_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan was read and shown; no write went out."""
    world.write(CONFIG)

    def pressed(*arguments: object, **options: object) -> str:
        click.echo("^C", err=True, nl=False)  # as the terminal does
        raise click.exceptions.Abort

    monkeypatch.setenv("RECONCILER_PROMPT", "1")
    monkeypatch.setattr(click, "prompt", pressed)
    ran = world.cli("apply")
    assert (ran.code, ran.err.splitlines()[-3:]) == (130, ["^C", "Cancelled.", "Nothing was changed."])
    assert world.writes() == []
