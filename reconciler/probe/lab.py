"""The bench that experiments work at. All that is made is on record before it is sent, and removed; nothing that was
there is ever written to; budgets are kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from reconciler.model.errors import AmbiguousResponse, Unreachable
from reconciler.model.http import Request, Response, at, is_id
from reconciler.model.values import Json
from reconciler.probe.answers import FORBIDDEN, no_result
from reconciler.probe.forms import FORMS, MARK, OWNERS, ProbeForm
from reconciler.probe.means import BULK, CONTACTS, DurableRecord, ForbiddenWrite, Lost, Made, ProbeBudget, Requester
from reconciler.probe.record import MARKED, ProbeRecord
from reconciler.probe.sending import Sender
from reconciler.probe.unsettled import Unsettled

SETTLING = (2.0, 5.0)
"""Seconds to wait before looking for what a create without an answer made."""
ADDRESSES = "@example.com"
CLEAN = "`probe --clean`"
"""How what is said of something ends that is still on record."""
OWNED = {
    path: " and ".join(f"{form.name.replace('_', ' ')}s" for form in FORMS.values() if form.owner == owner)
    for owner, path in OWNERS.items()
}
"""What hangs on something, by the path of that."""
OTHERS = "what has this id now is not called as the probe named it, so it was not touched: look at it"


_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""Ids of what a probe makes: numbers, and those of schemas (section 1.4)."""


class Lab(Sender):
    """See the module. `mark` is how everything is named that this probe makes."""

    def __init__(
        self,
        line: Requester,
        journal: DurableRecord,
        mark: str,
        spent: ProbeBudget,
        *,
        contacts: bool = False,
        writes: bool = True,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not mark.startswith(MARK):
            raise ForbiddenWrite("what a probe makes has to be recognisable")
        super().__init__(line, spent, sleep)
        self.journal, self.mark = journal, mark
        self.contacts, self.writes = contacts, writes
        self.open: list[Made] = []
        self.left: list[tuple[str, str, str]] = []
        """What could not be removed: form, id and what was done with it, or is to be done manually."""
        self.shut: dict[str, str] = {}
        """Why nothing of a form is made: it could not be found again, or not be removed."""
        self.removed = 0
        """How many things were made and are gone."""
        self.reads: dict[str, Response] = {}
        self.largest: dict[str, int] = {}
        """Of each listing that was read, the answer; and the most rows of a page, where it has more than that."""
        self._number = 0
        self._stuck: set[int] = set()
        self._dropped: set[int] = set()
        self._remembered: set[int] = set()
        self._own: set[tuple[str, str]] = set()

    def name(self, text: str = "") -> str:
        """Return a name of this probe's own."""
        return f"{self.mark} {text}".rstrip()

    def reserved(self) -> int:
        """Return how many requests removing what was made may take."""
        return sum(_removal(created.form, known=bool(created.id)) for created in self.open)

    async def look(self) -> None:
        """Ask for the listing of all that a probe may make, before it makes anything: where it is refused, what a
        create without an answer made could not be found again.
        """
        for form in FORMS.values():
            if form.owner or (form.name in CONTACTS and not self.contacts):
                continue
            try:
                replies = [await self.get(path, limit="1") for path in (form.path, form.elsewhere) if path]
                if all(reply.status in FORBIDDEN for reply in replies):
                    self.shut[form.name] = f"GET {form.path} was answered {replies[0].status}"
            except (Unsettled, Unreachable) as error:
                self.shut[form.name] = str(error)

    # --- making ----------------------------------------------------------------------------------------------------

    async def make(self, form: str, attrs: Mapping[str, Any], *, path: str = "", body: Any = None) -> Made:
        """Create something. Raises Unsettled where the account refuses it."""
        reply, created = await self.attempt(form, attrs, path=path, body=body)
        if created is None:
            raise Unsettled(f"POST {path or FORMS[form].path} was answered {reply.status}")
        return created

    async def attempt(
        self, form: str, attrs: Mapping[str, Any], *, path: str = "", body: Any = None
    ) -> tuple[Response, Made | None]:
        """Try to create something; return the answer, and what was made by it. Raises Unsettled where the answer was
        lost: what it made is found by its name, and removed.
        """
        kind = FORMS[form]
        self._may_make(kind, attrs)
        if why := self.shut.get(form):
            raise Unsettled(f"{why}, so nothing is made there: it might stay")
        self.afford(_removal(kind, known=False))
        created = self._recorded(kind, attrs)
        self.open.append(created)
        try:
            reply = await self._send(Request("POST", path or kind.path, body=body or {kind.wrapper: dict(attrs)}))
        except Lost:
            await self._settle(created)
            raise Unsettled("the answer to a create was lost") from None
        if not reply.ok:
            self.open.remove(created)
            self.journal.append({"op": "refused", "n": created.number})
            return reply, None
        try:
            if not _ID.fullmatch(identity := reply.created(kind.wrapper, kind.key)):
                raise AmbiguousResponse("what is answered as an id is none of what a probe makes")
            self._has(created, identity)
        except AmbiguousResponse:
            await self._settle(created)
            raise Unsettled(f"POST {path or kind.path} was answered without an id") from None
        created.reply = reply
        return reply, created

    async def bulk(self, path: str, field_: Made, values: Iterable[str]) -> Response:
        """Create options of a field that was made; they go with it."""
        if ("/fields", field_.id) not in self._own or path not in BULK:
            raise ForbiddenWrite("options belong to fields of the probe")
        self.afford()
        rows: list[Json] = [
            {"field": field_.id, "value": value, "label": value, "orderid": n} for n, value in enumerate(values, 1)
        ]
        self.journal.append({"op": "options", "field": field_.id, "count": len(rows)})
        try:
            return await self._send(Request("POST", path, body={"fieldOptions": rows}))
        except Lost:
            raise Unsettled("the answer to a create of options was lost") from None

    async def change(self, created: Made, body: Any, *, path: str = "", dry_run: bool = False) -> Response:
        """PUT to something that was made."""
        where = path or created.path
        self._may_change(where)
        return await self._send(Request("PUT", where, body=body, dry_run=dry_run))

    async def put(self, created: Made, **attrs: Any) -> Response:
        """PUT attributes under the wrapper of something that was made."""
        return await self.change(created, {created.form.wrapper: attrs})

    async def drop(self, created: Made, *below: str) -> Response:
        """DELETE a part of something that was made."""
        path = at(created.path, *below)
        self._may_change(path)
        return await self._send(Request("DELETE", path))

    async def remove(self, created: Made) -> Response:
        """Delete something that was made, and what it leaves behind; the answer to the first DELETE."""
        first, gone, missed = await self._removed(created, created.id)
        if gone and not missed:
            self._gone(created)  # what had no such id is looked for with the rest: it may have another one
        return first

    async def leave(self, created: Made) -> Response:
        """Delete something that was made and look at what it leaves behind; that is removed with the rest."""
        self._may_change(created.path)
        self._dropped.add(created.number)
        return await self._send(Request("DELETE", created.path))

    def adopt(self, created: Made, form: str, identity: str) -> Made:
        """Take over what came along with something that was made: it is the probe's, too, and goes with that."""
        self._own.add((FORMS[form].path, identity))
        return Made(0, FORMS[form], {}, identity)

    async def clear(self, *, last: bool = True) -> None:
        """Remove all that is there of what was made, the last first; what cannot be is told in `left`, and tried again
        only the `last` time.
        """
        self.cleaning = True
        try:
            for created in reversed(list(self.open)):
                if last or created.number not in self._stuck:
                    self._stuck.add(created.number)
                    await self._cleared(created)
        finally:
            self.cleaning = False

    def remains(self) -> list[tuple[str, str, str]]:
        """Return what is there of all that was made: form, id ("?" where no answer told it), and what to do."""
        reported = {(form, identity) for form, identity, _ in self.left}
        more = [(created.form.name, created.id or "?", f"{_known(created)}: {CLEAN}") for created in self.open]
        return list(dict.fromkeys([*self.left, *(created for created in more if created[:2] not in reported)]))

    def resume(self, record: ProbeRecord) -> None:
        """Take over what a probe that died has on record."""
        for entry in record.entries:
            created = Made(entry.number, entry.form, entry.attrs, entry.id)
            if entry.ended == "left":
                self.left.append((entry.form.name, entry.id or "?", entry.what))
            elif not entry.ended:
                self.open.append(created)
                self._own |= {(entry.form.path, entry.id)} if entry.id else set()
        self._number = record.highest
        self._remembered = {created.number for created in self.open if created.id}

    async def seek(self, *, reported: bool) -> bool:
        """Take over what is named as this probe's and is on no record, in every listing; return whether each of them
        could be read. What cannot is `reported` in `left`.
        """
        whole = True
        for form in FORMS.values():
            if form.owner:
                continue
            named = {form.label: self.mark}
            try:
                for identity in await self._found(Made(0, form, named)):
                    created = self._recorded(form, named)
                    self.open.append(created)
                    self._has(created, identity)
            except (Unsettled, Unreachable) as error:
                whole = False
                if reported:
                    self.left.append(
                        (form.name, "?", f"whether any is called `{self.mark}` is unknown ({error}): {CLEAN}")
                    )
        return whole

    async def foreign(self) -> list[tuple[str, str, str]]:
        """Return what is named as a probe's, and not as this one's: (form, id, name). Another checkout made it, whose
        record is there; or its record is lost. What no listing shows is left out, and what is switched off for good.
        """
        others = []
        for form in FORMS.values():
            if form.owner or not form.label:
                continue
            with suppress(Unsettled, Unreachable):
                rows = await self._rows(Made(0, form, {form.label: MARK}))
                names = ((row, str(row.get(form.reads.get(form.label, form.label)) or "")) for row in rows)
                marks = ((row, MARKED.match(name.strip())) for row, name in names)
                others += [
                    (form.name, str(row.get("id")), mark.group())
                    for row, mark in marks
                    if mark is not None and mark.group() != self.mark and not _is_retired(form, row)
                ]
        return others

    # --- inside ----------------------------------------------------------------------------------------------------

    def _recorded(self, form: ProbeForm, attrs: Mapping[str, Any]) -> Made:
        names = {form.label, form.owner, *form.match} - {""}
        named = {name: attrs[name] for name in names if name in attrs}
        self._number += 1
        self.journal.append({"op": "making", "n": self._number, "form": form.name, "attrs": named})
        return Made(self._number, form, named)

    def _has(self, created: Made, identity: str) -> None:
        created.id = identity
        self._own.add((created.form.path, identity))
        self.journal.append({"op": "made", "n": created.number, "id": identity})

    def _gone(self, created: Made) -> None:
        what = next(
            (what for form, identity, what in self.left if (form, identity) == (created.form.name, created.id)), ""
        )
        stays = what and not what.endswith(CLEAN)
        self.journal.append(
            {"op": "left", "n": created.number, "what": what} if stays else {"op": "gone", "n": created.number}
        )
        self.removed += not stays
        self._own.discard((created.form.path, created.id))  # what has this id next is not ours
        if created in self.open:
            self.open.remove(created)
        entries = [(created.form.name, identity) for identity in (created.id, "?")]
        self.left = [left for left in self.left if left[:2] not in entries or not left[2].endswith(CLEAN)]

    def _may_make(self, form: ProbeForm, attrs: Mapping[str, Any]) -> None:
        """Raise unless what is created has a name of the probe's own, or hangs on what the probe made."""
        if not self.writes or (form.name in CONTACTS and not self.contacts):
            raise ForbiddenWrite(f"a {form.name} was not asked for")
        if form.name == "contact" and not str(attrs["email"]).endswith(ADDRESSES):
            raise ForbiddenWrite("contacts of a probe are at example.com")
        if form.owner:
            if (OWNERS[form.owner], str(attrs[form.owner])) not in self._own:
                raise ForbiddenWrite(f"a {form.name} hangs on what the probe made")
        elif not str(attrs[form.label]).strip().startswith(self.mark):
            raise ForbiddenWrite(f"a {form.name} is named as what it is")

    def _may_change(self, path: str) -> None:
        if not any(
            path == at(base, identity) or path.startswith(f"{at(base, identity)}/") for base, identity in self._bases()
        ):
            raise ForbiddenWrite("only what the probe made is changed")

    def _bases(self) -> Iterable[tuple[str, str]]:
        for path, identity in self._own:
            form = next(form for form in FORMS.values() if form.path == path)
            yield from ((base, identity) for base in (path, *form.deletes))

    async def _settle(self, created: Made) -> None:
        """Look for what a create without an answer made."""
        for pause in SETTLING:
            await self.sleep(pause)
            with suppress(Unsettled):  # it stays on record, and is looked for again
                if ids := await self._found(created):
                    self._has(created, ids[0])
                    return

    async def _found(self, created: Made) -> list[str]:
        """Return the ids of what may be it: of this name, or related as it is, and not known as another one's. Raises
        Unsettled where no listing tells; what hangs on something that the probe made is gone with that.
        """
        form, rows = created.form, await self._rows(created)
        known = {other.id for other in self.open if other.form is form} - {""}
        ids = [str(row["id"]) for row in rows if is_id(row.get("id")) and self._is(form, created, row)]
        return [identity for identity in ids if identity not in known]

    async def _rows(self, created: Made) -> list[dict[str, Any]]:
        """Return the listing that it would be in; none where what it hangs on cannot be listed. Raises Unsettled."""
        form = created.form
        listing = (form.listing or form.path).format_map(created.attrs)
        query = {name: value.format_map(created.attrs) for name, value in form.query.items()}
        for path in filter(None, (listing, form.elsewhere)):
            try:
                return await self.listed(path, form.key, query)
            except Unsettled:
                if not form.owner and path == (form.elsewhere or listing):
                    raise
        return []

    async def _is_still(self, created: Made) -> bool:
        """Return whether an id on record is still that of what was made, or of nothing: since a probe died, the account
        may have been emptied, or have given the id to something else (section 7, row 9). Raises Unsettled.
        """
        row = next((row for row in await self._rows(created) if str(row.get("id")) == created.id), None)
        if row is None:
            return not created.form.owner  # what came along with it may have stayed
        return self._is(created.form, created, row)

    def _is(self, form: ProbeForm, created: Made, row: Mapping[str, Any]) -> bool:
        if form.label:
            name = str(row.get(form.reads.get(form.label, form.label)) or "").strip()
            return name.startswith(self.mark) and not name.removeprefix(self.mark)[:1].isalnum()
        return all(
            str(row.get(form.reads.get(name, name))) == str(created.attrs.get(name))
            for name in (*form.match, form.owner)
            if form.reads.get(name, name) in row
        )

    async def _cleared(self, created: Made) -> None:
        identity, whole = created.id, True
        try:
            if created.number in self._remembered and not await self._is_still(created):
                if not created.form.owner:
                    self.left.append((created.form.name, identity, OTHERS))
                self._gone(created)
                return
            for identity in [created.id] if created.id else await self._found(created):
                whole = await self._cleared_of(created, identity) and whole
        except (Unsettled, Unreachable, Lost) as error:
            what = f"it may still be there ({error})" if identity else f"{_known(created)} ({error})"
            self.left.append((created.form.name, identity or "?", f"{what}: {CLEAN}"))
            return  # stays on record
        if whole:
            self._gone(created)

    async def _cleared_of(self, created: Made, identity: str) -> bool:
        """Remove what has this id; where nothing has, and it was not removed before, what was made has another one and
        is looked for. Return whether there is nothing more to do.
        """
        self._own.add((created.form.path, identity))
        _, whole, missed = await self._removed(created, identity)
        if not missed or created.number in self._dropped | self._remembered:
            return whole
        for other in await self._found(created):
            self._own.add((created.form.path, other))
            whole = (await self._removed(created, other))[1] and whole
        return whole

    async def _removed(self, created: Made, identity: str) -> tuple[Response, bool, bool]:
        """Delete, at each path that may know it; what is refused is disabled, if that is possible. Returns the answer
        to the first DELETE, whether there is nothing more to do (it is gone, or disabled for good), and whether nothing
        had this id.
        """
        form, first = created.form, Response(0)
        for base in (form.path, *form.deletes):
            reply = await self._send(Request("DELETE", at(base, identity)))
            first = first if first.status else reply
            if reply.ok or no_result(reply):
                break
        missed = _is_gone(reply) and not reply.ok
        gone = _is_gone(reply) or await self._retired(form, identity, reply)
        if not gone:
            self.shut[form.name] = f"DELETE {form.path}/ID was answered {first.status}"
        if form.along is not None and gone:
            await self._swept(*form.along, identity)
        return first, gone, missed

    async def _retired(self, form: ProbeForm, identity: str, refusal: Response) -> bool:
        """Disable what cannot be deleted, and try once more; tell what is left of it."""
        disabled = False
        if form.retire is not None:
            path, body = at(form.path, identity), {form.wrapper: dict(form.retire)}
            disabled = (await self._send(Request("PUT", path, body=body))).ok and form.disables
            if _is_gone(await self._send(Request("DELETE", path))):
                return True
        if disabled and form.retire is not None:
            how = ", ".join(f"{name}: {value}" for name, value in form.retire.items())
            what = f"it cannot be deleted and is disabled ({how})"
        else:
            what = f"its DELETE was answered {refusal.status}: delete it manually, or `probe --clean`"
        self.left.append((form.name, identity, what))
        return disabled

    async def _swept(self, path: str, key: str, owner: str, identity: str) -> None:
        """Delete rows that stayed behind what was removed."""
        rows = await self.listed(path, key, {f"filters[d_{owner}id]": identity})
        for row in rows:
            if str(row.get(owner)) == identity and is_id(row.get("id")):
                await self._send(Request("DELETE", at(path, row["id"])))


def _is_retired(form: ProbeForm, row: Mapping[str, Any]) -> bool:
    """Return whether this is what a removal leaves of something that cannot be deleted."""
    retire = form.retire if form.disables else None
    return retire is not None and all(str(row.get(name)) == str(value) for name, value in retire.items())


def _known(created: Made) -> str:
    """Return what is known of something that was not removed: without an id, how it is called."""
    if created.id:
        holds = OWNED.get(created.form.path, "")
        return f"it was not removed yet{f', nor the {holds} that hang on it' if holds else ''}"
    name = created.attrs.get(created.form.label)
    called = (
        f", called `{name}`"
        if name
        else f" with {', '.join(f'{name} {created.attrs[name]}' for name in created.attrs)}"
    )
    return f"no answer told whether it was made{called}"


def _removal(form: ProbeForm, *, known: bool) -> int:
    """How many requests its removal takes at most, where each one is answered the second time: what is said to be gone
    then is looked for, and what has no id that is `known` is looked for before.
    """
    deletes = 1 + len(form.deletes) + (2 if form.retire is not None else 0) + (8 if form.along is not None else 0)
    return 2 * (deletes + (1 + bool(form.elsewhere)) * (1 if known else 2))


def _is_gone(reply: Response) -> bool:
    """Return whether a DELETE leaves nothing: what was not there is answered 400, 403 or 422, too (section 1.6)."""
    return reply.ok or reply.status == 404 or no_result(reply)
