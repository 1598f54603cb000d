"""A value for every attribute of every kind, and the requests that kinds send for them: what is covered, by running it.

Values are made from the shapes of attributes; only what has an inside of its own is written out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.model.http import Request, Response
from reconciler.model.kind import Kind
from reconciler.model.live import Live, Row
from reconciler.model.spec import Attribute, RefTo
from reconciler.model.values import Reference, RemoteId, Value
from reconciler.model.write import Write
from reconciler.resources import load_kinds
from reconciler.resources.membership import Member
from tests.kinds.flows import run

LABELS = {"singular": "Thing", "plural": "Things"}
PART: dict[str, Value] = {"labels": LABELS, "description": "d"}
INSIDES: dict[tuple[str, str], Value] = {
    ("field", "options"): [{"value": "a", "label": "A", "default": True}],
    ("pipeline", "currency"): "usd",
    ("deal_field", "default_currency"): "usd",
    ("account_field", "default_currency"): "usd",
    ("webhook", "url"): "https://h.example/in",
    ("connection", "logo_url"): "https://shop.example/logo.png",
    ("connection", "link_url"): "https://shop.example",
    ("custom_object", "labels"): LABELS,
    ("custom_object", "fields"): {
        "price": {
            **PART,
            "type": "currency",
            "required": True,
            "scale": 2,
            "default_currency": "USD",
            "options": ["a"],
        }
    },
    ("custom_object", "relationships"): {"owner": {**PART, "namespace": "contacts", "has_many": True}},
    ("user_group", "flags"): dict.fromkeys(
        """unsubscribelink optinconfirm pgListAdd pgListEdit pgListDelete pgListHeaders pgListEmailaccount pgListBounce
        pgMessageAdd pgMessageEdit pgMessageDelete pgMessageSend pgContactAdd pgContactEdit pgContactDelete
        pgContactMerge pgContactImport pgContactApprove pgContactExport pgContactSync pgContactFilters pgContactActions
        pgContactFields pg_user_add pg_user_edit pg_user_delete pgGroupAdd pgGroupEdit pgGroupDelete pgTemplateAdd
        pgTemplateEdit pgTemplateDelete pgPersonalizationAdd pgPersonalizationEdit pgPersonalizationDelete
        pgAutomationManage pgFormEdit pgReportsCampaign pgReportsList pgReportsUser pgReportsTrend pgStartupReports
        pgStartupGettingstarted pgDeal pgDealDelete pgDealReassign pgDealGroupAdd pgDealGroupEdit pgDealGroupDelete
        pgSavedResponsesManage pgTagManage reqApproval reqApproval1st reqApprovalNotify socialdata""".split(),
        True,
    ),
    ("segment", "groups"): [{"conditions": [{"object": "tag", "fields": [{"name": "tagid", "value": "7"}]}]}],
}
ROWS: dict[str, dict[str, Any]] = {
    "list": {"_groups": [("1", "8")]},
    "field": {
        "_relations": [("1", "8")],
        "_options": [{"id": "1", "value": "old"}],
        "_members": [("4", "1")],
        "_group": "1",
    },
    "field_group": {"_members": (Member("4", "5", None), Member("6", "8", 1))},
    "deal_field": {"_members": [("4", "1")]},
    "account_field": {"_members": [("4", "1")]},
    "task_outcome": {"_types": [("1", "8")]},
    "setting": {"_id": "1", "links": "1"},
}
"""What the row of a live object holds beside its properties, so that what is linked to it changes too."""


def value_of(kind: Kind, attribute: Attribute) -> Value:
    """Return a value that an attribute can have."""
    if (kind.name, attribute.name) in INSIDES:
        return INSIDES[kind.name, attribute.name]
    if (link := attribute.mark(RefTo)) is not None:
        reference = RemoteId(link.kind, "5")
        return [reference] if attribute.shape in ("refs", "list") or attribute.name == "lists" else reference
    plain: dict[str, Value] = {"flag": True, "number": 1, "list": ["a"], "commas": ["a@b.example"], "other": "x"}
    return attribute.choices[0] if attribute.choices else plain.get(attribute.shape, "x")


def requests_of(kind: Kind) -> list[Request]:
    """Return what a kind sends when an object is made with every attribute, changed in every attribute, and removed."""
    found: list[Request] = []
    for key, desired in _declarations(kind):
        live = Live(kind.name, key or "7", dict.fromkeys(desired), row=ROWS.get(kind.name, {}))
        if kind.name == "field":
            live = Live(kind.name, "7", {**live.attrs, "options": [{"value": "old", "label": "old"}]}, row=live.row)
        if kind.name == "custom_object":
            live = _with_a_field_to_lose(live)
        if kind.abilities.creatable:
            found += run(kind.create(_write(kind, desired, None)), _answer).sent
        if kind.abilities.updatable:
            found += run(kind.update(_write(kind, desired, live)), _answer).sent
        if kind.abilities.deletable or kind.texts.removal_effect:
            found += run(kind.delete(_write(kind, desired, live, destroying=True)), _answer).sent
        found += run(kind.finish(_write(kind, desired, live), ("9",)), _answer).sent
    return found


def _declarations(kind: Kind) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield (key, attributes) of resources that together have every attribute, each in one of its forms."""
    everything = {name: value_of(kind, one) for name, one in kind.attributes.items() if not _nested(one)}
    if kind.variants:
        for key, spec in kind.variants.items():
            own = {name: value for name, value in everything.items() if name in spec.model_fields}
            yield key, {**own, "name": key, "links": False} if "links" in own else {**own, "name": key}
        return
    if kind.name == "custom_object":
        yield "", {name: value for name, value in everything.items() if name not in ("parent", "app_id", "visibility")}
        yield "", {**{name: value for name, value in everything.items() if name != "parent"}, "visibility": "public"}
        yield "", {name: value for name, value in everything.items() if name not in ("app_id", "visibility")}
        return
    yield "", everything
    if kind.name == "personalization":
        yield "", {**everything, "locked": False}


def _nested(attribute: Attribute) -> bool:
    return attribute.name == "stages"


def _with_a_field_to_lose(live: Live) -> Live:
    row: Row = {"fields": [{"id": "old", "type": "text"}], "slug": "old", "labels": {}}
    return Live(live.kind, live.id, {**live.attrs, "fields": {"old": {"type": "text"}}}, row=row)


def _write(kind: Kind, desired: Mapping[str, Value], live: Live | None, *, destroying: bool = False) -> Write:
    moves = {"move_deals_to": "3", "move_tasks_to": "3"} if destroying else {}
    applied: dict[str, Value] = {"fields": {"old": {}}} if kind.name == "custom_object" else {}
    before: dict[str, Value] = {"fields": [RemoteId("field", "8")]} if kind.name == "field_group" else {}
    changed = frozenset(desired)
    return Write(f"{kind.name}.it", desired, changed, live, _id, applied=applied, on_destroy=moves, before=before)


def _id(reference: Reference) -> str:
    return str(getattr(reference, "id", "5"))


def _answer(request: Request) -> Response:
    """Answer as a server would that does everything: ids in every form, counts of nothing left."""
    if request.path.endswith("/child"):
        return Response(201, {"schema": {"id": "7"}})
    if request.method == "GET":
        return Response(200, {"meta": {"total": 0}, "fieldOptions": [], "schema": {"fields": []}})
    body = request.body if isinstance(request.body, dict) else {}
    answer: dict[str, Any] = {name: {**value, "id": "7"} for name, value in body.items() if isinstance(value, dict)}
    if "segment" in request.path:
        answer = {"data": [{"id": "7"}]}
    return Response(200, answer)


def all_requests() -> list[tuple[str, Request]]:
    """Return (kind, request) of everything that the kinds send."""
    return [
        (name, request)
        for name, kind in load_kinds().items()
        if kind.abilities.managed
        for request in requests_of(kind)
    ]
