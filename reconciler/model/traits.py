"""What a kind declares about itself: how it is read, how its objects are told apart, what the API can do with them, and
what users read about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from reconciler.model.archive import ArchiveSpec
from reconciler.model.empty import NOTHING
from reconciler.model.live import Collection


class Parts(NamedTuple):
    """What an attribute lists that goes with the object: `noun` says what, in the plural. Parts of their `own` hold
    something, and approval is asked for those that are not declared; others only link the object to another one.
    """

    noun: str
    own: bool = False


class IdParameters(NamedTuple):
    """Names of parameters, in lower case, by which other things of the account hold an id of a kind."""

    links: tuple[str, ...] = ()
    """Those that stand inside texts as well (`list=7` in a link), beside `<kind>_id`."""
    rows: tuple[str, ...] = ()
    """Those that only rows of the API use."""

    @property
    def every(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.links, *self.rows)


class Reading(NamedTuple):
    """How the account is read, and what its listing proves."""

    collections: tuple[Collection, ...] = ()
    """Listings to read, the one with the objects themselves first."""
    created: str = "cdate"
    """Property of a row with the time of its creation; "" where the API has none."""
    singly: bool = False
    """One listing holds all of it, and GET of a single object tells the same as its row there."""
    filtered: bool = False
    """Whether a listing may leave out, without a word, what the key's user has no permission for (section 1.2): absence
    proves nothing then.
    """
    filled: frozenset[str] = frozenset()
    """Attributes that the account fills where the configuration leaves them out: a value there is not a sign of a
    manual change.
    """
    parts: Mapping[str, str] = NOTHING
    """Properties of a row that an attribute is read from beside the one that it declares, with the attribute."""
    mostly_unmanaged: bool = False
    """Most objects of this kind are made by people and programs beside the configuration: an export takes only those
    that the state knows, and the rest is not expected to be managed.
    """


class Identity(NamedTuple):
    """How an object is told from others, and how others name it."""

    name_attribute: str = "name"
    """Attribute that names an object to a person, and its natural key unless the kind says more."""
    names_repeat: bool = False
    """Several objects may have one name, so none has to let go of it before another takes it."""
    unique: tuple[tuple[str, ...], ...] = ()
    """Attributes of which, together, the account takes no two of one value (section 4 of the API page)."""
    content_names: frozenset[str] = frozenset()
    """Attributes by which contents name an object: a change breaks them."""
    id_parameters: IdParameters = IdParameters()
    """Names of parameters by which other things of the account hold its id."""
    code_names: tuple[str, ...] = ()
    """Attributes by which programs name an object to the API, beside its id."""


class Abilities(NamedTuple):
    """What the API can do with objects of the kind, and what a write takes along."""

    managed: bool = True
    """Whether it can be declared; others can only be referred to."""
    creatable: bool = True
    """Whether the API has a create."""
    updatable: bool = True
    """Whether the API has an update. Where it has none, a change that does not replace the object is made manually."""
    deletable: bool = True
    """Whether the API has a delete. Where it has none, see `Texts.removal_effect`."""
    observed: tuple[str, ...] = ()
    """Operations (create, update, delete) that the reference leaves out and recordings or clients show."""
    carried: tuple[str, ...] = ()
    """Attributes that an update sends from the live object, too: the API may take what is left out for empty, or refuse
    an update without it.
    """
    merges: frozenset[str] = frozenset()
    """Attributes whose write leaves in the account what it holds of them beyond what a declaration can say."""
    writes: tuple[str, ...] = ()
    """Paths that its flows write to beside its own, `ID` for one id: nothing else may be written (the write guard)."""
    parts: Mapping[str, Parts] = NOTHING
    """Attributes whose entries are deleted together with the object."""
    salvage: ArchiveSpec | None = None
    """How customer records that go with an object are archived before a delete, and put back afterwards."""
    delete_needs_approval: bool = False
    """Deletes of this kind need an approval of their own, whatever the counts say."""


class Texts(NamedTuple):
    """What users read about the kind."""

    one: str = ""
    """What people call one on the product's screens; "" where that is the name of the kind."""
    many: str = ""
    """What they call several; "" for `one` with an s."""
    gone: str = ""
    """What people notice when one is deleted, as a sentence."""
    place: int = 1000
    """Where a report speaks of it: kinds with lower numbers come first."""
    delete_warning: str = ""
    """What a delete loses; "" for the object alone."""
    manual_step: str = ""
    """What a person does where the API has no endpoint, in words of the product's screens."""
    page: str = ""
    """Path of the screen for that in the account's web interface, where it is known."""
    screen: str = ""
    """Path of the screen of one object, with `{id}` in place of its id, where a source tells it."""
    removal_effect: str = ""
    """What happens to an object that is removed where the API has no delete, e.g. "it is disabled"."""
