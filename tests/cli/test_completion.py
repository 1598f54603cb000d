"""Completion: commands, options, environments, kinds and addresses, in the shells that are there."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

import reconciler.cli
import reconciler.cli.program
from reconciler.cli.program import COMPLETE, program
from reconciler.cli.shells import SHELLS
from tests.world import World

PROJECT = """\
version: 1
environments:
  demo: {url: "emulator:state/demo.db"}
  sandbox: {url: "${env.AC_URL}", token: "${env.AC_TOKEN}"}
default_environment: demo
"""
CONFIG = "tags: {vip: {}, vintage: {}}\npipelines: {sales: {title: Sales, stages: {lead: {}, won: {}}}}"


@pytest.fixture(autouse=True)
def _project(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with two environments, four addresses below two kinds and a nested one."""
    monkeypatch.chdir(world.folder)
    world.write(PROJECT, "reconciler.yaml")
    world.write(CONFIG)


def complete(*words: str) -> list[str]:
    """Return what completes the last of the words."""
    *before, last = words
    machinery = ShellComplete(program, {}, "reconciler", "_RECONCILER_COMPLETE")
    return [item.value for item in machinery.get_completions(list(before), last)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pla"], ["plan"]),
        (["plan", "--detailed"], ["--detailed-exitcode"]),
        (["-e", ""], ["demo", "sandbox"]),
        (["plan", "--env", "san"], ["sandbox"]),
        (["clone", "--from", "d"], ["demo"]),
        (["compare", "demo", "s"], ["sandbox"]),
        (["plan", "--target", "tag.vi"], ["tag.vip", "tag.vintage"]),
        (["explain", "stage.sales."], ["stage.sales.lead", "stage.sales.won"]),
        (["state", "mv", "tag.vip", "pipe"], ["pipeline.sales"]),
        (["kinds", "deal_f"], ["deal_field"]),
        (["snapshot", "--kinds", "tag,li"], ["tag,list"]),
        (["plan", "--format", "ma"], ["markdown"]),
        (["ci", "appro"], ["approve", "approved"]),
        (["runs", "show", "l"], ["latest"]),
        (["hel"], ["help"]),
        (["help", "runs", "re"], ["resume"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_begun_is_completed(words: list[str], expected: list[str]) -> None:
    """Whatever can be typed at a place is offered there, and nothing else."""
    assert complete(*words) == expected


def test_runs_and_plan_files_are_completed(world: World) -> None:
    """Runs of the chosen environment, newest first; of files those that hold a plan, wherever a plan is read."""
    world.write("tags: {vip: {}}")
    world.apply()
    assert world.cli("plan", "--out", "saved").code == 0
    (world.folder / "notes.json").write_text("{}", "utf-8")
    (world.folder / "sealed.plan").write_bytes(b"age-encryption.org/v1")
    names = [line.split()[0] for line in world.cli("runs", "list").out.splitlines()[1:]]
    assert complete("undo", "2") == names
    assert complete("runs", "show", "") == ["latest", *names]
    for command in (["apply"], ["show"], ["graph"], ["ci", "comment"], ["policy", "test"]):
        assert complete(*command, "s") == ["saved", "sealed.plan"]


def test_names_are_those_of_the_folder_that_was_chosen(world: World, tmp_path: Path) -> None:
    """`--chdir` holds for completion too."""
    other = tmp_path / "other"
    (other / "config").mkdir(parents=True)
    (other / "reconciler.yaml").write_text("version: 1\nenvironments: {only: {url: 'emulator:x'}}\n", "utf-8")
    (other / "config" / "a.yaml").write_text("tags: {elsewhere: {}}", "utf-8")
    assert complete("--chdir", str(other), "plan", "-e", "") == ["only"]
    assert complete("--chdir", str(other), "plan", "--target", "tag.") == ["tag.elsewhere"]


@pytest.mark.parametrize("config", ["tags: {vip: {nam: x}}", "tags: [", ""])
def test_a_project_that_cannot_be_read_completes_nothing(world: World, config: str) -> None:
    """A key press never prints an error."""
    world.write(config)
    assert complete("plan", "--target", "tag.") == []
    (world.folder / "reconciler.yaml").unlink()
    assert complete("plan", "--env", "") == []


def test_in_a_folder_that_was_removed_nothing_is_completed_and_commands_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shell may stand in a folder that another one has removed: that is a sentence, and no trace of this program."""
    gone = tmp_path / "gone"
    gone.mkdir()
    with monkeypatch.context() as there:
        there.chdir(gone)
        gone.rmdir()
        assert complete("plan", "--target", "tag.") == []
        assert reconciler.cli.program.run(["validate"]) == 1
        os.chdir(tmp_path)
    assert "error: " in capsys.readouterr().err


def test_a_long_list_is_shortened_to_kinds(world: World) -> None:
    """Of more addresses than anybody reads, the kinds come first."""
    world.write("tags: {" + ", ".join(f"t{n}: {{}}" for n in range(600)) + "}\n")
    assert complete("plan", "--target", "") == ["tag."]
    assert len(complete("plan", "--target", "tag.t59")) == 11


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_sound(world: World, shell: str) -> None:
    """The script of each shell parses in that shell, where it is installed."""
    ran = world.cli("completion", shell)
    assert ran.code == 0
    assert "_RECONCILER_COMPLETE" in ran.out
    found = shutil.which(shell)
    if found is not None:
        done = subprocess.run([found, "-n"], input=ran.out, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("reconciler show a", r"a\ plan:\ of\ today.plan"),
        (r"reconciler show a\ pl", r"a\ plan:\ of\ today.plan"),
        (r"reconciler show a\ plan:", r"\ of\ today.plan"),
        (r"reconciler show a\ plan:\ o", r"\ of\ today.plan"),
        ("reconciler show 'a p", "a plan: of today.plan"),
        ('reconciler show "a plan: ', "a plan: of today.plan"),
        ("reconciler show it", r"it\'s\ \"x\".plan"),
        ("reconciler snapshot --kinds tag,field_g", "tag,field_group"),
        ("reconciler plan --env=de", "demo"),
        ("reconciler plan --target tag.vip --env de", "demo"),
        ("reconciler -e ", "demo"),
    ],
)
def test_what_bash_takes_for_the_word_is_completed(
    world: World, monkeypatch: pytest.MonkeyPatch, line: str, expected: str
) -> None:
    """What is behind the last colon or `=`, and quoted unless it stands in quotes."""
    for name in ("a plan: of today.plan", 'it\'s "x".plan'):
        (world.folder / name).touch()
    lines = printed("bash", {"COMP_WORDS": line, "COMP_BREAKS": " \t\n\"'><=;|&(:"}, monkeypatch)
    assert lines[0] == f"plain,{expected}"


@pytest.mark.parametrize(
    ("shell", "environ", "expected"),
    [
        ("fish", {"COMP_WORDS": "reconciler plan --env=de", "COMP_CWORD": "--env=de"}, "plain,--env=demo"),
        ("fish", {"COMP_WORDS": "reconciler snapshot --kinds tag,field_g", "COMP_CWORD": "tag,field_g"},
         "plain,tag,field_group"),
        ("zsh", {"COMP_WORDS": "reconciler plan --env=de", "COMP_CWORD": "2"}, "plain\n--env=demo\n_"),
        ("zsh", {"COMP_WORDS": "reconciler show b", "COMP_CWORD": "2"}, "plain\nb:c d.plan\n_"),
    ],
)  # fmt: skip
def test_the_other_shells_get_whole_words(
    world: World, monkeypatch: pytest.MonkeyPatch, shell: str, environ: dict[str, str], expected: str
) -> None:
    """They quote themselves; an option stays before its value."""
    (world.folder / "b:c d.plan").touch()
    assert "\n".join(printed(shell, environ, monkeypatch)) == expected


def printed(shell: str, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines that the script of a shell gets."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return SHELLS[shell](program, {}, "reconciler", COMPLETE).complete().split("\n")


def test_the_scripts_hold_what_a_name_may_hold(world: World) -> None:
    """Tried in each shell; where it is not installed, these are the words that made the difference: in fish a value was
    cut at its first comma, and a zsh without a set-up of its own knew no `compdef`.
    """
    assert 'string split -m 1 ","' in world.cli("completion", "fish").out
    assert "|| { autoload -Uz compinit && compinit }\n    compdef " in world.cli("completion", "zsh").out
    assert 'COMP_WORDS="${COMP_LINE:0:COMP_POINT}"' in world.cli("completion", "bash").out


def test_a_real_bash_completes_in_no_time(world: World) -> None:
    """Evaluated as documented, bash fills COMPREPLY; commands within 0.3 s and addresses within 1 s of processor."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def typed(*words: str) -> list[str]:
        script = (
            'eval "$(reconciler completion bash)"; COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; '
            '_reconciler_completion reconciler; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "--norc", "-c", script, "bash", "reconciler", *words],
            cwd=world.folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    assert typed("val") == ["validate"]
    (world.folder / "it's: of today.plan").touch()
    assert typed("show", "it") == [r"it\'s:\ of\ today.plan"]
    assert typed("plan", "--target", "tag.vi") == ["tag.vip", "tag.vintage"]
    for words, most in (("reconciler val", 0.3), ("reconciler plan --target tag.v", 1.0)):
        environ = {**os.environ, "PATH": path, "_RECONCILER_COMPLETE": "bash_complete", "COMP_WORDS": words}
        before = os.times()
        subprocess.run(
            ["reconciler"],
            cwd=world.folder,
            env={**environ, "COMP_CWORD": str(len(words.split()) - 1)},
            capture_output=True,
            check=True,
        )
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        assert spent < most, (words, spent)


def test_completing_ends_as_fast_as_other_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit is click's own, and leaves the interpreter nothing to tidy up either."""
    ended = []
    monkeypatch.setattr(gc, "freeze", lambda: ended.append(1))
    monkeypatch.setattr(reconciler.cli.program, "run", lambda _: sys.exit(3))
    monkeypatch.setattr(reconciler.cli, "endings", list)
    with pytest.raises(SystemExit) as left:
        reconciler.cli.main([])
    assert left.value.code == 3
    assert ended
