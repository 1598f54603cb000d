"""Scores: looked up by name. API: /scores (section 2.31), which shows no rules and offers no writes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.kind import Kind
from reconciler.model.live import Collection
from reconciler.model.spec import Api, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts


class Score(Spec):
    """A score of contacts or deals."""

    name: str = Field(description="Name of the score.")
    object: Annotated[str | None, Api("reltype")] = Field(None, description="contact or deal.")


class ScoreKind(Kind):
    """Made and changed in the product only."""

    name = "score"
    section = "scores"
    spec = Score
    title = "Score"
    path = "/scores"
    reading = Reading((Collection("/scores", "scores"),))
    identity = Identity(name_attribute="name")
    abilities = Abilities(managed=False)
    texts = Texts(
        gone="Contacts or deals lose this score.",
        place=260,
    )


KIND = ScoreKind()
