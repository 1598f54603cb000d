"""What is asked of accounts, added up as it happens: by kind, with what is still to come. Counts; shows nothing."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.model.http import Request, Response
from reconciler.model.ports import Moment

WHOLE_PAGES = (20, 100)
"""Rows of a page behind which there may be another one, where the listing does not say its total."""
ENOUGH = 5
"""Answers from which the measured rate says more than the allowed one."""


@dataclass
class Topic:
    """The requests about one kind: `open` ones are asked and not answered, `ahead` are pages that were not asked for
    yet.
    """

    name: str
    requests: int = 0
    open: int = 0
    rows: int = 0
    total: int | None = None
    listed: bool = False
    failed: bool = False
    ahead: dict[str, int] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether everything that is known to be about it was answered."""
        return not self.open and not any(self.ahead.values())


class Traffic:
    """Counts requests; `clock` answers seconds that only rise. Safe to read from another thread under `frozen`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.names: list[str] = []
        self.topics: dict[str, Topic] = {}
        self.sent = self.answered = 0
        self.rate: float | None = None
        self.began: float | None = None
        self._paths: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        self._flying: set[int] = set()
        self._lock = threading.Lock()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let nothing be counted meanwhile."""
        with self._lock:
            yield

    def connected(self, name: str, kinds: Mapping[str, str], rate: float | None) -> None:
        """Take note of an account that is about to be asked."""
        with self._lock:
            if name not in self.names:
                self.names.append(name)
            self._paths.update(kinds)
            self._objects = {kind: path for path, kind in reversed(self._paths.items())}
            self.rate = rate

    def request(self, moment: Moment, request: Request, answer: Response | None = None) -> Topic:
        """Take note of a moment of a request, and return what it is about."""
        with self._lock:
            if self.began is None:
                self.began = self.clock()
            path = self._listing(request.path)
            name = self._paths.get(path, path.strip("/"))
            topic = self.topics.setdefault(name, Topic(name))
            if moment == "asked":
                topic.open += 1
                self._foreseen(topic, path, request)
            elif moment == "sent":
                self.sent += 1
                self._flying.add(id(request))
                topic.requests += 1
            else:
                topic.open -= 1
                self.answered += 1
                self._flying.discard(id(request))
                self._read(topic, path, request, answer)
            return topic

    @property
    def flying(self) -> int:
        """How many requests were sent and are not over."""
        return len(self._flying)

    @property
    def left(self) -> int:
        """How many requests are known to come, those without an answer included."""
        return sum(max(topic.open, 0) + sum(topic.ahead.values()) for topic in self.topics.values())

    def pace(self) -> float | None:
        """Requests a second: as measured, as allowed before anything could be measured; None where neither is known."""
        elapsed = self.clock() - self.began if self.began is not None else 0.0
        if self.answered >= ENOUGH and elapsed > 0:
            return self.answered / elapsed
        return self.rate

    def seconds_left(self) -> float | None:
        """How long what is known to come takes; None where that is unknown."""
        pace = self.pace()
        return self.left / pace if pace and self.left else None

    def foreseen(self) -> float:
        """Seconds that all requests known of take at the rate that is allowed; 0 where there is no limit."""
        return (self.sent + self.left) / self.rate if self.rate else 0.0

    def _listing(self, path: str) -> str:
        """Return the listing that a path belongs to: the longest one known that it begins with, or its first part."""
        whole = path
        while path.strip("/"):
            if path in self._paths:
                return path
            path = path.rpartition("/")[0]
        return "/" + whole.strip("/").partition("/")[0]

    def _foreseen(self, topic: Topic, path: str, request: Request) -> None:
        if request.path != path:
            topic.ahead.pop(path, None)  # single objects are read in place of the pages
        elif topic.ahead.get(path) and not _is_first(dict(request.query)):
            topic.ahead[path] -= 1

    def _read(self, topic: Topic, path: str, request: Request, answer: Response | None) -> None:
        topic.failed = answer is None or not answer.ok
        query = dict(request.query)
        if answer is None or topic.failed or not self._is_page(path, request, query):
            return
        body = answer.body if isinstance(answer.body, dict) else {}
        size, total, first = _size(body), _total(body), _is_first(query)
        if path == self._objects[topic.name]:
            topic.listed = True
            topic.rows += size
            topic.total = total if first else topic.total
        if total is None and ("limit" in query or "page" in query):
            topic.ahead[path] = 1 if size in WHOLE_PAGES else 0
        elif first:
            topic.ahead[path] = math.ceil(total / size) - 1 if total and size else 0

    def _is_page(self, path: str, request: Request, query: Mapping[str, str]) -> bool:
        """Return whether a request asks for a page of a listing, and not only for its total."""
        return request.method == "GET" and request.path == path in self._paths and query.get("limit") != "1"


def _is_first(query: Mapping[str, str]) -> bool:
    """Return whether a request asks for the first page of a listing."""
    return query.get("offset", "0") == "0" and query.get("page", "1") == "1"


def _size(body: Mapping[str, object]) -> int:
    """Return how many rows a page has: those of its longest list."""
    return max((len(rows) for rows in body.values() if isinstance(rows, list)), default=0)


def _total(body: Mapping[str, object]) -> int | None:
    meta = body.get("meta")
    said = meta.get("total") if isinstance(meta, dict) else None
    text = str(said)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
