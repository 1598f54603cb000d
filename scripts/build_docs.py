"""Build the documentation site and look over what was built.

Usage: `python -m scripts.build_docs`. zensical builds what zensical.toml says into site/.
Links between pages and to anchors must lead somewhere, and no page may load anything from another host. Pages of docs/
that the navigation does not name are listed; they are built, and found by links and by the search.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "zensical.toml"
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""Elements that make a browser fetch something, with the attribute that says what."""
HINTS = ("canonical", "prev", "next")


class Page(HTMLParser):
    """Collects the ids, the links and what is loaded of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what of an element matters here."""
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in LOADING and given.get("rel") not in HINTS and LOADING[tag] in given:
            self.loads.append(given[LOADING[tag]])


def findings(site: Path) -> Iterator[str]:
    """Yield `page: what` for each dead link and each address of another host from which a page loads something."""
    pages = {path: Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        if path.name == "404.html":  # it is served for any path, so its links are those of the site's root
            continue
        name = path.relative_to(site)
        yield from (f"{name}: loads {address}" for address in page.loads if urlsplit(address).netloc)
        for link in dict.fromkeys([*page.links, *page.loads]):
            if not _leads_somewhere(path, link, pages):
                yield f"{name}: dead link: {link}"


def _leads_somewhere(path: Path, link: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target = target / "index.html"
    anchor = unquote(parts.fragment)
    if target in pages:
        return not anchor or anchor.startswith("__") or anchor in pages[target].ids
    return target.is_file()


def unnamed(docs: Path, config: dict[str, Any]) -> list[str]:
    """Return the pages directly in docs/ that the navigation does not name."""
    named = set(_leaves(config["project"]["nav"]))
    return [page.name for page in sorted(docs.glob("*.md")) if page.name not in named]


def _leaves(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for item in nav.values() if isinstance(nav, dict) else nav:
            yield from _leaves(item)


def build(root: Path, config: dict[str, Any], site: Path) -> str:
    """Build the pages of a clone into a folder; return what was printed where that failed. zensical keeps a cache in
    `.cache` beside its file, and empties that folder: it works on a copy, for others keep theirs there too.
    """
    with tempfile.TemporaryDirectory() as name:
        copy, docs = Path(name), config["project"]["docs_dir"]
        shutil.copy(root / CONFIG.name, copy)
        shutil.copytree(root / docs, copy / docs)
        built = subprocess.run(
            [sys.executable, "-m", "zensical", "build"],
            cwd=copy,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if built.returncode:
            return built.stdout
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(copy / config["project"]["site_dir"], site)
    return ""


def main() -> int:
    """Build and check; 0 when nothing was found."""
    config = tomllib.loads(CONFIG.read_text("utf-8"))
    site = ROOT / config["project"]["site_dir"]
    if failure := build(ROOT, config, site):
        print(failure)
        return 1
    for name in unnamed(ROOT / "docs", config):
        print(f"note: docs/{name} is not in the navigation; name it in zensical.toml")
    problems = list(findings(site))
    print("\n".join(problems) or f"built {len(list(site.rglob('*.html')))} pages into {site.name}/")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
