"""What may be shown has a type of its own: a text that did not pass the redactor goes into no sink.

`make types` is the test: each line below that hands a plain text to a sink has to be an error. If it were none, its
`type: ignore` would be unused, and that is an error of its own. Here it is looked that no sink is missing.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import terminal, views
from reconciler.codehost.github import GitHub
from reconciler.codehost.gitlab import GitLab
from reconciler.model.codehost import CodeHost, Issue, Proposal
from reconciler.model.redaction import as_made
from reconciler.model.run import RunRecord, RunStep, noted, resulted
from reconciler.model.state import Record
from reconciler.model.summary import ApplySummary
from reconciler.render.progress import Progress
from reconciler.render.stream import EventStream

TEXT = "what somebody else said"
OURS = as_made("what may be shown")


def refused(host: CodeHost, proposal: Proposal, issue: Issue, run: RunRecord, step: RunStep) -> None:
    """Never called: every line is an error for mypy."""
    host.comment(1, TEXT)  # type: ignore[arg-type]
    host.edit_comment(1, "2", TEXT)  # type: ignore[arg-type]
    host.approve(proposal, TEXT)  # type: ignore[arg-type]
    host.open_issue(TEXT, OURS, "label")  # type: ignore[arg-type]
    host.open_issue(OURS, TEXT, "label")  # type: ignore[arg-type]
    host.edit_issue(issue, TEXT, OURS)  # type: ignore[arg-type]
    host.edit_issue(issue, OURS, TEXT)  # type: ignore[arg-type]
    host.close_issue(issue, TEXT)  # type: ignore[arg-type]
    host.open_pull(TEXT, OURS, "branch", "main")  # type: ignore[arg-type]
    host.open_pull(OURS, TEXT, "branch", "main")  # type: ignore[arg-type]
    host.edit_pull(issue, TEXT, OURS)  # type: ignore[arg-type]
    host.edit_pull(issue, OURS, TEXT)  # type: ignore[arg-type]
    host.close_pull(issue, TEXT)  # type: ignore[arg-type]
    RunStep(address="tag.a", kind="tag", action="create", message=TEXT)  # type: ignore[arg-type]
    RunRecord(name="r", operation="apply", notes=[TEXT])  # type: ignore[list-item]
    RunRecord(name="r", operation="apply", overrides=[TEXT])  # type: ignore[list-item]
    resulted(step, "failed", TEXT, "")  # type: ignore[arg-type]
    noted(run, [TEXT])  # type: ignore[list-item]
    Record(op="failed", note=TEXT)  # type: ignore[arg-type]
    ApplySummary(notes=(TEXT,))  # type: ignore[arg-type]
    terminal._put(TEXT, "plain")  # type: ignore[arg-type]
    terminal.say_made(TEXT)  # type: ignore[arg-type]
    views.write(Path("report.md"), TEXT)  # type: ignore[arg-type]
    views.show([], lambda form: TEXT)  # type: ignore[arg-type,return-value]


def also_refused(progress: Progress, stream: EventStream) -> None:
    """Never called: the streams of an apply, as it runs."""
    progress._put(TEXT)  # type: ignore[arg-type]
    stream._put(TEXT)  # type: ignore[arg-type]


SINKS: dict[str, Callable[..., Any]] = {
    **{f"host.{name}": getattr(CodeHost, name) for name in (
        "comment", "edit_comment", "approve", "open_issue", "edit_issue", "close_issue", "open_pull",
        "edit_pull", "close_pull",
    )},
    "resulted": resulted,
    "noted": noted,
    "terminal._put": terminal._put,
    "terminal.say_made": terminal.say_made,
    "views.write": views.write,
    "progress._put": Progress._put,
    "stream._put": EventStream._put,
}  # fmt: skip


@pytest.mark.parametrize("name", SINKS)
def test_every_sink_demands_what_may_be_shown(name: str) -> None:
    """As many lines that have to be errors as it has parameters of that type; both code hosts demand the same."""
    demanded = [
        one for one, hint in inspect.get_annotations(SINKS[name]).items() if "Shown" in hint and one != "return"
    ]
    source = inspect.getsource(refused) + inspect.getsource(also_refused)
    assert demanded
    assert len(re.findall(rf"^    {re.escape(name)}\(", source, re.MULTILINE)) == len(demanded)
    if name.startswith("host."):
        for host in (GitHub, GitLab):
            mine = inspect.get_annotations(getattr(host, name.partition(".")[2]))
            assert [one for one, hint in mine.items() if hint == "Shown"] == demanded, host


def test_nothing_is_written_to_a_host_or_a_record_past_the_type() -> None:
    """Every method of a code host that takes words of ours is among the sinks, and nobody copies a message or a note
    into a record with an update, which is of no type.
    """
    texts = {"body", "title"}
    taking = {f"host.{one}" for one, how in vars(CodeHost).items() if texts & set(getattr(how, "__annotations__", {}))}
    assert taking <= SINKS.keys()
    root = Path(terminal.__file__).parent.parent
    copied = re.compile(r"update=\{[^}]*\"(?:message|notes?|overrides)\"", re.DOTALL)
    found = {path.relative_to(root).as_posix() for path in root.rglob("*.py") if copied.search(path.read_text("utf-8"))}
    assert found <= {"model/run.py", "planning/document.py"}


@pytest.mark.prove
def test_the_lines_that_have_to_be_errors_are_errors(tmp_path: Path) -> None:
    """Without the ignores, mypy names each of them, and nothing else."""
    mine = Path(__file__)
    ignored = re.compile(r"  # type: ignore\[[a-z,-]+\]$", re.MULTILINE)
    stripped = ignored.sub("", mine.read_text("utf-8"))
    expected = {at for at, line in enumerate(mine.read_text("utf-8").splitlines(), 1) if ignored.search(line)}
    (tmp_path / "lines.py").write_text(stripped, "utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(tmp_path / "lines.py")]
    ran = subprocess.run(command, cwd=mine.parents[2], capture_output=True, text=True, check=False)
    assert {int(at) for at in re.findall(r"lines\.py:(\d+): error", ran.stdout)} == expected, ran.stdout
