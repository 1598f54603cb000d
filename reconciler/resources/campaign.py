"""Campaigns: looked up by name. API: /campaigns (section 2.34)."""

from __future__ import annotations

from pydantic import Field

from reconciler.model.kind import Abilities, Collection, Identity, Kind, Reading
from reconciler.model.spec import Spec


class Campaign(Spec):
    """A mailing."""

    name: str = Field(description="Name of the campaign.")


class CampaignKind(Kind):
    """Content that is sent to people, not configuration: its writes are out of reach."""

    name = "campaign"
    section = "campaigns"
    spec = Campaign
    title = "Campaign"
    path = "/campaigns"
    reading = Reading((Collection("/campaigns", "campaigns"),))
    identity = Identity(name_attribute="name")
    abilities = Abilities(managed=False)


KIND = CampaignKind()
