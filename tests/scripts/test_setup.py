"""Setting up on a bare machine: what the scripts say and do when something is missing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def make_venv(root: Path, python: Path, folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a stand-in for python3 and a search path."""
    command = ["/bin/sh", str(root / "scripts" / "make_venv.sh"), str(python), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": path}, timeout=60)


def stand_in(folder: Path, *, version: str, has_venv: bool) -> Path:
    """Write a program that answers the script's questions as a Python of that version would."""
    old = tuple(map(int, version.split("."))) < (3, 11)
    lines = [
        "#!/bin/sh",
        f'case "$*" in *--version*) echo "Python {version}";;',
        f"*'< (3, 11)'*) exit {int(old)};; *version_info*) echo {version};;",
        f'*ensurepip*) exit {int(not has_venv)};; \'-m venv \'*) mkdir -p "$3"; echo made "$3";; esac',
    ]
    program = folder / "python3"
    program.write_text("\n".join(lines) + "\n")
    program.chmod(0o755)
    return program


def tools(folder: Path, user: int) -> str:
    """Return a search path with `id` answering a user id, `mkdir`, and no apt-get."""
    folder.mkdir()
    (folder / "id").write_text(f"#!/bin/sh\necho {user}\n")
    (folder / "id").chmod(0o755)
    for name in ("mkdir", "touch"):
        target = next(p for p in ("/bin", "/usr/bin") if os.path.exists(f"{p}/{name}"))
        (folder / name).symlink_to(f"{target}/{name}")
    return str(folder)


def test_an_old_python_is_named(project_root: Path, tmp_path: Path) -> None:
    """A Python below 3.11 is refused with its version and the way to name another."""
    python = stand_in(tmp_path, version="3.9", has_venv=True)
    result = make_venv(project_root, python, tmp_path / "venv", tools(tmp_path / "bin", 0))
    assert result.returncode == 1
    assert "Python 3.9 is too old; Python 3.11 or newer is needed: make PYTHON=" in result.stderr


def test_a_missing_python_is_named(project_root: Path, tmp_path: Path) -> None:
    """Without the program, the message says what to install."""
    result = make_venv(project_root, tmp_path / "nowhere", tmp_path / "venv", tools(tmp_path / "bin", 0))
    assert result.returncode == 1
    assert "was not found; install Python 3.11 or newer" in result.stderr


def test_a_user_without_the_venv_module_is_told_the_package(project_root: Path, tmp_path: Path) -> None:
    """Who may not install packages is told which one to ask for, and no half-made environment is left."""
    python = stand_in(tmp_path, version="3.11", has_venv=False)
    result = make_venv(project_root, python, tmp_path / "venv", tools(tmp_path / "bin", 1000))
    assert result.returncode == 1
    assert "sudo apt install python3.11-venv" in result.stderr
    assert not (tmp_path / "venv").exists()


def test_root_on_debian_gets_the_package_installed(project_root: Path, tmp_path: Path) -> None:
    """As root with apt-get, the missing package is installed and the environment made, without questions."""
    python = stand_in(tmp_path, version="3.11", has_venv=False)
    path = tools(tmp_path / "bin", 0)
    complete = stand_in(tmp_path / "bin", version="3.11", has_venv=True)
    apt = tmp_path / "bin" / "apt-get"
    apt.write_text(
        f'#!/bin/sh\necho "$@" >> "{tmp_path}/apt.log"\n[ "$1" != install ] || /bin/cp "{complete}" "{python}"\n'
    )
    apt.chmod(0o755)
    result = make_venv(project_root, python, tmp_path / "venv", path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "apt.log").read_text().splitlines()[-1].endswith("--no-install-recommends python3.11-venv")
    assert (tmp_path / "venv").is_dir()


def test_an_environment_with_pip_is_made(project_root: Path, tmp_path: Path) -> None:
    """With everything there, the script makes the environment and says with which Python."""
    python = stand_in(tmp_path, version="3.12", has_venv=True)
    result = make_venv(project_root, python, tmp_path / "venv", tools(tmp_path / "bin", 1000))
    assert result.returncode == 0, result.stderr
    assert f"creating {tmp_path / 'venv'} with Python 3.12" in result.stdout
