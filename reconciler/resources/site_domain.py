"""Site domains: websites whose visits are tracked. API: /prism/urlWhitelistings, formerly /siteTrackingDomains (section
2.29).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from reconciler.model.http import Bound, Flow, Request, Response, at, delete, post
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection, Row, Tables
from reconciler.model.spec import Api, Default, Doubts, Folded, Immutable, OnAtFirst, Spec
from reconciler.model.traits import Abilities, Identity, Reading, Texts
from reconciler.model.values import Json, Value
from reconciler.model.write import Write
from reconciler.resources import rules
from reconciler.resources.spellings import either

NEW, OLD = "/prism/urlWhitelistings", "/siteTrackingDomains"
"""Row 28 of section 7: the reference moved from the old path to the new one; accounts may know either."""


class SiteDomain(Spec):
    """A website that may report visits."""

    domain: Annotated[str, Api("whitelisted_domain"), Folded(), Immutable(), Doubts(rules.host)] = Field(
        description="Domain name."
    )
    page: Annotated[str, Api("whitelisted_page"), Default("*"), Immutable()] = Field(
        "*", description="Pages below the domain; * for all."
    )
    tracking: Annotated[bool | None, Api("tracking_enabled"), OnAtFirst()] = Field(
        None, description="Visits are tracked."
    )
    conversations: Annotated[bool | None, Api("conversations_enabled")] = Field(None, description="Chat is offered.")
    web_personalization: Annotated[bool | None, Api("wp_enabled")] = Field(None, description="Pages are personalized.")


class SiteDomainKind(Kind):
    """There is no update: another domain or page is another entry, switches are turned manually."""

    name = "site_domain"
    section = "site_domains"
    spec = SiteDomain
    title = "Site domain"
    path = NEW
    reading = Reading(
        (
            Collection(
                NEW,
                "data",
                table="siteDomains",
                ids="word",
                fallback=Collection(OLD, "siteTrackingDomains", table="siteDomains", identity="name", ids="text"),
                elsewhere=("site_domains", "old"),
            ),
        ),
        parts={"attributes": "domain"},
    )
    identity = Identity(name_attribute="domain", unique=(("domain", "page"),))
    abilities = Abilities(updatable=False, writes=(OLD, f"{OLD}/ID"))
    texts = Texts(
        delete_warning="Visits of the website are not tracked any more.",
        manual_step="turn the switch in the settings of site tracking",
        one="tracked website",
        gone="Visits of this website are not tracked any more.",
        place=230,
    )

    def rows(self, tables: Tables) -> Sequence[Row]:
        """Rows of either form as one: the attributes with the id; an old one has only its name, which is its id."""
        return [_flat(row) for row in tables.get("siteDomains")]

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Attributes of another form are none. Raises ValueError for them."""
        if "attributes" in row:
            raise ValueError("the attributes of a domain are not a map")
        return super().decode(row, tables)

    def unreadable(self, tables: Tables) -> str:
        """A row of neither form says nothing about which domain it is."""
        odd = any(row.get("attributes") in (None, "") and not row.get("name") for row in tables.get("siteDomains"))
        return super().unreadable(tables) or ("a domain is listed without its attributes" if odd else "")

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """(domain, page)."""
        domain = str(attrs.get("domain") or "").casefold()
        return (("domain+page", domain, attrs.get("page") or "*"),) if domain else ()

    def create(self, write: Write) -> Flow[None]:
        """POST in the new form, all of whose properties are required, else in the old one."""
        flags = {"tracking": True, "conversations": False, "web_personalization": False}
        wanted = {**flags, **{name: bool(write.desired[name]) for name in flags if name in write.desired}}
        attributes = self.body(write, ["domain", "page"])
        attributes |= {str(self.attributes[name].api): value for name, value in wanted.items()}
        body: Json = {"data": {"type": "urlWhitelistings", "attributes": attributes}}
        domain = str(attributes["whitelisted_domain"])
        ways = post(NEW, body), post(OLD, {"siteTrackingDomain": {"name": domain}})
        first, second = reversed(ways) if self.facts.says("site_domains", "old") else ways
        answer = yield from either(first, second, "row 28 of section 7")
        yield Bound(str(answer.row("data").get("id") or domain))

    def delete(self, write: Write) -> Flow[None]:
        """Under the path that the row was listed at: a numeric id is of the new form, a name of the old one."""
        old = write.live is not None and write.live.id == write.live.attrs.get("domain")
        yield delete(at(OLD if old else NEW, write.id))

    def predict(self, request: Request, serial: int) -> Response:
        """The new form answers with an id of its own."""
        return Response(200, {"data": {"id": f"new-{serial}"}} if request.method == "POST" else {})


def _flat(row: Row) -> Row:
    attributes = row.get("attributes")
    if isinstance(attributes, dict):
        return {**attributes, "id": row["id"]}
    name = row.get("name")
    if name:
        return {"id": name, "whitelisted_domain": name, "whitelisted_page": "*"}
    return {"id": row["id"], "attributes": attributes}


KIND = SiteDomainKind()
