"""Random configurations, one after the other: the account ends as the last one says, and nothing else is touched."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import stamina
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reconciler.emulator import AccountSettings, Fault
from tests.properties.configurations import Config, configurations, shuffled
from tests.properties.convergence import Snapshot, converged, strangers
from tests.properties.world import World

IN_TEST, IN_PROOF = 15, 400
"""Examples of each property in `make test` and in `make prove`; each is four to six whole runs of the program."""
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""No shrinking: it takes many minutes here, and the first problem of a failing history says enough."""

ACCOUNTS = st.builds(
    AccountSettings,
    orphan_stages=st.booleans(),
    id_reuse=st.booleans(),
    list_put=st.sampled_from(["empty", "list"]),
    bulk_options=st.sampled_from(["append", "replace"]),
    cap_limit=st.sampled_from([100, 20]),
    side_load_stages=st.booleans(),
    mixed_types=st.integers(0, 5),
    missing=st.sampled_from([(), ("dealGroupUsers", "dealGroupGroups")]),
)
"""Every way of behaving that the sources report."""
FAULTS = st.builds(
    Fault,
    action=st.sampled_from(
        "fail_before fail_after drop_before drop_after slow forbidden stale_list lying_total html truncated".split()
    ),
    nth=st.integers(1, 70),
    status=st.sampled_from([500, 502, 503]),
) | st.builds(
    Fault,
    action=st.just("rate_limited"),
    nth=st.integers(1, 70),
    times=st.sampled_from([1, 5]),
    seconds=st.sampled_from([None, 1.0]),
)
"""One thing that goes wrong, once, anywhere; a 429 may come five times in a row."""


@pytest.fixture(autouse=True)
def _quiet_retries() -> Iterator[None]:
    """Retries are expected here by the thousand; nobody reads their log."""
    stamina.instrumentation.set_on_retry_hooks([])
    yield
    stamina.instrumentation.set_on_retry_hooks(None)


@contextmanager
def account(settings: AccountSettings | None = None) -> Iterator[tuple[World, Snapshot]]:
    """An account that holds objects of somebody else, and what they are."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), settings)
        try:
            yield world, strangers(world.account)
        finally:
            world.close()


def settle(world: World, before: Snapshot, config: Config) -> list[str]:
    """Apply without trouble; returns everything that does not hold afterwards."""
    result = world.apply(config)
    return converged(config, world, before) if result.clean else [str(result)]


def one_after_the_other(first: Config, second: Config, settings: AccountSettings, order: random.Random) -> list[str]:
    """Apply both, the second with its keys in another order; returns the problems."""
    with account(settings) as (world, before):
        mixed = shuffled(second, lambda keys: order.sample(keys, len(keys)))
        return settle(world, before, first) or settle(world, before, mixed)


def with_one_fault(
    first: Config, second: Config, settings: AccountSettings, fault: Fault, struck: int, during_apply: bool
) -> list[str]:
    """Apply both; one of the runs meets the fault and is done again. Returns the problems."""
    with account(settings) as (world, before):
        for number, config in enumerate((first, second)):
            if number == struck:
                world.apply(config, faults=[fault], during_apply=during_apply)
            if problems := settle(world, before, config):
                return problems
    return []


def given_up(first: Config, second: Config, settings: AccountSettings, fault: Fault) -> list[str]:
    """The run of the first meets the fault; then somebody changes their mind and applies the second."""
    with account(settings) as (world, before):
        world.apply(first, faults=[fault], during_apply=True)
        return settle(world, before, second)


@hypothesis_settings(max_examples=IN_TEST, phases=PHASES)
@given(configurations(), configurations(), ACCOUNTS, st.randoms(use_true_random=False))
def test_the_account_ends_as_the_last_configuration_says(
    first: Config, second: Config, settings: AccountSettings, order: random.Random
) -> None:
    """apply(A), apply(B) leaves exactly B in any order of keys, whatever the account's habits; the plan is empty."""
    assert one_after_the_other(first, second, settings, order) == []


@hypothesis_settings(max_examples=IN_TEST, phases=PHASES)
@given(configurations(), configurations(), ACCOUNTS, FAULTS, st.integers(0, 1), st.booleans())
def test_one_fault_anywhere_is_mended_by_the_next_run(
    first: Config, second: Config, settings: AccountSettings, fault: Fault, struck: int, during_apply: bool
) -> None:
    """A run that meets a fault ends with a summary or a clear error; the next one converges, without a duplicate."""
    assert with_one_fault(first, second, settings, fault, struck, during_apply) == []


@hypothesis_settings(max_examples=IN_TEST, phases=PHASES)
@given(configurations(), configurations(), ACCOUNTS, FAULTS)
def test_what_an_interrupted_run_made_is_removed_when_it_is_no_longer_wanted(
    first: Config, second: Config, settings: AccountSettings, fault: Fault
) -> None:
    """After a fault the configuration may change: nothing of the old one is left over as an orphan."""
    assert given_up(first, second, settings, fault) == []


@pytest.mark.prove
@hypothesis_settings(max_examples=IN_PROOF, phases=PHASES)
@given(configurations(), configurations(), ACCOUNTS, st.randoms(use_true_random=False))
def test_thousands_of_runs_end_as_the_last_configuration_says(
    first: Config, second: Config, settings: AccountSettings, order: random.Random
) -> None:
    """The first property, many times over."""
    assert one_after_the_other(first, second, settings, order) == []


@pytest.mark.prove
@hypothesis_settings(max_examples=IN_PROOF, phases=PHASES)
@given(configurations(), configurations(), ACCOUNTS, FAULTS, st.integers(0, 1), st.booleans())
def test_thousands_of_faults_are_mended_by_the_next_run(
    first: Config, second: Config, settings: AccountSettings, fault: Fault, struck: int, during_apply: bool
) -> None:
    """The second property, many times over."""
    assert with_one_fault(first, second, settings, fault, struck, during_apply) == []


@pytest.mark.prove
@hypothesis_settings(max_examples=IN_PROOF, phases=PHASES)
@given(configurations(), configurations(), ACCOUNTS, FAULTS)
def test_thousands_of_abandoned_runs_leave_no_orphan(
    first: Config, second: Config, settings: AccountSettings, fault: Fault
) -> None:
    """The third property, many times over."""
    assert given_up(first, second, settings, fault) == []
