"""The example of an application: its file of ids is that of its configuration, and its code is held to it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from scripts.run_docs import Session
from tests import npm
from tests.ids.test_languages import MODERN, STRICT, TYPESCRIPT
from tests.required import OUTSIDE

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "saas"


def test_a_key_that_is_removed_breaks_the_build_of_the_application(tmp_path: Path) -> None:
    """The committed file is the one of now, and the application compiles with it; once a tag is no longer declared, the
    apply writes the file and the application does not compile.
    """
    example = Session(tmp_path / "project")
    example.home.mkdir()
    example.start(EXAMPLE)
    example.run("reconciler apply --auto-approve --quiet")
    assert example.run("reconciler ids --check") == ""
    assert example.code == 0
    shutil.copytree(example.home / "app", tmp_path / "before")
    config = example.home / "config/app.yaml"
    config.write_text(config.read_text("utf-8").replace('  trial_started: {name: "app: trial started"}\n', ""))
    assert "this removal ends an id that generated code uses (app/ids.ts)" in example.run("reconciler plan")
    example.run("reconciler apply --auto-approve --quiet --allow max_records_lost")
    assert example.code == 0
    shutil.copytree(example.home / "app", tmp_path / "after")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    tsc = npm.program("typescript", TYPESCRIPT, "bin/tsc")
    done = subprocess.run(
        [*tsc, *STRICT, *MODERN, "--noEmit", "before/trial.ts", "after/trial.ts"],
        cwd=tmp_path, env=OUTSIDE, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    [problem] = [line for line in done.stdout.splitlines() if "error TS" in line]
    assert problem.startswith("after/trial.ts(")
    assert "'trial_started'" in problem
