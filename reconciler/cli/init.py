"""`reconciler init`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.opening import folder
from reconciler.cli.program import Globals, first_line
from reconciler.cli.terminal import advise, can_ask, note, say, say_made, settle, style
from reconciler.render.quoting import place, typed

if TYPE_CHECKING:
    from reconciler.workflow.opening.runtime import Runtime
    from reconciler.workflow.opening.session import Session

NAME = "prod"
"""What the environment of an adopted account is called, unless `--env` says otherwise."""
ACCOUNT = ("address", "TLS", "connection", "token", "account", "eyes", "permissions", "clock", "rate")
"""What `doctor` checks of an account; of files there are none yet."""


@click.command("init")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--adopt", metavar="URL", help="Begin with the account at this API URL: export it, and plan.")
@click.option("--demo", is_flag=True, help="Begin with the emulator, and ask nothing.")
@click.pass_obj
def command(chosen: Globals, directory: Path | None, adopt: str | None, demo: bool) -> int:
    """Write a small project into DIRECTORY (default: here) that works at once against the emulator.

    With --adopt URL, a project of the account that is there: address and key are checked, everything is exported and
    bound, and the plan, which is empty, is shown. Nothing is written to the account. On a terminal it is asked for.
    """
    if adopt is not None and demo:
        raise click.UsageError("--adopt is about an account, --demo about none")
    if adopt:
        first_line(chosen, "Checking the account")
    target = folder(chosen) / (directory or Path())
    if adopt is None and not demo and can_ask() and not os.environ.get("RECONCILER_PROMPT"):
        from reconciler.workflow.opening.grounds import check_place

        check_place(target)
        if adopt := _asked():
            first_line(chosen, "Checking the account")
    if adopt:
        return _adopt(chosen, target, directory, adopt)
    from reconciler.workflow.init import write_project

    for path in write_project(target):
        say(f"Wrote {place(os.path.relpath(path))}")
    say(f"\nNow run: reconciler{_there(directory)} plan")
    return 0


def _asked() -> str:
    """Ask for the address of an account; nothing for the emulator."""
    from reconciler.cli.terminal import answer

    note("A project begins with an account that exists, or with the built-in emulator.")
    note("The API URL of an account is in ActiveCampaign under Settings > Developer.")
    return answer("  API URL of your account (Enter: the emulator)").strip()


def _adopt(chosen: Globals, target: Path, directory: Path | None, address: str) -> int:
    """Check, write the project, export, bind, plan."""
    from reconciler.render.findings import page
    from reconciler.workflow.adopting import address_of, check, project_of
    from reconciler.workflow.doctor.environment import exit_code
    from reconciler.workflow.init import check_new, write_project
    from reconciler.workflow.opening.projects import open_session

    name = chosen.environment or NAME
    key = f"AC_{name.upper().replace('-', '_')}_TOKEN"
    url = address_of(address)
    files = project_of(name, url, key)
    check_new(target, files)
    chosen.screen.quiet, chosen.screen.lines = chosen.quiet, chosen.verbose > 1
    runtime, given = _with_key(chosen, url, key)
    checks = chosen.screen.wait(check(files, target, runtime), "Checking")
    say(
        page([check.row() for check in checks if check.check in ACCOUNT or check.verdict == "failed"], **style()),
        "text",
    )
    if any(check.verdict == "failed" for check in checks):
        note("Nothing was written.")
        return int(exit_code(checks))
    for path in write_project(target, files):
        say(f"Wrote {place(os.path.relpath(path))}")
    where = _there(directory)
    code = _taken_over(chosen, open_session(target, name, runtime), where)
    if given:
        advise(f"The key was not written anywhere. Give it to later commands: export {key}=...")
    say(f"\nThe files in {place(os.path.relpath(target / 'config'))} say what the account holds. Change one, then run:")
    say(f"reconciler{where} plan")
    return code


def _taken_over(chosen: Globals, opened: Session, where: str) -> int:
    """Write the files of what the account holds, show that a plan of them does nothing, and return the exit code."""
    from dataclasses import replace

    from reconciler.cli.export import outcome_told
    from reconciler.cli.plan import exit_code
    from reconciler.cli.views import plan_view
    from reconciler.workflow.export.exporting import export_account
    from reconciler.workflow.plans.options import PlanOptions
    from reconciler.workflow.plans.planning import make_plan

    chosen.screen.next_command = f"reconciler{where} export"
    code = outcome_told(chosen, chosen.screen.wait(export_account(opened, None)))
    chosen.screen.next_command = f"reconciler{where} plan"
    planned = chosen.screen.wait(make_plan(replace(opened, eyes={}), PlanOptions()))
    say("")
    say_made(plan_view(planned.document, "text"), "text")
    return code or exit_code(planned.document, False)


def _with_key(chosen: Globals, url: str, key: str) -> tuple[Runtime, bool]:
    """Return the runtime with the key of the account, and whether it was typed. Raises ReconcilerError."""
    from dataclasses import replace

    from reconciler.model.account_url import EMULATOR
    from reconciler.model.errors import ReconcilerError
    from reconciler.model.redaction import redactor
    from reconciler.workflow.opening.runtime import current_runtime

    runtime = replace(current_runtime(), watch=chosen.screen)
    if url.startswith(EMULATOR) or runtime.environ.get(key):
        return runtime, False
    if not can_ask():
        raise ReconcilerError(
            f"the key of the account is not set: {key} is empty; nothing was written",
            hint=f"copy it from Settings > Developer, and `export {key}=...`",
        )
    settle()
    key_typed = str(
        click.prompt(f"  API key (not shown, not written; {key} is empty)", hide_input=True, err=True)
    ).strip()
    redactor().learn(key_typed)
    return replace(runtime, environ={**runtime.environ, key: key_typed}), True


def _there(directory: Path | None) -> str:
    return f" --chdir {typed(directory)}" if directory else ""
