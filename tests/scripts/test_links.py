"""Links between pages, and the tests that pages name, exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import check_links


def problems(root: Path, text: str) -> list[str]:
    """Return the findings of a page with that text, beside a page `other.md` with one heading and one test file."""
    (root / "other.md").write_text("# Other page\n\n## What is `new`, and why?\n", "utf-8")
    (root / "tests").mkdir()
    (root / "tests" / "test_a.py").write_text("def test_one() -> None: ...\n", "utf-8")
    page = root / "page.md"
    page.write_text(text, "utf-8")
    return list(check_links.findings(page, root))


@pytest.mark.parametrize(
    "line",
    [
        "[a](missing.md)",
        "[a](other.md#missing)",
        "[a](#nowhere)",
        "`tests/test_b.py`",
        "`tests/test_a.py::test_two`",
    ],
)
def test_what_leads_nowhere_is_reported_with_its_line(tmp_path: Path, line: str) -> None:
    """A missing page, heading, test file or test is one finding."""
    [found] = problems(tmp_path, f"# Page\n\n{line}\n")
    assert found.startswith("page.md:3: ")


@pytest.mark.parametrize(
    "line",
    [
        "[a](other.md)",
        "[a](other.md#what-is-new-and-why)",
        "[a](#page)",
        "[a](https://example.com/missing)",
        "`tests/test_a.py::test_one`",
        "```\n[a](missing.md)\n```",
    ],
)
def test_what_exists_passes(tmp_path: Path, line: str) -> None:
    """Pages, headings, tests, addresses on the web, and whatever stands in a fence are no findings."""
    assert problems(tmp_path, f"# Page\n\n{line}\n") == []
