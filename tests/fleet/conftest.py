"""A fleet in a folder, with one embedded account each."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import program
from reconciler.emulator import open_account
from tests.store.test_freezes import PROGRAM, follow

PROJECT = "version: 1\nenvironments:\n  dev: {url: 'emulator:dev.json'}\n"
CONFIG = """\
variables:
  greeting: {type: string, default: hello}
tags:
  vip: {name: VIP, description: "${var.greeting}"}
  gold: {name: Gold}
"""


HERE = ("-m", "reconciler")
"""The program as it is."""


@dataclass
class Ran:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


@dataclass
class Fleet:
    """The folder of a fleet."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = HERE

    def write(self, fleet: str, config: str = CONFIG) -> None:
        """Write the fleet file and its baseline `crm`."""
        baseline = self.folder / "baselines" / "crm"
        (baseline / "config").mkdir(parents=True, exist_ok=True)
        (self.folder / "accounts").mkdir(exist_ok=True)
        (baseline / "reconciler.yaml").write_text(PROJECT)
        (baseline / "config" / "main.yaml").write_text(config)
        (self.folder / "fleet.yaml").write_text(fleet)

    def command(self, *words: str) -> list[str]:
        """Return the command line."""
        return [sys.executable, *self.program, "--chdir", str(self.folder), "fleet", *words]

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            self.command(*words),
            env={**os.environ, "NO_COLOR": "1", **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> Ran:
        """Run a command to its end: here, unless the program is another one. To start Python takes as long as it."""
        if self.program not in (HERE, ("-c", PROGRAM, "0")):
            process = self.start(*words)
            out, err = process.communicate(timeout=180)
            return Ran(process.returncode, out, err)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {"NO_COLOR": "1", **self.environ}.items():
                patch.setenv(name, value)
            if self.program != HERE:
                return Ran(**vars(follow(self.folder, "fleet", *words)))
            said, told = io.StringIO(), io.StringIO()
            with redirect_stdout(said), redirect_stderr(told):
                code = program.run(["--chdir", str(self.folder), "fleet", *words])
            return Ran(code, said.getvalue(), told.getvalue())

    def tags(self, account: str) -> list[str]:
        """Return the names of the tags that an account holds."""
        opened = open_account(self.folder / "accounts" / f"{account}.json")
        try:
            return sorted(str(row["tag"]) for row in opened.rows.all("tags"))
        finally:
            opened.close()


def file_of(accounts: Mapping[str, str], more: str = "") -> str:
    """Return a fleet file with embedded accounts; each has what is said of it."""
    lines = [
        f"  {name}: {{url: 'emulator:accounts/{name}.json'{', ' + said if said else ''}}}"
        for name, said in accounts.items()
    ]
    return "\n".join([
        "version: 1",
        "baselines: {crm: {folder: baselines/crm, version: '1.0'}}",
        "defaults: {baseline: crm}",
        "accounts:",
        *lines,
        more,
    ])  # fmt: skip


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """An empty folder for a fleet."""
    return Fleet(tmp_path)
