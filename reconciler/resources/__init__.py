"""The kinds, one file each, found automatically: a module here that defines `KIND` adds a kind. Nothing elsewhere
knows a kind by name.

What every command asks of all kinds is kept in `outlines`, generated from them, so that those are loaded that are in
use. As long as a module here is not in it, all are loaded, and what is asked follows from them.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Mapping

from reconciler.model.catalog import Catalog, Outline, outline_of
from reconciler.model.kind import Kind, Kinds
from reconciler.resources.outlines import MODULES, OUTLINES


@functools.cache
def load_kinds() -> Kinds:
    """Return every kind by name, those first that others refer to; each is loaded when it is asked for."""
    return Catalog(OUTLINES if modules() == MODULES else outlined(), _load)


def modules() -> frozenset[str]:
    """Return the names of the modules that may define a kind."""
    return frozenset(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def outlined() -> Mapping[str, Outline]:
    """Return what is asked of every kind, in use or not, in the order of the kinds; loads all modules."""
    from reconciler.resources.ordering import ordered

    loaded = [importlib.import_module(f"{__name__}.{name}") for name in sorted(modules())]
    known = [kind for module in loaded if isinstance(kind := getattr(module, "KIND", None), Kind)]
    return {kind.name: outline_of(kind) for kind in ordered(known)}


def _load(module: str) -> Kind:
    kind: Kind = importlib.import_module(f"{__name__}.{module}").KIND
    return kind
