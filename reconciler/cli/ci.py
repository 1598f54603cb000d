"""`reconciler ci`: what pipelines do on GitHub and GitLab."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.completing import plans
from reconciler.cli.opening import selection, session, trusted_limits
from reconciler.cli.plan import exit_code
from reconciler.cli.program import Globals
from reconciler.cli.terminal import advise, note, say, say_made, tell
from reconciler.cli.views import DRIFT, Output, folder_in_repository, formats, plan_view, show

if TYPE_CHECKING:
    from reconciler.codehost.pipeline import PipelineRun
    from reconciler.model.document import PlanDocument
    from reconciler.workflow.opening.session import Session
    from reconciler.workflow.plans.options import PlanOptions


F = TypeVar("F", bound=Callable[..., Any])
PLANFILE = click.argument("planfile", type=click.Path(dir_okay=False, path_type=Path), shell_complete=plans)
LIMITS = {"github": 65_536, "gitlab": 1_000_000, "bitbucket": 32_768}


@click.group("ci")
def command() -> None:
    """Work on a code host: comment plans, check approvals, report drift.

    In GitHub Actions and GitLab CI everything is taken from the variables of the run; elsewhere set GITHUB_REPOSITORY
    and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN, and name the request with --pull.
    """


def on_host(function: F) -> F:
    """Add --host and --pull."""
    function = click.option("--pull", type=click.IntRange(min=1), metavar="NUMBER", help="Pull or merge request.")(
        function
    )
    return click.option("--host", type=click.Choice(["github", "gitlab"]), help="Code host; default: the run's.")(
        function
    )


def pipeline(chosen: Globals, host: str | None, pull: int | None = None) -> PipelineRun:
    """Return the pipeline that this runs in. Raises ReconcilerError."""
    from reconciler.codehost.pipeline import open_pipeline
    from reconciler.remote.web import HttpWeb

    chosen.screen.quiet = chosen.quiet
    return open_pipeline(os.environ, HttpWeb(), name=host, number=pull, on_wait=chosen.screen.waiting)


@command.command("comment")
@PLANFILE
@on_host
@click.pass_obj
def comment(chosen: Globals, planfile: Path, host: str | None, pull: int | None) -> int:
    """Write the plan as the one comment of its environment on the pull or merge request, or update it there."""
    from reconciler.codehost.pipeline import APPROVING
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import read_plan
    from reconciler.workflow.ci import HOW, stick

    document = read_plan(planfile, load_kinds())
    run = pipeline(chosen, host, pull)
    how = HOW.format(APPROVING[run.name])
    url = stick(run.host, run.proposed(), document, folder=folder_in_repository(), how=how)
    say(f"Commented the plan for {document.environment} on request {run.number}{f': {url}' if url else ''}")
    return 0


@command.command("body")
@PLANFILE
@click.option("--host", type=click.Choice(list(LIMITS)), default="github", help="Whose limit the text keeps.")
def body(planfile: Path, host: str) -> int:
    """Print the comment, for hosts that this program does not talk to."""
    from reconciler.render.comment import plan_comment
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import read_plan

    say(plan_comment(read_plan(planfile, load_kinds()), limit=LIMITS[host], folder=folder_in_repository()), "markdown")
    return 0


@command.command("approve")
@PLANFILE
@on_host
@click.pass_obj
def approve(chosen: Globals, planfile: Path, host: str | None, pull: int | None) -> int:
    """Approve exactly this plan on the newest commit of the pull or merge request, as the owner of the token."""
    from reconciler.model.errors import Refused
    from reconciler.model.redaction import published
    from reconciler.render.comment import approval
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import read_plan

    document = read_plan(planfile, load_kinds())
    if document.tripped:
        say_made(plan_view(document, "text"), "text")
        raise Refused("a plan that guards stop cannot be approved")
    run = pipeline(chosen, host, pull)
    run.host.approve(run.host.proposal(run.proposed()), published(approval(document)))
    say(f"Approved {document.digest} for {document.environment} on request {run.number}.")
    return 0


@command.command("approved")
@PLANFILE
@on_host
@click.option("--approvals", type=click.IntRange(min=1), default=1, metavar="N", help="How many people have to agree.")
@click.pass_obj
def approved(chosen: Globals, planfile: Path, host: str | None, pull: int | None, approvals: int) -> int:
    """Check that PLANFILE was approved on the merged request of this commit, and print its digest; nothing where it
    changes nothing.

    Exit code 7 where it was not: an approval of another digest, of an older commit, by its author, or by a user who
    may not write counts for nothing.
    """
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import read_plan
    from reconciler.workflow.ci import check_approval, merged

    document = read_plan(planfile, load_kinds())
    if not document.changes and not document.steps:
        note("The plan changes nothing: there is nothing to approve and nothing to apply.")
        return 0
    run = pipeline(chosen, host, pull)
    approved = check_approval(run.host, document, merged(run.host, run.commit, pull), needed=approvals)
    advise(f"Approved by {', '.join(approved.by)} on request {approved.proposal.number}.")
    say(document.digest)
    return 0


@command.command("fetch")
@click.argument("name")
@click.option("--file", "file", default="plan.json", help="Path of the plan in the artifact.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("plan.json"), help="Where to.")
@on_host
@click.pass_obj
def fetch(chosen: Globals, name: str, file: str, out: Path, host: str | None, pull: int | None) -> int:
    """Fetch the plan that was made for the newest commit of the request that this commit merged.

    NAME is that of the artifact on GitHub, that of the job on GitLab.
    """
    from reconciler.model.errors import Refused
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import keep_plan
    from reconciler.workflow.ci import merged

    run = pipeline(chosen, host, pull)
    proposal = merged(run.host, run.commit, pull)
    content = run.host.artifact(proposal, name, file)
    if content is None:
        raise Refused(
            f"request {proposal.number} has no plan {name} of its newest commit {proposal.head[:12]}",
            hint="its pipeline has to end before it is merged, and artifacts expire; open a new request",
        )
    document = keep_plan(content, out, load_kinds())
    say(f"Fetched the plan for {document.environment} of request {proposal.number}: {document.digest}")
    return 0


@command.command("guard")
@PLANFILE
@trusted_limits(required=True)
@click.pass_obj
def guard(chosen: Globals, planfile: Path, guards_from: str) -> int:
    """Judge a plan by the guards and policies of somewhere else; exit code 7 where they stop it. Offline."""
    from reconciler.resources import load_kinds
    from reconciler.store.planfile import read_plan
    from reconciler.workflow.rules.judging import judged

    document = read_plan(planfile, load_kinds())
    opened = session(replace(chosen, environment=document.environment), offline=True, guards_from=guards_from)
    document = judged(opened, document, document.managed)
    if document.tripped:
        say_made(plan_view(document, "text"), "text")
        return 7
    say(f"The guards and policies of {guards_from} let this plan pass.")
    return 0


@command.command("drift")
@formats(DRIFT, "the drift")
@click.option("--host", type=click.Choice(["github", "gitlab"]), help="Code host; default: the run's.")
@click.option(
    "--pull-request",
    is_flag=True,
    help="Propose to take the drift over: open or update one pull or merge request with the files that say it.",
)
@selection
@click.pass_obj
def drift(
    chosen: Globals,
    outputs: tuple[Output, ...],
    host: str | None,
    pull_request: bool,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
) -> int:
    """Look for drift, and open, update or close the one issue about it.

    With --pull-request it is one pull or merge request instead, from a branch that belongs to this program; an issue is
    left for what the files cannot say. The state stays as it is until the request is merged and applied.
    """
    from reconciler.cli.telling import tell_of
    from reconciler.workflow.ci import report_drift
    from reconciler.workflow.notices import drifted
    from reconciler.workflow.plans.options import PlanOptions
    from reconciler.workflow.plans.planning import make_plan

    opened = session(chosen)
    run = pipeline(chosen, host)
    planned = chosen.screen.wait(make_plan(opened, PlanOptions(target, exclude, refresh_only=True)))
    show(outputs, lambda form: plan_view(planned.document, form), quiet=chosen.quiet)
    try:
        if pull_request:
            message = _proposed(chosen, opened, run, planned.document, PlanOptions(target, exclude))
        else:
            message = report_drift(run.host, planned.document, folder=folder_in_repository())
        advise(f"Drift: {message}.")
    finally:  # a host that takes no request and no issue keeps the drift from no receiver
        tell_of(opened, "drift", drifted(planned.document))
    return exit_code(planned.document, False)


def _proposed(chosen: Globals, opened: Session, run: PipelineRun, document: PlanDocument, options: PlanOptions) -> str:
    """Propose the files as they would be once what drifted is absorbed; those that are checked out stay as they are."""
    from reconciler.workflow.ci import propose_drift
    from reconciler.workflow.drift.absorbing import absorb

    base, branch, folder = run.commit, run.on_branch(), folder_in_repository()
    files: dict[str, str] = {}
    left: list[str] = []
    if document.changes:
        absorbed = chosen.screen.wait(absorb(opened, options, proposed=True))
        left = [str(line) for line in absorbed.refused]
        tell("Left alone: ", left)
        files = {PurePosixPath(folder, name).as_posix(): new.decode() for name, new in absorbed.files.items()}
    return propose_drift(run.host, document, files, left, base=base, target=branch, folder=folder)
