"""What is asked of accounts, added up as it happens: by kind, with what is still to come. Counts; shows nothing."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field

from reconciler.model.http import Request, Response
from reconciler.model.ports import Moment
from reconciler.model.records import mutable

WHOLE_PAGES = (20, 100)
"""Rows of a page behind which there may be another one, where the listing does not say its total."""


@mutable
class Topic:
    """The requests about one kind of one account: `open` ones are asked and not answered, `ahead` are pages that were
    not asked for yet, `due` is a listing that is to be read and was not begun, `stopped` one that was not ended.
    """

    name: str
    account: str = ""
    requests: int = 0
    open: int = 0
    rows: int = 0
    total: int | None = None
    listed: bool = False
    failed: bool = False
    due: bool = False
    expected: bool = False
    stopped: bool = False
    ahead: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """How many requests are known to come, those without an answer included."""
        return max(self.open, 0) + sum(self.ahead.values()) + self.due

    @property
    def over(self) -> bool:
        """Whether everything that is known to be about it was answered."""
        return not self.stopped and not self.left


@mutable
class _Account:
    """One account in one phase: the rate that it allows (None: no limit), and what it was measured to take."""

    rate: float | None = None
    began: float | None = None
    answered: int = 0
    flying: set[int] = field(default_factory=set)

    def pace(self, now: float) -> float | None:
        """Requests a second: the slower of what is allowed and what was measured; None where neither is known. What is
        under way counts, so that the first answers do not make the others slower than they are.
        """
        elapsed = now - self.began if self.began is not None else 0.0
        measured = (self.answered + len(self.flying)) / elapsed if self.answered and elapsed > 0 else None
        known = [rate for rate in (self.rate, measured) if rate is not None]
        return min(known) if known else None


class Traffic:
    """Counts requests; `clock` answers seconds that only rise. What is told of time and kinds is of one phase, which is
    one thing that a command waits for. Safe to read from another thread under `frozen`.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.topics: dict[tuple[str, str], Topic] = {}
        self.sent = self.written = 0
        self.most = 0
        """Requests that the phase takes at most, where that is known (0: it is not)."""
        self._account = ""
        self._accounts: dict[str, _Account] = {}
        self._names: list[str] = []
        self._before = 0
        self._paths: dict[str, str] = {}
        self._objects: dict[str, str] = {}
        self._lock = threading.Lock()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let nothing be counted meanwhile."""
        with self._lock:
            yield

    def begin(self) -> None:
        """Begin a phase: what was read before is behind us, and the time between did not go to any account."""
        with self._lock:
            self.topics, self._names, self._before, self.most = {}, [], self.sent, 0
            self._accounts = {name: _Account(account.rate) for name, account in self._accounts.items()}

    def connected(self, name: str, kinds: Mapping[str, str], rate: float | None) -> None:
        """Take note of an account that is about to be asked."""
        with self._lock:
            self._name(name)
            self._paths.update(kinds)
            self._objects = {kind: path for path, kind in reversed(self._paths.items())}
            self._accounts.setdefault(name, _Account()).rate = rate

    def expecting(self, name: str, kinds: Iterable[str], most: int = 0) -> None:
        """Take note of the kinds of an account that are going to be read, once for each phase, or of the requests."""
        with self._lock:
            self._name(name)
            self.most = max(self.most, most)
            for kind in kinds:
                topic = self.topics.setdefault((name, kind), Topic(kind, name))
                topic.due, topic.expected = topic.due or not topic.expected, True

    def request(self, moment: Moment, request: Request, answer: Response | None = None, account: str = "") -> Topic:
        """Take note of a moment of a request, and return what it is about; `account` is by default the one that was
        connected last.
        """
        with self._lock:
            name = account or self._account
            now = self._accounts.setdefault(name, _Account())
            if now.began is None:
                now.began = self.clock()
            path = self._listing(request.path)
            kind = self._paths.get(path, path.strip("/"))
            topic = self.topics.setdefault((name, kind), Topic(kind, name))
            if moment == "asked":
                topic.open += 1
                topic.stopped = False
                self._foreseen(topic, path, request)
            elif moment == "sent":
                self.sent += 1
                self.written += request.writes
                now.flying.add(id(request))
                topic.requests += 1
            else:
                topic.open -= 1
                topic.stopped = moment == "stopped"
                now.answered += moment == "answered"
                now.flying.discard(id(request))
                self._read(topic, path, request, answer)
            return topic

    @property
    def names(self) -> list[str]:
        """The accounts of this phase."""
        return self._names

    @property
    def requests(self) -> int:
        """How many requests this phase sent."""
        return self.sent - self._before

    @property
    def flying(self) -> int:
        """How many requests were sent and are not over."""
        return sum(len(account.flying) for account in self._accounts.values())

    @property
    def kinds(self) -> list[Topic]:
        """The kinds that this phase reads, those that it has not come to included."""
        return [topic for topic in self.topics.values() if topic.expected]

    @property
    def left(self) -> int:
        """How many requests are known to come, those without an answer included."""
        return max(sum(topic.left for topic in self.topics.values()), self.most - self.requests)

    def pace(self) -> float | None:
        """Requests a second of the account that is being asked: the slower of what is allowed and what was measured."""
        account = self._accounts.get(self._account)
        return account.pace(self.clock()) if account is not None else None

    def seconds_left(self) -> float | None:
        """How long what is known to come takes; None where that is unknown."""
        if self.most:
            pace = self.pace()
            return self.left / pace if pace and self.left else None
        now, usual, seconds = self.clock(), self.pace(), 0.0
        for name in self._names:
            left = sum(topic.left for topic in self.topics.values() if topic.account == name)
            pace = self._accounts[name].pace(now) if name in self._accounts else usual
            if left and not pace:
                return None
            seconds += left / pace if pace else 0.0
        return seconds or None

    def foreseen(self) -> float:
        """Seconds that all requests known of take at the rate that is allowed; 0 where there is no limit."""
        account = self._accounts.get(self._account)
        return (self.requests + self.left) / account.rate if account is not None and account.rate else 0.0

    def _name(self, name: str) -> None:
        self._account = name
        if name not in self._names:
            self._names.append(name)

    def _listing(self, path: str) -> str:
        """Return the listing that a path belongs to: the longest one known that it begins with, or its first part."""
        whole = path
        while path.strip("/"):
            if path in self._paths:
                return path
            path = path.rpartition("/")[0]
        return "/" + whole.strip("/").partition("/")[0]

    def _foreseen(self, topic: Topic, path: str, request: Request) -> None:
        topic.due = topic.due and request.path != path
        if request.path != path:
            topic.ahead.pop(path, None)  # single objects are read in place of the pages
        elif topic.ahead.get(path) and not _is_first(dict(request.query)):
            topic.ahead[path] -= 1

    def _read(self, topic: Topic, path: str, request: Request, answer: Response | None) -> None:
        if not request.writes:
            topic.failed = not _tells(path, request, answer)
        query = dict(request.query)
        if answer is None or not answer.ok or not self._is_page(path, request, query):
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


def _tells(path: str, request: Request, answer: Response | None) -> bool:
    """Return whether a read was answered: that one object is not there is an answer, too."""
    return answer is not None and (answer.ok or (answer.status == 404 and request.path != path))


def _is_first(query: Mapping[str, str]) -> bool:
    """Return whether a request asks for the first page of a listing."""
    return query.get("offset", "0") == "0" and query.get("page", "1") == "1"


def _size(body: Mapping[str, object]) -> int:
    """Return how many rows a page has: those of its longest list."""
    return max((len(rows) for rows in body.values() if isinstance(rows, list)), default=0)


def _total(body: Mapping[str, object]) -> int | None:
    meta = body.get("meta")
    total = meta.get("total") if isinstance(meta, dict) else None
    text = str(total)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
