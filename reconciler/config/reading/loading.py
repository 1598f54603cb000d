"""From the files of a project to what they ask for. All problems are collected before anything is raised."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from reconciler.config.reading.blocks import Blocks
from reconciler.config.reading.checks import Checks, check_cycles, check_refuges, check_rosters, check_twins
from reconciler.config.reading.credentials import check_uses, check_values, credentials
from reconciler.config.reading.files import distinct, outside, read_source, shown_path, yaml_files
from reconciler.config.reading.including import Includes, ReadBaseline, no_baselines
from reconciler.config.reading.interpolation import Scope, Uses
from reconciler.config.reading.layers import INCLUDE, Layers
from reconciler.config.reading.nodes import Entry, Node, Sequence, Source, Spot, at
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.places import Places
from reconciler.config.reading.problems import Problems
from reconciler.config.reading.project import EnvironmentSettings, LoadedProject, load_project
from reconciler.config.reading.resources import Reader
from reconciler.config.reading.sections import Sections, patch, sections_of
from reconciler.config.reading.variables import GivenVariables
from reconciler.model.desired import Desired
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.garbage import without_collection
from reconciler.model.kind import Kinds
from reconciler.model.project import PROJECT_FILE
from reconciler.model.records import mutable, record
from reconciler.model.values import Value


@record
class Loaded:
    """What a configuration asks for, and what its author should know although nothing is wrong."""

    desired: Desired
    warnings: tuple[Diagnostic, ...] = ()
    places: Places = field(default_factory=Places)

    @property
    def texts(self) -> dict[str, str]:
        """The text of every file that was read, by its name relative to the project."""
        return {source.file: source.text for source in (*self.places.sources, *self.places.overlays)}


@mutable
class _Files:
    """The sources of a load; None stands for one that could not be read."""

    resources: list[Source | None] = field(default_factory=list)
    overlays: list[Source | None] = field(default_factory=list)


def load(
    loaded: LoadedProject,
    settings: EnvironmentSettings | None,
    kinds: Kinds,
    environ: Mapping[str, str],
    *,
    offline: bool = False,
    texts: Mapping[str, str] | None = None,
    uses: Uses | None = None,
    baselines: ReadBaseline = no_baselines,
) -> Loaded:
    """Return what the project's files ask for in an environment. Raises ConfigError with every problem, and what
    `baselines` raises.

    Without settings, variables that have no default are unknown. With `offline`, so is what `environ` lacks. `texts`
    are read in place of the files of these names, there or not. `uses` is told what is taken from the process, also
    where something is wrong.
    """
    problems = Problems()
    given_texts = texts or {}

    def source(path: Path) -> Source | None:
        file = shown_path(path, loaded.folder)
        if file in given_texts:
            return Source(file, given_texts[file])
        return read_source(path, loaded.folder, problems)

    files = _Files([source(path) for path in _resource_files(loaded, problems, given_texts)])
    for name in settings.overlays if settings is not None else ():
        path = loaded.folder / name
        if path.exists() or path.is_symlink() or name in given_texts:
            files.overlays.append(source(path))
        else:
            spot = loaded.spot("environments", settings.name if settings is not None else "", "overlays")
            problems.error("missing-file", f"the overlay `{name}` does not exist", spot)
    given = _given(settings, loaded)
    _tell_literal_tokens(loaded, problems)
    uses = Uses() if uses is None else uses
    inside = at(loaded.tree, "environments", settings.name, "variables") if settings is not None else None
    if inside is not None:  # what is wrong with them was told when the environment was chosen
        Scope(Problems(), environ, offline=True, uses=uses).data(inside.value)
    includes = Includes(loaded.folder, problems, baselines=baselines)
    return _load(files, given, kinds, environ, includes, offline=offline, project=loaded, uses=uses)


def _tell_literal_tokens(loaded: LoadedProject, problems: Problems) -> None:
    for name, environment in loaded.project.environments.items():
        if environment.token.strip() and "${" not in environment.token and not environment.url.startswith("emulator:"):
            spot = loaded.spot("environments", name, "token")
            hint = f"write `token: ${{env.AC_{re.sub(r'[^A-Z0-9]', '_', name.upper())}_TOKEN}}`, and make a new key"
            message = f"the key of `{name}` stands in {PROJECT_FILE}, for all who may read the repository"
            problems.warn("literal-token", message, spot, hint)


def load_texts(
    texts: Mapping[str, str],
    settings: EnvironmentSettings | None,
    kinds: Kinds,
    environ: Mapping[str, str],
    *,
    overlays: Mapping[str, str] | None = None,
    offline: bool = False,
) -> Loaded:
    """Return what texts ask for, each under the name of its file. Raises ConfigError with every problem."""
    files = _Files(
        [Source(file, text) for file, text in texts.items()],
        [Source(file, text) for file, text in (overlays or {}).items()],
    )
    return _load(files, _given(settings, None), kinds, environ, Includes(None, Problems()), offline=offline)


def plain_data(text: str, file: str) -> Value:
    """Return a YAML text's first document as plain data; nothing is filled in. Raises ConfigError."""
    problems = Problems()
    documents = parse(Source(file, text), problems) or []
    data = [Scope(problems, {}, fill=False).data(document) for document in documents[:1]]
    problems.check()
    return data[0] if data else None


def project_files(folder: Path) -> list[str]:
    """Return the project file, the resource files and the overlays, relative to the folder.

    Raises ConfigError where one cannot be read.
    """
    problems = Problems()
    loaded = load_project(folder)
    overlays = [folder / name for environment in loaded.project.environments.values() for name in environment.overlays]
    places = [
        folder / PROJECT_FILE,
        *_resource_files(loaded, problems),
        *(overlay for overlay in overlays if overlay.is_file()),
    ]
    for place in places:
        read_source(place, folder, problems)
    problems.check()
    return [shown_path(place, folder) for place in distinct(places)]


def _resource_files(loaded: LoadedProject, problems: Problems, more: Iterable[str] = ()) -> list[Path]:
    """Return the files of all `config` folders, without the project file and any overlays. `more` may be missing."""
    files: list[Path] = []
    for name in loaded.project.config:
        place = loaded.folder / name
        if why := outside(place, loaded.folder):
            problems.error("outside", f"`{name}` is not read: {why}", loaded.spot("config"), "copy it into the project")
            continue
        new = [loaded.folder / file for file in more if Path(file).is_relative_to(name)]
        if place.exists() or place.is_symlink() or new:
            paths = yaml_files(place, loaded.folder, problems) if place.exists() or place.is_symlink() else []
            files += sorted({*paths, *new})
        else:
            named = "config" in loaded.project.model_fields_set
            message = f"`{name}` does not exist; resource files are looked for there"
            hint = f"create the folder {name}/ or set `config` in {PROJECT_FILE}"
            (problems.error if named else problems.warn)("missing-file", message, loaded.spot("config"), hint)
    overlays = {
        os.path.realpath(loaded.folder / name)
        for environment in loaded.project.environments.values()
        for name in environment.overlays
    }
    apart = {*overlays, os.path.realpath(loaded.folder / PROJECT_FILE)}
    return [path for path in distinct(files) if os.path.realpath(path) not in apart]


def _given(settings: EnvironmentSettings | None, loaded: LoadedProject | None) -> GivenVariables:
    if settings is None:
        return GivenVariables({}, {}, known=False)
    spots: dict[str, Spot] = {}
    if loaded is not None:
        spots = {name: loaded.spot("environments", settings.name, "variables", name) for name in settings.variables}
    return GivenVariables(settings.variables, spots, True, f"`variables` of the environment `{settings.name}`")


def _load(
    files: _Files,
    given: GivenVariables,
    kinds: Kinds,
    environ: Mapping[str, str],
    includes: Includes,
    *,
    offline: bool,
    project: LoadedProject | None = None,
    uses: Uses | None = None,
) -> Loaded:
    problems = includes.problems
    with without_collection():
        scope = Scope(problems, environ, offline=offline, complete=not problems.errors, uses=uses or Uses())
        layers = Layers(includes, kinds, scope)
        sections = layers.read(files.resources, given, _includes(project))
        for source in files.overlays:
            documents = parse(source, problems) if source is not None else None
            if documents is None:
                scope.complete = False
            else:
                patch(documents, kinds, sections, problems)
        desired, declared = _read(sections, layers, kinds, scope)
        if project is not None:
            known = credentials(project, environ)
            check_uses(scope.uses, known, environ, problems)
            check_values(desired.resources.values(), declared, known, problems)
        places = Places(
            kinds,
            declared,
            frozenset(layers.included),
            tuple(source for source in files.resources if source is not None),
            tuple(source for source in files.overlays if source is not None),
            dict(scope.variables.values) if scope.variables is not None else {},
        )
        return Loaded(desired, problems.check(), places)


def _includes(project: LoadedProject | None) -> list[Node]:
    entry = at(project.tree, INCLUDE) if project is not None else None
    return entry.value.items if entry is not None and isinstance(entry.value, Sequence) else []


def _read(sections: Sections, layers: Layers, kinds: Kinds, scope: Scope) -> tuple[Desired, Mapping[str, Entry]]:
    """Read the resources and check them together; where a file could not be read, absence proves nothing."""
    problems = scope.problems
    reader = Reader(kinds, scope)
    for section, name in sections_of(kinds).items():
        if section in sections.resources:
            reader.read(kinds[name], sections.resources[section])
    checks = Checks(kinds, reader.declared, problems, scope.complete, layers.prefixes)
    resources = checks.resolved(reader.resources)
    checks.resolved(reader.broken)
    blocks = Blocks(kinds, scope, reader.declared, scope.complete, layers.prefixes)
    imports = blocks.imports(sections.blocks.get("imports", ()))
    pinned = frozenset(block.target for block in imports)
    check_twins(resources.values(), kinds, reader.declared, pinned, problems)
    check_rosters(resources, kinds, reader.declared, problems)
    check_refuges(resources.values(), kinds, reader.declared, problems)
    check_cycles(resources, reader.declared, problems)
    moved = blocks.moved(sections.blocks.get("moved", ()))
    removed = blocks.removed(sections.blocks.get("removed", ()))
    if scope.complete:
        layers.tell_unused()
    # Without an id, an environment says that it has no such object yet: the declaration is pinned to nothing.
    imports = tuple(block for block in imports if block.id)
    return Desired(resources, moved, removed, imports), reader.declared
