"""Report tests that assert nothing or do not say in a docstring which behaviour they hold.

Usage: `python -m scripts.check_tests`. A test asserts by `assert`, by `pytest.raises`, `warns` or `fail`,
or by calling a function whose name begins with `assert_` or `check_`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSERTING = frozenset({"raises", "warns", "fail"})
ASSERTING_PREFIXES = ("assert_", "check_")
RETURNS_PROBLEMS = frozenset({"check_request"})  # returns what is wrong instead of raising: useless without `assert`

Function = ast.FunctionDef | ast.AsyncFunctionDef


def tests_of(tree: ast.Module) -> Iterator[Function]:
    """Yield the test functions of a module and of its test classes."""
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test") else [node]
        for member in members:
            if isinstance(member, Function) and member.name.startswith("test"):
                yield member


def asserts(test: Function) -> bool:
    """Return whether a test can fail on purpose."""
    return any(_is_assertion(node) for node in ast.walk(test))


def _is_assertion(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in ASSERTING or (name.startswith(ASSERTING_PREFIXES) and name not in RETURNS_PROBLEMS)


def findings(name: str, source: str) -> Iterator[str]:
    """Yield `file:line: test: what is missing` for the tests of one module."""
    for test in tests_of(ast.parse(source)):
        if not asserts(test):
            yield f"{name}:{test.lineno}: {test.name}: asserts nothing"
        if not ast.get_docstring(test):
            yield f"{name}:{test.lineno}: {test.name}: has no docstring that states the behaviour"


def main() -> int:
    """Check all modules of tests/; 0 when nothing was found."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    problems = [p for file in files for p in findings(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8"))]
    print("\n".join(problems) or f"every test of {len(files)} modules asserts something and says what")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
