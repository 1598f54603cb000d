"""The GitLab template, run for real by gitlab-ci-local on the shell, against a GitLab on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import npm
from tests.ci.gitlab import PROJECT, GitLab, gitlab
from tests.required import absent

pytestmark = [pytest.mark.socket, pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parent.parent.parent
VERSION = "4.55.0"
JOE, JANE = 2, 1


@dataclass
class Clone:
    """A clone with a project that includes the template."""

    folder: Path
    command: list[str]
    host: GitLab
    programs: Path

    def git(self, *arguments: str) -> str:
        """Run git."""
        identity = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def job(self, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one job of the pipeline."""
        told = {
            "RECONCILER_PACKAGE": "none",
            "CI_API_V4_URL": self.host.url,
            "CI_PROJECT_ID": PROJECT,
            "GITLAB_TOKEN": "project-token",
            **variables,
        }
        options = [part for key, value in told.items() for part in ("--variable", f"{key}={value}")]
        # Its own home, so that nobody's settings play a part.
        path = f"{self.programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [*self.command, "--shell-executor-no-image", "--home", str(self.folder.parent / "home"), *options, name],
            cwd=self.folder,
            env={"PATH": path, "HOME": str(self.folder.parent)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def clone(tmp_path: Path, program: Path) -> Iterator[Clone]:
    """See `Clone`."""
    command = npm.program("gitlab-ci-local", VERSION, "src/index.js")
    if shutil.which("rsync") is None:
        absent("gitlab-ci-local needs rsync (apt-get install rsync)")
    with gitlab() as host:
        made = Clone(tmp_path / "clone", command, host, program)
        (made.folder / "ci").mkdir(parents=True)
        (made.folder / "config").mkdir()
        # On the shell there is no image; everything else of the template is run as it is.
        template = (ROOT / "ci" / "gitlab.yml").read_text("utf-8")
        assert template.count("  image: $RECONCILER_IMAGE\n") == 1
        (made.folder / "ci" / "gitlab.yml").write_text(template.replace("  image: $RECONCILER_IMAGE\n", ""), "utf-8")
        account = f"emulator:{tmp_path / 'account.db'}"
        state = f"file:{tmp_path / 'state.json'}"
        project = f"version: 1\nenvironments:\n  prod: {{url: '{account}', state: '{state}'}}\n"
        (made.folder / "reconciler.yaml").write_text(project, "utf-8")
        (made.folder / "config" / "main.yaml").write_text("tags: {vip: {}, new: {}}", "utf-8")
        (made.folder / ".gitlab-ci.yml").write_text("include:\n  - local: ci/gitlab.yml\n", "utf-8")
        (made.folder / ".gitignore").write_text(".gitlab-ci-local/\nreconciler-*\n", "utf-8")
        made.git("init", "--quiet", "--initial-branch", "main")
        made.git("add", "--all")
        made.git("commit", "--quiet", "--message", "change")
        made.git("remote", "add", "origin", str(made.folder))
        yield made


def test_a_merge_request_is_planned_approved_and_applied(clone: Clone) -> None:
    """Validate, plan with a note, approve, apply after the merge: the jobs that the template defines, as they are."""
    head = clone.git("rev-parse", "HEAD")
    clone.host.open_request(1, JOE, head)
    request = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "1",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    }
    validated = clone.job("reconciler:validate", **request)
    assert validated.returncode == 0, validated.stdout + validated.stderr
    planned = clone.job("reconciler:plan", **request)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    plan = (clone.folder / "reconciler-plan.json").read_bytes()
    assert "tag.new" in clone.host.notes[0]["body"]
    clone.host.keep(1, "reconciler:plan", "reconciler-plan.json", plan, sha=head)

    clone.host.merge(1, head)
    push = {
        "CI_PIPELINE_SOURCE": "push",
        "CI_COMMIT_BRANCH": "main",
        "CI_DEFAULT_BRANCH": "main",
        "CI_COMMIT_SHA": head,
        "CI_COMMIT_BEFORE_SHA": head,
    }
    refused = clone.job("reconciler:apply", **push)
    assert refused.returncode != 0
    assert "0 of 1 approvals" in refused.stdout + refused.stderr
    line = next(one for one in clone.host.notes[0]["body"].splitlines() if one.startswith("reconciler approve "))
    clone.host.note(1, JANE, line)
    applied = clone.job("reconciler:apply", **push)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert "2 added" in applied.stdout

    drift = clone.job("reconciler:drift", CI_PIPELINE_SOURCE="schedule")
    assert drift.returncode == 0, drift.stdout + drift.stderr
    assert (clone.folder / "reconciler-drift.xml").is_file()
    assert clone.host.issues == []
