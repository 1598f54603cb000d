"""Checks a request against what the vendor documents: path, method, query names, wrapper key and property names.

The vendor's OpenAPI file is used where it lies beside the project (or in `RECONCILER_SHARED`); elsewhere `facts.json`,
which was derived from it. Both are corrected by `exceptions`. Values are not judged, that is what the emulator does.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote

from scripts.openapi_facts import Facts, Shape, facts_from_openapi, merge, template
from tests.contract.exceptions import CORRECTIONS, Correction

FACTS_FILE = Path(__file__).with_name("facts.json")
_ROOT = Path(__file__).resolve().parents[2]
# Read when tests are collected: the fixtures hide the caller's environment from the code under test.
OPENAPI_FILE = (
    Path(os.environ.get("RECONCILER_SHARED") or _ROOT.parent / "shared") / "openapi" / "activecampaign-v3.json"
)
PAGING = ("limit", "offset")  # documented once for all listings, not per operation [DOC pagination]


@dataclass(frozen=True)
class Contract:
    """The documented API. `source` says which file it was read from."""

    facts: Facts
    source: Path

    def check_request(self, method: str, path: str, query: Mapping[str, str], body: object) -> list[str]:
        """Return the problems of a request; `path` is below `/api/3` with its slash, `body` is parsed JSON or None."""
        found = self._template(path)
        if found is None:
            return [f"{method} {path}: no such path{_suggest(path, self.facts)}"]
        operation = self.facts[found].get(method.upper())
        if operation is None:
            return [f"{method} {path}: {found} has {', '.join(sorted(self.facts[found]))} only"]
        problems = _query_problems(query, operation["query"], reads=method.upper() == "GET")
        problems += _body_problems(body, operation["body"])
        return [f"{method} {path}: {problem}" for problem in problems]

    @functools.cached_property
    def _template(self) -> Callable[[str], str | None]:
        """Find the template that fits a path, literal segments before parameters (`/users/me` before `/users/{id}`)."""

        @functools.lru_cache(10_000)
        def find(path: str) -> str | None:
            return self._fitting(tuple(self._word(segment) for segment in path.split("/")))

        return find

    def _word(self, segment: str) -> str:
        """Return a segment as the templates may hold it: a literal of theirs, `{id}` for another text, or nothing."""
        literal = unquote(segment)
        return literal if literal in self._literals else "{id}" if segment else ""

    @functools.cached_property
    def _literals(self) -> frozenset[str]:
        return frozenset(segment for candidate in self.facts for segment in candidate.split("/")) - {"{id}"}

    @functools.cached_property
    def _fitting(self) -> Callable[[tuple[str, ...]], str | None]:
        """Find a template once for all paths of one form: suites check tens of thousands of requests."""
        templates = [(candidate, candidate.split("/")) for candidate in self.facts]

        @functools.cache
        def find(words: tuple[str, ...]) -> str | None:
            fitting = [candidate for candidate, segments in templates if _fits(segments, words)]
            return min(fitting, key=lambda candidate: candidate.count("{id}"), default=None)

        return find


def check_request(method: str, path: str, query: Mapping[str, str], body: object) -> list[str]:
    """Return the problems of a request as the contract that is at hand sees them."""
    return vendor_contract().check_request(method, path, query, body)


@functools.cache
def vendor_contract() -> Contract:
    """Return the contract from the vendor's file where it is present, else from the project's own table."""
    if OPENAPI_FILE.exists():
        return Contract(
            corrected(facts_from_openapi(json.loads(OPENAPI_FILE.read_text(encoding="utf-8")))), OPENAPI_FILE
        )
    return own_contract()


def own_contract() -> Contract:
    """Return the contract from the table that the project carries."""
    return Contract(corrected(json.loads(FACTS_FILE.read_text(encoding="utf-8"))), FACTS_FILE)


def corrected(facts: Facts, corrections: Iterable[Correction] = CORRECTIONS) -> Facts:
    """Return the facts with the corrections applied; the argument is left as it is."""
    result = {path: dict(operations) for path, operations in facts.items()}
    for correction in corrections:
        operations = result.setdefault(template(correction.path), {})
        for method in correction.methods:
            known = operations.get(method, {"query": [], "body": None})
            body = correction.body if correction.replaces else merge(known["body"], correction.body)
            operations[method] = {"query": sorted({*known["query"], *correction.query}), "body": body}
    return result


def _fits(segments: Sequence[str], words: Sequence[str]) -> bool:
    return len(segments) == len(words) and all(
        segment == word or (segment == "{id}" and word != "") for segment, word in zip(segments, words, strict=True)
    )


def _query_problems(query: Iterable[str], documented: Sequence[str], *, reads: bool) -> list[str]:
    known = _known(tuple(documented), reads)
    return [
        f"query name {name!r} is not documented{_suggest(name, documented)}"
        for name in query
        if not known.fullmatch(name)
    ]


@functools.cache
def _known(documented: tuple[str, ...], reads: bool) -> re.Pattern[str]:
    patterns = [re.escape(name).replace(re.escape("<operator>"), r"\w+") for name in documented]
    return re.compile("|".join([*patterns, *(PAGING if reads else ())]) or r"(?!)")


def _body_problems(body: object, shape: Shape) -> list[str]:
    if body is None:
        return [] if shape is None else ["a body is documented and none was sent"]
    if shape is None:
        return ["a body was sent and none is documented"]
    return list(_unknown_names(body, shape, "body"))


def _unknown_names(value: object, shape: Shape, where: str) -> Iterable[str]:
    if isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{where} is not an array"
            return
        for element in value:
            yield from _unknown_names(element, shape[0], f"{where}[]")
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{where} is not an object"
            return
        for name, inner in value.items():
            if name in shape:
                yield from _unknown_names(inner, shape[name], f"{where}.{name}")
            else:
                yield f"{where} has the unknown property {name!r}{_suggest(name, shape)}"


def _suggest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return f" (close: {close[0]})" if close else ""
