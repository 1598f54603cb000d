"""What a declaration asks for that an account would refuse to create or change: told as warnings, for nothing here
knows whether the object exists already and is just so.
"""

from __future__ import annotations

from reconciler.config.reading.loading import Loaded
from reconciler.config.reading.nodes import at
from reconciler.config.reading.problems import Problems
from reconciler.model.demands import demands
from reconciler.model.diagnostics import Diagnostic
from reconciler.model.kind import Kinds


def doubts(loaded: Loaded, kinds: Kinds) -> tuple[Diagnostic, ...]:
    """Return a warning for each declared attribute, or missing one, that the plan of a create would be refused for, and
    for each that is hardly meant.
    """
    problems = Problems()
    for address, resource in loaded.desired.resources.items():
        entry = loaded.places.declared.get(address)
        if entry is None:
            continue
        findings = list(demands(kinds[resource.kind], resource.attrs, None, resource.key))
        missing = [
            finding.attribute for finding in findings if finding.attribute.partition(".")[0] not in resource.attrs
        ]
        if missing:
            names = " and ".join(f"`{name}`" for name in missing)
            message = (
                f"{address} declares no {names}: required on create, so that only an existing object can do without"
            )
            problems.warn("required-on-create", message, entry.key.spot)
        for finding in findings:
            if finding.attribute not in missing:
                place = at(entry.value, *finding.attribute.split("."))
                spot = place.spot if place is not None else entry.key.spot
                refused = finding.severity == "error"
                message = (
                    f"{finding.message}; a plan that writes it is refused"
                    if refused
                    else f"{address}: {finding.message}"
                )
                problems.warn("account-refuses" if refused else "doubtful-value", message, spot, finding.hint)
    return problems.ordered()
