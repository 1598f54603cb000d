"""The files that code hosts and other programs read keep to the schemas that those publish, and to good manners."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.run_docs import Session

ROOT = Path(__file__).resolve().parent.parent.parent
WORKFLOWS = sorted((ROOT / "examples" / "github").glob("*.yml"))


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
    """The definition parses; the last stage takes only the installed program, runs as a user, and keeps its folder."""
    lines = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text("utf-8")).splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in steps} <= known
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
