"""Run the commands that the documentation shows, and compare what they print with what the page says.

Usage: `python -m scripts.run_docs [--write] [PAGE ...]` (default: README.md and docs/). A page is one session in an
empty folder, from top to bottom:

- a fence ```` ```console ```` holds lines `$ command`, each followed by its output; a line `...` stands for any lines.
  A command that fails must be followed by `$ echo $?`, so that no page shows a failure as if it were success.
- a fence ```` ```yaml title="config/crm.yaml" ```` (any language) writes that file;
- a comment `<!-- start: examples/quickstart -->` begins again in a copy of that folder, `<!-- setup ... -->` runs what
  it holds without showing it.

Digests, seconds and dates are compared by form. Commands in ```` ```sh ```` fences are not run; they must parse.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from reconciler.cli.program import program, run

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
BLOCK = re.compile(
    r"^```(?P<info>\w[^\n]*)\n(?P<body>.*?)^```$|^<!-- (?P<word>start|setup)\b:?(?P<rest>.*?)-->$", re.M | re.S
)
TITLE = re.compile(r'title="([^"]+)"')
SHELL = re.compile(r"[|<>;&`$*~]")
FORMS = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "N s"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(T[\d:.]+Z?)?\b"), "DATE"),
    (re.compile(r"\b\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC\b"), "DATE"),
)
# Names of variables that would make a run depend on who starts it.
INHERITED = (
    "AC_",
    "RECONCILER_",
    "CI",
    "GITHUB_",
    "GITLAB_",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "XDG_CACHE_HOME",
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A command with the output that a page shows for it, and the line of the page."""

    command: str
    output: tuple[str, ...]
    line: int


class Session:
    """A folder in which commands run one after the other, and the exit code of the last one."""

    def __init__(self, folder: Path, programs: Path = PROGRAMS) -> None:
        self.home = folder
        self.folder = folder
        self.programs = programs
        self.code = 0

    def start(self, example: Path) -> None:
        """Begin again with a copy of a folder, without its state."""
        shutil.rmtree(self.home)
        shutil.copytree(example, self.home, ignore=shutil.ignore_patterns("state", ".reconciler"))
        self.folder = self.home

    def write(self, name: str, text: str) -> None:
        """Write a file below the current folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def run(self, command: str) -> str:
        """Run a command line and return everything it printed; plain `reconciler` runs in this process."""
        if command == "echo $?":
            code, self.code = self.code, 0
            return f"{code}\n"
        words = shlex.split(command)
        if words[0] == "cd":
            self.folder = (self.folder / words[1]).resolve()
            return ""
        if words[0] == "reconciler" and not SHELL.search(command):
            self.code, output = self._in_process(words[1:])
        else:
            self.code, output = self._in_shell(command)
        return output.replace(f"{self.home}/", "").replace(str(self.home), ".")

    def _in_process(self, arguments: list[str]) -> tuple[int, str]:
        buffer = io.BytesIO()
        stream = io.TextIOWrapper(buffer, encoding="utf-8", write_through=True)
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(stream),
            contextlib.redirect_stderr(stream),
            neutral_environment(self.home),
        ):
            code = run(arguments)
        return code, buffer.getvalue().decode()

    def _in_shell(self, script: str) -> tuple[int, str]:
        with neutral_environment(self.home):
            places = (self.programs, PROGRAMS, os.environ["PATH"])
            done = subprocess.run(
                ["bash", "-euc", script],
                cwd=self.folder,
                env={**os.environ, "PATH": os.pathsep.join(map(str, places))},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        return done.returncode, done.stdout


@contextlib.contextmanager
def neutral_environment(home: Path) -> Iterator[None]:
    """Hide the caller's accounts, terminal, CI and cache, and put them back."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(INHERITED)}
    os.environ["XDG_CACHE_HOME"] = str(home / ".cache")
    try:
        yield
    finally:
        del os.environ["XDG_CACHE_HOME"]
        os.environ.update(hidden)


def commands(body: str, line: int) -> Iterator[Shown]:
    """Yield the commands of a console fence whose first line has that number."""
    shown: list[tuple[str, list[str], int]] = []
    for number, text in enumerate(body.splitlines(), line):
        if text.startswith("$ "):
            shown.append((text[2:], [], number))
        elif not shown:
            raise ValueError(f"line {number}: a console fence begins with `$ `")
        else:
            shown[-1][1].append(text)
    for command, output, number in shown:
        yield Shown(command, tuple(output), number)


def normal(line: str) -> str:
    """Return a line without what differs from run to run, and without spaces at its end."""
    for pattern, word in FORMS:
        line = pattern.sub(word, line)
    return line.rstrip()


def same(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Return whether the output is what the page shows; `...` on a line of its own stands for any lines."""
    parts = [r"(?:[^\n]*\n)*?" if line.strip() == "..." else re.escape(normal(line)) + "\n" for line in shown]
    return re.fullmatch("".join(parts), "".join(normal(line) + "\n" for line in printed)) is not None


def unknown_words(body: str) -> Iterator[str]:
    """Yield what is wrong with the `reconciler` commands of a fence that is not run."""
    for text in body.replace("\\\n", " ").splitlines():
        words = shlex.split(text, comments=True)
        if "reconciler" not in words[:1]:
            continue
        try:
            _parse(program, words[1:])
        except click.ClickException as error:
            yield f"`{text.strip()}`: {error.message}"


def _parse(command: click.Command, words: list[str]) -> None:
    """Follow a command line through its subcommands. Raises UsageError for words that no command knows."""
    context = click.Context(command)
    rest = command.make_parser(context).parse_args(words)[1]
    if isinstance(command, click.Group):
        inner = command.resolve_command(context, rest)[1] if rest else None
        if inner is not None:
            _parse(inner, rest[1:])


def check_page(page: Path, *, write: bool = False, programs: Path = PROGRAMS) -> list[str]:
    """Run a page and return what differs, as `file:line: what`; with `write`, put the real output into the page. What a
    shell runs is looked for in the folder `programs` first.
    """
    text = page.read_text("utf-8")
    name = page.relative_to(ROOT) if page.is_relative_to(ROOT) else page
    problems: list[str] = []
    pieces: list[str] = []
    done = 0
    with tempfile.TemporaryDirectory() as temporary:
        session = Session(Path(temporary).resolve() / "project", programs)
        session.home.mkdir()
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("body")) + 1 if match["info"] else 0
            body = _run_block(session, match, line, problems)
            if body is not None:
                pieces += [text[done : match.start("body")], body]
                done = match.end("body")
        if session.code:
            problems.append(
                f"{text.count(chr(10))}: the last command failed with {session.code}, and the page hides it"
            )
    fresh = "".join([*pieces, text[done:]])
    if write and fresh != text:
        page.write_text(fresh, "utf-8")
    return [f"{name}:{problem}" for problem in problems]


def _run_block(session: Session, match: re.Match[str], line: int, problems: list[str]) -> str | None:
    """Do what one fence or comment asks for; return the body that a console fence should have."""
    if match["word"] == "start":
        session.start(ROOT / match["rest"].strip())
    elif match["word"] == "setup":
        session.code, output = session._in_shell(match["rest"])
        if session.code:
            problems.append(f"{line}: the setup failed: {output}")
    elif match["info"] == "console":
        return _run_console(session, match["body"], line, problems)
    elif title := TITLE.search(match["info"]):
        session.write(title[1], match["body"])
    elif match["info"] == "sh":
        problems += [f"{line}: {what}" for what in unknown_words(match["body"])]
    return None


def _run_console(session: Session, body: str, line: int, problems: list[str]) -> str:
    fresh: list[str] = []
    for shown in commands(body, line):
        if session.code and shown.command != "echo $?":
            problems.append(f"{shown.line}: the command before failed with {session.code}, and the page hides it")
        printed = session.run(shown.command).splitlines()
        if any(text.startswith("```") for text in printed):
            problems.append(f"{shown.line}: `{shown.command}` prints a fence, which a page cannot show")
        if same(shown.output, printed):
            printed = list(shown.output)
        else:
            problems.append(
                f"{shown.line}: `{shown.command}` prints something else (`make generate` puts it into the page):\n"
                + "\n".join(printed)
            )
        fresh += [f"$ {shown.command}", *(text.rstrip() for text in printed)]
    return "".join(f"{text}\n" for text in fresh)


def pages(root: Path = ROOT) -> list[Path]:
    """Return the pages whose commands are run."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def main(arguments: Sequence[str]) -> int:
    """Run the pages named, or all; 0 when every page shows the truth."""
    write = "--write" in arguments
    chosen = [Path(name).resolve() for name in arguments if name != "--write"] or pages()
    problems = [problem for page in chosen for problem in check_page(page, write=write)]
    print("\n".join(problems) or f"{len(chosen)} pages show what the commands print")
    return bool(problems) and not write


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
