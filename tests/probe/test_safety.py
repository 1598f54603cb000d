"""A probe is safe: what it makes is on record first, and removed; what was there is never written to."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import random
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.cli import _interrupt
from reconciler.emulator import AccountSettings, Fault
from reconciler.model.errors import Refused
from reconciler.model.http import Request, Response
from reconciler.probe import FORMS, Lab, ProbeBudget, ProbeForm, load_experiments
from reconciler.probe.lab import OTHERS
from reconciler.probe.means import Exhausted, ForbiddenWrite, Made, writable
from reconciler.probe.record import ProbeEntry, ProbeRecord
from reconciler.remote import guard
from reconciler.render import findings
from reconciler.store.probefile import ProbeJournal
from reconciler.workflow.probe import probing
from reconciler.workflow.probe.outline import outline
from reconciler.workflow.probe.report import Asked
from reconciler.workflow.reference import schema_text
from tests.probe.probes import clean, dump, found, left_over, probe, probed_world
from tests.world import Killed, World
from tests.world.clock import run
from tests.world.commands import leaves
from tests.world.project import ACCOUNT

pytestmark = pytest.mark.usefixtures("interruptible")

PRODUCTION = f"version: 1\nenvironments: {{demo: {{url: 'emulator:{ACCOUNT}', production: true}}}}\n"


def _journal(world: World) -> list[Path]:
    return list((world.folder / ".reconciler" / "probe").glob("*.jsonl"))


def _killed_and_cleaned(folder: Path, settings: AccountSettings, nth: int, *, after: bool, **asked: Any) -> bool:
    """Kill a probe at its nth request, clean, and compare; tell whether it was killed at all."""
    with probed_world(folder, settings) as world:
        before = dump(world)
        world.kill(nth, after=after)
        try:
            probe(world, **asked)
        except Killed:
            world.revive()
            if _journal(world):
                with pytest.raises(Refused, match="earlier probe was interrupted"):
                    probe(world, **asked)
            assert left_over(before, dump(world)) == {} or _journal(world)
            clean(world)
            assert left_over(before, dump(world)) == {}, (nth, after)
            assert not _journal(world)
            return True
    return False


@pytest.mark.parametrize(("nth", "after"), [(70, True), (95, False), (133, True), (210, True), (299, False)])
def test_killed_and_cleaned(tmp_path: Path, nth: int, after: bool) -> None:
    """After a kill at some requests, before or after their work, `probe --clean` leaves the account as it was."""
    settings = AccountSettings(orphan_stages=nth % 2 == 0, option_delete="object", tasktype_delete="deleted")
    assert _killed_and_cleaned(tmp_path / "a", settings, nth, after=after, contacts=True)


@pytest.mark.prove
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("orphans", [False, True])
def test_killed_at_every_request(
    tmp_path: Path, after: bool, orphans: bool, record_property: Callable[[str, object], None]
) -> None:
    """At every request boundary."""
    settings, nth = AccountSettings(orphan_stages=orphans), 0
    while True:
        nth += 1
        if not _killed_and_cleaned(tmp_path / str(nth), settings, nth, after=after, contacts=True):
            break
    record_property(f"probe killed (after={after}, orphans={orphans})", f"{nth - 1} boundaries, 0 left over")
    assert nth > 350


@pytest.mark.parametrize("action", ["drop_after", "fail_after", "truncated", "drop_before"])
def test_lost_answers(tmp_path: Path, action: Any) -> None:
    """The answer to any create may be lost: what it made is found by its name, and removed."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        before = dump(world)
        for nth in (1, 3):
            world.fault(action, "^POST /(tags|lists|fields|dealGroups|groupDefinitions|webhooks|addresses)$", nth=nth)
        report = probe(world)
        assert left_over(before, dump(world)) == {}
        assert not _journal(world)
        told = [part.why for point in report.points for part in point.parts if part.verdict == "unknown"]
        assert any("create" in why or "without an id" in why for why in told)


@pytest.mark.prove
@pytest.mark.parametrize("action", ["drop_after", "fail_after", "drop_before"])
@pytest.mark.parametrize("form", [one for one in FORMS.values() if not one.owner], ids=lambda one: one.name)
@pytest.mark.parametrize("groups", ["both", "members"])
def test_each_lost_create(tmp_path: Path, form: ProbeForm, action: Any, groups: Any) -> None:
    """Of each thing that a probe makes, wherever it is listed."""
    with probed_world(tmp_path / "a", AccountSettings(field_groups=groups)) as world:
        before = dump(world)
        world.fault(action, f"^POST {form.path}$", nth=1, times=2)
        probe(world, contacts=True)
        assert left_over(before, dump(world)) == {}


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A production account, no confirmation, too small a budget, a key without permissions: nothing was written."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        before = dump(world)
        assert world.cli("probe").code == 7
        assert world.cli("probe", "--yes-this-is-a-sandbox", "--max-requests", "30").code == 7
        assert world.cli("probe", "--yes-this-is-a-sandbox", "--max-seconds", "2").code == 7
        monkeypatch.setattr("sys.stdin", io.StringIO("another\n"))
        world.environ["RECONCILER_PROMPT"] = "1"
        assert world.cli("probe").code == 130
        world.write(PRODUCTION, "reconciler.yaml")
        ran = world.cli("probe", "--yes-this-is-a-sandbox")
        assert (ran.code, "production" in ran.err) == (7, True), ran.text
        assert world.cli("probe", "--clean").code == 7
        assert not world.requests()
        assert world.cli("probe", "--read-only").code == 0
        assert not world.writes()
        assert dump(world) == before
    with probed_world(tmp_path / "b", AccountSettings(admin=False)) as world:
        ran = world.cli("probe", "--yes-this-is-a-sandbox")
        assert (ran.code, "not an Admin" in ran.err) == (4, True), ran.text
        assert world.cli("probe", "--read-only").code == 0
        assert not world.writes()


CHOICES: dict[str, tuple[str, ...]] = {
    "--read-only": (), "--with-contacts": (), "--burst": (), "--row": ("30",), "--max-requests": ("9999",),
    "--max-seconds": ("9999",), "--clean": (), "--format": ("json",), "--out": ("x.json",),
    "--yes-this-is-a-sandbox": (),
}  # fmt: skip
"""Every option of `probe`, with a value."""
CONTRADICT = [
    *({"--clean", one} for one in CHOICES if one not in ("--clean", "--yes-this-is-a-sandbox")),
    {"--read-only", "--with-contacts"},
    {"--row", "--with-contacts"},
]
"""Pairs of them of which one means nothing; contacts tell nothing of row 30."""


def test_options_that_contradict_are_refused(world: World) -> None:
    """All pairs: refused as wrong usage, with both named, before anything is sent; or taken together."""
    known = {spelled for one in leaves()["probe"].params for spelled in one.opts if spelled.startswith("--")}
    assert known - {"--help", "--env", "--verbose", "--quiet"} == CHOICES.keys()
    world.write(PRODUCTION, "reconciler.yaml")  # where what is taken is refused, but for reads
    for pair in itertools.combinations(CHOICES, 2):
        ran = world.cli("probe", *(word for one in pair for word in (one, *CHOICES[one])))
        if set(pair) in CONTRADICT:
            assert (ran.code, [one for one in pair if one not in ran.err], world.requests()) == (1, [], []), ran.text
        else:
            assert ran.code == (0 if "--read-only" in pair else 7), (pair, ran.text)
        world.forget()


@pytest.mark.parametrize("form", ["html", "markdown", "json", "text"])
def test_a_report_goes_into_files_as_of_other_commands(tmp_path: Path, form: str) -> None:
    """`--format FORM=FILE`, as often as there are forms; what is printed is another one."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        path = world.folder / "report"
        ran = world.cli("probe", "--read-only", "--row", "31", "--format", f"{form}={path}", "--format", "json")
        assert (ran.code, json.loads(ran.out)["read_only"]) == (0, True), ran.text
        ran = world.cli("probe", "--read-only", "--row", "31", "--format", form, "--out", str(world.folder / "same"))
        assert ran.out.startswith("Probed "), ran.text
        heads = [file.read_text().strip()[:60] for file in (path, world.folder / "same")]
        assert heads[0][:20] == heads[1][:20] != "", heads


MADE = ("tags", "lists", "fields", "dealCustomFieldMeta", "accountCustomFieldMeta", "groupDefinitions", "groupMembers",
        "dealGroups", "dealRoles", "dealTasktypes", "taskOutcomes", "webhooks", "customObjects", "groups", "addresses",
        "savedResponses", "messages", "personalizations", "templates")  # fmt: skip
"""First parts of the paths of what a probe makes."""


def test_a_key_that_could_not_clean_up_makes_nothing(tmp_path: Path) -> None:
    """An Admin's key to which every kind is forbidden: refused, and nothing was written. Where some are, nothing is
    made there, and these rows are unknown and say why.
    """
    with probed_world(tmp_path / "a", AccountSettings(forbidden=MADE)) as world:
        ran = world.cli("probe", "--yes-this-is-a-sandbox")
        assert (ran.code, "nothing was written" in " ".join(ran.err.split())) == (4, True), ran.text
        assert not world.writes()
        assert not _journal(world)
        assert world.cli("probe", "--read-only").code == 0
    with probed_world(tmp_path / "b", AccountSettings(forbidden=("tags", "fields", "dealGroups"))) as world:
        before = dump(world)
        ran = world.cli("probe", "--yes-this-is-a-sandbox", "--format", "json")
        assert ran.code == 0, ran.text
        wrote = {line.split("/")[1] for line in world.writes()}
        assert not wrote & {"tags", "fields", "dealGroups", "dealStages", "fieldOption", "fieldRels"}, wrote
        rows = {point["row"]: point for point in json.loads(ran.out)["points"]}
        for row, path in ((43, "/tags"), (18, "/fields"), (8, "/dealGroups")):
            assert rows[row]["verdict"] == "unknown"
            assert rows[row]["why"].startswith(f"GET {path} was answered 403"), rows[row]
        assert left_over(before, dump(world)) == {}


def _undeletable(folder: Path, form: ProbeForm) -> int:
    """Probe with a key that may make something and not delete it; return how many of it stay, each of them named."""
    with probed_world(folder, AccountSettings(tasktype_delete="deleted")) as world:
        before = dump(world)
        for path in (form.path, *form.deletes):
            world.fault("fail_before", f"^DELETE {path}/", status=403, times=9999)
        ran = world.cli("probe", "--yes-this-is-a-sandbox", "--with-contacts")
        left = left_over(before, dump(world)).get(form.key, [])
        assert all(_is_named(form.key, row, ran.err.splitlines()) for row in left), ran.text
        assert ran.code == (1 if left else 0) or form.retire is not None, ran.text
        return len(left)


def test_of_what_cannot_be_removed_two_stay_at_most(tmp_path: Path) -> None:
    """A key that may create and not delete leaves an object and its twin, named, and not dozens."""
    assert _undeletable(tmp_path / "a", FORMS["field"]) == 2


@pytest.mark.prove
@pytest.mark.parametrize("form", [one for one in FORMS.values() if not one.owner], ids=lambda one: one.name)
def test_of_each_thing_that_cannot_be_removed(tmp_path: Path, form: ProbeForm) -> None:
    """Of each kind of thing that a probe makes."""
    assert _undeletable(tmp_path / "a", form) <= 2


def test_the_name_of_the_account_is_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever types it has looked which account it is."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"emulator:{ACCOUNT}\n"))
        world.environ["RECONCILER_PROMPT"] = "1"
        ran = world.cli("probe", "--row", "8")
        assert ran.code == 0, ran.text
        assert "POST /dealGroups" in world.writes()


def test_the_budget_is_printed_first_and_kept(tmp_path: Path) -> None:
    """Where the account makes it repeat requests, a probe ends within its budget, removes all, and says so."""
    with probed_world(tmp_path / "a", AccountSettings(flaky_reads=2)) as world:
        before = dump(world)
        ran = world.cli("probe", "--yes-this-is-a-sandbox", "--max-requests", "800", "--format", "json")
        assert "800 requests" in ran.err.splitlines()[0]
        assert json.loads(ran.out)["requests"] == len(world.requests()) <= 800
        assert left_over(before, dump(world)) == {}
        assert world.cli("-q", "probe", "--read-only", "--row", "31").err == ""
    with probed_world(tmp_path / "b", AccountSettings()) as world:
        before = dump(world)
        world.fault("fail_before", "^GET ", status=503, nth=40, times=300)
        ran = world.cli("probe", "--yes-this-is-a-sandbox", "--format", "json", "--max-requests", "780")
        assert len(world.requests()) <= 780
        world.account.faults = []
        assert world.cli("probe", "--clean").code == 0
        assert left_over(before, dump(world)) == {}


@dataclass
class _Lossy(Fault):
    """Loses the answer to a part of all requests, and never twice in a row."""

    share: float = 1.0
    chance: random.Random = field(default_factory=random.Random)
    struck: bool = False

    def strikes(self) -> bool:
        """Return whether this answer is lost."""
        self.struck = not self.struck and self.chance.random() < self.share
        return self.struck


def _lost_within_budget(folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch, rows: frozenset[int]) -> int:
    """Probe an account that loses answers, with a budget that ends at any point: it is kept, and all is removed; return
    how many requests it took.
    """
    chance = random.Random(seed)
    settings = AccountSettings(
        orphan_stages=chance.random() < 0.5, tasktype_delete="deleted", field_groups=chance.choice(["both", "members"])
    )
    with probed_world(folder, settings) as world:
        before = dump(world)
        asked = Asked(rows=rows, contacts=not rows)
        whole = outline(world.session(), asked)
        most = chance.randrange(70, whole.needed + 60)
        monkeypatch.setattr(probing, "outline", lambda *_: replace(whole, requests=most))
        action: Any = chance.choice(["drop_after", "fail_after", "drop_before"])
        share = chance.choice([0.1, 0.5, 1.0])
        match = chance.choice(["^DELETE", "^(DELETE|GET)", "^(POST|PUT|DELETE|GET) /(?!users|settings)"])
        world.account.faults.append(_Lossy(action, match, share=share, chance=chance))
        run(probing.probe(world.session(), asked))
        took = len(world.requests())
        assert took <= most, (seed, took, most)
        assert left_over(before, dump(world)) == {}, seed
        assert not _journal(world), seed
    return took


MANY = (frozenset((3,)), frozenset((6, 8, 35)), frozenset((10, 58)))
"""Rows whose experiments have the most there at one time."""


@pytest.mark.parametrize("seed", range(6))
def test_a_lost_answer_at_any_request_costs_no_more_than_was_kept_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Of the experiments that have the most there at one time."""
    assert _lost_within_budget(tmp_path / "a", seed, monkeypatch, MANY[seed % 3]) > 20


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(100, 220))
def test_lost_answers_everywhere_cost_no_more_than_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Of all experiments together, and of those."""
    assert _lost_within_budget(tmp_path / "a", seed, monkeypatch, (*MANY, frozenset[int]())[seed % 4]) > 20


def test_each_experiment_takes_no_more_than_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed as planned holds for every experiment by itself, the removal included, and so does what is kept
    back for that.
    """
    held: dict[str, int] = {}
    afford = Lab.afford

    def counted(lab: Lab, more: int = 0) -> None:
        held[told[-1][0] if told else ""] = max(held.get(told[-1][0] if told else "", 0), lab.reserved() + more)
        afford(lab, more)

    monkeypatch.setattr(Lab, "afford", counted)
    with probed_world(tmp_path / "a", AccountSettings(orphan_stages=True, default_address_delete="refused")) as world:
        told: list[tuple[str, int]] = []
        run(
            probing.probe(
                world.session(),
                Asked(contacts=True),
                lambda name: told.append((name, len(world.requests()))),
            )
        )
        ends = [count for _, count in told[1:]] + [len(world.requests())]
        most = {one.name: one.requests for one in load_experiments()}
        over = {
            name: (end - begin, most[name])
            for (name, begin), end in zip(told, ends, strict=True)
            if end - begin > most[name]
        }
        assert not over
        kept = {one.name: one.held for one in load_experiments() if one.writes and one.needs != "burst"}
        assert {name: held.get(name) for name in kept if held.get(name, 0) > kept[name]} == {}


class _Nowhere:
    """A line that must not be used, and a journal that forgets."""

    requests = 0

    async def raw(self, request: Request, *, token: str | None = None, paced: bool = True) -> Response:
        raise AssertionError(f"{request} was sent")

    def append(self, record: Any) -> None:
        """Forget it."""


def _lab(*, contacts: bool = False, writes: bool = True) -> Lab:
    spent = ProbeBudget(100, 100, lambda: 0.0)
    return Lab(_Nowhere(), _Nowhere(), "zz-probe-1", spent, contacts=contacts, writes=writes)


def test_time_to_remove_what_was_made_is_kept_back() -> None:
    """At the pace so far: an account that answers slowly is left in time."""
    now = iter([0.0, 50.0, 50.0, 50.0, 50.0])
    lab, line = _lab(), _Nowhere()
    lab.line, lab.spent = line, ProbeBudget(1000, 100, lambda: next(now))
    line.requests = 10
    lab.afford()
    lab.open = [Made(number, FORMS["tag"], {}, str(number)) for number in range(3)]
    with pytest.raises(Exhausted, match="100 seconds"):
        lab.afford()


def test_nothing_that_was_there_can_be_written_to() -> None:
    """A bench refuses to change or remove what it did not make, names that are not its own, and contacts."""
    lab, there = _lab(), Made(1, FORMS["tag"], {}, "7")
    for work in (
        lab.put(there, tag="x"),
        lab.drop(there),
        lab.leave(there),
        lab.make("tag", {"tag": "VIP"}),
        lab.make("member", {"rel_id": "1", "group_id": "1"}),
        lab.make("contact", {"email": "zz-probe-1@example.com"}),
        _lab(contacts=True).make("contact", {"email": "zz-probe-1@acme.example"}),
        _lab(writes=False).make("tag", {"tag": "zz-probe-1"}),
    ):
        with pytest.raises(ForbiddenWrite):
            run(work)


def test_the_write_guard_lets_nothing_through_that_reaches_people() -> None:
    """The paths that a probe may write to: no users, no campaigns, no subscriptions; contacts only where asked for."""
    for contacts in (False, True):
        paths = guard.paths(writable(contacts=contacts))
        reach = ["/users", "/users/1", "/campaigns", "/contactLists", "/contactAutomations", "/contact/sync", "/deals",
                 "/import/bulk_import", "/lists/exclusions/1", "/tags/bulk", "/contacts/sync/x"]  # fmt: skip
        for path in reach:
            request = Request("POST", path, body={})
            with pytest.raises(guard.Forbidden):
                guard.check(request, guard.Mode.WRITE, paths)
        assert bool(paths.fullmatch("/contacts")) is contacts


def test_a_report_names_nobody(tmp_path: Path) -> None:
    """Names, addresses, hosts and tokens of the account are in no form of the report, nor in the facts file."""
    with probed_world(tmp_path / "a", AccountSettings(account="acme-secret")) as world:
        report = probe(world, contacts=True)
        facts = next((world.folder / ".reconciler" / "facts").iterdir()).read_text()
    shown = [findings.text(report), findings.markdown(report), findings.html(report), report.model_dump_json(), facts]
    for text in shown:
        assert len(text) > 2000
        assert not re.search(r"\b(jane|doe|acme-secret|emulator-token|vip|sales)\b|\w@\w", text, re.IGNORECASE)


@pytest.mark.parametrize(("status", "header"), [(429, True), (429, False), (503, False)])
def test_a_burst_measures_the_rate_limit(tmp_path: Path, status: Any, header: bool) -> None:
    """Only where it is asked for: how many reads are taken in a second, and what one too many is answered."""
    settings = AccountSettings(rate_limit=5, limit_status=status, retry_after=header)
    with probed_world(tmp_path / "a", settings) as world:
        world.account._gate._clock = lambda: asyncio.get_running_loop().time()
        report = probe(world, rows=frozenset({30, 54}), burst=True, read_only=True)
        assert not world.writes()
    got = found(report)
    assert {name: got[name] for name in ("rate_limit", "limit_status", "retry_after", "rate_limit_header")} == {
        "rate_limit": "5",
        "limit_status": str(status),
        "retry_after": "yes" if header else "no",
        "rate_limit_header": "5",
    }
    verdicts = {point.row: point.verdict for point in report.points}
    assert verdicts[54] == ("assumed" if status == 429 else "differs")


def test_the_documents_fit_their_schemas(tmp_path: Path) -> None:
    """A report has one row for each point, with what the schema says; so has a facts file."""
    with probed_world(tmp_path / "a", AccountSettings(list_update="reset")) as world:
        ran = world.cli("probe", "--yes-this-is-a-sandbox", "--row", "52", "--format", "json")
        facts = next((world.folder / ".reconciler" / "facts").iterdir()).read_text()
    jsonschema.validate(json.loads(ran.out), json.loads(schema_text("probe")))
    jsonschema.validate(json.loads(facts), json.loads(schema_text("facts")))
    assert all(one["status"] == 200 for one in json.loads(ran.out)["listings"])
    (row,) = [one for one in json.loads(ran.out)["points"] if one["row"] == 52]
    assert {name: row[name] for name in ("row", "fact", "verdict", "found", "affects")} == {
        "row": 52,
        "fact": "PUT /lists keeps what is left out",
        "verdict": "differs",
        "found": "reset",
        "affects": ["list"],
    }


def _interrupted(folder: Path, settings: AccountSettings, *at: int) -> bool:
    """Interrupt a probe at some moments (there are two for each request, before and after its work); all that is there
    then is named with its id, and `probe --clean` removes it. Tell whether it was interrupted at all.
    """
    with probed_world(folder, settings) as world:
        before, lines = dump(world), list[str]()

        async def interrupted() -> bool:
            moments = 0

            def moment() -> float:
                nonlocal moments
                moments += 1
                if moments in at:
                    work.cancel()
                return 0.0

            asked = Asked(contacts=True)
            work = asyncio.ensure_future(probing.probe(world.session(), asked, say=lines.append))
            world.held.delay = moment
            try:
                await work
            except asyncio.CancelledError:
                return True
            return False

        if not run(interrupted()):
            return False
        world.held.delay = None
        disabled = [row for row in dump(world).get("dealTasktypes", []) if "zz-probe-" in row["title"]]
        assert all(_is_named("dealTasktypes", row, lines) for row in disabled), (at, lines)
        over = left_over(before, dump(world))
        if world.writes():
            assert "The probe was stopped" in lines[0], at
        if len(at) == 1:
            assert (over, _journal(world)) == ({}, []), at
        elif over:
            assert any(line.startswith("Left: ") and line.endswith("`probe --clean`") for line in lines), (at, over)
        nameless = [(table, row) for table, rows in over.items() for row in rows if not _is_named(table, row, lines)]
        assert nameless == [], (at, lines)
        _, left = clean(world)
        assert left_over(before, dump(world)) == {}, at
        known = {one.id for one in left}
        assert known >= ({row["id"] for row in disabled} if over or _journal(world) else set())
        assert not _journal(world)
        return True


HOLDERS = ("list", "field", "group", "group_id", "contact")
"""Properties that name what a row hangs on, and goes with."""


def _is_named(table: str, row: Any, lines: list[str]) -> bool:
    """Return whether what is left is named: by its id; by its name, where no answer told the id; or by what it hangs
    on. What came along with something of the probe's has no name of its own.
    """
    said = "\n".join(lines)
    forms = [form.name for form in FORMS.values() if form.key == table]
    if any(f"Left: {form} id {row['id']}: " in said for form in forms):
        return True
    names = {str(value) for value in row.values() if "zz-probe-" in str(value)}
    if any(f"`{name}`" in said for name in names):
        return True
    return any(f" id {row[holder]}: " in said for holder in HOLDERS if row.get(holder)) or not names


@pytest.mark.parametrize("at", [(150,), (431,), (150, 152), (700, 703)])
def test_an_interrupted_probe_cleans_up_and_says_so(tmp_path: Path, at: tuple[int, ...]) -> None:
    """After Ctrl-C, what it made is removed before it ends; after a second one, what is left is named."""
    assert _interrupted(tmp_path / "a", AccountSettings(orphan_stages=at[0] % 2 == 0), *at)


@pytest.mark.prove
@pytest.mark.parametrize("again", [0, 1, 4])
def test_interrupted_at_every_request(
    tmp_path: Path, again: int, record_property: Callable[[str, object], None]
) -> None:
    """Before and after each request, once, and twice with so many moments in between."""
    moment = 0
    while True:
        moment += 1
        at = (moment, moment + again) if again else (moment,)
        if not _interrupted(tmp_path / str(moment), AccountSettings(), *at):
            break
    record_property(f"probe interrupted (again={again})", f"{moment - 1} moments, 0 left over")
    assert moment > 700


@pytest.mark.parametrize(
    ("number", "ignored"), [(signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGTERM, True)]
)
def test_a_signal_ends_a_probe_in_order(tmp_path: Path, number: signal.Signals, ignored: bool) -> None:
    """By the command line: what was removed and what is left stand on the screen, and the exit code is 130; also as a
    background job of a shell, which ignores SIGINT.
    """
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        before, moments = dump(world), iter(range(10**6))

        def moment() -> float:
            if next(moments) == 600:
                signal.raise_signal(number)
            return 0.0

        world.held.delay = moment
        old, interrupt = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        signal.signal(signal.SIGTERM, _interrupt)  # as `reconciler` does
        if ignored:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            ran = world.cli("probe", "--yes-this-is-a-sandbox")
        finally:
            signal.signal(signal.SIGTERM, old)
            signal.signal(signal.SIGINT, interrupt)
        assert (ran.code, "The probe was stopped" in ran.err, "Cancelled." in ran.err) == (130, True, True), ran.text
        assert left_over(before, dump(world)) == {}


def test_what_nobody_can_list_stays_on_record(tmp_path: Path) -> None:
    """Where the answer to a create is lost and its listing cannot be read, nothing is concluded: it is told, and
    removed by `probe --clean` once it can be.
    """
    with probed_world(tmp_path / "a", AccountSettings(tasktype_delete="deleted")) as world:
        before = dump(world)
        world.fault("drop_after", "^POST /webhooks$")
        world.fault("fail_before", "^GET /webhooks", nth=2, times=99, status=403)
        ran = world.cli("probe", "--yes-this-is-a-sandbox")
        assert (ran.code, "Left: webhook id ?" in ran.err) == (1, True), ran.text
        assert left_over(before, dump(world)).keys() == {"webhooks"}
        assert world.cli("probe", "--yes-this-is-a-sandbox").code == 7
        assert "`reconciler probe --clean` removes it" in world.cli("doctor").out
        world.account.faults = []
        assert world.cli("probe", "--clean").code == 0
        assert left_over(before, dump(world)) == {}


@pytest.mark.parametrize("path", ["tags", "dealGroups", "addresses"])
def test_what_cannot_be_deleted_now_is_told_and_stays_on_record(tmp_path: Path, path: str) -> None:
    """A refused DELETE is named with its id; `probe --clean` tries again, and forgets it when it is gone."""
    with probed_world(tmp_path / "a", AccountSettings(tasktype_delete="deleted")) as world:
        before = dump(world)
        world.fault("fail_before", f"^DELETE /{path}/", times=999, status=403)
        ran = world.cli("probe", "--yes-this-is-a-sandbox")
        assert ran.code in (0, 1), ran.text
        assert ran.code == (0 if left_over(before, dump(world)) == {} else 1)
        assert ("manually, or `probe --clean`" in ran.err) == (ran.code == 1)
        world.account.faults = []
        assert world.cli("probe", "--clean").code == 0
        assert left_over(before, dump(world)) == {}
        assert not _journal(world)


def test_page_sizes_are_told_with_a_few_objects(tmp_path: Path) -> None:
    """Two rows tell whether `limit` is honoured; where none is longer than a page, the report says just that."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        report = probe(world, read_only=True)
        assert found(report)["page_limit"] == "honoured"
        (largest,) = [part for part in report.beside if part.name == "page_largest"]
        assert largest.why.startswith("no listing of this account has more rows than a page")
        assert world.requests().count("GET /dealTasktypes") == 3
        rows = {point.row: point for point in report.points}
        assert "and this account lists none" in rows[42].why
    for channel, verdict in (("several", "assumed"), ("email", "differs")):
        with probed_world(tmp_path / channel, AccountSettings()) as world:
            world.account.rows.put("exclusions", "1", {"id": "1", "matchPhrase": "acme.example", "channel": channel})
            report = probe(world, read_only=True, rows=frozenset({42}))
            assert {point.row: point.verdict for point in report.points}[42] == verdict


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda one: one.name)
def test_what_has_an_id_on_record_now_is_not_removed(form: ProbeForm) -> None:
    """Since a probe died, the account was emptied or gave the id to something else (section 7, row 9): nothing but a
    listing is asked; what is called otherwise is told.
    """

    class Others(_Nowhere):
        async def raw(self, request: Request, *, token: str | None = None, paced: bool = True) -> Response:
            assert request.method == "GET", request
            row = {"id": "7", form.label: "somebody's"} if form.label else {"id": "7", **dict.fromkeys(told, "9")}
            return Response(200, {form.key: [row], "meta": {"total": "1"}})

    told = [form.reads.get(one, one) for one in (*form.match, form.owner) if one]
    attrs = {form.label: "zz-probe-1"} if form.label else {}
    attrs |= dict.fromkeys(filter(None, (*form.match, form.owner)), "1")
    lab = Lab(Others(), _Nowhere(), "zz-probe-1", ProbeBudget(100, 100, lambda: 0.0), contacts=True)
    entry = ProbeEntry(1, form, attrs, "7")
    lab.resume(ProbeRecord("zz-probe-1", [entry]))
    run(lab.clear())
    assert lab.open == []
    assert lab.left == ([] if form.owner else [(form.name, "7", OTHERS)])


def test_clean_keeps_what_was_there(tmp_path: Path) -> None:
    """By the command line: a journal that names ids of other objects costs none of them."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        before, journal = dump(world), ProbeJournal(world.folder, world.session().identity)
        with journal.held():
            journal.append({"op": "begin", "mark": "zz-probe-1", "at": ""})
            for number, (form, label) in enumerate((("tag", "tag"), ("pipeline", "title"), ("field", "title"))):
                attrs = {label: "zz-probe-1"}
                journal.append({"op": "making", "n": number, "form": form, "attrs": attrs})
                journal.append({"op": "made", "n": number, "id": "1"})
        ran = world.cli("probe", "--clean")
        assert dump(world) == before
        assert not world.writes()
        assert (ran.code, ran.err.count(OTHERS)) == (0, 3), ran.text
        assert not _journal(world)


@pytest.mark.parametrize("own", [False, True])
def test_what_another_checkout_made_is_told_and_stays(tmp_path: Path, own: bool) -> None:
    """By its name, whether this checkout has a record of its own or none; not what only begins alike, nor what is
    switched off, which is all that a removal can do to it.
    """
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        names = [
            "zz-probe-theirs01 x",
            "zz-probe-",
            "my zz-probe-theirs01",
            "zz-probed",
            *(["zz-probe-mine"] if own else []),
        ]
        for name in names:
            world.call("POST", "/tags", {"tag": {"tag": name, "tagType": "contact", "description": ""}})
        kind = world.call("POST", "/dealTasktypes", {"dealTasktype": {"title": "zz-probe-theirs02"}})["dealTasktype"]
        world.call("PUT", f"/dealTasktypes/{kind['id']}", {"dealTasktype": {"status": 1}})
        world.call("POST", "/dealRoles", {"dealRole": {"title": "zz-probe-theirs03"}})
        before, journal = dump(world), ProbeJournal(world.folder, world.session().identity)
        if own:
            with journal.held():
                journal.append({"op": "begin", "mark": "zz-probe-mine", "at": ""})
                journal.append({"op": "making", "n": 1, "form": "tag", "attrs": {"tag": "zz-probe-mine"}})
        done = len(world.writes())
        ran = world.cli("probe", "--clean")
        told = [line for line in ran.err.splitlines() if line.startswith("Not removed: ")]
        assert (ran.code, [line.split()[2] for line in told]) == (0, ["tag", "deal_role"]), ran.text
        assert ["`zz-probe-theirs01`: " in told[0], "`zz-probe-theirs03`: " in told[1]] == [True, True]
        assert len(world.writes()) - done == own
        assert (dump(world) == before) is not own


def test_what_is_left_is_told_where_the_report_cannot_be_written(tmp_path: Path) -> None:
    """The ids of disabled task types stand on the screen all the same."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        world.write("", "file")
        ran = world.cli("probe", "--yes-this-is-a-sandbox", "--row", "6", "--out", str(world.folder / "file" / "x.md"))
        assert ran.code == 1, ran.text
        assert "Left: task_type id " in ran.err


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("how", ["--read-only", "--yes-this-is-a-sandbox"])
def test_a_wrong_key_teaches_nothing(tmp_path: Path, status: int, how: str) -> None:
    """A key that is not accepted is refused as such: what is known of the account stays as it was."""
    with probed_world(tmp_path / "a", AccountSettings()) as world:
        assert world.cli("probe", "--read-only").code == 0
        (facts,) = (world.folder / ".reconciler" / "facts").iterdir()
        before = facts.read_bytes()
        world.fault("fail_before", "^GET ", status=status, times=9999)
        ran = world.cli("probe", how)
        assert (ran.code, "does not accept the API key" in " ".join(ran.err.split())) == (4, True), ran.text
        assert facts.read_bytes() == before
        assert not world.writes()
