"""Plan documents made by hand: nothing to do, one change, one of everything, forty, two thousand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciler.model.document import (
    AttributeView,
    BoardView,
    CardView,
    ChangeView,
    FindingView,
    Forecast,
    GuardView,
    ImpactView,
    PlanDocument,
    SkippedView,
    StateRef,
    StepView,
    Summary,
    UseView,
)


def new(name: str, value: Any) -> AttributeView:
    """An attribute of an object that is created."""
    return AttributeView(name=name, after=value, origin="new")


def old(name: str, before: Any, after: Any, line: int = 41, **more: Any) -> AttributeView:
    """An attribute that the configuration changes, unless `origin` says something else."""
    return AttributeView(name=name, before=before, after=after, place=f"config/crm.yaml:{line}:5", **more)


def options(*values: str) -> list[dict[str, Any]]:
    """Options of a field in normal form."""
    return [{"value": value, "label": value, "default": False} for value in values]


def sealed(**members: Any) -> PlanDocument:
    """A document with a digest. It is made up: views print what is there, and a real one changes with the model."""
    return PlanDocument(
        tool_version="0.1.0",
        created_at="2026-11-24T08:00:00Z",
        environment="prod",
        account="acme",
        state=StateRef(lineage="9f0c", serial=7),
        digest="d1" * 32,
        **members,
    )


def nothing() -> PlanDocument:
    """Everything is as declared."""
    return sealed(summary=Summary(unchanged=12), forecast=Forecast(plan_requests=3, rate=5.0), ids={"tag.vip": "12"})


def one() -> PlanDocument:
    """One tag to create."""
    tag = ChangeView(
        address="tag.vip",
        kind="tag",
        action="create",
        place="config/crm.yaml:12:3",
        attributes=[new("name", "VIP"), new("description", "Spends over 1,000 a year")],
    )
    return sealed(
        changes=[tag],
        summary=Summary(add=1, unchanged=3),
        steps=[StepView(number=1, address="tag.vip", op="create", requests=["POST /tags"])],
        forecast=Forecast(plan_requests=1, apply_reads=2, apply_writes=1, rate=5.0, seconds=0.6),
        ids={"tag.other": "3"},
    )


def field_update() -> ChangeView:
    """An update of every shape: three origins, options, references, texts of several lines."""
    return ChangeView(
        address="field.plan_tier",
        kind="field",
        action="update",
        id="12",
        place="config/crm.yaml:40:3",
        impacts=[ImpactView(count=12_431, noun="contacts have chosen `Old`")],
        attributes=[
            old("title", "Plan", "Plan tier", 41),
            old("required", False, True, 42, origin="drift"),
            old("default", "Free", "Pro", 43, origin="both", applied="Basic", run="r-7"),
            old("options", options("Free", "Pro", "Ent", "Old"), options("Pro", "Ent", "Free", "New"), 44),
            old("lists", "all", [{"$ref": "list.newsletter"}, {"$id": "9", "kind": "list"}], 45),
            old("description", "a\nb\nc\nd\ne", "a\nb\nC\nd\ne\n", 46),
            old("group", None, {"$ref": "field_group.crm"}, 47),
            old("perstag", "OLD_TAG", None, 48),
            old(
                "reminder",
                "You subscribed at our web site, which is acme.example, long ago",
                "You subscribed on our web site, which is acme.example, long ago",
                49,
            ),
        ],
    )


def everything() -> list[ChangeView]:
    """One change of every action, with secrets, masks, findings, manual steps, evacuation."""
    return [
        one().changes[0],
        ChangeView(
            address="list.newsletter",
            kind="list",
            action="adopt",
            id="3",
            adopts=True,
            place="config/crm.yaml:20:3",
            attributes=[old("user_groups", [], [{"$lookup": {"kind": "user_group", "name": "Admin"}}], 24)],
        ),
        field_update(),
        ChangeView(
            address="webhook.crm_sync",
            kind="webhook",
            action="update",
            id="4",
            place="config/hooks.yaml:3:3",
            depends_on=["list.newsletter"],
            attributes=[
                old(
                    "url",
                    {"$secret": "https://a.example?key=${secret.KEY}"},
                    {"$secret": "https://b.example?key=${secret.KEY}"},
                ),
                AttributeView(name="password", before="(sensitive value)", after="(sensitive value)", sensitive=True),
                old("list", None, {"$ref": "list.newsletter"}),
            ],
            findings=[
                FindingView(
                    message="the account does not know `deal_ad`", attribute="events", hint="did you mean `deal_add`?"
                )
            ],
        ),
        ChangeView(
            address="custom_object.ticket",
            kind="custom_object",
            action="replace",
            id="ab-12",
            place="config/objects.yaml:2:3",
            reason="the slug cannot be changed",
            impacts=[ImpactView(count=None, noun="records", detail="the account does not count them")],
            attributes=[
                old("slug", "ticket", "event-ticket", 3, forces_replacement=True),
                old(
                    "labels",
                    {"singular": "Ticket", "plural": "Tickets"},
                    {"singular": "Event ticket", "plural": "Tickets"},
                    4,
                ),
                old(
                    "fields",
                    None,
                    {"seat": {"type": "text", "labels": {"singular": "Seat", "plural": "Seats"}, "required": True}},
                    5,
                ),
            ],
        ),
        ChangeView(
            address="stage.sales.lead",
            kind="stage",
            action="delete",
            id="7",
            reason="not declared any more",
            impacts=[ImpactView(count=318, noun="deals", detail="worth USD 1,204,500 (open: 97)")],
            on_destroy={"move_deals_to": "stage.sales.won"},
        ),
        ChangeView(
            address="tag.old",
            kind="tag",
            action="forget",
            id="8",
            reason="removed without destroying",
            place="config/crm.yaml:90:3",
        ),
        ChangeView(
            address="tag.big",
            kind="tag",
            action="move",
            id="9",
            moved_from="tag.big_spender",
            place="config/crm.yaml:91:3",
        ),
        ChangeView(
            address="user.jane",
            kind="user",
            action="manual",
            manual={"role": "change it in Settings > Users and Groups"},
        ),
        ChangeView(
            address="tag.renamed",
            kind="tag",
            action="refresh",
            id="10",
            attributes=[AttributeView(name="name", before="Renamed", after="RENAMED", origin="drift")],
        ),
        ChangeView(address="tag.same", kind="tag", action="none", id="11"),
    ]


def refused() -> PlanDocument:
    """Everything at once: all actions, guards of every verdict, skipped kinds, warnings, a selection."""
    return sealed(
        changes=everything(),
        summary=Summary(
            add=2,
            change=2,
            destroy=2,
            adopt=1,
            forget=1,
            move=1,
            manual=1,
            unchanged=4,
            records_at_risk=12_749,
            unmeasured=1,
        ),
        steps=_steps(everything()),
        skipped=[
            SkippedView(
                address="deal_field.value", reason="the API key may not read /dealCustomFieldMeta", forbidden=True
            ),
            SkippedView(
                address="deal_field.term", reason="the API key may not read /dealCustomFieldMeta", forbidden=True
            ),
            SkippedView(address="pipeline.sales", reason="the listing of /dealGroups announced 12 rows and held 11"),
        ],
        warnings=["requests_per_second is 9; the account allows 5."],
        guards=[
            GuardView(
                name="max_records_lost",
                verdict="tripped",
                message="12,749 customer records are lost; the limit is 0",
                addresses=["field.plan_tier", "stage.sales.lead"],
                override="--allow max_records_lost=12749",
            ),
            GuardView(
                name="max_deletes",
                verdict="overridden",
                message="2 deletes; 1 is allowed",
                addresses=["stage.sales.lead"],
            ),
            GuardView(
                name="policy: tags are lower case", verdict="warned", message="VIP is not", addresses=["tag.vip"]
            ),
            GuardView(name="empty_configuration", verdict="passed"),
        ],
        options={"target": ["tag.*", "field.plan_tier"], "impact": True},
        boards=[
            BoardView(
                kind="stage",
                title="Sales",
                before=[
                    CardView(key="7", title="Lead", address="stage.sales.lead", deals=318),
                    CardView(key="8", title="Won", deals=40),
                ],
                after=[
                    CardView(key="8", title="Won", deals=358),
                    CardView(key="stage.sales.lost", title="Lost", deals=0),
                ],
            )
        ],
        forecast=Forecast(plan_requests=10, apply_reads=4, apply_writes=8, rate=5.0, seconds=2.4),
        ids={"tag.vip": "1", "tag.same": "11"},
    )


FREE = frozenset(
    {"after", "before", "applied", "detail", "found", "hint", "manual", "message", "names", "note", "noun", "objects",
     "place", "reason", "remedy", "requests", "run", "title", "uses", "value", "warnings", "where", "label"}
)  # fmt: skip
"""Members of a plan document that hold words of an account or of a project."""


def endless() -> PlanDocument:
    """The plan with everything, each word of an account or a project of which is 255 letters without a blank."""

    def stretched(value: Any, *, free: bool) -> Any:
        if isinstance(value, str):
            return "W" * 255 if free and value else value
        if isinstance(value, list):
            return [stretched(item, free=free) for item in value]
        if not isinstance(value, dict) or set(value) & {"$ref", "$id"}:
            return value
        kept = ("key", "address", "certainty", "deals")
        return {key: item if key in kept else stretched(item, free=free or key in FREE) for key, item in value.items()}

    content = refused().model_dump()
    for change in content["changes"]:
        change["found"] = {"name": "x", "title": "x"}
    return PlanDocument.model_validate(stretched(content, free=False))


def _steps(changes: list[ChangeView]) -> list[StepView]:
    numbers = {change.address: place for place, change in enumerate(changes, 1)}
    ops: dict[str, Any] = {
        "create": "create",
        "update": "update",
        "delete": "delete",
        "adopt": "bind",
        "forget": "forget",
    }
    return [
        StepView(
            number=numbers[change.address],
            address=change.address,
            op=ops[change.action],
            waits=[numbers[needed] for needed in change.depends_on if needed in numbers],
            requests=[f"POST /{change.kind}s"],
        )
        for change in changes
        if change.action in ops
    ]


def many(count: int) -> PlanDocument:
    """A large account: `count` changes of several kinds that depend on each other, one in ten destructive."""
    changes = [_numbered(number) for number in range(count)]
    deletes = sum(change.action == "delete" for change in changes)
    updates = sum(change.action == "update" for change in changes)
    return sealed(
        changes=changes,
        steps=_steps(changes),
        summary=Summary(
            add=count - deletes - updates,
            change=updates,
            destroy=deletes,
            records_at_risk=sum(_lost(change) for change in changes),
        ),
        forecast=Forecast(
            plan_requests=count // 20, apply_reads=count // 20, apply_writes=count, rate=5.0, seconds=count * 1.05 / 5
        ),
        guards=[GuardView(name="max_deletes", verdict="overridden", message=f"{deletes} deletes; 5 are allowed")]
        if deletes > 5
        else [],
    )


def _lost(change: ChangeView) -> int:
    return sum(impact.count or 0 for impact in change.impacts)


def _numbered(number: int) -> ChangeView:
    """A pipeline, then stages in it, then tags, fields and deletes in turn."""
    group = number // 10
    if number % 10 == 0:
        attributes = [new("title", f"Pipeline {group}"), new("currency", "usd")]
        return ChangeView(
            address=f"pipeline.p{group}",
            kind="pipeline",
            action="create",
            place=f"config/p{group}.yaml:3:3",
            attributes=attributes,
        )
    if number % 10 == 9:
        impacts = [ImpactView(count=number * 37 % 5000, noun="contacts carry a value")]
        return ChangeView(
            address=f"field.f{number}",
            kind="field",
            action="delete",
            id=str(number),
            reason="not declared any more",
            impacts=impacts,
        )
    if number % 10 in (7, 8):
        attributes = [
            old("name", f"Tag {number}", f"TAG {number}", number, origin="drift" if number % 10 == 7 else "config")
        ]
        return ChangeView(
            address=f"tag.t{number}",
            kind="tag",
            action="update",
            id=str(number),
            place=f"config/tags.yaml:{number}:3",
            attributes=attributes,
        )
    return ChangeView(
        address=f"stage.p{group}.s{number}",
        kind="stage",
        action="create",
        place=f"config/p{group}.yaml:{number}:7",
        depends_on=[f"pipeline.p{group}"],
        attributes=[
            new("title", f"Stage {number}"),
            new("pipeline", {"$ref": f"pipeline.p{group}"}),
            new("order", number % 10),
        ],
    )


SIZES: dict[str, Callable[[], PlanDocument]] = {"1": one, "40": lambda: many(40), "2000": lambda: many(2000)}
"""The three sizes at which every view is looked at."""


LONG = "Old list of the trade fair in K\u00f6ln 2017, imported from a spreadsheet that is lost, do not use"
RIGHT_TO_LEFT = "\u0646\u0634\u0631\u0629 \u0625\u062e\u0628\u0627\u0631\u064a\u0629"
ASTRONAUT = "Caf\u00e9 \u2615\ufe0f\U0001f469\U0001f3fd\u200d\U0001f680"


def messy() -> PlanDocument:
    """What accounts that nobody prepared bring: names that are long, read from right to left or pictures, a pipeline
    that goes with its stages, a custom object that loses a field, rules about many things, blocks that are not known.
    """
    changes = _messy_changes()
    every = [change.address for change in changes]
    return sealed(
        changes=changes,
        summary=Summary(destroy=5, change=2, records_at_risk=360, at_most=True),
        guards=[
            GuardView(
                name="list_deletes", verdict="tripped", addresses=["list.old"],
                override="--allow list_deletes=list.old",
                message="list.old is deleted, and with it every contact that is on no other list",
            ),
            GuardView(name="policy tag-names", verdict="tripped", message="Tags begin with the team", addresses=every),
            GuardView(name="policy many-at-once", verdict="passed"),
        ],
        boards=[
            BoardView(
                kind="stage", title="Onboarding",
                before=[CardView(key=str(number), title=f"{ASTRONAUT} {number}", deals=number) for number in range(9)],
                after=[],
            )
        ],
    )  # fmt: skip


def _messy_changes() -> list[ChangeView]:
    known = UseView(where="automation `Win back`")
    tag = UseView(where="automation blocks", certainty="not inspected", note="what they hold is not known: 1 `tag`")
    both = tag.model_copy(update={"note": "what they hold is not known: 2 `send`, 1 `tag`"})
    parts = {"note": {"type": "text", "required": True, "labels": {"singular": "Note", "plural": "Notes"}}}
    return [
        ChangeView(
            address="list.old", kind="list", action="delete", found={"name": LONG}, uses=[known, tag],
            impacts=[ImpactView(count=44, noun="contacts, on this list only, are deleted", at_most=True)],
        ),
        ChangeView(address="list.x", kind="list", action="update", found={"name": RIGHT_TO_LEFT},
                   attributes=[old("name", RIGHT_TO_LEFT, RIGHT_TO_LEFT + " 2")]),
        ChangeView(address="pipeline.on", kind="pipeline", action="delete", found={"title": "Onboarding"},
                   impacts=[ImpactView(count=307, noun="deals")], uses=[both]),
        ChangeView(address="stage.on.first", kind="stage", action="delete", found={"title": "First"}, uses=[both]),
        ChangeView(address="stage.other.first", kind="stage", action="delete", found={"title": "Other"}),
        ChangeView(
            address="custom_object.order", kind="custom_object", action="update",
            found={"labels": {"singular": "Order"}},
            attributes=[old("fields", parts, {"sum": {"type": "currency", "labels": {"singular": "Sum"}}})],
            impacts=[ImpactView(count=9, noun="records lose note", at_most=True)],
        ),
    ]  # fmt: skip
