"""The verb `init --adopt`: a project of an account that exists, checked before anything is written."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.model.account_url import EMULATOR, vendor_name
from reconciler.model.errors import WrongInput
from reconciler.model.project import PROJECT_FILE
from reconciler.model.touched import collecting
from reconciler.store.atomic import write_file
from reconciler.workflow.doctor.account import Check
from reconciler.workflow.doctor.environment import examine
from reconciler.workflow.export.target import MODELINE
from reconciler.workflow.init import FILES, IGNORE
from reconciler.workflow.opening.projects import open_session
from reconciler.workflow.opening.runtime import Runtime


def address_of(typed: str) -> str:
    """Return the API URL that is meant: with a scheme, and of the product's own address the API's part only.
    Raises ReconcilerError for what is none.
    """
    text = typed.strip()
    if text.startswith(EMULATOR) and text != EMULATOR:
        return text
    if "://" not in text:
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises where it is not a number
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.:-]+", host) or parts.username:
        raise WrongInput(
            "this is not an address of an account",
            hint="give the API URL from Settings > Developer, like https://youraccount.api-us1.com",
        )
    vendor = vendor_name(host)
    way = parts.path.rstrip("/")
    path = "" if vendor or way in ("/app", "/api/3") else way
    return f"{parts.scheme}://{parts.netloc}{path}"


def project_of(name: str, url: str, key: str) -> dict[str, str]:
    """Return the files of a project with one environment; `key` is the variable in which it looks for the key."""
    token = f"    token: ${{env.{key}}}        # the API key from Settings > Developer; never in a file\n"
    token = "" if url.startswith(EMULATOR) else token
    return {
        PROJECT_FILE: f"""\
{MODELINE}
# Where the account is. See `reconciler schema project` for everything that can stand here.
version: 1

environments:
  {name}:
    url: {url}
{token}    production: true                  # what is lost is asked for by the account's name; 3 requests a second

default_environment: {name}
""",
        IGNORE: FILES[IGNORE],
    }


async def check(files: Mapping[str, str], folder: Path, runtime: Runtime) -> list[Check]:
    """Return what `doctor` finds of a project that is not written yet; nothing is left behind."""
    with collecting(), tempfile.TemporaryDirectory() as place:
        write_file(Path(place) / PROJECT_FILE, files[PROJECT_FILE].encode())
        return await examine(replace(open_session(Path(place), None, runtime), folder=folder, bare=True))
