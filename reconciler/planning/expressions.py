"""Expressions of policies: CEL, compiled and checked before it runs. The only home of cel-expr-python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.errors import ReconcilerError

VARIABLES = ("plan", "change", "weekday", "now")


class Broken(Exception):
    """The expression does not compile, fails, or answers something else than true or false."""


def holds(expression: str, values: Mapping[str, Any]) -> bool:
    """Return what the expression says of `plan`, `change`, `weekday` and `now`.

    Raises Broken for whatever is not a plain true or false, and ReconcilerError without the extra that evaluates it.
    """
    try:
        from cel_expr_python import cel  # an extra: most projects have no expressions
    except ImportError as error:
        raise ReconcilerError(
            "a policy has a `when:` expression, and what evaluates it is not installed",
            hint="pip install 'activecampaign-reconciler[policy]', or use the `deny:` form",
        ) from error
    known = cel.NewEnv(variables=dict.fromkeys(VARIABLES, cel.Type.DYN))
    try:
        compiled = known.compile(expression)
        answer = compiled.eval(data={name: values.get(name) for name in VARIABLES})
        plain = answer.plain_value()
    except RuntimeError as error:
        raise Broken(str(error).splitlines()[0]) from error
    if isinstance(plain, bool):
        return plain
    # Errors of the evaluation come back as values.
    raise Broken(str(plain) if answer.type().name() == "ERROR" else f"it answers {plain!r}, not true or false")
