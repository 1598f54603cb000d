"""State in an object store: S3, Google Cloud Storage, Azure (the extra `objectstore`). The only home of obstore.

Conditional writes (`If-None-Match: *` to create, `If-Match` to replace) are the compare-and-set; there is no lock
table.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

from reconciler.model.errors import ReconcilerError, StateError, SurroundingsError
from reconciler.model.proxies import proxy_for
from reconciler.model.redaction import abridged
from reconciler.store.blobs import STATE, Blob, Conflict, NoLogs

T = TypeVar("T")
SETTINGS = {
    "s3": {"endpoint", "region", "virtual_hosted_style_request", "skip_signature", "imdsv1_fallback"},
    "gs": {"endpoint", "service_account", "application_credentials"},
    "az": {"account_name", "endpoint", "use_emulator"},
}
"""What may stand behind `?` in a URL. Credentials come from the environment as for the vendor's own programs."""
CODE = re.compile(r"<Code>(\w+)</Code>")
HOSTS = {
    "s3": "{bucket}.s3.amazonaws.com",
    "gs": "storage.googleapis.com",
    "az": "{account}.blob.core.windows.net",
}
"""Where the vendors' stores are, for NO_PROXY; `endpoint` names another place."""
NOWHERE = "http://127.0.0.1:9"
"""Stands for a proxy that is none."""
RETRIES = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}


class Got(Protocol):
    """An object that was read."""

    meta: Mapping[str, object]

    def bytes(self) -> bytes: ...


class Errors(Protocol):
    """What the library raises."""

    BaseError: type[Exception]
    AlreadyExistsError: type[Exception]
    PreconditionError: type[Exception]
    NotFoundError: type[Exception]


class Library(Protocol):
    """The library `obstore`, as far as it is used here: it is an extra, imported late."""

    exceptions: Errors
    store: Stores

    def get(self, store: object, path: str, /) -> Got: ...
    def put(
        self, store: object, path: str, content: bytes, /, *, mode: object, use_multipart: bool
    ) -> Mapping[str, object]: ...
    def delete(self, store: object, path: str, /) -> None: ...
    def list(self, store: object, prefix: str, /) -> Iterable[Iterable[Mapping[str, str]]]: ...


class Stores(Protocol):
    """Its clients."""

    def from_url(
        self,
        url: str,
        /,
        *,
        config: Mapping[str, str],
        client_options: Mapping[str, object],
        retry_config: Mapping[str, object],
    ) -> object: ...


class ObjectBlobStore(NoLogs):
    """Documents as objects beside each other: `prod.json`, `prod.json.lock`, `prod.json.history/...`."""

    pause = 1.0

    def __init__(self, url: str) -> None:
        self._obstore = _obstore()
        parts = urlsplit(url)
        self._key = parts.path.strip("/")
        self._url = f"{parts.scheme}://{parts.netloc}/{self._key}"
        if not self._key or not parts.netloc:
            raise StateError(f"{self._url} does not name an object", hint=f"write `{parts.scheme}://BUCKET/NAME.json`")
        options = dict(parse_qsl(parts.query))
        wrong = sorted(set(options) - SETTINGS[parts.scheme])
        if wrong:
            known = ", ".join(sorted(SETTINGS[parts.scheme]))
            raise StateError(f"{self._url}: `{wrong[0]}` cannot stand in the URL", hint=f"known: {known}")
        address = _address(parts.scheme, parts.netloc, options, os.environ)
        self._proxy = proxy_for(address, os.environ)
        client: dict[str, object] = _route(address, os.environ)
        if address.startswith("http://"):
            client["allow_http"] = True
        if parts.scheme == "gs" and "endpoint" in options:
            options["base_url"] = options.pop("endpoint")
        try:
            self._store = self._obstore.store.from_url(
                f"{parts.scheme}://{parts.netloc}", config=options, client_options=client, retry_config=RETRIES
            )
        except self._obstore.exceptions.BaseError as error:
            raise StateError(
                f"{self._url} cannot be used: {_first(error)}",
                hint="the account and the credentials come from the environment, as for the vendor's own programs",
            ) from error

    @property
    def where(self) -> str:
        """The URL of the state's object."""
        return self._url

    def _place(self, name: str) -> str:
        return self._key if name == STATE else f"{self._key}.{name}"

    def get(self, name: str) -> Blob | None:
        """Return an object's content."""

        def read() -> Blob | None:
            try:
                answer = self._obstore.get(self._store, self._place(name))
            except FileNotFoundError:
                return None
            meta = answer.meta
            tag = json.dumps({"e_tag": meta.get("e_tag"), "version": meta.get("version")})
            return Blob(bytes(answer.bytes()), tag)

        return self._tried("read", read)

    def put(self, name: str, content: bytes, tag: str | None) -> str:
        """Write an object if it is absent, or still has this e-tag."""
        errors = self._obstore.exceptions

        def write() -> str:
            mode = "create" if tag is None else {k: v for k, v in json.loads(tag).items() if v is not None}
            try:
                result = self._obstore.put(self._store, self._place(name), content, mode=mode, use_multipart=False)
            except (errors.AlreadyExistsError, errors.PreconditionError):
                raise Conflict from None
            except FileNotFoundError:
                if tag is None:  # nothing was to be there: it is the bucket that is missing
                    raise
                raise Conflict from None
            return json.dumps({"e_tag": result.get("e_tag"), "version": result.get("version")})

        return self._tried("written", write)

    def remove(self, name: str) -> None:
        """Remove an object."""

        def remove() -> None:
            try:
                self._obstore.delete(self._store, self._place(name))
            except FileNotFoundError:
                return

        self._tried("removed", remove)

    def names(self, folder: str) -> list[str]:
        """Return the names below a folder."""
        prefix = f"{self._place(folder)}"

        def names() -> list[str]:
            listed = [entry["path"] for batch in self._obstore.list(self._store, prefix) for entry in batch]
            return sorted(f"{folder}/{path[len(prefix) + 1 :]}" for path in listed if path.startswith(f"{prefix}/"))

        return self._tried("listed", names)

    def _tried(self, what: str, action: Callable[[], T]) -> T:
        try:
            return action()
        except (self._obstore.exceptions.BaseError, OSError) as error:
            by = f" by {self._proxy.address}" if self._proxy is not None else ""
            network = "the network" if self._proxy is None else self._proxy.variable
            raise StateError(
                f"{self._url} cannot be {what}{by}: {_first(error)}",
                hint=f"check the URL, the bucket, the credentials in the environment, and {network}; nothing was "
                "overwritten",
            ) from error


def _address(scheme: str, bucket: str, options: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Return the URL of the server that holds the state."""
    named = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or environ.get("AWS_ENDPOINT")
    account = options.get("account_name") or environ.get("AZURE_STORAGE_ACCOUNT_NAME") or ""
    host = HOSTS[scheme].format(bucket=bucket, account=account or "account")
    return options.get("endpoint") or (named if scheme == "s3" else None) or f"https://{host}"


def _route(address: str, environ: Mapping[str, str]) -> dict[str, object]:
    """Return what leads the library the way that all requests of the program go, which it reads from the environment
    in its own way: it goes past what is not a proxy, and knows no ports or brackets in NO_PROXY. Its other requests,
    for credentials, go by the same proxy. Raises SurroundingsError.
    """
    exempt = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    asked = proxy_for(address, environ)
    if asked is None:
        exempt = f"{exempt},{urlsplit(address).hostname}"
        try:
            asked = proxy_for(address, {**environ, "no_proxy": "", "NO_PROXY": ""})
        except SurroundingsError:
            return {"proxy_url": NOWHERE, "proxy_excludes": exempt}
    return {} if asked is None else {"proxy_url": asked.full, "proxy_excludes": exempt}


def _first(error: Exception) -> str:
    """Return the first line of an error, without what follows for programmers; of a vendor's XML its code."""
    text = str(error)
    code = CODE.search(text)
    line = next(iter(text.splitlines()), type(error).__name__).partition("<?xml")[0]
    return f"{abridged(line, 300)}{code[1] if code is not None else ''}"


def _obstore() -> Library:
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError as error:
        raise ReconcilerError(
            "a state in an object store needs the extra `objectstore`",
            hint="pip install 'activecampaign-reconciler[objectstore]'",
        ) from error
    return cast(Library, obstore)
