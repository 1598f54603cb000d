"""A fleet: many accounts that share baselines. What `fleet.yaml` says, and what became of each account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from reconciler.model.documents import Count, Lean
from reconciler.model.empty import no_items, no_members
from reconciler.model.http import is_api_address
from reconciler.model.project import FormatVersion, Guards

FLEET_FILE = "fleet.yaml"
FLEET_FORMAT = "1.1"
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"
"""What names an account, a baseline or a wave: it becomes part of file names and of ids."""
Key = Annotated[
    str,
    Field(
        pattern=NAME,
        description="use letters, digits, `_` and `-`, at most 63, a letter or digit first: names become parts of "
        "file names",
    ),
]
TOKEN = r"^\$\{env\.[A-Za-z_][A-Za-z0-9_]*\}$"
"""A key is only referred to: it is looked up where the job runs."""
EACH_TOKEN = r"^\$\{env\.(?:[A-Za-z_]|\{name\}|\{NAME\})(?:[A-Za-z0-9_]|\{name\}|\{NAME\})*\}$"
"""The same for all accounts: `{name}` and `{NAME}` stand for the name of each."""
PERCENT = re.compile(r"^(100|[1-9]?[0-9])\s*%$")
MAX_ACCOUNTS = 200_000
"""More in one file are a mistake."""


def _reached(url: str) -> str:
    if not url.strip().startswith("emulator:") and not is_api_address(url.strip()):
        raise ValueError("it is not the address of an API: https://HOST, or emulator:PATH")
    if _has_password(url.strip()):
        raise ValueError("an address has no password: the key is `token: ${env.NAME}`")
    return url.strip()


def _has_password(url: str) -> bool:
    """Return whether a URL says a password, other than by a variable of the process."""
    user, at, _ = url.partition("://")[2].partition("?")[0].rpartition("@")
    return bool(at) and bool(re.search(r":(?!\$\{env\.\w+\}$).", user))


def _asked(url: str) -> str:
    if not is_api_address(url.strip()):
        raise ValueError("it is not the origin of an API: https://HOST")
    return url.strip()


def _each_reached(template: str) -> str:
    if "{name}" not in template:
        raise ValueError("each account needs an address of its own: say where `{name}` stands")
    return _reached(template.replace("{name}", "name")) and template.strip()


Url = Annotated[str, AfterValidator(_reached)]
"""Where an account is."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Baseline(_Section):
    """A project whose resources many accounts share."""

    folder: str = Field(
        description="Folder of the project, relative to this file; its reconciler.yaml says what is read."
    )
    version: str = Field("", description="Version that `--behind` and the reports name.")


class FleetAccount(_Section):
    """One account."""

    url: Url = Field(description="API URL, its origin, or emulator:PATH.")
    token: Annotated[str, Field(pattern=TOKEN)] | None = Field(
        None, description="Reference to the key, `${env.NAME}`; it is looked up where the job runs."
    )
    baseline: str | None = Field(None, description="Baseline of this account; default: `defaults.baseline`.")
    variables: dict[str, Any] = Field(default_factory=no_members, description="Values of the baseline's variables.")
    overlays: list[str] = Field(
        default_factory=no_items, description="Files in the baseline's folder, merged over its resources."
    )
    labels: dict[Key, str] = Field(default_factory=no_members, description="What accounts are selected by.")
    wave: str | None = Field(None, description="Wave of a rollout that the account belongs to, whatever waves say.")
    production: bool | None = Field(
        None,
        description="A wave that takes something away from it waits for an approval, by whichever account it is named; "
        "default rate 3/s. Default: `defaults.production`.",
    )


class Defaults(_Section):
    """What holds for every account that says nothing else."""

    token: Annotated[str, Field(pattern=EACH_TOKEN)] | None = Field(
        None,
        description="Reference to the key, `${env.NAME}`; `{name}` and `{NAME}` stand for the account's name, "
        "`-` becomes `_`.",
    )
    baseline: str | None = Field(None, description="Baseline of the accounts that name none.")
    variables: dict[str, Any] = Field(default_factory=no_members, description="Values of the baseline's variables.")
    labels: dict[Key, str] = Field(default_factory=no_members, description="Labels of all.")
    requests_per_second: float | None = Field(
        None, gt=0, le=10000, description="Default 5, the account's own limit; 3 for production accounts."
    )
    production: bool = Field(False, description="Whether accounts that do not say so are production accounts.")
    state: str = Field("file:state/{name}.json", description="Where states are kept; `{name}` is the account's name.")

    @field_validator("state")
    @classmethod
    def _one_each(cls, state: str) -> str:
        if "{name}" not in state:
            raise ValueError("each account needs a state of its own: say where `{name}` stands")
        if _has_password(state):
            raise ValueError("its password would be kept with each job: write the part with it as `${env.NAME}`")
        return state


class Partners(_Section):
    """Accounts of an agency, as the vendor's Partners API lists them."""

    url: Annotated[str, AfterValidator(_asked)] = Field(description="Origin of the Partners API.")
    token: Annotated[str, Field(pattern=TOKEN)] = Field(description="Reference to the key of the Partner Portal.")
    accounts: Annotated[str, AfterValidator(_each_reached)] = Field(
        "https://{name}.api-us1.com", description="API URL of an account; `{name}` is what the Partners API calls it."
    )
    archived: bool = Field(False, description="Take archived accounts too.")
    search: str | None = Field(None, description="Only accounts that the API finds for this text.")


class Accounts(_Section):
    """Where more accounts are listed: one of the three."""

    csv: str | None = Field(
        None,
        description="CSV file with a header: name, url, token, baseline, wave, overlays, production, "
        "label.X, variable.X.",
    )
    jsonl: str | None = Field(None, description="File with one account as a JSON object on each line.")
    partners: Partners | None = Field(None, description="The vendor's Partners API.")

    @model_validator(mode="after")
    def _one(self) -> Accounts:
        if sum(source is not None for source in (self.csv, self.jsonl, self.partners)) != 1:
            raise ValueError("say one of `csv`, `jsonl` and `partners`")
        return self


class Wave(_Section):
    """A part of a rollout, and what has to hold before and after it."""

    name: str = Field(pattern=NAME, description="Name of the wave.")
    accounts: int | str = Field("rest", description="How many: a number, `10 %` of all, or `rest`.")
    labels: dict[str, str] = Field(default_factory=no_members, description="Only accounts with these labels.")
    max_failures: int | str = Field(0, description="Stop where more accounts fail: a number, or percent of the wave.")
    max_records_at_risk: int | None = Field(
        0, ge=0, description="Stop before the wave where its plans put more records than this at risk, or unknown ones."
    )
    approve: bool = Field(False, description="Wait for `fleet approve` with the digest of the wave's plans.")
    pause: float = Field(0, ge=0, le=2_592_000, description="Seconds to wait before the wave.")

    @field_validator("accounts")
    @classmethod
    def _how_many(cls, accounts: int | str) -> int | str:
        if isinstance(accounts, int) and accounts < 0:
            raise ValueError("it must be at least 0")
        if isinstance(accounts, str) and accounts != "rest" and not PERCENT.match(accounts):
            raise ValueError("say a number, a percentage such as `10 %`, or `rest`")
        return accounts

    @field_validator("max_failures")
    @classmethod
    def _how_bad(cls, most: int | str) -> int | str:
        if isinstance(most, int) and most < 0:
            raise ValueError("it must be at least 0")
        if isinstance(most, str) and not PERCENT.match(most):
            raise ValueError("say a number, or a percentage such as `5 %`")
        return most


class FleetFile(_Section):
    """The file `fleet.yaml`."""

    version: FormatVersion = Field(1, description="Format of this file.")
    baselines: dict[Key, Baseline] = Field(description="Projects that accounts share.")
    defaults: Defaults = Field(default_factory=Defaults, description="What holds where an account says nothing else.")
    accounts: dict[Key, FleetAccount] = Field(default_factory=no_members, description="The accounts by name.")
    sources: list[Accounts] = Field(default_factory=no_items, description="Where more accounts are listed.")
    waves: list[Wave] = Field(
        default_factory=lambda: [Wave.model_construct(name="all")], description="Order and gates of a rollout."
    )
    guards: Guards = Field(default_factory=Guards.model_construct, description="Limits of each account's plan.")
    concurrency: int = Field(32, ge=1, le=1000, description="How many accounts one process works on at the same time.")
    stop_after: int | None = Field(None, ge=1, description="Stop a rollout after so many failures in all waves.")


AccountOutcome = Literal["same", "changes", "applied", "partial", "refused", "stale", "locked", "failed"]
"""What became of an account: nothing to do; a plan; all of it or a part of it done; a guard stopped it; the account
moved since the plan; another process holds its lock; anything else.
"""
BAD = frozenset({"partial", "refused", "stale", "locked", "failed"})


class _Part(Lean):
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Job(_Part):
    """What is done to one account: everything that a worker needs besides the files and the keys."""

    account: str
    url: str
    token: str = Field("", description="Name of the environment variable with the key.")
    baseline: str
    digest: str = Field("", description="Digest of baseline, overlays and variables, as the coordinator read them.")
    version: str = ""
    variables: dict[str, Any] = Field(default_factory=no_members)
    hidden: list[str] = Field(
        default_factory=no_items, description="Variables that are secret: a worker takes them from the fleet's files."
    )
    overlays: list[str] = Field(default_factory=no_items)
    labels: dict[str, str] = Field(default_factory=no_members)
    wave: str | None = None
    production: bool | None = Field(None, description="Whether the fleet file calls it a production account.")
    production_by: str = Field("", description="Which account or environment makes it a production account; or none.")
    state: str = Field("", description="Where states are kept, as the fleet file said when the rollout began.")
    guards: Guards | None = Field(None, description="Limits of the plan, as the fleet file said then.")


class JobResult(_Part):
    """What became of one account."""

    account: str
    outcome: AccountOutcome
    message: str = ""
    hint: str = ""
    group: str = Field("", description="Digest of the changes without ids: the same for accounts with the same plan.")
    digest: str = Field("", description="Digest of the plan document.")
    changes: list[str] = Field(default_factory=no_items, description="One line for each change, without ids.")
    add: Count = 0
    change: Count = 0
    destroy: Count = 0
    switch_off: Count = 0
    records_at_risk: Count = 0
    records_moved: Count = 0
    unmanaged: Count = 0
    at_most: bool = Field(False, description="Whether the records at risk are an upper bound.")
    unmeasured: Count = 0
    production: bool = Field(False, description="Whether it is a production account.")
    destructive: bool = Field(
        False, description="Whether its plan takes something away: objects, or records that hang on them."
    )
    requests: Count = 0
    seconds: float = Field(0, ge=0)
    version: str = ""
    document: str = Field("", description="The plan, packed: only the engine keeps it.")

    @property
    def bad(self) -> bool:
        """Whether it counts as a failure."""
        return self.outcome in BAD


@dataclass(frozen=True)
class WaveStanding:
    """How far a wave is: accounts in all, planned (or looked at), with something to apply, applied, being worked on,
    failed.
    """

    name: str
    accounts: int
    planned: int = 0
    todo: int = 0
    applied: int = 0
    running: int = 0
    failed: int = 0

    def over(self, *, apply: bool) -> bool:
        """Whether nothing of it is left, unless a gate stops it."""
        return self.planned >= self.accounts and (not apply or self.applied >= self.todo)

    def left(self, *, apply: bool) -> int:
        """How many plans and applies are still to come, as far as that is known."""
        plans = self.accounts - self.planned
        return plans + (plans + self.todo - self.applied if apply else 0)


@dataclass(frozen=True)
class Standing:
    """How far a rollout is: its waves, and the requests of the accounts that were done."""

    mode: str
    waves: tuple[WaveStanding, ...]
    requests: int = 0

    @property
    def left(self) -> int:
        """How many plans and applies are still to come."""
        return sum(wave.left(apply=self.mode == "apply") for wave in self.waves)

    @property
    def done(self) -> int:
        """How many plans and applies are over."""
        return sum(wave.planned + wave.applied for wave in self.waves)


class WaveReport(_Part):
    """What became of a wave."""

    name: str
    accounts: Count = 0
    begun: Count = Field(0, description="Accounts whose apply has ended, well or not.")
    digest: str = Field("", description="Digest of the wave's plans, which an approval names.")
    state: Literal["waiting", "planning", "gated", "approval", "applying", "done"] = "waiting"
    stopped: str = Field("", description="Why the rollout stopped at this wave.")
    production: list[str] = Field(
        default_factory=no_items, description="Production accounts from which its plans take something away."
    )


class Group(_Part):
    """Accounts with the same changes."""

    digest: str
    accounts: list[str]
    changes: list[str]
    like: str = Field("", description="Digest of the larger group that it is most like; none: empty.")
    differs: list[str] = Field(
        default_factory=no_items, description="Where its changes differ from those: one line each, without ids."
    )


class Drifted(_Part):
    """How much drift there is among the accounts that have something in common."""

    by: Literal["version", "label", "object"]
    name: str = Field(description="The version of the baseline, NAME=VALUE of a label, or an address.")
    accounts: Count = Field(description="Accounts that were looked at and have it; of an object, all that were.")
    drifted: Count = Field(description="Those of them with drift; of an object, those where it drifted.")


class FleetReport(_Part):
    """A rollout, or a look at many accounts."""

    format_version: str = FLEET_FORMAT
    tool_version: str = ""
    name: str
    mode: Literal["plan", "apply", "drift"]
    begun: str = ""
    state: Literal["running", "approval", "stopped", "cancelled", "done"] = "running"
    waves: list[WaveReport] = Field(default_factory=no_items)
    accounts: list[JobResult] = Field(default_factory=no_items, description="What is known of each account, by name.")
    pending: list[str] = Field(default_factory=no_items, description="Accounts that nothing is known of yet.")
    groups: list[Group] = Field(
        default_factory=no_items, description="Accounts with the same changes, the largest first."
    )
    versions: dict[str, Count] = Field(default_factory=no_members, description="Accounts by version of their baseline.")
    drift: list[Drifted] = Field(
        default_factory=no_items,
        description="Drift by version, label and object, the most first; only of a look for it.",
    )
    since: str = Field("", description="The report that this one is compared with.")
    news: list[str] = Field(default_factory=no_items, description="What is different from that report.")

    @property
    def failures(self) -> list[JobResult]:
        """The accounts that failed."""
        return [account for account in self.accounts if account.bad]

    @property
    def exit_code(self) -> int:
        """0 all, 5 some failed, 7 a gate or guard stopped it, 8 locks held, also where that stopped it."""
        locked = bool(self.failures) and all(failure.outcome == "locked" for failure in self.failures)
        if self.state == "stopped" and locked and all(wave.begun for wave in self.waves if wave.stopped):
            return 8  # a wave that had begun stops where accounts fail, and these are what failed
        if self.state in ("stopped", "approval") or any(account.outcome == "refused" for account in self.accounts):
            return 7
        if self.failures:
            return 8 if locked else 5
        return 5 if self.pending else 0
