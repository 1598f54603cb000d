"""What a probe found is used: fewer requests where the account was asked, the same results; and never where a wrong
fact would do harm.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import AccountSettings
from reconciler.store.probefile import facts_path
from reconciler.workflow.opening.facts import own_facts, remarks, row_of
from tests.conformance.case import NOTHING, Case
from tests.conformance.cases import load_cases
from tests.probe.probes import found, probe, probed_world
from tests.world import World, new_world
from tests.world.project import ACCOUNT

IDENTITY = f"emulator:{ACCOUNT}"
CASES = {str(case): case for case in load_cases()}
ODD = AccountSettings(
    option_bulk="plural", outcome_path="taskOutccomes", site_domains="old", field_groups="members",
    bulk_options="append", list_channels="all",
)  # fmt: skip
"""An account that answers at the second path of each."""
OUTCOME = {"task_outcomes": {"won": {"title": "Won", "sentiment": "Positive"}}}
FIELD = {"fields": {"plan": {"title": "Plan", "type": "dropdown", "options": ["Free", "Pro"]}}}


def write_facts(world: World, known: Mapping[str, str], account: str = IDENTITY, environment: str = "demo") -> None:
    """Write a facts file, as a probe of that account would."""
    facts = {
        name: {"row": row_of(name), "found": one, "verdict": "differs", "probed": "2026-01-01T00:00:00Z"}
        for name, one in known.items()
    }
    head = {"format_version": "1.0", "account": account, "environment": environment, "version": "0"}
    path = facts_path(world.folder, account)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**head, "probed": "2026-01-01T00:00:00Z", "facts": facts}))


@pytest.fixture(scope="module", name="learned")
def _learned(tmp_path_factory: pytest.TempPathFactory) -> Callable[[AccountSettings], dict[str, str]]:
    """What a probe finds on an account with some settings, once for each."""
    known: dict[str, dict[str, str]] = {}

    def learn(settings: AccountSettings) -> dict[str, str]:
        name = json.dumps(settings.data())
        if name not in known:
            with probed_world(tmp_path_factory.mktemp("learned"), settings) as world:
                known[name] = found(probe(world))
        return known[name]

    return learn


def _lived(folder: Path, settings: AccountSettings, case: Case, known: Mapping[str, str]) -> tuple[Any, int]:
    """Let an object live from its first apply to its last, attribute by attribute; return what the account held after
    each, and how many requests it took.
    """
    with new_world(folder, settings) as world:
        world.account.seed(case.seed)
        if known:
            write_facts(world, known)
        changes = [one for one in case.attributes if one.how == "update"]
        steps = [case.full(), *(case.full(**{one.name: one.then}) for one in changes)]
        steps += [case.full(**{one.name: one.clear}) for one in changes if one.clear is not NOTHING]
        held, requests = [], 0
        for config in [*steps, case.without()]:
            world.write(config)
            world.forget()
            world.apply(yes=True, incomplete=True)
            requests += len(world.requests())
            rows = {table: [_undated(row) for row in rows] for table, rows in world.dump().items()}
            held.append((world.plan().lines, rows))
        return held, requests


def _undated(row: Mapping[str, Any]) -> dict[str, Any]:
    own = "id" if "orderid" in row else ""  # options that are sent anew have new ids
    return {
        name: value for name, value in row.items() if name != own and "date" not in name and "stamp" not in name.lower()
    }


def _twice(folder: Path, settings: AccountSettings, names: Iterator[str], known: Mapping[str, str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for number, name in enumerate(names):
        hedged, before = _lived(folder / f"{number}-hedged", settings, CASES[name], {})
        informed, after = _lived(folder / f"{number}-informed", settings, CASES[name], known)
        assert informed == hedged, name
        assert after <= before, name
        counts += Counter({"objects": 1, "requests, hedged": before, "requests, with facts": after})
    return counts


def test_the_suites_of_some_kinds_with_facts(
    tmp_path: Path, learned: Callable[[AccountSettings], dict[str, str]], record_property: Callable[[str, object], None]
) -> None:
    """Some kinds live hedged and with the facts of their account: the same results, fewer requests."""
    some = iter([name for name in CASES if name.startswith(("tag.", "task_outcome."))])
    counts = _twice(tmp_path, ODD, some, learned(ODD))
    record_property("suites of some kinds with facts", dict(counts))
    assert counts["requests, with facts"] < counts["requests, hedged"]


@pytest.mark.prove
@pytest.mark.parametrize("settings", [AccountSettings(), ODD, replace(ODD, bulk_options="replace", arrays="maps")])
def test_the_suites_of_all_kinds_with_facts(
    tmp_path: Path,
    settings: AccountSettings,
    learned: Callable[[AccountSettings], dict[str, str]],
    record_property: Callable[[str, object], None],
) -> None:
    """Every kind."""
    counts = _twice(tmp_path, settings, iter(CASES), learned(settings))
    record_property("suites of all kinds with facts", dict(counts))
    assert counts["requests, with facts"] < counts["requests, hedged"]


def test_a_path_that_was_found_is_used_at_once(world: World) -> None:
    """No request goes to the path that the account does not have."""
    world.behave(option_bulk="plural", outcome_path="taskOutccomes", field_groups="members")
    write_facts(world, {"option_bulk": "plural", "outcome_path": "taskOutccomes", "field_groups": "members"})
    world.write({**OUTCOME, **FIELD})
    world.apply()
    world.forget()
    world.write({"task_outcomes": {"won": {"title": "Won it", "sentiment": "Positive"}}, **FIELD})
    world.apply()
    assert "POST /fieldOption/bulk" not in world.requests()
    assert world.writes() == ["PUT /taskOutccomes/1"]
    world.write({**OUTCOME, **FIELD, "field_groups": {"more": {"label": "More", "object": "contact"}}})
    world.forget()
    world.plan()
    assert "GET /groupDefinitions" not in world.requests()


def test_a_contradicted_fact_is_told_and_marked(world: World) -> None:
    """The apply succeeds all the same; the fact is marked with the request that says so, and not relied on again."""
    write_facts(world, {"option_bulk": "plural", "put.tag": "merge"})
    world.behave(option_bulk="singular")
    world.write(FIELD)
    summary = world.apply().summary
    assert [note for note in summary.notes if "contradicts the fact `option_bulk`" in note]
    file = own_facts(world.folder, IDENTITY)
    assert file is not None
    marked = {name: one.contradicted.request for name, one in file.facts.items() if one.contradicted is not None}
    assert marked == {"option_bulk": "POST /fieldOptions/bulk was answered 405"}
    assert "option_bulk" not in world.session().facts.known
    assert any("`option_bulk` was contradicted" in warning for warning in world.plan().document.warnings)
    ran = world.cli("explain", "--facts", "field")
    assert "contradicted by an apply" in ran.out


def test_an_option_that_is_lost_is_found_by_the_read_back(world: World) -> None:
    """A wrong fact costs a repair, and is marked: what was written is read back."""
    write_facts(world, {"bulk_options": "append"})
    world.behave(bulk_options="replace")
    world.write(FIELD)
    world.apply()
    world.write({"fields": {"plan": {"title": "Plan", "type": "dropdown", "options": ["Free", "Pro", "More"]}}})
    summary = world.apply(incomplete=True).summary
    assert any("`bulk_options`" in note for note in summary.notes)
    world.apply()
    assert sorted(row["value"] for row in world.rows("fieldOptions")) == ["Free", "More", "Pro"]
    assert world.plan().lines == []


BORROWED = """\
version: 1
environments:
  sandbox: {url: "emulator:state/sandbox.db"}
  demo: {url: "emulator:%s", facts: sandbox}
default_environment: demo
"""


def test_borrowed_facts_never_do_harm(world: World) -> None:
    """What was found on another account chooses paths, and nothing that would lose or double anything where it is
    wrong: such facts count on the account itself only. Every plan says whose facts they are.
    """
    world.write(BORROWED % ACCOUNT, "reconciler.yaml")
    world.write("tags: {vip: {description: one}}")
    assert any("no facts of `sandbox` are there" in one for one in world.plan().document.warnings)
    known = {"option_bulk": "plural", "list_update": "merge", "list_channels": "all", "bulk_options": "append",
             "put.tag": "merge", "name.emoji": "kept", "unique.tags": "yes"}  # fmt: skip
    write_facts(world, known, "emulator:state/sandbox.db", "sandbox")
    facts = world.session().facts
    assert facts.borrowed == known.keys()
    assert not any(facts.own(name, value) for name, value in known.items())
    world.write("tags: {vip: {description: one}}")
    warnings = world.plan().document.warnings
    assert [one for one in warnings if "7 facts" in one and "`sandbox`" in one]
    kinds = world.session().kinds
    assert kinds["list"].carried
    assert kinds["list"].needs(frozenset())[0].query
    assert not kinds["tag"].settled({"description": "two"})
    world.behave(list_update="reset", list_channels="email")
    lists = {"lists": {"a": {"name": "A", "sender_url": "https://acme.example", "sender_reminder": "Hello"}}}
    world.write(lists)
    world.apply()
    world.write({"lists": {"a": {**lists["lists"]["a"], "name": "B"}}})
    world.apply()
    assert world.plan().empty or world.plan().lines == []
    write_facts(world, {"option_bulk": "singular"})
    assert world.session().facts.get("option_bulk") == "singular"
    assert "option_bulk" not in world.session().facts.borrowed


def test_an_update_that_surely_took_is_not_read_back(world: World) -> None:
    """On an account whose PUT is known to merge and to alter no text, a new description is one request; a create, a new
    name and a delete are read back as ever.
    """
    write_facts(world, {"put.tag": "merge", "name.emoji": "kept", "name.markup": "kept"})
    world.write("tags: {vip: {name: VIP, description: one}, old: {}}")
    world.apply()
    counts = {}
    for what, config in {
        "description": "tags: {vip: {name: VIP, description: two}, old: {}}",
        "name": "tags: {vip: {name: VIPs, description: two}, old: {}}",
        "delete": "tags: {vip: {name: VIPs, description: two}}",
    }.items():
        world.write(config)
        world.forget()
        summary = world.apply().summary
        assert summary.requests == summary.forecast, what
        written = world.requests().index(world.writes()[0])
        counts[what] = world.requests()[written + 1 :]
    assert counts["description"] == []
    assert counts["name"] == ["GET /tags"]
    assert counts["delete"] == ["GET /tags"]


def test_counts_and_settling_rest_on_no_fact() -> None:
    """No file that counts records, archives them, or settles lost creates asks for a fact."""
    root = Path(__file__).resolve().parents[2] / "reconciler"
    names = "apply ports verify recount archive examine usage"
    files = [f"engine/{name}.py" for name in names.split()]
    files += ["resources/counts.py", "resources/losing.py", "resources/records.py"]
    for name in files:
        assert "facts" not in (root / name).read_text(), name


def test_a_copy_behaves_as_the_facts_say() -> None:
    """Emulated copies of an account take its facts for their switches; what no switch has a value for is left."""
    facts = {
        "list_update": "reset", "created_status": "200", "orphan_stages": "yes", "unique.tags": "yes", "arrays": "odd",
        "cap_limit": "more", "mixed_types": "yes", "token": "x", "deletion_polls": "4",
    }  # fmt: skip
    settings = AccountSettings().informed(facts)
    assert settings == replace(
        AccountSettings(), list_update="reset", created_status=200, orphan_stages=True, unique=("tags",), mixed_types=1,
        deletion_polls=4,
    )  # fmt: skip


@pytest.mark.parametrize("update", ["refuse", "merge"])
def test_a_rehearsal_behaves_as_the_facts_say(world: World, update: str) -> None:
    """A plan that the account would refuse is refused by its copy: here a tag whose name is taken."""
    write_facts(world, {"list_update": update, "orphan_stages": "yes"})
    world.write("tags: {vip: {}}")
    ran = world.cli("rehearse")
    assert ran.code == 0, ran.text


def _edited(where: str, value: object) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        document = json.loads(path.read_text())
        *way, last = where.split("/")
        inner = document
        for step in way:
            inner = inner[step]
        inner[last] = value
        path.write_text(json.dumps(document))

    return edit


def _rewritten(change: Callable[[str], str]) -> Callable[[Path], None]:
    return lambda path: void(path.write_text(change(path.read_text())))


def void(_: object) -> None:
    """Nothing."""


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


FACT = "facts/option_bulk"
DAMAGES: Mapping[str, tuple[Callable[[Path], None], str]] = {
    "cut off": (_rewritten(lambda text: text[:-9]), "line 1, column"),
    "empty": (_rewritten(lambda text: ""), "line 1, column 1"),
    "no map": (_rewritten(lambda text: "[]"), "format_version"),
    "bytes": (lambda path: void(path.write_bytes(b"\xff\xfe{}")), "not UTF-8"),
    "a folder": (_folder, "cannot be read"),
    "a link to itself": (_loop, "cannot be read"),
    "newer": (_edited("format_version", "2.0"), "has the format 2.0"),
    "no version": (_edited("format_version", 1), "format_version"),
    "another account": (_edited("account", "acme.api-us1.com"), "holds the facts of acme.api-us1.com"),
    "facts are no map": (_edited("facts", []), "`facts`"),
    "verdict": (_edited(f"{FACT}/verdict", "maybe"), "`facts.option_bulk.verdict`"),
    "verdict of nothing": (_edited(f"{FACT}/verdict", "unknown"), "`facts.option_bulk`"),
    "row": (_edited(f"{FACT}/row", 60), "`facts.option_bulk.row`"),
    "another row": (_edited(f"{FACT}/row", 54), "`facts.option_bulk.row`: the fact is of row 55"),
    "row is a text": (_edited(f"{FACT}/row", "55"), "`facts.option_bulk.row`"),
    "found": (_edited(f"{FACT}/found", "plurall"), "`facts.option_bulk.found`: a probe finds `both`, `singular`"),
    "found is a number": (_edited(f"{FACT}/found", 7), "`facts.option_bulk.found`"),
    "found is long": (_edited(f"{FACT}/found", "x" * 300), "`facts.option_bulk.found`"),
    "no time": (_edited(f"{FACT}/probed", "yesterday"), "`facts.option_bulk.probed`"),
    "no such day": (_edited("probed", "2026-02-31T00:00:00Z"), "`probed`"),
    "mark": (_edited(f"{FACT}/contradicted", {"at": "x", "request": "y"}), "`facts.option_bulk.contradicted.at`"),
    "more": (_edited(f"{FACT}/sure", True), "`facts.option_bulk.sure`"),
}
"""What can be wrong with a facts file, and what has to be said of it."""


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_facts_file_is_named_and_not_believed(world: World, damage: str) -> None:
    """File, place and what to do; by its own account's session, and by whoever borrows from it."""
    spoil, said = DAMAGES[damage]
    write_facts(world, {"option_bulk": "plural", "put.tag": "merge"})
    path = facts_path(world.folder, IDENTITY)
    spoil(path)
    session = world.session()
    assert session.facts.known == {}
    assert all(one in session.facts.problem for one in (str(path), said)), session.facts.problem
    assert "probe" in session.facts.hint
    assert ("newer version" in session.facts.hint) == (damage == "newer")
    (line,) = remarks(session)
    assert all(one in line for one in (str(path), said, "treated with care", "probe"))
    if damage != "another account":
        world.write(BORROWED % "other.db", "reconciler.yaml")
        lines = remarks(world.session())
        assert any(str(path) in one and said in one for one in lines), lines
        assert any("no facts of `sandbox` are there" in one for one in lines)


@pytest.mark.parametrize("damage", ["found"])
def test_every_command_names_a_damaged_facts_file(world: World, damage: str) -> None:
    """Whatever rests on facts says that there are none, and why; `explain --facts` and `emulator behave` end."""
    spoil, said = DAMAGES[damage]
    world.write("tags: {vip: {}}")
    write_facts(world, {"option_bulk": "plural"})
    path = facts_path(world.folder, IDENTITY)
    spoil(path)
    commands: Mapping[tuple[str, ...], int] = {
        ("plan",): 0, ("rehearse",): 0, ("apply", "--auto-approve"): 0, ("drift",): 0,
        ("clone", "--from", "demo", "--to", "demo2", "--dry-run"): 0,
        ("doctor",): 1, ("explain", "--facts"): 3, ("emulator", "behave", str(path)): 3,
    }  # fmt: skip
    world.write(
        f"version: 1\nenvironments: {{demo: {{url: 'emulator:{ACCOUNT}'}}, demo2: {{url: 'emulator:b.db'}}}}\n"
        "default_environment: demo\n",
        "reconciler.yaml",
    )
    for command, code in commands.items():
        ran = world.cli(*command)
        text = "".join(ran.text.split())  # wherever a line ends
        shown = said.split(",")[0].replace(" ", "")
        assert (ran.code, path.name in text, shown in text) == (code, True, True), (command, ran.text)


def test_a_probe_replaces_a_damaged_facts_file(world: World) -> None:
    """The damaged one is kept beside it, under a name that nothing reads, and both are said."""
    write_facts(world, {"option_bulk": "plural"})
    path = facts_path(world.folder, IDENTITY)
    for number, damage in enumerate(("cut off", "a folder", "newer")):
        DAMAGES[damage][0](path)
        ran = world.cli("probe", "--yes-this-is-a-sandbox", "--row", "43")
        aside = path.with_name(f"{path.name}.damaged{f'-{number + 1}' if number else ''}")
        assert (ran.code, aside.name in ran.err, aside.exists()) == (0, True, True), ran.text
        assert world.session().facts.known == {**world.session().facts.known, "tag_type": "contact"}
        assert world.cli("doctor").code == 0


def test_a_report_survives_a_facts_file_that_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What two minutes of requests found is printed, whatever the disk does."""

    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reconciler.workflow.probe.probing.write_facts", full)
    ran = world.cli("probe", "--yes-this-is-a-sandbox", "--row", "43")
    assert (ran.code, "Probed" in ran.out, "No space left" in ran.err) == (1, True, True), ran.text


def test_an_emulated_account_behaves_as_a_facts_file_says(world: World) -> None:
    """`emulator behave FILE` turns its switches; what is no facts file is refused."""
    write_facts(world, {"outcome_path": "taskOutccomes", "tasktype_delete": "deleted"}, "acme.api-us1.com")
    ran = world.cli("emulator", "behave", str(facts_path(world.folder, "acme.api-us1.com")))
    assert (ran.code, "outcome_path=taskOutccomes" in ran.out) == (0, True), ran.text
    assert world.account.settings.outcome_path == "taskOutccomes"
    assert world.cli("emulator", "behave", "reconciler.yaml").code == 3


def test_a_rehearsal_assumes_nothing_that_was_probed(world: World) -> None:
    """Its copy behaves as the account was seen to; what nobody asked is still said to be assumed."""
    world.write(OUTCOME)
    world.apply()
    world.write({"task_outcomes": {"won": {"title": "Won it", "sentiment": "Positive"}}})
    assert "the typing error (row 13)" in " ".join(world.cli("rehearse").text.split())
    write_facts(world, {"outcome_path": "taskOutcomes"})
    ran = world.cli("rehearse")
    assert (ran.code, "row 13" in ran.text, "rows 9 and 44" in ran.text) == (0, False, True), ran.text


def test_an_environment_lends_facts_only_if_it_is_there(world: World) -> None:
    """A name that no environment has is a problem of the project file, with its place."""
    world.write("version: 1\nenvironments: {demo: {url: 'emulator:a.db', facts: sandbix}}\n", "reconciler.yaml")
    ran = world.cli("plan")
    assert (ran.code, "sandbix" in ran.err, "reconciler.yaml:2" in ran.err) == (3, True, True), ran.text


@pytest.mark.parametrize(
    ("lenders", "said"),
    [
        ({"a": "a"}, "`a` borrows facts from itself"),
        ({"a": "b", "b": "a"}, "in a circle: `a` from `b` from `a`"),
        ({"a": "b", "b": "c", "c": "b"}, "in a circle: `b` from `c` from `b`"),
        ({"a": "b", "b": "c"}, ""),
    ],
)
def test_nobody_borrows_facts_in_a_circle(world: World, lenders: dict[str, str], said: str) -> None:
    """From itself, or from each other: one problem of the project file, with its place. A chain is none: each borrows
    what was probed on the next one's account.
    """
    lines = [
        f"  {name}: {{url: 'emulator:{name}.db'{f', facts: {lenders[name]}' if name in lenders else ''}}}"
        for name in ("a", "b", "c")
    ]
    world.write("\n".join(["version: 1", "environments:", *lines, "default_environment: a", ""]), "reconciler.yaml")
    world.write("tags: {}")
    ran = world.cli("plan")
    flat = " ".join(ran.err.split())
    assert (ran.code, said in flat, flat.count("[bad-facts]")) == ((3, True, 1) if said else (0, True, 0)), ran.text


def test_snapshots_are_read_whatever_is_known(world: World) -> None:
    """One that was taken before a probe, and one after it, hold the same requests: plans on them know every kind."""
    world.write(
        {**FIELD, "lists": {"news": {"name": "News", "sender_url": "https://acme.example", "sender_reminder": "x"}}}
    )
    world.apply()
    known = {"list_channels": "all", "field_groups": "members", "site_domains": "old"}
    assert world.cli("snapshot", "--out", "before.gz").code == 0
    write_facts(world, known)
    assert world.session().facts.known == known
    assert world.cli("snapshot", "--out", "after.gz").code == 0
    for name in ("before.gz", "after.gz"):
        ran = world.cli("plan", "--against", name, "--detailed-exitcode")
        assert ran.code == 0, ran.text
        assert world.cli("compare", "demo", name).code == 0


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_facts_fit_a_terminal_and_a_pipe(world: World, columns: str) -> None:
    """No line of `explain --facts` is wider than 80 columns, and every fact says what it is and where it comes from."""
    write_facts(world, {"option_bulk": "plural", "webhook_events": "11, those of the list only"})
    world.environ["COLUMNS"] = columns
    ran = world.cli("explain", "--facts")
    assert ran.code == 0
    assert max(map(len, ran.out.splitlines())) <= 80
    rows = json.loads(world.cli("explain", "--facts", "--format", "json").out)
    flat = " ".join(ran.out.split())
    assert all(f"{row['fact']}: " in flat and row["says"] in flat for row in rows)
    assert "option_bulk: plural; probe, 2026-01-01" in flat
