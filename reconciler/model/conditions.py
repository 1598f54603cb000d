"""Conditions of a segment as people say them: `any of: tag is VIP; tag is not Churn risk`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reconciler.model.values import Value

_VERBS: Mapping[str, str] = {"=": "is", "==": "is", "!=": "is not", "<": "is below", ">": "is above"}
HOLDERS = {"tagid": "tag", "listid": "list", "formid": "form", "seriesid": "automation", "campaignid": "campaign"}
"""Condition fields whose values are ids. `tagid` is documented [SEG]; the others are named so as filters of /contacts
(appendix E) and inferred here. They only make exports readable: what is compared and sent are ids in any case.
"""


def in_words(group: Mapping[str, Value], say: Callable[[Value], str]) -> str:
    """Return a group of conditions as a phrase, "" where it is none. `say` returns a value as people read it."""
    conditions = group.get("conditions")
    if not isinstance(conditions, Sequence) or isinstance(conditions, str) or not conditions:
        return ""
    phrases = [_condition(condition, say) if isinstance(condition, Mapping) else "" for condition in conditions]
    if not all(phrases):
        return ""
    return (
        f"{'any' if group.get('match') == 'any' else 'all'} of: {'; '.join(phrases)}"
        if len(phrases) > 1
        else phrases[0]
    )


def _condition(condition: Mapping[str, Value], say: Callable[[Value], str]) -> str:
    tests = condition.get("fields")
    if not isinstance(tests, Sequence) or isinstance(tests, str) or condition.get("aggregate"):
        return ""
    what = str(condition.get("object") or "").replace("_", " ")
    phrases = [_test(what, test, say) if isinstance(test, Mapping) else "" for test in tests]
    return " and ".join(phrases) if phrases and all(phrases) else ""


def _test(what: str, test: Mapping[str, Value], say: Callable[[Value], str]) -> str:
    """Return one test; a field that only holds the id of the object is that object."""
    name = str(test.get("name") or "")
    subject = HOLDERS.get(name) or f"{what} {name.replace('_', ' ')}"
    operator = str(test.get("operator") or "=")
    value = test.get("value")
    return f"{subject} {_VERBS.get(operator, operator)} {say(value) if value not in (None, '') else ''}".rstrip()
