"""The composite action, step by step as a runner would, against a GitHub on loopback and an emulated account."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml

from reconciler.cli import program as commands
from tests.ci.github import REPOSITORY, GitHub, github
from tests.ci.runner import Ran, Runner

pytestmark = pytest.mark.socket
ACTION = Path(__file__).resolve().parent.parent.parent / "action.yml"
PROJECT = """\
version: 1
environments:
  prod:
    url: emulator:state/account.db
    guards: {max_deletes: 1, max_delete_percent: 100}
"""


STOPS = {"plan": 2, "apply": 1, "drift": 1}
"""Steps of each command that print texts; those that check and annotate are not among them."""


def commands_of(printed: str) -> list[str]:
    """The lines that the runner takes for commands: none between `::stop-commands::WORD` and `::WORD::`."""
    found, word = [], ""
    for line in printed.splitlines():
        if word:
            word = "" if line == f"::{word}::" else word
        elif line.startswith("::stop-commands::"):
            word = line.removeprefix("::stop-commands::")
            assert re.fullmatch("[0-9a-f]{32}", word)
        elif line.lstrip().startswith("::"):
            found.append(line)
    assert not word, "the commands of the steps that follow would be lost"
    return found


@dataclass
class Repository:
    """A clone with a project in a folder of it, the host, and the account."""

    root: Path
    host: GitHub
    temp: Path
    environ: dict[str, str] = field(default_factory=dict)
    event: dict[str, Any] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        """The project's folder."""
        return self.root / "accounts" / "acme"

    def git(self, *arguments: str) -> str:
        """Run git."""
        identity = ["-c", "user.name=t", "-c", "user.email=t@acme.example", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, config: str) -> str:
        """Commit a configuration and return the commit."""
        (self.project / "config").mkdir(parents=True, exist_ok=True)
        (self.project / "config" / "main.yaml").write_text(config, "utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def reconciler(self, *arguments: str) -> str:
        """Run the program in the project, by hand."""
        with patch.dict(os.environ, self.environ, clear=True), contextlib.redirect_stdout(io.StringIO()) as out:
            assert commands.run(["--chdir", str(self.project), *arguments]) == 0
        return out.getvalue()

    def install(self, program: Path) -> None:
        """Put a `reconciler` where the action has installed it."""
        place = self.temp / "reconciler" / "bin" / "reconciler"
        place.unlink(missing_ok=True)
        place.symlink_to(program)

    def run(self, command: str, **more: str) -> Ran:
        """Run the action with one of its commands."""
        context = {"token": "workflow-token", "action_path": str(ACTION.parent), **self.event}
        runner = Runner(ACTION, self.root, self.temp, context, self.environ, self._uses)
        ran = runner.run(command=command, environment="prod", working_directory="accounts/acme", **more)
        annotations = [line for line in commands_of(ran.text) if line.startswith(("::error file=", "::warning file="))]
        assert annotations == commands_of(ran.text), "nothing else is a command"
        assert ran.code or ran.text.count("::stop-commands::") == STOPS[command]
        return ran

    def _uses(self, action: str, given: Mapping[str, str]) -> None:
        assert action.startswith("actions/upload-artifact@")
        files = {Path(path).name: Path(path).read_bytes() for path in given["path"].split()}
        self.host.upload(given["name"], self.host.pulls[1]["head"]["sha"], files)

    def propose(self, config: str) -> Ran:
        """Joe opens pull request 1, and its workflow runs."""
        self.git("checkout", "--quiet", "-B", "change")
        self.host.open_pull(1, "joe", self.commit(config))
        self.environ |= {"GITHUB_REF": "refs/pull/1/merge"}
        self.event = {"base_ref": "main"}
        return self.run("plan")

    def merge(self, **more: str) -> Ran:
        """Somebody merges it, and the workflow of the push runs."""
        before = self.git("rev-parse", "main")
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--no-ff", "--no-edit", "change")
        commit = self.git("rev-parse", "HEAD")
        self.host.merge(1, commit)
        self.environ |= {"GITHUB_REF": "refs/heads/main", "GITHUB_SHA": commit}
        self.event = {"event": {"before": before}}
        return self.run("apply", **more)


@pytest.fixture
def repository(tmp_path: Path, program: Path) -> Iterator[Repository]:
    """See `Repository`: main declares three tags, which are applied; `origin/main` is main."""
    temp = tmp_path / "temp"
    (temp / "reconciler" / "bin").mkdir(parents=True)
    (temp / "reconciler-plan").mkdir()
    with github() as host:
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environ |= {"CI": "true", "GITHUB_API_URL": host.url, "GITHUB_REPOSITORY": REPOSITORY}
        made = Repository(tmp_path / "clone", host, temp, environ)
        made.install(program / "reconciler")
        made.project.mkdir(parents=True)
        (made.project / "reconciler.yaml").write_text(PROJECT, "utf-8")
        (made.root / ".gitignore").write_text("state/\n", "utf-8")
        made.git("init", "--quiet", "--initial-branch", "main")
        made.commit("tags: {vip: {}, old: {}, keep: {}}")
        made.git("update-ref", "refs/remotes/origin/main", "main")
        made.reconciler("apply", "--auto-approve")
        yield made


def approval(repository: Repository) -> str:
    """Return the line that the comment asks for."""
    found = re.search(r"^reconciler approve \S+ [0-9a-f]{64}$", repository.host.comments[0]["body"], re.M)
    assert found is not None
    return found.group()


def test_a_pull_request_is_planned_approved_and_applied(repository: Repository) -> None:
    """The action comments the plan, keeps it, says its digest, and after the merge applies exactly it. This one starts
    the program, for all that the others do with what is loaded.
    """
    repository.install(Path(sys.executable).parent / "reconciler")
    planned = repository.propose("tags: {vip: {}, old: {}, keep: {}, new: {}}")
    assert planned.code == 0, planned.text
    line = approval(repository)
    assert planned.outputs["plan"] == {"code": "0", "digest": line.split()[-1]}
    assert "tag.new" in (repository.temp / "summary.md").read_text("utf-8")
    repository.host.review(1, "jane", line)
    applied = repository.merge()
    assert applied.code == 0, applied.text
    assert "Apply complete! Resources: 1 added" in applied.text
    assert applied.outputs["apply"] == {"digest": line.split()[-1]}


def test_without_an_approval_nothing_is_applied(repository: Repository) -> None:
    """The job of the merge fails, and the account is as before; with `approval: none` it plans and applies."""
    repository.propose("tags: {vip: {}, old: {}, keep: {}, new: {}}")
    refused = repository.merge()
    assert refused.code == 7
    assert "0 of 1 approvals" in refused.text
    assert "1 to add" in repository.reconciler("plan")
    allowed = repository.run("apply", approval="none")
    assert allowed.code == 0, allowed.text
    assert "1 added" in allowed.text


def test_a_refused_plan_is_shown_and_fails_the_check(repository: Repository) -> None:
    """Deleting two and raising the limit in one go: the comment says who refuses, and the job ends with 7."""
    (repository.project / "reconciler.yaml").write_text(PROJECT.replace("max_deletes: 1", "max_deletes: 9"), "utf-8")
    refused = repository.propose("tags: {keep: {}}")
    assert refused.code == 7
    assert "the limit is 1" in repository.host.comments[0]["body"]
    assert [line for line in commands_of(refused.text) if line.startswith("::error file=accounts/acme/")]
    assert repository.merge().code == 7


def test_a_wrong_configuration_is_annotated_where_it_is_wrong(repository: Repository) -> None:
    """The check fails before anything is planned, with the place from the repository's root."""
    wrong = repository.propose("tags: {vip: {nam: x}}")
    assert wrong.code == 3
    assert any(
        line.startswith("::error file=accounts/acme/config/main.yaml,line=1") for line in commands_of(wrong.text)
    )
    assert repository.host.comments == []


def test_a_plan_that_changes_nothing_needs_no_approval(repository: Repository) -> None:
    """A pull request that only touches comments is merged without a review of its empty plan."""
    planned = repository.propose("# a comment\ntags: {vip: {}, old: {}, keep: {}}")
    assert planned.code == 0, planned.text
    applied = repository.merge()
    assert applied.code == 0, applied.text
    assert "nothing to apply" in applied.text


def test_drift_is_looked_for(repository: Repository) -> None:
    """The scheduled command says what it found; without drift no issue is opened."""
    ran = repository.run("drift")
    assert ran.code == 0, ran.text
    assert "no drift" in ran.text
    assert repository.host.issues == []


def install(folder: Path, **given: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the step that installs, with a stand-in for `python3 -m venv` whose pip only writes down what it is asked."""
    [step] = [step for step in yaml.safe_load(ACTION.read_text("utf-8"))["runs"]["steps"] if step["name"] == "Install"]
    asked = folder / "asked"
    asked.touch()
    made = f'#!/bin/sh\n[ "$1" = -m ] && {{ shift 2; echo "$@" >> "{asked}"; exit; }}\nexec "{sys.executable}" "$@"\n'
    bins = folder / "bin"
    bins.mkdir()
    venv = ["#!/bin/sh", '[ "$1 $2" = "-m venv" ] || exit 9', 'mkdir -p "$3/bin"', f'cp "{bins}/made" "$3/bin/python"']
    for name, lines in {"python3": venv, "made": made.splitlines()}.items():
        (bins / name).write_text("\n".join(lines) + "\n", "utf-8")
        (bins / name).chmod(0o755)
    environ = {"PATH": f"{bins}{os.pathsep}{os.environ['PATH']}", "RUNNER_TEMP": str(folder), "SOURCE": "/the/action"}
    assert set(step["env"]) == {"VERSION", "SOURCE", "EXTRAS"}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    environ |= {"VERSION": "", "EXTRAS": "", **given}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    words = "install --quiet --disable-pip-version-check "
    return done, [line.removeprefix(words) for line in asked.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    "extras", ["objectstore", "objectstore,policy", "objectstore, policy", " objectstore\npolicy,"]
)
def test_extras_are_added_to_what_was_installed(tmp_path: Path, extras: str) -> None:
    """The version that is there gets them, whether it came from the action, a wheel or a commit."""
    done, asked = install(tmp_path, EXTRAS=extras, VERSION="git+https://host.example/reconciler@0123")
    assert done.returncode == 0, done.stderr
    names = ",".join(extras.replace(",", " ").split())
    assert asked == [
        "git+https://host.example/reconciler@0123",
        f"activecampaign-reconciler[{names}]=={version('activecampaign-reconciler')}",
    ]


def test_without_extras_only_the_program_is_installed(tmp_path: Path) -> None:
    """The action's own source, and nothing by name."""
    done, asked = install(tmp_path)
    assert (done.returncode, asked) == (0, ["/the/action"])


@pytest.mark.parametrize("extras", ["s3", "policy,dev", "policy[x]", "policy;--pre"])
def test_an_extra_that_does_not_exist_fails_the_step(tmp_path: Path, extras: str) -> None:
    """Where pip would warn and go on, the step names it, and those that there are, and installs none."""
    done, asked = install(tmp_path, EXTRAS=extras)
    assert done.returncode != 0
    assert done.stderr.startswith("::error::extras: there is no ")
    assert "there are encrypt, fleet, fmt, objectstore, policy, postgres, telemetry" in done.stderr
    assert asked == ["/the/action"]
