"""The built documentation site is looked over: links, anchors, and what its pages load."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import build_docs


def site(folder: Path, **pages: str) -> Path:
    """Write pages of a site."""
    for name, body in pages.items():
        (folder / f"{name}.html").write_text(f"<!doctype html><html><body>{body}</body></html>", "utf-8")
    return folder


@pytest.mark.parametrize("link", ["other.html", "other.html#here", "#top", "https://example.com/x", "a%20b.txt"])
def test_links_that_lead_somewhere_pass(tmp_path: Path, link: str) -> None:
    """Pages, anchors, files with unusual names, and the web, which is left alone."""
    (tmp_path / "a b.txt").write_text("", "utf-8")
    site(tmp_path, index=f'<h1 id="top">A</h1><a href="{link}">x</a>', other='<h2 id="here">B</h2>')
    assert list(build_docs.findings(tmp_path)) == []


@pytest.mark.parametrize("link", ["gone.html", "other.html#gone", "#gone", "../README.md", "none/"])
def test_dead_links_are_found(tmp_path: Path, link: str) -> None:
    """A page, an anchor or a folder that is not there, and a file of the clone that is no page of the site."""
    site(tmp_path, index=f'<a href="{link}">x</a>', other="")
    assert list(build_docs.findings(tmp_path)) == [f"index.html: dead link: {link}"]


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/x.css">',
        '<img src="https://cdn.example/x.png">',
    ],
)
def test_what_comes_from_another_host_is_found(tmp_path: Path, element: str) -> None:
    """Scripts, styles and pictures of other hosts tell them who reads; a canonical address does not."""
    site(tmp_path, index=f'<link rel="canonical" href="https://example.com/">{element}')
    [problem] = build_docs.findings(tmp_path)
    assert problem.startswith("index.html: loads ")


def test_pages_that_the_navigation_forgets_are_told(tmp_path: Path) -> None:
    """A page of docs/ that no entry names, at whatever depth of the navigation."""
    for name in ("a.md", "b.md", "c.md"):
        (tmp_path / name).write_text("# x", "utf-8")
    config = {"project": {"nav": [{"A": "a.md"}, {"More": [{"B": "b.md"}]}]}}
    assert build_docs.unnamed(tmp_path, config) == ["c.md"]


def test_what_others_keep_beside_the_pages_stays(tmp_path: Path) -> None:
    """Numbers of benchmarks and caches of checks lie in a folder that the builder empties wherever it works."""
    kept = tmp_path / ".cache" / "bench.json"
    kept.parent.mkdir()
    kept.write_text("{}", "utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Read me\n", "utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "gone.html").write_text("", "utf-8")
    project = {"site_name": "Pages", "docs_dir": "docs", "site_dir": "site"}
    named = "".join(f'{name} = "{value}"\n' for name, value in project.items())
    (tmp_path / build_docs.CONFIG.name).write_text(f"[project]\n{named}", "utf-8")
    assert build_docs.build(tmp_path, {"project": project}, tmp_path / "site") == ""
    assert "Read me" in (tmp_path / "site" / "index.html").read_text("utf-8")
    assert not (tmp_path / "site" / "gone.html").exists()
    assert [path.name for path in kept.parent.iterdir()] == ["bench.json"]
