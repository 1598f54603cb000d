"""The project file `reconciler.yaml`: environments and guards."""

import datetime
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reconciler.model.empty import no_items, no_members
from reconciler.model.patterns import check_pattern

PROJECT_FILE = "reconciler.yaml"
DECLARES = frozenset({"config", "outputs"})
"""Members of a project file that say which resources are declared, and which code is made of them; all others say where
and how they are applied.
"""
ENVIRONMENT_DECLARES = frozenset({"variables", "overlays"})
"""The same of an environment."""
RECIPIENT = r"^(age1[0-9a-z]{58,}|ssh-(ed25519|rsa) [A-Za-z0-9+/=]{60,}( .*)?|.*\$\{.*)$"
"""Form of a key to encrypt for; whether it is one is known when it is used. `${...}` may become anything."""

SPECIFIER = r"^\s*(?:(?:~=|={2,3}|!=|[<>]=?)\s*[^\s,]+\s*(?:,\s*|$))+$"
"""Form of a version specifier, for editors; `config.reading.requiring` decides."""


def _said(written: str) -> str:
    if not written.strip():
        raise ValueError("it is blank: say why")
    return written


Said = Annotated[str, AfterValidator(_said)]
"""What is told to people: not blank."""


def _counted(written: object) -> object:
    if type(written) is bool or type(written) is float:  # which Python takes for the whole number that they equal
        raise PydanticCustomError("literal_error", "must be 1", {"expected": "1"})
    return written


FormatVersion = Annotated[Literal[1], BeforeValidator(_counted)]
"""The format of a file: the whole number, and no other type of value that equals it."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Guards(_Section):
    """Limits that stop a plan (exit code 7); each has its own override on the command line."""

    max_deletes: int | None = Field(50, ge=0, description="Refuse a plan that destroys more objects than this.")
    max_delete_percent: int = Field(
        30, ge=0, le=100, description="Most percent of a kind of 10 objects or more to destroy."
    )
    max_records_lost: int = Field(
        0, ge=0, description="Refuse a plan that puts more customer records than this at risk."
    )
    records_moved: int = Field(
        0, ge=0, description="Refuse a plan that moves or reinterprets more customer records than this."
    )
    unmanaged_lost: int = Field(
        0, ge=0, description="Refuse a plan with which more unmanaged objects go along than this."
    )
    allow_list_deletes: bool = Field(
        False, description="Lists may be deleted; contacts that are only on them go with them."
    )
    max_use_requests: int = Field(
        25, ge=0, description="Requests that looking for uses of what is deleted may take; 0 turns it off."
    )
    max_requests: int | None = Field(None, ge=1, description="Refuse a plan that takes more requests than this.")
    allow: list[str] = Field(
        default_factory=no_items,
        description="What is overridden, as `--allow` takes it, e.g. `prevent_destroy=stage.sales.won`.",
    )


class Encryption(_Section):
    """Who may read states, journals, saved plans and run records; they are written as age files."""

    recipients: list[Annotated[str, Field(pattern=RECIPIENT)]] = Field(
        min_length=1,
        description="Public keys (age1..., ssh-ed25519 ...), any of which reads; `age-keygen -y` prints one.",
    )


SECRET_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
"""Form of the name of a secret."""


class Secrets(_Section):
    """Where `${secret.X}` comes from that is not an environment variable: the program of a vault, or a file."""

    command: list[Annotated[str, Field(min_length=1)]] | None = Field(
        None,
        min_length=1,
        description="Program and arguments, run without a shell. `{name}` stands for the name of the secret that it "
        "prints; without it, it prints all of them, as a JSON map or as lines NAME=value.",
    )
    file: str | None = Field(None, min_length=1, description="File with all of them, in one of these two forms.")
    seconds: int = Field(30, ge=1, le=120, description="What one run of the program may take.")

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if (self.command is None) == (self.file is None):
            raise ValueError("say either `command` or `file`")
        if self.command is not None and "{name}" in self.command[0]:
            raise ValueError("the program itself cannot be `{name}`")
        return self


class Environment(_Section):
    """One account: where it is, how to sign in, where its state is kept."""

    url: str = Field(
        description="API URL from Settings > Developer, or its origin, or emulator:PATH for the built-in emulator."
    )
    token: str = Field("", description="API key, normally ${env.NAME}; never written to any file.")
    account: str | None = Field(None, description="Refuse to run when the account answers another name.")
    state: str | None = Field(None, description="Where the state is kept; default file:state/<environment>.json.")
    variables: dict[str, Any] = Field(
        default_factory=no_members, description="Values of declared variables in this environment."
    )
    overlays: list[str] = Field(default_factory=no_items, description="Files merged over the resources (RFC 7396).")
    requests_per_second: float | None = Field(
        None, gt=0, le=10000, description="Default 5, the account's own limit; no limit for emulator:."
    )
    facts: str | None = Field(
        None, description="Environment whose probed facts hold here too, where this account was not probed itself."
    )
    production: bool = Field(
        False,
        description="Ask for the account's name before destructive applies, by whichever environment it is named; "
        "default rate 3/s.",
    )
    guards: Guards = Field(default_factory=Guards.model_construct)
    history: int = Field(20, ge=0, le=10000, description="How many earlier versions of the state are kept.")
    encryption: Encryption | None = Field(None, description="Recipients of this environment instead of the project's.")
    secrets: Secrets | None = Field(None, description="Where its secrets come from instead of the project's.")
    notify: str = Field(
        "",
        description="URL that is told of drift, applies and refusals, normally ${env.NAME}; it is a secret.",
    )


RuleSubject = Literal["declaration", "account", "change"]
"""What a rule judges: what the files declare, what the account holds, what a plan changes."""
SUBJECTS: tuple[RuleSubject, ...] = ("declaration", "account", "change")


class Deny(_Section):
    """Which objects or changes a rule is against; everything that is said has to hold. Nothing said: every one."""

    kind: str = Field("*", description="Kind of the object, with * and ?.")
    address: str = Field("*", description="Address, with * and ?.")
    action: Literal["create", "adopt", "update", "replace", "delete", "forget", "move", "any"] = Field(
        "any", description="What happens to it. A replace is a delete too."
    )
    weekdays: list[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]] = Field(
        default_factory=no_items, description="Only on these days (UTC)."
    )
    records_above: int | None = Field(
        None, ge=0, description="Only where more records than this are at risk, or unknown."
    )
    attribute: str | None = Field(
        None, description="Attribute that the members below look at; kinds without it are passed over."
    )
    empty: bool | None = Field(None, description="True: a value is missing. False: there is one.")
    above: float | None = Field(
        None, description="A number above this; of a text its characters, of a list or map its entries."
    )
    matches: str | None = Field(None, description="Regular expression (RE2) that a value must not match.")
    unless_matches: str | None = Field(None, description="Regular expression (RE2) that every value has to match.")
    unless_hosts: list[str] = Field(
        default_factory=no_items, description="Hosts that URLs may point to, with * and ?; every other is denied."
    )
    unused: bool = Field(
        False, description="Nothing in the account refers to it and no contact carries it; for `on: [account]`."
    )

    @field_validator("matches", "unless_matches")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            check_pattern(pattern)
        return pattern

    @model_validator(mode="after")
    def _says_which_attribute(self) -> Self:
        looks = self.matches is not None or self.unless_matches is not None or self.above is not None
        looks = bool(looks or self.unless_hosts) or self.empty is not None
        if self.attribute is None and looks:
            raise ValueError("say with `attribute` which values are meant")
        if self.attribute is not None and not looks:
            raise ValueError(
                f"say what is wrong with `{self.attribute}`: `empty`, `above`, `matches`, `unless_matches`"
            )
        return self

    @property
    def of_changes(self) -> list[str]:
        """The members that only a change has an answer to."""
        conditions = {"action": self.action != "any", "weekdays": self.weekdays, "records_above": self.records_above}
        return [name for name, value in conditions.items() if value not in (False, None, [])]


class Policy(_Section):
    """A rule of the team that a plan has to keep."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="Short name of the rule.")
    message: Said = Field(min_length=1, description="What to tell a user who breaks it.")
    severity: Literal["error", "warning"] = Field("error", description="An error stops the plan (exit code 7).")
    deny: Deny | None = Field(None, description="Changes that break the rule.")
    when: str | None = Field(
        None,
        description="CEL expression over `plan`, `weekday`, `now` (and `change`, beside `deny`): true breaks the rule.",
    )
    environments: list[str] = Field(default_factory=no_items, description="Where the rule holds; default: everywhere.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.deny is None and self.when is None:
            raise ValueError("a policy needs `deny`, `when`, or both")
        if self.deny is not None and self.deny.unused:
            raise ValueError("only the account knows what is `unused`: write a rule with `on: [account]`")
        return self


class Rule(_Section):
    """A rule of the team about objects: as the files declare them, as the account holds them, as a plan leaves them."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="Short name of the rule; reports and waivers say it.")
    message: Said = Field(min_length=1, description="What to tell a user who breaks it.")
    severity: Literal["error", "warning"] = Field("error", description="An error ends the command with exit code 7.")
    on: RuleSubject | Annotated[list[RuleSubject], Field(min_length=1)] = Field(
        default_factory=lambda: list(SUBJECTS),
        description="What it judges: `declaration` (validate), `account` (coverage, drift), `change` (plan, apply).",
    )
    deny: Deny | None = Field(None, description="Objects that break the rule.")
    when: str | None = Field(
        None,
        description="CEL expression over `object`, `weekday` and `now`, with `on: [change]` also `change` and `plan`: "
        "true breaks the rule.",
    )
    environments: list[str] = Field(default_factory=no_items, description="Where the rule holds; default: everywhere.")

    @model_validator(mode="after")
    def _judges_what_it_can(self) -> Self:
        if self.deny is None and self.when is None:
            raise ValueError("a rule needs `deny`, `when`, or both")
        conditions = self.of_changes
        if conditions and self.subjects != {"change"}:
            raise ValueError(f"only a change has {', '.join(f'`{name}`' for name in conditions)}: say `on: [change]`")
        if self.deny is not None and self.deny.unused and self.subjects != {"account"}:
            raise ValueError("only the account knows what is `unused`: say `on: [account]`")
        return self

    @property
    def of_changes(self) -> list[str]:
        """The words in it that only a change has an answer to; without any, it is about objects."""
        conditions = self.deny.of_changes if self.deny is not None else []
        plain = unquoted(self.when or "")
        return [*conditions, *(name for name in ("plan", "change") if re.search(rf"\b{name}\b", plain))]

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that it cannot be judged without."""
        plain = unquoted(self.when or "", members=True)
        mentioned = set(re.findall(r"\bobject\s*\.\s*attributes\s*\.\s*(\w+)", plain))
        asked = set(re.findall(r"\bhas\(\s*object\s*\.\s*attributes\s*\.\s*(\w+)", plain))
        named = {self.deny.attribute} if self.deny is not None and self.deny.attribute is not None else set()
        return frozenset(named | (mentioned - asked))

    @property
    def subjects(self) -> frozenset[RuleSubject]:
        """What it judges."""
        return frozenset((self.on,) if isinstance(self.on, str) else self.on)


def unquoted(expression: str, *, members: bool = False) -> str:
    """Return an expression without its texts; without `members` also without what stands behind a dot."""
    plain = re.sub(r"'[^']*'|\"[^\"]*\"", "''", expression)
    return plain if members else re.sub(r"\.\s*\w+", "", plain)


class Waiver(_Section):
    """What may break a rule for a while, and why. After its day the rule holds again."""

    rule: str = Field(description="Id of the rule, or name of the policy.")
    address: str = Field("*", description="Address of what is waived, with * and ?.")
    reason: Said = Field(min_length=1, description="Why; it is shown with the verdict.")
    expires: str = Field(description="Last day on which it holds, as 2027-01-31.")

    @field_validator("expires")
    @classmethod
    def _is_a_day(cls, written: str) -> str:
        try:
            datetime.date.fromisoformat(written)
        except ValueError as error:
            raise ValueError(f"`{written}` is not a date: write it as 2027-01-31") from error
        return written


class Ignore(_Section):
    """Live objects that are deliberately left unmanaged."""

    kind: str
    key: str = Field("*", description="Pattern of names, with * and ?.")
    reason: Said = Field(min_length=1)
    expires: str | None = Field(None, description="ISO date after which this rule is an error.")


class Include(_Section):
    """A folder of resource files that several projects share."""

    source: str = Field(description="The folder, relative to the file that includes it.")
    variables: dict[str, Any] = Field(
        default_factory=no_members, description="Values of the variables that it declares."
    )
    prefix: str = Field(
        "", pattern=r"^[A-Za-z0-9_-]*$", description="Put before the keys of everything that is included."
    )


class IdsOutput(_Section):
    """A file with the ids of accounts as code, which `reconciler ids` writes."""

    lang: Literal["python", "typescript", "go", "php", "json", "dotenv"] = Field(description="Language of the file.")
    file: str = Field(min_length=1, description="The file, relative to this one and below its folder.")
    environments: Literal["all"] | list[str] = Field(
        "all", description="Environments whose ids are in it, or `all` of them."
    )
    kinds: list[str] = Field(default_factory=no_items, description="Kinds whose ids are in it; default: all.")
    partial: bool = Field(
        False, description="What an environment does not have yet is left empty there, and code has to expect it."
    )
    offline: bool = Field(False, description="Ask no account: without ids of options, and names it gave by itself.")
    after_apply: bool = Field(False, description="Write it after every command that changes one of its accounts.")

    @field_validator("file")
    @classmethod
    def _below(cls, file: str) -> str:
        parts = file.replace("\\", "/").split("/")
        if file.startswith(("/", "~")) or ":" in parts[0] or ".." in parts or parts[-1] in ("", "."):
            raise ValueError("name a file below the folder of the project file")
        return file


class Project(_Section):
    """A whole project file."""

    version: FormatVersion = Field(description="Format of this file.")
    required_version: str | None = Field(
        None,
        pattern=SPECIFIER,
        description="Versions of this program that may use the project, e.g. `>=0.2,<0.3` (PEP 440). Another one is "
        "refused with exit code 3.",
    )
    environments: dict[str, Environment] = Field(min_length=1)
    default_environment: str | None = None
    config: list[str] = Field(
        default_factory=lambda: ["config"], description="Folders or files with resources, relative to this file."
    )
    include: list[Include] = Field(default_factory=no_items, description="Folders of resources shared with others.")
    env: list[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]] = Field(
        default_factory=no_items,
        description="Environment variables that resources may use as ${env.X}; what they hold is not secret.",
    )
    ignore: list[Ignore] = Field(default_factory=no_items)
    policies: list[Policy] = Field(default_factory=no_items, description="Rules that every plan has to keep.")
    rules: list[Rule] = Field(
        default_factory=no_items, description="Rules about what is declared, what the account holds, and what changes."
    )
    waivers: list[Waiver] = Field(
        default_factory=no_items, description="Who may break which rule, until when, and why."
    )
    encryption: Encryption | None = Field(None, description="Encrypt what is written to disk or to a state backend.")
    secrets: Secrets | None = Field(
        None, description="Where secrets come from that are not set as environment variables."
    )
    outputs: list[IdsOutput] = Field(
        default_factory=no_items, description="Files with the ids of the accounts as code, see `reconciler ids`."
    )
