"""Tests of a configuration: what is given, what is run, what is expected. They run in the built-in emulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model.empty import no_items, no_members

NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
NOW = "2026-01-05T09:00:00+00:00"
"""A Monday morning: the time of a test that says none."""
Acted = Literal["create", "adopt", "update", "replace", "delete", "forget", "move", "manual", "refresh"]
Many = Annotated[int, Field(ge=0)] | Literal["unknown"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Records(_Section):
    """Customer records of one object."""

    contacts: int = Field(0, ge=0, le=10000, description="Contacts with the tag, or on the list.")
    deals: int = Field(0, ge=0, le=10000, description="Deals in the stage.")
    worth: int = Field(0, ge=0, description="Value of each deal, in cents.")
    values: int | dict[str, int] = Field(0, description="Records with a value in the field; or how many of each value.")
    records: int = Field(0, ge=0, le=10000, description="Records of the custom object.")
    tasks: int = Field(0, ge=0, le=10000, description="Tasks of the type, or with the outcome.")


class Given(_Section):
    """The account and the configuration before the command runs."""

    seed: str | dict[str, Any] = Field(
        default_factory=no_members,
        description="Rows of the account, as `emulator seed` takes them; or a file.",
    )
    applied: bool = Field(False, description="The configuration as it stands in the files has been applied.")
    records: dict[str, Records] = Field(default_factory=no_members, description="Customer records, by address.")
    drift: dict[str, dict[str, Any] | None] = Field(
        default_factory=no_members, description="What was changed in the account since, by address; null: deleted."
    )
    overlay: dict[str, Any] = Field(
        default_factory=no_members,
        description="Changes of the resources (RFC 7396) that are tested, over the files.",
    )
    files: dict[str, dict[str, Any] | None] = Field(
        default_factory=no_members,
        description="Resource files in place of the project's, or beside them; null: without it.",
    )
    variables: dict[str, Any] = Field(
        default_factory=no_members, description="Values of variables, over the environment's."
    )
    env: dict[str, str] = Field(default_factory=no_members, description="Environment variables; others there are none.")
    now: str = Field(NOW, description="The time (ISO 8601), for rules about days.")


class Run(_Section):
    """The command, with its options."""

    command: Literal["plan", "apply", "destroy", "drift"] = Field("plan", description="What is run.")
    target: list[str] = Field(default_factory=no_items, description="As --target.")
    exclude: list[str] = Field(default_factory=no_items, description="As --exclude.")
    kinds: list[str] = Field(default_factory=no_items, description="As --kinds.")
    allow: list[str] = Field(default_factory=no_items, description="As --allow.")
    no_delete: bool = Field(False, description="As --no-delete.")


class Changed(_Section):
    """What happens to one object; `values` are those of its attributes afterwards, as far as they are listed."""

    action: Acted = Field(description="What is done.")
    values: dict[str, Any] = Field(default_factory=no_members, description="Attributes after the change.")


class Requests(_Section):
    """How many requests are sent."""

    plan: int | None = Field(None, ge=0, description="By the plan.")
    apply: int | None = Field(None, ge=0, description="By the apply: its forecast, where none is run.")


class Expect(_Section):
    """What has to come of it. Only what is written is compared, and that exactly."""

    exit_code: int | None = Field(None, description="As of `plan --detailed-exitcode`: 2 where there are changes.")
    changes: dict[str, Acted | Changed] | None = Field(
        None, description="Every change, by address: its action, or action and values."
    )
    lost: dict[str, Many] | None = Field(None, description="Records at risk, by address; nothing else loses any.")
    moved: dict[str, Many] | None = Field(None, description="Records that are moved, by address.")
    guards: list[str] | None = Field(None, description="Guards that stop the plan.")
    policies: list[str] | None = Field(
        None, description="Policies and rules that it breaks, also those that only warn."
    )
    order: list[str] | None = Field(None, description="Addresses, in the order of their first steps.")
    requests: Requests | None = Field(None, description="Requests that it takes.")
    skipped: list[str] | None = Field(None, description="Addresses that cannot be planned.")
    problems: list[str] | None = Field(None, description="Codes of what is wrong with the configuration.")
    settled: bool | None = Field(None, description="Whether a plan after the apply has nothing to do.")


class Scenario(_Section):
    """One test."""

    description: str = Field("", description="What the test is about.")
    environment: str | None = Field(None, description="Environment of the project file; default: its default one.")
    given: Given = Field(default_factory=Given.model_construct, description="Account and configuration at first.")
    run: Run = Field(default_factory=Run.model_construct, description="The command.")
    expect: Expect = Field(default_factory=Expect.model_construct, description="What has to come of it.")


class ScenarioFile(_Section):
    """A file of tests."""

    tests: dict[Annotated[str, Field(pattern=NAME)], Scenario] = Field(min_length=1, description="Tests by name.")


@dataclass(frozen=True)
class Verdict:
    """What came of one test: the members of `expect` in which it failed, and the lines in which expected and found
    differ; `error` where it could not be run. `wanted` is what it would have to expect so that it passes.
    """

    file: str
    name: str
    differing: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    error: str = ""
    wanted: Mapping[str, Any] = field(default_factory=dict)
    line: int = 1
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.differing and not self.error

    @property
    def title(self) -> str:
        """What to call it."""
        return f"{self.file}::{self.name}"
