"""Foreign texts are nothing but texts wherever they go."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from pydantic import ValidationError

from reconciler.cli.views import plan_view
from reconciler.model.diagnostics import Diagnostic, Position
from reconciler.model.document import PlanDocument
from reconciler.render import comment, diagrams, markdown, text
from reconciler.render.harmless import Form, Where, harmless, outgoing
from reconciler.render.machine import diagnostics_github, diagnostics_json, diagnostics_sarif
from tests.hostile import HOSTILE, is_command, problems_of
from tests.render import documents

TEXTS = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=5)), min_size=1, max_size=6).map("".join)


@given(TEXTS)
def test_no_output_begins_a_command_or_holds_what_cannot_be_seen(foreign: str) -> None:
    """Whatever a text is, as a whole output it is harmless in every form but annotations, which are commands."""
    for form in get_args(Form):
        if form in ("plain", "text"):
            assert not problems_of(outgoing(foreign, form)), form
        elif form != "github":
            assert not [line for line in outgoing(foreign, form).splitlines() if is_command(line)], form


@pytest.mark.parametrize("end", list("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"))
@pytest.mark.parametrize("form", [form for form in get_args(Form) if form != "github"])
def test_whatever_ends_a_line_begins_no_command(form: Form, end: str) -> None:
    """Programs that read lines do not agree on what ends one."""
    for foreign in (
        f"a{end}::error::b",
        f"a {end}{end} \x1b[1m ::error::b",
        f"{end}::error::b",
        f"::a{end}::b::c{end}",
    ):
        assert not [line for line in outgoing(foreign, form).splitlines() if is_command(line)]


@given(TEXTS)
def test_data_stays_the_same_data(foreign: str) -> None:
    """What is escaped in JSON and XML is read as what it was."""
    written = json.dumps({foreign: foreign}, ensure_ascii=False)
    assert json.loads(outgoing(written, "json")) == json.loads(written)
    root = ElementTree.Element("a", name=harmless(foreign, "xml"))
    root.text = harmless(foreign, "xml")
    found = ElementTree.fromstring(outgoing(ElementTree.tostring(root, encoding="unicode"), "junit"))
    assert (found.text or "").replace("\r", "") == root.text


@given(TEXTS)
def test_places_keep_foreign_texts_inside(foreign: str) -> None:
    """One line each, but where line ends are part of the form; a line that was escaped is not escaped again."""
    for where in get_args(Where):
        assert "\u2068" not in harmless("\u2068x\u2069", where), where
        shown = re.sub("\u2068([^\u2066-\u2069]*)\u2069", r"\1", harmless(foreign, where))  # ours, around names
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown), where
        assert ("\n" in shown) <= (where == "xml"), where
    assert not re.search('["<>`]', harmless(foreign, "mermaid"))
    assert not re.search(r'(?<!\\)(\\\\)*"', harmless(foreign, "dot")[1:-1])
    assert harmless(harmless(foreign)) == harmless(foreign)
    tokens = (
        MarkdownIt("commonmark")
        .enable(["table"])
        .parse(f"- **x**: {harmless(foreign, 'prose')} ({harmless(foreign, 'code')})")
    )
    assert {token.type for token in tokens} <= {
        "bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close", "list_item_close",
        "bullet_list_close",
    }  # fmt: skip
    inner = {child.type for token in tokens for child in token.children or ()}
    assert inner <= {"text", "strong_open", "strong_close", "code_inline", "text_special"}


@pytest.mark.parametrize("emoji", ["👩‍👩‍👧", "🏳️‍🌈", "👩🏽‍🚀", "❤️‍🔥", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
def test_joined_emoji_stay_whole(emoji: str) -> None:
    """On a line, in an excerpt, in JSON, and where a line is broken; a joiner that joins nothing is told."""
    assert harmless(f"a {emoji} b") == f"a {emoji} b"
    assert outgoing(f'"{emoji}"', "json") == f'"{emoji}"'
    problem = Diagnostic("bad", Position("a.yaml", 1, 1), excerpt=f"name: {emoji}", code="x")
    assert f"name: {emoji}" in text.diagnostics([problem])
    broken = text.diagnostics([Diagnostic("x" * 70 + emoji * 9, code="x")], width=40)
    assert broken.replace("\n", "").replace(" ", "").count(emoji) == 9
    assert harmless("a\u200db") == "a\\u200db"


def _poisoned(value: Any, evil: str) -> Any:
    if isinstance(value, dict):
        return {name: _poisoned(item, evil) for name, item in value.items()}
    if isinstance(value, list):
        return [_poisoned(item, evil) for item in value]
    return evil if isinstance(value, str) else value


def _put(root: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        root = root[step]
    root[path[-1]] = value


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for name, item in value.items() for found in _leaves(item, (*path, name))]
    if isinstance(value, list):
        return [found for number, item in enumerate(value) for found in _leaves(item, (*path, number))]
    return [path] if isinstance(value, str) else []


def hostile_plan(evil: str) -> PlanDocument:
    """The plan with one of everything, with a foreign text in every place that takes one."""
    content = documents.refused().model_dump(mode="json")
    for path in _leaves(content):
        before = content
        for step in path:
            before = before[step]
        _put(content, path, evil)
        try:
            PlanDocument.model_validate(content)
        except ValidationError:
            _put(content, path, before)
    return PlanDocument.model_validate(content)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


def tags_of(page: str) -> set[str]:
    """The elements of a page."""
    parser = _Page()
    parser.feed(page)
    return set(parser.tags)


FORMS: tuple[Form, ...] = ("text", "json", "markdown", "html", "sarif", "github", "gitlab", "junit")


@pytest.mark.parametrize("evil", ["".join(HOSTILE), "\n".join(HOSTILE), "::error::boo", "`" * 9, "|" + "-" * 9 + "|\n"])
def test_a_plan_of_hostile_texts_is_harmless_in_every_form(evil: str) -> None:
    """In every place of a plan: no command, nothing unseen, every form is what it says."""
    document = hostile_plan(evil)
    plain = tags_of(plan_view(documents.refused(), "html"))
    for form in FORMS:
        shown = outgoing(plan_view(document, form), form)
        if form == "github":
            assert all(re.match(r"::(error|warning) file=[^:]*,title=[^:]*::", line) for line in shown.splitlines())
            continue
        assert not [line for line in shown.splitlines() if is_command(line)], form
        if form == "text":
            assert not problems_of(shown)
        if form in ("json", "sarif", "gitlab"):
            assert not problems_of(shown)
            json.loads(shown)
        if form == "junit":
            ElementTree.fromstring(shown)
        if form == "html":
            assert tags_of(shown) <= plain | {"a", "details", "summary"}
    for page in (markdown.plan(document), comment.plan_comment(document, limit=markdown.GITHUB)):
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(page)
        html = "".join(token.content for token in tokens if token.type == "html_block")
        assert tags_of(html) <= {"details", "summary"}
        assert not [one for token in tokens for one in token.children or () if one.type in ("html_inline", "image")]
        prose = [one.content for token in tokens for one in token.children or () if one.type == "text"]
        assert not [text for text in prose if "@all" in text or "#1" in text]


@pytest.mark.parametrize("evil", HOSTILE)
def test_problems_and_diagrams_of_hostile_texts_are_harmless(evil: str) -> None:
    """Excerpts, messages and hints of bad files, and names in diagrams."""
    problem = Diagnostic(evil, Position("config/a.yaml", 1, 3), evil, excerpt=evil.splitlines()[0], code="x")
    assert not problems_of(outgoing(text.diagnostics([problem]), "text"))
    for form, shown in (("json", diagnostics_json([problem])), ("sarif", diagnostics_sarif([problem]))):
        json.loads(outgoing(shown, form))  # type: ignore[arg-type]
        assert not problems_of(outgoing(shown, form))  # type: ignore[arg-type]
    assert len(diagnostics_github([problem]).splitlines()) == 1
    assert "##[" not in diagnostics_github([problem])
    diagram = diagrams.Diagram({evil: (evil, "add"), "b": ("b", "other")}, [(evil, "b")])
    for name, view in diagrams.VIEWS.items():
        shown = outgoing(view(diagram), name)  # type: ignore[arg-type]
        assert not [line for line in shown.splitlines() if is_command(line)], name
        if name == "svg":
            ElementTree.fromstring(shown)
