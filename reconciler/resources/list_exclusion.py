"""List exclusions: read to say who gets no mail. API: /lists/exclusions (section 2.15)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.kind import Kind
from reconciler.model.live import Collection
from reconciler.model.spec import Api, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts


class ListExclusion(Spec):
    """An address or domain that gets no mail."""

    phrase: Annotated[str, Api("matchPhrase")] = Field(description="Address, or end of addresses.")
    match: Annotated[str | None, Api("matchType")] = Field(None, description="exact or end.")


class ListExclusionKind(Kind):
    """Suppression data about people: never written (row 42 of section 7)."""

    name = "list_exclusion"
    section = "list_exclusions"
    spec = ListExclusion
    title = "List exclusion"
    path = "/lists/exclusions"
    reading = Reading((Collection("/lists/exclusions", "exclusions"),))
    identity = Identity(name_attribute="phrase")
    abilities = Abilities(managed=False)
    texts = Texts(
        one="exclusion",
        gone="Contacts that it kept out can be mailed again.",
        place=250,
    )


KIND = ListExclusionKind()
