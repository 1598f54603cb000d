"""Users: looked up by e-mail, so that references to people stay readable. API: /users (section 2.19)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from reconciler.model.kind import Collection, Kind
from reconciler.model.spec import Api, Spec


class User(Spec):
    """A person with a seat in the account."""

    email: str = Field(description="E-mail address; how users are referred to.")
    username: str | None = Field(None, description="Sign-in name.")
    first_name: Annotated[str | None, Api("firstName")] = Field(None, description="First name.")
    last_name: Annotated[str | None, Api("lastName")] = Field(None, description="Last name.")


class UserKind(Kind):
    """Read only here: seats cost money."""

    name = "user"
    section = "users"
    spec = User
    title = "User"
    path = "/users"
    wrapper = "user"
    collections = (Collection("/users", "users"),)
    label = "email"
    managed = False


KIND = UserKind()
