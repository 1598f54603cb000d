"""The HTML report: its text, and its behaviour in a real browser."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from reconciler.model.document import AttributeView, ChangeView, GuardView, PlanDocument, SkippedView, StepView, Summary
from reconciler.model.fleet import AccountOutcome, Drifted, FleetReport, Group, JobResult, WaveReport
from reconciler.model.plan import Op
from reconciler.render import charts, fleet, graph, html
from tests import npm
from tests.render import chromium, documents
from tests.render.chromium import Browser
from tests.render.golden import FOLDER, assert_golden
from tests.render.pixels import read_png

AXE = "4.10.2"
TOLERANCE = 6.0
"""Mean difference of colour channels between screenshots: fonts of two machines differ by less, a lost section by
more.
"""


SHOWN = {"everything": documents.refused, "messy": documents.messy}


@pytest.fixture(scope="session")
def browser(in_ci: bool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all tests of this file; without Chromium they are skipped, in a CI they fail."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        assert not in_ci, "the HTML report is tested in Chromium: install it (apt-get install chromium)"
        pytest.skip("Chromium is not installed: the HTML report was not tested in a browser")
    with chromium.running(executable, tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Where a test puts its report."""
    return tmp_path / "plan.html"


def shown(browser: Browser) -> list[str]:
    """Addresses of the changes that can be seen."""
    found = browser.evaluate("""
      [...document.querySelectorAll(".item")].filter((item) => item.checkVisibility())
        .map((item) => item.querySelector("code").textContent)
    """)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("size", documents.SIZES)
def test_a_report_of_each_size_reads_as_approved(size: str) -> None:
    """Reports of 1, 40 and 2,000 changes, byte by byte."""
    assert_golden(f"plan-{size}.html", html.plan(documents.SIZES[size]()))


def test_a_report_with_everything_reads_as_approved() -> None:
    """Every action, guard, skipped kind, warning and value shape."""
    assert_golden("everything.html", html.plan(documents.refused()))


def test_a_report_needs_nothing_but_itself() -> None:
    """No address outside of the page, no inline style or handler that the policy would have to allow."""
    report = html.plan(documents.refused())
    assert not re.search(r"(?i)\b(?:src|href)\s*=\s*[\"'](?!#)", report)
    assert not re.search(r"(?i)<[^>]+\s(?:style|on\w+)\s*=", report)
    assert "unsafe" not in report


def test_foreign_text_stays_text() -> None:
    """Markup in every place that comes from outside is escaped."""
    evil = "</script><script>window.owned=1</script><img src=x onerror=window.owned=1>\u202e"
    assert "<script>window" not in html.plan(_hostile(evil))
    assert "<img" not in html.plan(_hostile(evil))
    assert "\u202e" not in html.plan(_hostile(evil))


def _hostile(evil: str) -> PlanDocument:
    change = ChangeView(
        address=evil,
        kind=evil,
        action="update",
        id=evil,
        reason=evil,
        place=evil,
        manual={evil: evil},
        attributes=[
            AttributeView(name=evil, before=evil, after=[evil, {evil: evil}], place=evil, origin="both", applied=evil)
        ],
    )
    return PlanDocument(
        environment=evil,
        account=evil,
        created_at=evil,
        tool_version=evil,
        changes=[change],
        warnings=[evil],
        guards=[GuardView(name=evil, verdict="tripped", message=evil, addresses=[evil], override=evil)],
        skipped=[SkippedView(address=evil, reason=evil)],
        steps=[StepView(number=1, address=evil, op="update", requests=[evil])],
        options={"target": [evil]},
        digest=evil,
        summary=Summary(change=1),
    )


def test_the_browser_finds_nothing_to_complain_of(browser: Browser, page: Path) -> None:
    """Style and script pass the page's own policy, nothing is fetched, no error is logged."""
    page.write_text(html.plan(documents.refused()), encoding="utf-8")
    browser.load(page)
    assert browser.problems() == []
    assert browser.evaluate("getComputedStyle(document.querySelector('.filters')).display") == "flex"


def test_nothing_foreign_can_run(browser: Browser, page: Path) -> None:
    """Neither what the document holds nor a script that somebody adds afterwards is executed."""
    page.write_text(html.plan(_hostile("</script><script>window.owned=1</script>")), encoding="utf-8")
    browser.load(page)
    browser.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.owned = 2'}))"
    )
    assert browser.evaluate("window.owned === undefined") is True


def test_without_javascript_everything_is_told_and_filtered(browser: Browser, page: Path) -> None:
    """All changes are there, destruction unfolded; boxes hide actions; what needs the script is not offered."""
    page.write_text(html.plan(documents.many(40)), encoding="utf-8")
    browser.load(page, script=False)
    assert len(shown(browser)) == 40
    assert browser.evaluate("document.querySelector('.script').checkVisibility()") is False
    browser.evaluate("document.getElementById('f-create').click()")
    assert len(shown(browser)) == 12
    browser.evaluate("document.getElementById('f-risky').click()")
    assert shown(browser) == ["field.f9", "field.f19", "field.f29", "field.f39"]


def test_the_keyboard_is_enough(browser: Browser, page: Path) -> None:
    """Slash goes to the filter, typing filters, Escape clears, Tab and Space reach boxes, Enter unfolds a change."""
    page.write_text(html.plan(documents.many(40)), encoding="utf-8")
    browser.load(page)
    browser.press("/")
    browser.type("stage p1")
    browser.settle()
    assert shown(browser) == [f"stage.p1.s{number}" for number in range(11, 17)]
    assert browser.evaluate("document.getElementById('count').textContent") == "6 of 40"
    for _ in range(3):
        browser.press("Tab")
    assert browser.evaluate("document.activeElement.tagName") == "SUMMARY"
    browser.press("Enter")
    assert browser.evaluate("document.activeElement.parentElement.open") is True
    browser.press("/")
    browser.press("Escape")
    browser.settle()
    assert len(shown(browser)) == 40
    browser.press("Tab", shift=True)
    assert browser.evaluate("document.activeElement.id") == "f-drift"
    browser.press(" ")
    browser.settle()
    assert shown(browser) == ["tag.t7", "tag.t17", "tag.t27", "tag.t37"]
    assert browser.evaluate("document.getElementById('count').textContent") == "4 of 40"


def test_a_step_of_the_graph_leads_to_its_change(browser: Browser, page: Path) -> None:
    """Following a step unfolds its change, even when a filter hides it; zooming changes the drawing's size."""
    page.write_text(html.plan(documents.many(40)), encoding="utf-8")
    browser.load(page)
    browser.evaluate(
        "(s => {s.value = 'nothing at all'; s.dispatchEvent(new Event('input'))})(document.getElementById('search'))"
    )
    browser.settle()
    assert shown(browser) == []
    browser.evaluate(
        "document.querySelector('#graph a[href=\"#c-4\"]').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    browser.settle()
    followed = "document.querySelector('#c-4 code').textContent"
    assert shown(browser) == [browser.evaluate(followed)]
    assert browser.evaluate("document.getElementById('c-4').open") is True
    before = browser.evaluate("document.getElementById('graph').getBoundingClientRect().width")
    browser.evaluate("document.querySelector('[data-zoom=\"0.8\"]').click()")
    assert browser.evaluate("document.getElementById('graph').getBoundingClientRect().width") == pytest.approx(
        before * 0.8, rel=0.01
    )


CONTRAST = """
(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const part = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const paper = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parse(getComputedStyle(node).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    if (!node.checkVisibility() || ![...node.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    if (node.tagName === "SCRIPT" || node.tagName === "title") continue;
    const style = getComputedStyle(node);
    const drawn = node instanceof SVGElement;
    const rect = drawn && node.closest("g.node")?.querySelector("rect");
    const back = rect ? parse(getComputedStyle(rect).fill) : paper(node);
    const found = ratio(parse(drawn ? style.fill : style.color), back);
    if (found < 4.5) poor.push(`${node.tagName} ${node.textContent.slice(0, 20)}: ${found.toFixed(2)}`);
  }
  return poor;
})()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_enough_contrast(browser: Browser, page: Path, dark: bool) -> None:
    """WCAG AA (4.5 : 1) for every piece of text, in the light and in the dark."""
    page.write_text(html.plan(documents.refused()), encoding="utf-8")
    browser.load(page, dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.evaluate(CONTRAST) == []


def test_two_thousand_changes_do_not_freeze_the_page(browser: Browser, page: Path) -> None:
    """Filtering two thousand changes by text and by action takes no seconds: work that grows with the square of the
    changes would. The best of three rounds counts, for the machine may be busy with anything.
    """
    page.write_text(html.plan(documents.many(2000)), encoding="utf-8")
    browser.load(page)
    rounds = [browser.evaluate(SLOWEST_FILTER) for _ in range(3)]
    browser.evaluate('document.getElementById("f-create").click()')
    assert browser.evaluate("document.getElementById('count').textContent") == "200 of 2000"
    assert min(rounds) < 3000


SLOWEST_FILTER = """
  (async () => {
    const search = document.getElementById("search");
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    let slowest = 0;
    for (const text of ["s", "st", "stage", "stage 77", "", "drift"]) {
      const start = performance.now();
      search.value = text;
      search.dispatchEvent(new Event("input"));
      await frame();
      slowest = Math.max(slowest, performance.now() - start);
    }
    return slowest;
  })()
"""


VIOLATIONS = """
  axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    .then((ran) => ran.violations.map((one) => `${one.id}: ${one.nodes.map((n) => n.target)}`))
"""
"""Without a list of tags axe leaves out what is new in WCAG 2.2, such as how large a target has to be."""


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which finds what people with an impairment cannot use."""
    return Path(npm.program("axe-core", AXE, "axe.min.js")[1]).read_text("utf-8")


@pytest.mark.parametrize(
    ("paper", "name"),
    [*((paper, "everything") for paper in ("light", "dark", "print")), ("light", "messy"), ("dark", "messy")],
)
def test_axe_finds_no_violation(browser: Browser, page: Path, axe: str, paper: str, name: str) -> None:
    """WCAG 2.2 AA and good practice, with everything unfolded; and axe does find what is wrong with a page."""
    page.write_text(html.plan(SHOWN[name]()), encoding="utf-8")
    browser.load(page, dark=paper == "dark", printed=paper == "print")
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    # What is not in sight has no place of its own yet.
    browser.evaluate("document.querySelectorAll('.item').forEach(i => i.style.contentVisibility = 'visible')")
    browser.evaluate(axe)
    found = VIOLATIONS
    assert browser.evaluate(found) == []
    browser.evaluate("document.querySelector('h1').style.color = '#777'; document.documentElement.lang = ''")
    assert any(one.startswith("html-has-lang") for one in browser.evaluate(found))


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1200, True)])
def test_the_page_of_a_fleet_is_for_all(browser: Browser, page: Path, axe: str, width: int, dark: bool) -> None:
    """With everything that it may say, unfolded: axe finds nothing, and nothing is wider than a telephone."""
    results = [
        JobResult(account=f"client-{outcome}", outcome=outcome, add=1, destroy=1, records_at_risk=9, message="Why not")
        for outcome in get_args(AccountOutcome)
    ]
    noted = ["delete tag.vip", "update list.newsletter_of_all_the_customers_of_this_account (name)"]
    report = FleetReport(
        name="2026-11-29t032453-plan-cc0d", mode="plan", accounts=results, since="before", news=["client: " + noted[1]],
        groups=[Group(digest="g", accounts=[one.account for one in results], changes=noted)],
        waves=[WaveReport(name="early", accounts=8, state="approval", digest="d" * 64, stopped="too many")],
        drift=[Drifted(by="object", name="tag.vip", accounts=8, drifted=3)], versions={"1.4": 8},
    )  # fmt: skip
    page.write_text(fleet.html(report), encoding="utf-8")
    browser.load(page, width=width, dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    browser.evaluate(axe)
    found = VIOLATIONS
    assert browser.evaluate(found) == []


def test_ten_changes_are_printed_on_two_pages(browser: Browser, page: Path) -> None:
    """All that an approver needs of a plan with one of everything; what is for engineers stays on the screen."""
    document = documents.refused()
    assert len([one for one in document.changes if one.action != "none"]) == 10
    page.write_text(html.plan(document), encoding="utf-8")
    browser.load(page)
    assert browser.printed_pages() == 2


@pytest.mark.parametrize(
    ("width", "name"), [(390, "everything"), (1200, "everything"), (390, "messy"), (1200, "messy")]
)
def test_nothing_is_cut_off(browser: Browser, page: Path, width: int, name: str) -> None:
    """Neither on a phone nor on a desk does a text of the report end outside of what shows it."""
    page.write_text(html.plan(SHOWN[name]()), encoding="utf-8")
    browser.load(page, width=width)
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    cut = """[...document.querySelectorAll("main *, header *")].filter((node) => {
      if (!node.checkVisibility() || node.closest("svg, .scroll, thead")) return false;
      const box = node.getBoundingClientRect();
      return box.width > 0 && (box.right > innerWidth + 1 || box.left < -1 || node.scrollWidth > node.clientWidth + 1
        && getComputedStyle(node).display !== "inline");
    }).map((node) => `${node.tagName}.${node.className}: ${node.textContent.slice(0, 40)}`)"""
    assert browser.evaluate(cut) == []


@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_does_not_scroll_sideways(browser: Browser, page: Path, width: int) -> None:
    """On a phone and on a desk everything but the graph fits the window, whatever the words are."""
    for document in (documents.refused(), documents.endless()):
        page.write_text(html.plan(document), encoding="utf-8")
        browser.load(page, width=width)
        browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert browser.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("paper", ["light", "dark", "print", "390"])
@pytest.mark.parametrize("name", ["everything", "40"])
def test_the_page_looks_as_approved(browser: Browser, page: Path, name: str, paper: str) -> None:
    """A small screenshot of the page is close to the one that was last approved: on a desk, in the dark, on paper, on a
    phone.
    """
    document = documents.refused() if name == "everything" else documents.many(40)
    page.write_text(html.plan(document), encoding="utf-8")
    width, scale = (390, 0.25) if paper == "390" else (1200, 0.125)
    browser.load(page, width=width, height=3000, dark=paper == "dark", printed=paper == "print")
    actual = browser.screenshot(width=width, height=3000, scale=scale)
    golden = FOLDER / f"screen-{name}-{paper}.png"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(actual)
    assert read_png(actual).distance(read_png(golden.read_bytes())) < TOLERANCE


def test_screenshots_of_other_pages_are_told_apart() -> None:
    """The tolerance is tight enough to tell the approved pages from each other."""
    light, other, dark = (
        read_png((FOLDER / f"screen-{name}.png").read_bytes())
        for name in ("everything-light", "40-light", "everything-dark")
    )
    assert light.distance(other) > TOLERANCE
    assert light.distance(dark) > 10 * TOLERANCE
    assert light.distance(light) == 0


def test_steps_stand_right_of_what_they_wait_for() -> None:
    """A step's wave is later than those of all steps that it waits for, and no two steps stand on each other."""
    steps = documents.many(400).steps
    drawing = graph.picture(steps)
    x = {node.number: node.x for node in drawing.nodes}
    assert all(x[number] < x[step.number] for step in steps for number in step.waits)
    assert len({(node.x, node.y) for node in drawing.nodes}) == len(steps)
    assert all(
        node.x + graph.NODE_WIDTH <= drawing.width and node.y + graph.NODE_HEIGHT <= drawing.height
        for node in drawing.nodes
    )
    assert len(drawing.edges) == sum(len(step.waits) for step in steps)
    assert [heading for _, heading in drawing.waves] == ["wave 1", "wave 2"]


def test_every_operation_can_be_drawn() -> None:
    """None of them ends a report with an error of the program."""
    steps = [StepView(number=n, address=f"tag.t{n}", op=op) for n, op in enumerate(get_args(Op), 1)]
    assert len(graph.picture(steps).nodes) == len(steps)


def test_the_timeline_adds_up_to_the_forecast() -> None:
    """Segments follow each other without gaps from the first request to the last."""
    line = charts.timeline(documents.many(40))
    assert line is not None
    end = 0.0
    for segment in line.segments:
        assert segment.x == pytest.approx(end, abs=0.05)
        end = segment.x + segment.width
    assert end == pytest.approx(charts.WIDTH, abs=0.5)
    assert line.ticks[0] == (0.0, "0 s")
    assert charts.timeline(documents.nothing()) is None


def test_a_long_timeline_stays_small() -> None:
    """Thousands of steps are drawn as hundreds of segments, in the colours of their operations."""
    line = charts.timeline(documents.many(5000))
    assert line is not None
    assert len(line.segments) < 1_000
    assert {"add", "change", "destroy", "read"} == {segment.tone for segment in line.segments}


def test_the_largest_risk_has_the_longest_bar() -> None:
    """Bars are proportional, uncountable losses come first, and what is not drawn is counted."""
    blast = charts.blast(documents.many(2000).changes)
    widths = [bar.width for bar in blast.bars]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] == charts.WIDTH
    assert len(blast.bars) + blast.more == 200
    assert charts.blast(documents.refused().changes).bars[0].known is False
