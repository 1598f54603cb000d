"""How an emulated account behaves where the sources differ, and faults as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Action = Literal[
    "fail_before", "fail_after", "drop_before", "drop_after", "slow", "rate_limited", "forbidden", "stale_list",
    "lying_total", "html", "truncated",
]  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Switches of one account. `rate_limit` is requests per second (None: no limit)."""

    token: str = "emulator-token"
    account: str = "demo"
    rate_limit: float | None = None
    retry_after: bool = True
    orphan_stages: bool = False
    """Deleting a pipeline leaves its stage rows behind, as recorded in 2020 (section 1.10)."""
    id_reuse: bool = False
    """Ids restart at the highest living one plus one (section 1.10)."""
    list_put: Literal["empty", "list"] = "empty"
    """What PUT /lists answers: recorded empty, or the list (row 14 of section 7)."""
    bulk_options: Literal["append", "replace"] = "append"
    """What POST /fieldOption/bulk does with options that exist (row 45 of section 7)."""
    cap_limit: int = 100
    """Most rows of a page, whatever `limit` asks for (row 3 of section 7)."""
    side_load_stages: bool = True
    mixed_types: int = 0
    """A seed that makes reads mix "1", 1 and true (section 1.4); 0 for strings throughout."""
    forbidden: tuple[str, ...] = ()
    """First path segments that answer 403: features that the plan lacks (section 1.2)."""
    hidden_pipelines: tuple[str, ...] = ()
    """Pipelines whose stages the key may not see (section 1.2)."""
    missing: tuple[str, ...] = ()
    """First path segments that do not exist in this account: undocumented endpoints that went away."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Settings:
        """Read settings from JSON; unknown names are errors."""
        names = {one.name for one in fields(cls)}
        wrong = sorted(set(data) - names)
        if wrong:
            raise ValueError(f"unknown settings: {', '.join(wrong)}")
        given: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in data.items()}
        return cls(**given)

    def data(self) -> dict[str, Any]:
        """The settings as JSON."""
        return asdict(self)


@dataclass
class Fault:
    """What goes wrong at the nth request (from 1) whose "METHOD /path" matches, `times` times in a row.

    `status` and `body` are for fail_*; `seconds` for slow and as Retry-After of rate_limited (None: no such header);
    `delta` for lying_total.
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

    def strikes(self) -> bool:
        """Count one matching request and tell whether the fault hits it."""
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times
