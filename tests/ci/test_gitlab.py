"""The way of a change through GitLab: notes, approvals that name the digest, artifacts of jobs, issues."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.ci.gitlab import PROJECT, GitLab, gitlab
from tests.ci.serving import Answer
from tests.world import Ran, World

pytestmark = pytest.mark.socket
JOB = "reconciler:plan"
JANE, JOE, EVE = 1, 2, 3


@dataclass
class Flow:
    """A project with an account; merge request 1 of joe adds a tag, and its pipeline has planned it."""

    world: World
    host: GitLab
    monkeypatch: pytest.MonkeyPatch

    def run(self, *arguments: str) -> Ran:
        """Run a command."""
        return self.world.cli(*arguments)

    def planned(self) -> None:
        """Do what the pipeline of the merge request does."""
        self.monkeypatch.setenv("CI_MERGE_REQUEST_IID", "1")
        assert self.run("plan", "--out", "plan.json").code == 0
        ran = self.run("ci", "comment", "plan.json")
        assert ran.code == 0, ran.text
        content = (self.world.folder / "plan.json").read_bytes()
        self.host.keep(1, JOB, "plan.json", content, sha=self.host.requests[1]["sha"])

    @property
    def line(self) -> str:
        """The line that approves the plan."""
        digest = json.loads((self.world.folder / "plan.json").read_text("utf-8"))["digest"]
        return f"reconciler approve demo {digest}"

    def applied(self) -> list[Ran]:
        """Merge, and do what the pipeline of the merge does, up to the first step that fails."""
        self.host.merge(1, "c" * 40)
        self.monkeypatch.delenv("CI_MERGE_REQUEST_IID")
        self.monkeypatch.setenv("CI_COMMIT_SHA", "c" * 40)
        (self.world.folder / "plan.json").unlink()
        steps = [self.run("ci", "fetch", JOB)]
        if steps[-1].code == 0:
            steps.append(self.run("ci", "approved", "plan.json"))
        if steps[-1].code == 0:
            steps.append(self.run("apply", "plan.json", "--digest", steps[-1].out.strip()))
        return steps


@pytest.fixture
def flow(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flow]:
    """See `Flow`."""
    monkeypatch.chdir(world.folder)
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    with gitlab() as host:
        for name, value in {
            "CI_API_V4_URL": host.url,
            "CI_PROJECT_ID": PROJECT,
            "GITLAB_TOKEN": "project-token",
        }.items():
            monkeypatch.setenv(name, value)
        world.write("tags: {vip: {}, new: {}}")
        host.open_request(1, JOE, "a" * 40)
        made = Flow(world, host, monkeypatch)
        made.planned()
        yield made


def test_what_was_approved_is_applied(flow: Flow) -> None:
    """A note of somebody who may push names the digest; after the merge exactly that plan is applied."""
    flow.host.note(1, JANE, f"Fine with me.\n\n{flow.line}")
    flow.host.note(1, JANE, "Thanks for asking!")
    steps = flow.applied()
    assert [step.code for step in steps] == [0, 0, 0], steps[-1].text
    assert flow.world.rows("tags", tag="new")


def test_there_is_one_note_of_ours(flow: Flow) -> None:
    """Another plan updates the note; one of somebody else with our mark is left alone."""
    flow.host.note(1, EVE, flow.host.notes[0]["body"])
    flow.world.write("tags: {vip: {}, newer: {}}")
    flow.planned()
    ours = [note for note in flow.host.notes if note["author"]["id"] == 7]
    assert len(flow.host.notes) == 2
    assert ["tag.newer" in note["body"] for note in ours] == [True]


@pytest.mark.parametrize(
    ("person", "why"), [(JOE, "opened the request"), (EVE, "may not write"), (99, "may not write")]
)
def test_only_others_who_may_write_approve(flow: Flow, person: int, why: str) -> None:
    """The author cannot approve, nor can a reporter or a stranger."""
    flow.host.note(1, person, flow.line)
    refused = flow.applied()[-1]
    assert (refused.code, why in refused.err) == (7, True)


@pytest.mark.parametrize("person", [7, 8], ids=["ours", "another token"])
def test_programs_have_no_say(flow: Flow, person: int) -> None:
    """The note with the plan shows the line, and any job of the request can write it too: neither counts."""
    assert flow.line in flow.host.notes[0]["body"]
    flow.host.note(1, person, flow.line)
    refused = flow.applied()[-1]
    assert (refused.code, "0 of 1 approvals" in refused.err) == (7, True)


def test_an_approval_before_the_newest_commit_counts_no_more(flow: Flow) -> None:
    """Replaying the approved plan after another push is refused: notes carry times, and the push came later."""
    flow.host.note(1, JANE, flow.line)
    flow.host.push(1, "b" * 40)
    content = (flow.world.folder / "plan.json").read_bytes()
    flow.host.keep(1, JOB, "plan.json", content, sha="b" * 40)
    refused = flow.applied()[-1]
    assert (refused.code, "before the newest commit" in refused.err) == (7, True)


def test_an_edited_approval_counts_no_more(flow: Flow) -> None:
    """Maintainers may edit the words of others, so edited words are nobody's."""
    note = flow.host.note(1, JANE, "Not yet.")
    flow.host.edit(note, flow.line)
    refused = flow.applied()[-1]
    assert (refused.code, "changed the words" in refused.err) == (7, True)


def test_a_flipped_byte_is_refused(flow: Flow) -> None:
    """An artifact that was altered is no plan, and is not kept."""
    flow.host.note(1, JANE, flow.line)
    flow.host.jobs[0]["content"] = flow.host.jobs[0]["content"].replace(b'"new"', b'"nev"')
    assert [step.code for step in flow.applied()] == [6]
    assert flow.world.writes() == []


def test_a_person_approves_from_the_command_line(flow: Flow) -> None:
    """The words are written as a note, and GitLab's own approval is given for the same commit."""
    flow.monkeypatch.setenv("GITLAB_TOKEN", "jane-token")
    assert flow.run("ci", "approve", "plan.json").code == 0
    assert flow.host.approvals == [JANE]
    flow.monkeypatch.setenv("GITLAB_TOKEN", "project-token")
    assert flow.applied()[-1].code == 0


def test_drift_is_one_issue(flow: Flow) -> None:
    """Opened, updated, closed."""
    assert flow.run("apply", "--auto-approve").code == 0
    row = flow.world.rows("tags", tag="vip")[0]
    for name in ("by hand", "by hand again"):
        flow.world.account.rows.put("tags", row["id"], {**row, "tag": name})
        assert flow.run("ci", "drift").code == 0
    [issue] = flow.host.issues
    assert "by hand again" in issue["description"]
    flow.world.account.rows.put("tags", row["id"], row)
    assert flow.run("ci", "drift").code == 0
    assert issue["state"] == "closed"


def test_drift_is_one_merge_request_where_that_is_asked_for(flow: Flow) -> None:
    """Opened, left as it is while nothing changes, updated, closed."""
    flow.world.write("tags: {vip: {description: as declared}}")
    assert flow.run("apply", "--auto-approve").code == 0
    flow.monkeypatch.setenv("CI_COMMIT_BRANCH", "main")
    flow.monkeypatch.setenv("CI_COMMIT_SHA", "base")
    texts = {path.name: path.read_text("utf-8") for path in (flow.world.folder / "config").glob("*.yaml")}
    flow.host.branches["base"] = {f"config/{name}": text for name, text in texts.items()}
    row = flow.world.rows("tags", tag="vip")[0]
    for said in ("by hand", "by hand", "by hand again"):
        flow.world.account.rows.put("tags", row["id"], {**row, "description": said})
        ran = flow.run("ci", "drift", "--pull-request")
        assert ran.code == 0, ran.text
    [request] = [one for one in flow.host.requests.values() if one.get("source_branch")]
    assert (request["target_branch"], request["source_branch"]) == ("main", "reconciler/drift-demo")
    assert any("by hand again" in text for text in flow.host.branches["reconciler/drift-demo"].values())
    flow.world.account.rows.put("tags", row["id"], row)
    assert flow.run("ci", "drift", "--pull-request").code == 0
    assert request["state"] == "closed"


def test_a_host_that_refuses_any_call_leaves_one_proposal_and_all_files(flow: Flow) -> None:
    """Whichever call fails, with whatever status: a sentence and an exit code, no file of the checkout changed; and the
    next run ends with one request about the drift, whatever was done before the failure.
    """
    flow.world.write("tags: {vip: {description: as declared}}")
    assert flow.run("apply", "--auto-approve").code == 0
    flow.monkeypatch.setenv("CI_COMMIT_BRANCH", "main")
    flow.monkeypatch.setenv("CI_COMMIT_SHA", "base")
    files = {path: path.read_bytes() for path in flow.world.folder.rglob("*.yaml")}
    texts = {f"config/{path.name}": path.read_text("utf-8") for path in (flow.world.folder / "config").glob("*.yaml")}
    row = flow.world.rows("tags", tag="vip")[0]
    flow.world.account.rows.put("tags", row["id"], {**row, "description": "by hand"})

    def starts_anew() -> None:
        flow.host.requests = {iid: one for iid, one in flow.host.requests.items() if not one.get("source_branch")}
        flow.host.branches = {"base": dict(texts)}
        flow.host.calls.clear()

    starts_anew()
    assert flow.run("ci", "drift", "--pull-request").code == 0
    calls = len(flow.host.calls)
    assert calls > 3
    failed = 0
    for nth, status in itertools.product(range(calls), (401, 403, 404, 409, 429, 500)):
        if (nth + status) % 3:
            continue
        starts_anew()
        flow.host.broken = [*[None] * nth, Answer(status, {"message": "no"}, {"retry-after": "0"})]
        ran = flow.run("ci", "drift", "--pull-request")
        assert ran.code in (0, 1, 4), (nth, status, ran.text)
        assert "mistake in the program" not in ran.text, (nth, status, ran.text)
        assert ran.code == 0 or "error: " in ran.err
        failed += ran.code != 0
        assert {path: path.read_bytes() for path in files} == files
        flow.host.broken = []
        again = flow.run("ci", "drift", "--pull-request")
        open_ = [one for one in flow.host.requests.values() if one.get("source_branch") and one["state"] == "opened"]
        assert (again.code, len(open_)) == (0, 1), (nth, status, again.text)
        assert any("by hand" in text for text in flow.host.branches["reconciler/drift-demo"].values()), (nth, status)
    assert failed > 3


def test_a_missing_token_says_which(flow: Flow) -> None:
    """The token of a job cannot write notes, so one has to be set."""
    flow.monkeypatch.delenv("GITLAB_TOKEN")
    ran = flow.run("ci", "comment", "plan.json")
    assert (ran.code, "project access token" in ran.err) == (1, True)


def test_texts_keep_below_every_hosts_limit(flow: Flow) -> None:
    """`ci body` prints the comment for hosts that are served by curl; what does not fit is counted."""
    flow.world.write("tags: {" + ", ".join(f"t{n}: {{description: {'é' * 200}}}" for n in range(2500)) + "}")
    assert flow.run("plan", "--out", "big.json").code == 0
    for host, limit in (("github", 65_536), ("gitlab", 1_000_000), ("bitbucket", 32_768)):
        body = flow.run("ci", "body", "big.json", "--host", host).out
        assert limit * 0.5 < len(body.encode("utf-16-le")) // 2 <= limit, host
        assert ("not shown" in body) is (host != "gitlab"), host
