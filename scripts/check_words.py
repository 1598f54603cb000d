"""Report words that are this project's own where the field has one, in the sources of the product and on its pages,
and variables and parameters whose names say nothing of what they hold.

Usage: `python -m scripts.check_words`. Prints `file:line: "words": what to write` and exits 1 if there is
any. Names in the code, docstrings, messages, templates and prose are looked at alike; a name is the words that it is
made of. Decisions and the changelog are records of their day and are left as they are.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts.check_tree import tracked_files

ROOT = Path(__file__).resolve().parent.parent
SUFFIXES = frozenset({".py", ".html", ".js", ".css", ".svg", ".xml", ".md", ".yaml", ".yml", ".toml", ".sh"})
RECORDS = ("CHANGELOG.md", "docs/decisions/", "scripts/check_words.py", "tests/")
"""What keeps the words of its day, and what holds the words to look for."""
INSTEAD = {
    r"\b(?:no|some|any|every)body(?:'s|s)?\b|\bwhoever\b": "the actor's name (a user, another process), or the passive",
    r"\bby hand\b": "manually",
    r"\b(?-i:Tell|Say) whether\b": "Return whether",
    # "there is no lock", "is no longer declared" and "is no less" are English.
    r"(?<!there)(?<!\s)\s+(?:is|are|was|were) no (?!longer\b|more\b|less\b|other\b)\w+": "is not a",
    r"\b(?:says?|said|saying) yes\b|\ban? yes\b|\byeses\b": "approve, approval",
    r"\b(?:g[ai]ves?|giving|given) way to\b": "replaced by",
    r"\bcut off\b": "truncated",
    r"\b(?:goes|gone|went) on with\b": "resumes, resumed",
    r"\btaken apart\b": "parsed",
    r"\ball the same\b": "anyway",
    r"\banew\b": "again",
}
"""What is not written -> what is written in its place."""
MUTE = frozenset({"one", "found", "told", "said"})
"""Names of variables that hold anything. Members of classes may have them: `found` stands in plans and facts files,
`one` in what screens call one object, and `one` and `other` are the two sides of a comparison.
"""
_PATTERNS = {re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE): instead for pattern, instead in INSTEAD.items()}


def findings(name: str, text: str) -> Iterator[str]:
    """Yield `file:line: "what stands there": what to write` for each such word of a text, also across line ends."""
    spoken = text if name.endswith(".md") else text.replace("_", " ")  # pages cite tests by their names
    for pattern, instead in _PATTERNS.items():
        for match in pattern.finditer(spoken):
            words = " ".join(match[0].split())
            line = text.count("\n", 0, match.end() - len(match[0].lstrip())) + 1
            yield f'{name}:{line}: "{words}": {instead}'


def mute(name: str, text: str) -> Iterator[str]:
    """Yield a line for each variable or parameter of a module whose name says nothing of what it holds."""
    tree = ast.parse(text)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    members = {id(part.target) for node in classes for part in node.body if isinstance(part, ast.AnnAssign)}
    for node in ast.walk(tree):
        match node:
            case (
                ast.Name(id=variable, ctx=ast.Store(), lineno=line)
                | ast.arg(arg=variable, lineno=line)
                | ast.ExceptHandler(name=variable, lineno=line)
                | ast.MatchAs(name=variable, lineno=line)
                | ast.MatchStar(name=variable, lineno=line)
            ) if variable in MUTE and id(node) not in members:
                yield f'{name}:{line}: "{variable}": a variable says what it holds (row, answer, message, match)'


def checked(names: Iterable[str]) -> list[str]:
    """Return the names of the files that are looked at: the product, its scripts, pages, examples and pipelines."""
    return sorted(name for name in names if Path(name).suffix in SUFFIXES and not name.startswith(RECORDS))


def main() -> int:
    """Check the clone; 0 when nothing was found."""
    names = checked(name for name in tracked_files(ROOT) if (ROOT / name).exists())
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in names}
    problems = [problem for name, text in texts.items() for problem in findings(name, text)]
    problems += [problem for name, text in texts.items() if name.endswith(".py") for problem in mute(name, text)]
    print("\n".join(problems) or f"no private word in {len(names)} files")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
