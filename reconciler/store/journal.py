"""The journal: records of a run that are not in the state yet, as lines of a log or as numbered segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reconciler.model.documents import read_document, read_json
from reconciler.model.errors import StateDamaged, StateError
from reconciler.model.identity import Fits
from reconciler.model.state import Record
from reconciler.store.blobs import BlobStore, Conflict, put_once
from reconciler.store.encryption import Seal
from reconciler.store.formats import first_of

NAME, SEGMENTS = "journal", "segments"


class Journal:
    """Records in the order of lock generations; `steady` is a clock in seconds."""

    def __init__(self, blobs: BlobStore, seal: Seal, steady: Callable[[], float], fits: Fits | None = None) -> None:
        self._blobs, self._seal, self._steady, self._fits = blobs, seal, steady, fits
        self._waiting: list[Record] = []
        self._flushed = float("-inf")
        self._segment = 0
        self._loose = False
        """Whether lines were written that the machine may still lose."""

    def add(self, records: Iterable[Record], fence: int, *, urgent: bool) -> None:
        """Add records of a lock generation. Urgent ones are durable on return, with all before them; others are kept
        beyond the end of this process where a write is cheap.
        """
        self._waiting += [record.model_copy(update={"fence": fence}) for record in records]
        if urgent or self._steady() - self._flushed >= self._blobs.pause:
            self.flush(durable=urgent)

    def flush(self, *, durable: bool = True) -> None:
        """Write what waits, and make durable what was written. What cannot be written goes on waiting."""
        if not self._waiting:
            if self._loose and durable:
                self._loose = not self._blobs.append(NAME, b"")
            return
        lines = [record.model_dump_json(exclude_defaults=True).encode() for record in self._waiting]
        if self._seal.active or not self._blobs.append(NAME, b"\n".join(lines), durable=durable):
            self._put_segment(self._waiting[0].fence, self._seal.close(b"\n".join(lines) + b"\n"))
            durable = True
        self._waiting, self._loose = [], not durable
        self._flushed = self._steady()

    def _put_segment(self, fence: int, content: bytes) -> None:
        for _ in range(10_000):
            self._segment += 1
            try:
                put_once(self._blobs, f"{SEGMENTS}/{fence:08d}-{self._segment:06d}", content, None)
            except Conflict:
                continue  # an earlier run without a lock of its own used this number
            return
        raise StateError(f"the journal of {self._blobs.where} has too many segments")

    def read(self, folded: int) -> Sequence[Record]:
        """Return the records that are not folded into a state of this mark, in the order of their generations."""
        records = []
        for name in [NAME, *self._blobs.names(SEGMENTS)]:
            blob = self._blobs.get(name)
            if blob is not None:
                records += self._parse(name, self._seal.open(blob.content, f"the journal of {self._blobs.where}"))
        records += self._waiting
        fresh = [record for record in records if not record.fence or record.fence > folded]
        return sorted(fresh, key=lambda record: record.fence)

    def _parse(self, name: str, content: bytes) -> list[Record]:
        """Return the records of a log; a last line that a crash truncated is as if it was never written."""
        lines = content.split(b"\n")
        records = []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                records.append(read_document(Record, line, self._fits))
            except ValueError as error:
                if number == len(lines) and not _whole(line):
                    break
                raise StateDamaged(
                    f"the journal of {self._blobs.where} is corrupt in line {number} of `{name}`: {first_of(error)}",
                    hint=f"nothing was changed; mend `{name}`, which lies beside the state, or move it away: the next "
                    "plan then finds what the interrupted run created by its name",
                ) from error
        return records

    def clear(self) -> None:
        """Remove everything."""
        self._waiting, self._loose = [], False
        with self._blobs.batch():
            self._blobs.remove(NAME)
            for name in self._blobs.names(SEGMENTS):
                self._blobs.remove(name)


def _whole(line: bytes) -> bool:
    """Return whether a line is JSON: then no crash cut it off, and what is wrong with it is something else."""
    try:
        read_json(line)
    except ValueError:
        return False
    return True
