"""What of the process may stand in resources: no credential, by whatever route; of everything else what is listed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from reconciler.config.reading.interpolation import Uses
from reconciler.config.reading.nodes import Entry, Spot, at
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.project import LoadedProject
from reconciler.model import values
from reconciler.model.desired import Resource
from reconciler.model.project import PROJECT_FILE
from reconciler.model.records import record
from reconciler.model.redaction import (
    BETWEEN,
    LONG,
    SHORTEST,
    Redactor,
    credentials_in,
    names_a_credential,
    passwords_of,
)

_ENV = re.compile(r"\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}")
_INSIDE = 12
"""Characters of a credential that is looked for inside of a text that was written out."""
BATCH = 200
"""Resources that are looked at together."""


@record
class Credentials:
    """The credentials of a process: each value with the variable or setting that holds it, and the names of variables
    that hold one whatever their value is, set or not. `listed` may be used in resources.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    listed: tuple[str, ...] = ()


def credentials(loaded: LoadedProject, environ: Mapping[str, str]) -> Credentials:
    """Return the credentials of all environments of a project, and those that the process holds besides."""
    values = credentials_in(environ, loaded.project.env)
    names: set[str] = set()
    for environment in loaded.project.environments.values():
        names |= set(_ENV.findall(environment.token))
        token = _filled(environment.token, environ).strip()
        if token and not _ENV.search(token):
            values[token] = next(iter(_ENV.findall(environment.token)), "the token")
        names |= set(_ENV.findall(environment.notify))
        if (notify := _filled(environment.notify, environ).strip()) and not _ENV.search(notify):
            values[notify] = next(iter(_ENV.findall(environment.notify)), "the address of notices")
        for written in (environment.url, environment.state or ""):
            names |= set(_ENV.findall(written.partition("://")[2].rpartition("@")[0]))
            where = next(iter(_ENV.findall(written)), "the URL of the state")
            values.update(dict.fromkeys(passwords_of(_filled(written, environ)), where))
    return Credentials(values, frozenset(names), tuple(loaded.project.env))


def _filled(text: str, environ: Mapping[str, str]) -> str:
    return _ENV.sub(lambda match: environ.get(match.group(1), match.group()), text)


def check_uses(uses: Uses, known: Credentials, environ: Mapping[str, str], problems: Problems) -> None:
    """Report environment variables that hold a credential, and warn of those that the project file does not list."""
    secret = Redactor([*known.values, *(environ[name] for name in uses.secrets if name in environ)])
    exact = {*known.values, *(environ.get(name, "") for name in uses.secrets)}
    unlisted: dict[str, Spot] = {}
    for name, spot in uses.env:
        value = environ.get(name, "")
        if name in known.names or name in uses.secrets or _holds(value, exact, secret):
            _refuse(problems, f"`${{env.{name}}}` holds a credential of this process", spot, name)
        elif name in known.listed:
            continue
        elif names_a_credential(name):
            message = f"`${{env.{name}}}` is named like a credential, and would be shown and stored"
            _refuse(problems, message, spot, name, f"; or list it in {PROJECT_FILE} if it is not secret: ", known)
        else:
            unlisted.setdefault(name, spot)
    for name, spot in unlisted.items():
        message = f"`${{env.{name}}}` is not listed in {PROJECT_FILE}; the next release refuses it"
        problems.warn("unlisted-variable", message, spot, f"add the line `{_line((*known.listed, *unlisted))}`")


def check_values(
    resources: Iterable[Resource], declared: Mapping[str, Entry], known: Credentials, problems: Problems
) -> None:
    """Report texts of resources that hold a credential of the process, wherever they got it from."""
    secret = Redactor(known.values)
    exact = {value for value in known.values if len(value) >= LONG}
    for resource in _suspicious(resources, secret, BATCH):
        for name, value in [("key", resource.key), *resource.attrs.items()]:
            if any(_written(text, exact, secret) for text in _texts(value)):
                entry = declared.get(resource.address)
                inner = at(entry.value, name) if entry is not None else None
                spot = inner.spot if inner is not None else entry.key.spot if entry is not None else None
                message = f"`{name}` of {resource.address} holds a credential of this process"
                _refuse(problems, message, spot, _name(value, known))


def _suspicious(resources: Iterable[Resource], secret: Redactor, size: int) -> Iterator[Resource]:
    """Yield the resources that may hold a credential: most have none, so many are looked at together, then each."""
    waiting = iter(resources)
    while batch := list(itertools.islice(waiting, size)):
        texts: list[str] = []
        for value in itertools.chain.from_iterable((resource.key, *resource.attrs.values()) for resource in batch):
            if isinstance(value, str):
                texts.append(value)
            else:
                texts += _texts(value)
        if secret.knows(BETWEEN.join(texts), LONG, parts=False):
            yield from batch if size == 1 else _suspicious(batch, secret, 1)


def _holds(value: str, exact: set[str], secret: Redactor) -> bool:
    """Return whether a variable's value is a credential, or has one of some length in it."""
    return (len(value.strip()) >= SHORTEST and value.strip() in exact) or secret.knows(value, LONG, parts=False)


def _written(text: str, exact: set[str], secret: Redactor) -> bool:
    return text.strip() in exact or secret.knows(text, _INSIDE, parts=False)


def _texts(value: values.Value) -> Iterator[str]:
    for leaf in values.walk(value):
        text = leaf.value if isinstance(leaf, values.Lookup) else leaf
        if isinstance(text, str):
            yield text


def _name(value: values.Value, known: Credentials) -> str:
    """Return the variable that holds what a value holds, where it is one."""
    texts = list(_texts(value))
    names = (name for value, name in known.values.items() if any(Redactor([value]).knows(text) for text in texts))
    return next((name for name in names if re.fullmatch(r"\w+", name)), "NAME")


def _refuse(
    problems: Problems, message: str, spot: Spot | None, name: str, more: str = "", known: Credentials | None = None
) -> None:
    line = f"`{_line((*known.listed, name))}`" if known is not None else ""
    hint = f"use `${{secret.{name}}}`: it is sent, and neither shown nor stored{more}{line}"
    problems.error("credential", message, spot, hint)


def _line(names: Iterable[str]) -> str:
    return f"env: [{', '.join(dict.fromkeys(names))}]"
