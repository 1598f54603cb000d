"""What the program asks of a code host: comments, approvals, issues. Values and the port that clients implement."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from reconciler.model.records import record
from reconciler.model.redaction import Shown
from reconciler.model.values import Json


@record
class HostAnswer:
    """What a code host answered, whole and unpacked. Names of headers are in lower case; `retry_after` are seconds."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300

    def json(self) -> Json:
        """Return its JSON. Raises ValueError."""
        try:
            return cast(Json, json.loads(self.content))
        except RecursionError as error:
            raise ValueError("it is nested without end") from error


class Web(Protocol):
    """Plain HTTP, as calls to code hosts need it."""

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        query: Mapping[str, str | int] | None = None,
        most: int,
        seconds: float,
    ) -> HostAnswer:
        """Send a request, with `body` as JSON, and return the answer, of so many bytes and in so many seconds at most.

        Raises Unreachable, which says whether it may have been sent, and RemoteError for an answer that does not end.
        """
        ...


@record
class Comment:
    """A comment; `mine` where it was written with our credentials, so that no other user can change what it says."""

    id: str
    body: str
    mine: bool
    url: str = ""


@record
class Proposal:
    """A pull or merge request. `head` is the SHA of its newest commit, `target` the branch it goes to."""

    number: int
    author: str
    head: str
    target: str
    merged: bool = False


@record
class Vote:
    """What a reviewer said about a proposal. `current` where it was said about its newest commit, and not changed
    since; `against` where it asks for changes.
    """

    author: str
    body: str
    current: bool
    against: bool = False


@record
class Issue:
    """An open issue of ours."""

    number: int
    body: str
    url: str = ""


class CodeHost(Protocol):
    """GitHub or GitLab; what is written there is for all who read there. Every method raises RemoteError,
    AuthError and Unreachable.
    """

    @property
    def limit(self) -> int:
        """How long a comment may be, in UTF-16 units."""

    def comments(self, number: int) -> Sequence[Comment]:
        """Return the comments of a proposal, oldest first."""

    def comment(self, number: int, body: Shown) -> Comment:
        """Write a comment."""

    def edit_comment(self, number: int, comment: str, body: Shown) -> Comment:
        """Replace what a comment says."""

    def remove_comment(self, number: int, comment: str) -> None:
        """Delete a comment."""

    def proposal(self, number: int) -> Proposal:
        """Return a proposal."""

    def proposal_of(self, commit: str) -> Proposal | None:
        """Return the merged proposal that brought a commit, None where there is none."""

    def votes(self, proposal: Proposal) -> Sequence[Vote]:
        """Return what was said about a proposal, oldest first."""

    def approve(self, proposal: Proposal, body: Shown) -> None:
        """Approve the newest commit of a proposal with these words."""

    def may_approve(self, person: str) -> bool:
        """Return whether a user may write to the repository."""

    def issues(self, label: str) -> Sequence[Issue]:
        """Return the open issues with a label that were opened with our credentials, oldest first."""

    def open_issue(self, title: Shown, body: Shown, label: str) -> Issue:
        """Open an issue."""

    def edit_issue(self, issue: Issue, title: Shown, body: Shown) -> Issue:
        """Replace what an issue says."""

    def close_issue(self, issue: Issue, body: Shown) -> None:
        """Close an issue with these last words as its text."""

    def file(self, ref: str, path: str) -> bytes | None:
        """Return a file of a branch or commit, None where it is not there."""

    def commit(self, branch: str, base: str, message: Shown, files: Mapping[str, str]) -> None:
        """Make a branch one commit behind which stands the commit `base`, with these texts in place of its files;
        whatever else was on the branch is gone.
        """

    def pulls(self, branch: str) -> Sequence[Issue]:
        """Return the open proposals from a branch of this repository that were opened with our credentials."""

    def open_pull(self, title: Shown, body: Shown, branch: str, target: str) -> Issue:
        """Propose to bring a branch into the target branch."""

    def edit_pull(self, pull: Issue, title: Shown, body: Shown) -> Issue:
        """Replace what a proposal says."""

    def close_pull(self, pull: Issue, body: Shown) -> None:
        """Close a proposal with these last words as its text."""

    def artifact(self, proposal: Proposal, name: str, file: str) -> bytes | None:
        """Return a file that the pipeline of a proposal's newest commit kept, None where it kept none. `name` is that
        of the artifact on GitHub, that of the job on GitLab.
        """
