"""HTML pages: one environment for all templates, in which names from an account stay texts and nothing hidden is shown,
and the policy by which a page runs nothing but what is its own.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from reconciler.render.directions import isolated_html
from reconciler.render.quoting import clean

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def asset(name: str) -> str:
    """Return a file of `templates/` as text."""
    return resources.files("reconciler.render").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def environment() -> Environment:
    """Return what fills templates: what a template does not get is an error, and every text is escaped and cleaned."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    return Environment(
        autoescape=True,
        loader=FunctionLoader(asset),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )


def filled(name: str, /, **content: Any) -> str:
    """Return a page: a template by the name of its file, filled, with names isolated that are read from right to left;
    ends with a newline.
    """
    return isolated_html(environment().get_template(name).render(**content)).rstrip("\n") + "\n"


def policy(style: str, script: str = "") -> str:
    """Return the content security policy of a page that runs and looks like nothing but its own script and style."""
    scripts = f"script-src '{_hash(script)}'; " if script else ""
    return f"default-src 'none'; style-src '{_hash(style)}'; {scripts}base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
