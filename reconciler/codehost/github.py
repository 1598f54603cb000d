"""The few endpoints of GitHub that pipelines need (REST API, version 2022-11-28)."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import quote

from reconciler.codehost.calls import PER_PAGE, Calls, HostRow, inner, row_of, text, unpacked
from reconciler.model.codehost import Comment, Issue, Proposal, Vote, Web
from reconciler.model.redaction import Shown
from reconciler.model.values import Json, maps_of

VERSION = "2022-11-28"
HINT = (
    "GITHUB_TOKEN needs the permissions `pull-requests: write` and `issues: write` in the workflow; to open pull "
    "requests also `contents: write`, and that the repository lets workflows do so (Settings, Actions, General)"
)
WRITERS = ("admin", "write")
"""What `permission` says of those who may push; maintainers are reported as `write`."""


class GitHub:
    """Implements `CodeHost` for one repository (`owner/name`)."""

    limit = 65_536

    def __init__(self, url: str, repository: str, token: str, web: Web, **options: Any) -> None:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
        }
        self._calls = Calls(url, headers, web, token_hint=HINT, **options)
        self._path = f"/repos/{repository}"

    @cached_property
    def _me(self) -> str | None:
        """Login of the token's owner; None for the token of a workflow, which may not ask who it is."""
        user = self._calls.get_if_there("/user")
        return text(user, "login") if user else None

    def _is_mine(self, row: HostRow) -> bool:
        user = inner(row, "user")
        return user.get("login") == self._me if self._me is not None else user.get("type") == "Bot"

    def _comment(self, row: HostRow) -> Comment:
        return Comment(str(row["id"]), text(row, "body"), self._is_mine(row), text(row, "html_url"))

    def comments(self, number: int) -> Sequence[Comment]:
        return [self._comment(row) for row in self._calls.pages(f"{self._path}/issues/{number}/comments")]

    def comment(self, number: int, body: Shown) -> Comment:
        path = f"{self._path}/issues/{number}/comments"
        return self._comment(row_of(self._calls.send("POST", path, body={"body": body}).json()))

    def edit_comment(self, number: int, comment: str, body: Shown) -> Comment:
        path = f"{self._path}/issues/comments/{comment}"
        return self._comment(row_of(self._calls.send("PATCH", path, body={"body": body}).json()))

    def remove_comment(self, number: int, comment: str) -> None:
        self._calls.send("DELETE", f"{self._path}/issues/comments/{comment}", expect=(404,))

    def proposal(self, number: int) -> Proposal:
        return _proposal(row_of(self._calls.get(f"{self._path}/pulls/{number}")))

    def proposal_of(self, commit: str) -> Proposal | None:
        for row in self._calls.pages(f"{self._path}/commits/{commit}/pulls"):
            if row.get("merged_at") and row.get("merge_commit_sha") == commit:
                return _proposal(row)
        return None

    def votes(self, proposal: Proposal) -> Sequence[Vote]:
        """Reviews. One that was dismissed counts no more, a plain comment is not a vote, and programs have no say:
        every workflow of the request can speak with the token of the run.
        """
        rows = self._calls.pages(f"{self._path}/pulls/{proposal.number}/reviews")
        return [
            Vote(
                text(inner(row, "user"), "login"),
                text(row, "body"),
                row.get("commit_id") == proposal.head,
                row["state"] == "CHANGES_REQUESTED",
            )
            for row in rows
            if row["state"] in ("APPROVED", "CHANGES_REQUESTED") and inner(row, "user").get("type") != "Bot"
        ]

    def approve(self, proposal: Proposal, body: Shown) -> None:
        review = {"event": "APPROVE", "commit_id": proposal.head, "body": body}
        self._calls.send("POST", f"{self._path}/pulls/{proposal.number}/reviews", body=review)

    def may_approve(self, person: str) -> bool:
        answer = self._calls.get_if_there(f"{self._path}/collaborators/{person}/permission")
        return answer is not None and answer.get("permission") in WRITERS

    def issues(self, label: str) -> Sequence[Issue]:
        rows = self._calls.pages(f"{self._path}/issues", state="open", labels=label, sort="created", direction="asc")
        return [_issue(row) for row in rows if "pull_request" not in row and self._is_mine(row)]

    def open_issue(self, title: Shown, body: Shown, label: str) -> Issue:
        content = {"title": title, "body": body, "labels": [label]}
        return _issue(row_of(self._calls.send("POST", f"{self._path}/issues", body=content).json()))

    def edit_issue(self, issue: Issue, title: Shown, body: Shown) -> Issue:
        return self._patched(issue, {"title": title, "body": body})

    def close_issue(self, issue: Issue, body: Shown) -> None:
        self._patched(issue, {"body": body, "state": "closed", "state_reason": "completed"})

    def file(self, ref: str, path: str) -> bytes | None:
        content = self._calls.get_if_there(f"{self._path}/contents/{quote(path)}?ref={quote(ref, safe='')}")
        return base64.b64decode(text(content, "content")) if content is not None else None

    def commit(self, branch: str, base: str, message: Shown, files: Mapping[str, str]) -> None:
        """Write a tree, a commit and the branch: the one way to change several files at once."""
        git = f"{self._path}/git"
        start = row_of(self._calls.get(f"{git}/commits/{base}"))
        entries: list[Json] = [
            {"path": path, "mode": "100644", "type": "blob", "content": body} for path, body in files.items()
        ]
        tree = self._made(f"{git}/trees", {"base_tree": text(inner(start, "tree"), "sha"), "tree": entries})
        commit = self._made(f"{git}/commits", {"message": message, "tree": tree, "parents": [base]})
        if self._calls.get_if_there(f"{git}/ref/heads/{quote(branch)}") is None:
            self._made(f"{git}/refs", {"ref": f"refs/heads/{branch}", "sha": commit})
        else:
            self._calls.send("PATCH", f"{git}/refs/heads/{quote(branch)}", body={"sha": commit, "force": True})

    def _made(self, path: str, content: dict[str, Json]) -> str:
        return text(row_of(self._calls.send("POST", path, body=content).json()), "sha")

    def pulls(self, branch: str) -> Sequence[Issue]:
        owner = self._path.split("/")[2]
        rows = self._calls.pages(f"{self._path}/pulls", state="open", head=f"{owner}:{branch}")
        return [_issue(row) for row in rows if inner(row, "head").get("ref") == branch and self._is_mine(row)]

    def open_pull(self, title: Shown, body: Shown, branch: str, target: str) -> Issue:
        content = {"title": title, "body": body, "head": branch, "base": target}
        return _issue(row_of(self._calls.send("POST", f"{self._path}/pulls", body=content).json()))

    def edit_pull(self, pull: Issue, title: Shown, body: Shown) -> Issue:
        content = {"title": title, "body": body}
        return _issue(row_of(self._calls.send("PATCH", f"{self._path}/pulls/{pull.number}", body=content).json()))

    def close_pull(self, pull: Issue, body: Shown) -> None:
        self._calls.send("PATCH", f"{self._path}/pulls/{pull.number}", body={"body": body, "state": "closed"})

    def artifact(self, proposal: Proposal, name: str, file: str) -> bytes | None:
        listing = row_of(self._calls.get(f"{self._path}/actions/artifacts", name=name, per_page=PER_PAGE))
        for row in maps_of(listing["artifacts"]):
            if row["expired"] or row["name"] != name or inner(row, "workflow_run").get("head_sha") != proposal.head:
                continue
            return unpacked(self._calls.download(f"{self._path}/actions/artifacts/{row['id']}/zip"), file)
        return None

    def _patched(self, issue: Issue, content: dict[str, str]) -> Issue:
        return _issue(row_of(self._calls.send("PATCH", f"{self._path}/issues/{issue.number}", body=content).json()))


def _proposal(row: HostRow) -> Proposal:
    merged = bool(row.get("merged_at"))
    return Proposal(
        int(text(row, "number")),
        text(inner(row, "user"), "login"),
        text(inner(row, "head"), "sha"),
        text(inner(row, "base"), "ref"),
        merged,
    )


def _issue(row: HostRow) -> Issue:
    return Issue(int(text(row, "number")), text(row, "body"), text(row, "html_url"))
