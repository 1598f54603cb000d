"""The quick loop: which tests are run for which changes."""

from __future__ import annotations

import importlib
import subprocess
import types
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from _pytest.config import PytestPluginManager
from pluggy import PluginValidationError

from scripts import quick

ROOT = Path(quick.__file__).resolve().parent.parent


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A small clone: two rooms, and a test elsewhere that imports one of the modules."""
    for path, text in {
        "tests/store/test_lease.py": "from reconciler.store.lease import Lease\n",
        "tests/store/test_wire.py": "from reconciler.store import wire\n",
        "tests/render/test_text.py": "from reconciler.render import text\n",
        "tests/trust/test_files.py": "import reconciler.store.lease\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    return tmp_path


def test_the_nearest_tests_come_first(clone: Path) -> None:
    """A changed test, those of the room that import the module, those elsewhere that do, the rest of the room."""
    assert quick.nearest(clone, ["reconciler/store/lease.py", "tests/render/test_text.py"]) == [
        "tests/render/test_text.py",
        "tests/store/test_lease.py",
        "tests/trust/test_files.py",
        "tests/store/test_wire.py",
    ]


def test_names_imported_from_a_package_are_modules_too(clone: Path) -> None:
    """`from reconciler.store import wire` uses `reconciler.store.wire`."""
    assert quick.nearest(clone, ["reconciler/store/wire.py"])[0] == "tests/store/test_wire.py"


def test_what_has_no_tests_runs_none(clone: Path) -> None:
    """Pages and other files have their own checks."""
    assert quick.nearest(clone, ["docs/index.py"]) == []


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("reconciler/store/gone.py", "tests/store/test_wire.py"),
        ("reconciler/render/templates/report.html", "tests/render/test_text.py"),
        ("tests/store/conftest.py", "tests/store/test_wire.py"),
        ("tests/store/given.json", "tests/store/test_wire.py"),
        ("tests/world/project.py", "tests/render/test_text.py"),
        ("reconciler/__main__.py", "tests/cli/test_start.py"),
        ("tests/conftest.py", "tests/cli/test_start.py"),
    ],
)
def test_what_is_no_module_of_a_package_has_tests_too(clone: Path, path: str, first: str) -> None:
    """A file that was deleted, a template, what tests share, the program's start."""
    (clone / "tests/cli").mkdir()
    (clone / "tests/cli/test_start.py").write_text("", "utf-8")
    (clone / "tests/render/test_text.py").write_text("from tests.world import World\n", "utf-8")
    assert quick.nearest(clone, [path])[0] == first


def test_a_test_that_cannot_be_parsed_is_run_and_not_read(clone: Path) -> None:
    """Pytest says what is wrong with it; one that was deleted is not run."""
    (clone / "tests/store/test_wire.py").write_text("def", "utf-8")
    found = quick.nearest(clone, ["tests/store/test_wire.py", "tests/store/test_gone.py"])
    assert found == ["tests/store/test_wire.py"]


def test_what_was_deleted_or_renamed_changed(tmp_path: Path) -> None:
    """Under both names, also one that Git would quote."""
    git = ("git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@a.example")
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    for name in ("a.py", "b.py", "n\u00e9 w.py"):
        (tmp_path / name).write_text(f"# {name} is a file with some text\n" * 9, "utf-8")
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "All"], check=True)
    (tmp_path / "a.py").rename(tmp_path / "c.py")
    (tmp_path / "b.py").unlink()
    (tmp_path / "n\u00e9 w.py").write_text("", "utf-8")
    assert quick.changed(tmp_path) == ["a.py", "b.py", "c.py", "n\u00e9 w.py"]


def test_every_package_has_a_room() -> None:
    """And every room exists."""
    packages = {path.parent.name for path in (ROOT / "reconciler").glob("*/__init__.py")}
    assert packages == set(quick.ROOMS)
    assert all((ROOT / "tests" / room).is_dir() for rooms in quick.ROOMS.values() for room in rooms)


def test_what_the_tests_share_needs_no_plugin_that_the_quick_loop_leaves_out() -> None:
    """A hook that only another plugin calls ends pytest before its first test, unless it may be unknown."""
    plugins = PytestPluginManager()
    for path in sorted((ROOT / "tests").rglob("conftest.py")):
        plugins.register(importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)))
    plugins.check_pending()
    unknown = types.ModuleType("unknown")
    unknown.pytest_xdist_auto_num_workers = lambda: 1  # type: ignore[attr-defined]
    plugins.register(unknown)
    with pytest.raises(PluginValidationError, match="unknown hook"):
        plugins.check_pending()


def test_no_test_begins_after_the_time_is_over(pytester_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What did not run is counted."""
    (pytester_folder / "test_two.py").write_text("def test_a(): pass\ndef test_b(): pass\n", "utf-8")
    assert _loop(pytester_folder, budget := quick.Budget(-1.0)) == pytest.ExitCode.INTERRUPTED
    assert budget.left == 1
    assert "time for the quick loop is over" in capsys.readouterr().out


def test_a_last_test_that_ends_late_is_no_interruption(pytester_folder: Path) -> None:
    """Nothing is left, so nothing was cut off."""
    (pytester_folder / "test_one.py").write_text("def test_a(): pass\n", "utf-8")
    assert (_loop(pytester_folder, budget := quick.Budget(-1.0)), budget.left) == (pytest.ExitCode.OK, 0)


class Durations:
    """A plugin that says how long tests took, and notes which ran."""

    def __init__(self, **seconds: float) -> None:
        self._seconds = seconds
        self.ran: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("::")[2]
        report.duration = self._seconds.get(name, 0.0) if report.when == "call" else 0.0
        self.ran += [name] if report.when == "call" else []


def test_what_was_slow_comes_last_and_is_not_begun_too_late(pytester_folder: Path) -> None:
    """What is slow is found out, and forgotten once it is not; a file that changed is run in its own order."""
    (pytester_folder / "test_three.py").write_text(
        "def test_slow(): pass\ndef test_fast(): pass\ndef test_slower(): pass\n", "utf-8"
    )

    def ran(durations: Durations, *first: str) -> tuple[list[str], int]:
        budget = quick.Budget(65.0 - quick.OVER, first)
        _loop(pytester_folder, budget, durations)
        return durations.ran, budget.left

    known = {"test_slow": 60.0, "test_slower": 70.0}
    assert ran(Durations(**known)) == (["test_slow", "test_fast", "test_slower"], 0)
    assert ran(Durations(**known)) == (["test_fast", "test_slow"], 1)
    assert ran(Durations(), "test_three.py") == (["test_slow", "test_fast", "test_slower"], 0)
    assert ran(Durations()) == (["test_slow", "test_fast", "test_slower"], 0)


def test_a_slow_test_that_fails_keeps_its_place(pytester_folder: Path) -> None:
    """The next loop shows whether it was mended."""
    (pytester_folder / "test_four.py").write_text("def test_bad(): assert False\ndef test_good(): pass\n", "utf-8")
    for _ in range(2):
        durations = Durations(test_bad=60.0)
        assert _loop(pytester_folder, quick.Budget(65.0), durations) == pytest.ExitCode.TESTS_FAILED
        assert durations.ran == ["test_bad", "test_good"]


class TooLong:
    """A plugin that interrupts a test as soon as it runs, as the end of the time does."""

    def __init__(self, budget: quick.Budget) -> None:
        self._budget = budget

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        if item.name == "test_long":
            with suppress(KeyboardInterrupt) if "swallows" in item.nodeid else nullcontext():
                self._budget.interrupt()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("way", ["is_ended", "swallows"])
def test_a_test_that_takes_too_long_is_interrupted_and_known_from_then_on(pytester_folder: Path, way: str) -> None:
    """It is no failure, also where the program under test takes the interrupt for one of the user's."""
    text = "def test_long(): assert False\ndef test_next(): pass\n"
    (pytester_folder / f"test_{way}.py").write_text(text, "utf-8")
    budget = quick.Budget(60.0)
    assert _loop(pytester_folder, budget, TooLong(budget)) == pytest.ExitCode.INTERRUPTED
    assert budget.interrupted == f"test_{way}.py::test_long"
    assert budget.left == {"is_ended": 2, "swallows": 1}[way]
    durations = Durations()
    _loop(pytester_folder, quick.Budget(60.0), durations)
    assert durations.ran == ["test_next", "test_long"]


def _loop(folder: Path, *plugins: object) -> int:
    options = ["-q", "-p", "no:randomly", "-p", "no:xdist", "-c", str(folder / "pytest.ini"), f"--rootdir={folder}"]
    return int(pytest.main([*options, "--import-mode=importlib", str(folder)], plugins=list(plugins)))


@pytest.fixture
def pytester_folder(tmp_path: Path) -> Path:
    """A folder of tests of its own."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n", "utf-8")
    return tmp_path
