"""The few endpoints of GitLab that pipelines need (REST API v4)."""

from __future__ import annotations

import base64
import datetime
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

from reconciler.codehost.calls import Calls, HostRow, inner, row_of, text
from reconciler.model.codehost import Comment, Issue, Proposal, Vote, Web
from reconciler.model.coerce import number
from reconciler.model.redaction import Shown
from reconciler.model.values import Json

HINT = "GITLAB_TOKEN has to be a project access token with the scope `api` and the role Developer"
BOT = re.compile(r"(?:project|group)_\d+_bot")
"""Names of the users behind project and group access tokens."""
DEVELOPER = 30
"""Access level from which a member may push to unprotected branches."""


class GitLab:
    """Implements `CodeHost` for one project (its id or path). People are named by their user ids."""

    limit = 1_000_000

    def __init__(self, url: str, project: str, token: str, web: Web, **options: Any) -> None:
        self._calls = Calls(url, {"PRIVATE-TOKEN": token}, web, token_hint=HINT, **options)
        self._path = f"/projects/{quote(project, safe='')}"

    @cached_property
    def _me(self) -> str:
        return str(row_of(self._calls.get("/user"))["id"])

    def _notes(self, number: int) -> str:
        return f"{self._path}/merge_requests/{number}/notes"

    def _comment(self, row: HostRow) -> Comment:
        return Comment(str(row["id"]), text(row, "body"), _author(row) == self._me)

    def comments(self, number: int) -> Sequence[Comment]:
        rows = self._calls.pages(self._notes(number), sort="asc", order_by="created_at")
        return [self._comment(row) for row in rows if not row.get("system")]

    def comment(self, number: int, body: Shown) -> Comment:
        return self._comment(row_of(self._calls.send("POST", self._notes(number), body={"body": body}).json()))

    def edit_comment(self, number: int, comment: str, body: Shown) -> Comment:
        path = f"{self._notes(number)}/{comment}"
        return self._comment(row_of(self._calls.send("PUT", path, body={"body": body}).json()))

    def remove_comment(self, number: int, comment: str) -> None:
        self._calls.send("DELETE", f"{self._notes(number)}/{comment}", expect=(404,))

    def proposal(self, number: int) -> Proposal:
        return _proposal(row_of(self._calls.get(f"{self._path}/merge_requests/{number}")))

    def proposal_of(self, commit: str) -> Proposal | None:
        for row in self._calls.pages(f"{self._path}/repository/commits/{commit}/merge_requests"):
            if row["state"] == "merged" and commit in (row.get("merge_commit_sha"), row.get("squash_commit_sha")):
                return _proposal(row)
        return None

    def votes(self, proposal: Proposal) -> Sequence[Vote]:
        """Notes: an approval of GitLab's own carries no text, so the words count. One that is older than the newest
        commit, or was edited, is about something else. Tokens of projects and groups have no say, nor has ours: every
        job of the request can speak with them.
        """
        versions = list(self._calls.pages(f"{self._path}/merge_requests/{proposal.number}/versions"))
        newest = max((_time(text(row, "created_at")) for row in versions), default=None)
        current = {row.get("head_commit_sha") for row in versions if _time(text(row, "created_at")) == newest}
        rows = self._calls.pages(self._notes(proposal.number), sort="asc", order_by="created_at")
        return [
            Vote(
                _author(row),
                text(row, "body"),
                newest is not None
                and current == {proposal.head}
                and _time(text(row, "created_at")) > newest
                and row.get("updated_at") == row["created_at"],
            )
            for row in rows
            if not row.get("system")
            and _author(row) != self._me
            and not BOT.match(text(inner(row, "author"), "username"))
        ]

    def approve(self, proposal: Proposal, body: Shown) -> None:
        """Write the words, then approve in GitLab's own way where the plan offers it."""
        self.comment(proposal.number, body)
        path = f"{self._path}/merge_requests/{proposal.number}/approve"
        self._calls.send("POST", path, body={"sha": proposal.head}, expect=(401, 403, 404))

    def may_approve(self, person: str) -> bool:
        member = self._calls.get_if_there(f"{self._path}/members/all/{person}")
        return (
            member is not None
            and member.get("state") == "active"
            and (number(member.get("access_level")) or 0) >= DEVELOPER
        )

    def issues(self, label: str) -> Sequence[Issue]:
        rows = self._calls.pages(f"{self._path}/issues", state="opened", labels=label, sort="asc")
        return [_issue(row) for row in rows if _author(row) == self._me]

    def open_issue(self, title: Shown, body: Shown, label: str) -> Issue:
        content = {"title": title, "description": body, "labels": label}
        return _issue(row_of(self._calls.send("POST", f"{self._path}/issues", body=content).json()))

    def edit_issue(self, issue: Issue, title: Shown, body: Shown) -> Issue:
        return self._put(issue, {"title": title, "description": body})

    def close_issue(self, issue: Issue, body: Shown) -> None:
        self._put(issue, {"description": body, "state_event": "close"})

    def file(self, ref: str, path: str) -> bytes | None:
        where = f"{self._path}/repository/files/{quote(path, safe='')}?ref={quote(ref, safe='')}"
        content = self._calls.get_if_there(where)
        return base64.b64decode(text(content, "content")) if content is not None else None

    def commit(self, branch: str, base: str, message: Shown, files: Mapping[str, str]) -> None:
        actions: list[Json] = [
            {"action": "create" if self.file(base, path) is None else "update", "file_path": path, "content": body}
            for path, body in files.items()
        ]
        content: dict[str, Json] = {
            "branch": branch,
            "start_sha": base,
            "force": True,
            "commit_message": message,
            "actions": actions,
        }
        self._calls.send("POST", f"{self._path}/repository/commits", body=content)

    def pulls(self, branch: str) -> Sequence[Issue]:
        rows = self._calls.pages(f"{self._path}/merge_requests", state="opened", source_branch=branch)
        return [_issue(row) for row in rows if _author(row) == self._me]

    def open_pull(self, title: Shown, body: Shown, branch: str, target: str) -> Issue:
        content = {"title": title, "description": body, "source_branch": branch, "target_branch": target}
        return _issue(row_of(self._calls.send("POST", f"{self._path}/merge_requests", body=content).json()))

    def edit_pull(self, pull: Issue, title: Shown, body: Shown) -> Issue:
        return self._put(pull, {"title": title, "description": body}, "merge_requests")

    def close_pull(self, pull: Issue, body: Shown) -> None:
        self._put(pull, {"description": body, "state_event": "close"}, "merge_requests")

    def artifact(self, proposal: Proposal, name: str, file: str) -> bytes | None:
        for pipeline in self._calls.pages(f"{self._path}/merge_requests/{proposal.number}/pipelines"):
            if pipeline["sha"] != proposal.head:
                continue
            for job in self._calls.pages(f"{self._path}/pipelines/{pipeline['id']}/jobs"):
                if job["name"] == name and job["status"] == "success":
                    return self._calls.download(f"{self._path}/jobs/{job['id']}/artifacts/{quote(file)}")
        return None

    def _put(self, issue: Issue, content: dict[str, str], what: str = "issues") -> Issue:
        return _issue(row_of(self._calls.send("PUT", f"{self._path}/{what}/{issue.number}", body=content).json()))


def _author(row: HostRow) -> str:
    return text(inner(row, "author"), "id")


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _proposal(row: HostRow) -> Proposal:
    return Proposal(
        int(text(row, "iid")), _author(row), text(row, "sha"), text(row, "target_branch"), row["state"] == "merged"
    )


def _issue(row: HostRow) -> Issue:
    return Issue(int(text(row, "iid")), text(row, "description"), text(row, "web_url"))
