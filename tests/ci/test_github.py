"""The way of a change through GitHub, end to end on loopback: what is right passes, what is bent does not."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ci.github import LONGEST, REPOSITORY, GitHub, github
from tests.ci.serving import Answer, Call, serving
from tests.world import Ran, World
from tests.world.project import PROJECT

pytestmark = pytest.mark.socket
TAGS = "tags: {vip: {}, old: {}}"
CANARIES = ("canary", "@acme.example", "workflow-token", "jane-token")


@dataclass
class Flow:
    """A repository with a project and an account, and the steps of its workflows."""

    world: World
    host: GitHub
    monkeypatch: pytest.MonkeyPatch

    def git(self, *arguments: str) -> str:
        """Run git in the project."""
        identity = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.world.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, branch: str | None = None) -> str:
        """Commit everything, on a new branch or the one that is checked out, and return the commit."""
        if branch is not None:
            self.git("checkout", "--quiet", "-B", branch)
        self.git("add", "--all", "config", "reconciler.yaml")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def event(self, **variables: str) -> None:
        """Set what a workflow run finds in its environment."""
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def planned(self, number: int, *more: str) -> Ran:
        """Do what the workflow of a pull request does: plan under the guards of main, comment, keep the plan."""
        self.event(GITHUB_REF=f"refs/pull/{number}/merge")
        ran = self.world.cli("plan", "--guards-from", "main", "--out", "plan.json", *more)
        commented = self.world.cli("ci", "comment", "plan.json")
        assert commented.code == 0, commented.text
        head = self.host.pulls[number]["head"]["sha"]
        self.host.upload("reconciler-plan-demo", head, {"plan.json": self.plan.read_bytes()})
        return ran

    @property
    def plan(self) -> Path:
        """The plan file."""
        return self.world.folder / "plan.json"

    @property
    def digest(self) -> str:
        """Its digest."""
        found: str = json.loads(self.plan.read_text("utf-8"))["digest"]
        return found

    def line(self) -> str:
        """The line that approves the plan."""
        return f"reconciler approve demo {self.digest}"

    def merge(self, number: int) -> None:
        """Somebody merges; the workflow of the push begins."""
        self.host.merge(number, f"{number:040x}")
        self.event(GITHUB_REF="refs/heads/main", GITHUB_SHA=f"{number:040x}")
        self.plan.unlink(missing_ok=True)

    def applied(self) -> list[Ran]:
        """Do what the workflow of a merge does, up to the first step that fails: fetch, check, apply."""
        steps = [self.world.cli("ci", "fetch", "reconciler-plan-demo")]
        if steps[-1].code == 0:
            steps.append(self.world.cli("ci", "approved", "plan.json"))
        if steps[-1].code == 0:
            digest = steps[-1].out.strip()
            steps.append(self.world.cli("apply", "plan.json", "--digest", digest, "--guards-from", "main"))
        return steps


@pytest.fixture
def flow(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    """A repository whose main branch declares two tags, applied; pull request 1 is opened by joe."""
    monkeypatch.chdir(world.folder)
    for name in ("GITLAB_CI", "CI_API_V4_URL", "GITHUB_EVENT_PATH"):
        monkeypatch.delenv(name, raising=False)
    with github() as host:
        made = Flow(world, host, monkeypatch)
        made.event(GITHUB_API_URL=host.url, GITHUB_REPOSITORY=REPOSITORY, GITHUB_TOKEN="workflow-token")
        world.write(TAGS)
        world.write("state/\nplan.json\n", ".gitignore")
        made.git("init", "--quiet", "--initial-branch", "main")
        made.commit()
        assert world.cli("apply", "--auto-approve").code == 0
        yield made


def open_pull(flow: Flow, config: str = "tags: {vip: {}, old: {}, new: {}}", number: int = 1) -> None:
    """Joe opens a pull request that changes the configuration."""
    flow.world.write(config)
    flow.host.open_pull(number, "joe", flow.commit(f"change-{number}"))


def _unwrapped(text: str) -> str:
    """Return what a terminal shows as one line."""
    return " ".join(text.split())


def test_what_was_approved_is_applied(flow: Flow) -> None:
    """Plan, comment, approve, merge, apply: exactly the plan that was reviewed, without a question."""
    open_pull(flow)
    assert flow.planned(1).code == 0
    [comment] = flow.host.comments
    assert comment["user"]["login"] == "github-actions[bot]"
    assert flow.line() in comment["body"]
    flow.host.review(1, "jane", f"Looks good.\n\n{flow.line()}\n")
    flow.merge(1)
    steps = flow.applied()
    assert [step.code for step in steps] == [0, 0, 0], steps[-1].text
    assert "Approved by jane on request 1." in steps[1].err
    assert flow.world.rows("tags", tag="new")


def test_the_comment_is_updated_in_place(flow: Flow) -> None:
    """However often somebody pushes, there is one comment, and it shows the newest plan."""
    open_pull(flow)
    flow.planned(1)
    first = flow.digest
    flow.world.write("tags: {vip: {}, old: {}, newer: {}}")
    flow.host.push(1, flow.commit())
    flow.planned(1)
    [comment] = flow.host.comments
    assert first not in comment["body"]
    assert flow.digest in comment["body"]
    assert "tag.newer" in comment["body"]


def test_an_unchanged_comment_costs_no_write(flow: Flow) -> None:
    """The same plan again reads and writes nothing."""
    open_pull(flow)
    flow.planned(1)
    flow.host.calls.clear()
    assert flow.world.cli("ci", "comment", "plan.json").code == 0
    assert {call.method for call in flow.host.calls} == {"GET"}


def test_each_environment_and_project_has_a_comment_of_its_own(flow: Flow) -> None:
    """One pull request shows the plan of every environment that it changes."""
    project = PROJECT.replace("default_environment", "  other:\n    url: emulator:state/other.db\ndefault_environment")
    flow.world.write(project, "reconciler.yaml")
    open_pull(flow)
    flow.planned(1)
    assert flow.world.cli("plan", "--env", "other", "--out", "other.json").code == 0
    assert flow.world.cli("ci", "comment", "other.json").code == 0
    assert len(flow.host.comments) == 2
    assert flow.world.cli("ci", "comment", "other.json").code == 0
    assert len(flow.host.comments) == 2


def test_a_comment_of_somebody_else_is_never_taken_over(flow: Flow) -> None:
    """Who plants a comment with our mark could change what the plan seems to say; we write our own beside it."""
    open_pull(flow)
    flow.planned(1)
    planted = flow.host.write_comment(1, "eve", flow.host.comments[0]["body"])
    flow.host.comments = [planted]
    assert flow.world.cli("ci", "comment", "plan.json").code == 0
    assert [row["user"]["login"] for row in flow.host.comments] == ["eve", "github-actions[bot]"]


def test_twins_of_a_race_are_removed(flow: Flow) -> None:
    """Two runs at once may both comment; the next one leaves one comment."""
    open_pull(flow)
    flow.planned(1)
    flow.host.write_comment(1, "github-actions[bot]", flow.host.comments[0]["body"])
    assert flow.world.cli("ci", "comment", "plan.json").code == 0
    assert len(flow.host.comments) == 1


def test_a_comment_is_found_behind_many_others(flow: Flow) -> None:
    """Listings have pages of 100; the comment on the third is updated, not written again."""
    open_pull(flow)
    for index in range(230):
        flow.host.write_comment(1, "max", f"remark {index}")
    flow.planned(1)
    flow.planned(1)
    assert len(flow.host.comments) == 231


def test_a_huge_plan_is_cut_below_the_hosts_limit(flow: Flow) -> None:
    """GitHub refuses comments of more than 65,536 characters; what does not fit is counted."""
    open_pull(flow, "tags: {" + ", ".join(f"t{n}: {{description: {'x' * 100}}}" for n in range(1200)) + "}")
    ran = flow.planned(1, "--allow", "max_deletes=2", "--no-impact")
    assert ran.code in (0, 7)
    [comment] = flow.host.comments
    assert len(comment["body"]) < LONGEST
    assert "not shown" in comment["body"]
    assert flow.digest in comment["body"]


# --- what is bent ----------------------------------------------------------------------------------------------------


def test_a_plan_that_nobody_approved_is_not_applied(flow: Flow) -> None:
    """A merge alone is no approval of the digest, and neither is a review without it."""
    open_pull(flow)
    flow.planned(1)
    flow.host.review(1, "jane", "Looks good!")
    flow.merge(1)
    steps = flow.applied()
    assert steps[-1].code == 7
    assert "0 of 1 approvals" in steps[-1].err
    assert not flow.world.rows("tags", tag="new")


def test_a_flipped_byte_is_refused(flow: Flow) -> None:
    """An approved plan with one byte changed is not that plan, whether or not its digest was made to fit."""
    open_pull(flow)
    flow.planned(1)
    flow.host.review(1, "jane", flow.line())
    good = flow.plan.read_text("utf-8")
    flow.merge(1)
    for bent in (good.replace('"new"', '"nev"'), _resealed(good.replace('"new"', '"nev"'))):
        flow.host.artifacts.clear()
        flow.host.upload("reconciler-plan-demo", flow.host.pulls[1]["head"]["sha"], {"plan.json": bent.encode()})
        assert flow.applied()[-1].code in (6, 7)
    assert flow.world.writes().count("POST /tags") == 2
    flow.host.artifacts.clear()
    flow.host.upload("reconciler-plan-demo", flow.host.pulls[1]["head"]["sha"], {"plan.json": good.encode()})
    assert flow.applied()[-1].code == 0


def _resealed(text: str) -> str:
    from reconciler.model.document import digest

    content = json.loads(text)
    return json.dumps({**content, "digest": digest(content)})


def test_an_old_approval_is_no_approval_of_the_new_plan(flow: Flow) -> None:
    """What was approved before another push counts no more: neither for the new plan, nor with the old one replayed."""
    open_pull(flow)
    flow.planned(1)
    old = flow.plan.read_bytes()
    flow.host.review(1, "jane", flow.line())
    flow.world.write("tags: {vip: {}, old: {}, worse: {}}")
    flow.host.push(1, flow.commit())
    flow.planned(1)
    new = flow.plan.read_bytes()
    flow.merge(1)
    refused = flow.applied()[-1]
    assert (refused.code, "jane approved another plan" in refused.err) == (7, True)
    flow.host.upload("reconciler-plan-demo", flow.host.pulls[1]["head"]["sha"], {"plan.json": old})
    replayed = flow.applied()[-1]
    assert (replayed.code, "before the newest commit" in replayed.err) == (7, True)
    assert new != old
    assert not flow.world.rows("tags", tag="worse")


def test_an_approval_of_another_request_is_no_approval_of_this_one(flow: Flow) -> None:
    """The plan of an approved pull request, put into another one, is refused; applied twice it is stale anyway."""
    open_pull(flow)
    flow.planned(1)
    approved = flow.plan.read_bytes()
    flow.host.review(1, "jane", flow.line())
    flow.merge(1)
    assert flow.applied()[-1].code == 0
    open_pull(flow, "tags: {vip: {}}", number=2)
    flow.planned(2)
    flow.merge(2)
    flow.host.upload("reconciler-plan-demo", flow.host.pulls[2]["head"]["sha"], {"plan.json": approved})
    assert flow.applied()[-1].code == 7
    again = flow.world.cli("apply", "plan.json", "--digest", flow.digest)
    assert (again.code, "applied already" in again.err) == (6, True)


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ("joe", "opened the request"),
        ("eve", "may not write"),
        ("stranger", "may not write"),
        ("github-actions[bot]", "0 of 1"),
    ],
)
def test_only_others_who_may_write_approve(flow: Flow, person: str, why: str) -> None:
    """The author cannot approve, nor can somebody who may only read, nor a workflow of the request."""
    open_pull(flow)
    flow.planned(1)
    flow.host.review(1, person, flow.line())
    flow.merge(1)
    refused = flow.applied()[-1]
    assert (refused.code, why in refused.err) == (7, True)


def test_a_request_for_changes_stops_an_approved_plan(flow: Flow) -> None:
    """One who may write says no: the plan waits until the same person says yes; a dismissed review counts no more."""
    open_pull(flow)
    flow.planned(1)
    flow.host.review(1, "jane", flow.line())
    flow.host.review(1, "eve", "I would rather not", "CHANGES_REQUESTED")
    flow.host.review(1, "max", "No.", "CHANGES_REQUESTED")
    flow.merge(1)
    refused = flow.applied()[-1]
    assert (refused.code, "max asks for changes" in refused.err) == (7, True)
    flow.host.reviews[-1]["state"] = "DISMISSED"
    assert flow.applied()[-1].code == 0


def test_as_many_approvals_as_asked_for(flow: Flow) -> None:
    """`--approvals 2` wants two people."""
    open_pull(flow)
    flow.planned(1)
    line = flow.line()
    flow.host.review(1, "jane", line)
    flow.host.review(1, "jane", line)
    flow.merge(1)
    assert flow.world.cli("ci", "fetch", "reconciler-plan-demo").code == 0
    assert flow.world.cli("ci", "approved", "plan.json", "--approvals", "2").code == 7
    flow.host.review(1, "max", line)
    assert flow.world.cli("ci", "approved", "plan.json", "--approvals", "2").out.strip() == flow.digest


def test_a_push_without_a_request_applies_nothing(flow: Flow) -> None:
    """A commit that no pull request brought has no approval."""
    open_pull(flow)
    flow.planned(1)
    flow.event(GITHUB_SHA="f" * 40)
    for command in (("ci", "approved", "plan.json"), ("ci", "fetch", "reconciler-plan-demo")):
        ran = flow.world.cli(*command)
        assert (ran.code, "no merged request" in ran.err) == (7, True)
    assert flow.world.cli("ci", "approved", "plan.json", "--pull", "1").code == 7


def test_a_plan_of_an_older_commit_is_not_fetched(flow: Flow) -> None:
    """Only an artifact of the newest commit counts; one that expired does not."""
    open_pull(flow)
    flow.planned(1)
    flow.host.push(1, "e" * 40)
    flow.host.upload("reconciler-plan-demo", "e" * 40, {"plan.json": b"{}"}, expired=True)
    flow.merge(1)
    ran = flow.world.cli("ci", "fetch", "reconciler-plan-demo")
    assert (ran.code, "no plan reconciler-plan-demo" in ran.err) == (7, True)


def test_what_is_fetched_has_to_be_a_plan(flow: Flow) -> None:
    """A file that is no plan is not kept, and what was there before stays."""
    open_pull(flow)
    flow.planned(1)
    flow.host.upload("reconciler-plan-demo", flow.host.pulls[1]["head"]["sha"], {"plan.json": b"not a plan"})
    flow.merge(1)
    assert flow.world.cli("ci", "fetch", "reconciler-plan-demo").code == 6
    assert not flow.plan.exists()


# --- guards of the target branch -------------------------------------------------------------------------------------

STRICT = PROJECT.replace("demo:\n", "demo:\n    guards: {max_deletes: 1, max_delete_percent: 100}\n")
LOOSE = STRICT.replace("max_deletes: 1", "max_deletes: 99")


def strict_main(flow: Flow) -> None:
    """Main allows one delete and forbids a name."""
    policy = "policies:\n  - {name: no-x, message: not x, deny: {kind: tag, attribute: name, matches: '^x'}}\n"
    flow.world.write(STRICT + policy, "reconciler.yaml")
    flow.world.write("tags: {vip: {}, old: {}, keep: {}}")
    flow.commit()
    assert flow.world.cli("apply", "--auto-approve").code == 0


def test_a_limit_raised_in_the_same_request_does_not_count(flow: Flow) -> None:
    """Who deletes two and raises the limit in one go is stopped by the limit of the target branch."""
    strict_main(flow)
    flow.world.write(LOOSE, "reconciler.yaml")
    open_pull(flow, "tags: {keep: {}}")
    ran = flow.planned(1)
    assert ran.code == 7
    assert "2 objects are deleted; the limit is 1" in _unwrapped(ran.out)
    assert "It needs two approvals." in flow.host.comments[0]["body"]
    assert "environments.demo.guards" in flow.host.comments[0]["body"]
    assert "reconciler approve" not in flow.host.comments[0]["body"]
    assert flow.world.cli("plan", "--out", "plan.json").code == 0, "without --guards-from its own limit holds"


def test_a_plan_made_under_looser_guards_is_stopped_at_apply(flow: Flow) -> None:
    """Whatever the pipeline of the pull request judged: apply and `ci guard` judge by the guards of main again."""
    strict_main(flow)
    flow.world.write(LOOSE, "reconciler.yaml")
    open_pull(flow, "tags: {keep: {}}")
    assert flow.world.cli("plan", "--out", "plan.json").code == 0
    for command in (
        ("apply", "plan.json", "--guards-from", "main"),
        ("apply", "plan.json", "--guards-from", "main", "--json"),
        ("ci", "guard", "plan.json", "--guards-from", "main"),
    ):
        ran = flow.world.cli(*command)
        assert (ran.code, "the limit is 1" in _unwrapped(ran.out)) == (7, True), ran.text
    assert len(flow.world.rows("tags")) == 3
    said = re.search("environment_changed=[0-9a-f]{8}", ran.out)
    assert said is not None
    yes = ("--allow", "max_deletes=2", "--allow", said.group())
    assert flow.world.cli("plan", "--guards-from", "main", *yes, "--out", "plan.json").code == 0
    assert flow.world.cli("ci", "guard", "plan.json", "--guards-from", "main").code == 0
    assert flow.world.cli("apply", "plan.json", "--guards-from", "main").code == 0


def test_a_standing_yes_and_a_dropped_policy_of_the_same_request_do_not_count(flow: Flow) -> None:
    """`guards: {allow: [...]}` and removed policies are judged as the target branch has them."""
    strict_main(flow)
    standing = STRICT.replace("max_deletes: 1", "max_deletes: 1, allow: [max_deletes=2]")
    flow.world.write(standing, "reconciler.yaml")
    open_pull(flow, "tags: {keep: {}, xtra: {}}")
    assert flow.world.cli("plan", "--out", "plan.json").code == 0
    ran = flow.world.cli("ci", "guard", "plan.json", "--guards-from", "main")
    assert ran.code == 7
    assert "the limit is 1" in _unwrapped(ran.out)
    assert "not x" in ran.out


def test_a_new_name_for_an_environment_wins_nothing(flow: Flow) -> None:
    """An environment that the target branch does not know is planned nowhere; as a default it is not chosen."""
    strict_main(flow)
    flow.world.write(LOOSE.replace("demo", "fresh").replace("state/fresh", "state/demo"), "reconciler.yaml")
    open_pull(flow, "tags: {xtra: {}}")
    ran = flow.world.cli("plan", "--env", "fresh", "--guards-from", "main")
    assert (ran.code, "does not know the environment `fresh`" in ran.err) == (7, True), ran.text
    ran = flow.world.cli("plan", "--guards-from", "main")
    assert (ran.code, "not x" in ran.out) == (7, True), ran.text
    assert "environment demo" in ran.out


def test_guards_come_from_a_file_or_a_reference_that_is_there(flow: Flow) -> None:
    """A file is named with `file:`: one that is called like a branch cannot stand in for it. Wrong names are told."""
    strict_main(flow)
    flow.world.write("version: 1\nenvironments: {demo: {url: 'emulator:x'}}\n", "main")
    flow.world.write("tags: {}")
    assert "the limit is 1" in _unwrapped(flow.world.cli("plan", "--guards-from", "main").out)
    flow.world.write(LOOSE, "limits.yaml")
    assert "the limit is 1" not in _unwrapped(flow.world.cli("plan", "--guards-from", "file:limits.yaml").out)
    for source, said in (
        ("origin/none", "not a Git reference origin/none"),
        ("--help", "not a Git reference"),
        ("file:none.yaml", "cannot be read"),
    ):
        ran = flow.world.cli("plan", f"--guards-from={source}")
        assert (ran.code, said in ran.err) == (3, True), ran.text


def test_a_branch_without_a_project_file_lets_nothing_be_sent(flow: Flow) -> None:
    """Nobody whose word counts has said where the first project is."""
    flow.git("checkout", "--quiet", "--orphan", "empty")
    flow.git("rm", "--quiet", "-r", "--cached", ".")
    flow.git("commit", "--quiet", "--allow-empty", "--message", "empty")
    flow.world.write("tags: {}")
    flow.world.forget()
    ran = flow.world.cli("plan", "--guards-from", "empty")
    assert (ran.code, "empty has no reconciler.yaml" in ran.err) == (7, True), ran.text
    assert not flow.world.requests()


# --- approving, drift, trouble ---------------------------------------------------------------------------------------


def test_a_person_approves_from_the_command_line(flow: Flow) -> None:
    """`ci approve` says what the comment asks for, as the owner of the token; nobody approves their own request."""
    open_pull(flow)
    flow.planned(1)
    flow.event(GITHUB_TOKEN="jane-token", GITHUB_REF="")
    assert flow.world.cli("ci", "approve", "plan.json").code == 1
    assert flow.world.cli("ci", "approve", "plan.json", "--pull", "1").code == 0
    assert flow.host.reviews[0]["body"] == flow.line()
    flow.event(GITHUB_TOKEN="joe-token")
    own = flow.world.cli("ci", "approve", "plan.json", "--pull", "1")
    assert (own.code, "refuses POST" in own.err) == (1, True)
    flow.merge(1)
    assert flow.applied()[-1].code == 0


def test_the_number_of_the_request_comes_from_the_event(flow: Flow, tmp_path: Path) -> None:
    """Runs that are not on a pull request's ref find it in the event."""
    open_pull(flow)
    flow.planned(1)
    flow.host.comments.clear()
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 1}}), "utf-8")
    flow.event(GITHUB_REF="refs/heads/main", GITHUB_EVENT_PATH=str(event))
    assert flow.world.cli("ci", "comment", "plan.json").code == 0
    assert flow.host.comments[0]["number"] == 1


def test_drift_is_one_issue_as_long_as_there_is_any(flow: Flow) -> None:
    """Scheduled runs open one issue, update it, and close it when the drift is gone."""
    assert "no drift" in flow.world.cli("ci", "drift").err
    row = flow.world.rows("tags", tag="vip")[0]
    flow.world.account.rows.put("tags", row["id"], {**row, "tag": "by hand"})
    project = flow.world.folder / "reconciler.yaml"
    before = project.read_text("utf-8")
    told: list[Call] = []

    def take(call: Call) -> Answer:
        told.append(call)
        return Answer(204, None)

    with serving(take) as url:
        project.write_text(before.replace("    url:", f"    notify: {url}/hook\n    url:"), "utf-8")
        assert flow.world.cli("ci", "drift").code == 0
        project.write_text(before, "utf-8")
    assert [call.body["text"] for call in told] == ["demo: Drift: 1 changed, 0 gone, 1 as applied."]
    flow.world.account.rows.put("tags", row["id"], {**row, "tag": "by hand again"})
    assert flow.world.cli("ci", "drift").code == 0
    [issue] = flow.host.issues
    assert "by hand again" in issue["body"]
    assert issue["labels"] == ["reconciler-drift"]
    flow.world.account.rows.put("tags", row["id"], row)
    assert "closed issue" in flow.world.cli("ci", "drift").err
    assert issue["state"] == "closed"


def test_drift_is_one_pull_request_where_that_is_asked_for(flow: Flow) -> None:
    """Opened with the files that say it, written again only when they differ, closed when the drift is gone. The
    checked out files and the state stay as they are, an issue that told of it is closed, a branch that nobody changed
    keeps its approval.
    """
    flow.event(GITHUB_REF="refs/heads/main", GITHUB_SHA="a" * 40)
    flow.world.write("tags: {vip: {description: as declared}, old: {}}")
    assert flow.world.cli("apply", "--auto-approve").code == 0
    config = {path: path.read_bytes() for path in flow.world.folder.rglob("*") if path.suffix in (".yaml", ".json")}
    row = flow.world.rows("tags", tag="vip")[0]
    flow.world.account.rows.put("tags", row["id"], {**row, "description": "by hand"})
    assert flow.world.cli("ci", "drift").code == 0
    opened = flow.world.cli("ci", "drift", "--pull-request")
    assert (opened.code, "opened request" in opened.err) == (0, True), opened.text
    [pull] = flow.host.pulls.values()
    assert (pull["base"], pull["head"]["ref"], flow.host.issues[0]["state"]) == (
        "main",
        "reconciler/drift-demo",
        "closed",
    )
    [text] = flow.host.branches["reconciler/drift-demo"].values()
    assert "by hand" in text
    assert {path: path.read_bytes() for path in config} == config
    flow.host.calls.clear()
    assert "updated request" in flow.world.cli("ci", "drift", "--pull-request").err
    assert not [call for call in flow.host.calls if call.method == "POST"]
    flow.world.account.rows.put("tags", row["id"], {**row, "description": "again"})
    flow.world.cli("ci", "drift", "--pull-request")
    [text] = flow.host.branches["reconciler/drift-demo"].values()
    assert "again" in text
    flow.world.account.rows.put("tags", row["id"], row)
    assert "closed request" in flow.world.cli("ci", "drift", "--pull-request").err
    assert (pull["state"], len(flow.host.pulls)) == ("closed", 1)


@pytest.mark.parametrize("more", [(), ("--pull-request",)])
def test_a_host_that_takes_nothing_keeps_the_drift_from_no_receiver(flow: Flow, more: tuple[str, ...]) -> None:
    """The notice is sent all the same, and the exit code is that of the refusal."""
    flow.event(GITHUB_REF="refs/heads/main", GITHUB_SHA="a" * 40)
    row = flow.world.rows("tags", tag="vip")[0]
    flow.world.account.rows.put("tags", row["id"], {**row, "tag": "by hand"})
    told: list[Call] = []

    def take(call: Call) -> Answer:
        told.append(call)
        return Answer(204, None)

    with serving(take) as url:
        project = flow.world.folder / "reconciler.yaml"
        project.write_text(project.read_text("utf-8").replace("    url:", f"    notify: {url}/hook\n    url:"), "utf-8")
        flow.host.broken = [Answer(403, {"message": "no"})]
        ran = flow.world.cli("ci", "drift", *more)
    assert (ran.code, "contents: write" in ran.err) == (4, True), ran.text
    assert [call.body["text"] for call in told] == ["demo: Drift: 1 changed, 0 gone, 1 as applied."]


def test_a_request_takes_over_what_the_files_can_say_and_names_what_is_not_declared(flow: Flow) -> None:
    """A group of users that nothing declares by its name; with nothing to take over, the issue says why."""
    flow.event(GITHUB_REF="refs/heads/main", GITHUB_SHA="a" * 40)
    flow.world.account.seed({"groups": [{"id": "9", "title": "Support"}]})
    flow.world.write(
        "tags: {vip: {description: as declared}}\n"
        "lists: {news: {name: News, string_id: news, sender_url: 'https://a.example', sender_reminder: x,"
        " user_groups: [{name: Admin}]}}\n"
    )
    assert flow.world.cli("apply", "--auto-approve").code == 0
    flow.world.account.seed({"listGroups": [{"listid": flow.world.rows("lists")[0]["id"], "groupid": "9"}]})
    assert "opened request" in flow.world.cli("ci", "drift", "--pull-request").err
    [text] = flow.host.branches["reconciler/drift-demo"].values()
    assert "{name: Support}" in text
    row = flow.world.rows("tags", tag="vip")[0]
    flow.world.account.rows.remove("tags", row["id"])
    flow.world.write("tags: {vip: {description: as declared}}\n")
    ran = flow.world.cli("ci", "drift", "--pull-request", "--target", "tag.vip")
    assert "Left alone: tag.vip: it is gone" in ran.err
    [issue] = flow.host.issues
    assert "it is gone from the account" in issue["body"]


def test_a_host_that_refuses_any_call_leaves_one_proposal_and_all_files(flow: Flow) -> None:
    """Whichever call fails, with whatever status: a sentence and an exit code, no file of the checkout changed;
    and the next run ends with one request about the drift, whatever was done before the failure.
    """
    flow.event(GITHUB_REF="refs/heads/main", GITHUB_SHA="a" * 40)
    flow.world.write("tags: {vip: {description: as declared}}")
    assert flow.world.cli("apply", "--auto-approve").code == 0
    row = flow.world.rows("tags", tag="vip")[0]
    flow.world.account.rows.put("tags", row["id"], {**row, "description": "by hand"})
    files = {path: path.read_bytes() for path in flow.world.folder.rglob("*.yaml")}

    def starts_anew() -> None:
        flow.host.pulls.clear()
        flow.host.branches.clear()
        flow.host.calls.clear()

    flow.world.cli("ci", "drift", "--pull-request")
    calls = len(flow.host.calls)
    assert calls > 4
    for nth, status in itertools.product(range(calls), (401, 403, 404, 422, 429, 500)):
        if (nth + status) % 7:
            continue
        starts_anew()
        flow.host.broken = [*[None] * nth, Answer(status, {"message": "no"}, {"retry-after": "0"})]
        ran = flow.world.cli("ci", "drift", "--pull-request")
        assert ran.code in (0, 1, 4), (nth, status, ran.text)
        assert "mistake in the program" not in ran.text, (nth, status, ran.text)
        assert ran.code == 0 or "error: " in ran.err
        assert {path: path.read_bytes() for path in files} == files
        flow.host.broken = []
        again = flow.world.cli("ci", "drift", "--pull-request")
        open_ = [pull for pull in flow.host.pulls.values() if pull["state"] == "open"]
        assert (again.code, len(open_)) == (0, 1), (nth, status, again.text)
        assert any("by hand" in text for text in flow.host.branches["reconciler/drift-demo"].values()), (nth, status)


def test_what_files_cannot_say_stays_an_issue(flow: Flow) -> None:
    """An object that is gone from the account is nothing that a file takes over; a run on no branch proposes none."""
    flow.event(GITHUB_REF="refs/heads/main", GITHUB_SHA="a" * 40)
    row = flow.world.rows("tags", tag="vip")[0]
    flow.world.account.rows.remove("tags", row["id"])
    assert flow.world.cli("ci", "drift", "--pull-request").code == 0
    assert (flow.host.pulls, len(flow.host.issues)) == ({}, 1)
    flow.event(GITHUB_REF="refs/tags/v1")
    assert "about no branch" in flow.world.cli("ci", "drift", "--pull-request").err


def test_broken_rules_keep_the_issue_open(flow: Flow) -> None:
    """What breaks a rule in the account is said there, too, with or without drift, until nothing does."""
    project = flow.world.folder / "reconciler.yaml"
    before = project.read_text("utf-8")
    rule = {"id": "short", "message": "Short names", "deny": {"kind": "tag", "attribute": "name", "above": 2}}
    project.write_text(f"{before}\nrules: [{json.dumps(rule)}]\n", "utf-8")
    assert flow.world.cli("ci", "drift").code == 7
    [issue] = flow.host.issues
    assert "1 rule is broken in the account" in issue["title"]
    assert "Short names" in issue["body"]
    project.write_text(before, "utf-8")
    assert flow.world.cli("ci", "drift").code == 0
    assert issue["state"] == "closed"


def test_only_our_own_issue_is_touched(flow: Flow) -> None:
    """An issue of somebody else with our mark stays as it is."""
    row = flow.world.rows("tags", tag="vip")[0]
    flow.world.account.rows.put("tags", row["id"], {**row, "tag": "by hand"})
    flow.world.cli("ci", "drift")
    theirs: dict[str, Any] = {**flow.host.issues[0], "number": 7, "user": {"login": "eve", "type": "User"}}
    flow.host.issues.insert(0, theirs)
    before = dict(theirs)
    flow.world.cli("ci", "drift")
    assert (theirs, len(flow.host.issues)) == (before, 2)


def test_trouble_with_the_host_is_said_clearly(flow: Flow) -> None:
    """A wrong token, a missing variable: what is wrong and what to do; the token is never shown."""
    open_pull(flow)
    flow.planned(1)
    flow.event(GITHUB_TOKEN="canary-wrong-token")
    wrong = flow.world.cli("ci", "comment", "plan.json")
    assert (wrong.code, "Bad credentials" in wrong.err, "canary" in wrong.text) == (4, True, False)
    flow.event(GITHUB_TOKEN="")
    missing = flow.world.cli("ci", "comment", "plan.json")
    assert (missing.code, "GITHUB_TOKEN is not set" in missing.err) == (1, True)


def test_an_outage_of_the_host_is_survived(flow: Flow) -> None:
    """Reads are tried again after 502, and after a rate limit when it says so; a write that failed is not doubled."""
    open_pull(flow)
    flow.planned(1)
    flow.host.comments.clear()
    flow.host.broken = [
        Answer(502, None, {"retry-after": "0"}),
        Answer(403, {"message": "secondary rate limit"}, {"retry-after": "0"}),
    ]
    assert flow.world.cli("ci", "comment", "plan.json").code == 0
    assert len(flow.host.comments) == 1


def test_nothing_secret_reaches_a_comment(flow: Flow) -> None:
    """Secrets, tokens in addresses and personal addresses are in no comment, issue or artifact."""
    flow.event(HOOK_KEY="canary-secret")
    open_pull(
        flow,
        """
        tags: {vip: {}, old: {}}
        webhooks:
          sync:
            name: Sync
            url: https://hooks.example/${secret.HOOK_KEY}/x
            events: [deal_add]
            sources: [admin]
          plain:
            name: Plain
            url: https://hooks.example/canary-path?token=canary-query
            events: [deal_add]
            sources: [admin]
        """,
    )
    assert flow.planned(1).code == 0
    told = json.dumps([flow.host.comments, flow.host.issues]) + flow.plan.read_text("utf-8")
    assert "webhook.sync" in told
    assert [canary for canary in CANARIES if canary in told] == []


def test_a_request_about_drift_says_what_was_changed_and_shows_no_secret(flow: Flow) -> None:
    """By names, in a sentence each; credentials stand neither there nor in the title nor in the files of the branch."""
    flow.event(GITHUB_REF="refs/heads/main", GITHUB_SHA="a" * 40, HOOK_KEY="canary-secret")
    flow.world.environ["HOOK_KEY"] = "canary-secret"
    flow.world.write("""
        tags: {vip: {name: VIP, description: as declared}, old: {}}
        webhooks:
          sync:
            name: Sync
            url: "https://hooks.example/${secret.HOOK_KEY}/x"
            events: [deal_add]
            sources: [admin]
        """)
    assert flow.world.cli("apply", "--auto-approve", "--allow", "max_deletes=1").code == 0
    for table, name, change in (
        ("tags", "VIP", {"description": "the key is canary-secret"}),
        (
            "webhooks",
            "Sync",
            {"url": "https://a:canary-path@hooks.example/x?key=canary-query", "events": ["deal_update"]},
        ),
    ):
        row = next(row for row in flow.world.rows(table) if name in (row.get("tag"), row.get("name")))
        flow.world.account.rows.put(table, row["id"], {**row, **change})
    old = flow.world.rows("tags", tag="old")[0]
    flow.world.account.rows.remove("tags", old["id"])
    ran = flow.world.cli("ci", "drift", "--pull-request")
    assert "opened request" in ran.err, ran.text
    [pull] = flow.host.pulls.values()
    assert "Two things were changed in the account and one thing is gone from it since the last apply." in pull["body"]
    for sentence in (
        "- The tag VIP was changed in the account: description.",
        "- The tag Old is gone from the account.",
        "- The webhook Sync was changed in the account: URL and events.",
    ):
        assert sentence in pull["body"], pull["body"]
    assert pull["title"] == "Drift in environment demo: 2 changed, 1 gone, 0 as applied."
    told = json.dumps([pull, flow.host.branches, flow.host.issues]) + ran.text
    assert [canary for canary in CANARIES if canary in told] == []
    assert "deal_update" in json.dumps(flow.host.branches)
    flow.world.cli("drift", "--absorb")
    assert [
        canary for canary in CANARIES if canary in (flow.world.folder / "config/main.yaml").read_text("utf-8")
    ] == []
