"""A live object with the resource that declares it: what an export finds, and what derives from one works on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from reconciler.model.desired import Resource
from reconciler.model.live import Live
from reconciler.model.records import record


@record
class Exported:
    """A live object with the resource that declares it. `dropped` are attributes that the account fills with what no
    declaration takes, with the reason; `problem` is why the object could not be declared as it is now.
    """

    resource: Resource
    live: Live
    dropped: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    gone: tuple[str, ...] = ()
    """One line for each reference to an object that the account does not show: it is declared by its id."""
    partly: Mapping[str, str] = field(default_factory=dict)
    """Attributes of which the account holds more than is declared, with what that is."""
