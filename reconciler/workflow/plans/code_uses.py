"""Which changes of a plan change ids that generated code uses: the `outputs` of the project say what there is."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.address import abridged
from reconciler.model.kind import Kind
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.project import IdsOutput
from reconciler.model.state import State
from reconciler.model.write import Finding
from reconciler.workflow.opening.session import Session

WHAT = {
    Action.REPLACE: "replacement changes",
    Action.CREATE: "new object changes",
    Action.DELETE: "removal ends",
    Action.FORGET: "removal ends",
}
"""What changes of managed objects do to their ids; all others leave them as they are."""


def with_code_uses(session: Session, plan: Plan, state: State) -> Plan:
    """Return the plan with a warning at each change after which generated code has another id, or none. The state says
    what code may know.
    """
    name, outputs = session.settings.name, session.project.project.outputs
    mine = [output for output in outputs if output.environments == "all" or name in output.environments]
    if not mine:
        return plan
    known = state.resources.keys()
    changes = [
        _told(change, session.kinds[change.kind], mine) if change.address in known else change
        for change in plan.changes
    ]
    return plan._replace(changes=tuple(changes))


def _told(change: Change, kind: Kind, outputs: Sequence[IdsOutput]) -> Change:
    what = WHAT.get(change.action)
    files = [output.file for output in outputs if not output.kinds or (kind.nested or kind.name) in output.kinds]
    if not what or not files:
        return change
    message = f"this {what} an id that generated code uses ({abridged(files)})"
    finding = Finding(message, "warning", hint="write it again after the apply with `reconciler ids`")
    return change._replace(findings=(*change.findings, finding))
