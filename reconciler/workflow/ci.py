"""What pipelines do on a code host: one comment for each plan, approvals of exactly one digest, one issue for drift."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from reconciler.model.codehost import CodeHost, Proposal, Vote
from reconciler.model.document import PlanDocument
from reconciler.model.errors import Refused
from reconciler.model.records import record
from reconciler.model.redaction import published
from reconciler.render.comment import APPROVAL, drift_proposal, drift_report, drift_title, mark, plan_comment

LABEL = "reconciler-drift"
HOW = "To approve exactly this plan, {} with this line in it:"


@record
class Approved:
    """A plan that may be applied: the request that brought it, and who approved it."""

    proposal: Proposal
    by: tuple[str, ...]


def stick(host: CodeHost, number: int, document: PlanDocument, *, folder: str = "", how: str = "") -> str:
    """Write the comment about a plan, or update the one that is there; returns its address. Only comments of our own
    are touched: in one of another user, who could change what the plan seems to say.
    """
    body = published(plan_comment(document, limit=host.limit, folder=folder, how=how))
    first = mark("plan", document, folder)
    ours = [
        comment
        for comment in host.comments(number)
        if comment.mine and comment.body.partition("\n")[0].strip() == first
    ]
    for extra in ours[1:]:
        host.remove_comment(number, extra.id)
    if not ours:
        return host.comment(number, body).url
    if ours[0].body.rstrip() == body.rstrip():
        return ours[0].url
    return host.edit_comment(number, ours[0].id, body).url


def check_approval(host: CodeHost, document: PlanDocument, proposal: Proposal, *, needed: int = 1) -> Approved:
    """Return who approved exactly this plan. Raises Refused, with what is there instead.

    It counts when a user who may write, and did not open the request, names the digest about the newest commit, and
    it is the last that they said about this environment.
    """
    if document.tripped:
        raise Refused("a plan that guards stop cannot be approved", hint="have it planned again without what they stop")
    last: dict[str, Vote] = {}
    for vote in host.votes(proposal):
        if vote.against or _digests(vote, document.environment):
            last[vote.author] = vote
    against: list[str] = []
    by: list[str] = []
    why: list[str] = []
    for author, vote in last.items():
        problem = _problem(vote, document, proposal)
        if not vote.against and problem:
            why.append(f"{author} {problem}")
        elif not host.may_approve(author):
            why.append(f"{author} may not write to the repository")
        else:
            (against if vote.against else by).append(author)
    if against:
        raise Refused(f"{', '.join(against)} asks for changes", hint="the plan is applied once they approve")
    if len(by) < needed:
        reasons = f"; {'; '.join(why)}" if why else ""
        raise Refused(
            f"{len(by)} of {needed} approvals for the digest {document.digest}{reasons}",
            hint=f"approve with the line `reconciler approve {document.environment} {document.digest}`",
        )
    return Approved(proposal, tuple(by))


def _digests(vote: Vote, environment: str) -> list[str]:
    return [match["digest"] for match in APPROVAL.finditer(vote.body) if match["environment"] == environment]


def _problem(vote: Vote, document: PlanDocument, proposal: Proposal) -> str:
    if vote.author == proposal.author:
        return "opened the request and cannot approve it"
    if document.digest not in _digests(vote, document.environment):
        return "approved another plan"
    return "" if vote.current else "approved before the newest commit, or changed the words since"


def merged(host: CodeHost, commit: str, number: int | None = None) -> Proposal:
    """Return the merged request that brought a commit (or the one with this number). Raises Refused."""
    proposal = host.proposal(number) if number is not None else host.proposal_of(commit)
    if proposal is None:
        raise Refused(
            f"no merged request brought the commit {commit[:12]}, so no reviewer approved what it would apply",
            hint="plans are applied when a pull or merge request is merged; push to the target branch through one",
        )
    if not proposal.merged:
        raise Refused(f"request {proposal.number} is not merged", hint="its plan is applied once it is")
    return proposal


def drift_branch(document: PlanDocument, folder: str = "") -> str:
    """Return the branch of the proposal about an environment's drift. It is the program's own."""
    where = "-".join(re.findall(r"[A-Za-z0-9_]+", f"{folder} {document.environment}"))
    return f"reconciler/drift-{where}"


def propose_drift(
    host: CodeHost,
    document: PlanDocument,
    files: Mapping[str, str],
    left: Sequence[str],
    *,
    base: str,
    target: str,
    folder: str = "",
) -> str:
    """Open or update the one pull or merge request that takes an environment's drift over into the files, and return a
    sentence about it. `files` are the absorbed ones by their paths in the repository, `left` is what was not absorbed,
    `base` the commit that they were made on. Without files the request is closed, and an issue tells the rest.

    The branch is written only where its files differ: an approval of what is there already stays good.
    """
    branch = drift_branch(document, folder)
    ours = host.pulls(branch)
    body = published(drift_proposal(document, left, limit=host.limit, folder=folder))
    if not files:
        for pull in ours:
            host.close_pull(pull, body)
        closed = f"closed request {ours[0].number}; " if ours else ""
        return closed + report_drift(host, document, left, folder=folder)
    title = published(drift_title(document, folder))
    if not ours or any(host.file(branch, path) != text.encode() for path, text in files.items()):
        host.commit(branch, base, title, files)
    if ours:
        message = f"updated request {host.edit_pull(ours[0], title, body).number}"
    else:
        message = f"opened request {host.open_pull(title, body, branch, target).number}"
    first = mark("drift", document, folder)
    for issue in (issue for issue in host.issues(LABEL) if issue.body.partition("\n")[0].strip() == first):
        host.close_issue(issue, body)
    return message


def report_drift(host: CodeHost, document: PlanDocument, left: Sequence[str] = (), *, folder: str = "") -> str:
    """Open, update or close the one issue about this environment's drift, and return a sentence about it. `left` is
    what no request takes over, with the reasons.
    """
    first = mark("drift", document, folder)
    ours = [issue for issue in host.issues(LABEL) if issue.body.partition("\n")[0].strip() == first]
    body = published(drift_report(document, left, limit=host.limit, folder=folder))
    if not document.changes and not document.skipped and not document.tripped:
        for issue in ours:
            host.close_issue(issue, body)
        return f"closed issue {ours[0].number}: no drift any more" if ours else "no drift, and no open issue about any"
    if not document.changes and not document.tripped and not ours:
        return "no drift in what could be read, and no open issue about any"
    title = published(drift_title(document, folder))
    if not ours:
        return f"opened issue {host.open_issue(title, body, LABEL).number}"
    return f"updated issue {host.edit_issue(ours[0], title, body).number}"
