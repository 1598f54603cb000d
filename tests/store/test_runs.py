"""Run records, and the commands about states, locks and runs, on a small world."""

from __future__ import annotations

import datetime
import gc
import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.engine.verify import verify
from reconciler.model.document import ChangeView
from reconciler.workflow.apply import applying
from reconciler.workflow.opening.runtime import Runtime
from reconciler.workflow.state_versions import record
from tests.store.conftest import info
from tests.store.http_backend import http_backend
from tests.world import Killed, World

TAGS = "tags: {vip: {name: VIP}, gold: {name: Gold}}"


def test_each_apply_is_on_record(world: World) -> None:
    """The record says who did what with which result, and what was there before."""
    world.write(TAGS)
    world.apply()
    world.write("tags: {vip: {name: VIP, description: The best}}")
    world.apply()
    listed = json.loads(world.cli("runs", "list", "--format", "json").out)
    assert [(run["result"], run["added"], run["changed"], run["destroyed"]) for run in listed] == [
        ("complete", 0, 1, 1),
        ("complete", 2, 0, 0),
    ]
    shown = json.loads(world.cli("runs", "show", "latest", "--format", "json").out)
    steps = {step["address"]: step for step in shown["steps"]}
    assert (steps["tag.vip"]["action"], steps["tag.vip"]["result"]) == ("update", "done")
    assert steps["tag.vip"]["changed"] == ["description"]
    assert steps["tag.gold"]["before"]["name"] == "Gold"
    assert steps["tag.gold"]["binding"]["kind"] == "tag"
    assert "tag.gold" in world.cli("runs", "show").out


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_what_a_run_that_died_had_changed_is_no_drift_after_the_next(world: World, nth: int) -> None:
    """Changes that were taken without an answer are in the state after the next run, with the names of now: nothing of
    our own looks like the work of somebody else.
    """
    world.write("tags: {vip: {name: VIP}, gold: {name: Gold}}\nfield_groups: {facts: {label: Facts, object: deal}}")
    world.apply()
    world.write("tags: {vip: {name: Very}, gold: {name: Au}}\nfield_groups: {facts: {label: Data, object: deal}}")
    world.dies(nth, after=True)
    world.apply()
    assert world.plan().empty
    assert world.plan(refresh_only=True).lines == []
    names = {name for binding in world.state().resources.values() for name in binding.natural_key}
    assert {"Data", "Au", "Very"} < names


def test_a_run_that_died_shows_how_far_it_came(world: World) -> None:
    """Its record stays open; the journal says what was done, and the next apply says what it takes over."""
    world.write(TAGS)
    world.plan()
    reads = len(world.requests())
    world.kill(reads + 2, after=True)
    with pytest.raises(Killed):
        world.apply()
    world.revive()
    shown = json.loads(world.cli("runs", "show", "--format", "json").out)
    assert shown["result"] == "open"
    assert {step["result"] for step in shown["steps"]} <= {"open", "done"}
    ran = world.cli("runs", "resume", "--auto-approve")
    assert ran.code == 0, ran.text
    assert "Resuming" in ran.text
    assert "interrupted" in ran.text or "left creates open" in ran.text
    assert world.plan().empty
    assert sorted(row["tag"] for row in world.rows("tags")) == ["Gold", "VIP"]
    assert "nothing to resume" in world.cli("runs", "resume").text


def test_an_object_is_bound_among_the_commands_of_the_state(world: World) -> None:
    """`state import` is `import`; before there is a state, its history says so."""
    assert "no state yet" in world.cli("state", "history").err
    world.write(TAGS)
    world.apply()
    world.cli("state", "rm", "tag.vip")
    assert world.cli("state", "import", "tag.vip", world.rows("tags", tag="VIP")[0]["id"]).code == 0
    assert world.plan().document.summary.adopt == 0


def test_two_that_a_lost_create_may_have_made_are_named_once_with_what_settles_it(world: World) -> None:
    """Both ids and both commands; one of them, and the next run goes on."""
    world.write("tags: {vip: {name: VIP}}")
    world.dies(1, after=True)
    world.account.seed({"tags": [{"id": "7", "tag": "VIP", "tagType": "contact", "description": ""}]})
    said = world.cli("apply", "--auto-approve").err
    assert said.count("ids 1 and 7") == 1
    assert "`reconciler import tag.vip 1` or `reconciler import tag.vip 7`" in said
    assert world.cli("import", "tag.vip", "7").code == 0
    world.apply()
    assert world.plan().empty
    assert world.state().resources["tag.vip"].id == "7"


def test_the_last_run_is_the_last_whatever_the_clock_says(world: World) -> None:
    """Runs of one second, and runs after the clock was set back, are listed in their order."""
    noon = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
    world.write(TAGS)
    moments = [noon, noon, noon - datetime.timedelta(hours=1)]
    tokens = iter("fedcba987654")
    runtime = Runtime({}, lambda: now, lambda: next(tokens) * 16)
    for number, now in enumerate(moments):  # noqa: B007 - the clock reads it
        record(replace(world.session(), runtime=runtime), "restore", f"run {number}")
    listed = json.loads(world.cli("runs", "list", "--format", "json").out)
    shown = [json.loads(world.cli("runs", "show", row["run"], "--format", "json").out) for row in listed]
    assert [run["notes"] for run in shown] == [["run 2"], ["run 1"], ["run 0"]]


def test_versions_are_listed_and_brought_back(world: World) -> None:
    """`state restore` makes an earlier version the present one, under a new serial; nothing is sent to the account."""
    world.write(TAGS)
    world.apply()
    before = world.state().resources
    world.cli("state", "rm", "tag.*")
    listed = json.loads(world.cli("state", "history", "--format", "json").out)
    assert [(one["resources"], one["current"]) for one in listed][-2:] == [(2, False), (0, True)]
    world.forget()
    ran = world.cli("state", "restore", str(listed[-2]["serial"]))
    assert ran.code == 0, ran.text
    assert world.requests() == []
    assert world.state().resources == before
    assert world.plan().empty
    missing = world.cli("state", "restore", "999")
    assert missing.code == 3
    assert "kept are" in missing.text


def test_a_damaged_state_is_brought_back_from_the_history(world: World) -> None:
    """The message names the version to restore; the damaged one is kept beside."""
    world.write(TAGS)
    world.apply()
    world.cli("state", "mv", "tag.gold", "tag.silver")
    state = world.folder / "state/demo.json"
    state.write_text(state.read_text("utf-8")[:100], "utf-8")
    broken = world.cli("plan")
    assert broken.code == 1
    assert "corrupt" in broken.err
    serial = broken.err.partition("state restore ")[2].partition("`")[0]
    assert world.cli("state", "restore", serial).code == 0
    assert sorted(world.state().resources) == ["tag.gold", "tag.vip"]
    newest = json.loads(world.cli("runs", "list", "--format", "json").out)[0]
    assert newest["operation"] == "state restore"


def test_each_damaged_state_is_kept(world: World) -> None:
    """`state history` lists what can be restored also while the state is damaged; a second damage does not overwrite
    what was kept of the first, and no serial is given twice.
    """
    world.write(TAGS)
    world.apply()
    state = world.folder / "state/demo.json"
    serials = [world.state().serial]
    for damage in ("first", "second"):
        state.write_text(damage, "utf-8")
        listed = json.loads(world.cli("state", "history", "--format", "json").out)
        assert "corrupt" in listed[-1]["problem"]
        assert "corrupt" in world.cli("state", "history").out
        assert world.cli("state", "restore", str(listed[0]["serial"])).code == 0
        serials.append(world.state().serial)
    kept = sorted((world.folder / "state/demo.json.unreadable").iterdir())
    assert [path.read_text("utf-8") for path in kept] == ["first", "second"]
    assert len(set(serials)) == 3


def test_a_state_of_a_newer_version_is_not_restored_over(world: World) -> None:
    """Whoever wrote it knows more than this version; it is not damaged."""
    world.write(TAGS)
    world.apply()
    world.cli("state", "rm", "tag.gold")
    state = world.folder / "state/demo.json"
    newer = json.dumps({**json.loads(state.read_text("utf-8")), "format_version": 99})
    state.write_text(newer, "utf-8")
    refused = world.cli("state", "restore", "1")
    assert refused.code == 1
    assert "install a version" in refused.err
    assert state.read_text("utf-8") == newer


def test_a_damaged_journal_says_what_to_do(world: World) -> None:
    """The message names the document, and that the objects are found again without it."""
    world.write(TAGS)
    world.apply()
    (world.folder / "state/demo.json.journal").write_text('nonsense\n{"op":"end"}\n', "utf-8")
    refused = world.cli("plan")
    assert (refused.code, "line 1 of `journal`" in refused.err) == (1, True)
    assert "move it away" in refused.err


def test_what_a_later_version_wrote_is_not_carried_out(world: World) -> None:
    """A run of a later format is not undone by halves, and an object of an unknown kind is told as that."""
    world.write(TAGS)
    world.apply()
    (record,) = (world.folder / "state").glob("*.runs/*.json")
    content = json.loads(record.read_text("utf-8"))
    record.write_text(json.dumps({**content, "format_version": "2.0"}), "utf-8")
    before = world.rows("tags")
    for words in (["undo", "--auto-approve", "--allow", "empty_configuration"], ["runs", "show", record.stem]):
        refused = world.cli(*words)
        assert (refused.code, "has format 2.0; this program reads 1.0" in refused.err) == (1, True), refused.err
    assert world.rows("tags") == before
    state = world.folder / "state/demo.json"
    content = json.loads(state.read_text("utf-8"))
    content["resources"]["webinar.x"] = {**next(iter(content["resources"].values())), "kind": "webinar"}
    state.write_text(json.dumps(content), "utf-8")
    record.unlink()
    refused = world.cli("explain", "webinar.x")
    assert (refused.code, "knows no kind `webinar`" in refused.err) == (3, True), refused.err
    examined = world.cli("state", "doctor", "--format", "json")
    told = [
        row["advice"] for row in json.loads(examined.out) if row["problem"] == "this version knows no kind `webinar`"
    ]
    assert [f"hint: {advice}" in refused.err for advice in told] == [True], examined.text


def test_a_state_is_pulled_and_pushed(world: World) -> None:
    """What was pulled can be pushed: over its own lineage and account only, never an older one without --force."""
    world.write(TAGS)
    world.apply()
    pulled = world.cli("state", "pull").out
    world.write(pulled, "old.json")
    assert world.cli("state", "push", str(world.folder / "old.json")).code == 0
    older = world.cli("state", "push", str(world.folder / "old.json"))
    assert older.code == 1
    assert "is older" in older.err
    assert world.cli("state", "push", "--force", str(world.folder / "old.json")).code == 0
    content = json.loads(pulled)
    world.write(json.dumps({**content, "lineage": "another", "serial": 99}), "foreign.json")
    assert "another lineage" in world.cli("state", "push", str(world.folder / "foreign.json")).err
    world.write(json.dumps({**content, "account": "other.example", "serial": 99}), "foreign.json")
    assert "belongs to other.example" in world.cli("state", "push", "--force", str(world.folder / "foreign.json")).err
    assert world.plan().empty


def test_what_an_interrupted_run_recorded_is_in_the_history(world: World) -> None:
    """A state that was pulled before is older than it; a restore puts it into a version of its own first."""
    world.write("tags: {vip: {name: VIP}}")
    world.apply()
    world.write(world.cli("state", "pull").out, "old.json")
    world.write(TAGS)
    world.dies(1, after=True)
    recorded = world.session().store.journal()
    assert recorded
    older = world.cli("state", "push", str(world.folder / "old.json"))
    assert (older.code, "is older" in older.err) == (1, True), older.text
    first = json.loads(world.cli("state", "history", "--format", "json").out)[-2]["serial"]
    assert world.cli("state", "restore", str(first)).code == 0
    kept = [world.session().store.version(one.serial) for one in world.session().store.history()]
    assert any(state and ("tag.gold" in state.resources or "tag.gold" in state.intents) for state in kept)


def test_a_state_moves_to_another_backend(world: World) -> None:
    """`state migrate` takes history and run records along, and refuses a place that is taken."""
    world.write(TAGS)
    world.apply()
    world.write("tags: {vip: {name: VIP}}")
    world.apply()
    runs = world.cli("runs", "list", "--format", "json").out
    ran = world.cli("state", "migrate", "--to", "sqlite:state/all.sqlite")
    assert ran.code == 0, ran.text
    assert "already" in world.cli("state", "migrate", "--to", "sqlite:state/all.sqlite").err
    project = (world.folder / "reconciler.yaml").read_text("utf-8")
    world.write(project.replace("account.db\n", "account.db\n    state: sqlite:state/all.sqlite\n"), "reconciler.yaml")
    assert world.plan().empty
    assert world.cli("runs", "list", "--format", "json").out == runs
    assert len(json.loads(world.cli("state", "history", "--format", "json").out)) >= 3


def test_a_migration_that_was_cut_off_is_gone_on_with(world: World) -> None:
    """What it left is an older version; the second try brings the rest. A password in the URL is not printed."""
    world.write(TAGS)
    world.apply()
    world.write("tags: {vip: {name: VIP}}")
    world.apply()
    session = world.session()
    first = session.store.version(session.store.history()[0].serial)
    assert first is not None
    target = session.store_at("sqlite:state/all.sqlite")
    target.write(first, expected_serial=None)
    assert world.cli("state", "migrate", "--to", "sqlite:state/all.sqlite").code == 0
    copied = target.read()
    assert copied is not None
    assert copied.resources == world.state().resources
    assert list(target.run_names()) == list(session.store.run_names())
    target.write(copied.model_copy(update={"serial": copied.serial + 1}), expected_serial=copied.serial)
    assert "already" in world.cli("state", "migrate", "--to", "sqlite:state/all.sqlite").err


def test_the_password_of_a_new_place_is_not_printed(world: World) -> None:
    """The advice after a migration shows where, and not the password."""
    world.write(TAGS)
    world.apply()
    with http_backend() as server:
        server.password = "geheim"
        url = f"{server.url.replace('http://', 'http://ci:geheim@')}/states/prod"
        ran = world.cli("state", "migrate", "--to", url)
    assert ran.code == 0, ran.text
    assert "geheim" not in ran.text
    assert "ci:***@127.0.0.1" in ran.err


def test_moves_in_the_state_take_nested_objects_along(world: World) -> None:
    """As `moved:` does; a place that is taken, or no address, is refused and nothing moves."""
    world.write(
        "pipelines: {sales: {title: Sales, currency: usd, stages: {won: {title: Won}}}}\ntags: {vip: {name: VIP}}"
    )
    world.apply()
    assert world.cli("state", "mv", "pipeline.sales", "pipeline.crm").code == 0
    assert sorted(world.state().resources) == ["pipeline.crm", "stage.crm.won", "tag.vip"]
    world.cli("state", "mv", "tag.vip", "tag.gold")
    for wrong, said in [
        ("nonsense", "is not an address"),
        ("tag.", "is not an address"),
        ("tag.a b", "cannot be a key"),
        ("list.gold", "different kinds"),
        ("tag.gold", "in the state already"),
    ]:
        refused = world.cli("state", "mv", "tag.gold", wrong)
        assert (refused.code, said in refused.err) == (3, True), refused.text
    assert sorted(world.state().resources) == ["pipeline.crm", "stage.crm.won", "tag.gold"]


def test_the_doctor_says_that_there_is_no_state(world: World) -> None:
    """A URL with a slip of the pen is no sound state."""
    ran = world.cli("state", "doctor")
    assert (ran.code, ran.out.startswith("There is no state at ")) == (0, True)


def test_what_is_pushed_and_no_state_is_told_as_that(world: World) -> None:
    """In a whole sentence; nothing is written."""
    world.write('{"version": 4}', "terraform.json")
    ran = world.cli("state", "push", str(world.folder / "terraform.json"))
    assert (ran.code, "the state that is pushed is not a state of this program" in " ".join(ran.err.split())) == (
        3,
        True,
    )


def test_the_doctor_finds_what_is_not_as_the_state_says(world: World) -> None:
    """A missing object, a reused id and an address too many have a line each with what to do; a sound state none."""
    world.write(TAGS)
    world.apply()
    sound = world.cli("state", "doctor")
    assert (sound.code, "sound" in sound.out) == (0, True)
    state = json.loads((world.folder / "state/demo.json").read_text("utf-8"))
    state["resources"]["tag.twin"] = state["resources"]["tag.vip"]
    state["resources"]["tag.gone"] = {**state["resources"]["tag.gold"], "id": "4711"}
    state["resources"]["tag.gold"]["created"] = "2001-01-01T00:00:00-06:00"
    (world.folder / "state/demo.json").write_text(json.dumps(state), "utf-8")
    world.forget()
    ran = world.cli("state", "doctor", "--format", "json")
    assert ran.code == 1
    found = {row["address"]: row for row in json.loads(ran.out)}
    assert sorted(found) == ["tag.gold", "tag.gone", "tag.twin", "tag.vip"]
    assert "no more" in found["tag.gone"]["problem"]
    assert "another object" in found["tag.gold"]["problem"]
    assert "same object" in found["tag.twin"]["problem"]
    assert all(row["advice"] for row in found.values())
    assert world.writes() == []


def test_a_broken_lock_is_on_record(world: World) -> None:
    """`lock list` names the holder, `lock break` frees the lock, and `runs list` knows of it."""
    world.write(TAGS)
    world.apply()
    session = world.session()
    with session.store.lock(info("jane", "apply")) as hold:
        held = json.loads(world.cli("lock", "list", "--format", "json").out)
        assert [row["owner"] for row in held] == ["jane"]
        world.write("tags: {vip: {name: VIP}}")
        refused = world.cli("apply", "--auto-approve")
        assert refused.code == 8
        assert "jane on host" in refused.err
        assert world.cli("plan").code == 0, "a plan takes no lock"
        assert world.cli("lock", "break", "wrong", "--auto-approve").code == 3
        assert world.cli("lock", "break", "id-jane", "--auto-approve").code == 0
        assert json.loads(world.cli("lock", "list", "--format", "json").out) == []
    newest = json.loads(world.cli("runs", "list", "--format", "json").out)[0]
    assert newest["operation"] == "lock break"
    with world.session().store.lock(info("joe", "apply")) as next_:
        assert next_.fence > hold.fence + 1, "the break is a generation of its own"


def test_an_account_of_the_emulator_that_cannot_be_opened_is_told(world: World) -> None:
    """The file is named; it is no mistake in the program."""
    world.write(TAGS)
    world.write("no database at all", "state/other.db")
    project = (world.folder / "reconciler.yaml").read_text("utf-8")
    world.write(project.replace("account.db", "other.db"), "reconciler.yaml")
    ran = world.cli("plan")
    assert (ran.code, "other.db cannot be opened" in ran.err) == (3, True), ran.text


def test_a_run_that_died_after_its_last_step_is_closed(world: World) -> None:
    """Everything was done, only the end was not written: the next apply says so and closes the journal."""
    world.write("tags: {vip: {name: VIP}}")
    world.plan()
    reads = len(world.requests())
    world.kill(reads + 2, after=False)
    with pytest.raises(Killed):
        world.apply()
    world.revive()
    assert world.session().store.journal()
    ran = world.cli("apply", "--auto-approve")
    assert "The results of an interrupted run are recorded in the state now." in ran.err
    assert not world.session().store.journal()
    assert world.cli("apply", "--auto-approve").err == ""


@pytest.mark.parametrize("saved", [False, True])
def test_an_apply_of_a_command_keeps_no_document_while_it_writes(
    world: World, monkeypatch: pytest.MonkeyPatch, saved: bool
) -> None:
    """It is a sixth of the memory of 10,000 creates; what the command says at the end does not need it, nor does the
    record of the run.
    """
    world.write(f"tags: {{{', '.join(f't{number}: {{}}' for number in range(5))}}}\n")
    world.apply()
    world.write("tags: {t1: {description: Changed}, t9: {}}\n")
    if saved:
        assert world.cli("plan", "--out", "plan.json").code == 0
    held: list[int] = []

    def views() -> int:
        return sum(type(each) is ChangeView for each in gc.get_objects())

    async def counting(*given: Any) -> Any:
        held.append(views())
        return await verify(*given)

    monkeypatch.setattr(applying, "verify", counting)
    gc.collect()
    before = views()
    ran = world.cli("apply", *(["plan.json"] if saved else ["--auto-approve"]))
    assert (ran.code, held) == (0, [before]), ran.err
    assert "1 added, 1 changed, 4 destroyed" in ran.out
    assert len(json.loads(world.cli("runs", "show", "--format", "json").out)["steps"]) == 6
