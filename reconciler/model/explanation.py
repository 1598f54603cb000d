"""The whole story of one object, as `explain` tells it. Values are encoded and masked, as in a plan document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model.document import FindingView, ImpactView
from reconciler.model.empty import no_items, no_members


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)


class AttributeStory(_Part):
    """One attribute: what is asked for and where, what was applied and in which run, what is live."""

    name: str
    declared: Any = None
    place: str | None = Field(None, description="file:line:column that declares it; None: it is not declared.")
    applied: Any = None
    run: str | None = Field(None, description="Run that last applied it; None: never.")
    live: Any = None
    origin: Literal["config", "drift", "both", "new", "none"] = Field(
        "none", description="Whose change is open; none: all three agree."
    )
    sensitive: bool = False


class Explanation(_Part):
    """One address, from its declaration to its live object."""

    address: str
    kind: str
    action: str = Field(description="What a plan would do with it now; `none` where nothing is to do.")
    reason: str = ""
    id: str | None = None
    natural_key: list[Any] = Field(default_factory=no_items, description="What it is recognised by without its id.")
    created: str = ""
    place: str | None = Field(None, description="Where it is declared.")
    managed: bool = False
    incomplete: bool = False
    protected: bool = False
    on_destroy: dict[str, str] = Field(default_factory=no_members)
    depends_on: list[str] = Field(default_factory=no_items)
    used_by: list[str] = Field(default_factory=no_items, description="Declared or managed addresses that depend on it.")
    attributes: list[AttributeStory] = Field(default_factory=no_items)
    impacts: list[ImpactView] = Field(default_factory=no_items, description="What deleting it would lose.")
    destroys: str = Field("", description="What deleting an object of this kind does.")
    findings: list[FindingView] = Field(default_factory=no_items)
    runs: list[str] = Field(default_factory=no_items, description="Runs that wrote it, as far as known.")
    requests: int = Field(0, description="What it took to find out.")
