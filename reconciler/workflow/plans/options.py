"""What a plan is about: everything, some addresses, or the end of everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from reconciler.model.records import record
from reconciler.planning.select import Selected, Selection

if TYPE_CHECKING:
    from reconciler.deriving.undo import Inverse


@record
class PlanOptions:
    """What a plan is about: everything, some addresses, or the end of everything."""

    target: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    destroy: bool = False
    impact: bool = True
    allow: tuple[str, ...] = ()
    max_requests: int | None = None
    refresh_only: bool = False
    uses: bool = True
    boards: bool = False
    """Whether the deals on each board that changes are counted, for a view that shows it."""
    selected: Selected = field(default_factory=Selected)
    inverse: Inverse | None = None
    """What an undo asks for, instead of what is declared."""
    within: frozenset[str] | None = None
    """Nothing outside these addresses is looked at (None: everything)."""
    named: frozenset[str] | None = None
    """Exact addresses to plan, with what they need, in place of targets."""
    checked: bool = False
    """A part of a plan whose selection was checked as a whole."""
    kinds: frozenset[str] | None = None
    no_delete: bool = False
    only_adopt: bool = False
    replace: tuple[str, ...] = ()
    """Addresses of objects to delete and make again, whether they differ or not."""
    clone: Mapping[str, Any] | None = None
    """Of a clone: from which environment, and how."""

    @property
    def selection(self) -> Selection:
        """What of the plan is asked for."""
        within = self.within
        if self.inverse is not None:
            within = self.inverse.addresses if within is None else within & self.inverse.addresses
        return Selection(self.target, self.exclude, self.kinds, self.named, within, self.no_delete, self.only_adopt)

    def recorded(self) -> dict[str, Any]:
        """What the plan document keeps of them."""
        given = {
            "target": list(self.target),
            "exclude": list(self.exclude),
            "destroy": self.destroy,
            "impact": self.impact,
            "allow": list(self.allow),
            "max_requests": self.max_requests,
            "refresh_only": self.refresh_only,
            "no_uses": not self.uses,
            "undo": self.inverse.run if self.inverse is not None else None,
            "kinds": sorted(self.kinds or ()),
            "no_delete": self.no_delete,
            "only_adopt": self.only_adopt,
            "replace": list(self.replace),
            "brought": list(self.selected.brought),
            "along": list(self.selected.along),
            "dropped": list(self.selected.dropped),
            "kept": list(self.selected.kept),
            "clone": dict(self.clone) if self.clone else None,
        }
        return {name: value for name, value in given.items() if value not in ([], False, None) or name == "impact"}
