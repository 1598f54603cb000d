"""What a probe will do and cost, before anything is sent."""

from __future__ import annotations

from reconciler.model.errors import Refused
from reconciler.model.records import record
from reconciler.probe import Experiment, load_experiments
from reconciler.probe.forms import FORMS
from reconciler.workflow.opening.session import Session
from reconciler.workflow.probe.report import Asked

SLACK = 1.25
"""How much more than its experiments a budget has that was not given: requests are repeated now and then."""
PATIENCE = 2.0
CHECKS = 8
"""Requests before the experiments: whose key it is, what it may, and the account's plan."""
LISTED = sum(not form.owner for form in FORMS.values())
"""Requests before the first write: whether what is made could be found again."""


@record
class ProbeOutline:
    """What a probe will cost at most, before anything is sent. `needed` are the requests that its experiments take
    where every one of them is answered the first time, `held` those that are kept back to remove what was made.
    """

    experiments: tuple[Experiment, ...]
    needed: int
    held: int
    requests: int
    seconds: float
    leaves: tuple[str, ...]


def outline(session: Session, asked: Asked) -> ProbeOutline:
    """Return what will be done. Raises Refused where the budget does not suffice."""
    chosen = tuple(experiment for experiment in load_experiments() if _is_asked(experiment, asked))
    needed = CHECKS + (0 if asked.read_only else LISTED) + sum(experiment.requests for experiment in chosen)
    held = max((experiment.held for experiment in chosen if experiment.writes), default=0)
    requests = asked.max_requests or int(needed * SLACK) + held
    estimated = (needed + held) / (session.rate or 5.0)
    seconds = asked.max_seconds or max(60.0, PATIENCE * estimated)
    for most, least, what in ((requests, needed + held, "requests"), (seconds, estimated, "seconds")):
        if most < least:
            raise Refused(
                f"the probe takes up to {least:.0f} {what}, and {most:.0f} are allowed; nothing was sent",
                hint=f"allow more with --max-{what}, or probe less with --row or --read-only",
            )
    leaves = tuple(experiment.leaves for experiment in chosen if experiment.leaves)
    return ProbeOutline(chosen, needed, held, requests, seconds, leaves)


def _is_asked(experiment: Experiment, asked: Asked) -> bool:
    """Return whether a probe is to run an experiment: by the rows that are asked, and by what it takes."""
    if asked.rows and asked.rows.isdisjoint(fact.row for fact in experiment.facts):
        return False
    if experiment.writes and asked.read_only:
        return False
    return not experiment.needs or bool(getattr(asked, experiment.needs))
