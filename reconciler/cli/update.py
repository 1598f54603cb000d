"""`reconciler update`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from reconciler.cli.opening import folder, listing, trusted_limits
from reconciler.cli.program import Globals
from reconciler.cli.terminal import begin, note, say, style, tell, trouble

if TYPE_CHECKING:
    from reconciler.workflow.opening.baselines import Update
    from reconciler.workflow.updating import Looked


@click.command("update")
@click.option(
    "--check", is_flag=True, help="Lock nothing; exit with 2 when a version holds something else than before."
)
@click.option("--locked", is_flag=True, help="Only fetch what is locked, for runs without a network.")
@trusted_limits()
@listing
@click.pass_obj
def command(chosen: Globals, check: bool, locked: bool, guards_from: str | None, fmt: str) -> int:
    """Look at what the versions of baselines in Git repositories hold now, show it as a plan for each environment (or
    that of --env), and lock it in reconciler.lock. Writes to no account.
    """
    from dataclasses import replace

    from reconciler.workflow.opening.runtime import current_runtime
    from reconciler.workflow.updating import fetch_locked, update

    if check and locked:
        raise click.UsageError("--check looks at the repositories, --locked only at reconciler.lock")
    if guards_from is not None and not locked and not check:
        raise click.UsageError("--guards-from belongs to --locked and --check: a lock is written where a change is")
    runtime = replace(current_runtime(), watch=chosen.screen)
    if locked:
        for line in fetch_locked(folder(chosen), runtime, guards_from):
            note(f"{line} is here as it is locked.")
        return 0

    def waiting(name: str) -> None:
        if not chosen.quiet:
            begin(f"Planning the environment {name}")

    looking = update(folder(chosen), runtime, chosen.environment, check=check, guards_from=guards_from, waiting=waiting)
    done = chosen.screen.wait(looking)
    if fmt == "json":
        say(_data(done), "json")
        _tell_moved(done)
    else:
        _tell(done)
    return 2 if check and any(update.changed for update in done.updates) else 0


def _data(done: Looked) -> str:
    rows = [
        {
            "address": update.written,
            "kind": "baseline",
            "id": update.now.commit,
            "digest": update.now.digest,
            "before": update.before.commit if update.before is not None else None,
            "moved_from": update.moved_from or None,
            "changed": update.changed,
            "plans": {
                name: {"summary": plan.summary.model_dump(mode="json"), "digest": plan.digest}
                for name, plan in done.plans.items()
            },
            "unplanned": dict(done.unplanned),
        }
        for update in done.updates
    ]
    return json.dumps(rows, indent=2)


def _tell(done: Looked) -> None:
    from reconciler.render import text

    for update in done.updates:
        say(_line(update))
    _tell_moved(done)
    for document in done.plans.values():
        say("")
        say(text.plan(document, **style()).rstrip("\n"), "text")
    tell("Not planned, ", (f"{name}: {why}" for name, why in done.unplanned.items()))
    note("Wrote reconciler.lock." if done.written else "reconciler.lock stays as it is.")


def _tell_moved(done: Looked) -> None:
    """Say which tags are another commit than what they were locked as: a tag is a promise, and so it is not looked at
    again.
    """
    for update in done.updates:
        if update.moved_from:
            trouble(
                f"THE TAG WAS MOVED: {update.written} was {update.moved_from}, and is {update.now.commit} now",
                f"ask the owner of the repository before this is applied{_back(done)}; "
                "a commit in place of the tag cannot be moved",
                label="warning",
            )


def _back(done: Looked) -> str:
    return ", and until then put reconciler.lock back (`git checkout reconciler.lock`)" if done.written else ""


def _line(update: Update) -> str:
    from reconciler.model.baseline import parse_baseline

    commit, version = update.now.commit[:12], parse_baseline(update.written).version
    if update.before is None:
        return f"{update.written} is {commit}; it was not locked before."
    if not update.changed:
        return f"{update.written} is {commit}; it holds what it held."
    if update.before_version == version:
        what = "the tag was moved" if update.moved_from else "it has moved on"
        return f"{update.written} is {commit}, and was {update.before.commit[:12]}: {what}."
    return f"{update.written} went from {update.before_version} ({update.before.commit[:12]}) to {version} ({commit})."
