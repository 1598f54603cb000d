"""A GitLab on the loopback interface: one project, the few endpoints that pipelines use, and what they refuse.

Written from GitLab's REST documentation (v4): people are numbers, notes carry times and no commit, versions of a merge
request say when its newest commit came, and artifacts belong to jobs.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.ci.serving import Answer, Call, Routes, serving

PROJECT = "42"
PEOPLE = {"project-token": 7, "jane-token": 1, "joe-token": 2, "eve-token": 3}
LEVELS = {7: 30, 8: 40, 1: 40, 2: 30, 3: 20}
BOTS = (7, 8)
LONGEST = 1_000_000


@dataclass
class GitLab:
    """The project: what is in it."""

    requests: dict[int, dict[str, Any]] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    branches: dict[str, dict[str, str]] = field(default_factory=dict)
    """Files by path of branches and commits."""
    approvals: list[int] = field(default_factory=list)
    broken: list[Answer | None] = field(default_factory=list)
    """What the next calls are answered instead; None for an answer as usual."""
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    _ticks: Iterator[int] = field(default_factory=itertools.count)

    # --- what people and pipelines do elsewhere --------------------------------------------------------------------

    def open_request(self, iid: int, author: int, head: str) -> None:
        """Somebody opens a merge request."""
        self.requests[iid] = {"iid": iid, "author": {"id": author}, "state": "opened", "target_branch": "main"}
        self.push(iid, head)

    def push(self, iid: int, head: str) -> None:
        """Somebody pushes another commit."""
        self.requests[iid]["sha"] = head
        self.versions.insert(0, {"iid": iid, "head_commit_sha": head, "created_at": self._now()})

    def merge(self, iid: int, commit: str) -> None:
        """Somebody merges."""
        self.requests[iid] |= {"state": "merged", "merge_commit_sha": commit, "squash_commit_sha": None}

    def note(self, iid: int, author: int, body: str, *, system: bool = False) -> dict[str, Any]:
        """Somebody comments."""
        now = self._now()
        row = {"id": 100 + len(self.notes), "iid": iid, "author": _person(author), "body": body, "system": system}
        self.notes.append({**row, "created_at": now, "updated_at": now})
        return self.notes[-1]

    def edit(self, note: dict[str, Any], body: str) -> None:
        """Somebody changes a comment."""
        note |= {"body": body, "updated_at": self._now()}

    def keep(self, iid: int, job: str, path: str, content: bytes, *, sha: str) -> None:
        """A job keeps an artifact."""
        row = {"id": 500 + len(self.jobs), "name": job, "status": "success", "iid": iid, "sha": sha}
        self.jobs.append({**row, "path": path, "content": content})

    def _now(self) -> str:
        return f"2026-01-01T00:{next(self._ticks):02d}:00.000Z"

    # --- endpoints -------------------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Answer:
        """Answer a call."""
        self.calls.append(call)
        if self.broken and (answer := self.broken.pop(0)) is not None:
            return answer
        person = PEOPLE.get(call.headers.get("private-token", ""))
        return Answer(401, {"message": "401 Unauthorized"}) if person is None else ROUTES.answer(self, call, person)

    def user(self, call: Call, person: int) -> Answer:
        return Answer(200, {"id": person, "username": f"user{person}"})

    def list_notes(self, call: Call, person: int, iid: str) -> Answer:
        return call.page([row for row in self.notes if row["iid"] == int(iid)])

    def post_note(self, call: Call, person: int, iid: str) -> Answer:
        if len(call.body["body"]) > LONGEST:
            return Answer(400, {"message": "Note is too long"})
        return Answer(201, self.note(int(iid), person, call.body["body"]))

    def put_note(self, call: Call, person: int, iid: str, identity: str) -> Answer:
        row = next(row for row in self.notes if row["id"] == int(identity))
        if row["author"]["id"] != person:
            return Answer(403, {"message": "403 Forbidden"})
        self.edit(row, call.body["body"])
        return Answer(200, row)

    def get_request(self, call: Call, person: int, iid: str) -> Answer:
        found = self.requests.get(int(iid))
        return Answer(200, found) if found else Answer(404, {"message": "404 Not found"})

    def requests_of_commit(self, call: Call, person: int, commit: str) -> Answer:
        return call.page([row for row in self.requests.values() if row.get("merge_commit_sha") == commit])

    def list_versions(self, call: Call, person: int, iid: str) -> Answer:
        return call.page([row for row in self.versions if row["iid"] == int(iid)])

    def post_approval(self, call: Call, person: int, iid: str) -> Answer:
        if call.body["sha"] != self.requests[int(iid)]["sha"]:
            return Answer(409, {"message": "SHA does not match HEAD of source branch"})
        self.approvals.append(person)
        return Answer(201, {})

    def member(self, call: Call, person: int, identity: str) -> Answer:
        level = LEVELS.get(int(identity))
        row = {"id": int(identity), "state": "active", "access_level": level}
        return Answer(200, row) if level else Answer(404, {"message": "404 Not found"})

    def list_issues(self, call: Call, person: int) -> Answer:
        label = call.query["labels"]
        return call.page([row for row in self.issues if row["state"] == "opened" and row["labels"] == label])

    def post_issue(self, call: Call, person: int) -> Answer:
        row = {"iid": 1 + len(self.issues), "state": "opened", "author": {"id": person}, **call.body}
        self.issues.append(row)
        return Answer(201, row)

    def put_issue(self, call: Call, person: int, iid: str) -> Answer:
        row = next(row for row in self.issues if row["iid"] == int(iid))
        row |= call.body
        if call.body.get("state_event") == "close":
            row["state"] = "closed"
        return Answer(200, row)

    def get_file(self, call: Call, person: int, path: str) -> Answer:
        held = self.branches.get(call.query["ref"], {}).get(unquote(path))
        if held is None:
            return Answer(404, {"message": "404 File Not Found"})
        return Answer(200, {"content": base64.b64encode(held.encode()).decode(), "encoding": "base64"})

    def post_commit(self, call: Call, person: int) -> Answer:
        start = self.branches.get(call.body["start_sha"], {})
        for action in call.body["actions"]:
            if (action["action"] == "update") != (action["file_path"] in start):
                return Answer(400, {"message": "A file with this name does or does not exist"})
        changed = {action["file_path"]: action["content"] for action in call.body["actions"]}
        assert call.body["force"] is True
        self.branches[call.body["branch"]] = {**start, **changed}
        return Answer(201, {"id": "commit"})

    def list_requests(self, call: Call, person: int) -> Answer:
        branch = call.query["source_branch"]
        return call.page(
            [row for row in self.requests.values() if row.get("source_branch") == branch and row["state"] == "opened"]
        )

    def post_request(self, call: Call, person: int) -> Answer:
        row = {"iid": 40 + len(self.requests), "state": "opened", "author": {"id": person}, **call.body}
        self.requests[row["iid"]] = row
        return Answer(201, row)

    def put_request(self, call: Call, person: int, iid: str) -> Answer:
        row = self.requests[int(iid)]
        row |= call.body
        if call.body.get("state_event") == "close":
            row["state"] = "closed"
        return Answer(200, row)

    def pipelines(self, call: Call, person: int, iid: str) -> Answer:
        return call.page([{"id": row["id"], "sha": row["sha"]} for row in self.jobs if row["iid"] == int(iid)])

    def jobs_of(self, call: Call, person: int, identity: str) -> Answer:
        rows = [row for row in self.jobs if row["id"] == int(identity)]
        return call.page([{name: row[name] for name in ("id", "name", "status")} for row in rows])

    def artifact(self, call: Call, person: int, identity: str, path: str) -> Answer:
        row = next(row for row in self.jobs if row["id"] == int(identity))
        return Answer(200, row["content"]) if row["path"] == path else Answer(404, {"message": "404 Not Found"})


def _person(identity: int) -> dict[str, Any]:
    return {"id": identity, "username": f"project_{PROJECT}_bot_{identity}" if identity in BOTS else f"user{identity}"}


P = f"/projects/{PROJECT}"
M = rf"{P}/merge_requests/(\d+)"
ROUTES = Routes(
    ("GET", "/user", GitLab.user),
    ("GET", rf"{M}/notes", GitLab.list_notes),
    ("POST", rf"{M}/notes", GitLab.post_note),
    ("PUT", rf"{M}/notes/(\d+)", GitLab.put_note),
    ("GET", rf"{P}/repository/files/(.+)", GitLab.get_file),
    ("POST", rf"{P}/repository/commits", GitLab.post_commit),
    ("GET", rf"{P}/merge_requests", GitLab.list_requests),
    ("POST", rf"{P}/merge_requests", GitLab.post_request),
    ("PUT", M, GitLab.put_request),
    ("GET", M, GitLab.get_request),
    ("GET", rf"{P}/repository/commits/(\w+)/merge_requests", GitLab.requests_of_commit),
    ("GET", rf"{M}/versions", GitLab.list_versions),
    ("POST", rf"{M}/approve", GitLab.post_approval),
    ("GET", rf"{P}/members/all/(\d+)", GitLab.member),
    ("GET", rf"{P}/issues", GitLab.list_issues),
    ("POST", rf"{P}/issues", GitLab.post_issue),
    ("PUT", rf"{P}/issues/(\d+)", GitLab.put_issue),
    ("GET", rf"{M}/pipelines", GitLab.pipelines),
    ("GET", rf"{P}/pipelines/(\d+)/jobs", GitLab.jobs_of),
    ("GET", rf"{P}/jobs/(\d+)/artifacts/(.+)", GitLab.artifact),
)


@contextmanager
def gitlab() -> Iterator[GitLab]:
    """Serve a project."""
    made = GitLab()
    with serving(made.answer) as made.url:
        yield made
