"""The pages of a handbook in a real browser, from the disk, without a network: searched, clicked through, looked at."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.environments.messy import account
from tests.hostile import HOSTILE
from tests.npm import program
from tests.render import chromium
from tests.render.chromium import Browser
from tests.render.golden import FOLDER
from tests.render.pixels import read_png
from tests.world import World, new_world

AXE = ("axe-core", "4.10.2", "axe.min.js")
TOLERANCE = 6.0
"""Mean difference of colour channels: fonts of two machines differ by less, a lost section by more."""
EVERYTHING = Path(__file__).parents[2] / "examples/everything"


@pytest.fixture(name="browser", scope="module")
def a_browser(in_ci: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all tests of this file; without Chromium they are skipped, in a CI they fail."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        assert not in_ci, "the handbook is tested in Chromium: install it (apt-get install chromium)"
        pytest.skip("Chromium is not installed: the handbook was not tested in a browser")
    with chromium.running(executable, tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(name="everything", scope="module")
def the_handbook_of_everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handbook of `examples/everything`, applied, with an automation that mentions a tag."""
    with new_world(tmp_path_factory.mktemp("everything")) as world:
        for path in sorted((EVERYTHING / "config").iterdir()):
            world.write(path.read_text("utf-8"), f"config/{path.name}")
        project = (EVERYTHING / "reconciler.yaml").read_text("utf-8")
        world.write(project.replace("demo-account.db", "account.db"), "reconciler.yaml")
        assert world.cli("apply", "--auto-approve", "-q").code == 0
        tag = world.rows("tags", tag="VIP")[0]["id"]
        blocks = [
            {"automation": "7", "type": "addtag", "params": {"tagid": tag}},
            {"automation": "7", "type": "hologram", "params": {"x": "y"}},
        ]
        world.account.seed({"automations": [{"id": "7", "name": "Welcome"}], "automationBlocks": blocks})
        return made(world)


@pytest.fixture(name="messy", scope="module")
def the_handbook_of_a_mess(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handbook of an account that nobody prepared, with hostile names beside all others."""
    with new_world(tmp_path_factory.mktemp("messy")) as world:
        world.write("{}")
        world.account.seed(account(11))
        kept = [one.encode("utf-8", "ignore").decode() for one in HOSTILE]
        world.account.seed({"tags": [{"id": str(7_000 + n), "tag": f"{n} {one}"} for n, one in enumerate(kept)]})
        return made(world)


def made(world: World) -> Path:
    """Write the handbook, and return its folder."""
    ran = world.cli("handbook", "--out", "book")
    assert ran.code in (0, 4), ran.text
    return world.folder / "book"


def found(browser: Browser) -> list[str]:
    """Return where the results of the search lead."""
    hrefs = browser.evaluate("[...document.querySelectorAll('#found a')].map((one) => one.getAttribute('href'))")
    assert isinstance(hrefs, list)
    return hrefs


def follow(browser: Browser, selector: str) -> str:
    """Click a link, wait for its page, and return where that is: the file, and the part that is shown."""
    browser.events.clear()
    browser.evaluate(
        f"document.querySelector({json.dumps(selector)}).dispatchEvent(new MouseEvent('click', {{bubbles: true}}))"
    )
    browser.wait_for("Page.loadEventFired")
    return str(browser.evaluate("location.pathname.split('/').pop() + location.hash"))


def test_everything_is_searched_and_clicked_through_from_the_disk(browser: Browser, everything: Path) -> None:
    """Slash, words, a result, its part of the page, what uses it, and back by the picture; nothing is fetched and
    nothing complains.
    """
    browser.load(everything / "index.html")
    assert browser.problems() == []
    browser.press("/")
    browser.type("spends 1,000")
    browser.settle()
    assert found(browser) == ["tag.html#tag.vip"]
    assert browser.evaluate("document.getElementById('count').textContent") == "1 found"
    assert follow(browser, "#found a") == "tag.html#tag.vip"
    assert browser.evaluate("document.querySelector('.object:target h2').textContent") == "VIP"
    assert follow(browser, ".object:target a[href^='automation.html']") == "automation.html#automation.id_7"
    assert browser.evaluate("document.querySelector('.object:target').textContent.includes('Mentions')") is True
    assert follow(browser, "svg a[href='tag.html#tag.vip']") == "tag.html#tag.vip"
    assert follow(browser, "nav a[href='graph.html']") == "graph.html"
    assert follow(browser, "svg a[href='pipeline.html']") == "pipeline.html"


def test_escape_clears_the_search_and_tab_reaches_what_was_found(browser: Browser, everything: Path) -> None:
    """The keyboard is enough."""
    browser.load(everything / "index.html")
    browser.press("/")
    browser.type("vip")
    browser.settle()
    assert found(browser) == ["tag.html#tag.vip", "segment.html#segment.safe_vips"]
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.getAttribute('href')") == "tag.html#tag.vip"
    browser.press("/")
    browser.press("Escape")
    browser.settle()
    assert found(browser) == []


def test_without_javascript_everything_but_the_search_is_there(browser: Browser, everything: Path) -> None:
    """The box is not offered, the kinds are."""
    browser.load(everything / "index.html", script=False)
    assert browser.evaluate("document.querySelector('.needs-script').checkVisibility()") is False
    assert browser.evaluate("document.querySelector('a[href=\"tag.html\"]').checkVisibility()") is True


def test_names_of_a_messy_account_are_found_and_run_nothing(browser: Browser, messy: Path) -> None:
    """Markup in a name is a text that can be searched, on the page that it leads to as well."""
    browser.load(messy / "index.html")
    assert browser.problems() == []
    browser.evaluate(
        "((box) => { box.value = '<script>alert(1)'; box.dispatchEvent(new Event('input')); })"
        "(document.getElementById('search'))"
    )
    [href] = found(browser)
    assert browser.evaluate("document.querySelector('#found').querySelectorAll('script, img').length") == 0
    assert follow(browser, "#found a") == href
    assert "<script>alert(1)</script>" in str(
        browser.evaluate("document.querySelector('.object:target h2').textContent")
    )
    browser.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.owned = 1'}))"
    )
    assert browser.evaluate("window.owned === undefined") is True


def violations(browser: Browser, source: str) -> list[str]:
    """Return what axe-core finds on the page, by WCAG 2.2 AA and its best practices."""
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.evaluate(source + "; 0")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    ran = browser.evaluate(
        f"axe.run({{runOnly: {json.dumps(tags)}}}).then((done) => done.violations.map("
        "(one) => one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 120)).slice(0, 3).join(' | ')))"
    )
    assert isinstance(ran, list)
    return ran


@pytest.fixture(name="axe", scope="module")
def the_script_of_axe() -> str:
    """The script of axe-core, which finds what people with an impairment cannot use."""
    return Path(program(*AXE)[1]).read_text("utf-8")


@pytest.mark.parametrize(
    ("pages", "width", "dark"),
    [
        (("index", "graph", "pipeline", "score"), 1200, False),
        (("tag", "index"), 1200, True),
        (("field",), 390, False),
    ],
)
def test_axe_finds_no_violation(
    browser: Browser, everything: Path, axe: str, pages: Sequence[str], width: int, dark: bool
) -> None:
    """Names, contrast, order, keyboard; and axe does find what is wrong with a page."""
    for page in pages:
        browser.load(everything / f"{page}.html", width=width, dark=dark)
        assert violations(browser, axe) == [], page
    browser.evaluate("document.documentElement.lang = ''")
    assert any(one.startswith("html-has-lang") for one in violations(browser, axe))


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1200, True)])
def test_axe_finds_no_violation_in_a_mess(browser: Browser, messy: Path, axe: str, width: int, dark: bool) -> None:
    """On the pages that hold most of it."""
    for page in ("index", "look", "tag"):
        browser.load(messy / f"{page}.html", width=width, dark=dark)
        assert violations(browser, axe) == [], page


@pytest.mark.prove
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_violation_on_any_page(
    browser: Browser, everything: Path, messy: Path, axe: str, dark: bool
) -> None:
    """Every page of both handbooks, wide and narrow."""
    seen = []
    for page in (*sorted(everything.glob("*.html")), *sorted(messy.glob("*.html"))):
        for width in (390, 1200):
            browser.load(page, width=width, dark=dark)
            seen += [f"{page} at {width}: {one}" for one in violations(browser, axe)]
    assert seen == []


@pytest.mark.parametrize(
    "name", ["index", "look", "graph", "tag", "list", *(pytest.param("*", marks=pytest.mark.prove),)]
)
def test_no_page_is_wider_than_a_narrow_screen(browser: Browser, everything: Path, messy: Path, name: str) -> None:
    """At 390 pixels nothing but pictures is scrolled sideways."""
    wide = []
    for page in (*sorted(everything.glob(f"{name}.html")), *sorted(messy.glob(f"{name}.html"))):
        browser.load(page, width=390)
        if browser.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(page.name)
    assert wide == []


@pytest.mark.parametrize("page", ["index", "tag", "field", "look", "graph"])
def test_a_printed_page_says_all_and_offers_nothing_to_type(browser: Browser, everything: Path, page: str) -> None:
    """On paper there is no search and no menu, what was folded is open, and nothing ends outside of the sheet."""
    browser.load(everything / f"{page}.html", width=794, printed=True)
    offered = "[...document.querySelectorAll('nav, input, button')].filter((one) => one.checkVisibility()).length"
    assert browser.evaluate(offered) == 0
    texts = "[...document.querySelectorAll('main details > :not(summary)')]"
    hidden = f"{texts}.filter((one) => !one.checkVisibility({{contentVisibilityAuto: true}})).length"
    assert browser.evaluate(hidden) == 0
    cut = """[...document.querySelectorAll("main *")].filter((node) => {
      if (!node.checkVisibility() || node.closest("svg")) return false;
      const box = node.getBoundingClientRect();
      return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1);
    }).map((node) => `${node.tagName}.${node.className}: ${node.textContent.slice(0, 40)}`)"""
    assert browser.evaluate(cut) == []
    assert browser.printed_pages() >= 1


@pytest.mark.parametrize(("page", "dark"), [("index", False), ("tag", True)])
def test_the_pages_look_as_approved(browser: Browser, everything: Path, page: str, dark: bool) -> None:
    """Pixels of two machines differ a little; a lost section, or colours that nobody chose, differ by more."""
    browser.load(everything / f"{page}.html", dark=dark)
    picture = browser.screenshot(height=900, scale=0.25)
    golden = FOLDER / f"handbook-{page}.png"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(picture)
    assert read_png(picture).distance(read_png(golden.read_bytes())) < TOLERANCE


def test_a_search_finds_what_people_type(browser: Browser, everything: Path) -> None:
    """Capitals and accents do not matter, nor in which of two ways an accent is written."""
    browser.load(everything / "index.html")
    box = "((box, text) => { box.value = text; box.dispatchEvent(new Event('input')); })"
    hits = []
    for typed in ("Newsletter", "NEWSLETT\u00c9R", "newslette\u0301r", "newslett\u011br"):
        browser.evaluate(f"{box}(document.getElementById('search'), {json.dumps(typed)})")
        hits.append(found(browser))
    assert (hits[0] != [], hits[1:]) == (True, [hits[0]] * 3)
    browser.evaluate(f"{box}(document.getElementById('search'), 'enterprise')")  # an option of a field
    assert any(hit.endswith("#field.plan_tier") for hit in found(browser)), found(browser)


def test_on_a_telephone_the_index_breaks_no_word_and_shows_no_zeros(browser: Browser, everything: Path) -> None:
    """Names of kinds stand on lines of their own; what is nowhere is not counted there. Kinds without objects are named
    in one sentence.
    """
    browser.load(everything / "index.html", width=390)
    rows = browser.evaluate("[...document.querySelectorAll('.kinds tbody tr')].map(row => row.innerText)")
    assert len(rows) > 20
    assert not [row for row in rows if re.search(r":\s*0\b", row)]
    lines = "[...document.querySelectorAll('.kinds th a')].map(a => a.getClientRects().length)"
    assert set(browser.evaluate(lines)) == {1}


def test_what_could_not_be_looked_into_is_said_once(messy: Path) -> None:
    """Of segments that hold something unknown, however many each object was looked for in."""
    index = (messy / "index.html").read_text("utf-8")
    assert len(re.findall(r"<li>What \d+ segments? use: ", index)) == 1
