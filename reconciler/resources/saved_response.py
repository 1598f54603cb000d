"""Saved responses: texts for one-to-one mails. API: /savedResponses (section 2.22)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from reconciler.model.kind import Kind
from reconciler.model.live import Collection
from reconciler.model.spec import KEY, Default, Spec
from reconciler.model.traits import Identity, Reading, Texts


class SavedResponse(Spec):
    """A text to answer with."""

    title: Annotated[str, Default(KEY)] = Field("", description="Title of the response.")
    subject: str | None = Field(None, description="Subject; this or a body is needed.")
    body: str | None = Field(None, description="Text of the mail, HTML.")

    @model_validator(mode="after")
    def _says_something(self) -> SavedResponse:
        """The server demands either (422, section 2.22)."""
        if not self.subject and not self.body:
            raise ValueError("a saved response needs a `subject` or a `body`")
        return self


class SavedResponseKind(Kind):
    """Not in every plan: 403 where it is missing."""

    name = "saved_response"
    section = "saved_responses"
    spec = SavedResponse
    title = "Saved response"
    path = "/savedResponses"
    wrapper = "savedResponse"
    reading = Reading((Collection("/savedResponses", "savedResponses"),))
    identity = Identity(name_attribute="title")
    texts = Texts(
        delete_warning="The text is gone; mails that were sent stay.",
        gone="It cannot be picked any more; sent mails stay.",
        place=180,
    )


KIND = SavedResponseKind()
