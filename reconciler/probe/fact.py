"""What is assumed of an account, and the experiment that finds out."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from reconciler.model.records import record
from reconciler.probe.unsettled import Unsettled

if TYPE_CHECKING:
    from reconciler.probe.lab import Lab

FactSource = Literal["vendor", "recording", "client", "inferred", "nothing"]
"""Where an assumption comes from: the vendor's page, recorded traffic, a client's code, or a reading of these."""


@dataclass(frozen=True)
class Fact:
    """One thing that an account does in one of several ways. `name` is its key in facts files; `assumed` what is found
    where it is as assumed ("": nothing is assumed, any finding will do); `affects` are kinds, or features, that rest on
    it; `changes` says what is different about them where it is otherwise.
    """

    name: str
    row: int
    says: str
    assumed: str
    affects: tuple[str, ...]
    source: FactSource = "recording"
    changes: str = ""


Findings = AsyncIterator[tuple[str, str | Unsettled]]
"""Names of facts and what was found, as soon as it was; or why this one cannot be told here, though others can."""


@record
class Experiment:
    """Requests that settle some facts. `requests` is how many they take at most, the removal of what they made
    included, where each is answered the first time; `held` is how many it takes to remove what is there at one time,
    where each is answered the second time. `leaves` names what cannot be removed. `needs` is what has to be asked for:
    `contacts` are created, or requests are sent in a `burst`. What it found before it failed counts.
    """

    name: str
    facts: tuple[Fact, ...]
    run: Callable[[Lab], Findings]
    requests: int
    writes: bool = True
    leaves: str = ""
    needs: Literal["", "contacts", "burst"] = ""
    held: int = 14


@cache
def load_experiments() -> tuple[Experiment, ...]:
    """Return the experiments of all files of `experiments`, those that write nothing first."""
    package = importlib.import_module("reconciler.probe.experiments")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    files = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    experiments: list[Experiment] = [experiment for file in files for experiment in file.EXPERIMENTS]
    return tuple(sorted(experiments, key=lambda experiment: (experiment.writes, experiment.needs == "burst")))
