"""A GitHub on the loopback interface: one repository, the few endpoints that pipelines use, and what they refuse.

Written from GitHub's REST documentation (version 2022-11-28): pages of at most 100 rows, comments of at most 65,536
characters, reviews that keep the commit they were made on, artifacts that redirect to a storage, and tokens of
workflows that may not ask who they are.
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.ci.serving import Answer, Call, Routes, serving

REPOSITORY = "acme/crm"
LONGEST = 65_536
TOKENS = {"workflow-token": "github-actions[bot]", "jane-token": "jane", "joe-token": "joe", "eve-token": "eve"}
PERMISSIONS = {"jane": "write", "max": "admin", "joe": "write", "eve": "read", "github-actions[bot]": "write"}


@dataclass
class GitHub:
    """The repository: what is in it, and every call that was made."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    branches: dict[str, dict[str, str]] = field(default_factory=dict)
    """Files by path that were committed to branches."""
    made: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    broken: list[Answer | None] = field(default_factory=list)
    """Answers that are given before anything else, first in first out; None lets one call through."""
    url: str = ""
    _last: int = 1000

    # --- what people and pipelines do elsewhere --------------------------------------------------------------------

    def open_pull(self, number: int, author: str, head: str) -> None:
        """Somebody opens a pull request."""
        self.pulls[number] = {
            "number": number,
            "user": {"login": author, "type": "User"},
            "head": {"sha": head},
            "base": {"ref": "main"},
            "merged_at": None,
            "merge_commit_sha": None,
        }

    def push(self, number: int, head: str) -> None:
        """Somebody pushes another commit."""
        self.pulls[number]["head"] = {"sha": head}

    def merge(self, number: int, commit: str) -> None:
        """Somebody merges."""
        self.pulls[number] |= {"merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": commit}

    def review(self, number: int, person: str, body: str, state: str = "APPROVED") -> None:
        """Somebody reviews the newest commit."""
        self.reviews.append(
            {
                "id": self._next(),
                "number": number,
                "user": _user(person),
                "body": body,
                "state": state,
                "commit_id": self.pulls[number]["head"]["sha"],
            }
        )

    def upload(self, name: str, head: str, files: dict[str, bytes], *, expired: bool = False) -> None:
        """A pipeline keeps an artifact."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        row = {"id": self._next(), "name": name, "expired": expired, "workflow_run": {"head_sha": head}}
        self.artifacts.insert(0, {**row, "content": packed.getvalue()})

    def write_comment(self, number: int, person: str, body: str) -> dict[str, Any]:
        """Somebody comments."""
        row = {"id": self._next(), "number": number, "user": _user(person), "body": body, "html_url": "https://gh/c"}
        self.comments.append(row)
        return row

    def _next(self) -> int:
        self._last += 1
        return self._last

    # --- endpoints -------------------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Answer:
        """Answer a call."""
        if call.path.startswith("/storage/"):
            assert "authorization" not in call.headers, "the storage must not see the token"
            found = next(row for row in self.artifacts if str(row["id"]) == call.path.rpartition("/")[2])
            return Answer(200, found["content"])
        self.calls.append(call)
        if self.broken and (answer := self.broken.pop(0)) is not None:
            return answer
        person = TOKENS.get(call.headers.get("authorization", "").removeprefix("Bearer "))
        if person is None:
            return Answer(401, {"message": "Bad credentials"})
        return ROUTES.answer(self, call, person)

    def user(self, call: Call, person: str) -> Answer:
        if person.endswith("[bot]"):
            return Answer(403, {"message": "Resource not accessible by integration"})
        return Answer(200, _user(person))

    def list_comments(self, call: Call, person: str, number: str) -> Answer:
        return call.page([row for row in self.comments if row["number"] == int(number)])

    def post_comment(self, call: Call, person: str, number: str) -> Answer:
        if len(call.body["body"]) > LONGEST:
            return Answer(422, {"message": "Validation Failed"})
        return Answer(201, self.write_comment(int(number), person, call.body["body"]))

    def patch_comment(self, call: Call, person: str, identity: str) -> Answer:
        if len(call.body["body"]) > LONGEST:
            return Answer(422, {"message": "Validation Failed"})
        row = next(row for row in self.comments if row["id"] == int(identity))
        row["body"] = call.body["body"]
        return Answer(200, row)

    def delete_comment(self, call: Call, person: str, identity: str) -> Answer:
        self.comments = [row for row in self.comments if row["id"] != int(identity)]
        return Answer(204, None)

    def get_pull(self, call: Call, person: str, number: str) -> Answer:
        found = self.pulls.get(int(number))
        return Answer(200, found) if found else Answer(404, {"message": "Not Found"})

    def pulls_of_commit(self, call: Call, person: str, commit: str) -> Answer:
        return call.page(
            [row for row in self.pulls.values() if commit in (row["merge_commit_sha"], row["head"]["sha"])]
        )

    def list_reviews(self, call: Call, person: str, number: str) -> Answer:
        return call.page([row for row in self.reviews if row["number"] == int(number)])

    def post_review(self, call: Call, person: str, number: str) -> Answer:
        if self.pulls[int(number)]["user"]["login"] == person:
            return Answer(422, {"message": "Unprocessable Entity", "errors": ["Can not approve your own pull request"]})
        assert call.body["event"] == "APPROVE"
        assert call.body["commit_id"] == self.pulls[int(number)]["head"]["sha"]
        self.review(int(number), person, call.body["body"])
        return Answer(200, self.reviews[-1])

    def permission(self, call: Call, person: str, login: str) -> Answer:
        level = PERMISSIONS.get(login)
        return Answer(200, {"permission": level}) if level else Answer(404, {"message": "Not Found"})

    def list_issues(self, call: Call, person: str) -> Answer:
        label = call.query["labels"]
        return call.page([row for row in self.issues if row["state"] == "open" and label in row["labels"]])

    def post_issue(self, call: Call, person: str) -> Answer:
        row = {"number": self._next(), "state": "open", "user": _user(person), **call.body}
        self.issues.append(row)
        return Answer(201, row)

    def patch_issue(self, call: Call, person: str, number: str) -> Answer:
        row = next(row for row in self.issues if row["number"] == int(number))
        row |= call.body
        return Answer(200, row)

    def get_file(self, call: Call, person: str, path: str) -> Answer:
        held = self.branches.get(call.query["ref"], {}).get(path)
        if held is None:
            return Answer(404, {"message": "Not Found"})
        return Answer(200, {"content": base64.encodebytes(held.encode()).decode(), "encoding": "base64"})

    def get_commit(self, call: Call, person: str, sha: str) -> Answer:
        return Answer(200, {"sha": sha, "tree": {"sha": f"tree-of-{sha}"}})

    def post_tree(self, call: Call, person: str) -> Answer:
        assert call.body["base_tree"].startswith("tree-of-")
        self.made["tree"] = {entry["path"]: entry["content"] for entry in call.body["tree"]}
        return Answer(201, {"sha": "made-tree"})

    def post_commit(self, call: Call, person: str) -> Answer:
        assert call.body["tree"] == "made-tree"
        return Answer(201, {"sha": f"commit-{self._next()}"})

    def get_ref(self, call: Call, person: str, branch: str) -> Answer:
        return Answer(200, {"ref": branch}) if branch in self.branches else Answer(404, {"message": "Not Found"})

    def post_ref(self, call: Call, person: str) -> Answer:
        self.branches[call.body["ref"].removeprefix("refs/heads/")] = self.made["tree"]
        return Answer(201, {"sha": call.body["sha"]})

    def patch_ref(self, call: Call, person: str, branch: str) -> Answer:
        assert call.body["force"] is True
        self.branches[branch] = self.made["tree"]
        return Answer(200, {"sha": call.body["sha"]})

    def list_pulls(self, call: Call, person: str) -> Answer:
        owner, _, branch = call.query["head"].partition(":")
        assert owner == REPOSITORY.partition("/")[0]
        rows = [row for row in self.pulls.values() if row["head"].get("ref") == branch and row["state"] == "open"]
        return call.page(rows)

    def post_pull(self, call: Call, person: str) -> Answer:
        row = {"number": self._next(), "state": "open", "user": _user(person), **call.body}
        self.pulls[row["number"]] = {**row, "head": {"ref": call.body["head"]}}
        return Answer(201, row)

    def patch_pull(self, call: Call, person: str, number: str) -> Answer:
        self.pulls[int(number)] |= call.body
        return Answer(200, self.pulls[int(number)])

    def list_artifacts(self, call: Call, person: str) -> Answer:
        rows = [
            {name: value for name, value in row.items() if name != "content"}
            for row in self.artifacts
            if row["name"] == call.query["name"]
        ]
        return Answer(200, {"total_count": len(rows), "artifacts": rows})

    def zip(self, call: Call, person: str, identity: str) -> Answer:
        return Answer(302, None, {"location": f"{self.url}/storage/{identity}"})


def _user(person: str) -> dict[str, str]:
    return {"login": person, "type": "Bot" if person.endswith("[bot]") else "User"}


R = f"/repos/{REPOSITORY}"
ROUTES = Routes(
    ("GET", "/user", GitHub.user),
    ("GET", rf"{R}/issues/(\d+)/comments", GitHub.list_comments),
    ("POST", rf"{R}/issues/(\d+)/comments", GitHub.post_comment),
    ("PATCH", rf"{R}/issues/comments/(\d+)", GitHub.patch_comment),
    ("DELETE", rf"{R}/issues/comments/(\d+)", GitHub.delete_comment),
    ("GET", rf"{R}/contents/(.+)", GitHub.get_file),
    ("GET", rf"{R}/git/commits/(\w+)", GitHub.get_commit),
    ("POST", rf"{R}/git/trees", GitHub.post_tree),
    ("POST", rf"{R}/git/commits", GitHub.post_commit),
    ("GET", rf"{R}/git/ref/heads/(.+)", GitHub.get_ref),
    ("POST", rf"{R}/git/refs", GitHub.post_ref),
    ("PATCH", rf"{R}/git/refs/heads/(.+)", GitHub.patch_ref),
    ("GET", rf"{R}/pulls", GitHub.list_pulls),
    ("POST", rf"{R}/pulls", GitHub.post_pull),
    ("PATCH", rf"{R}/pulls/(\d+)", GitHub.patch_pull),
    ("GET", rf"{R}/pulls/(\d+)", GitHub.get_pull),
    ("GET", rf"{R}/commits/(\w+)/pulls", GitHub.pulls_of_commit),
    ("GET", rf"{R}/pulls/(\d+)/reviews", GitHub.list_reviews),
    ("POST", rf"{R}/pulls/(\d+)/reviews", GitHub.post_review),
    ("GET", rf"{R}/collaborators/([^/]+)/permission", GitHub.permission),
    ("GET", rf"{R}/issues", GitHub.list_issues),
    ("POST", rf"{R}/issues", GitHub.post_issue),
    ("PATCH", rf"{R}/issues/(\d+)", GitHub.patch_issue),
    ("GET", rf"{R}/actions/artifacts", GitHub.list_artifacts),
    ("GET", rf"{R}/actions/artifacts/(\d+)/zip", GitHub.zip),
)


@contextmanager
def github() -> Iterator[GitHub]:
    """Serve a repository."""
    made = GitHub()
    with serving(made.answer) as made.url:
        yield made
