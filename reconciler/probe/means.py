"""What a lab works with: its line to the account, its journal, its budget, what it may write to and what it made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.model.http import Request, Response, at
from reconciler.model.records import mutable
from reconciler.probe.forms import FORMS, ProbeForm
from reconciler.probe.unsettled import Unsettled

BULK = "/fieldOption/bulk", "/fieldOptions/bulk"
CONTACTS = ("contact", "field_value", "contact_tag")
"""Forms that are made only where contacts were asked for."""


class Exhausted(Unsettled):
    """The budget of the probe is used up."""


class ForbiddenWrite(AssertionError):
    """A write that an experiment must never make: a bug."""


class Lost(Exception):
    """A create got no answer: it is unknown whether it was carried out."""


class Requester(Protocol):
    """How requests reach the account: one try each, paced, whatever is answered. Raises Unreachable."""

    @property
    def requests(self) -> int:
        """How many went over the wire."""
        ...

    async def raw(self, request: Request, *, token: str | None = None, paced: bool = True) -> Response:
        """Send once, with another token if one is given."""
        ...


class DurableRecord(Protocol):
    """What survives a kill."""

    def append(self, record: Mapping[str, Any]) -> None:
        """Make a record durable before it returns."""
        ...


@mutable
class ProbeBudget:
    """A budget: requests and seconds at most, and when it began."""

    requests: int
    seconds: float
    clock: Callable[[], float]
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return self.clock() - self.began


@dataclass
class Made:
    """Something that was made, or may have been: its id is "" while it is unknown. `attrs` say how to find it."""

    number: int
    form: ProbeForm
    attrs: Mapping[str, Any]
    id: str = ""
    reply: Response = field(default_factory=lambda: Response(0))

    @property
    def path(self) -> str:
        """Where it is."""
        return at(self.form.path, self.id)

    @property
    def row(self) -> dict[str, Any]:
        """What the answer to the create said of it."""
        return self.reply.row(self.form.wrapper)


def writable(*, contacts: bool) -> tuple[str, ...]:
    """Return the paths that a probe may write to, `ID` for one id: those of its forms, and nothing that reaches people
    unless they were asked for.
    """
    forms = [form for name, form in FORMS.items() if contacts or name not in CONTACTS]
    written = [path for form in forms for base in (form.path, *form.deletes) for path in (base, f"{base}/ID")]
    return (*written, *BULK, "/customObjects/schemas/ID/fields/ID")
