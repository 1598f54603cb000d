"""What becomes of what hangs on an object, in sentences that all views share: `7 contacts lose this tag.` Views for who
reads the files have addresses in them (`Addresses`), all others names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reconciler.model.document import ChangeView, ImpactView
from reconciler.render import words
from reconciler.render.naming import Names, joined
from reconciler.render.words import number

NOTHING_LOST = "No customer data is lost."


class Addresses(Names):
    """Names for those who read the files: the addresses that stand there."""

    def mentioned(self, text: str) -> str:
        """Return the address of an object, or what it is said to be that has none."""
        return text


ADDRESSES = Addresses(())

_IMPACTS: Sequence[tuple[str, str, str]] = (
    # noun, of one, of several; `{0}` is what the noun says itself
    (r"contacts carry the tag", "contact loses this tag", "contacts lose this tag"),
    (r"accounts carry a value", "company loses what it has in this field",
     "companies lose what they have in this field"),
    (r"(contacts|deals) carry a value", "{0} loses what it has in this field",
     "{0} lose what they have in this field"),
    (r"contacts carry a value that texts with the old tag show no more",
     "contact has a value that mails with the old tag do not show any more",
     "contacts have values that mails with the old tag do not show any more"),
    (r"contacts (?:may )?have chosen (.+)", "contact who chose {0} loses that answer",
     "contacts who chose {0} lose that answer"),
    (r"contacts,? on (?:the list are deleted, those that are on no other|this list only, are deleted)",
     "contact, on this list only, is deleted", "contacts, on this list only, are deleted"),
    (r"contacts have the role in a deal",
     "contact loses this role in a deal", "contacts lose this role in their deals"),
    (r"tasks have the outcome", "task loses this outcome", "tasks lose this outcome"),
    (r"deals lose their owner", "deal has no owner then", "deals have no owner then"),
    (r"customers", "customer is deleted with all orders", "customers are deleted with all their orders"),
    (r"records lose (.+)", "record loses what it has in {0}", "records lose what they have in {0}"),
    (r"records hold values of (.+)", "record has a value in {0} that is read differently then",
     "records have values in {0} that are read differently then"),
    (r"users lose the permissions of the group.*|people lose this group's permissions",
     "person loses this group's permissions",
     "people lose this group's permissions"),
    (r"lists lose their owner", "list has no owner then", "lists have no owner then"),
    (r"(lists|pipelines) lose the group", "{0} is not shown to this group any more",
     "{0} are not shown to this group any more"),
    (r"contact fields lose the list", "contact field is not shown for this list any more",
     "contact fields are not shown for this list any more"),
    (r"(contact|deal|account) fields lose the group",
     "{0} field is in no group then", "{0} fields are in no group then"),
    (r"memberships in field groups", "field group does not show it any more", "field groups do not show it any more"),
    (r"assignments of users", "user is not assigned to it any more", "users are not assigned to it any more"),
    (r"permissions of user groups", "user group has no access to it any more",
     "user groups have no access to it any more"),
    (r"relations to (lists|task types)", "{0} does not offer it any more", "{0} do not offer it any more"),
    (r"(.+s) of it go along", "{0} of it goes with it", "{0} of it go with it"),
    (r"(.+s) go along", "{0} goes with it", "{0} go with it"),
    (r"(options|fields|relationships) that are not declared", "{0} that is not in the files goes with it",
     "{0} that are not in the files go with it"),
    (r"(.+?)s? (?:is|are) invisible", "{0} is not shown to users any more", "{0}s are not shown to users any more"),
    (r"(options|fields|relationships)", "{0} goes with it", "{0} go with it"),
)  # fmt: skip
_SENTENCES = [(re.compile(noun), singular, many) for noun, singular, many in _IMPACTS]
_WHOLE = {
    ("deals", "lost"): ("deal is deleted", "deals are deleted"),
    ("deals", "moved"): (
        "deal is kept, and may mean something else then",
        "deals are kept, and may mean something else then",
    ),
    ("records", "lost"): ("record is deleted", "records are deleted"),
    ("records", "moved"): (
        "record is kept, and is read differently then",
        "records are kept, and are read differently then",
    ),
    ("contacts", "lost"): ("contact is affected", "contacts are affected"),
}


_RESTATED = re.compile(
    r"contacts carry the tag|(contacts|deals|accounts) carry a value|contacts have the role in a deal|"
    r"tasks have the outcome|people lose this group's permissions|records"
)
"""Effects that say of so many what is said of every object of the kind that goes."""


def restates(view: ImpactView) -> bool:
    """Return whether an effect says, with a number, all that a delete of such an object means."""
    return bool(view.count) and view.effect in ("lost", "hidden") and bool(_RESTATED.fullmatch(view.noun))


UNDECLARED = " that are not declared"


def impact(view: ImpactView, names: Names, *, evacuated_to: str = "") -> str:
    """Return one effect of a change as a sentence: `Up to 4 contacts, on this list only, are deleted.`"""
    phrase = _phrase(view, evacuated_to)
    if view.count is None:
        bracketed = view.detail.startswith("(") and view.detail.endswith(")")
        detail = (view.detail[1:-1] if bracketed else view.detail).removesuffix(".")
        return f"An unknown number of {phrase}{f': {detail}' if detail else ''}."
    if view.objects == ["all"] and (related := re.match(r"relations to (.+?)s(?: that|$)", view.noun)):
        return f"No {related[1]} offers it any more; all did."
    lead = f"{'Up to ' if view.at_most and view.count else ''}{number(view.count) if view.count else 'No'}"
    which = f": {words.named([names.mentioned(name) for name in view.objects])}" if view.objects else ""
    return f"{lead} {phrase}{_worth(view.detail, view.count)}{which}."


def _phrase(view: ImpactView, evacuated_to: str) -> str:
    several = view.count != 1
    if evacuated_to:
        noun = f"{view.noun} are" if several else f"{view.noun.removesuffix('s')} is"
        return f"{noun} moved to {evacuated_to} first"
    if whole := _WHOLE.get((view.noun, view.effect)):
        return whole[several]
    for pattern, singular, plural in _SENTENCES:
        if match := pattern.fullmatch(view.noun):
            group = match.group(1).replace("`", "") if match.groups() else ""
            if "who chose" in plural:
                group = f"“{group}”"
            return plural.format(group) if several else singular.format(group.removesuffix("s"))
    if view.noun.endswith(UNDECLARED):
        phrase = _phrase(view.model_copy(update={"noun": view.noun.removesuffix(UNDECLARED)}), "")
        return f"{phrase} (not in the files)"
    return view.noun


_DEALS = re.compile(r"(?:worth (?P<worth>[^()]+?))? ?(?:\(open: (?P<open>[\d,]+)\))?(?: ?\((?P<more>[^()]+)\))?")


def _worth(detail: str, count: int) -> str:
    """What so many deals are worth and how many of them are open; any other detail as it is."""
    if not detail:
        return ""
    if not (match := _DEALS.fullmatch(detail)):
        return f" {detail}"
    parts = [f"worth {match['worth']}"] if match["worth"] else []
    parts += [_open(match["open"], count)] if match["open"] else []
    parts += [match["more"]] if match["more"] and match["more"] != "moved away first" else []
    return f" ({', '.join(parts)})" if parts else ""


def _open(some: str, count: int) -> str:
    if count == 1:
        return "not open" if some == "0" else "open"
    return f"{'none' if some == '0' else some} of them open"


def at_risk(change: ChangeView, names: Names = ADDRESSES) -> str:
    """Return everything that a change puts at risk on one line; empty where nothing of that was looked for."""
    to = joined(list(change.on_destroy.values())) if change.action in words.DESTRUCTIVE else ""
    return "; ".join(_lines(change.impacts, names, to))


def each(impacts: Iterable[ImpactView], names: Names = ADDRESSES) -> list[str]:
    """Return effects one by one, without what becomes of none."""
    return _lines(impacts, names, "", every=True)


def side_effects(change: ChangeView) -> list[str]:
    """Return what else a change does: to parts that go along with an object, and to what becomes invisible."""
    return [
        impact(view if view.effect == "along" else view.model_copy(update={"objects": []}), ADDRESSES)
        for view in change.impacts
        if view.effect in ("along", "hidden")
    ]


def _lines(impacts: Iterable[ImpactView], names: Names, to: str, *, every: bool = False) -> list[str]:
    views = [view for view in impacts if every or view.effect in words.AT_RISK]
    lines = [
        impact(view, names, evacuated_to=to if view.effect in ("lost", "moved") else "")
        for view in views
        if view.count != 0
    ]
    return [f"{line[:1].lower()}{line[1:].removesuffix('.')}" for line in lines or ([NOTHING_LOST] if views else [])]
