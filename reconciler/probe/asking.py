"""Questions that are asked of many kinds in the same way: does PUT merge, do null and "" clear, may names repeat, how
do texts come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.grammar import a
from reconciler.model.http import Response
from reconciler.probe.answers import refuses
from reconciler.probe.fact import Fact
from reconciler.probe.lab import Lab
from reconciler.probe.means import Made
from reconciler.probe.unsettled import Unsettled

NAMES = {
    "emoji": "🎯 e\u0301",
    "quotes": "\"double\" 'single' `back`",
    "markup": "a < b & c > d",
    "blanks": "two  blanks ",
}
"""Ends of names by what is odd about them; the last one has blanks inside and around it."""
HTML = '<p class="x">a &amp; b &lt;i&gt;</p><br/>'


def merging(form: str, kind: str) -> Fact:
    """Return the fact that the PUT of a kind keeps what is left out."""
    return Fact(f"put.{form}", 0, f"PUT of {a(kind)} keeps what is left out", "merge", (kind,), "recording",
                "what is left out has to be sent along")  # fmt: skip


def clearing(form: str, kind: str) -> tuple[Fact, Fact]:
    """Return the facts that "" and null clear a value of a kind."""
    return (
        Fact(f"empty.{form}", 44, f'"" clears a value of {a(kind)}', "clears", (kind,), "inferred", "a value stays"),
        Fact(f"null.{form}", 44, f"null clears a value of {a(kind)}", "clears", (kind,), "nothing", "it is never sent"),
    )


def repeating(form: str, what: str, kind: str) -> Fact:
    """Return the fact that two objects of a kind may have one name."""
    return Fact(f"unique.{form}", 20, f"two may have one {what}", "no", (kind,), "inferred",
                "an account that takes one only refuses the second")  # fmt: skip


async def merges(lab: Lab, created: Made, sent: Mapping[str, Any], kept: str) -> str:
    """Return what a PUT of some attributes makes of another one, which has a value: merge, reset, refuse; or `ignore`
    where it does not take what is sent.
    """
    before = await lab.read(created)
    if refuses(await lab.put(created, **sent)):
        return "refuse"
    after = await lab.read(created)
    if any(_text(after.get(name)) != _text(value) for name, value in sent.items()):
        return "ignore"
    return "merge" if _text(after.get(kept)) == _text(before.get(kept)) else "reset"


async def clears(
    lab: Lab, created: Made, attribute: str, value: object, *, also: Mapping[str, Any] | None = None
) -> str:
    """Return what a PUT of an empty value makes of an attribute that has one: clears, keeps, refuses."""
    if (await lab.put(created, **{**(also or {}), attribute: "filled"})).ok:
        if refuses(await lab.put(created, **{**(also or {}), attribute: value})):
            return "refuses"
        return "clears" if (await lab.read(created)).get(attribute) in (None, "") else "keeps"
    raise Unsettled(f"PUT {created.form.path}/ID takes no `{attribute}`")


async def repeats(lab: Lab, form: str, attrs: Mapping[str, Any]) -> str:
    """Return whether an account refuses to make something once more: yes (unique), or no."""
    reply, created = await lab.attempt(form, attrs)
    if created is not None:
        await lab.remove(created)
    return "yes" if refuses(reply) else "no"


async def returned(lab: Lab, created: Made, attribute: str, text: str) -> str:
    """Return how a text comes back that is sent as an attribute: kept, trimmed, escaped, refused, other."""
    if refuses(await lab.put(created, **{attribute: text})):
        return "refused"
    return compared(text, _text((await lab.read(created)).get(attribute)))


def compared(sent: str, got: str) -> str:
    """Return what became of a text."""
    if got == sent:
        return "kept"
    if got == sent.strip():
        return "trimmed"
    if "&lt;" in got and "<" not in got:
        return "escaped"
    return "shortened" if got and sent.startswith(got) else "other"


def status(reply: Response) -> str:
    """Return the status of an answer."""
    return str(reply.status)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)
