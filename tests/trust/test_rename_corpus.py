"""Suspected renames, through the command line: a corpus of pairs that are one thing and pairs that are two."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.resources import load_kinds
from tests.world import new_world

CORPUS = yaml.safe_load(Path(__file__).with_name("renames.yaml").read_text("utf-8"))
KINDS = {kind.section: kind for kind in load_kinds().values()}
KEEP = {"tags": {"keep": {"name": "Zzz keep"}}}
LEAST = 0.95


@dataclass(frozen=True)
class Pair:
    """An object before and one after; `one` tells whether they are one thing."""

    one: bool
    section: str
    old: str
    was: dict[str, Any]
    new: str
    now: dict[str, Any]

    @property
    def addresses(self) -> tuple[str, str]:
        """Both addresses; of one key two are made: an object cannot go and come under one address."""
        kind = KINDS[self.section].name
        return f"{kind}.{self.old}", f"{kind}.{self.new + '_2' * (self.old == self.new)}"


PAIRS = [Pair(*row) for row in CORPUS["pairs"]]


def rounds() -> Iterator[list[Pair]]:
    """Accounts of one pair of each kind: objects of different kinds are never one."""
    queues: dict[str, list[Pair]] = defaultdict(list)
    for pair in PAIRS:
        queues[pair.section].append(pair)
    for number in range(max(map(len, queues.values()))):
        yield [queue[number] for queue in queues.values() if number < len(queue)]


def declared(pairs: list[Pair], *, after: bool) -> dict[str, Any]:
    """The configuration before or after."""
    found: dict[str, Any] = json.loads(json.dumps(KEEP))
    for pair in pairs:
        key = pair.addresses[after].partition(".")[2]
        attrs = pair.now if after else pair.was
        found.setdefault(pair.section, {})[key] = {**CORPUS["defaults"].get(pair.section, {}), **attrs}
    return found


def hints(folder: Path, pairs: list[Pair]) -> set[tuple[str, str]]:
    """Apply what was, plan what is, and return the renames that the plan suspects."""
    with new_world(folder) as world:
        world.write(declared(pairs, after=False))
        ran = world.cli("apply", "--auto-approve", "--quiet")
        assert ran.code == 0, ran.text
        world.write(declared(pairs, after=True))
        ran = world.cli("plan", "--format", "json", "--no-impact")
        assert ran.code in (0, 7), ran.text
        return {(one["source"], one["target"]) for one in json.loads(ran.out)["renames"]}


def test_corpus_through_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Precision and recall over the corpus; a hint for a part of a renamed object is a false alarm."""
    hits, misses, alarms = 0, [], []
    for number, pairs in enumerate(rounds()):
        found = hints(tmp_path / str(number), pairs)
        right = {pair.addresses for pair in pairs if pair.one}
        hits += len(found & right)
        misses += sorted(right - found)
        alarms += sorted(found - right)
    precision, recall = hits / max(hits + len(alarms), 1), hits / sum(pair.one for pair in PAIRS)
    size = f"{len(PAIRS)} pairs of {len({pair.section for pair in PAIRS})} kinds"
    lines = [f"renames: {size}, precision {precision:.2f}, recall {recall:.2f}"]
    lines += [f"  missed: {old} -> {new}" for old, new in misses]
    lines += [f"  false alarm: {old} -> {new}" for old, new in alarms]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert len(PAIRS) >= 120
    assert precision >= LEAST
    assert recall >= LEAST
