"""Who is in which field group once the files of a promotion are applied, and what differs from the source then.
One fact stands in three places (the list of a group, the short form of a member, the account), so no place by itself
tells what stays. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from reconciler.model import values
from reconciler.model.desired import Resource
from reconciler.model.kind import Kind, Kinds
from reconciler.model.live import Live
from reconciler.model.records import record
from reconciler.model.spec import Ensure
from reconciler.model.state import Binding
from reconciler.model.values import Ref, RemoteId, Value
from reconciler.planning.rosters import members_of, roster_of

TextOf = Callable[[Value], Value]
"""Turns a reference into a text that means the same in both accounts (see `names_of`)."""


@record
class AccountSide:
    """One account: its name, its objects by address, and what its references mean."""

    name: str
    lives: Mapping[str, Live]
    text: TextOf


@record
class Files:
    """What the files of the target will say (`after`), and what was applied to its account."""

    after: Mapping[str, Resource]
    applied: Mapping[str, Binding]


@record
class Left:
    """One difference that stays: the two attributes that could say it, and the words for it."""

    holder: str
    member: str
    sentence: str
    places: tuple[tuple[str, str], ...] = ()


def memberships(kinds: Kinds) -> frozenset[tuple[str, str]]:
    """Return (kind, attribute) of all that says who is in what: rosters, and short forms of their members."""
    pairs = {(name, roster[0]) for name, kind in kinds.items() if (roster := roster_of(kind)) is not None}
    shorts = {(name, roster[1]) for kind in kinds.values() if (roster := roster_of(kind)) for name in members_of(kind)}
    return frozenset(pairs | shorts)


def groups_of(live: Live, kind: Kind, short: str) -> list[Value]:
    """Return all objects whose rosters a member is in, the first one first."""
    rest, groups = live, list[Value]()
    while rest.attrs.get(short) is not None and rest.attrs[short] not in groups:
        groups.append(rest.attrs[short])
        rest = kind.without(rest, set(groups))
    return groups


def left_members(
    kinds: Kinds, source: AccountSide, target: AccountSide, files: Files, gone: Iterable[str]
) -> Iterator[Left]:
    """Yield the memberships that differ once the files are applied; `gone` are members whose declarations go."""
    for holding, (roster, short) in ((k, r) for k in kinds.values() if (r := roster_of(k)) is not None):
        sides = _Comparing(kinds, source, target, files, frozenset(gone), holding, roster, short)
        yield from sides.differences()


@record
class _Comparing:
    kinds: Kinds
    source: AccountSide
    target: AccountSide
    files: Files
    gone: frozenset[str]
    holding: Kind
    roster: str
    short: str

    def differences(self) -> Iterator[Left]:
        both = self._holders()
        final: dict[str, list[str]] = {}
        for member, mine, theirs in self._members():
            later = self._later(member, theirs)
            for group in later:
                final.setdefault(group, []).append(member)
            now = self._now(self.source, mine) if mine is not None else []
            known = both | set(later) if mine is not None else both
            yield from (self._too(member, group) for group in later if group in known and group not in now)
            known = both | set(now) if theirs is not None else both
            yield from (self._missing(member, group) for group in now if group in known and group not in later)
        for group in sorted(both):
            yield from self._nameless(group)
            yield from self._order(group, final.get(group, []))

    def _members(self) -> Iterator[tuple[str, Live | None, Live | None]]:
        """Yield the members to compare, as the source and the target have them. What one does not show is named
        elsewhere.
        """
        names = members_of(self.holding)
        there, here = (_of_kinds(side.lives, names) for side in (self.target, self.source))
        for member in sorted({*here, *there} - self.gone):
            mine, theirs = here.get(member), there.get(member)
            shown = all(live is None or self.short in live.attrs for live in (mine, theirs))
            if shown and (theirs is not None or member in self.files.after):
                yield member, mine, theirs

    def _holders(self) -> set[str]:
        """Return the objects that both have, and whose members both show."""
        return {
            address
            for address, live in self.source.lives.items()
            if live.kind == self.holding.name
            and self.roster in live.attrs
            and address in self.target.lives
            and self.roster in self.target.lives[address].attrs
        }

    def _now(self, account: AccountSide, live: Live) -> list[str]:
        return [str(account.text(value)) for value in groups_of(live, self.kinds[live.kind], self.short)]

    def _listed(self, holder: str) -> list[str] | None:
        """Return the members that the files list, None where they list none."""
        resource = self.files.after.get(holder)
        if resource is None or self.roster not in resource.attrs:
            return None
        return [
            reference.address
            for reference in values.references(resource.attrs[self.roster])
            if isinstance(reference, Ref)
        ]

    def _later(self, member: str, live: Live | None) -> list[str]:
        """Return the groups of a member once the files are applied: lists let go of what was applied and is not listed
        any more, the short form moves the first membership, or ends them all.
        """
        listing = [holder for holder in self._all_listing() if member in (self._listed(holder) or ())]
        groups = self._kept(member, live, listing) if live is not None else []
        resource = self.files.after.get(member)
        if resource is None or self.short not in resource.attrs:
            groups += [group for group in listing if group not in groups]
            return groups or ([] if resource is None else self._floor(member))
        if not listing:
            groups = self._said(groups, resource.attrs[self.short])
        return groups + [group for group in listing if group not in groups]

    def _kept(self, member: str, live: Live, listing: Collection[str]) -> list[str]:
        """Return the groups that a member is in and that do not let go of it."""
        now = self._now(self.target, live)
        return [group for group in now if group in listing or not self._lets_go(group, member)]

    def _said(self, groups: list[str], value: Value) -> list[str]:
        """Return the groups of a member whose short form has this value: it moves the first membership, or ends all."""
        wanted = str(self.target.text(value)) if value is not None else ""
        if not wanted or wanted in groups:
            return groups if wanted else []
        return [wanted, *groups[1:]]

    def _floor(self, member: str) -> list[str]:
        """Return the group of a member that must be in one, where nothing says another."""
        floor = self.kinds[member.partition(".")[0]].attributes[self.short].mark(Ensure)
        return [str(self.target.text(floor.value))] if floor is not None else []

    def _all_listing(self) -> list[str]:
        return [resource.address for resource in self.files.after.values() if resource.kind == self.holding.name]

    def _lets_go(self, holder: str, member: str) -> bool:
        binding = self.files.applied.get(holder)
        if binding is None or self._listed(holder) is None:
            return False
        applied = values.references(values.decode(binding.applied.get(self.roster)))
        return any(isinstance(reference, Ref) and reference.address == member for reference in applied)

    def _too(self, member: str, group: str) -> Left:
        resource = self.files.after.get(member)
        says = resource is not None and resource.attrs.get(self.short) is not None
        if member in (self._listed(group) or ()) or (
            says and resource is not None and str(self.target.text(resource.attrs[self.short])) == group
        ):
            return self._left(member, group, "is there in {target}, as its files say, and not in {source}")
        return self._left(
            member, group, "is there in {target} too, which nothing declares: take it out manually, if it is not meant"
        )

    def _missing(self, member: str, group: str) -> Left:
        return self._left(member, group, "is there in {source} and will not be in {target}")

    def _left(self, member: str, group: str, text: str) -> Left:
        words = text.format(source=self.source.name, target=self.target.name)
        if group in self.source.lives or group in self.target.lives:
            line = f"{group}: `{self.roster}`: {member} {words}"
        else:
            line = f"{member}: `{self.short}` {group}: it {words}"
        return Left(group, member, line, ((group, self.roster), (member, self.short)))

    def _order(self, group: str, final: list[str]) -> Iterator[Left]:
        """Yield where the same members will stand in another order: only a list says one."""
        mine = self._sequence(self.source, group)
        if sorted(mine) != sorted(final):
            return
        later = self._later_sequence(group, final)
        joining = [member for member in mine if member not in later]
        listed_here = f"the files of {self.target.name} list none"
        if len(joining) > 1:
            message = (
                f"{group}: `{self.roster}`: the order may become another one than in {self.source.name}: {listed_here}"
            )
            yield Left(group, "", message, ((group, self.roster),))
        elif [*later, *joining] != mine:
            how = "" if self._listed(group) is not None else f", and {listed_here}"
            message = f"{group}: `{self.roster}`: the order of {self.source.name} is another one{how}"
            yield Left(group, "", message, ((group, self.roster),))

    def _later_sequence(self, group: str, final: list[str]) -> list[str]:
        """Return in which order those of the final members stand that are there already, or that the files list."""
        theirs = [member for member in self._sequence(self.target, group) if member in final]
        listed = [member for member in self._listed(group) or () if member in final]
        if not listed:
            return theirs
        more = [member for member in theirs if member not in listed]
        return [str(member) for member in values.inserted(listed, more, [*theirs, *listed])]

    def _nameless(self, group: str) -> Iterator[Left]:
        """Tell of members that are not objects of both: only one account holds them, or nothing declares them."""
        for account in (self.source, self.target):
            known = {(live.kind, live.id) for live in account.lives.values()}
            members = values.references(account.lives[group].attrs[self.roster])
            left = [
                str(member)
                for member in members
                if isinstance(member, RemoteId) and (member.kind, member.id) not in known
            ]
            if left:
                who = ", ".join(left)
                message = f"{group}: `{self.roster}` of {account.name} holds {who} too, of that account alone"
                yield Left(group, "", message, ((group, self.roster),))

    def _sequence(self, account: AccountSide, group: str) -> list[str]:
        """Return the members of a group that have addresses, in the order of the account."""
        names = {(live.kind, live.id): address for address, live in account.lives.items()}
        members = values.references(account.lives[group].attrs[self.roster])
        keys = [(member.kind, member.id) for member in members if isinstance(member, RemoteId)]
        return [names[key] for key in keys if key in names]


def _of_kinds(lives: Mapping[str, Live], names: Collection[str]) -> dict[str, Live]:
    return {address: live for address, live in lives.items() if live.kind in names}
