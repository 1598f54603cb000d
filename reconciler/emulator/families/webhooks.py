"""Webhooks and the events that there are (section 2.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.emulator.account import Behaviour, Filter, Type
from reconciler.emulator.answers import Answer, Request, error, invalid
from reconciler.emulator.rows import Row
from reconciler.emulator.types import CDATE

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

EVENTS = (
    "forward open share sent subscribe subscriber_note contact_tag_added contact_tag_removed unsubscribe update "
    "deal_add deal_note_add deal_pipeline_add deal_stage_add deal_task_add deal_task_complete deal_tasktype_add "
    "deal_update bounce reply click list_add sms_reply sms_sent sms_unsub "
    # Named by the create page only.
    "contact_task_add account_add account_update account_contact_add account_contact_update"
).split()
SOURCES = ("public", "admin", "api", "system")


class Webhooks(Behaviour):
    """Events and sources come from closed sets."""

    def creating(self, account: Account, given: Row) -> None:
        """An explicit null for the list is accepted [SYLIUS]."""
        _check(given)

    def updating(self, account: Account, row: Row, given: Row) -> None:
        """The same checks."""
        _check(given)

    def create_body(self, account: Account, row: Row, answer: Row) -> dict[str, Any]:
        """The list is answered even when it was not sent [OAS]."""
        return {"webhook": {**answer, "listid": answer.get("listid") or "0"}}


def _check(given: Row) -> None:
    if "listid" in given and given["listid"] in (None, ""):
        given["listid"] = "0"
    for name, known in (("events", EVENTS), ("sources", SOURCES)):
        if name not in given:
            continue
        values = given[name] if isinstance(given[name], list) else [given[name]]
        wrong = [value for value in values if value not in known]
        if wrong or not values:
            raise invalid(error(f"The webhook {name} are not valid: {', '.join(map(str, wrong))}", name))


def events(account: Account, request: Request) -> Answer | None:
    """GET /webhook/events; the total is an integer."""
    if request.method != "GET" or request.parts[1:] != ["events"]:
        return None
    return Answer(200, {"webhookEvents": EVENTS, "meta": {"total": len(EVENTS)}})


TYPES = (
    Type(
        "webhooks", "webhook", "Webhook",
        required=("name", "url", "events", "sources"),
        defaults={"listid": "0"},
        dates=CDATE,
        filters={
            "filters[name]": Filter("name"), "filters[url]": Filter("url"), "filters[listid]": Filter("listid"),
        },
        acts=Webhooks(),
    ),
)  # fmt: skip
ROUTES = {"webhook": events}
