"""Foreign texts, harmless wherever they go. Names and texts of an account and of a configuration are not ours:
nothing in them may move a cursor, reverse a line, close a fence or a tag, mention a person, or be a command of the
program that reads our output.

A text is made harmless where it is put among ours (`harmless`), and whatever leaves the program passes `outgoing`: only
there it is known what begins a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from reconciler.model.characters import BLANKS, JOINED, SHOWN, compiled
from reconciler.render.directions import isolated, named_span, unmarked

Where = Literal["line", "prose", "code", "mermaid", "dot", "xml", "sarif", "command", "property"]
"""`line`: on a terminal, in a fence, in a cell of a table, in HTML that a template escapes; `prose` and `code`: in
Markdown, the second as a span of its own; `command` and `property`: in a GitHub annotation.
"""
Form = Literal[
    "plain", "text", "json", "sarif", "gitlab", "github", "markdown", "html", "svg", "junit", "mermaid", "dot"
]
"""What a whole output is. `plain` is text without colours, whose parts were not looked at."""

_ANY = rf"[^\n{SHOWN}{BLANKS}]"
_ANY_IN_ASCII = re.compile(r"[^\n -~]")
_UNSEEN = rf"({JOINED})|[^{SHOWN}{BLANKS}]"
_UNSEEN_IN_LINES = rf"({JOINED}|\n)|[^{SHOWN}{BLANKS}]"
_UNSEEN_IN_COLOUR = rf"({JOINED}|\n|\x1b\[(?:0|1|2|1;)?(?:3[0-7])?m)|[^{SHOWN}{BLANKS}]"
_NOT_XML = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
_OF_MERMAID = r"""[#&"<>`\\%$]|:(?=fa-)"""
_CLIP = 500

# What programs that run jobs take for a command. GitHub: `::name` at the beginning of a line, behind blanks, and
# `##[name]` anywhere in it; Azure: `##vso[` anywhere; TeamCity: `##teamcity[`; GitLab: `section_start:TIME:`.
_BEGINS = r"((?:\s|\x1b\[[0-9;]*m)*):(?=:)"
_ANYWHERE = r"(?i)#(?=#(?:\[|vso\[|teamcity\[))|_(?<=section_)(?=(?:start|end):\d)"


def harmless(text: str, where: Where = "line") -> str:
    """Return a foreign text such that it is nothing but text where it goes. Line ends are escaped, but in `xml` and
    `command`. The same text once more is not escaped twice on a `line`.
    """
    return _PLACES[where](text)


def outgoing(text: str, form: Form = "plain") -> str:
    """Return an output in which no line is a command of the program that runs the job, and nothing that cannot be
    seen but line ends and our own colours.

    What had to be escaped is escaped in the way of the form, so that data stays the same data.
    """
    text = text if text.isascii() or form in _DATA else unmarked(text)
    if (_ANY_IN_ASCII if text.isascii() else compiled(_ANY)).search(text):
        text = _visible(text, form)
    if form == "github" or not ("::" in text or "##" in text or "section_" in text.lower()):
        return text  # annotations are commands, made of harmless parts
    escape = _json_escape if form in _DATA else _entity if form in _MARKUP else _escape
    text = re.sub(_ANYWHERE, lambda match: escape(match.group()), text)
    # `splitlines` knows every character that some reader takes for the end of a line, U+0085 and U+2028 among them.
    return "".join(_harmless_begin(line, escape) for line in text.splitlines(keepends=True))


def _visible(text: str, form: Form) -> str:
    """Return an output in which the characters that cannot be seen are escaped, but in markup."""
    if form in ("plain", "text"):
        return _seen(text, _UNSEEN_IN_LINES if form == "plain" else _UNSEEN_IN_COLOUR)
    if form in _DATA:
        return compiled(_UNSEEN_IN_LINES).sub(lambda match: match.group(1) or _json_escape(match.group()), text)
    return text


def _harmless_begin(line: str, escape: Callable[[str], str]) -> str:
    match = re.match(_BEGINS, line)
    return f"{match[1]}{escape(':')}{line[match.end() :]}" if match else line


def _seen(text: str, pattern: str = _UNSEEN) -> str:
    if text.isascii() and text.isprintable():
        return text
    return compiled(pattern).sub(lambda match: match.group(1) or _escape(match.group()), text)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def _entity(character: str) -> str:
    return f"&#{ord(character)};"


def _prose(text: str) -> str:
    """Among our own words: clipped, markup escaped, no one mentioned and nothing linked by accident."""
    text = _seen(text)
    clipped = text if len(text) <= _CLIP else text[:_CLIP] + "..."
    escaped = re.sub(r"([\\`*_{}\[\]<>|~&])", r"\\\1", clipped)
    escaped = re.sub(r"([@#])(?=\w)", "\\1\u200b", escaped)
    return isolated(re.sub(r"(?i)(:)(?=//)|(\bwww)(?=\.)", "\\g<0>\u200b", escaped))


def _code(text: str) -> str:
    """A code span around any text."""
    text = _seen(text)
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    span = f"{ticks}{pad}{text}{pad}{ticks}"
    return named_span(text, span)


def _mermaid(text: str) -> str:
    """In a quoted label: what mermaid would read as its own or as HTML are its entities. Directives (`%%{init: {}}%%`),
    formulas (`$$`) and icons (`fa:fa-car`) have a meaning inside of quotes too, and an empty label is none.
    """
    return _seen(re.sub(_OF_MERMAID, lambda match: f"#{ord(match[0])};", text)) or " "


def _dot(text: str) -> str:
    """A quoted identifier of DOT: only quotes and backslashes have a meaning in it, and entities in its labels."""
    return '"' + _seen(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') + '"'


def _xml(text: str) -> str:
    """What XML 1.0 can hold, for a writer that escapes markup; line ends stay."""
    return compiled(_NOT_XML).sub("", "\n".join(_seen(line) for line in text.split("\n")))


def _sarif(text: str) -> str:
    """A message of plain text, in which `[words](target)` would be a link."""
    return _seen(text).replace("](", "]\u200b(")


def _command(text: str, more: str = "") -> str:
    """As the runner's own toolkit escapes it: percent and line ends always, colons and commas in properties."""
    text = "\n".join(_seen(line) for line in text.split("\n"))
    text = re.sub(_ANYWHERE, lambda match: _escape(match.group()), text)
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


_DATA = frozenset({"json", "sarif", "gitlab"})
_MARKUP = frozenset({"html", "svg", "junit", "dot"})
_PLACES: Mapping[Where, Callable[[str], str]] = {
    "line": _seen,
    "prose": _prose,
    "code": _code,
    "mermaid": _mermaid,
    "dot": _dot,
    "xml": _xml,
    "sarif": _sarif,
    "command": _command,
    "property": lambda text: _command(text, ":,"),
}
