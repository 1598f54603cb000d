"""Personalization variables: texts that mails fill in. API: /personalizations (section 2.25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.errors import Unexpected
from reconciler.model.http import Bound, Flow, Request, at, post
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection
from reconciler.model.redaction import abridged
from reconciler.model.spec import KEY, Api, Commas, Default, Link, RefTo, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.values import Value
from reconciler.model.write import Finding, Write


class Personalization(Spec):
    """A variable of mails."""

    tag: Annotated[str, Default(KEY)] = Field("", description="How mails refer to it: %TAG%.")
    name: str = Field(description="Name of the variable.")
    format: Literal["html", "text"] = Field(description="What the content is.")
    content: str | None = Field(None, description="What is filled in.")
    lists: Annotated[list[Link] | None, Api("listids", read="listIds"), RefTo("list"), Commas()] = Field(
        None, description="Lists whose mails may use it."
    )
    locked: Annotated[bool | None, Api(None, read="isLocked")] = Field(
        None, description="Only admins may change it. A locked one is changed only where `locked: false` is declared."
    )


class PersonalizationKind(Kind):
    """A lock is a decision of a user: nothing is changed behind it unless the configuration takes it off."""

    name = "personalization"
    section = "personalizations"
    spec = Personalization
    title = "Personalization variable"
    path = "/personalizations"
    wrapper = "personalization"
    reading = Reading((Collection("/personalizations", "personalizations"),), created="created_timestamp")
    identity = Identity(code_names=("tag",), name_attribute="tag")
    abilities = Abilities(writes=("/personalizations/ID/(?:un)?lock",))
    texts = Texts(
        delete_warning="Mails that use the variable show nothing in its place.",
        gone="Mails that use it show nothing in its place.",
        place=190,
    )

    def known_as(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """And the name: the tag is for mails."""
        return (*self.natural_keys(attrs), *((("name", attrs["name"]),) if attrs.get("name") else ()))

    def refusals(self, write: Write) -> list[Finding]:
        """A locked variable stays as it is unless `locked: false` is declared."""
        if write.live is None or not write.live.attrs.get("locked") or write.desired.get("locked") is False:
            return []
        hint = "declare `locked: false` and apply that first" if write.destroying else "declare `locked: false`"
        return [Finding("the variable is locked in the account", attribute="locked", hint=hint)]

    def create(self, write: Write) -> Flow[None]:
        """POST the variable, then lock it where asked to."""
        answer = yield post(self.path, {self.wrapper: self.body(write, write.desired)})
        created = answer.created(self.wrapper, self.reading.collections[0].key)
        yield Bound(created)
        if write.desired.get("locked"):
            yield from self._turn(created, "lock")

    def update(self, write: Write) -> Flow[None]:
        """Unlock first, change, lock last."""
        if "locked" in write.changed and not write.desired["locked"]:
            yield from self._turn(write.id, "unlock")
        yield from super().update(write)
        if "locked" in write.changed and write.desired["locked"]:
            yield from self._turn(write.id, "lock")

    def _turn(self, identity: str, verb: str) -> Flow[None]:
        """Lock or unlock. A refusal comes with status 200 and `success: false` (section 1.5)."""
        request = Request("PATCH", at(self.path, identity, verb))
        answer = yield request
        if isinstance(answer.body, dict) and answer.body.get("success") is False:
            raise Unexpected(
                f"{request}: expected it to {verb} the variable, got: {abridged(str(answer.body.get('message')), 200)}",
                hint="use the API key of an Admin user",
            )


KIND = PersonalizationKind()
