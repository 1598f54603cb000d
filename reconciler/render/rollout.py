"""How far a rollout is, while it goes on: a table on a terminal, elsewhere a line for each wave that is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from reconciler.model.fleet import Standing, WaveStanding
from reconciler.model.redaction import redactor
from reconciler.render import words
from reconciler.render.capable import is_interactive
from reconciler.render.harmless import outgoing
from reconciler.render.quoting import clean

if TYPE_CHECKING:
    from rich.console import RenderableType

    from reconciler.render.frame import Frame

ENOUGH = 3
"""Plans and applies from which the time that is left is told."""
MOST_WAVES = 12


class RolloutWatch:
    """A context manager in which a rollout is watched; `clock` answers seconds that only rise, `live` is whether a
    table may be drawn (None: on an interactive terminal).
    """

    def __init__(
        self,
        stream: TextIO,
        begun: Standing,
        *,
        clock: Callable[[], float],
        environ: Mapping[str, str],
        quiet: bool = False,
        live: bool | None = None,
    ) -> None:
        self._stream, self._environ, self._clock = stream, environ, clock
        self._quiet = quiet
        self._interactive = is_interactive(stream, environ) if live is None else live
        self._began, self._first, self._now = clock(), begun, begun
        self._known = False
        self._told: set[str] = set()
        self._frame: Frame | None = None
        self._stopping = False

    def __enter__(self) -> Self:
        if self._interactive and not self._quiet:
            from reconciler.render.progress import live_on

            self._frame = live_on(self._stream, self._environ, self._drawn)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._frame is not None:
            self._frame.stop()
            self._frame = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let what is printed inside stand above the table, where there is one."""
        if self._frame is None:
            yield
        else:
            with self._frame.away():
                yield

    def show(self, standing: Standing) -> None:
        """Take note of how far it is."""
        if not self._known:  # what was done before this process began says nothing of how fast it is
            self._first, self._known = standing, True
        self._now = standing
        if self._frame is not None:
            self._frame.draw()
        if self._quiet or self._frame is not None:
            return
        for wave in standing.waves:
            if wave.name not in self._told and wave.over(apply=standing.mode == "apply"):
                self._told.add(wave.name)
                self._stream.write(outgoing(redactor().show(clean(_line(standing, wave))), "text") + "\n")
                self._stream.flush()

    def stopping(self) -> None:
        """Say that no new account is begun."""
        self._stopping = True

    def abandon(self) -> str:
        """Take the table away for good, and return what is on record by now; the process ends."""
        if self._frame is not None:
            self._frame.abandon()
        standing = self._now
        return "; ".join(_line(standing, wave) for wave in standing.waves[:MOST_WAVES])

    def seconds_left(self) -> float | None:
        """How long what is left takes at the speed since this process began; None where that is unknown."""
        now = self._now
        done = now.done - self._first.done
        return (self._clock() - self._began) / done * now.left if done >= ENOUGH and now.left else None

    def _drawn(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        standing = self._now
        table = Table(box=None, pad_edge=False, header_style="dim")
        verbs = ("planned", "applied") if standing.mode == "apply" else ("planned",)
        verbs = ("looked at",) if standing.mode == "drift" else verbs
        for at, name in enumerate(("wave", "accounts", *verbs, "running", "failed")):
            table.add_column(name, justify="right" if at else "left")
        for wave in standing.waves[:MOST_WAVES]:
            done = [words.number(wave.planned)]
            done += [f"{words.number(wave.applied)} of {words.number(wave.todo)}"] if standing.mode == "apply" else []
            failed = Text(words.number(wave.failed), style="red" if wave.failed else "")
            table.add_row(
                Text(clean(wave.name)), words.number(wave.accounts), *done, words.number(wave.running), failed
            )
        left = self.seconds_left()
        elapsed = words.duration(max(self._clock() - self._began, 0.0))
        parts = [words.counted(standing.requests, "request"), elapsed]
        parts += [f"about {words.duration(left)} left"] if left else []
        more = len(standing.waves) - MOST_WAVES
        lines = [Text(f"and {more} more waves", style="dim")] if more > 0 else []
        lines.append(Text(", ".join(parts)))
        lines += [Text("Stopping: no account is begun any more", style="yellow")] if self._stopping else []
        return Group(table, *lines)


def _line(standing: Standing, wave: WaveStanding) -> str:
    parts = [f"{words.number(wave.planned)} {'looked at' if standing.mode == 'drift' else 'planned'}"]
    parts += [f"{words.number(wave.applied)} applied"] if standing.mode == "apply" else []
    parts += [f"{words.number(wave.failed)} failed"] if wave.failed else []
    return f"wave {wave.name}: {words.counted(wave.accounts, 'account')}, {', '.join(parts)}"
