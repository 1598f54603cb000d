"""What of an account is not written into files: secrets in sensitive texts, and people's addresses. Pure.

A secret becomes `${secret.NAME}`; its value is not written anywhere. An address becomes a variable.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from urllib.parse import urlsplit

from reconciler.model import values
from reconciler.model.desired import Resource
from reconciler.model.kind import Kinds
from reconciler.model.records import mutable
from reconciler.model.redaction import LONG, Redactor
from reconciler.model.spec import Sensitive
from reconciler.model.values import Lookup, Value, secret_marker

_ADDRESS = r"[\w.!#$&'*+=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+"
SHORTEST = 6
"""Characters of a secret that is searched for in other texts: shorter ones are in every second word."""
_WORD = r"[A-Za-z]{1,12}(?:[-_.][A-Za-z]{1,12})*|v\d+(?:\.\d+)?|\d{1,4}"


def holds_secret(value: Value, redactor: Redactor) -> bool:
    """Return whether a text of a value holds what must not be shown."""
    return any(isinstance(leaf, str) and redactor.knows(leaf, LONG) for leaf in values.walk(value))


@mutable
class Hiding:
    """Replaces secrets, and remembers their values by the names that it gave them.

    `known` tells what a sensitive text of an address was declared as: names are kept while the text is the same.
    """

    kinds: Kinds
    secrets: dict[str, str] = field(default_factory=dict)
    redactor: Redactor = field(default_factory=Redactor)
    """Knows what is secret wherever it stands: a text that holds such a thing becomes a placeholder whole."""

    def holds(self, value: Value) -> bool:
        """Return whether a value that must not be shown stands where nothing is secret."""
        return holds_secret(value, self.redactor)

    def resource(self, resource: Resource) -> Resource:
        """Return a resource with a placeholder for every secret in its sensitive texts."""
        known = self.kinds[resource.kind].attributes
        attrs = {
            name: self.text(resource.address, name, value)
            if isinstance(value, str) and name in known and known[name].has(Sensitive) and known[name].hides(value)
            else values.transform(value, functools.partial(self._leaf, f"{resource.address}_{name}"))
            for name, value in resource.attrs.items()
        }
        return resource._replace(attrs=attrs) if attrs != dict(resource.attrs) else resource

    def _leaf(self, name: str, leaf: Value) -> Value:
        return self._placeholder(_upper(name), leaf) if isinstance(leaf, str) and self.holds(leaf) else leaf

    def text(self, address: str, name: str, text: str) -> str:
        """Return a sensitive text with placeholders: of a URL for its password, for what follows `?`, and for the
        parts of its path that are not plain words; of anything else for the whole.
        """
        stem = _upper(f"{address}_{name}")
        shown = self._parts(stem, text)
        return self._placeholder(stem, text) if self.redactor.knows(shown, LONG) else shown

    def _parts(self, stem: str, text: str) -> str:
        try:
            parts = urlsplit(text)
        except ValueError:
            return self._placeholder(stem, text)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return self._placeholder(stem, text)
        user, at, host = parts.netloc.rpartition("@")
        host = f"{self._placeholder(f'{stem}_USER', user)}@{host}" if at else host
        path = "/".join(self._segment(stem, segment) for segment in parts.path.split("/"))
        query = self._query(stem, parts.query)
        return (
            f"{parts.scheme}://{host}{path}"
            + ("?" if query else "")
            + query
            + (f"#{self._placeholder(f'{stem}_FRAGMENT', parts.fragment)}" if parts.fragment else "")
        )

    def _segment(self, stem: str, segment: str) -> str:
        return segment if not segment or re.fullmatch(_WORD, segment) else self._placeholder(f"{stem}_PATH", segment)

    def _query(self, stem: str, query: str) -> str:
        """Hide every value but ids of objects of the account, which a clone has to translate."""
        mentioned = {
            word for kind in self.kinds.values() for word in (*kind.identity.id_parameters.links, f"{kind.name}_id")
        }
        shown = []
        for part in query.split("&") if query else ():
            name, sign, value = part.partition("=")
            if not sign:
                shown.append(self._placeholder(f"{stem}_QUERY", part) if part else part)
            elif not value or (name.lower() in mentioned and value.isdigit()):
                shown.append(part)
            else:
                shown.append(f"{name}={self._placeholder(f'{stem}_{_upper(name)}', value)}")
        return "&".join(shown)

    def _placeholder(self, name: str, value: str) -> str:
        number, free = 1, name
        while self.secrets.get(free, value) != value:
            number += 1
            free = f"{name}_{number}"
        self.secrets[free] = value
        return secret_marker(free)


def _upper(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "VALUE"


def secrets_in(resources: Iterable[Resource], kinds: Kinds) -> set[str]:
    """Return what is secret in the sensitive texts of resources, where it is long enough to be told from a word."""
    hiding = Hiding(kinds)
    for resource in resources:
        if kinds[resource.kind].marked(Sensitive):
            hiding.resource(resource)
    return {value for value in hiding.secrets.values() if len(value) >= SHORTEST and not values.has_secret(value)}


def addresses_in(resources: Iterable[Resource]) -> list[str]:
    """Return every e-mail address that is a value of its own, or by which a user is looked up, sorted."""
    addresses = set()
    for resource in resources:
        for leaf in values.walk(dict(resource.attrs)):
            text = _text(leaf)
            if text is not None and re.fullmatch(_ADDRESS, text):
                addresses.add(text)
    return sorted(addresses)


def _text(leaf: Value) -> str | None:
    return leaf.value if isinstance(leaf, Lookup) else leaf if isinstance(leaf, str) else None


def variables_for(texts: Iterable[str], given: Mapping[str, object]) -> dict[str, str]:
    """Return a variable for each text: the one that has this value already, or a new one made of what stands before
    the `@`.
    """
    known = {value: name for name, value in given.items() if isinstance(value, str)}
    names = set(given)
    variables: dict[str, str] = {}
    for text in texts:
        if text in known:
            variables[text] = known[text]
            continue
        base = "mail_" + (re.sub(r"[^a-z0-9]+", "_", text.partition("@")[0].lower()).strip("_") or "x")
        name, number = base, 1
        while name in names:
            number += 1
            name = f"{base}_{number}"
        names.add(name)
        variables[text] = name
    return variables
