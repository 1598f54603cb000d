"""Users: looked up by e-mail, so that references to people stay readable; managed where one is declared. API: /users
(section 2.19).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from reconciler.model.coerce import ident
from reconciler.model.http import Flow, at
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection, Row, Tables
from reconciler.model.spec import Api, CreateOnly, Doubts, Expected, Link, Once, RefTo, Sensitive, Spec
from reconciler.model.traits import Identity, Reading, Texts
from reconciler.model.values import Value
from reconciler.model.write import Impact, Write
from reconciler.resources import losing, rules
from reconciler.resources.counts import counted

OWNER = "1"
"""Id of the account's owner (section 2.19)."""
GROUPS = Collection("/groups", "groups", feeds=("group",))
MEMBERS = "userGroups:"
"""Tables of members are called so, with the group's id behind it."""


class User(Spec):
    """A person with a seat in the account."""

    email: Annotated[str, Doubts(rules.mail_address)] = Field(description="E-mail address; how users are referred to.")
    # Row 27 of section 7: "Username cannot be changed!", and a recorded change.
    username: Annotated[str | None, Expected(), CreateOnly("sign-in names cannot be changed: make another user")] = (
        Field(None, description="Sign-in name.")
    )
    first_name: Annotated[str | None, Api("firstName")] = Field(None, description="First name.")
    last_name: Annotated[str | None, Api("lastName")] = Field(None, description="Last name.")
    group: Annotated[Link | None, RefTo("user_group"), Expected()] = Field(None, description="Group of the user.")
    password: Annotated[str | None, Once(), Sensitive()] = Field(
        None, description="Password at first, as ${secret.X}: sent once with the create, never compared or kept."
    )


class UserKind(Kind):
    """Seats cost money and belong to people: an export leaves users out, and the owner is never claimed."""

    name = "user"
    section = "users"
    spec = User
    title = "User"
    path = "/users"
    wrapper = "user"
    reading = Reading((Collection("/users", "users"),), mostly_unmanaged=True)
    identity = Identity(name_attribute="email")
    texts = Texts(
        delete_warning="The person loses access; deals and lists that the user owns lose their owner.",
        gone="This person cannot sign in any more, and what they own has no owner then.",
        place=120,
    )

    def needs(self, declared: frozenset[str]) -> tuple[Collection, ...]:
        """A user's group is not part of its row: it is read from the groups, when one is declared."""
        return (*self.reading.collections, GROUPS) if "group" in declared else self.reading.collections

    def more(self, tables: Tables, declared: frozenset[str]) -> tuple[Collection, ...]:
        """The members of each group (section 5: `/groups/{id}/userGroups`)."""
        if "group" not in declared:
            return ()
        return tuple(
            Collection(
                at("/groups", row["id"], "userGroups"),
                "userGroups",
                table=f"{MEMBERS}{row['id']}",
                optional=True,
                feeds=("group",),
                tells=(("userid", "user"), ("groupid", "group")),
            )
            for row in tables.get("groups")
        )

    def reads_each(
        self, kind: str, attrs: Mapping[str, Value], asked: Iterable[str] = (), unread: Container[str] = ()
    ) -> Iterable[str]:
        """The members of each group are a listing of their own."""
        return (MEMBERS,) if kind == "user_group" else ()

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Join the group's id to each user, under `group`; absent where the members could not be read."""
        members = {
            ident(member.get("userid", member.get("user"))): ident(member.get("groupid", member.get("group")))
            for name, rows in tables.rows.items()
            if name.startswith(MEMBERS)
            for member in rows
        }
        return [
            {**row, "group": members[ident(row["id"])]} if ident(row["id"]) in members else row
            for row in tables.get("users")
        ]

    def claims(self, row: Row, tables: Tables) -> bool:
        """The owner of the account stays out of reach."""
        return str(row["id"]) != OWNER

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """The e-mail address without case."""
        return (("email", str(attrs["email"]).casefold()),) if attrs.get("email") else ()

    def impact(self, write: Write) -> Flow[list[Impact]]:
        """Deals (documented filter) and lists that the user owns."""
        if not write.destroying:
            return []
        along = yield from losing.owned_by_user(write.id)
        return along + (yield from counted("/deals", "deals lose their owner", {"filters[owner]": write.id}))


KIND = UserKind()
