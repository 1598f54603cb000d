"""Names and texts of a configuration, as names and literals of a programming language: whatever a key or a description
holds, it stays a name, a comment or a text.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from reconciler.model.ids import IdEntry, clash
from reconciler.render.harmless import harmless

NameRule = Callable[[str], str]


def plain(key: str) -> str:
    """Return a key with nothing but ASCII letters, digits and underscores; "" where nothing of it is left."""
    letters = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]+", " ", letters).strip().replace(" ", "_")


def camel(key: str) -> str:
    """Return a key as one word with capitals: `plan_tier` is `PlanTier`."""
    return "".join(part[:1].upper() + part[1:] for part in plain(key).split("_"))


def names(entries: Sequence[IdEntry], rule: NameRule, language: str) -> dict[str, str]:
    """Return the name of each entry, by its path. Raises ConfigError for two keys of one name. Where texts of an
    account (options) have one name, or none, each gets a name that says which text it is.
    """
    by_name: dict[str, list[IdEntry]] = {}
    for entry in entries:
        by_name.setdefault(rule(entry.key), []).append(entry)
    chosen: dict[str, str] = {}
    for name, of_name in by_name.items():
        keys = [entry for entry in of_name if entry.named]
        if len(keys) > 1:
            raise clash(keys, name, language)
        alone = len(of_name) == 1 and plain(of_name[0].key) != ""
        for entry in of_name:
            chosen[entry.path] = name if entry.named or alone else rule(_marked(entry.key))
    twice = next((name for name, count in Counter(chosen.values()).items() if count > 1), None)
    if twice is not None:
        raise clash([entry for entry in entries if chosen[entry.path] == twice], twice, language)
    return chosen


def _marked(key: str) -> str:
    """Return a key that no other text has, and that stays the same whatever stands beside it."""
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain(key) or 'option'}_{mark}"


class Types:
    """Names of types, each given once: the same name again gets a number. Languages that know no case in names of types
    are safe too.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {name.lower() for name in taken}

    def name(self, wanted: str) -> str:
        """Return a name that is free."""
        name, number = wanted, 2
        while name.lower() in self._taken:
            name, number = f"{wanted}{number}", number + 1
        self._taken.add(name.lower())
        return name


def sentence(text: str) -> str:
    """Return a text of another person as one line, in which everything can be seen."""
    return harmless(re.sub(r"\s+", " ", text).strip())


def quoted(text: str, escapes: Mapping[str, str], code: Callable[[int], str]) -> str:
    """Return a literal in double quotes; what cannot be seen is written by its `code`."""
    return (
        '"'
        + "".join(
            escapes.get(character) or (character if _seen(character) else code(ord(character))) for character in text
        )
        + '"'
    )


def _seen(character: str) -> bool:
    return character == " " or (character.isprintable() and harmless(character) == character)
