"""What can be read and not written: automations, goals, campaigns, forms, scores (sections 1.11, 2.31 to 2.34)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconciler.emulator.account import Behaviour, Child, Filter, Type
from reconciler.emulator.rows import Row
from reconciler.emulator.types import DATED, ISO, READ

if TYPE_CHECKING:
    from reconciler.emulator.account import Account

MODIFIED = {"cdate": ISO, "mdate": ISO}


class Automations(Behaviour):
    """Names, states, and what starts them."""

    def rows(self, account: Account, rows: list[Row], query: Mapping[str, str]) -> list[Row]:
        """`search`, as a client uses it."""
        wanted = query.get("search", "").casefold()
        return [row for row in rows if wanted in str(row["name"]).casefold()]

    def meta(self, account: Account, rows: list[Row]) -> dict[str, Any]:
        """Beside the total [OAS]."""
        starts = [{"id": row["id"], "series": row["id"], "type": "subscribe"} for row in rows[:20]]
        return {"starts": starts, "filtered": False, "smsLogs": []}


TYPES = (
    Type(
        "automations", "automation", "Automation",
        defaults={
            "name": "", "userid": "1", "status": "1", "entered": "0", "exited": "0", "hidden": "0",
            "defaultscreenshot": "", "screenshot": "", "multientry": "0", "source": "0", "description": "",
        },
        dates=MODIFIED,
        does=READ,
        filters={"filters[name]": Filter("name"), "filters[status]": Filter("status")},
        children={
            "blocks": Child("automationBlocks", "automation"), "campaigns": Child("campaigns", "seriesid"),
            "goals": Child("goals", "seriesid"),
        },
        acts=Automations(),
    ),
    Type(
        "automationBlocks", "automationBlock", "AutomationBlock",
        defaults={"automation": "", "type": "", "params": {}, "parent": "0", "ordernum": "1"},
        dates=MODIFIED,
        does=READ,
        filters={"filters[automation]": Filter("automation")},
    ),
    # Undocumented; the columns are those that [TAP] reads in production (section 1.11).
    Type(
        "goals", "goal", "Goal",
        defaults={
            "blockid": "", "seriesid": "", "name": "", "dirty_stats": "0", "automation": "", "automation_block": "",
        },
        dates={"cdate": ISO},
        does=READ,
    ),
    Type(
        "campaigns", "campaign", "Campaign",
        defaults={
            "type": "single", "userid": "1", "segmentid": "0", "seriesid": "0", "formid": "0", "addressid": "0",
            "source": "web", "name": "", "status": "0", "sdate": None, "ldate": None,
        },
        dates={"cdate": ISO, "mdate": ISO},
        does=READ,
        filters={"filters[seriesid]": Filter("seriesid")},
        children={"campaignLists": Child("campaignLists", "campaign"), "links": Child("links", "campaignid")},
    ),
    # Listed below their campaign only [OAS].
    Type(
        "links", "link", "Link",
        defaults={
            "campaignid": "", "messageid": "0", "link": "open", "name": "", "ref": "", "tracked": "1",
            "campaign": "", "message": None,
        },
        dates={},
        does=frozenset(),
    ),
    Type(
        "campaignLists", "campaignList", "CampaignList",
        defaults={"campaign": "", "list": ""},
        dates=MODIFIED,
        does=READ,
    ),
    Type(
        "forms", "form", "Form",
        defaults={
            "name": "", "action": "", "actiondata": {"actions": []}, "submit": "show-thank-you", "submitdata": {},
            "layout": "inline-form", "title": "", "body": "", "button": "Submit", "thanks": "Thanks", "style": {},
            "options": {}, "cfields": [], "parentformid": "0", "userid": "1", "addressid": "0", "entries": "0",
            "aid": "0", "contacts": "0", "deals": "0", "url": None, "theme": "", "version": "1", "address": None,
            "defaultscreenshot": "", "recent": [],
        },
        dates=DATED,
        does=READ,
        missing={"GET": 403},
    ),
    Type(
        "scores", "score", "Score",
        defaults={"reltype": "contact", "name": "", "descript": "", "status": "1"},
        dates=MODIFIED,
        does=READ,
    ),
)  # fmt: skip
