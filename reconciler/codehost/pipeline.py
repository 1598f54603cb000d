"""Where a pipeline runs: which code host, which request, which commit; read from the variables that hosts set."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reconciler.model.codehost import CodeHost, Web
from reconciler.model.errors import ReconcilerError
from reconciler.model.records import record

APPROVING = {
    "github": "approve the pull request (Review changes, Approve)",
    "gitlab": "write a comment on the merge request",
}


@record
class PipelineRun:
    """A run on a code host. `number` is that of the pull or merge request, None where the run is about none."""

    host: CodeHost
    name: str
    number: int | None
    commit: str
    branch: str = ""
    """Branch that the run is about; empty where it is about a tag or a request."""

    def on_branch(self) -> str:
        """Return the branch of the run. Raises ReconcilerError where there is none."""
        if not (self.branch and self.commit):
            raise ReconcilerError("this run is about no branch", hint="run it on a schedule of the target branch")
        return self.branch

    def proposed(self) -> int:
        """Return the number of the request. Raises ReconcilerError where there is none."""
        if self.number is None:
            raise ReconcilerError(
                "this run is about no pull or merge request", hint="name one with --pull NUMBER, or run it for one"
            )
        return self.number


def open_pipeline(
    environ: Mapping[str, str],
    web: Web,
    *,
    name: str | None = None,
    number: int | None = None,
    on_wait: Callable[[str, float], None] = lambda reason, seconds: None,
) -> PipelineRun:
    """Return the pipeline that the environment variables describe. Raises ReconcilerError for what is missing."""
    name = name or _detected(environ)
    if name == "github":
        from reconciler.codehost.github import GitHub

        url = environ.get("GITHUB_API_URL") or "https://api.github.com"
        repository, token = _needed(environ, "GITHUB_REPOSITORY"), _needed(environ, "GITHUB_TOKEN")
        github = GitHub(url, repository, token, web, on_wait=on_wait)
        branch = environ.get("GITHUB_REF", "").partition("refs/heads/")[2]
        commit = environ.get("GITHUB_SHA", "")
        return PipelineRun(github, name, number or _github_number(environ), commit, branch)
    from reconciler.codehost.gitlab import GitLab

    url, project = _needed(environ, "CI_API_V4_URL"), _needed(environ, "CI_PROJECT_ID")
    gitlab = GitLab(url, project, _needed(environ, "GITLAB_TOKEN"), web, on_wait=on_wait)
    given = environ.get("CI_MERGE_REQUEST_IID", "")
    number = number or (int(given) if given.isdigit() else None)
    return PipelineRun(gitlab, name, number, environ.get("CI_COMMIT_SHA", ""), environ.get("CI_COMMIT_BRANCH", ""))


def _detected(environ: Mapping[str, str]) -> str:
    if environ.get("GITLAB_CI") or environ.get("CI_API_V4_URL"):
        return "gitlab"
    if environ.get("GITHUB_ACTIONS") or environ.get("GITHUB_REPOSITORY"):
        return "github"
    raise ReconcilerError(
        "this is neither a run of GitHub Actions nor of GitLab CI",
        hint="set GITHUB_REPOSITORY and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN",
    )


def _needed(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        hints = {
            "GITHUB_TOKEN": "pass it to the step: `env: {GITHUB_TOKEN: ${{ github.token }}}`",
            "GITLAB_TOKEN": "add a masked CI/CD variable with a project access token (scope `api`, role Developer)",
        }
        raise ReconcilerError(f"{name} is not set", hint=hints.get(name, "the host sets it in its pipelines"))
    return value


def _github_number(environ: Mapping[str, str]) -> int | None:
    """Return the number of the pull request: of the ref, or of the event that started the run."""
    match = re.fullmatch(r"refs/pull/(\d+)/(?:merge|head)", environ.get("GITHUB_REF", ""))
    if match:
        return int(match.group(1))
    event = _event(environ.get("GITHUB_EVENT_PATH", ""))
    number = (event.get("pull_request") or {}).get("number")
    return number if isinstance(number, int) else None


def _event(path: str) -> dict[str, Any]:
    try:
        content = json.loads(Path(path).read_text("utf-8")) if path and Path(path).is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
