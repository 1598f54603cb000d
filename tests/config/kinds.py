"""A few kinds with every mark that matters to the configuration. The product's own kinds are not needed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from reconciler.model.kind import Kind, Kinds, NaturalKey
from reconciler.model.spec import KEY, Api, Default, Link, Nested, RefTo, Spec
from reconciler.model.traits import Abilities, Identity


class Tag(Spec):
    """A label."""

    name: Annotated[str, Api("tag"), Default(KEY)] = Field("", description="The tag's text.")
    type: Annotated[Literal["contact", "template"], Api("tagType"), Default("contact")] = Field(
        "contact", description="What it is put on."
    )
    description: str | None = Field(None, description="What it means.")


class ContactList(Spec):
    """A list."""

    name: str = Field(description="Name of the list.")
    string_id: Annotated[str | None, Api("stringid")] = Field(None, description="URL-safe name.")
    send_last: bool | None = Field(None, description="Send the last broadcast.")
    owner: Annotated[Link | None, RefTo("user", lookup="email")] = Field(None, description="Owner.")
    user_groups: Annotated[list[Link] | None, RefTo("user_group")] = Field(None, description="Groups that see it.")
    parent: Annotated[Link | None, RefTo("list")] = Field(None, description="A list above it.")


class Option(Spec):
    """A choice."""

    value: str = Field(description="What is stored.")
    label: str | None = Field(None, description="What is shown.")
    default: bool | None = Field(None, description="Chosen at first.")


class ContactField(Spec):
    """A custom field."""

    title: str = Field(description="Label of the field.")
    type: Literal["text", "dropdown", "date"] = Field(description="What it holds.")
    perstag: str | None = Field(None, description="Personalization tag.")
    order: Annotated[int | None, Api("ordernum")] = Field(None, ge=0, description="Place among the fields.")
    weight: float | None = Field(None, gt=0, description="Some number.")
    options: list[str | Option] | None = Field(None, description="Choices.")
    lists: Annotated[Literal["all"] | list[Link] | None, RefTo("list")] = Field(None, description="Lists, or `all`.")


class Stage(Spec):
    """A column of a board."""

    title: Annotated[str, Default(KEY)] = Field("", description="Title of the stage.")
    color: str | None = Field(None, pattern=r"^[0-9A-F]{6}$", description="Six hex digits.")
    next: Annotated[Link | None, RefTo("stage")] = Field(None, description="Where deals go from here.")


class Pipeline(Spec):
    """A board."""

    title: str = Field(description="Title of the pipeline.")
    users: Annotated[list[Link] | None, RefTo("user", lookup="email")] = Field(None, description="Who gets deals.")
    stages: Annotated[dict[str, Stage] | None, Api(None), Nested("stage", "pipeline")] = Field(
        None, description="Stages in the order of the board."
    )


# The spec has an attribute called `list`.
Names = list[str]


class Webhook(Spec):
    """A subscription to events."""

    name: str = Field(description="Name of the webhook.")
    url: str = Field(description="Where events are posted to.")
    events: Names = Field(min_length=1, description="Events to report.")
    list: Annotated[Link | None, RefTo("list")] = Field(None, description="Only events of this list.")


class Labels(Spec):
    """What an object is called."""

    singular: str = Field(description="One of them.")
    plural: str = Field(description="Several of them.")


class Part(Spec):
    """A field of an object."""

    type: Literal["text", "number"] = Field(description="What it holds.")
    labels: Labels | None = Field(None, description="Labels.")
    source: Annotated[Link | None, RefTo("field")] = Field(None, description="Contact field that it is copied from.")


class CustomObject(Spec):
    """A schema."""

    slug: str = Field(description="Unique name.")
    labels: Labels = Field(description="What the objects are called.")
    fields: dict[str, Part] | None = Field(None, description="Fields by id.")


class Person(Spec):
    """A user."""

    email: str = Field(description="E-mail address.")


class Group(Spec):
    """A user group."""

    name: Annotated[str, Api("title")] = Field(description="Title of the group.")


class TagKind(Kind):
    """Recognised by name, else by name without case."""

    name = "tag"
    section = "tags"
    spec = Tag
    title = "Tag"

    def natural_keys(self, attrs: Mapping[str, Any]) -> tuple[NaturalKey, ...]:
        return ("name", attrs["name"]), ("name~", attrs["name"].casefold())


class ListKind(Kind):
    """Recognised by name."""

    name = "list"
    section = "lists"
    spec = ContactList
    title = "List"


class FieldKind(Kind):
    """Recognised by perstag, else by title."""

    name = "field"
    section = "fields"
    spec = ContactField
    title = "Contact field"

    def natural_keys(self, attrs: Mapping[str, Any]) -> tuple[NaturalKey, ...]:
        tag = (("perstag", attrs["perstag"]),) if attrs.get("perstag") else ()
        return (*tag, ("title", attrs["title"]))


class PipelineKind(Kind):
    """A parent."""

    name = "pipeline"
    section = "pipelines"
    spec = Pipeline
    title = "Pipeline"
    identity = Identity(name_attribute="title")


class StageKind(Kind):
    """Nested in pipelines; recognised inside its own."""

    name = "stage"
    nested = "pipeline"
    spec = Stage
    title = "Stage"

    def natural_keys(self, attrs: Mapping[str, Any]) -> tuple[NaturalKey, ...]:
        return (("title", attrs["pipeline"], attrs["title"]),)

    def unmovable(self, what: str, address: str, target: str) -> str:
        return "" if address.rpartition(".")[0] == target.rpartition(".")[0] else f"{target} is in another pipeline"


class WebhookKind(Kind):
    """Recognised by name."""

    name = "webhook"
    section = "webhooks"
    spec = Webhook
    title = "Webhook"


class CustomObjectKind(Kind):
    """Recognised by slug."""

    name = "custom_object"
    section = "custom_objects"
    spec = CustomObject
    title = "Custom object"
    identity = Identity(name_attribute="slug")


class UserKind(Kind):
    """Looked up only."""

    name = "user"
    section = "users"
    spec = Person
    title = "User"
    identity = Identity(name_attribute="email")
    abilities = Abilities(managed=False)


class UserGroupKind(Kind):
    """Looked up only."""

    name = "user_group"
    section = "user_groups"
    spec = Group
    title = "User group"
    abilities = Abilities(managed=False)


KINDS: Kinds = {
    kind.name: kind
    for kind in (
        TagKind(),
        UserKind(),
        UserGroupKind(),
        ListKind(),
        FieldKind(),
        PipelineKind(),
        StageKind(),
        WebhookKind(),
        CustomObjectKind(),
    )
}
