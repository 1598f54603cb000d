"""`reconciler handbook`."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.completing import sources
from reconciler.cli.opening import session
from reconciler.cli.program import Globals
from reconciler.cli.terminal import note, say, tell
from reconciler.render.quoting import place

ACCOUNT, FILES = "account", "files"


@click.command("handbook")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write the pages into."
)
@click.option(
    "--from",
    "source",
    default=ACCOUNT,
    metavar="account|files|SNAPSHOT",
    shell_complete=sources,
    help="What to describe: the account (default), what the files declare, or the account in a saved snapshot.",
)
@click.option("--no-counts", is_flag=True, help="Do not count the customer records at each object.")
@click.option(
    "--requests",
    type=click.IntRange(min=0),
    metavar="N",
    help="How many requests uses and counts may take (default: 500).",
)
@click.pass_obj
def command(chosen: Globals, out: Path, source: str, no_counts: bool, requests: int | None) -> int:
    """Write what the account holds as pages for all readers: every object with what it is for, who uses it, how
    many records are at it, and what is not used, not described, or there twice.

    Open DIR/index.html: it needs no server and no network. No secrets, no e-mail addresses, no customer data.
    """
    from reconciler.model.handbook import GENERATOR
    from reconciler.render.handbook import pages
    from reconciler.store.sites import check_site, write_site
    from reconciler.store.snapshotfile import read_snapshot
    from reconciler.workflow.handbook import REQUESTS, Looks, of_account, of_files, of_snapshot

    check_site(out, GENERATOR)
    if source == FILES:
        book = of_files(session(chosen, offline=True))
    elif source == ACCOUNT:
        looks = Looks(not no_counts, REQUESTS if requests is None else requests)
        book = chosen.screen.wait(of_account(session(chosen), looks))
    else:
        recording = read_snapshot(Path(source))
        book = chosen.screen.wait(of_snapshot(session(chosen, offline=True), recording, source))
    made = pages(book)
    count = write_site(out, made, made.__getitem__, GENERATOR)
    unused, undescribed, twins = (len(book.marked(mark)) for mark in ("unused", "undescribed", "twin"))
    say(f"Wrote the handbook of {book.name} to {place(out)}: {len(book.entries):,} objects, {count:,} pages.")
    say(
        f"Marked: {unused:,} without any use that was found, {undescribed:,} without a description, "
        f"{twins:,} with a near twin. "
        f"Open {place(out / 'index.html')}."
    )
    if book.spent:
        note(book.spent)
    tell("Not in it, ", (f"{', '.join(part.kind for part in parts)}: {why}" for why, parts in book.unread.items()))
    tell("Not in it: ", (line for part in book.chapters for line in part.partly))
    return 4 if book.unread else 0
