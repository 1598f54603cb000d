"""Texts that would be something else than texts where they are printed, and what may never be in an output."""

from __future__ import annotations

import re

HOSTILE = (
    "::error::boo",
    "x\n::error::boo",
    " \t::add-mask::e",
    "\u3000::stop-commands::x",
    "##[add-mask]e",
    "x ##[error]boo",
    "##vso[task.setvariable variable=x]y",
    "##teamcity[message text='x']",
    "section_start:1700000000:x[collapsed=true]\r\x1b[0Kboo",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\x1b[8mhidden",
    "a\rb\r\n::error::c",
    "\u202egnp.exe\u2066",
    "\u2028::error::d\x85::error::e\x0b::error::f",
    "invisible\u200b\u00ad\U000e0041",
    "``` ```` `",
    "|a|b|\n|-|-|",
    "</code></pre></details><script>alert(1)</script><img src=x onerror=alert(1)>",
    "--> ]]> ]]>",
    '"]; n1["x\'',
    "[click](https://evil.example) ![x](https://evil.example/x.png)",
    "@all please #1",
    "=HYPERLINK(1)",
    "&amp;&lt;b&gt; %0A::error::g",
    "\\x3a:\\",
    "👩‍👩‍👧",
    "a" * 97 + " ::error::behind a wrap " + "b" * 37 + "::error::inside a word",
)
"""Fragments; a text may be any row of them."""

_BEGINS = re.compile(r"(?:\s|\x1b\[[0-9;]*[A-Za-z])*::")
_ANYWHERE = re.compile(r"##(\[|vso\[|teamcity\[)|section_(start|end):\d", re.IGNORECASE)
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200c\u200e-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def is_command(line: str) -> bool:
    """Whether a program that runs jobs would take this line for a command."""
    return bool(_BEGINS.match(line) or _ANYWHERE.search(line))


def problems_of(output: str, *, colour: bool = False) -> list[str]:
    """What is wrong with an output that is no page of markup: commands, and what cannot be seen."""
    if colour:
        output = _COLOUR.sub("", output)
    found = [f"a command: {line!r}" for line in re.split("[\r\n]", output) if is_command(line)]
    return found + [f"not seen: {match.group()!r}" for match in _UNSEEN.finditer(output)]
