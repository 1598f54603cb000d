"""The cases, found automatically: a module here that defines `CASES` adds a kind."""

from __future__ import annotations

import importlib
import pkgutil

from tests.conformance.case import Case


def load_cases() -> list[Case]:
    """Return all cases in the order of the files."""
    modules = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [case for name in modules for case in importlib.import_module(f"{__name__}.{name}").CASES]
