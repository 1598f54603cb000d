"""The errors a user can meet, each with the exit code of its class. Messages say what happened and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from reconciler.model.diagnostics import Diagnostic


class ExitCode(IntEnum):
    """Stable process exit codes."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    CONFIG = 3
    AUTH = 4
    PARTIAL = 5
    STALE = 6
    REFUSED = 7
    LOCKED = 8
    CANCELLED = 130


class ReconcilerError(Exception):
    """Root of all errors with a message meant for the user; `hint` says what to do next. Where a request came to it,
    that was sent so many `tries`.
    """

    exit_code = ExitCode.ERROR
    tries = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(ReconcilerError):
    """The configuration is wrong; holds every problem found."""

    exit_code = ExitCode.CONFIG

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        count = sum(diagnostic.severity == "error" for diagnostic in self.diagnostics)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the configuration")

    @property
    def first(self) -> Diagnostic | None:
        """The first that stops the run: warnings stand among them."""
        return next((diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error"), None)


class SurroundingsError(ReconcilerError):
    """A variable of the environment cannot be used. The message names it, never its value: that may hold a password."""

    exit_code = ExitCode.CONFIG


class AuthError(ReconcilerError):
    """The account refused the credentials, or the key lacks a permission."""

    exit_code = ExitCode.AUTH


class RemoteError(ReconcilerError):
    """The account answered in a way that the run cannot go on with."""


class Unreachable(RemoteError):
    """No connection to the account, or no answer in time. `sent` tells whether the request may have been executed."""

    def __init__(self, message: str, *, hint: str = "", sent: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.sent = sent


class AmbiguousResponse(Unreachable):
    """A success without the result that it promises: whether the object exists has to be looked up."""


class IncompleteListing(RemoteError):
    """A listing's pages do not add up; nothing may be planned on it."""


class Limited(RemoteError):
    """The account has no more requests to give; asking for something else would not help."""


class Unread(RemoteError):
    """What the account holds of a kind could not be read: it is unknown, and nothing is concluded from that."""

    exit_code = ExitCode.AUTH


class Unexpected(RemoteError):
    """The account answered otherwise than each form that is known of it; the message names request, expectation and
    answer.
    """


class Rejected(RemoteError):
    """The account answered a write with an error status. `status` is the HTTP status."""

    def __init__(self, message: str, *, status: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class NotRecorded(Rejected):
    """A snapshot holds no answer to what was asked: what the account has there is not known from it."""


def concerns_all(error: ReconcilerError) -> bool:
    """Return whether an error of a read is one of the connection or the account, so that any other read would end in it
    too. What is none concerns what was asked for: that is unknown, and nothing else is.
    """
    return isinstance(error, Limited) or (isinstance(error, Unreachable) and not error.sent)


class PlanError(ReconcilerError):
    """The plan cannot be made as declared."""

    exit_code = ExitCode.CONFIG


class UnknownKind(PlanError):
    """The state holds an object of a kind that this version of the program does not know."""

    def __init__(self, kind: str, address: str = "") -> None:
        super().__init__(
            f"{f'{address} is in the state, and ' if address else ''}this version knows no kind `{kind}`",
            hint="install the version that wrote it, or `reconciler state rm` it",
        )


class WrongInput(ReconcilerError):
    """What was named does not exist, or a file that was given holds something else than it should."""

    exit_code = ExitCode.CONFIG


class StalePlan(ReconcilerError):
    """A saved plan does not fit what it is applied to any more, or was altered."""

    exit_code = ExitCode.STALE


class Refused(ReconcilerError):
    """A guard or policy says no."""

    exit_code = ExitCode.REFUSED


class Uncounted(Refused):
    """What a request takes away cannot be counted any more."""


class LockHeld(ReconcilerError):
    """Another process holds the state's lock."""

    exit_code = ExitCode.LOCKED


class StateError(ReconcilerError):
    """The state cannot be read or written; it was left as it is."""


class ApplyInterrupted(StateError):
    """An apply that had begun lost its lock or can record no more; the message says what is settled."""

    exit_code = ExitCode.PARTIAL


class StateDamaged(StateError):
    """A document of the state was read, and is truncated, altered or not a state at all."""


class Cancelled(ReconcilerError):
    """The user said no, or interrupted the run."""

    exit_code = ExitCode.CANCELLED
