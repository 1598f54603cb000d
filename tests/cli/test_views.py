"""Several views of one run, annotations that hosts can place, and applies as streams of events."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from reconciler.model.events import Finished, Waiting
from reconciler.model.summary import ApplySummary
from reconciler.render.stream import EventStream
from reconciler.workflow.opening import runtime
from tests.world import World
from tests.world.clock import run


@pytest.fixture(autouse=True)
def _here(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in the project, whichever folder that is."""
    monkeypatch.chdir(world.folder)
    world.write("tags: {vip: {}, old: {}}")


def test_one_run_writes_every_view_and_prints_one(world: World) -> None:
    """Files get their view, standard output gets the one without a file, and all tell of the same plan."""
    forms = ("text", "markdown", "html", "sarif", "github", "gitlab")
    ran = world.cli("plan", *(f"--format={form}=out/{form}" for form in forms), "--format", "json")
    document = json.loads(ran.out)
    assert sorted(path.name for path in (world.folder / "out").iterdir()) == sorted(forms)
    for form in ("text", "markdown", "html"):
        assert document["digest"] in (world.folder / "out" / form).read_text("utf-8")
    assert world.requests() == ["GET /tags"]


def test_text_goes_to_the_terminal_when_every_view_has_a_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline's log shows the plan even though its files are for others; files are never coloured."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    ran = world.cli("plan", "--format", "text=plan.txt")
    assert "Plan: 2 to add" in ran.out
    assert "\x1b[" in ran.out
    assert "\x1b[" not in (world.folder / "plan.txt").read_text("utf-8")


def test_the_markdown_of_a_saved_plan_says_how_to_apply_it(world: World) -> None:
    """The command stands under the plan, quoted for a shell."""
    ran = world.cli("plan", "--out", "my plan.json", "--format", "markdown")
    assert "reconciler apply 'my plan.json'" in ran.out


def test_annotations_have_paths_from_the_root_of_the_repository(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts resolve paths from the repository's root, wherever in it the project is."""
    project = world.folder / "accounts" / "acme"
    (world.folder / ".git").mkdir()
    project.mkdir(parents=True)
    (project / "config").mkdir()
    (project / "reconciler.yaml").write_text((world.folder / "reconciler.yaml").read_text("utf-8"), "utf-8")
    (project / "config" / "main.yaml").write_text("tags: {vip: {nam: x}}", "utf-8")
    ran = world.cli("validate", "--format", "github", folder=project)
    assert ran.code == 3
    assert "file=accounts/acme/config/main.yaml,line=1" in ran.out
    log = json.loads(world.cli("validate", "--format", "sarif", folder=project).out)
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "accounts/acme/config/main.yaml"
    report = json.loads(world.cli("validate", "--format", "gitlab", folder=project).out)
    assert report[0]["location"]["path"] == "accounts/acme/config/main.yaml"


def test_a_refusing_guard_is_an_annotation(world: World) -> None:
    """What stops a plan is shown beside the source that asks for it, and the exit code stays that of the plan."""
    assert world.cli("apply", "--auto-approve").code == 0
    world.write("tags: {}")
    ran = world.cli("plan", "--format", "github", "--format", "sarif=plan.sarif")
    assert ran.code == 7
    assert "::error file=reconciler.yaml,line=1" in ran.out
    results = json.loads((world.folder / "plan.sarif").read_text("utf-8"))["runs"][0]["results"]
    assert {result["level"] for result in results} == {"error"}


def test_drift_is_a_test_report(world: World) -> None:
    """Each managed object is a test case; the one that was changed by hand fails."""
    assert world.cli("apply", "--auto-approve").code == 0
    tag = world.rows("tags", tag="vip")[0]
    world.account.rows.put("tags", tag["id"], {**tag, "tag": "renamed by hand"})
    ran = world.cli("drift", "--format", "junit=drift.xml", "--detailed-exitcode")
    assert ran.code == 2
    suite = ET.fromstring((world.folder / "drift.xml").read_text("utf-8"))
    failed = [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None]
    assert (suite.get("tests"), failed) == ("2", ["tag.vip"])


def test_an_apply_is_a_stream_of_json(world: World) -> None:
    """Every line of standard output is JSON: the plan, each event, the outcome. Progress for people is not mixed in."""
    ran = world.cli("apply", "--auto-approve", "--json")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [line["event"] for line in lines] == ["planned", "started", "started", "finished", "finished", "ended"] or [
        line["event"] for line in lines
    ] == ["planned", "started", "finished", "started", "finished", "ended"]
    assert lines[0]["summary"]["add"] == 2
    assert {line["address"] for line in lines if line["event"] == "finished"} == {"tag.vip", "tag.old"}
    assert (lines[-1]["complete"], lines[-1]["added"], lines[-1]["requests"]) == (True, 2, 3)
    assert ran.err == ""


def test_a_stream_of_nothing_to_do_begins_and_ends(world: World) -> None:
    """Who reads the stream sees the same two lines as ever."""
    assert world.cli("apply", "--auto-approve").code == 0
    ran = world.cli("apply", "--auto-approve", "--json")
    assert [json.loads(line)["event"] for line in ran.out.splitlines()] == ["planned", "ended"]
    assert ran.code == 0


def test_a_refused_stream_says_what_refuses(world: World) -> None:
    """One line with the guards, the exit code of a refusal, and no write."""
    assert world.cli("apply", "--auto-approve").code == 0
    world.write("tags: {}")
    world.forget()
    for saved in (False, True):
        if saved:
            assert world.cli("plan", "--out", "p.json").code == 7
        ran = world.cli("apply", *(["p.json"] if saved else ["--auto-approve"]), "--json")
        [line] = [json.loads(line) for line in ran.out.splitlines()]
        assert (ran.code, line["event"]) == (7, "refused")
        assert [guard["name"] for guard in line["guards"]] == ["empty_configuration"]
    assert world.writes() == []


def test_a_saved_plan_streams_too(world: World) -> None:
    """`apply FILE --json` asks nothing anyway."""
    assert world.cli("plan", "--out", "p.json").code == 0
    ran = world.cli("apply", "p.json", "--json")
    assert json.loads(ran.out.splitlines()[-1])["complete"] is True
    again = world.cli("apply", "p.json", "--json")
    assert (again.code, again.out) == (6, "")


def test_only_the_approved_digest_is_applied(world: World, tmp_path: Path) -> None:
    """`apply FILE --digest` does the plan of that digest and no other."""
    assert world.cli("plan", "--out", "p.json").code == 0
    digest = json.loads((world.folder / "p.json").read_text("utf-8"))["digest"]
    world.forget()
    assert world.cli("apply", "p.json", "--digest", "0" * 64).code == 6
    assert world.requests() == []
    assert world.cli("apply", "p.json", "--digest", digest.upper()).code == 0


def test_a_long_silence_is_broken_by_heartbeats() -> None:
    """After ten seconds without an event a line says that the run is alive, and how far it is."""
    now = [0.0]
    out = io.StringIO()
    stream = EventStream(out, total=3, clock=lambda: now[0])
    stream(Finished(1, "tag.vip", "create", 0.2, "1"))
    for now[0] in (5.0, 9.9, 10.0, 15.0, 20.0):
        stream.beat()
    stream(Waiting("rate limited by the account", 12.0))
    now[0] = 25.0
    stream.beat()
    stream.ended(ApplySummary(added=1))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["event"], line["elapsed"]) for line in lines] == [
        ("finished", 0.0),
        ("heartbeat", 10.0),
        ("heartbeat", 20.0),
        ("waiting", 20.0),
        ("ended", 25.0),
    ]
    assert (lines[1]["over"], lines[1]["total"]) == (1, 3)


def test_a_long_wait_says_what_it_waits_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate limit is named with the seconds until the run goes on; `--quiet` says nothing of it."""
    monkeypatch.setattr(runtime, "run_async", run)
    for quiet in (False, True):
        world.fault("rate_limited", "GET /tags", seconds=12)
        ran = world.cli("plan", *(["--quiet"] if quiet else []))
        assert ran.code == 0
        assert ("Waiting: rate limited by the account, resuming in 12 s" in ran.err) is not quiet
