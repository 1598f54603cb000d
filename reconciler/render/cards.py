"""Guards, rules and policies as a person is asked about them: what, why, who can allow it, and how."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.model.document import GuardView, PlanDocument
from reconciler.model.records import record
from reconciler.render import words
from reconciler.render.naming import Names, humanised
from reconciler.render.sentences import quoted_for_people, rename
from reconciler.render.terms import GUARD_TITLES, REASONS

FEW = 3
"""Things that a card names at once; more are counted first."""


@record
class Card:
    """A guard as a person is asked about it: what, why, about which things, who can allow it and how. What `why` names
    stands in `things` and `addresses` no more.
    """

    name: str
    title: str
    state: str
    why: str
    things: Sequence[str]
    addresses: Sequence[str]
    who: str
    command: str
    instead: str
    line: str
    tripped: bool


def card(guard: GuardView, document: PlanDocument, names: Names, *, fleet: bool = False) -> Card:
    """Return a guard, a rule or a policy as a card. `command` makes the plan again with exactly this approval; in a
    `fleet` a line of its file does, for no command plans one account of it alone.
    """
    rule, tripped = guard.name.startswith(words.RULES), guard.verdict == "tripped"
    asked = _question(guard, document, names) if guard.name == "suspected_rename" else ""
    why = asked or REASONS.get(guard.name, "") or _begun(quoted_for_people(names.plainly(guard.message)))
    things = [names.thing(address) for address in guard.addresses]
    named = bool(asked) or _names(why, things)
    asks = tripped and bool(guard.override)
    return Card(
        guard.name,
        title(guard),
        words.state(guard),
        why,
        [] if named else things,
        [] if named else guard.addresses,
        _who(guard, rule=rule, fleet=fleet) if tripped else words.approved(guard),
        "" if fleet or not asks else command(document, [guard.override]),
        guard.remedy if tripped else "",
        _line(guard) if fleet and asks else "",
        tripped,
    )


def _names(why: str, things: Sequence[str]) -> bool:
    """Return whether a sentence names all of these."""
    return all(thing in why or _begun(thing) in why for thing in things)


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def title(guard: GuardView) -> str:
    """Return what a guard, a rule or a policy is about."""
    if guard.name.startswith(words.RULES):
        return f"Rule: {humanised(guard.name.partition(' ')[2])}"
    return GUARD_TITLES.get(guard.name, humanised(guard.name))


def coded(guard: GuardView, *more: str) -> str:
    """Return what a guard is about, with its name for those who write it in brackets; a rule is called what its owner
    called it. `more` stands in the brackets too.
    """
    if guard.name.startswith(words.RULES) or guard.name not in GUARD_TITLES:
        return f"{guard.name} ({', '.join(more)})" if more else guard.name
    return f"{GUARD_TITLES[guard.name]} ({', '.join([guard.name, *more])})"


def kept(document: PlanDocument) -> list[tuple[str, list[str]]]:
    """Return what `words.kept` does, by what people call it."""
    called = {
        guard.name: title(guard) if guard.name.startswith(words.RULES) else humanised(guard.name)
        for guard in document.guards
    }
    return [(label, [called[name] for name in names]) for label, names in words.kept(document.guards)]


def _question(guard: GuardView, document: PlanDocument, names: Names) -> str:
    pairs = rename(document, names)
    return next((text for pair, text in pairs.items() if sorted(pair) == sorted(guard.addresses)), "")


def _who(guard: GuardView, *, rule: bool, fleet: bool) -> str:
    if rule:
        return "No one on the command line. The rule's owner can waive it for a time in the project's files."
    if not guard.override:
        return "No one: what is declared has to change."
    if fleet:
        return "Who looks after the fleet, by this line of its file. It approves exactly this, in every account."
    return "The maker of the plan, by making it again like this. That approves exactly this and no more."


def _line(guard: GuardView) -> str:
    """Return what the file of a fleet says to approve exactly this."""
    words_of = shlex.split(guard.override)
    return f"guards: {{allow: [{json.dumps(words_of[-1], ensure_ascii=False)}]}}" if words_of else ""


def command(document: PlanDocument, overrides: Iterable[str]) -> str:
    """Return the command that makes the plan again and saves it, with these approvals besides those that were given."""
    options = document.options
    parts = ["reconciler"]
    clone = options.get("clone")
    if clone:
        parts += ["clone", "--from", shlex.quote(str(clone.get("from", ""))), "--to", shlex.quote(document.environment)]
        parts += ["--prune"] if clone.get("prune") else []
    else:
        parts += ["--env", shlex.quote(document.environment)] if document.environment else []
        parts += ["undo", shlex.quote(str(options["undo"]))] if options.get("undo") else ["plan"]
    kinds = _texts((clone or options).get("kinds"))
    parts += ["--out plan.json", *_chosen(options), *(["--kinds", ",".join(kinds)] if kinds else [])]
    parts += [f"--allow {shlex.quote(name)}" for name in _texts(options.get("allow"))]
    return " ".join([*parts, *overrides])


def all_commands(document: PlanDocument) -> str:
    """Return one command for all approvals, "" where there is only one or where one of them cannot be given."""
    asked = [guard.override for guard in document.tripped]
    return command(document, asked) if len(asked) > 1 and all(asked) else ""


def _chosen(options: Mapping[str, Any]) -> list[str]:
    """The options of a plan that make it less, or more, than a usual one."""
    chosen = [
        f"--{name} {shlex.quote(value)}"
        for name in ("target", "exclude", "replace")
        for value in _texts(options.get(name))
    ]
    flags = ("destroy", "no_delete", "only_adopt", "no_uses")
    chosen += [f"--{name.replace('_', '-')}" for name in flags if options.get(name) and not options.get("undo")]
    chosen += ["--no-impact"] if options.get("impact") is False else []
    return chosen + ([f"--max-requests {options['max_requests']}"] if options.get("max_requests") else [])


def _texts(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(item) for item in value] if isinstance(value, list) else []
