"""Automations: looked up by name. API: /automations (section 2.33), which offers no writes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.kind import Kind
from reconciler.model.live import Collection
from reconciler.model.spec import Api, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts


class Automation(Spec):
    """What runs by itself for contacts."""

    name: str = Field(description="Name of the automation.")
    active: Annotated[bool | None, Api("status")] = Field(None, description="Whether it runs.")


class AutomationKind(Kind):
    """Made and changed in the product only."""

    name = "automation"
    section = "automations"
    spec = Automation
    title = "Automation"
    path = "/automations"
    reading = Reading((Collection("/automations", "automations"),))
    identity = Identity(name_attribute="name")
    abilities = Abilities(managed=False)
    texts = Texts(
        gone="Contacts in it go no further.",
        place=290,
    )


KIND = AutomationKind()
