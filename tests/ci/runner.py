"""A runner of composite actions for tests: conditions, expressions and shell steps, as GitHub runs them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.S)
NAME = re.compile(r"'[^']*'|\b(?:inputs|github|steps|runner)(?:\.[\w-]+)+")


@dataclass
class Ran:
    """What the steps of an action did: everything they printed, the outputs, and the first exit code that was not 0."""

    text: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    code: int = 0


@dataclass
class Runner:
    """Runs an action. `github` is the context, `environ` what the workflow sets, `used` is called for each `uses`."""

    action: Path
    workspace: Path
    temp: Path
    github: Mapping[str, Any]
    environ: Mapping[str, str]
    used: Callable[[str, Mapping[str, str]], None]

    def run(self, **given: str) -> Ran:
        """Run with inputs (`-` written as `_`). Steps after a failed one do not run."""
        content = yaml.safe_load(self.action.read_text("utf-8"))
        inputs = {name: spec.get("default", "") for name, spec in content["inputs"].items()}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        assert set(inputs) == set(content["inputs"]), given
        ran = Ran()
        context: dict[str, Any] = {"github": self.github, "runner": {"temp": str(self.temp)}, "inputs": inputs}
        for name, value in inputs.items():
            inputs[name] = self._filled(value, context)
        for step in content["runs"]["steps"]:
            context["steps"] = {name: {"outputs": values} for name, values in ran.outputs.items()}
            if step["name"] == "Install" or not self._holds(step.get("if", ""), context):
                continue
            if "uses" in step:
                given_to = {name: self._filled(str(value), context) for name, value in step["with"].items()}
                self.used(step["uses"], given_to)
                continue
            ran.code = self._shell(step, context, ran)
            if ran.code:
                break
        return ran

    def _shell(self, step: Mapping[str, Any], context: Mapping[str, Any], ran: Ran) -> int:
        output, summary = self.temp / "output", self.temp / "summary.md"
        output.write_text("", "utf-8")
        summary.touch()
        own = {name: self._filled(str(value), context) for name, value in step.get("env", {}).items()}
        told = {"RUNNER_TEMP": str(self.temp), "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
        folder = self.workspace / self._filled(step.get("working-directory", "."), context)
        script = step["run"]
        assert "${{" not in script, "expressions in scripts are injections"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=folder,
            env={**self.environ, **told, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        ran.text += done.stdout
        lines = [line.split("=", 1) for line in output.read_text("utf-8").splitlines()]
        ran.outputs[step.get("id", step["name"])] = dict(lines)
        return done.returncode

    def _filled(self, text: str, context: Mapping[str, Any]) -> str:
        return EXPRESSION.sub(lambda found: str(self._value(found.group(1), context)), text)

    def _holds(self, condition: str, context: Mapping[str, Any]) -> bool:
        return not condition or bool(self._value(condition, context))

    def _value(self, expression: str, context: Mapping[str, Any]) -> Any:
        """Evaluate names, texts, `==`, `&&`, `||` and `format`, which is all that the action uses."""
        python = NAME.sub(lambda found: _literal(found.group(), context), expression)
        python = python.replace("&&", " and ").replace("||", " or ")
        return eval(python, {"__builtins__": {}}, {"format": lambda text, *values: text.format(*values)}) or ""


def _literal(word: str, context: Mapping[str, Any]) -> str:
    if word.startswith("'"):
        return word
    value: Any = context
    for part in word.split("."):
        value = value.get(part, "") if isinstance(value, Mapping) else ""
    return repr(value)
