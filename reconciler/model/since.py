"""What `plan --since PLANFILE` finds: what is different in a plan from an earlier one."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.model.empty import no_items

SINCE_FORMAT = "1.0"
"""Version of the format of these documents."""


class Difference(BaseModel):
    """One thing that a plan does and the earlier one did not (+), does not do any more (-), or does otherwise (~)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mark: Literal["+", "-", "~"]
    said: str = Field(description="What is different, as one line.")


class Differences(BaseModel):
    """A plan compared with an earlier one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: str = SINCE_FORMAT
    since: str = Field(description="The file of the earlier plan.")
    environment: str = Field("", description="The environment of both plans.")
    account: str = Field("", description="The account of both plans.")
    same: bool = Field(description="Whether nothing is different of what was compared.")
    differences: list[Difference] = Field(description="What is different; empty where nothing is.")
    not_compared: list[str] = Field(
        default_factory=no_items, description="Address and attribute of what both plans change and neither shows."
    )

    @property
    def verdict(self) -> str:
        """`nothing`, or how many lines are different."""
        count = len(self.differences)
        return "nothing" if self.same else f"{count:,} line{'' if count == 1 else 's'}"
