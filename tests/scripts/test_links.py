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


FACTS = """\
# Facts

## 1. Everywhere

### 1.2 Keys

### 2.13 Lists

## 7. Uncertain

| # | topic |
|---|---|
| 1 | codes |
| 17 | types |

## 8. After

| 99 | no row of section 7 |

## Appendix F. More
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# sec~tion 2.14\n", "a.py:1: no section 2.14"),
        ("x = 1\n# Recorded: sec~tions 1.2, 2.13 and\n# 2.15 say so\n", "a.py:2: no section 2.15"),
        ('"""A list, sec~tion\n    2.1, is one."""\n', "a.py:1: no section 2.1"),
        ("see ro~w 18 of sec~tion 7\n", "a.py:1: no row 18"),
        ("ro~ws 1 or 99\n", "a.py:1: no ro~w 99"),
        ("\n\nAppen~dix G says\n", "a.py:3: no Appendix G"),
        ("# the address (RFC 3986). See sec~tion 3.3\n", "a.py:1: no section 3.3"),
    ],
)
def test_a_citation_that_leads_nowhere_is_reported(text: str, said: str) -> None:
    """Sections, rows of section 7 and appendices, in lists and over the ends of lines, are looked up in the facts."""
    text, said = text.replace("~", ""), said.replace("~", "")  # so that this file passes the check
    assert list(check_links.citations("a.py", text, check_links.facts(FACTS))) == [f"{said} in docs/vendor-api.md"]


@pytest.mark.parametrize(
    "text",
    [
        "# sections 1.2 and 2.13, rows 1 and 17 of section 7, appendix F\n",
        "# as JSON says (RFC 8259, section 9.9)\n",
        "rows 1",
        "a subsection 4, section A, borrow 3, brows 5\n",
        "Section 1.2.",
    ],
)
def test_a_citation_that_leads_somewhere_passes(text: str) -> None:
    """So do other words, and sections of an RFC."""
    assert list(check_links.citations("a.py", text, check_links.facts(FACTS))) == []


def test_a_number_is_given_once() -> None:
    """Two sections or rows with one number are reported: what cites it would mean either."""
    assert check_links.numbered_twice(FACTS) == []
    assert check_links.numbered_twice(f"{FACTS}\n### 2.13 Again\n\n| 17 | again |\n") == ["row 17", "section 2.13"]


def test_the_facts_hold_what_is_cited(project_root: Path) -> None:
    """The page in the clone has the sections, rows without a gap, and the appendices; all that the clone cites."""
    page = (project_root / check_links.FACTS).read_text("utf-8")
    known = check_links.facts(page)
    assert {"1.1", "1.11", "2.1", "2.35", "3.3", "4", "5", "6.4", "7", "8.1", "8.5"} <= known.sections
    assert known.rows == {str(number) for number in range(1, len(known.rows) + 1)}
    assert len(known.rows) >= 59
    assert known.appendices == set("ABCDEFG")
    assert list(check_links.cited(project_root)) == []
