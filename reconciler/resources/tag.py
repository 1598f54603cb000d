"""Tags: labels on contacts (or on templates). API: /tags (section 2.12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.http import Flow
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection, Live
from reconciler.model.spec import KEY, Api, Default, Spec
from reconciler.model.traits import Abilities, Identity, IdParameters, Reading, Texts
from reconciler.model.values import Value
from reconciler.model.write import Impact, Write, likely
from reconciler.resources import records
from reconciler.resources.counts import counted, moved


class Tag(Spec):
    """A label on contacts."""

    name: Annotated[str, Api("tag"), Default(KEY)] = Field("", description="The tag's text.")
    # What the server assumes when it is left out is unknown (row 43 of section 7): always sent.
    type: Annotated[Literal["contact", "template"], Api("tagType"), Default("contact")] = Field(
        "contact", description="What the tag is put on."
    )
    description: str | None = Field(None, description="What the tag means.")


class TagKind(Kind):
    """No source says that names are unique or how case counts (row 20): exact first, then without case."""

    name = "tag"
    section = "tags"
    spec = Tag
    title = "Tag"
    path = "/tags"
    wrapper = "tag"
    reading = Reading((Collection("/tags", "tags"),), singly=True)
    identity = Identity(
        code_names=("name",), id_parameters=IdParameters(links=("tag", "tagid"), rows=("tag_id", "tags"))
    )
    abilities = Abilities(salvage=records.TAGGED)
    texts = Texts(
        delete_warning="The tag is removed from all contacts that have it; there is no undo.",
        gone="It is taken off every contact that has it.",
        place=20,
    )

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(name, type), then the same without case."""
        name, kind = attrs.get("name"), attrs.get("type")
        return (("name", name, kind), ("name~", str(name).casefold(), kind)) if name else ()

    def holds_records(self, live: Live) -> bool | None:
        """Whether contacts carry it: `subscriber_count` (section 2.12: recorded, absent in old answers)."""
        count = live.row.get("subscriber_count")
        return str(count) != "0" if isinstance(count, str | int) else None

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Contacts that carry the tag: `meta.total` of a filtered listing (section 5, documented)."""
        query = {"tagid": write.id}
        if write.destroying:
            return (yield from counted("/contacts", "contacts carry the tag", query))
        if "type" not in write.changed:
            return []
        impacts = yield from counted("/contacts", "contacts carry the tag", query)
        return [moved(impact, likely("a tag of templates is shown on no contact")) for impact in impacts]


KIND = TagKind()
