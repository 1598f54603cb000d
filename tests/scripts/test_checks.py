"""The project's own checks find what they are made for, and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scripts import check_dead_code, check_generated, check_tests, check_tree, check_words

# Put together here, so that this file passes the check that it tests.
ROOT_HOME = "/".join(["", "root", ".cache"])
INDEX = ".".join(["files", "pythonhosted", "org"])
SAMPLE = "tests.scripts.sample_generator"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"cache = '{ROOT_HOME}'", "path of one machine"),
        ("cd " + "/".join(["", "work", "main"]), "path of one machine"),
        ("see " + "/".join(["", "home", "jane", "notes"]), "path of one machine"),
        (f"https://{INDEX}/simple", "host of a package registry"),
        ("registry=https://" + ".".join(["registry", "npmjs", "org"]), "host of a package registry"),
        ("FROM " + ".".join(["docker", "io"]) + "/library/python", "host of a package registry"),
        ("-".join(["-", "index", "url"]) + " https://mirror.example/simple", "host of a package registry"),
    ],
)
def test_paths_and_hosts_are_found_with_their_place(line: str, reason: str) -> None:
    """A path of one machine or a registry's host is reported with file, line and reason."""
    [found] = check_tree.findings("a.md", f"first line\n{line}\n")
    assert found.startswith(f"a.md:2: {reason}: ")


@pytest.mark.parametrize(
    "line",
    [
        "docs/work/plan.md",
        "GET /rooted",
        "https://acme.example/work/",
        "workflow/root/x",
        "a /worker/ b",
        "/home/runner/",
    ],
)
def test_ordinary_paths_pass(line: str) -> None:
    """Relative paths, addresses and words that merely look similar are no findings."""
    assert list(check_tree.findings("a.md", line)) == []


def test_files_that_are_not_text_are_passed_over(tmp_path: Path) -> None:
    """Binary files and files deleted from the working tree do not stop the check."""
    (tmp_path / "logo.png").write_bytes(b"\xff\xfe\x00" + ROOT_HOME.encode())
    assert check_tree.check(tmp_path, ["logo.png", "deleted.md"]) == []


def test_new_files_are_checked_before_they_are_committed(tmp_path: Path) -> None:
    """Files that git does not track yet are part of the check, ignored ones are not."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("ignored.md\n")
    (tmp_path / "ignored.md").write_text(ROOT_HOME)
    (tmp_path / "new.md").write_text(ROOT_HOME)
    assert sorted(check_tree.tracked_files(tmp_path)) == [".gitignore", "new.md"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"""Return what nobody asked for."""', "nobody"),
        ('"""Nobody\'s files."""', "Nobody's"),
        ("# whoever\n# comes", "whoever"),
        ('"""Make it\nby\n    hand."""', "by hand"),
        ('"""Tell whether it is so."""', "Tell whether"),
        ('f"{name} is no plan file"', "is no plan"),
        ('"this needs a yes"', "a yes"),
        ("def _by_hand(kind):", "by hand"),
        ("_NOBODY = 1", "NOBODY"),
    ],
)
def test_private_words_are_found(text: str, words: str) -> None:
    """Also where a line ends inside of them, and at the line where they begin."""
    [found] = check_words.findings("a.py", f"first line\n{text}")
    begin = 2 + text[: text.index(words.split(maxsplit=1)[0])].count("\n")
    assert found.startswith(f'a.py:{begin}: "{words}": ')


@pytest.mark.parametrize(
    "text",
    [
        "one = rows[0]",
        "said: list[str] = []",
        "if told := answer():\n    pass",
        "rows = [one for one in lines]",
        "def line(*, found):\n    pass",
        "sort(key=lambda one: one.name)",
        "try:\n    pass\nexcept ValueError as told:\n    pass",
        "match answer:\n    case [first, *found]:\n        pass",
    ],
)
def test_a_variable_that_says_nothing_is_found(text: str) -> None:
    """However it is bound."""
    [line] = check_words.mute("a.py", text)
    assert line.startswith("a.py:")
    assert "a variable says what it holds" in line


def test_members_and_functions_may_have_such_names() -> None:
    """They are read with what they belong to: `entry.found`."""
    text = "class Entry:\n    found: str\n    one: bool = False\n\n    def said(self):\n        return self.found\n"
    assert list(check_words.mute("a.py", text)) == []


@pytest.mark.parametrize(
    "text", ["there is no lock", "it is no longer declared", "so there\nis no way", "as one can tell whether"]
)
def test_plain_english_is_no_private_word(text: str) -> None:
    """What only looks like one of the listed words is left alone."""
    assert list(check_words.findings("a.py", text)) == []


def test_pages_name_tests_as_they_are_called() -> None:
    """Tests keep the words of their day, so a page that cites one has no others."""
    assert list(check_words.findings("a.md", "tests/a/test_a.py::test_made_by_hand")) == []


def test_words_are_looked_for_on_pages_and_in_pipelines_and_not_in_records() -> None:
    """What users read is looked at wherever it stands; decisions and the changelog keep the words of their day."""
    read = ["README.md", "action.yml", "docs/state.md", "examples/a/b.yaml", "reconciler/cli/x.py", "scripts/x.sh"]
    others = ["CHANGELOG.md", "docs/decisions/0001-x.md", "docs/logo.png", "tests/cli/test_x.py"]
    assert check_words.checked([*others, *read]) == read


SILENT = '''
def test_silent():
    """Says something, asserts nothing."""
    check_request("GET", "/tags", {}, None)

class TestGroup:
    def test_undocumented(self):
        assert True

def test_raises():
    """Fails unless it raises."""
    with pytest.raises(ValueError):
        int("x")

async def test_by_name():
    """Asserts through a function that says so."""
    await assert_converged(account)

def helper():
    return 1
'''


def test_tests_without_assertion_or_docstring_are_named() -> None:
    """A test that cannot fail, and one that does not say what it holds, are reported; all others pass."""
    assert list(check_tests.findings("test_a.py", SILENT)) == [
        "test_a.py:2: test_silent: asserts nothing",
        "test_a.py:7: test_undocumented: has no docstring that states the behaviour",
    ]


def test_stale_missing_and_left_over_files_are_told_apart() -> None:
    """A generated folder is compared file by file."""
    present = {"a.json": b"1", "b.json": b"2", "old.json": b"3"}
    fresh = {"a.json": b"1", "b.json": b"0", "new.json": b"4"}
    assert check_generated.differences("schemas", present, fresh) == [
        "schemas/b.json: stale",
        "schemas/new.json: missing",
        "schemas/old.json: no longer generated",
    ]


def test_writing_generated_files_makes_the_tree_fresh(tmp_path: Path) -> None:
    """`--write` puts the generator's output in place and removes what it no longer makes."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.txt").write_text("old")
    generator = check_generated.Generator("out", SAMPLE, (SAMPLE,))
    assert check_generated.check(generator, tmp_path, write=False) == [
        "out/a.txt: missing",
        "out/old.txt: no longer generated",
    ]
    assert check_generated.check(generator, tmp_path, write=True) == []
    assert check_generated.contents(tmp_path / "out") == {"a.txt": b"new"}


def test_code_that_nothing_mentions_is_dead(tmp_path: Path) -> None:
    """A function is alive when anything in the product, tests or scripts mentions its name."""
    for folder in check_dead_code.FOLDERS:
        (tmp_path / folder).mkdir()
    (tmp_path / "reconciler" / "a.py").write_text("def used(): ...\n\n\ndef unused(): ...\n")
    (tmp_path / "tests" / "test_a.py").write_text("from reconciler.a import used\n\nused()\n")
    assert check_dead_code.dead_code(tmp_path) == ["reconciler/a.py:4: unused function 'unused'"]
