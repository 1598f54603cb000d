"""Who belongs to a fleet: accounts that the file names, from CSV and JSON lines, and from the vendor's Partners API."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reconciler.config.reading.files import outside
from reconciler.config.reading.fleet import LoadedFleet
from reconciler.config.reading.problems import listed
from reconciler.config.reading.project import account_at
from reconciler.fleet.partners import Tell
from reconciler.fleet.rollout import fits, parted
from reconciler.model.codehost import Web
from reconciler.model.diagnostics import Diagnostic, Position
from reconciler.model.errors import ConfigError, ReconcilerError, WrongInput
from reconciler.model.fleet import MAX_ACCOUNTS, NAME, Accounts, FleetAccount, Job, Partners
from reconciler.model.nearest import did_you_mean
from reconciler.model.records import record
from reconciler.model.redaction import abridged
from reconciler.store.reading import read_regular

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_BYTES = 64 * 1024 * 1024
PLAIN = ("name", "url", "token", "baseline", "wave", "overlays", "production")


def members(
    loaded: LoadedFleet, environ: Mapping[str, str], web: Web | None = None, tell: Tell = lambda why: None
) -> dict[str, Job]:
    """Return what is to be done for each account, by name. `web` asks the Partners API; without it, accounts that only
    that API knows are left out, and so are those of it that the files name: what they say of one holds. `tell` is told
    of what else is passed over. Raises ConfigError with every problem, AuthError, RemoteError, Unreachable.
    """
    fleet, problems = loaded.fleet, list[Diagnostic]()
    jobs: dict[str, Job] = {name: _job(loaded, name, account) for name, account in fleet.accounts.items()}
    places: dict[str, Position | None] = {name: loaded.spot("accounts", name, "url").position for name in jobs}
    for source in sorted(fleet.sources, key=lambda source: source.partners is not None):
        listed_here = _listed(loaded.folder, jobs) if source.partners is not None else frozenset()
        for line, name, account in _rows(loaded.folder, source, environ, web, tell, problems):
            place = line or loaded.spot("sources").position
            if listed_here and account_at(loaded.folder, account.url).names & listed_here:
                continue
            if name in jobs:
                problems.append(Diagnostic(f"the account `{name}` is there twice", place, OWN_NAME, code="twice"))
                continue
            if len(jobs) >= MAX_ACCOUNTS:
                raise WrongInput(f"a fleet has at most {MAX_ACCOUNTS:,} accounts", hint="split it")
            jobs[name], places[name] = _job(loaded, name, account), place
            problems += _lost(loaded, name, jobs[name], place)
    problems += _twice(loaded, jobs, places)
    problems += _empty_waves(loaded, jobs) if jobs and not problems else ()
    if problems:
        raise ConfigError([_hinted(problem) for problem in problems])
    return jobs


OWN_NAME = "each account has a name of its own: leave one of them out, or call it otherwise"


def _hinted(problem: Diagnostic) -> Diagnostic:
    """Return what is wrong with a hint, whatever is wrong."""
    return problem if problem.hint else problem._replace(hint="docs/fleets.md says what belongs into lists of accounts")


def _twice(loaded: LoadedFleet, jobs: Mapping[str, Job], places: Mapping[str, Position | None]) -> Iterator[Diagnostic]:
    """Yield the accounts that are there under two names."""
    urls: dict[str, str] = {}
    for name, job in jobs.items():
        names = account_at(loaded.folder, job.url).names
        known = next((urls[own] for own in names if own in urls), name)
        urls.update(dict.fromkeys(names, known))
        if known != name:
            why = f"the accounts `{known}` and `{name}` are the same one by their url, and would undo each other"
            yield Diagnostic(why, places[name], "leave one of them out", code="twice")


def _listed(folder: Path, jobs: Mapping[str, Job]) -> frozenset[str]:
    """Return by which names the accounts of these jobs are known."""
    return frozenset(name for job in jobs.values() for name in account_at(folder, job.url).names)


def _job(loaded: LoadedFleet, name: str, account: FleetAccount) -> Job:
    defaults = loaded.fleet.defaults
    token = account.token or (defaults.token or "").replace("{name}", _variable(name)).replace(
        "{NAME}", _variable(name).upper()
    )
    baseline = account.baseline or defaults.baseline or ""
    known = loaded.fleet.baselines.get(baseline)
    return Job(
        account=name,
        url=account.url,
        token=token.removeprefix("${env.").removesuffix("}"),
        baseline=baseline,
        version=known.version if known is not None else "",
        variables={**defaults.variables, **account.variables},
        overlays=list(account.overlays),
        labels={**defaults.labels, **account.labels},
        wave=account.wave,
        production=account.production if account.production is not None else defaults.production or None,
    )


def _empty_waves(loaded: LoadedFleet, jobs: Mapping[str, Job]) -> Iterator[Diagnostic]:
    """Yield waves that no account can be in, and accounts that are in none. An agency whose accounts were not asked
    for yet may have others.
    """
    place, waves = loaded.spot("waves").position, loaded.fleet.waves
    try:
        parted(waves, jobs)
    except ReconcilerError as error:
        yield Diagnostic(error.message, place, error.hint, code="no-wave")
    if any(source.partners for source in loaded.fleet.sources):
        return
    rest = next((at for at, wave in enumerate(waves) if wave.accounts == "rest" and not wave.labels), len(waves))
    for at, wave in enumerate(waves):
        if any(job.wave == wave.name for job in jobs.values()):
            continue
        if not any(fits(job, wave) for job in jobs.values()):
            why = f"no account has the labels of the wave `{wave.name}`"
            yield Diagnostic(why, place, _labels(jobs), code="empty-wave")
        elif at > rest:
            why = f"the wave `{wave.name}` is behind `{waves[rest].name}`, which takes the rest"
            yield Diagnostic(why, place, "let the wave with `rest` be the last one", code="empty-wave")


def _labels(jobs: Mapping[str, Job]) -> str:
    labels = sorted({f"{name}={value}" for job in jobs.values() for name, value in job.labels.items()})
    return f"there are {listed(labels[:20])}" if labels else "no account has any"


def _variable(name: str) -> str:
    return name.replace("-", "_")


def _lost(loaded: LoadedFleet, name: str, job: Job, place: Position | None) -> Iterator[Diagnostic]:
    """Yield what an account of a list names that is not there."""
    waves = [wave.name for wave in loaded.fleet.waves]
    if not job.baseline:
        hint = "say `baseline` in its line, or in `defaults` of the fleet file"
        yield Diagnostic(f"the account `{name}` has no baseline", place, hint, code="no-baseline")
    elif job.baseline not in loaded.fleet.baselines:
        hint = did_you_mean(job.baseline, loaded.fleet.baselines, f"there are {listed(loaded.fleet.baselines)}")
        yield Diagnostic(f"there is no baseline `{abridged(job.baseline, 80)}`", place, hint, code="unknown-baseline")
    if job.wave is not None and job.wave not in waves:
        hint = did_you_mean(job.wave, waves, f"there are {listed(waves)}")
        yield Diagnostic(f"there is no wave `{abridged(job.wave, 80)}`", place, hint, code="unknown-wave")


# --- lists ---------------------------------------------------------------------------------------------------------


def _rows(
    folder: Path, source: Accounts, environ: Mapping[str, str], web: Web | None, tell: Tell, problems: list[Diagnostic]
) -> Iterator[tuple[Position | None, str, FleetAccount]]:
    rows: Iterable[tuple[Position | None, dict[str, Any]]]
    if source.partners is not None:
        rows = _partners(source.partners, environ, web, tell) if web is not None else ()
    elif source.csv is not None:
        rows = _csv(folder, source.csv, problems)
    else:
        rows = _jsonl(folder, source.jsonl or "", problems)
    for place, row in rows:
        name = str(row.pop("name", ""))
        if not re.fullmatch(NAME, name):
            hint = "use letters, digits, `_` and `-`: the name becomes part of file names"
            what = f"`{abridged(name, 80)}` cannot name an account" if name.strip() else "the account has no name"
            problems.append(Diagnostic(what, place, hint, code="bad-key"))
            continue
        try:
            yield place, name, FleetAccount.model_validate(row)
        except ValidationError as error:
            problems += [
                _told(problem, place, name) for problem in error.errors(include_url=False, include_input=False)
            ]


def _told(problem: ErrorDetails, place: Position | None, account: str) -> Diagnostic:
    """Return what is wrong with a line, without what stands there: it may be a key."""
    steps = [str(step) for step in problem["loc"]] or [account]
    where, first, kind = "`" + ".".join(step for step in steps if step != "[key]") + "`", steps[0], problem["type"]
    if kind == "extra_forbidden":
        hint = did_you_mean(first, FleetAccount.model_fields, f"there are {listed(FleetAccount.model_fields)}")
        return Diagnostic(f"unknown attribute {where}", place, hint, code="unknown-attribute")
    field = FleetAccount.model_fields.get(first) if "[key]" not in steps else None
    hint = (field.description if field is not None else None) or "use letters, digits, `_` and `-`"
    if kind == "missing":
        return Diagnostic(f"{where} is missing", place, hint, code="missing-attribute")
    if kind == "string_pattern_mismatch":
        return Diagnostic(f"{where} does not have the right form", place, hint, code="wrong-type")
    return Diagnostic(f"{where}: {problem['msg'][:1].lower()}{problem['msg'][1:]}", place, hint, code="wrong-type")


def _text(folder: Path, name: str) -> str:
    place = Position(name)
    if refused := outside(folder / name, folder):
        why = f"`{name}` is not read: {refused}"
        raise ConfigError([Diagnostic(why, place, "copy it beside the fleet file", "outside")])
    try:
        content = read_regular(folder / name)
        if len(content) > MOST_BYTES:
            raise WrongInput(f"{name} is larger than {MOST_BYTES // 1024 // 1024} MiB")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or str(error)) if isinstance(error, OSError) else "it is not UTF-8"
        hint = "lists are files beside the fleet file, in UTF-8"
        raise ConfigError([Diagnostic(f"`{name}` cannot be read: {why}", place, hint, code="missing-file")]) from error


def _csv(folder: Path, name: str, problems: list[Diagnostic]) -> Iterator[tuple[Position, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(_text(folder, name), newline=""), strict=True)
    columns = list(reader.fieldnames or ())
    known = [column for column in columns if column in PLAIN or column.startswith(("label.", "variable."))]
    problems += [
        Diagnostic(message, Position(name, 1), COLUMNS, code="unknown-key")
        for message in _wrong_columns(columns, known)
    ]
    if "name" not in known:  # what its lines lack need not be told of each
        return
    try:
        for row in reader:
            place = Position(name, reader.line_num)
            if None in row:
                hint = "put quotes around a value that has a comma in it"
                problems.append(Diagnostic("the line has more values than the header", place, hint, code="wrong-type"))
                continue
            yield place, _of_columns({column: row[column] for column in known if row.get(column)})
    except csv.Error as error:
        hint = "a value that begins with a quotation mark ends with one; one within it is written twice"
        problems.append(Diagnostic(f"it is not CSV: {error}", Position(name, reader.line_num), hint, code="syntax"))


COLUMNS = "columns are name, url, token, baseline, wave, overlays, production, label.X and variable.X"


FLAGS = {"true": True, "false": False}


def _wrong_columns(columns: list[str], known: list[str]) -> list[str]:
    wrong = [f"there is no column `{column}`" for column in columns if column not in known]
    if columns and not wrong and "name" not in known:
        wrong.append("the column `name` is missing")
    return wrong + [
        f"the column `{column}` is there twice" for column in dict.fromkeys(known) if known.count(column) > 1
    ]


def _of_columns(row: Mapping[str, str]) -> dict[str, Any]:
    columns: dict[str, Any] = {column: value for column, value in row.items() if column in PLAIN}
    if "overlays" in columns:
        columns["overlays"] = str(columns["overlays"]).split()
    if "production" in columns:
        columns["production"] = FLAGS.get(str(columns["production"]).lower(), columns["production"])
    for prefix, member in (("label.", "labels"), ("variable.", "variables")):
        inner = {column.removeprefix(prefix): value for column, value in row.items() if column.startswith(prefix)}
        if inner:
            columns[member] = inner
    return columns


def _jsonl(folder: Path, name: str, problems: list[Diagnostic]) -> Iterator[tuple[Position, dict[str, Any]]]:
    for number, line in enumerate(_text(folder, name).splitlines(), 1):
        if not line.strip():
            continue
        place = Position(name, number)
        try:
            row = json.loads(line, object_pairs_hook=_once, parse_constant=_no_number)
            json.dumps(row, ensure_ascii=False).encode()  # which halves of characters are not
        except (ValueError, RecursionError) as error:
            problems.append(Diagnostic(f"it is not JSON: {error}", place, ONE_EACH, code="syntax"))
            continue
        if isinstance(row, dict):
            yield place, row
        else:
            problems.append(Diagnostic("each line is an object", place, ONE_EACH, code="wrong-type"))


ONE_EACH = 'write one account on each line: {"name": "acme", "url": "https://acme.api-us1.com"}'


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def _partners(
    source: Partners, environ: Mapping[str, str], web: Web, tell: Tell
) -> Iterator[tuple[None, dict[str, Any]]]:
    """Yield the child accounts of an agency: `GET /api/child-accounts/v1/`, header `api-key`, pages from 1, rows in
    `hosted_accounts` as a list or a map (section 6.2, `[PARTNER]`). Raises AuthError, RemoteError.
    """
    from reconciler.fleet.partners import child_accounts

    for row in child_accounts(web, source, environ, tell):
        yield None, row


# --- selection -----------------------------------------------------------------------------------------------------


@record
class AccountSelection:
    """Which accounts are meant: all that fit everything that is said."""

    names: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    behind: str | None = None
    shard: tuple[int, int] | None = None
    failed: bool = False

    def of(self, jobs: Mapping[str, Job], versions: Mapping[str, str], failed: Container[str] = ()) -> dict[str, Job]:
        """Return the accounts that are meant; `versions` are what was applied last, by account, `failed` those that the
        last apply did not bring to its end. Raises ReconcilerError where a name or label fits none.
        """
        for pattern in self.names:
            if not any(fnmatchcase(name, pattern) for name in jobs):
                raise WrongInput(f"no account is named `{pattern}`", hint="`fleet status` lists them")
        for label in self.labels:
            if not any(_labelled(job, label) for job in jobs.values()):
                raise WrongInput(f"no account has the label `{label}`", hint="say it as NAME=VALUE; globs are taken")
        return {
            name: job
            for name, job in self._by_files(jobs).items()
            if (self.behind is None or older(versions.get(name, ""), self.behind))
            and (not self.failed or name in failed)
        }

    def _by_files(self, jobs: Mapping[str, Job]) -> dict[str, Job]:
        """Return the accounts that are meant as far as files say so. Shards are parts of these: each has a record of
        its own, by which an account could move to another one.
        """
        chosen = {name: job for name, job in jobs.items() if self._named(name, job)}
        if self.shard is None:
            return chosen
        number, count = self.shard
        return {name: job for at, (name, job) in enumerate(sorted(chosen.items())) if at % count == number - 1}

    def _named(self, name: str, job: Job) -> bool:
        return (not self.names or any(fnmatchcase(name, own) for own in self.names)) and all(
            _labelled(job, label) for label in self.labels
        )


def _labelled(job: Job, label: str) -> bool:
    name, _, value = label.partition("=")
    return name in job.labels and fnmatchcase(job.labels[name], value or "*")


def older(version: str, than: str) -> bool:
    """Return whether a version comes before another one; what was never applied comes before all."""
    if not version:
        return True
    return _parts(version) < _parts(than)


def _parts(version: str) -> list[tuple[int, str]]:
    """Return what versions are ordered by: `2.10` comes after `2.9`, and `v2` is `2`."""
    return [(int(digits or -1), text) for digits, text in re.findall(r"(\d+)|([a-z]+)", version.lower().lstrip("v"))]
