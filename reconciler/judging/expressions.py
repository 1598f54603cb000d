"""Expressions of policies: CEL, compiled and checked before it runs. The only home of cel-expr-python.

CEL itself bounds the iterations of an expression (10,000), the size and depth of its text, and searches with RE2. What
remains, e.g. a dear pattern over long texts in every iteration, has an end only where the caller sets one:
`workflow.rules.evaluating` does, with a process of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol, cast

from reconciler.model.errors import ReconcilerError
from reconciler.model.redaction import abridged

VARIABLES = ("plan", "change", "object", "objects", "weekday", "now")
AT_ONCE = 20
"""Objects that are judged by one evaluation: translating each of them by itself costs most of the time."""


class Named(Protocol):
    """A type of CEL."""

    def name(self) -> str: ...


class ExpressionResult(Protocol):
    """What an expression comes to; errors are values, too."""

    def plain_value(self) -> object: ...
    def type(self) -> Named: ...


class CompiledExpression(Protocol):
    """An expression that was compiled and checked."""

    def return_type(self) -> Named: ...
    def eval(self, *, data: Mapping[str, object]) -> ExpressionResult: ...


class CelEnvironment(Protocol):
    """The names that expressions know."""

    def compile(self, expression: str) -> CompiledExpression: ...


class _Types(Protocol):
    DYN: Named


class Cel(Protocol):
    """The module that evaluates expressions, which ships no types."""

    Type: _Types

    def NewEnv(self, *, variables: Mapping[str, Named]) -> CelEnvironment: ...  # noqa: N802 - as it is called there


class Question(NamedTuple):
    """An expression, and the address of the change that it is about; None where it is about the whole plan. With
    `objects`, it is asked of each of these `objects` of the values, by their places there.
    """

    expression: str
    address: str | None = None
    objects: tuple[int, ...] | None = None


ExpressionValue = bool | str
"""What an expression says, or why it says nothing."""
Evaluate = Callable[[Sequence[Question], Mapping[str, Any]], Sequence[ExpressionValue | list[ExpressionValue]]]
"""Returns the answers in the order of the questions, over `plan`, `objects`, `weekday` and `now`; to a question about
objects a list of answers, or one text that is why there is none.
"""


def answers(
    questions: Iterable[Question], values: Mapping[str, Any]
) -> Iterator[ExpressionValue | list[ExpressionValue]]:
    """Evaluate questions one after the other, over `plan`, `objects`, `weekday` and `now`.

    Raises ReconcilerError without the extra that evaluates them.
    """
    cel = evaluator()
    evaluation = _Evaluation(cel.NewEnv(variables=dict.fromkeys(VARIABLES, cel.Type.DYN)))
    changes = {view["address"]: view for view in values.get("plan", {}).get("changes", ())}
    for question in questions:
        if question.objects is None:
            yield evaluation.answer(question.expression, {**values, "change": changes.get(question.address)})
        else:
            yield list(
                evaluation.each(question.expression, [values["objects"][place] for place in question.objects], values)
            )


class _Evaluation:
    """Expressions that were compiled, once each."""

    def __init__(self, known: CelEnvironment) -> None:
        self.known = known
        self.compiled: dict[str, CompiledExpression] = {}

    def answer(self, expression: str, values: Mapping[str, object]) -> ExpressionValue:
        """Return what an expression says of some values."""
        plain = self._plain(expression, values)
        if isinstance(plain, bool | str):
            return plain
        return f"it answers {abridged(str(plain[0]), 200)!r}, not true or false"

    def each(
        self, expression: str, objects: Sequence[object], values: Mapping[str, object]
    ) -> Iterator[ExpressionValue]:
        """Yield what an expression says of each object. Some at once; each alone where one of them is in the way."""
        if (wrong := self._wrong(expression)) is not None:  # inside of another one it might be right
            yield from (wrong for _ in objects)
            return
        together = f"objects.map(object, {expression}\n)"
        for start in range(0, len(objects), AT_ONCE):
            some = objects[start : start + AT_ONCE]
            plain = self._plain(together, {**values, "objects": some})
            value = plain[0] if isinstance(plain, tuple) else None
            if isinstance(value, list) and len(value) == len(some) and set(map(type, value)) == {bool}:
                yield from value
            else:
                yield from (self.answer(expression, {**values, "object": question}) for question in some)

    def _wrong(self, expression: str) -> str | None:
        """Return why an expression is none, by itself."""
        try:
            if expression not in self.compiled:
                self.compiled[expression] = self.known.compile(expression)
        except (RuntimeError, UnicodeError) as error:
            return _first_line(error)
        return None

    def _plain(self, expression: str, values: Mapping[str, object]) -> ExpressionValue | tuple[object]:
        """Return true or false, why there is no answer, or what else the answer is."""
        variables = {name: values.get(name) for name in _asked(expression)}
        if (wrong := self._wrong(expression)) is not None:
            return wrong
        try:
            answer = self.compiled[expression].eval(data=variables)
            plain = answer.plain_value()
        except (RuntimeError, UnicodeError) as error:
            return _first_line(error)
        if isinstance(plain, bool):
            return plain
        # errors of the evaluation come back as values
        return str(plain) if answer.type().name() == "ERROR" else (plain,)


@lru_cache(maxsize=256)
def _asked(expression: str) -> tuple[str, ...]:
    """Return the names in an expression. Values are translated again for every question, so only these go along."""
    return tuple(name for name in VARIABLES if re.search(rf"\b{name}\b", expression))


def checker() -> Callable[[str], str]:
    """Return what says why an expression is none that says true or false; "" for one, and where what compiles is not
    there: then the evaluation reports that.
    """
    known: list[CelEnvironment] = []

    def wrong(expression: str) -> str:
        try:
            cel = evaluator()
        except ReconcilerError:
            return ""
        if not known:  # most projects have no expressions
            known.append(cel.NewEnv(variables=dict.fromkeys(VARIABLES, cel.Type.DYN)))
        try:
            kind = known[0].compile(expression).return_type().name()
        except (RuntimeError, UnicodeError, TypeError) as error:
            message = re.sub(_CODE, "", _first_line(error))
            message = re.sub(r"^<input>:(\d+):(\d+)", r"line \1, column \2", message)
            return f"it is not an expression: {abridged(message, 300)}"
        return "" if kind in ("BOOL", "DYN") else f"it says neither true nor false, but {kind.lower()}"

    return wrong


_CODE = r"^[A-Z_]+: (?:ERROR: )?| \[[A-Z_]+\]$"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def evaluator() -> Cel:
    """Return the module that evaluates expressions. Raises ReconcilerError without the extra that it is in."""
    try:
        from cel_expr_python import cel  # most projects have no expressions
    except ImportError as error:
        raise ReconcilerError(
            "a rule has a `when:` expression, and what evaluates it is not installed",
            hint="pip install 'activecampaign-reconciler[policy]', or use the `deny:` form",
        ) from error
    return cast(Cel, cel)
