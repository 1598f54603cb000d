"""What a command loads before it answers: most of the time of a short command is loading modules."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reconciler
from tests.world import World

PROGRAM = """
import sys, json
from reconciler.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print(json.dumps([name for name, module in sys.modules.items() if getattr(module, "__spec__", None) is not None]))
"""
CLICK = {"click"}
PYDANTIC = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
CONFIG = CLICK | PYDANTIC | {"yaml", "_cython", "cython_runtime"}
REMOTE = CONFIG | {"httpx", "idna", "anyio", "starlette", "sniffio", "re2"}
"""`starlette`, and `anyio` for it, are the emulator's; `re2` finds credentials in what is printed."""
OFFLINE = ("emulator", "engine", "planning", "remote")
BEFORE_WRITES = (
    "engine.apply",
    "render.html",
    "render.markdown",
    "config.writing",
    "deriving.export",
    "deriving.undo",
    "engine.recordings",
)
SELDOM = ("model.baseline", "model.run", "model.scenario", "model.snapshot_file", "workflow.opening.baselines")
"""What only plans with a repository, an interrupted run, a test or a snapshot need."""
SESSION = ("workflow.opening.session", "workflow.opening.baselines")
"""What completing a name does without."""
CHANGES = ("render.cards", "render.naming", "render.outline", "render.sentences", "render.sides", "render.tree")
"""What a plan without changes does not say."""
RULES = ("judging.objects", "judging.policies", "judging.rules", "store.programs")
"""What a project without rules and policies does not ask."""
CODE_AND_RUNS = ("model.events", "model.ids", "model.summary", "render.progress")


@pytest.mark.parametrize(
    ("arguments", "packages", "without", "most"),
    [
        (["version"], CLICK, ("config", "workflow", "resources", *OFFLINE), 130),
        (["--help"], CLICK, ("config", "workflow", "resources", *OFFLINE), 130),
        (["completion", "bash"], CLICK, ("config", "workflow", "resources", *OFFLINE), 140),
        (
            ["validate"],
            CONFIG,
            ("config.writing", "model.scenario", "store.documents", "render.text", "model.ids", *OFFLINE),
            340,
        ),
        (["-e", "demo", "plan"], REMOTE, (*BEFORE_WRITES, *SELDOM, *RULES, *CODE_AND_RUNS), 610),
        (["-e", "demo", "plan", "--exclude", "tag.vip"], REMOTE, (*BEFORE_WRITES, *RULES, *CHANGES), 605),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_command_loads_what_it_uses(
    arguments: list[str], packages: set[str], without: tuple[str, ...], most: int, world: World
) -> None:
    """Each command loads only these packages, none of these parts of the program, and so many modules at most: the
    standard library's are counted, for they take time as well.
    """
    world.write("version: 1\nenvironments: {demo: {url: 'emulator:state/demo.db'}}\n", "reconciler.yaml")
    world.write("tags: {vip: {}}")
    command = [sys.executable, "-c", PROGRAM, "--chdir", str(world.folder), *arguments]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environ)
    loaded = [name for name in json.loads(ran.stdout.splitlines()[-1]) if not name.startswith(("_", "encodings"))]
    own = [name.removeprefix("reconciler.") for name in loaded if name.startswith("reconciler.")]
    others = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"reconciler"}
    assert others <= packages
    assert not [name for name in own if name.startswith(without)]
    assert len(loaded) <= most


def test_completing_an_address_loads_what_reads_files(world: World) -> None:
    """Whoever presses a key waits for it: nothing is loaded but the configuration and the kinds."""
    world.write("version: 1\nenvironments: {demo: {url: 'emulator:state/demo.db'}}\n", "reconciler.yaml")
    world.write("tags: {vip: {}}")
    words = f"reconciler --chdir {world.folder} -e demo plan --target tag.v"
    asked = {"_RECONCILER_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "7"}
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **asked}
    command = [sys.executable, "-c", PROGRAM]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environ)
    assert "tag.vip" in ran.stdout
    own = [name.removeprefix("reconciler.") for name in json.loads(ran.stdout.splitlines()[-1])]
    without = ("config.writing", "judging", "store", "render.text", *SESSION, *OFFLINE)
    assert not [name for name in own if name.startswith(without)]


def test_the_client_does_not_load_the_command_line_of_httpx() -> None:
    """Httpx imports its own with rich and pygments where they are installed: a quarter of the CPU time of a plan. What
    it looks for with every request is answered once.
    """
    names = "'rich' in sys.modules, 'httpx._main' in sys.modules, sys.modules.get('sniffio', 0) == 0"
    program = f"import reconciler.remote.client, sys; print({names})"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout == "False False False\n"


def test_no_plugin_of_pydantic_is_looked_for(world: World, tmp_path: Path) -> None:
    """What else is installed has no business in the models of a configuration, and is not worth a look each time."""
    world.write("version: 1\nenvironments: {demo: {url: 'emulator:state/demo.db'}}\n", "reconciler.yaml")
    plugin = tmp_path / "installed" / "curious-1.dist-info"
    plugin.mkdir(parents=True)
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: curious\nVersion: 1\n", "utf-8")
    (plugin / "entry_points.txt").write_text("[pydantic]\ncurious = curious:plugin\n", "utf-8")
    (plugin.parent / "curious.py").write_text("raise SystemExit('was looked for')\n", "utf-8")
    command = [sys.executable, "-c", PROGRAM, "--chdir", str(world.folder), "validate"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(plugin.parent), *sys.path])}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environ)
    assert (ran.returncode, "was looked for" in ran.stderr) == (0, False)
    assert "importlib.metadata" not in json.loads(ran.stdout.splitlines()[-1])


def test_no_default_is_made_by_what_has_to_be_parsed() -> None:
    """Pydantic asks each factory for its signature when a class is defined; that of `list` is parsed from a text, which
    takes sixty times as long as that of a function.
    """
    parsed = re.compile(r"\bField\([^()]*\bdefault_factory=(?:list|dict|set|tuple)\b")
    root = Path(reconciler.__file__).parent
    assert [path for path in sorted(root.rglob("*.py")) if parsed.search(path.read_text("utf-8"))] == []
