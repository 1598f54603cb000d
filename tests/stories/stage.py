"""Where a story is played: a project with its emulated account, and commands that run in this process."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler import __version__
from reconciler.cli import program
from reconciler.model.ports import LockInfo
from reconciler.store import StoreOptions, open_store
from reconciler.workflow.opening.runtime import Runtime, within
from tests.stories.script import Item, Outcome, content
from tests.stories.servers import serve
from tests.world import World, new_world
from tests.world.clock import JumpingLoop, jumping_clock

HOLDER = LockInfo("5eed5eed5eed5eed", "jane", "laptop", 4711, "2026-01-01T00:00:00Z", "apply")
UNTOUCHED = (1, 3, 7, 8)
"""Exit codes after which the state is, to the byte, what it was before; 4 too, unless only part was forbidden."""
NEVER_SHOWN = re.compile(r"Traceback|canary-|stamina|httpx|object at 0x")

NORMAL: tuple[tuple[str, str], ...] = (
    (r"\b[0-9a-f]{64}\b", "<digest>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ-[0-9a-f]{6}", "<run>"),
    (r"\b2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "<time>"),
    (r"\b(?:\d+ min )?\d+(?:\.\d+)? s\b", "<seconds>"),
    (r"\(\d+ ms\)", "(<ms>)"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"),
    (re.escape(f"reconciler {__version__}"), "reconciler <version>"),
    (r'"(python|version)": "[^"]+"', r'"\1": "<\1>"'),
    (r"(\w+)\.py:\d+", r"\1.py:<line>"),
)


@dataclass
class Stage:
    """Plays the entries of one story in order."""

    world: World
    monkeypatch: pytest.MonkeyPatch
    stack: contextlib.ExitStack
    answer: str | None = None
    environ: dict[str, str] = field(default_factory=dict)
    lock: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    served: bool = False
    """Whether the story has a server of its own: its answers take real time, so waiting for them must too."""

    def play(self, item: Item) -> Item:
        """Play one entry and return it with what happened."""
        if item.mark == "@":
            name, _, rest = item.text.partition(" ")
            self.directives[name](rest, item)
        elif item.mark == "$":
            return Item("$", item.text, tuple(self.run(item.text).lines()))
        return item

    # --- commands --------------------------------------------------------------------------------------------------

    def run(self, command: str) -> Outcome:
        """Run a command line and return what it did; checks what holds for every command."""
        line, _, target = command.partition(" > ")
        words = shlex.split(line)
        assert words[0] == "reconciler", command
        before = self.states()
        out, err, code = self.captured(lambda: program.run(words[1:]))
        shown = out + err
        assert not NEVER_SHOWN.search(shown), f"{command} shows what nobody may see:\n{shown}"
        if code in UNTOUCHED or (code == 4 and "error: " in err):
            assert self.states() == before, f"{command} ended with {code} and changed the state"
        if target:
            (self.world.folder / target).write_text(out, "utf-8")
            out = ""
        return Outcome(self.normal(out), self.normal(err), code)

    def captured(self, call: Callable[[], int]) -> tuple[str, str, int]:
        """Call with standard streams of its own: no terminal, UTF-8."""
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n") for _ in range(2))
        typed = io.StringIO(f"{self.answer}\n" if self.answer is not None else "")
        if self.answer is not None:
            self.monkeypatch.setenv("RECONCILER_PROMPT", "1")
        self.answer = None
        stdin = sys.stdin
        sys.stdin = typed
        try:
            around = within(Runtime(clock=jumping_clock(), loop=None if self.served else JumpingLoop))
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), around:
                code = call()
        finally:
            sys.stdin = stdin
            self.monkeypatch.delenv("RECONCILER_PROMPT", raising=False)
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())
        return texts[0], texts[1], code

    def states(self) -> Mapping[str, bytes]:
        """Return the bytes of every state file, backups included."""
        return {
            str(path): path.read_bytes()
            for path in sorted(self.world.folder.glob("**/*.json*"))
            if path.is_file() and path.parent.name == "state" and not path.name.endswith((".lock", ".info", ".busy"))
        }

    def normal(self, text: str) -> str:
        """Return output without what differs from run to run."""
        text = text.replace(str(self.world.folder), "<project>")
        for pattern, stands_for in NORMAL:
            text = re.sub(pattern, stands_for, text)
        return text

    @property
    def directives(self) -> Mapping[str, Callable[[str, Item], None]]:
        """What can stand behind `@`, see `script`."""
        return {
            "file": self._file,
            "delete": self._delete,
            "mode": self._mode,
            "env": self._env,
            "answer": self._answer,
            "fault": self._fault,
            "account": self._account,
            "seed": self._seed,
            "live": self._live,
            "server": self._server,
            "lock": self._lock,
            "unlock": self._unlock,
        }

    # --- directives ------------------------------------------------------------------------------------------------

    def _file(self, path: str, item: Item) -> None:
        target = self.world.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content(item), "utf-8")

    def _delete(self, path: str, _: Item) -> None:
        (self.world.folder / path).unlink()

    def _mode(self, rest: str, _: Item) -> None:
        mode, path = rest.split(" ", 1)
        (self.world.folder / path).chmod(int(mode, 8))

    def _env(self, rest: str, _: Item) -> None:
        name, value = rest.split("=", 1)
        self.monkeypatch.setenv(name, value)

    def _answer(self, text: str, _: Item) -> None:
        self.answer = text

    def _fault(self, text: str, _: Item) -> None:
        self.world.fault(**json.loads(text))

    def _account(self, text: str, _: Item) -> None:
        self.world.behave(**_tuples(json.loads(text)))

    def _seed(self, text: str, _: Item) -> None:
        self.world.account.seed(json.loads(text))

    def _live(self, rest: str, _: Item) -> None:
        table, identity, values = rest.split(" ", 2)
        row = self.world.account.rows.get(table, identity)
        assert row is not None, rest
        if values == "gone":
            self.world.account.rows.remove(table, identity)
        else:
            self.world.account.rows.put(table, identity, {**row, **json.loads(values)})

    def _server(self, name: str, _: Item) -> None:
        self.served = True
        self.monkeypatch.setenv("AC_URL", self.stack.enter_context(serve(name)))

    def _lock(self, *_: object) -> None:
        store = open_store("file:state/demo.json", self.world.folder, StoreOptions("demo"))
        self.lock.enter_context(store.lock(HOLDER))

    def _unlock(self, *_: object) -> None:
        self.lock.close()


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


@contextlib.contextmanager
def staged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Set the stage: a project without resources, its account, the working directory in it."""
    with new_world(folder) as world, contextlib.ExitStack() as stack:
        monkeypatch.chdir(folder)
        stage = Stage(world, monkeypatch, stack)
        stack.callback(stage.lock.close)
        yield stage
