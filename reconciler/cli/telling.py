"""Notices of commands that write to an account: what they came to, and why they came to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from reconciler.cli.terminal import note

if TYPE_CHECKING:
    from reconciler.workflow.opening.session import Session


def tell_of(opened: Session, event: str, message: str) -> None:
    """Send a notice where the environment has an address for it; that it did not arrive is a note."""
    if opened.settings.notify:
        from reconciler.remote.web import HttpWeb
        from reconciler.workflow.notices import notify

        for why in notify(opened, event, message, HttpWeb()):
            note(why)


def telling(opened: Session, work: Callable[[], int]) -> int:
    """Do what writes to an account and return its exit code; where it ends without a notice of its own, in good order
    or with an error, tell that. How it ends stays as it is.
    """
    from reconciler.workflow import notices

    try:
        code = work()
    except click.ClickException:
        raise  # nothing was begun: the command line is wrong
    except BaseException as error:
        if not opened.noticed:
            tell_of(opened, *notices.ended(error))
        raise
    if code and not opened.noticed:
        tell_of(opened, *notices.left(code))
    return code
