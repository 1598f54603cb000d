"""The file `fleet.yaml`: which accounts share which baselines, with the place of everything that is wrong."""

from __future__ import annotations

from pathlib import Path

from reconciler.config.reading.files import outside, read_source
from reconciler.config.reading.interpolation import Scope
from reconciler.config.reading.nodes import Entry, Map, Scalar, Spot, spot_of
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.problems import Problems, listed
from reconciler.config.reading.validation import validated
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError
from reconciler.model.fleet import FLEET_FILE, FleetFile
from reconciler.model.nearest import did_you_mean
from reconciler.model.project import PROJECT_FILE
from reconciler.model.records import record


@record
class LoadedFleet:
    """A fleet file as it is written: `${env.X}` is still text. `tree` knows the places."""

    folder: Path
    fleet: FleetFile
    tree: Map

    def spot(self, *path: str) -> Spot:
        """Return the place of a value of the file; of the file itself where it is not there."""
        return spot_of(self.tree, *path)


def load_fleet(folder: Path) -> LoadedFleet:
    """Read the fleet file in `folder`; needs no environment variable and no account. Raises ConfigError."""
    path, problems = folder / FLEET_FILE, Problems()
    if not path.is_file():
        hint = f"write a {FLEET_FILE} with `baselines` and `accounts`, or use --chdir"
        raise ConfigError([Diagnostic(f"there is no {FLEET_FILE} in {folder}", hint=hint, code="no-fleet")])
    source = read_source(path, folder, problems)
    documents = parse(source, problems) if source is not None else None
    problems.check()
    tree = documents[0] if documents else None
    if source is None or not isinstance(tree, Map) or len(documents or ()) > 1:
        hint = "it begins with `version: 1`, and says `baselines` and `accounts` below that; docs/fleets.md has one"
        problems.error("wrong-type", "a fleet file is one map", Spot(source) if source is not None else None, hint)
        problems.check()
        raise AssertionError("a fleet file that is not a map was read")
    entries = {name: entry for name, entry in tree.entries.items() if not name.startswith("x-")}
    shown = Map(source, tree.line, tree.column, entries)
    scope = Scope(problems, {}, fill=False)
    root = Entry(Scalar(source, tree.line, tree.column, "", True, ""), shown)
    fleet = validated(FleetFile, scope.data(shown), root, scope)
    problems.diagnostics = [_hinted(problem) for problem in problems.diagnostics]
    problems.check()
    if fleet is None:
        raise AssertionError("a fleet file without problems was read")
    loaded = LoadedFleet(folder, fleet, tree)
    _check(loaded, problems)
    problems.check()
    return loaded


def _hinted(problem: Diagnostic) -> Diagnostic:
    """Return what is wrong with a hint, whatever is wrong."""
    return problem if problem.hint else problem._replace(hint="docs/fleets.md says what is meant")


def _check(loaded: LoadedFleet, problems: Problems) -> None:
    """Report names that lead nowhere, and folders that are not projects."""
    fleet = loaded.fleet
    for name, baseline in fleet.baselines.items():
        place, spot = loaded.folder / baseline.folder, loaded.spot("baselines", name, "folder")
        if why := outside(place, loaded.folder):
            problems.error("outside", f"`{baseline.folder}` is not read: {why}", spot, "copy it beside the fleet file")
        elif not (place / PROJECT_FILE).is_file():
            hint = f"a baseline is a project with a {PROJECT_FILE}; `reconciler init` writes one"
            problems.error("missing-file", f"there is no {PROJECT_FILE} in `{baseline.folder}`", spot, hint)
    waves = [wave.name for wave in fleet.waves]
    for name in sorted({wave for wave in waves if waves.count(wave) > 1}):
        problems.error("twice", f"there are two waves `{name}`", loaded.spot("waves"), "call one of them otherwise")
    _known(loaded, ("defaults", "baseline"), fleet.defaults.baseline, fleet.baselines, "baseline", problems)
    for name, account in fleet.accounts.items():
        _known(loaded, ("accounts", name, "baseline"), account.baseline, fleet.baselines, "baseline", problems)
        _known(loaded, ("accounts", name, "wave"), account.wave, waves, "wave", problems)
        if account.baseline is None and fleet.defaults.baseline is None:
            hint = "say `baseline` here, or in `defaults`"
            problems.error("no-baseline", f"the account `{name}` has no baseline", loaded.spot("accounts", name), hint)


def _known(
    loaded: LoadedFleet, path: tuple[str, ...], name: str | None, known: object, what: str, problems: Problems
) -> None:
    names = list(known) if isinstance(known, dict | list) else []
    if name is not None and name not in names:
        hint = did_you_mean(name, names, f"there are {listed(names)}" if names else "there are none")
        problems.error(f"unknown-{what}", f"there is no {what} `{name}`", loaded.spot(*path), hint)
