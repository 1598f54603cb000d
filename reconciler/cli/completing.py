"""What the shell completes beside commands and options: environments, kinds, addresses, runs, plans. Never fails, never
asks the account, and imports nothing heavy before a user presses the key.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from click.shell_completion import CompletionItem

    Complete = Callable[[click.Context, click.Parameter, str], list[str]]

MOST = 500
"""With more than this, shells become slow."""


def environments(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the environments of the project file."""
    from reconciler.workflow.completion import environment_names

    return _fitting(environment_names(_folder(ctx)), incomplete)


def kinds(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete a kind, also the last of a list with commas."""
    from reconciler.workflow.completion import kind_names

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _fitting(kind_names(), last)]


def runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a run."""
    from reconciler.workflow.completion import run_names

    return _fitting(["latest", *run_names(_folder(ctx), _environment(ctx))], incomplete)[:MOST]


def plans(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a saved plan: those of the folder, and as the shell does beyond it."""
    from click.shell_completion import CompletionItem

    from reconciler.workflow.completion import plan_files

    items = [CompletionItem(name) for name in _fitting(plan_files(_folder(ctx)), incomplete)]
    return items or [CompletionItem(incomplete, type="file")]


def commands(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the next word of a command, behind those that were typed."""
    group = ctx.find_root().command
    for word in ctx.params.get(param.name or "") or ():
        group = group.get_command(ctx, word) or group if isinstance(group, click.Group) else group
    return _fitting(group.list_commands(ctx) if isinstance(group, click.Group) else (), incomplete)


def tests(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a test."""
    from reconciler.workflow.completion import test_names

    return _fitting(test_names(_folder(ctx)), incomplete)


def sources(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete what a handbook is made from: its words, and files as the shell does."""
    from click.shell_completion import CompletionItem

    items = [CompletionItem(name) for name in _fitting(("account", "files"), incomplete)]
    return items or [CompletionItem(incomplete, type="file")]


def addresses(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete an address of the project; as long as no kind is typed, kinds, so that the list stays short."""
    from reconciler.workflow.completion import address_names

    names = _fitting(address_names(_folder(ctx), _environment(ctx)), incomplete)
    if len(names) > MOST and "." not in incomplete:
        return sorted({f"{name.partition('.')[0]}." for name in names})
    return names[:MOST]


def _fitting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _folder(ctx: click.Context) -> Path:
    folder = Path(ctx.find_root().params.get("chdir") or ".")
    try:
        return folder.absolute()
    except OSError:  # this folder was removed
        return folder


def _environment(ctx: click.Context) -> str | None:
    chosen: str | None = ctx.find_root().params.get("environment")
    return chosen
