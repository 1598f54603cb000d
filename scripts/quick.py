"""Run the tests that are nearest to what changed, for some seconds: the first answer after an edit.

Usage: `python -m scripts.quick [--seconds N] [--list]`, or `make quick`. What changed is what differs from the branch
`main` (from HEAD where there is none or it is checked out), with what is not committed. The nearest tests are the
changed ones, then those of the package's room that import a changed module, then others that do, then the rest of the
room. Unless they changed themselves, tests that took long on this machine come last, and are not begun when they would
end too late; one of which that was not known is interrupted. What did not run is said; `make test` runs all.
"""

from __future__ import annotations

import argparse
import ast
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 12.0
"""How long tests are begun; with the start of Python and the last test, the loop stays below 20 seconds."""
SLOW = 1.0
"""Seconds from which on a test comes last the next time."""
OVER = 4.0
"""Seconds after the end until which the last test may run."""
TOOK = "quick/took"
"""Where pytest's cache has the seconds of slow tests."""
MOST = 24
"""Files of tests, at most: reading them takes time, too."""
ROOMS = {
    "cli": ("cli",),
    "codehost": ("ci",),
    "config": ("config",),
    "deriving": ("environments",),
    "emulator": ("emulator",),
    "engine": ("quirks",),
    "fleet": ("fleet",),
    "judging": ("judging", "trust"),
    "model": ("kinds",),
    "planning": ("planning",),
    "probe": ("probe",),
    "remote": ("remote",),
    "render": ("render",),
    "resources": ("kinds",),
    "store": ("store",),
    "workflow": ("environments", "trust"),
}
"""Package of the product -> folders of `tests` with the tests of that package, the ones of it alone first."""


def changed(root: Path) -> list[str]:
    """Return the paths of files that differ, were deleted, or had another name, relative to the root. Raises
    CalledProcessError outside of Git.
    """
    base = _git(root, "merge-base", "main", "HEAD", fails=True).strip() or "HEAD"
    listed = _git(root, "diff", "--name-only", "--no-renames", "-z", base)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({path for path in (listed + new).split("\0") if path})


def _git(root: Path, *arguments: str, fails: bool = False) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=not fails)
    return done.stdout if done.returncode == 0 else ""


def nearest(root: Path, paths: Iterable[str]) -> list[str]:
    """Return the files of tests to run for changes in these files, the nearest first."""
    some = [path for path in paths if path.startswith(("reconciler/", "scripts/", "tests/"))]
    own = [path for path in some if _is_test(path) and (root / path).is_file()]
    others = [path for path in some if not _is_test(path)]
    return [*own, *(path for _, _, path in sorted(_ranked(root, others)) if path not in own)][:MOST]


def _ranked(root: Path, paths: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the files of tests that have to do with these files: how far they are, their size, and their path."""
    modules = {module for path in paths if path.endswith(".py") for module in modules_of(path)}
    rooms = tuple(f"{room}/" for path in paths for room in rooms_of(path))
    for file in (root / "tests").rglob("test_*.py"):
        path = file.relative_to(root).as_posix()
        inside, uses = path.startswith(rooms), bool(imports(file) & modules)
        if inside or uses:
            yield 2 * (not uses) + (not inside), file.stat().st_size, path


def _is_test(path: str) -> bool:
    return path.startswith("tests/") and Path(path).name.startswith("test_") and path.endswith(".py")


def modules_of(path: str) -> set[str]:
    """Return the module of a file; what tests share is imported from its package, too."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return {module, module.rpartition(".")[0]} - {"tests"} if path.startswith("tests/") else {module}


def rooms_of(path: str) -> Sequence[str]:
    """Return the folders with the tests of a file: those of its package, or the folder of what only tests share."""
    top, _, rest = path.partition("/")
    if top == "tests":
        return (path.rpartition("/")[0],)
    inner = ROOMS.get(rest.partition("/")[0], ("cli",)) if top == "reconciler" else ("scripts",)
    return tuple(f"tests/{room}" for room in inner)


def imports(file: Path) -> set[str]:
    """Return the modules that a file imports at its top; none where it cannot be parsed, which its run will say."""
    modules: set[str] = set()
    try:
        parsed = ast.parse(file.read_text("utf-8"))
    except (SyntaxError, ValueError):
        return modules
    for node in parsed.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Import):
            modules |= {name.name for name in node.names}
    return modules


class Budget:
    """A plugin of pytest that begins no test once the time is over; `left` counts what was not run. Tests that were
    slow before come last, the slowest at the end, but for those in `first`. `interrupted` is the one that took so long
    that it was not waited for.
    """

    def __init__(self, seconds: float, first: Iterable[str] = ()) -> None:
        self._end = time.monotonic() + seconds
        self._first = frozenset(first)
        self._known: dict[str, float] = {}
        self._took: defaultdict[str, float] = defaultdict(float)
        self._running = ""
        self.interrupted = ""
        self.left = self._collected = self._done = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        known = config.cache.get(TOOK, {})
        self._known = {name: took for name, took in known.items() if name.partition("::")[0] not in self._first}
        items.sort(key=lambda item: self._known.get(item.nodeid, 0.0))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._collected = len(session.items)

    def pytest_runtest_logfinish(self) -> None:
        self._done += 1

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> object:
        yield
        self.left = self._collected - self._done
        cache = session.config.cache
        took = {**cache.get(TOOK, {}), **self._took}
        cache.set(TOOK, {name: round(seconds, 1) for name, seconds in took.items() if seconds >= SLOW})

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Interrupt the test that still runs when the last one has to be over."""
        timer = threading.Timer(self._end + OVER - time.monotonic(), self.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def interrupt(self) -> None:
        """Interrupt the test that runs, if one does."""
        if self._running:
            self.interrupted = self._running
            os.kill(os.getpid(), signal.SIGINT)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> object:
        began, self._running = time.monotonic(), item.nodeid
        yield
        now, self._running = time.monotonic(), ""
        if item.nodeid == self.interrupted:
            self._took[item.nodeid] = max(now - began, SLOW)
        if nextitem is None:
            return
        took = self._known.get(nextitem.nodeid, 0.0)
        if self.interrupted or now > self._end or (took and now + took > self._end + OVER):
            item.session.shouldstop = "the time for the quick loop is over"

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> object:
        outcome = yield
        report = outcome.get_result()  # type: ignore[attr-defined]
        if (
            item.nodeid == self.interrupted and report.failed
        ):  # the program ends with 130, which the test did not expect
            report.outcome, report.longrepr = "skipped", (str(item.path), 0, "Skipped: interrupted")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._took[report.nodeid] += report.duration if report.passed else float("-inf")  # one to mend keeps its place


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them; 0 when none failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long tests are begun")
    parser.add_argument("--list", action="store_true", help="only name the files of tests")
    asked = parser.parse_args(arguments)
    paths = changed(ROOT)
    budget = Budget(asked.seconds, first=paths)
    files = nearest(ROOT, paths)
    if asked.list or not files:
        print("\n".join(files) or "nothing changed that has tests")
        return 0
    options = ["-q", "-x", "-p", "no:randomly", "-p", "no:xdist", "--no-header", *files]
    with budget.watching():
        code = int(pytest.main(options, plugins=[budget]))
    if budget.interrupted:
        print(f"{budget.interrupted} was interrupted: it takes too long for this loop, and comes last from now on")
    if budget.left > 0:
        print(f"{budget.left} of the nearest tests did not run; `make test` runs all")
    if code == pytest.ExitCode.NO_TESTS_COLLECTED or (code == pytest.ExitCode.INTERRUPTED and budget.left):
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
