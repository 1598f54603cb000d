"""The project file: which environments there are, and the settings of the one that a run is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from reconciler.config.reading.files import decode, read_source
from reconciler.config.reading.interpolation import Scope
from reconciler.config.reading.nodes import Entry, Map, Node, Scalar, Sequence, Source, Spot, at, entries_of, spot_of
from reconciler.config.reading.parsing import parse
from reconciler.config.reading.problems import Problems, listed
from reconciler.config.reading.requiring import fits
from reconciler.config.reading.validation import validated
from reconciler.model.account_url import EMULATOR, LOOPBACK, AccountIdentity
from reconciler.model.address import KEY_PATTERN
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError
from reconciler.model.http import is_address, is_api_address
from reconciler.model.nearest import did_you_mean
from reconciler.model.project import (
    DECLARES,
    ENVIRONMENT_DECLARES,
    PROJECT_FILE,
    Encryption,
    Environment,
    Guards,
    Project,
    Secrets,
)

_VARIABLE = re.compile(r"\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}")


class LoadedProject(NamedTuple):
    """A project file as it is written: `${env.X}` is still text. `tree` knows the places."""

    folder: Path
    project: Project
    tree: Map

    def spot(self, *path: str) -> Spot:
        """Return the place of a value of the project file; of the file itself where it is not there."""
        return spot_of(self.tree, *path)


@dataclass(frozen=True)
class EnvironmentSettings:
    """One environment with everything filled in. `variables` may hold secrets' markers, never secrets."""

    name: str
    url: str
    token: str = ""
    account: str | None = None
    state: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    overlays: tuple[str, ...] = ()
    requests_per_second: float | None = None
    production_by: str = ""
    """The environment that calls this account a production account: this one, or another of the same account; or ""."""
    doubted: bool = False
    """Its address does not tell whether it is the production account of another environment: the account is asked."""
    guards: Guards = field(default_factory=Guards)
    history: int = 20
    recipients: tuple[str, ...] = ()
    secrets: Secrets | None = None
    facts: str | None = None
    """Another environment, whose facts hold here too."""
    notify: str = field(default="", repr=False)
    """Where notices go; with `${env.X}` in it where the variable is not set: no plan fails for that."""


def load_project(folder: Path) -> LoadedProject:
    """Read the project file in `folder`; needs no environment variable. Raises ConfigError."""
    problems = Problems()
    if not (folder / PROJECT_FILE).is_file():
        above = next((path for path in folder.parents if (path / PROJECT_FILE).is_file()), None)
        hint = "change to the project's folder or use --chdir; `reconciler init` writes a new project"
        if above is not None:
            up = "/".join(".." for _ in range(len(folder.parts) - len(above.parts)))
            hint = f"the project `{above.name}` is above: change there, or use `--chdir {up}`"
        raise ConfigError([Diagnostic(f"there is no {PROJECT_FILE} in {folder}", hint=hint, code="no-project")])
    return _loaded(read_source(folder / PROJECT_FILE, folder, problems), folder, problems)


def parse_project(text: bytes, folder: Path) -> LoadedProject:
    """Return a project file's content from its bytes, as if it stood in `folder`. Raises ConfigError."""
    problems = Problems()
    return _loaded(decode(text, PROJECT_FILE, problems), folder, problems)


def _loaded(source: Source | None, folder: Path, problems: Problems) -> LoadedProject:
    read = read_project(source, problems) if source is not None else None
    problems.check()
    if read is None:
        raise AssertionError("a project without problems was read")
    return LoadedProject(folder, *read)


def held_to(proposed: LoadedProject, ruling: LoadedProject, declares: frozenset[str] = DECLARES) -> LoadedProject:
    """Return the ruling project with the resources that the proposed one declares: with its folders (the members that
    `declares` names), and for each environment that the ruling project knows, with its values of variables and its
    overlays.
    """
    known = {name: entry for name, entry in ruling.tree.entries.items() if name not in declares}
    known |= {name: entry for name, entry in proposed.tree.entries.items() if name in declares}
    environments = known["environments"]
    merged = {
        name: Entry(entry.key, _declaring(entry.value, at(proposed.tree, "environments", name)))
        for name, entry in entries_of(environments.value).items()
    }
    old = environments.value
    known["environments"] = Entry(environments.key, Map(old.source, old.line, old.column, merged))
    tree = Map(proposed.tree.source, ruling.tree.line, ruling.tree.column, known)
    inner = {
        name: environment.model_copy(
            update={
                part: getattr(proposed.project.environments[name], part)
                if name in proposed.project.environments
                else Environment.model_fields[part].get_default(call_default_factory=True)
                for part in ENVIRONMENT_DECLARES
            }
        )
        for name, environment in ruling.project.environments.items()
    }
    declared = {name: getattr(proposed.project, name) for name in declares}
    return LoadedProject(ruling.folder, ruling.project.model_copy(update={**declared, "environments": inner}), tree)


def _declaring(ruling: Node, proposed: Entry | None) -> Map:
    mine = entries_of(proposed.value) if proposed is not None else {}
    entries = {name: entry for name, entry in entries_of(ruling).items() if name not in ENVIRONMENT_DECLARES}
    entries |= {name: entry for name, entry in mine.items() if name in ENVIRONMENT_DECLARES}
    return Map(ruling.source, ruling.line, ruling.column, entries)


def differing(proposed: Project, ruling: Project) -> dict[str, Any]:
    """Return what the proposed project writes otherwise besides declaring resources, by its path."""
    changed = _differing(proposed, ruling, DECLARES | {"environments"}, "")
    for name in sorted({*proposed.environments, *ruling.environments}):
        mine, theirs = proposed.environments.get(name), ruling.environments.get(name)
        if mine is None or theirs is None:
            changed[f"environments.{name}"] = mine.model_dump(mode="json") if mine is not None else None
        else:
            changed |= _differing(mine, theirs, ENVIRONMENT_DECLARES, f"environments.{name}.")
    return changed


def _differing(mine: Any, theirs: Any, besides: frozenset[str], path: str) -> dict[str, Any]:
    ours, other = mine.model_dump(mode="json"), theirs.model_dump(mode="json")
    return {f"{path}{name}": ours[name] for name in ours if name not in besides and ours[name] != other[name]}


def read_project(source: Source, problems: Problems) -> tuple[Project, Map] | None:
    """Return a project file's content and its tree, or None where it is wrong, which `problems` then tells."""
    documents = parse(source, problems)
    if documents is None:
        return None
    tree = documents[0] if documents else None
    if not isinstance(tree, Map) or len(documents) > 1:
        spot = Spot(source) if tree is None else documents[-1].spot
        problems.error("wrong-type", "a project file is one map", spot, "`reconciler init` writes an example")
        return None
    if not fits(tree, problems):
        return None
    shown = Map(
        source,
        tree.line,
        tree.column,
        {name: entry for name, entry in tree.entries.items() if not name.startswith("x-")},
    )
    scope = Scope(problems, {}, fill=False)
    root = Entry(Scalar(source, tree.line, tree.column, "", True, ""), shown)
    project = validated(Project, scope.data(shown), root, scope)
    if project is None:
        return None
    _check_names(project, tree, problems)
    _check_interpolation(tree, problems)
    return project, tree


def _check_names(project: Project, tree: Map, problems: Problems) -> None:
    for name, entry in entries_of(tree.entries["environments"].value).items():
        if not KEY_PATTERN.match(name):
            hint = "use letters, digits, `_` and `-`: the name becomes part of file names"
            problems.error("bad-key", f"`{name}` cannot name an environment", entry.key.spot, hint)
    _check_lenders(project, tree, problems)
    _check_outputs(project, tree, problems)
    default = project.default_environment
    if default is not None and default not in project.environments:
        hint = did_you_mean(default, project.environments, f"there are {listed(project.environments)}")
        problems.error(
            "unknown-environment",
            f"there is no environment `{default}`",
            tree.entries["default_environment"].spot,
            hint,
        )


def _check_lenders(project: Project, tree: Map, problems: Problems) -> None:
    """Report `facts:` that names no environment, the environment itself, or one that in turn rests on it."""
    lenders = {
        name: environment.facts for name, environment in project.environments.items() if environment.facts is not None
    }
    for name, lender in lenders.items():
        spot = at(tree, "environments", name, "facts")
        place = spot.spot if spot is not None else Spot(tree.source)
        if lender not in project.environments:
            hint = did_you_mean(lender, project.environments, f"there are {listed(project.environments)}")
            problems.error("unknown-environment", f"there is no environment `{lender}`", place, hint)
        elif lender == name:
            hint = "what was probed on this account is used without it; remove the line"
            problems.error("bad-facts", f"`{name}` borrows facts from itself", place, hint)
        elif (circle := _circle(lenders, name)) and min(circle) == name:
            hint = "facts are borrowed from the account that was probed, which borrows from no other in the circle"
            way = " from ".join(f"`{lender}`" for lender in (*circle, name))
            problems.error("bad-facts", f"facts are borrowed in a circle: {way}", place, hint)


def _circle(lenders: Mapping[str, str], name: str) -> list[str]:
    """Return the environments that borrow from each other, beginning with one of them; none where it is in no
    circle.
    """
    circle = [name]
    while (after := lenders.get(circle[-1])) is not None and after not in circle:
        circle.append(after)
    return circle if after == name else []


def _check_outputs(project: Project, tree: Map, problems: Problems) -> None:
    entry = at(tree, "outputs")
    items = entry.value.items if entry is not None and isinstance(entry.value, Sequence) else []
    for item, output in zip(items, project.outputs, strict=True):
        for name in output.environments if isinstance(output.environments, list) else []:
            if name not in project.environments:
                hint = did_you_mean(name, project.environments, f"there are {listed(project.environments)}")
                problems.error("unknown-environment", f"there is no environment `{name}`", item.spot, hint)


def _check_interpolation(tree: Map, problems: Problems) -> None:
    """Report every `${...}` of a form that no environment variable could help."""
    own = Problems()
    for name in entries_of(tree.entries["environments"].value):
        _filled(tree, name, Scope(own, {}, secrets=False, offline=True), Scope(own, {}, offline=True))
    problems.diagnostics += [problem for problem in own.diagnostics if problem.severity == "error"]


def _filled(tree: Map, name: str, plain: Scope, variables: Scope) -> dict[str, Any]:
    entry = at(tree, "environments", name)
    parts = entries_of(entry.value) if entry is not None else {}
    return {
        key: (variables if key == "variables" else plain).data(part.value)
        for key, part in parts.items()
        if key != "notify"
    }


def environment(
    loaded: LoadedProject, name: str | None, environ: Mapping[str, str], *, offline: bool = False
) -> EnvironmentSettings:
    """Return the settings of an environment; None means the default one. Raises ConfigError.

    With `offline`, variables that `environ` lacks leave `${env.X}` as it is written.
    """
    problems = Problems()
    chosen = _chosen(loaded, name, problems)
    plain = Scope(problems, environ, secrets=False, offline=offline)
    data = _filled(loaded.tree, chosen, plain, Scope(problems, environ, offline=offline)) if chosen is not None else {}
    if chosen is not None and not problems.errors:
        for key in ("url", "token"):
            if key in data and not data[key].strip():
                problems.error(
                    "empty-setting",
                    f"`{key}` is empty",
                    loaded.spot("environments", chosen, key),
                    "is the environment variable empty?",
                )
    if chosen is not None and not problems.errors:
        _check_access(loaded, chosen, data, problems)
    problems.check()
    environment = Environment.model_validate(data)
    return EnvironmentSettings(
        chosen or "",
        environment.url.strip(),
        environment.token.strip(),
        environment.account,
        environment.state,
        environment.variables,
        tuple(environment.overlays),
        environment.requests_per_second,
        production_by(loaded, chosen or "", environ),
        _doubted(loaded, chosen or "", environ),
        environment.guards,
        environment.history,
        recipients_of(environment.encryption or loaded.project.encryption),
        environment.secrets or loaded.project.secrets,
        environment.facts,
        _address_of_notices(loaded, chosen or "", environ, problems),
    )


def account_named(
    loaded: LoadedProject, name: str, environ: Mapping[str, str], also: Iterable[str] = ()
) -> AccountIdentity:
    """Return the account of an environment, as far as the variables that are set say it."""
    scope = Scope(Problems(), environ, secrets=False, offline=True)
    entries = entries_of(loaded.tree.entries["environments"].value)
    parts = entries_of(entries[name].value)
    url, account, token = (
        str(scope.data(parts[key].value) or "").strip() if key in parts else "" for key in ("url", "account", "token")
    )
    return account_at(loaded.folder, url, account, token, also)


def account_at(folder: Path, url: str, account: str = "", key: str = "", also: Iterable[str] = ()) -> AccountIdentity:
    """Return the account at a URL of a project, or a fleet, in `folder`; that of an emulator is its file."""
    if url.startswith(EMULATOR):
        url = f"{EMULATOR}{(folder / url.removeprefix(EMULATOR)).resolve()}"
    return AccountIdentity.of(url, account, key, also)


def production_by(loaded: LoadedProject, name: str, environ: Mapping[str, str], also: Iterable[str] = ()) -> str:
    """Return which environment says that the account of this one is a production account: this one itself, or another
    one that has the same account, by whichever name; "" where none does. `also` are the names that the account gave
    itself.
    """
    known = loaded.project.environments
    if known[name].production:
        return name
    others = [other for other in known if known[other].production]
    if not others:
        return ""
    mine = account_named(loaded, name, environ, also)
    return next((other for other in others if mine.same(account_named(loaded, other, environ))), "")


def _doubted(loaded: LoadedProject, name: str, environ: Mapping[str, str]) -> bool:
    """Return whether an environment may have the production account of another one under an address of its own."""
    known = loaded.project.environments
    others = any(known[other].production for other in known if other != name)
    return others and account_named(loaded, name, environ).at in ("", "loopback")


def without_address(loaded: LoadedProject, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the production environments whose address is not known here: a variable is not set."""
    known = loaded.project.environments
    productive = (name for name in known if known[name].production and "${" in known[name].url)
    return tuple(name for name in productive if "${" in "".join(account_named(loaded, name, environ).names))


def say_production(name: str) -> str:
    """Return the advice for an environment whose account another one calls production."""
    return f"say `production: true` in `{name}` as well, or give it the `url` of an account of its own"


def disagreeing(loaded: LoadedProject, environ: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Return a warning for each environment that does not say of its account that it is production, as another does."""
    problems = Problems()
    for name in loaded.project.environments:
        if (other := production_by(loaded, name, environ)) not in ("", name):
            problems.warn(
                "production-elsewhere",
                f"`{name}` has the account of `{other}`, which is `production: true`: it is production here too",
                loaded.spot("environments", name, "url"),
                say_production(name),
            )
    return tuple(problems.diagnostics)


def _check_access(loaded: LoadedProject, name: str, data: Mapping[str, Any], problems: Problems) -> None:
    """Report an address or a key that no request can be made with. The key itself is never shown."""
    url, token = str(data["url"]).strip(), data.get("token")
    if url.startswith(EMULATOR) or "${" in url:
        return
    spot = loaded.spot("environments", name, "url")
    if not is_api_address(url):
        hint = "it begins with https://, see Settings > Developer; or emulator:PATH for the built-in emulator"
        problems.error("bad-url", "`url` is not the address of an API", spot, hint)
    if token is None:
        hint = "add `token: ${env.NAME}` and export the key from Settings > Developer under that name"
        problems.error("no-token", f"the environment `{name}` has no `token`", spot, hint)
    elif not re.fullmatch(r"[!-~]+", token.strip()) and "${" not in token:
        hint = "copy the key from Settings > Developer again: it has neither spaces nor special characters"
        problems.error("bad-token", "`token` cannot be an API key", loaded.spot("environments", name, "token"), hint)


def _address_of_notices(loaded: LoadedProject, name: str, environ: Mapping[str, str], problems: Problems) -> str:
    """Return where notices go, with the environment variables that are set. Raises ConfigError where nothing can go
    there, without what is written: the address itself is a secret.
    """
    written = loaded.project.environments[name].notify
    url = _VARIABLE.sub(lambda match: environ.get(match.group(1)) or match.group(), written).strip()
    if url and "${" not in url:
        safe = url.startswith("https://") or (url.startswith("http://") and urlsplit(url).hostname in LOOPBACK)
        if not (safe and is_address(url)):
            hint = "it begins with https://; what goes there would be readable on the way otherwise"
            spot = loaded.spot("environments", name, "notify")
            problems.error("bad-notify", "`notify` is not an address that notices can go to", spot, hint)
            problems.check()
    return url


def recipients_of(encryption: Encryption | None) -> tuple[str, ...]:
    """Return whom a state is encrypted for; empty where it is not."""
    return tuple(encryption.recipients) if encryption is not None else ()


def _chosen(loaded: LoadedProject, name: str | None, problems: Problems) -> str | None:
    known = loaded.project.environments
    chosen = name or loaded.project.default_environment or (next(iter(known)) if len(known) == 1 else None)
    spot = loaded.spot("environments")
    if chosen is None:
        hint = f"use --env with one of {listed(known)}, or set `default_environment`"
        problems.error("no-environment", "no environment was chosen", Spot(spot.source), hint)
    elif chosen not in known:
        hint = did_you_mean(chosen, known, f"there are {listed(known)}")
        problems.error("unknown-environment", f"there is no environment `{chosen}`", spot, hint)
        return None
    return chosen
