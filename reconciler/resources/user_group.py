"""User groups: who may do what, looked up by name. API: /groups (section 2.18)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.kind import Collection, Kind
from reconciler.model.spec import Api, Spec

ADMIN = "3"
"""Id of the Admin group in every recorded and documented example (section 2.18)."""


class UserGroup(Spec):
    """A group of users with its permissions."""

    name: Annotated[str, Api("title")] = Field(description="Title of the group.")
    description: Annotated[str | None, Api("descript")] = Field(None, description="What the group is for.")


class UserGroupKind(Kind):
    """Read only here."""

    name = "user_group"
    section = "user_groups"
    spec = UserGroup
    title = "User group"
    path = "/groups"
    wrapper = "group"
    collections = (Collection("/groups", "groups"),)
    managed = False


KIND = UserGroupKind()
