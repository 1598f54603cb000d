"""What a run about a pull or merge request may follow. What such a request names is not reviewed yet, so a run follows
only what the target branch (`--guards-from`) names: programs and files of secrets, repositories of baselines. The one
place that says so, for every command.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.model.errors import Refused

_REQUEST = (
    "CI_MERGE_REQUEST_IID",
    "CI_EXTERNAL_PULL_REQUEST_IID",
    "BITBUCKET_PR_ID",
    "CHANGE_ID",
    "SYSTEM_PULLREQUEST_PULLREQUESTID",
    "CIRCLE_PULL_REQUEST",
    "BUILDKITE_PULL_REQUEST",
    "TRAVIS_PULL_REQUEST",
    "DRONE_PULL_REQUEST",
)
"""Variables that pipelines set for requests: GitLab, Bitbucket, Jenkins, Azure, CircleCI, Buildkite, Travis, Drone."""
HINT = "use --guards-from with the target branch: its project file says where secrets and baselines come from"


def in_request(environ: Mapping[str, str]) -> bool:
    """Return whether this is a run about a request: what runs there is not reviewed yet."""
    github = environ.get("GITHUB_EVENT_NAME", "").startswith("pull_request")
    return github or any(environ.get(name, "").lower() not in ("", "false") for name in _REQUEST)


def unreviewed(environ: Mapping[str, str], source: str) -> bool:
    """Return whether the settings of a run are those of the request that it is about; `source` is what rules else."""
    return not source and in_request(environ)


def refuse_unreviewed(environ: Mapping[str, str], source: str, what: str) -> None:
    """Raise Refused where a run would follow `what` only the request itself names."""
    if unreviewed(environ, source):
        raise Refused(f"a run about a request follows no {what} that the request itself names", hint=HINT)
