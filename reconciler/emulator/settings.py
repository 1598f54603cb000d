"""How an emulated account behaves where the sources differ, and faults as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from reconciler.model.records import mutable

Action = Literal[
    "fail_before", "fail_after", "drop_before", "drop_after", "slow", "rate_limited", "forbidden", "stale_list",
    "lying_total", "html", "truncated", "short_page", "rows_vanish", "rows_repeat",
]  # fmt: skip
ACTIONS = Action.__args__  # type: ignore[attr-defined]


OWN = frozenset({"token", "account", "admin", "rate_limit", "flaky_reads", "mixed_types"})
"""Switches that no fact of another account turns: what belongs to its key, and what only happens now and then."""
UNIQUE = ("tags", "lists", "dealRoles", "dealTasktypes")
"""Paths whose names can be unique (row 20)."""


@dataclass(frozen=True)
class AccountSettings:
    """Switches of one account. Row numbers are those of section 7."""

    token: str = "emulator-token"
    account: str = "demo"
    rate_limit: float | None = None
    """Requests in any second (None: no limit)."""
    limit_status: Literal[429, 503] = 429
    """What requests beyond the rate limit are answered (row 54); 503 comes without a word on how long to wait."""
    retry_after: bool = True
    """Whether a 429 has Retry-After and RateLimit-* headers (row 30)."""
    bad_token_status: Literal[403, 401] = 403
    """Row 4."""
    flaky_reads: int = 0
    """Every so many-th GET is answered 403 (section 1.2); 0 for never."""
    admin: bool = True
    """Whether the key's user is in the Admin group (section 1.2)."""
    forbidden: tuple[str, ...] = ()
    """What paths begin with that answer 403, such as `lists` or `fields/1/options`: features that the plan lacks, or
    objects that the key may not see (section 1.2)."""
    missing: tuple[str, ...] = ()
    """What paths begin with that do not exist in this account: undocumented or moved endpoints."""
    hidden_pipelines: tuple[str, ...] = ()
    """Pipelines whose stages and deals the key may not see (section 1.2)."""
    created_status: Literal[201, 200] = 201
    """What creates answer (row 1)."""
    not_found: Literal["recorded", "documented"] = "recorded"
    """A missing list, group: 404 as recorded for their likes, or 403 as documented (row 5)."""
    cap_limit: int = 100
    """Most rows of a page, whatever `limit` asks for."""
    field_page: Literal[20, 100] = 20
    """Rows of a page of contact, deal and account fields when no `limit` is sent (row 3)."""
    mixed_types: int = 0
    """A seed that makes reads mix "1", 1 and true, null and "" (section 1.4); 0 for what is recorded."""
    unique: tuple[str, ...] = ()
    """Paths whose names are unique though no source says so (row 20): tags, lists, dealGroups ..."""
    orphan_stages: bool = False
    """Deleting a pipeline leaves its stage rows behind, as recorded in 2020 (section 1.10, row 8)."""
    id_reuse: bool = False
    """Ids restart at the highest living one plus one (section 1.10, row 9); stages excepted, as recorded."""
    palette: Literal["2020-05", "2020-07"] = "2020-07"
    """Colours of the default stages (row 36)."""
    side_load_stages: bool = True
    """Whether GET /dealGroups brings `dealStages` along."""
    list_channels: Literal["email", "all"] = "email"
    """Which lists GET /lists shows without `filters[channel]` (row 51)."""
    list_update: Literal["merge", "refuse", "reset"] = "merge"
    """What PUT /lists makes of required properties that are left out (row 52): kept, 422, emptied."""
    list_put: Literal["empty", "list"] = "empty"
    """What PUT /lists answers: recorded empty, or the list (row 14)."""
    list_contacts: Literal["deleted", "kept"] = "deleted"
    """What becomes of contacts that are only on a deleted list (row 37)."""
    bulk_options: Literal["append", "replace"] = "append"
    """What POST /fieldOption/bulk does with options that exist (row 45)."""
    option_bulk: Literal["both", "singular", "plural"] = "both"
    """Path of the bulk create of options: /fieldOption/bulk, /fieldOptions/bulk (rows 47, 55)."""
    arrays: Literal["lists", "maps"] = "lists"
    """Arrays of answers: as recorded, or as PHP writes arrays with holes, {"0": ..., "2": ...} (row 53)."""
    option_delete: Literal["empty", "object"] = "empty"
    """What DELETE /fieldOptions answers: an empty body (2020), or {} (2021)."""
    field_groups: Literal["both", "definitions", "members"] = "both"
    """Where field groups are listed: GET /groupDefinitions, GET /groupMembers, or at both (row 11)."""
    member_order: Literal["given", "dense"] = "given"
    """What becomes of a group member's `ordernum` (row 56): kept as it was sent, or the place in the group, 1 to n, and
    the others make room."""
    field_memberships: Literal["many", "one"] = "many"
    """In how many field groups a field can be (row 57): a row for each, or one, and who joins another group moves."""
    dead_references: Literal["cleared", "kept"] = "cleared"
    """What becomes of relations to something that is deleted (row 58): they go along, or stay and lead nowhere."""
    contacts_sync: Literal["create", "missing"] = "create"
    """POST /contacts/sync beside /contact/sync (row 59): a plain create, which takes no address twice, or no path."""
    group_flags: Literal["recorded", "documented"] = "recorded"
    """Flags of a new user group: some "1" as recorded, or all "0" (row 34)."""
    username_changes: bool = True
    """Whether PUT /users may change the username (row 27)."""
    tasktype_delete: Literal["refused", "deleted"] = "refused"
    """DELETE /dealTasktypes: 403 (documented now), or 200 (recorded 2021) (row 6)."""
    outcome_path: Literal["both", "taskOutcomes", "taskOutccomes"] = "both"
    """Path of PUT and DELETE of task outcomes (row 13)."""
    outcome_rel_delete: Literal["ok", "conflict"] = "ok"
    """Whether an outcome's relation can be deleted while its task type has tasks (row 50)."""
    default_address_delete: Literal["ok", "refused"] = "ok"
    """Whether the default address can be deleted (section 2.20)."""
    site_domains: Literal["new", "old", "both"] = "new"
    """Which path site domains have: /prism/urlWhitelistings, /siteTrackingDomains (row 28)."""
    repeated_event_tracking: Literal["error", "ok"] = "error"
    """What PUT /eventTracking says to the status that it already has (section 2.28)."""
    schema_flag: Literal["required", "isRequired"] = "required"
    """How reads name the flag of a custom object's field (row 22)."""
    deletion_polls: int = 2
    """For how many requests to custom objects a deleted field stays marked for deletion (section 2.17)."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> AccountSettings:
        """Read settings from JSON; unknown names and values that no switch has are errors (ValueError)."""
        names = {setting.name for setting in fields(cls)}
        wrong = sorted(set(data) - names)
        if wrong:
            raise ValueError(f"unknown settings: {', '.join(wrong)}")
        given: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in data.items()}
        settings = cls(**given)
        for setting in fields(cls):
            choices, value = _choices(setting.type), getattr(settings, setting.name)
            if choices and str(value) not in choices:
                raise ValueError(f"setting `{setting.name}` is one of {', '.join(choices)}, not {value!r}")
        return settings

    def informed(self, facts: Mapping[str, str]) -> AccountSettings:
        """Return the settings of an account that behaves as these facts of another one say, by the names of switches;
        what no switch has a value for stays.
        """
        changed: dict[str, Any] = {}
        for setting in fields(self):
            value, now = facts.get(setting.name, ""), getattr(self, setting.name)
            choices = _choices(setting.type)
            if setting.name in OWN or not value:
                continue
            if isinstance(now, bool):
                changed[setting.name] = value in ("yes", "True")
            elif choices and value in choices:
                changed[setting.name] = type(now)(value)
            elif isinstance(now, int) and value.isdecimal():
                changed[setting.name] = int(value)
        if facts.get("mixed_types") == "yes":
            changed["mixed_types"] = 1
        unique = tuple(name for name in UNIQUE if facts.get(f"unique.{name}") == "yes")
        if unique:
            changed["unique"] = unique
        return replace(self, **changed)

    def data(self) -> dict[str, Any]:
        """The settings as JSON."""
        return asdict(self)


def _choices(annotation: Any) -> list[str]:
    """The values that an annotation such as `Literal["a", "b"]` allows, as texts; [] for others."""
    name = str(annotation)
    if not name.startswith("Literal["):
        return []
    return [part.strip(" \"'") for part in name.removeprefix("Literal[").removesuffix("]").split(",")]


@mutable
class Fault:
    """What goes wrong at the nth request (from 1) whose "METHOD /path?query" matches, `times` times in a row.

    `status` and `body` are for fail_*; `seconds` for slow and as Retry-After of rate_limited (None: no such header);
    `delta` for lying_total (added), short_page (rows that are left out), rows_vanish and rows_repeat (rows that
    another client removed or created before this page was read).
    """

    action: Action
    match: str = ".*"
    nth: int = 1
    times: int = 1
    status: int = 500
    body: Any = field(default_factory=dict)
    seconds: float | None = None
    delta: int = 1
    seen: int = 0

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Fault:
        """Read a fault from JSON. Raises ValueError for unknown names and actions."""
        wrong = sorted(set(data) - {field.name for field in fields(cls)})
        if wrong:
            raise ValueError(f"unknown parts of a fault: {', '.join(wrong)}")
        if data.get("action") not in ACTIONS:
            raise ValueError(f"a fault's action is one of {', '.join(ACTIONS)}")
        return cls(**data)

    def strikes(self) -> bool:
        """Count one matching request and return whether the fault hits it."""
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times
