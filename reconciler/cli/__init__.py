"""The command line: one file per command, loaded only when it is called. The only home of click."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of `reconciler`; exits with one of the documented codes."""
    from reconciler.cli.program import run

    sys.exit(run(list(sys.argv[1:] if argv is None else argv)))
