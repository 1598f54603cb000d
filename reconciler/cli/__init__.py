"""The command line: one file per command, loaded only when it is called. The only home of click."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

from reconciler.cli.endings import endings


def _interrupt(*_: object) -> None:
    """End as an interrupt does. Shells let their background jobs ignore SIGINT: these are to end anyway."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)


def _let_no_plugin_be_found() -> None:
    """Answer pydantic, which looks through all that is installed for plugins, that there is none. What would look is
    not even loaded: that takes as long as reading a hundred tags.
    """
    loader = ModuleType("pydantic.plugin._loader")
    vars(loader)["get_plugins"] = tuple
    sys.modules.setdefault(loader.__name__, loader)


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of `reconciler`; exits with one of the documented codes."""
    # A run makes many objects and little garbage: looking for it at every 700th takes a fifth of the time.
    gc.set_threshold(200_000, 50, 100)
    _let_no_plugin_be_found()
    from reconciler.cli.streams import finish, prepare

    prepare()
    from reconciler.cli.program import run

    # The program ends in order when it is ended: locks are given back, and the exit code is that of an interrupt.
    for number in endings():
        signal.signal(number, _interrupt)
    try:
        sys.exit(finish(run(list(sys.argv[1:] if argv is None else argv))))
    finally:
        # The interpreter looks for garbage several times while it ends; the system takes all of it at once. Completing
        # leaves by an exit of click's own.
        gc.freeze()
