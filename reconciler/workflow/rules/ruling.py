"""Which rules hold, and what breaks them in a configuration or in an account. Changes are judged by `judging`."""

from __future__ import annotations

import datetime
import fnmatch
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from reconciler.config import Loaded, LoadedProject
from reconciler.config.reading.including import Includes, ReadBaseline
from reconciler.config.reading.packs import rules_of as read_rules
from reconciler.config.reading.problems import Problems
from reconciler.judging.expressions import checker
from reconciler.model.desired import Resource
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.errors import ConfigError
from reconciler.model.kind import Kinds
from reconciler.model.live import Live
from reconciler.model.nearest import did_you_mean
from reconciler.model.project import Rule
from reconciler.model.ruling import Rules
from reconciler.model.state import Binding
from reconciler.model.values import SCALARS, carries_secret, decode
from reconciler.workflow.opening.session import Session
from reconciler.workflow.opening.trusted_limits import trusted_tree
from reconciler.workflow.rules.evaluating import evaluate

if TYPE_CHECKING:
    from reconciler.judging.objects import Judged
    from reconciler.judging.rules import Breach

ADDRESS = "an address is KIND.KEY; `reconciler kinds` lists the kinds"


def rules_of(session: Session) -> Rules:
    """Return the rules that a session is held to: those of the target branch, packs and all, where its settings are.
    Raises ConfigError, of the project's own rules also for those that nothing can ever break, and for waivers of it: a
    request that mends one of the target branch is not held up by it.
    """
    if session.rules is not None:
        return session.rules
    source = session.changed.source if session.changed else ""
    baselines = session.baselines or session.locked(offline=session.offline)
    rules = project_rules(session.project, session.runtime.environ, source, baselines, offline=session.offline)
    idle = [problem for rule in rules.rules for problem in _about_nothing(rule, rules, session.kinds)]
    if not source and (idle := [*idle, *_of_no_kind(rules, session.kinds)]):
        raise ConfigError(idle)
    return rules


def _of_no_kind(rules: Rules, kinds: Kinds) -> Iterator[Diagnostic]:
    """Yield what is wrong with waivers of addresses that nothing can ever have."""
    for waiver, place in zip(rules.waivers, rules.waiver_places, strict=True):
        if not _of_a_kind(waiver.address, kinds):
            hint = did_you_mean(waiver.address.partition(".")[0], kinds, ADDRESS)
            yield Diagnostic(f"nothing has the address `{waiver.address}`", place, hint, code="idle-waiver")


def _of_a_kind(pattern: str, kinds: Kinds) -> bool:
    """Return whether something could have an address of this pattern."""
    kind, dot, _ = pattern.partition(".")
    return "*" in kind or (bool(dot) and any(fnmatch.fnmatchcase(name, kind) for name in kinds))


def idle_waivers(rules: Rules, addresses: Collection[str], where: str, today: datetime.date) -> list[Diagnostic]:
    """Return notes about waivers that do nothing: their day is past, or their address is not there now, a typo or
    what is gone meanwhile.
    """
    placed = list(zip(rules.waivers, rules.waiver_places, strict=True))
    over = [
        Diagnostic(
            f"the waiver of `{waiver.rule}` for `{waiver.address}` expired on {waiver.expires}: the rule counts again",
            place,
            "take it out, or have a later day merged",
            code="expired-waiver",
            severity="note",
        )
        for waiver, place in placed
        if datetime.date.fromisoformat(waiver.expires) < today
    ]
    return over + [
        Diagnostic(
            f"the waiver of `{waiver.rule}` is about nothing {where}: there is no `{waiver.address}`",
            place,
            did_you_mean(waiver.address, addresses, "take it out if what it was about is gone for good"),
            code="idle-waiver",
            severity="note",
        )
        for waiver, place in placed
        if datetime.date.fromisoformat(waiver.expires) >= today
        and waiver.address != "*"
        and not any(fnmatch.fnmatchcase(address, waiver.address) for address in addresses)
    ]


def _about_nothing(rule: Rule, rules: Rules, kinds: Kinds) -> Iterator[Diagnostic]:
    """Yield why nothing can break a rule: there is no such kind, or none that it is about has the attribute."""
    place, about = rules.written.get(rule.id), rule.deny.kind if rule.deny is not None else "*"
    fitting = [kind for kind in kinds.values() if fnmatch.fnmatchcase(kind.name, about)]
    if not fitting:
        hint = did_you_mean(about, kinds, "`reconciler kinds` lists them")
        yield Diagnostic(f"the rule `{rule.id}` is about no kind: there is no `{about}`", place, hint, code="idle-rule")
        return
    if rule.deny is not None and not _of_a_kind(rule.deny.address, kinds):
        hint = did_you_mean(rule.deny.address.partition(".")[0], kinds, ADDRESS)
        message = f"the rule `{rule.id}` is about nothing: nothing has the address `{rule.deny.address}`"
        yield Diagnostic(message, place, hint, code="idle-rule")
    known = {name for kind in fitting for name in kind.attributes}
    for name in sorted(rule.attributes - known):
        whom = about if about in kinds else "kind that it is about"
        hint = did_you_mean(name, known, "`reconciler kinds KIND` lists the attributes")
        yield Diagnostic(f"the rule `{rule.id}`: no {whom} has `{name}`", place, hint, code="idle-rule")


def project_rules(
    project: LoadedProject,
    environ: Mapping[str, str],
    source: str = "",
    baselines: ReadBaseline | None = None,
    *,
    offline: bool = False,
) -> Rules:
    """Return the rules of a project, with its packs and its lock file as `source` has them, or as they are now. Raises
    ConfigError, and Refused where a pack is not what is locked.
    """
    includes = Includes(project.folder, Problems())
    if source:
        includes.tree = trusted_tree(project.folder, source)
    if baselines is None:
        from reconciler.workflow.opening.baselines import locked

        baselines = locked(project.folder, environ, offline=offline, source=source)
    includes.baselines = baselines
    try:
        return read_rules(project, environ, includes, checker())
    except ConfigError as error:
        where = f"in {source}: " if source else ""
        raise ConfigError(
            [diagnostic._replace(message=f"{where}{diagnostic.message}") for diagnostic in error.diagnostics]
        ) from error


def broken_declarations(session: Session, rules: Rules, loaded: Loaded) -> list[Breach]:
    """Return what breaks the rules in the files, each with its place."""
    if not rules.on("declaration", session.settings.name):
        return []
    from reconciler.judging.objects import declared_objects
    from reconciler.judging.rules import breaches

    objects = declared_objects(loaded.desired, session.kinds)
    return breaches(rules, "declaration", objects, session.settings.name, session.runtime.now(), evaluate)


def broken_in_account(
    session: Session,
    lives: Iterable[tuple[str, Live]],
    bindings: Mapping[str, Binding],
    declared: Mapping[str, Resource],
    *,
    whole: bool,
) -> list[Breach]:
    """Return what breaks the rules in an account, of these objects with their addresses; `whole` says that these are
    all that it holds.
    """
    rules = rules_of(session)
    if not rules.on("account", session.settings.name):
        return []
    from reconciler.judging.rules import breaches

    objects = _live(session, lives, bindings, declared, whole=whole)
    return breaches(rules, "account", objects, session.settings.name, session.runtime.now(), evaluate)


def _live(
    session: Session,
    lives: Iterable[tuple[str, Live]],
    bindings: Mapping[str, Binding],
    declared: Mapping[str, Resource],
    *,
    whole: bool,
) -> list[Judged]:
    from reconciler.judging.objects import live_objects

    managed = {address: (binding.kind, binding.id) for address, binding in bindings.items()}
    secret = {address: names for address, binding in bindings.items() if (names := _with_secrets(binding))}
    return live_objects(lives, session.kinds, managed, secret, declared, whole=whole)


def _with_secrets(binding: Binding) -> frozenset[str]:
    """Return the attributes that were sent with a secret in them."""
    applied = binding.applied.items()
    return frozenset(
        name for name, value in applied if value.__class__ not in SCALARS and carries_secret(decode(value))
    )
