"""The plan document: the plan as JSON, from which every view is rendered and from which a saved plan is applied.

Values are encoded (`values.encode`): references as `{"$ref": address}`, secrets as `{"$secret": "...${secret.X}..."}`,
sensitive texts as `{"$sensitive": salted hash}` where they are to be written. Secrets and tokens were masked when the
document was made; nothing that reads it needs to mask again. What each minor version added: 1.1 `found`, `ignored`,
`salt`, `$sensitive`, `check_requests`, `uses`; 1.2 what guards look at: `effect` and `objects` of impacts, `guarded`,
`uncounted`, `managed`, `declared`, `renames`; how it is counted again, and what is moved away: `counting`, `evacuates`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, model_validator

from reconciler.model.address import kind_of
from reconciler.model.documents import Count, Lean
from reconciler.model.empty import no_items, no_members
from reconciler.model.identity import check, check_values
from reconciler.model.write import Effect, Finding, Impact

PLAN_FORMAT = "1.2"
COUNTED_SINCE = (1, 2)
"""The format of plans that say what their changes cost, how it is counted again, and how much is managed."""
DESTROYS = ("delete", "replace")
"""Actions after which the object that was there is gone."""


class _Part(Lean):
    model_config = ConfigDict(extra="ignore", defer_build=True)


class PartView(_Part):
    """One difference inside a map or list."""

    path: str = Field(description="Where inside the value, e.g. seat.required.")
    before: Any = None
    after: Any = None


class AttributeView(_Part):
    """One attribute that changes."""

    name: str
    before: Any = Field(None, description="Value in the account, encoded; masked when sensitive.")
    after: Any = Field(None, description="Value asked for, encoded; masked when sensitive.")
    parts: list[PartView] = Field(default_factory=no_items, description="What differs inside a map or list.")
    applied: Any = Field(None, description="Value this tool last applied, encoded.")
    origin: Literal["config", "drift", "both", "new", "none"] = Field("config", description="Whose change it is.")
    place: str | None = Field(None, description="file:line:column that asks for it.")
    run: str | None = Field(None, description="Run that last applied the attribute.")
    forces_replacement: bool = False
    sensitive: bool = False
    places: tuple[Count, Count] | None = Field(
        None,
        description="Place among its siblings before and after, counted from 1, of what the order in the file says.",
    )


class ImpactView(_Part):
    """Records and other objects that a change touches, as measured before the plan was shown."""

    count: Count | None = Field(None, description="None where the API cannot tell.")
    noun: str
    at_most: bool = False
    detail: str = ""
    effect: Effect = Field(
        "lost",
        description="What happens: records are lost or moved; objects become invisible (hidden), go with the object as "
        "parts of it (along), or go with it and are not managed (unmanaged).",
    )
    objects: list[str] = Field(default_factory=no_items, description="Names of the objects concerned.")

    @classmethod
    def of(cls, impact: Impact) -> Self:
        """Return the view of a measured impact."""
        return cls(
            count=impact.count,
            noun=impact.noun,
            at_most=impact.at_most,
            detail=impact.detail,
            effect=impact.effect,
            objects=list(impact.objects),
        )

    def impact(self) -> Impact:
        """Return the impact that this is a view of."""
        return Impact(self.count, self.noun, self.at_most, self.detail, self.effect, tuple(self.objects))


class FindingView(_Part):
    """Something that the account said about a planned change."""

    message: str
    severity: str = "error"
    attribute: str = ""
    hint: str = ""

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """Return the view of a finding."""
        return cls(message=finding.message, severity=finding.severity, attribute=finding.attribute, hint=finding.hint)


class UseView(_Part):
    """A place in the account that mentions an object which goes, or that could not be looked into."""

    where: str
    certainty: Literal["used", "maybe", "not inspected"] = "used"
    note: str = ""


class ChangeView(_Part):
    """What happens to one address."""

    address: str
    kind: str
    action: Literal["create", "adopt", "update", "replace", "delete", "forget", "move", "manual", "refresh", "none"]
    reason: str = ""
    id: str | None = Field(None, description="Remote id, where the object exists.")
    place: str | None = Field(None, description="file:line:column of the declaration.")
    attributes: list[AttributeView] = Field(default_factory=no_items)
    switches_off: bool = Field(False, description="A delete of its kind switches the object off; it is not deleted.")
    adopts: bool = Field(False, description="Takes over an object that exists and was not managed.")
    depends_on: list[str] = Field(default_factory=no_items)
    impacts: list[ImpactView] = Field(default_factory=no_items)
    uncounted: bool = Field(False, description="It may touch records, and it was not asked how many (--no-impact).")
    guarded: bool = Field(False, description="A delete of its kind needs approval for each object.")
    counting: list[str] = Field(
        default_factory=no_items,
        description="Requests that count the impacts again, before each request that can take something away.",
    )
    evacuates: dict[str, str] = Field(
        default_factory=no_members, description="What is moved away before the delete, and to which address."
    )
    uses: list[UseView] = Field(default_factory=no_items, description="What else in the account mentions the object.")
    findings: list[FindingView] = Field(default_factory=no_items)
    manual: dict[str, str] = Field(
        default_factory=no_members, description="Attributes that the API cannot change, with what to do manually."
    )
    moved_from: str | None = None
    desired: dict[str, Any] = Field(default_factory=no_members, description="All attributes to write, encoded.")
    ignored: list[str] = Field(default_factory=no_items, description="Attributes whose drift is left alone.")
    fingerprint: str | None = Field(None, description="SHA-256 of the live object as it was read.")
    found: dict[str, Any] = Field(
        default_factory=no_members, description="The live object as it was read, encoded; masked where sensitive."
    )
    known: list[str] = Field(default_factory=no_items, description="Ids that carried the natural key when planning.")
    natural_key: list[Any] = Field(default_factory=no_items)
    spare: Count | None = None
    nested: list[str] = Field(default_factory=no_items)
    elsewhere: list[str] = Field(
        default_factory=no_items,
        description="What other resources say in place of this one: its attributes, entries of its lists.",
    )
    parent: str | None = None
    rank: Count = 0
    prevent_destroy: bool = False
    on_destroy: dict[str, str] = Field(default_factory=no_members)

    @model_validator(mode="after")
    def _identified(self, info: ValidationInfo) -> Self:
        ids = [(self.kind, identity) for identity in self.known] + ([(self.kind, self.id)] if self.id else [])
        check(info, ids, self.desired, self.found, self.natural_key)
        check_values(info, self.kind, self.desired, self.natural_key)
        sides = [
            {attribute.name: side}
            for attribute in self.attributes
            for side in (attribute.before, attribute.after, attribute.applied)
        ]
        for seen in (self.found, *sides):  # an object may lack what has to be declared
            check_values(info, self.kind, {name: value for name, value in seen.items() if value is not None})
        return self


class StepView(_Part):
    """One unit of work of the apply, with the requests it is expected to send."""

    number: Count
    address: str
    op: Literal["create", "update", "delete", "bind", "forget", "move", "finish", "park"]
    waits: list[Count] = Field(default_factory=no_items)
    after: list[Count] = Field(default_factory=no_items)
    requests: list[str] = Field(default_factory=no_items)


class SkippedView(_Part):
    """An address that could not be planned."""

    address: str
    reason: str
    forbidden: bool = False
    refused: bool = Field(False, description="The account would refuse what is declared.")


class RenameView(_Part):
    """A delete and a create that are most likely one object."""

    source: str
    target: str
    likeness: float = Field(description="Between 0 and 1.")


class GuardView(_Part):
    """One guard's or policy's verdict."""

    name: str
    verdict: Literal["passed", "tripped", "overridden", "warned"]
    message: str = ""
    addresses: list[str] = Field(default_factory=no_items)
    override: str = Field("", description="What to type to override exactly this.")
    remedy: str = Field("", description="What to write into the files instead, as YAML.")
    by: Literal["", "command line", "project file"] = Field("", description="Where it was overridden.")
    places: dict[str, str] = Field(
        default_factory=no_members,
        description="Of a broken rule: file:line:column of what breaks it, by address. Left out for none.",
        exclude_if=lambda value: not value,
    )


class Forecast(_Part):
    """What the plan cost and what its apply will cost, at the environment's rate."""

    plan_requests: Count = 0
    apply_reads: Count = 0
    apply_writes: Count = 0
    check_requests: Count = Field(
        0, description="What proving a saved plan against the account costs, before its apply."
    )
    rate: float | None = Field(None, ge=0, description="Requests per second; None: not limited.")
    seconds: float = Field(0.0, ge=0)

    @property
    def apply_requests(self) -> int:
        """All requests of the apply."""
        return self.apply_reads + self.apply_writes


class Summary(_Part):
    """Counts for the last line. A replace counts as one to add and one to destroy, as in Terraform."""

    add: Count = 0
    change: Count = 0
    destroy: Count = 0
    switch_off: Count = Field(0, description="Objects that cannot be deleted, and are switched off instead.")
    adopt: Count = 0
    forget: Count = 0
    move: Count = 0
    manual: Count = 0
    unchanged: Count = 0
    records_at_risk: Count = 0
    records_moved: Count = Field(0, description="Records that stay and are somewhere or something else afterwards.")
    unmanaged: Count = Field(0, description="Objects that go along and are not managed.")
    at_most: bool = False
    unmeasured: Count = Field(0, description="Destructive changes whose loss the API cannot count, or was not asked.")


class CardView(_Part):
    """A stage on a board, or a field in a group."""

    key: str = Field(description="Remote id, or address where there is none yet: one and the same before and after.")
    title: str = ""
    note: str = Field("", description="Type of a field.")
    address: str = Field("", description="Where the plan does something with it.")
    deals: Count | None = Field(None, description="Deals in a stage; None where they were not counted.")


class BoardView(_Part):
    """A screen of the account, before and after."""

    kind: str = Field(description="Kind of what stands on it.")
    title: str = Field("", description="Of the pipeline or the group.")
    becomes: str = Field("", description="Its title afterwards, where that is another one.")
    before: list[CardView] = Field(default_factory=no_items)
    after: list[CardView] = Field(default_factory=no_items)


class StateRef(_Part):
    """The state that the plan was made from."""

    lineage: str = ""
    serial: Count = 0


class EyesView(_Part):
    """Whose key the account was read with, where the plan concludes anything from what is not shown."""

    user_group: str = Field("", description="Id of the key's user group; empty where the account is silent.")
    sees: Literal["everything", "part", "unknown"] = Field(
        "unknown", description="What that group is shown of the kinds that permissions filter."
    )


class SettingsView(_Part):
    """How the project file of a change differs from the one that its plan is held to."""

    source: str = Field("", description="Git reference or file that the settings were taken from.")
    changed: list[str] = Field(default_factory=no_items, description="Members that differ, e.g. environments.prod.url.")
    mark: str = Field("", description="Beginning of the SHA-256 of what the change writes there.")


class PlanDocument(_Part):
    """A plan. Readers accept any 1.x and refuse a higher major version."""

    format_version: str = PLAN_FORMAT
    tool_version: str = ""
    created_at: str = Field("", description="ISO 8601, UTC.")
    environment: str = ""
    account: str = Field("", description="Identity of the account that was read.")
    eyes: EyesView | None = Field(
        None,
        description="Whose key the account was read with. Left out where nothing hangs on it.",
        exclude_if=lambda value: value is None,
    )
    state: StateRef = Field(default_factory=StateRef)
    options: dict[str, Any] = Field(
        default_factory=no_members, description="Selection and mode: target, exclude, destroy, refresh_only, impact."
    )
    summary: Summary = Field(default_factory=Summary)
    changes: list[ChangeView] = Field(default_factory=no_items)
    boards: list[BoardView] = Field(
        default_factory=no_items,
        description="Boards of pipelines and groups of fields that change. Left out for none.",
        exclude_if=lambda value: not value,
    )
    names: dict[str, str] = Field(
        default_factory=no_members,
        description="What people call what the changes refer to and do not change: by address, or by kind and id "
        "(`user_group id 3`) where nothing is declared. Left out for none.",
        exclude_if=lambda value: not value,
    )
    steps: list[StepView] = Field(default_factory=no_items)
    skipped: list[SkippedView] = Field(default_factory=no_items)
    warnings: list[str] = Field(default_factory=no_items)
    renames: list[RenameView] = Field(default_factory=no_items)
    declared: Count = Field(0, description="How many resources the configuration declares.")
    managed: dict[str, Count] = Field(
        default_factory=no_members, description="How many objects of each kind the state knew when planning."
    )
    guards: list[GuardView] = Field(default_factory=no_items)
    settings: SettingsView | None = Field(
        None,
        description="What the change does to the project file besides declaring resources. Left out for nothing.",
        exclude_if=lambda value: value is None,
    )
    forecast: Forecast = Field(default_factory=Forecast)
    reads: list[str] = Field(default_factory=no_items, description="Kinds that the apply reads again before and after.")
    ids: dict[str, str] = Field(default_factory=no_members, description="Remote ids of everything bound when planning.")
    salt: str = Field("", description="Salt of the hashes that stand for sensitive texts.")
    digest: str = Field("", description="SHA-256 of the document without this member.")

    @model_validator(mode="after")
    def _identified(self, info: ValidationInfo) -> Self:
        check(info, ((kind_of(address), identity) for address, identity in self.ids.items()))
        return self

    def give_up(self) -> None:
        """Let go of the changes and steps, most of a large document, for all that still hold it: what was asked of them
        was answered. Its digest, guards and forecast stay.
        """
        self.changes.clear()
        self.steps.clear()

    @property
    def tripped(self) -> list[GuardView]:
        """Guards that stop the plan."""
        return [guard for guard in self.guards if guard.verdict == "tripped"]

    @property
    def destructive(self) -> bool:
        """Whether it takes something away: objects, or records that hang on them."""
        return any(
            change.action in DESTROYS or any(impact.effect != "hidden" for impact in change.impacts)
            for change in self.changes
        )


def too_early(document: PlanDocument, change: ChangeView) -> str:
    """Return why a change of a saved plan is not carried out though nothing has moved: a plan of an earlier format
    says nothing that what goes could be held to, by guards or when it is counted again.
    """
    version = tuple(int(part) for part in document.format_version.split(".")[:2] if part.isdecimal())
    if version >= COUNTED_SINCE or not (change.action in DESTROYS or change.impacts):
        return ""
    return f"plans of format {document.format_version} do not say how records are counted again before they go"


def digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of a document's canonical JSON, without its `digest` member.

    It is taken of the JSON as it is written, so that documents of other minor versions keep theirs.
    """
    hashed = hashlib.sha256()
    for piece in _canonical({name: value for name, value in content.items() if name != "digest"}):
        hashed.update(piece.encode())
    return hashed.hexdigest()


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode


def _canonical(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the canonical JSON of an object piece by piece, lists and iterators of it item by item: of thousands of
    changes at once it would be larger than they are.
    """
    for place, name in enumerate(sorted(content)):
        yield f"{',' if place else '{'}{_CANONICAL(name)}:"
        value = content[name]
        if not isinstance(value, list | Iterator):
            yield _CANONICAL(value)
            continue
        yield "["
        for number, item in enumerate(value):
            yield f"{',' if number else ''}{_CANONICAL(item)}"
        yield "]"
    yield "}" if content else "{}"


def sealed(document: PlanDocument) -> PlanDocument:
    """Return the document with its digest."""
    content = document.model_dump(mode="json", exclude={"changes", "steps", "digest"})
    content["changes"] = (change.model_dump(mode="json") for change in document.changes)
    content["steps"] = (step.model_dump(mode="json") for step in document.steps)
    return document.model_copy(update={"digest": digest(content)})
