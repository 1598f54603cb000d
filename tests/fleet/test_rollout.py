"""The order of a rollout and its gates, as pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.fleet.accounts import AccountSelection, older
from reconciler.fleet.rollout import digest_of, failed_too_often, gate, groups, news, parted
from reconciler.fleet.running import _earlier
from reconciler.fleet.spec import RolloutSpec
from reconciler.model.errors import ReconcilerError
from reconciler.model.fleet import Job, JobResult, Wave


def job(name: str, wave: str | None = None, **labels: str) -> Job:
    """Return what is to be done for an account."""
    return Job(account=name, url=f"https://{name}.api-us1.com", baseline="crm", wave=wave, labels=labels)


def result(name: str, outcome: str = "applied", **more: object) -> JobResult:
    """Return what became of an account."""
    return JobResult.model_validate({"account": name, "outcome": outcome, **more})


class TestRollout:
    """Waves, gates, groups, versions and selections."""

    @given(
        st.integers(0, 60),
        st.lists(st.one_of(st.integers(0, 9), st.integers(0, 100).map(lambda one: f"{one} %")), max_size=4),
        st.sets(st.integers(0, 59)),
    )
    def test_every_account_is_in_exactly_one_wave(self, count: int, sizes: list[int | str], pinned: set[int]) -> None:
        """Every account is in exactly one wave."""
        waves = [Wave(name=f"w{at}", accounts=size) for at, size in enumerate(sizes)] + [Wave(name="last")]
        jobs = {f"a{at}": job(f"a{at}", "last" if at in pinned else None) for at in range(count)}

        found = parted(waves, jobs)

        assert sorted(name for names in found.values() for name in names) == sorted(jobs)
        assert {f"a{at}" for at in pinned if at < count} <= set(found.get("last", []))
        for wave in waves[:-1]:
            if isinstance(wave.accounts, int):
                assert len(found.get(wave.name, [])) <= wave.accounts

    def test_accounts_that_no_wave_takes_are_an_error(self) -> None:
        """Accounts that no wave takes are an error."""
        with pytest.raises(ReconcilerError, match="1 accounts are in no wave: a"):
            parted([Wave(name="eu", labels={"region": "eu"})], {"a": job("a", region="us")})

    def test_a_gate_stops_what_fails_or_puts_records_at_risk(self) -> None:
        """A gate stops what fails or puts records at risk."""
        wave = Wave(name="w", max_failures="50 %", max_records_at_risk=10)
        good = [result("a", "changes", records_at_risk=10), result("b", "failed")]
        assert gate(wave, good) == ""
        assert "2 of 2 accounts cannot be planned, at most 1 may" in gate(
            wave, [result("a", "failed"), result("b", "locked")]
        )
        assert "11 customer records are at risk, at most 10" in gate(wave, [result("a", "changes", records_at_risk=11)])
        assert "not known for 1 accounts, first a" in gate(wave, [result("a", "changes", unmeasured=1)])
        assert gate(Wave(name="w", max_records_at_risk=None), [result("a", "changes", records_at_risk=99)]) == ""
        assert "1 of 3 accounts failed, at most 0 may" in failed_too_often(Wave(name="w"), [result("a", "partial")], 3)

    def test_the_digest_of_a_wave_is_that_of_its_plans(self) -> None:
        """The digest of a wave is that of its plans."""
        one, other = result("a", "changes", digest="x"), result("b", "same")
        assert digest_of([one, other]) == digest_of([other, one])
        assert digest_of([one, other]) != digest_of([result("a", "changes", digest="y"), other])

    def test_groups_are_accounts_with_the_same_changes_the_largest_first(self) -> None:
        """Groups are accounts with the same changes the largest first."""
        found = groups(
            [result("a", group="x", changes=["create tag.a"]), result("b", group="y"), result("c", group="y")]
        )
        assert [(one.accounts, one.changes) for one in found] == [(["b", "c"], []), (["a"], ["create tag.a"])]

    def test_news_are_what_became_different(self) -> None:
        """News are what became different."""
        before = [result("a", "same"), result("b", "changes", group="x")]
        now = [result("a", "changes", group="x"), result("b", "changes", group="x"), result("c", "same")]
        assert news(now, before) == ["a: same before, changes now", "c: new"]
        assert news(now[2:], before, ["c"]) == ["c: not done before, same now"]
        lines = ["update tag.vip (name)"]
        old, new = (result("a", "changes", group=group, changes=lines) for group in "xy")
        assert news([new], [old]) == ["a: changes before, changes now, with other values"]

    def test_versions_are_ordered_by_their_numbers(self) -> None:
        """Versions are ordered by their numbers."""
        assert older("2.9", "2.10")
        assert older("", "1")
        assert older("v1.9.9", "2")
        assert not older("2.10", "2.9")
        assert not older("2.0", "2.0")

    def test_a_selection_takes_names_labels_versions_and_shards(self) -> None:
        """A selection takes names labels versions and shards."""
        jobs = {name: job(name, region=region) for name, region in (("acme", "eu"), ("beta", "us"), ("core", "eu"))}
        assert sorted(AccountSelection(labels=("region=eu",)).of(jobs, {})) == ["acme", "core"]
        assert sorted(AccountSelection(names=("a*", "b*")).of(jobs, {})) == ["acme", "beta"]
        assert sorted(AccountSelection(behind="2").of(jobs, {"acme": "2", "beta": "1"})) == ["beta", "core"]
        parts = [AccountSelection(shard=(number, 2)).of(jobs, {}) for number in (1, 2)]
        assert sorted([*parts[0], *parts[1]]) == sorted(jobs)
        assert not set(parts[0]) & set(parts[1])
        with pytest.raises(ReconcilerError, match="no account is named `x\\*`"):
            AccountSelection(names=("x*",)).of(jobs, {})
        with pytest.raises(ReconcilerError, match="no account has the label `region=asia`"):
            AccountSelection(labels=("region=asia",)).of(jobs, {})

    @given(st.integers(1, 40), st.integers(1, 9))
    def test_shards_are_all_accounts_and_each_once(self, count: int, parts: int) -> None:
        """However many parts there are."""
        jobs = {f"a{at}": job(f"a{at}") for at in range(count)}
        found = [name for at in range(parts) for name in AccountSelection(shard=(at + 1, parts)).of(jobs, {})]
        assert sorted(found) == sorted(jobs)

    @pytest.mark.parametrize("parts", [1, 2, 3, 7])
    def test_what_is_on_record_moves_no_account_to_another_shard(self, parts: int) -> None:
        """Each part has a record of its own, which knows nothing of the accounts of the others."""
        jobs = {f"a{at}": job(f"a{at}") for at in range(10)}
        bad = {"a0", "a1", "a4", "a9"}
        again, behind = list[str](), list[str]()
        for number in range(1, parts + 1):
            own = AccountSelection(shard=(number, parts)).of(jobs, {})
            known = {name: "1.0" if name in bad else "2.0" for name in own}
            again += AccountSelection(shard=(number, parts), failed=True).of(jobs, {}, bad & own.keys())
            behind += AccountSelection(shard=(number, parts), behind="2.0").of(jobs, known)
        assert sorted(again) == sorted(behind) == sorted(bad)


class Kept:
    """Rollouts that are on record, the newest first."""

    def __init__(self, *rollouts: RolloutSpec) -> None:
        self.rollouts = rollouts

    def each(self, limit: int, mode: str) -> Iterator[RolloutSpec]:
        """Yield them."""
        yield from self.rollouts


def over(begun: str, *names: str) -> RolloutSpec:
    """Return a rollout over these accounts."""
    jobs = {name: job(name) for name in names}
    return RolloutSpec(name=f"r{begun}", mode="apply", begun=begun, jobs=jobs)


@pytest.mark.parametrize(
    ("earlier", "compared"),
    [
        ([over("3", "a"), over("2", "a", "b", "c"), over("1", "a", "b", "c", "d")], "r2"),
        ([over("3", "a"), over("2", "b", "d")], "r3"),
        ([over("3", "x"), over("2", "y")], None),
        ([over("5", "a", "b", "c"), over("4", "a", "b", "c"), over("3", "a", "b", "c")], "r3"),
        ([], None),
    ],
)
def test_a_report_is_compared_with_one_over_the_same_accounts(earlier: list[RolloutSpec], compared: str | None) -> None:
    """After `--failed` the last one was over a few, and all others were new."""
    kept: Any = Kept(*earlier)
    found = _earlier(kept, over("4", "a", "b", "c"))
    assert (found.name if found else None) == compared
