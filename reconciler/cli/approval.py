"""The yes before an apply: asked on the terminal, or given beforehand; a production account wants its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cli.terminal import answer, ask, can_ask, note
from reconciler.model.errors import Refused
from reconciler.model.records import record

if TYPE_CHECKING:
    from reconciler.model.document import PlanDocument
    from reconciler.workflow.opening.session import Session


@record
class Approval:
    """What was said beforehand: yes to everything (`auto`), and the name of the account."""

    auto: bool = False
    account: str | None = None

    def given(self, opened: Session, document: PlanDocument, *, destroy: bool = False) -> bool:
        """Return whether to go on; asks where that was not said. Raises Refused, and ReconcilerError without a
        terminal.
        """
        self.agrees(opened)
        if self.account is None and (destroy or document.destructive) and opened.production:
            return _named(opened, auto=self.auto)
        return self.auto or _asked(opened, destroy=destroy)

    def agrees(self, opened: Session) -> None:
        """Raise Refused where another account was named than the one that is opened."""
        from reconciler.workflow.observation.observing import account_name

        name = account_name(opened)
        if self.account is not None and self.account != name:
            raise Refused(
                f"--confirm-account says `{self.account}`, and the environment `{opened.settings.name}` is the account "
                f"`{name}`; nothing was changed",
                hint="check --env, and `url` and `account` in reconciler.yaml",
            )


def _named(opened: Session, *, auto: bool) -> bool:
    """Ask for the name of the account, the only answer that goes on."""
    from reconciler.workflow.observation.observing import account_name

    name = account_name(opened)
    if auto or not can_ask():
        raise Refused(
            f"{opened.production}, and this plan takes something away; nothing was changed",
            hint=f"say which account you mean with `--confirm-account {name}`, or review `plan --out FILE` and "
            "then `apply FILE`",
        )
    note(
        f"\nThis plan takes something away, and {opened.production}.\n  Environment: {opened.settings.name}. "
        f"Only the name of the account, '{name}', will be accepted.\n"
    )
    return answer("  Enter the account's name") == name


def _asked(opened: Session, *, destroy: bool) -> bool:
    question = "Do you really want to destroy all of this?" if destroy else "Do you want to perform these actions?"
    if can_ask():
        note(f"\n{question}\n  Environment: {opened.settings.name}. Only 'yes' will be accepted.\n")
    return ask("  Enter a value", otherwise="use --auto-approve, or `plan --out FILE` and then `apply FILE`")
