"""Secrets from a vault's program or from a file: asked for when they are needed, kept in memory, shown nowhere.

A program is run with the arguments that the project file lists, without a shell; the name of a secret may be in them,
a value never is. Nothing that it prints to standard error is repeated: a vault may say there what it was asked for.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from time import monotonic

from reconciler.config.reading.files import border, outside
from reconciler.model.documents import read_json
from reconciler.model.errors import ReconcilerError, Refused, SurroundingsError
from reconciler.model.project import SECRET_NAME, Secrets
from reconciler.model.records import mutable
from reconciler.store.programs import run_program
from reconciler.store.reading import read_regular
from reconciler.workflow.opening.requests import refuse_unreviewed

MOST_BYTES = 1 << 20
"""Of what a program prints, or a file holds."""
ALTOGETHER = 120.0
"""Seconds that all programs of a session may take."""
INSIDE = "inside the repository: a change could put anything there"
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")


@mutable
class SecretSource:
    """Where the secrets of an environment come from. Where the settings are those of a `source` that rules, nothing
    inside the repository is run or read, for what is there belongs to the change. The caller says what rules;
    where nothing does (""), a run about a request opens none.
    """

    settings: Secrets
    folder: Path
    environ: Mapping[str, str]
    source: str
    left: float = ALTOGETHER
    _all: Mapping[str, str] | None = None
    _failed: ReconcilerError | None = None
    _known: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        """Return a secret, None where the source has none of that name. Raises ReconcilerError, and Refused for what
        must not be run.
        """
        if name in self._known:
            return self._known[name]
        if self._failed is not None:  # a vault that is unreachable is not waited for again
            raise self._failed
        refuse_unreviewed(self.environ, self.source, "program and no file of secrets")
        try:
            return self._ask(name)
        except ReconcilerError as error:
            self._failed = error
            raise

    def _ask(self, name: str) -> str | None:
        if self.settings.file is not None or not any("{name}" in word for word in self.settings.command or ()):
            if self._all is None:
                self._all = self._bulk()
            return self._all.get(name)
        text = self._run([word.replace("{name}", name) for word in self.settings.command or ()])
        if not text.strip():  # sent as it is, it would overwrite what works with nothing
            hint = f"run it yourself to see why: {(self.settings.command or [''])[0]}"
            why = f"it printed nothing for {name}"
            raise SurroundingsError(f"the program of `secrets` gave no secret: {why}", hint=hint)
        self._known[name] = text.removesuffix("\n").removesuffix("\r")
        return self._known[name]

    def values(self) -> Iterator[str]:
        """Yield every secret that was answered so far."""
        yield from self._known.values()
        yield from (self._all or {}).values()

    def _bulk(self) -> Mapping[str, str]:
        if self.settings.file is None:
            return _parsed(self._run(self.settings.command or ()), "what the program of `secrets` prints")
        path = self.folder / self.settings.file
        limit = border(self.folder)
        ways = (Path(os.path.abspath(path)), path.resolve())  # a link in it is the change's, wherever it leads
        if self.source and any(way.is_relative_to(limit) for way in ways):
            raise Refused(
                f"`secrets` names {self.settings.file}, which is {INSIDE}",
                hint="keep it outside of the checkout, on the machine that runs the pipeline",
            )
        if not os.path.isabs(self.settings.file) and (why := outside(path, self.folder)):
            raise SurroundingsError(f"the file of `secrets` is not read: {why}")
        try:
            return _parsed(read_regular(path, MOST_BYTES).decode("utf-8"), f"{path}")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise SurroundingsError(f"the file of `secrets` cannot be read: {path}: {reason}") from error

    def _run(self, command: Sequence[str]) -> str:
        program = self._program(command)
        seconds = min(float(self.settings.seconds), self.left)
        began = monotonic()
        try:
            folder = Path("/") if self.source else self.folder
            ran = run_program([program, *command[1:]], folder, self.environ, seconds, most=MOST_BYTES)
        except OSError as error:
            what = f"the program of `secrets` cannot be run: {command[0]}: {error.strerror}"
            raise SurroundingsError(what) from error
        self.left -= monotonic() - began
        if ran.code:
            why = f"it took more than {seconds:g} s" if ran.late else f"it ended with {ran.code}"
            why = "it printed too much" if ran.loud else why
            hint = f"run it yourself to see why: {command[0]}"
            raise SurroundingsError(f"the program of `secrets` gave no secret: {why}", hint=hint)
        try:
            return ran.printed.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SurroundingsError("the program of `secrets` prints what is not UTF-8") from error

    def _program(self, command: Sequence[str]) -> str:
        """Return the program to run. Raises Refused for one that a change brings, or that it could have changed."""
        if not self.source:
            return command[0]
        limit = border(self.folder)
        for word in command:
            part = word.partition("=")[2] if word.startswith("-") else word
            path = (self.folder / part).resolve() if part else None
            if path is not None and path.is_relative_to(limit) and (os.path.lexists(path) or "/" in part):
                raise Refused(
                    f"`secrets` names {part}, which is {INSIDE}",
                    hint="install it on the machine that runs the pipeline",
                )
        entries = self.environ.get("PATH", os.defpath).split(os.pathsep)
        safe = [entry for entry in entries if os.path.isabs(entry) and not Path(entry).resolve().is_relative_to(limit)]
        program = shutil.which(command[0], path=os.pathsep.join(safe))
        if program is None:
            raise SurroundingsError(f"there is no program {command[0]}, which `secrets` names")
        return program


def _parsed(text: str, where: str) -> Mapping[str, str]:
    """Return secrets by name, from a JSON map or from lines NAME=value. Raises SurroundingsError, and shows nothing."""
    if text.lstrip().startswith("{"):
        try:
            parsed = read_json(text)
        except ValueError as error:
            raise SurroundingsError(f"{where} is not a JSON map of texts") from error
        if not all(isinstance(value, str) for value in parsed.values()):
            raise SurroundingsError(f"{where} is not a JSON map of texts")
        return {name: value for name, value in parsed.items() if re.fullmatch(SECRET_NAME, name)}
    secrets = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise SurroundingsError(f"{where}: line {number} is not NAME=value")
        value = match.group(2)
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        secrets[match.group(1)] = value[1:-1] if quoted else value
    return secrets
