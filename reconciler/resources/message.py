"""Messages: the mails that campaigns and automations send. API: /messages (section 2.23). Nothing is ever sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection
from reconciler.model.spec import KEY, AfterCreate, Api, Default, Doubts, Expected, Spec
from reconciler.model.traits import Reading, Texts
from reconciler.model.values import Value
from reconciler.resources import rules


class Message(Spec):
    """A mail that campaigns or automations can use."""

    # The create documents neither name nor content; the update does.
    name: Annotated[str, AfterCreate(), Default(KEY)] = Field("", description="Name of the message.")
    from_name: Annotated[str | None, Api("fromname"), Expected()] = Field(None, description="Sender's name.")
    # Row 33 of section 7: the schema of the create says `email`, its example and all reads `fromemail`.
    from_email: Annotated[str | None, Api("fromemail"), Expected(), Doubts(rules.mail_address)] = Field(
        None, description="Sender's address."
    )
    reply_to: Annotated[str | None, Api("reply2"), Expected(), Doubts(rules.mail_address)] = Field(
        None, description="Address for replies."
    )
    subject: str | None = Field(None, description="Subject.")
    preheader: Annotated[str | None, Api("preheader_text")] = Field(None, description="Preview text.")
    text: Annotated[str | None, AfterCreate()] = Field(None, description="Plain text of the mail.")
    html: Annotated[str | None, AfterCreate()] = Field(
        None, description="HTML of the mail. The mail builder does not see it, and saves over it."
    )


class MessageKind(Kind):
    """Most messages belong to campaigns and have no name: they are adopted by name only, and left out of exports."""

    name = "message"
    section = "messages"
    spec = Message
    title = "Message"
    path = "/messages"
    wrapper = "message"
    reading = Reading((Collection("/messages", "messages"),), mostly_unmanaged=True)
    texts = Texts(
        delete_warning="Campaigns and automations that use the message lose it.",
        gone="Campaigns and automations that send it have no message then.",
        place=170,
    )

    def settling_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(subject, sender): between its create and the update that names it, a message has nothing else."""
        return (("subject", attrs["subject"], attrs.get("from_email")),) if attrs.get("subject") else ()


KIND = MessageKind()
