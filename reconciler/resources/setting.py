"""Settings that every account has exactly one of. API: /siteTracking, /eventTracking, /brandings (sections 2.26, 2.28,
2.29).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from reconciler.model.coerce import truthy
from reconciler.model.http import Flow, Request, Response, at, get, put
from reconciler.model.kind import Kind, NaturalKey
from reconciler.model.live import Collection, Row, Tables
from reconciler.model.spec import Api, Default, Doubts, OnAtFirst, Spec
from reconciler.model.traits import Abilities, Reading, Texts
from reconciler.model.values import Json, Value
from reconciler.model.write import Write
from reconciler.resources import rules

SITE, EVENT, BRANDING = "site_tracking", "event_tracking", "branding"


class SiteTracking(Spec):
    """Whether visits of websites are tracked."""

    name: Annotated[Literal["site_tracking"], Api(None), Default(SITE)] = Field(
        "site_tracking", description="Which setting."
    )
    enabled: bool | None = Field(None, description="Tracking is on.")


class EventTracking(Spec):
    """Whether events of websites and programs are accepted."""

    name: Annotated[Literal["event_tracking"], Api(None), Default(EVENT)] = Field(
        "event_tracking", description="Which setting."
    )
    enabled: bool | None = Field(None, description="Tracking is on.")


AtFirst = Annotated[bool | None, OnAtFirst()]
"""On in every account where it was not changed."""


class Branding(Spec):
    """How the account looks to its users and contacts."""

    name: Annotated[Literal["branding"], Api(None), Default(BRANDING)] = Field("branding", description="Which setting.")
    site_name: Annotated[str | None, Api("siteName")] = Field(None, description="Title of the software.")
    site_logo: Annotated[str | None, Api("siteLogo"), Doubts(rules.web_address)] = Field(
        None, description="URL of the logo."
    )
    site_logo_small: Annotated[str | None, Api("siteLogoSmall"), Doubts(rules.web_address)] = Field(
        None, description="URL of the small logo."
    )
    favicon: Annotated[str | None, Doubts(rules.web_address)] = Field(None, description="URL of the favicon.")
    header_text: Annotated[str | None, Api("headerTextValue")] = Field(None, description="Header of text mails.")
    header_html: Annotated[str | None, Api("headerHtmlValue")] = Field(None, description="Header of HTML mails.")
    footer_text: Annotated[str | None, Api("footerTextValue")] = Field(None, description="Footer of text mails.")
    footer_html: Annotated[str | None, Api("footerHtmlValue")] = Field(None, description="Footer of HTML mails.")
    copyright: AtFirst = Field(None, description="The vendor's copyright is shown.")
    version: AtFirst = Field(None, description="The version is shown.")
    license: AtFirst = Field(None, description="The license is shown.")
    links: AtFirst = Field(None, description="External links with the vendor's branding are shown.")
    help: AtFirst = Field(None, description="Help is offered.")
    admin_template_html: Annotated[str | None, Api("adminTemplateHtm")] = Field(
        None, description="Template of the admin pages; in certain plans only."
    )
    admin_template_css: Annotated[str | None, Api("adminTemplateCss")] = Field(
        None, description="Style of the admin pages; in certain plans only."
    )
    public_template_html: Annotated[str | None, Api("publicTemplateHtm")] = Field(
        None, description="Template of public pages; in certain plans only."
    )
    public_template_css: Annotated[str | None, Api("publicTemplateCss")] = Field(
        None, description="Style of public pages; in certain plans only."
    )


class Settings(Spec):
    """What an account has one of each: taken over as it is, changed in place, never created or deleted."""


SOURCES = {
    SITE: Collection("/siteTracking", "siteTracking", single=True, feeds=(SITE,)),
    EVENT: Collection("/eventTracking", "eventTracking", single=True, feeds=(EVENT,)),
    BRANDING: Collection("/brandings", "brandings", feeds=(BRANDING,)),
}


class SettingKind(Kind):
    """The key of a setting is its identity."""

    name = "setting"
    section = "settings"
    spec = Settings
    title = "Setting"
    path = "/siteTracking, /eventTracking, /brandings"
    variants: ClassVar[Mapping[str, type[Spec]]] = {SITE: SiteTracking, EVENT: EventTracking, BRANDING: Branding}
    reading = Reading(tuple(SOURCES.values()))
    abilities = Abilities(creatable=False, deletable=False)
    texts = Texts(
        place=310,
    )

    def needs(self, declared: frozenset[str]) -> tuple[Collection, ...]:
        """Only the settings that are declared."""
        return tuple(source for key, source in SOURCES.items() if key in declared)

    def rows(self, tables: Tables) -> Sequence[Row]:
        """One row for each setting that was read, under its key; the row's own id is kept as `_id`."""
        return [
            {**row, "id": key, "_id": row.get("id", "")}
            for key, source in SOURCES.items()
            for row in tables.get(source.name)[:1]
        ]

    def unreadable(self, tables: Tables) -> str:
        """Only where none could be read; one of several that is missing is skipped, for nothing here can be created."""
        if any(source.name in tables.rows for source in SOURCES.values()):
            return ""
        reasons = [tables.unknown[source.name].reason for source in SOURCES.values() if source.name in tables.unknown]
        return "; ".join(dict.fromkeys(reasons))

    def decode(self, row: Row, tables: Tables) -> dict[str, Value]:
        """Only what belongs to the setting. Branding's `links` may be the usual map of links instead (section 2.26)."""
        spec = self.variants[str(row["id"])]
        known = {name: value for name, value in row.items() if not (name == "links" and isinstance(value, dict | list))}
        attrs = super().decode(known, tables)
        return {**{name: value for name, value in attrs.items() if name in spec.model_fields}, "name": row["id"]}

    def natural_keys(self, attrs: Mapping[str, Value]) -> tuple[NaturalKey, ...]:
        """Which setting it is."""
        return (("setting", attrs["name"]),) if attrs.get("name") else ()

    def update(self, write: Write) -> Flow[None]:
        """PUT what changed, and only then: setting a status that it has already may be an error (section 2.28)."""
        if write.id == BRANDING:
            yield from _brand(write, self.body(write, sorted(write.changed)))
        else:
            source = SOURCES[write.id]
            yield put(source.path, {source.key: {"enabled": bool(write.desired["enabled"])}})

    def predict(self, request: Request, serial: int) -> Response:
        """A look after enabling help finds it enabled."""
        return (
            Response(200, {"branding": {"help": "1"}}) if request.method == "GET" else super().predict(request, serial)
        )


def _brand(write: Write, body: dict[str, Json]) -> Flow[None]:
    """PUT a branding. `links` is enabled by leaving it out and disabled by any value (section 2.26), so what is off is
    sent again with every change that is not to enable it. Whether `help` works so too is not said: it is sent either
    way, and where sending enables nothing, leaving it out does.
    """
    path, row = at("/brandings", _row(write)["_id"]), _row(write)
    links_off, help_off = (not write.desired.get(name, _on(row.get(name))) for name in ("links", "help"))
    sent = {name: value for name, value in body.items() if name != "links"}
    sent |= {"links": "0"} if links_off else {}
    sent |= {"help": "0"} if help_off else {}
    # A body that holds nothing changes nothing: the title goes along as it is.
    title = {"siteName": row.get("siteName") or ""}
    yield put(path, {"branding": sent or title})
    if "help" in write.changed and not help_off and not _on((yield get(path)).row("branding").get("help")):
        yield put(path, {"branding": {name: value for name, value in sent.items() if name != "help"} or title})


def _on(raw: Json) -> bool:
    """Read a flag of a branding; a map of links has taken its name, or it is not there: nothing was switched off."""
    return raw is None or isinstance(raw, dict | list) or truthy(raw)


def _row(write: Write) -> Row:
    return write.live.row if write.live is not None else {}


KIND = SettingKind()
