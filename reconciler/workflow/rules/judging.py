"""The verdict over a plan: guards and policies, judged the same way wherever a plan is made, checked or applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from reconciler.judging.guards import judge
from reconciler.model.address import kind_of
from reconciler.model.document import DESTROYS, PlanDocument, too_early
from reconciler.model.errors import Refused
from reconciler.workflow.observation.book import StateTransaction
from reconciler.workflow.opening.session import Session
from reconciler.workflow.rules.evaluating import evaluate
from reconciler.workflow.rules.ruling import rules_of


def judged(session: Session, document: PlanDocument, managed: Mapping[str, int]) -> PlanDocument:
    """Return the plan with the verdicts that it has under the session's limits and policies today; its digest stays.
    What its format keeps from being carried out is not judged.

    `managed` are the objects of each kind in the state. Drift alone changes nothing, so nothing guards it.
    """
    if document.options.get("refresh_only"):
        return document
    changed = session.changed if session.changed is not None and session.changed.changed else None
    document = document.model_copy(update={"settings": changed})  # what another pipeline found counts for nothing here
    possible = [change for change in document.changes if not too_early(document, change)]
    bare = document.model_copy(update={"changes": possible})
    bare = bare.model_copy(update={"guards": judge(bare, session.settings.guards, managed)})
    policies, rules = session.project.project.policies, rules_of(session)
    if not policies and not rules.on("change", document.environment):
        return document.model_copy(update={"guards": bare.guards})
    from reconciler.judging.policies import judge_policies

    now = session.runtime.now()
    guards = judge_policies(bare, policies, session.kinds, now, evaluate, rules=rules, tell_all=True)
    return document.model_copy(update={"guards": [*bare.guards, *guards]})


def counts_of(book: StateTransaction, document: PlanDocument) -> dict[str, int]:
    """Return how many objects of each kind are managed, as the guards of this plan count them.

    What an interrupted run of the same plan has destroyed already counts still, so that it can be finished. Where the
    plan is from another state (its own first part has been applied), what it says itself holds.
    """
    stored = book.stored
    if (document.state.lineage, document.state.serial) != ((stored.lineage, stored.serial) if stored else ("", 0)):
        return dict(document.managed)
    to_destroy = {change.address for change in document.changes if change.action in DESTROYS}
    known = {*book.state().resources, *(to_destroy & book.base.resources.keys())}
    return dict(Counter(kind_of(address) for address in known))


def let_pass(document: PlanDocument) -> None:
    """Raise Refused where a guard or policy stops the plan."""
    if document.tripped:
        raise Refused(
            "\n".join(guard.message for guard in document.tripped),
            hint="; ".join(guard.override for guard in document.tripped if guard.override),
        )
