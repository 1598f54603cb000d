"""Campaigns: looked up by name. API: /campaigns (section 2.34)."""

from __future__ import annotations

from pydantic import Field

from reconciler.model.kind import Kind
from reconciler.model.live import Collection
from reconciler.model.spec import Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts


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
    texts = Texts(
        gone="It is not sent any more, and its reports go.",
        place=300,
    )


KIND = CampaignKind()
