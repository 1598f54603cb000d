"""Policies: the team's own rules over a plan document, declarative ones and expressions. Pure: the day is passed in."""

from __future__ import annotations

import datetime
import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from reconciler.model.document import ChangeView, GuardView, PlanDocument
from reconciler.model.project import Deny, Policy
from reconciler.planning.expressions import Broken, holds

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STAYS = ("create", "adopt", "update", "replace")
"""Actions after which the object is as declared: attributes are judged only there."""


def judge_policies(
    document: PlanDocument, policies: Iterable[Policy], now: datetime.datetime, *, tell_all: bool = False
) -> list[GuardView]:
    """Return the verdict of every policy that has something to say about the plan; with `tell_all`, of every policy.

    A policy whose expression fails denies: a rule that cannot be checked was not kept.
    """
    content = document.model_dump(mode="json")
    said = {"plan": content, "weekday": DAYS[now.weekday()], "now": now.isoformat()}
    found = []
    for policy in policies:
        if policy.environments and document.environment not in policy.environments:
            continue
        broken, addresses, why = _judged(policy, document, said)
        if broken or tell_all:
            found.append(_verdict(policy, broken, addresses, why))
    return found


def _verdict(policy: Policy, broken: bool, addresses: list[str], why: str) -> GuardView:
    denied: Literal["tripped", "warned"] = "tripped" if policy.severity == "error" else "warned"
    return GuardView(
        name=f"policy {policy.name}",
        verdict=denied if broken else "passed",
        message=f"{policy.message}{f' ({why})' if why else ''}" if broken else "",
        addresses=addresses,
    )


def _judged(policy: Policy, document: PlanDocument, said: Mapping[str, Any]) -> tuple[bool, list[str], str]:
    """Return whether the policy is broken, by which addresses, and why it could not be evaluated."""
    try:
        if policy.deny is None:
            return holds(policy.when or "false", said), [], ""
        hits = [change for change in document.changes if _denied(policy.deny, change, str(said["weekday"]))]
        if policy.when is not None:
            views = {change.address: change.model_dump(mode="json") for change in hits}
            hits = [change for change in hits if holds(policy.when, {**said, "change": views[change.address]})]
        return bool(hits), [change.address for change in hits], ""
    except Broken as error:
        return True, [], f"its expression cannot be evaluated, so it counts as broken: {error}"


def _denied(deny: Deny, change: ChangeView, weekday: str) -> bool:
    if not fnmatch.fnmatchcase(change.kind, deny.kind) or not fnmatch.fnmatchcase(change.address, deny.address):
        return False
    if deny.action not in ("any", change.action) and (deny.action, change.action) != ("delete", "replace"):
        return False
    if deny.weekdays and weekday not in deny.weekdays:
        return False
    if deny.records_above is not None and not _loses_more(change, deny.records_above):
        return False
    return deny.attribute is None or (change.action in STAYS and _wrong(deny, change))


def _loses_more(change: ChangeView, most: int) -> bool:
    counts = [impact.count for impact in change.impacts if impact.effect in ("lost", "moved")]
    return None in counts or sum(count or 0 for count in counts) > most


def _wrong(deny: Deny, change: ChangeView) -> bool:
    texts = list(_texts(value_after(change, deny.attribute or "")))
    if deny.matches is not None and any(re.search(deny.matches, text) for text in texts):
        return True
    if deny.unless_matches is not None and not all(re.search(deny.unless_matches, text) for text in texts):
        return True
    return bool(deny.unless_hosts) and not all(_at_host(text, deny.unless_hosts) for text in texts)


def value_after(change: ChangeView, name: str) -> Any:
    """Return the value that an attribute will have, masked as in the document; None where it is not known."""
    changed = next((item for item in change.attributes if item.name == name), None)
    if changed is not None:
        return changed.after
    value = change.desired.get(name)
    hashed = isinstance(value, dict) and "$sensitive" in value
    return change.found.get(name) if value is None or hashed else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict) and set(value) == {"$secret"}:
        yield value["$secret"]
    elif value is not None:
        yield str(value)


def _at_host(text: str, hosts: Iterable[str]) -> bool:
    host = urlsplit(text).hostname or ""
    return any(fnmatch.fnmatchcase(host, pattern.lower()) for pattern in hosts)
