"""The files that code hosts and other programs read keep to the schemas that those publish, and to good manners."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import files, packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler import __version__
from scripts.run_docs import Session

ROOT = Path(__file__).resolve().parent.parent.parent
RELEASE = ROOT / ".github" / "workflows" / "release.yml"
WORKFLOWS = [*sorted((ROOT / "examples" / "github").glob("*.yml")), RELEASE]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the clone."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.gitlab-ci", [ROOT / "ci" / "gitlab.yml"]),
    ],
    ids=["action", "workflows", "gitlab"],
)
def test_hosts_accept_the_files(schema: str, paths: list[Path]) -> None:
    """The action, the example workflows and the GitLab template keep to the hosts' schemas."""
    assert paths
    done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", [ROOT / "action.yml", *WORKFLOWS], ids=lambda path: path.name)
def test_zizmor_finds_nothing(path: Path) -> None:
    """Not even its pedantic persona: no injection, no loose permissions, nothing unpinned."""
    [zizmor] = [str(file.locate()) for file in files("zizmor") or () if file.name in ("zizmor", "zizmor.exe")]
    done = run(zizmor, "--offline", "--no-progress", "--persona=pedantic", str(path))
    assert done.returncode == 0, done.stdout
    assert "No findings to report" in done.stdout + done.stderr


@pytest.mark.parametrize(("tag", "code"), [(f"v{__version__}", 0), (__version__, 1), ("v9.9.9", 1)])
def test_a_tag_is_the_version_that_is_released(tag: str, code: int) -> None:
    """A wheel of another version than its tag says is not released."""
    steps = yaml.safe_load(RELEASE.read_text("utf-8"))["jobs"]["wheel"]["steps"]
    (check,) = [step["run"] for step in steps if step.get("name", "").startswith("The tag")]
    done = subprocess.run(["sh", "-c", check], cwd=ROOT, env=os.environ | {"GITHUB_REF_NAME": tag}, check=False)
    assert done.returncode == code


def test_zizmor_would_find_something(tmp_path: Path) -> None:
    """An action that puts an input into a script is reported, so the test above can fail."""
    bad = tmp_path / "action.yml"
    text = (ROOT / "action.yml").read_text("utf-8")
    bad.write_text(text.replace('exit "$CODE"', "exit ${{ inputs.approvals }}"), "utf-8")
    [zizmor] = [str(file.locate()) for file in files("zizmor") or () if file.name in ("zizmor", "zizmor.exe")]
    assert "template-injection" in run(zizmor, "--offline", "--no-progress", str(bad)).stdout


def test_hooks_run_what_they_promise(tmp_path: Path) -> None:
    """Each hook's command passes on a good project and fails on a bad one."""
    hooks: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert {hook["entry"] for hook in hooks} == {"reconciler validate", "reconciler fmt --check"}
    for hook in hooks:
        assert {"id", "name", "entry", "language", "files"} <= set(hook)
        session = Session(tmp_path / hook["id"])
        session.home.mkdir()
        session.run("reconciler init .")
        good = session.run(hook["entry"])
        assert session.code == 0, good
        session.write("config/crm.yaml", "tags:\n      vip:   {nam:   x}\n")
        session.run(hook["entry"])
        assert session.code != 0, hook["entry"]


def test_the_image_is_small_and_not_roots() -> None:
    """The definition parses; it installs every extra; the last stage takes only the installed program, runs as a user,
    and keeps its folder.
    """
    lines = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text("utf-8")).splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in steps} <= known
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"])
    [installed] = re.findall(r"'\.\[([\w,]+)\]'", " ".join(rest for name, rest in steps if name == "RUN"))
    assert set(installed.split(",")) == extras
    last = max(index for index, (name, _) in enumerate(steps) if name == "FROM")
    final = steps[last:]
    assert [rest for name, rest in final if name == "COPY"] == ["--from=build /opt/reconciler /opt/reconciler"]
    [user] = [rest for name, rest in final if name == "USER"]
    assert user.partition(":")[0].isdigit()
    assert user.partition(":")[0] != "0"
    for name, rest in steps[:last]:
        for source in rest.split()[:-1] if name == "COPY" else ():
            assert (ROOT / source).exists(), source
    for name, rest in steps:
        if name == "RUN":
            assert run("bash", "-n", "-c", rest).returncode == 0, rest


def test_what_the_image_is_built_from_is_not_left_out() -> None:
    """Whatever a COPY takes from the clone is let through by .dockerignore, and what the clone's tools leave is not."""
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Containerfile").read_text("utf-8"), re.M)
    assert kept == {source for line in copied for source in line.split()}


def test_each_extra_is_tried_in_the_image() -> None:
    """`check_image.sh` imports a module of every package that an extra installs."""
    lines = re.findall(r"\bimport ([\w., ]+)", (ROOT / "scripts" / "check_image.sh").read_text("utf-8"))
    owners = packages_distributions()
    modules = [name.partition(".")[0] for line in lines for name in line.split(", ")]
    tried = {owner.replace("_", "-") for name in modules for owner in owners[name]}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    wanted = {re.split(r"[\[<>=]", need)[0] for needs in extras.values() for need in needs}
    assert "dbos" in wanted
    assert wanted - tried == set()


RUNTIME = """\
#!/bin/sh
echo "$*" >> "$LOG"
case "$1" in
  info|pull|build) [ "$1" != "$FAILS" ] ;;
  run) case "$*" in
    *" id "*) echo "${USER_ID:-10001}" ;;
    *-c*) [ "$FAILS" != extras ] ;;
    *) echo "reconciler 9" ;;
  esac ;;
esac
"""


@pytest.mark.parametrize(
    ("fails", "code", "said"),
    [
        ("none", 0, "the image has the program and every extra"),
        ("info", 0, "skipped: the image was not built: no container runtime answers on this machine"),
        ("pull", 0, "skipped: the image was not built: podman cannot get the base image python:"),
        ("build", 1, ""),
        ("extras", 1, ""),
        ("root", 1, ""),
    ],
)
def test_the_image_is_built_where_it_can_be(tmp_path: Path, fails: str, code: int, said: str) -> None:
    """Without a runtime or the base image that is said, and nothing else passes for success."""
    for name in ("podman", "docker"):
        (tmp_path / name).write_text(RUNTIME, "utf-8")
        (tmp_path / name).chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LOG": str(tmp_path / "log"), "FAILS": fails}
    environ |= {"USER_ID": "0"} if fails == "root" else {}
    command = ["bash", str(ROOT / "scripts" / "check_image.sh")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout
    assert ("every extra" in done.stdout) == (fails == "none")
    removed = any(line.startswith("rmi ") for line in (tmp_path / "log").read_text("utf-8").splitlines())
    assert removed == (fails in ("none", "extras", "root"))
