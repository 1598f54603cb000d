"""The order of a rollout: which account belongs to which wave, and what stops it. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import ceil

from reconciler.model.errors import WrongInput
from reconciler.model.fleet import PERCENT, Drifted, Group, Job, JobResult, Wave


def parted(waves: Sequence[Wave], jobs: Mapping[str, Job]) -> dict[str, list[str]]:
    """Return the accounts of each wave, in the order of their names' digests: no wave has all that begin with `a`.

    Accounts that name their wave are in it; the others fill the waves in order. Raises ReconcilerError where some are
    in none.
    """
    by_wave: dict[str, list[str]] = {wave.name: [] for wave in waves}
    for name, job in jobs.items():
        if job.wave is not None:
            by_wave[job.wave].append(name)
    left = sorted((name for name, job in jobs.items() if job.wave is None), key=_mixed)
    for wave in waves:
        fitting = [name for name in left if fits(jobs[name], wave)]
        taken = fitting[: _how_many(wave.accounts, len(jobs), len(fitting))]
        by_wave[wave.name] += taken
        gone = set(taken)
        left = [name for name in left if name not in gone]
    if left:
        what = f"{len(left)} accounts are in no wave: {', '.join(left[:3])}"
        raise WrongInput(what, hint="let the last wave have `accounts: rest`")
    return {name: members for name, members in by_wave.items() if members}


def fits(job: Job, wave: Wave) -> bool:
    """Return whether an account has the labels of a wave."""
    return all(job.labels.get(name) == value for name, value in wave.labels.items())


def _mixed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def _how_many(share: int | str, of_all: int, there: int) -> int:
    if share == "rest":
        return there
    return share if isinstance(share, int) else ceil(of_all * _percent(share) / 100)


def _percent(text: str) -> int:
    match = PERCENT.match(text)
    if match is None:
        raise AssertionError(f"{text!r} was taken for a percentage")
    return int(match.group(1))


def allowed(wave: Wave, accounts: int) -> int:
    """Return how many accounts of a wave may fail."""
    most = wave.max_failures
    return most if isinstance(most, int) else accounts * _percent(most) // 100


def digest_of(results: Iterable[JobResult]) -> str:
    """Return the digest of the plans of a wave: the one that an approval names."""
    rows = sorted(f"{result.account} {result.outcome} {result.digest}" for result in results)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def gate(wave: Wave, plans: Sequence[JobResult]) -> str:
    """Return why the plans of a wave must not be carried out; "" where nothing is against it."""
    failed = [plan for plan in plans if plan.bad]
    most = allowed(wave, len(plans))
    if len(failed) > most:
        return f"{len(failed)} of {len(plans)} accounts cannot be planned, at most {most} may: {failed[0].message}"
    limit = wave.max_records_at_risk
    if limit is not None:
        at_risk = sum(plan.records_at_risk for plan in plans)
        unknown = [plan.account for plan in plans if plan.unmeasured]
        if at_risk > limit:
            bound = "up to " if any(plan.at_most for plan in plans) else ""
            return f"{bound}{at_risk:,} customer records are at risk, at most {limit:,} may be"
        if unknown:
            return f"how many customer records are at risk is not known for {len(unknown)} accounts, first {unknown[0]}"
    return ""


def losing(plans: Iterable[JobResult]) -> list[str]:
    """Return the production accounts from which plans take something away: they are not carried out unasked."""
    return sorted(plan.account for plan in plans if plan.outcome == "changes" and plan.production and plan.destructive)


def failed_too_often(wave: Wave, results: Sequence[JobResult], accounts: int) -> str:
    """Return why a rollout must not go on after these results; "" where nothing is against it."""
    failed = [result for result in results if result.bad]
    most = allowed(wave, accounts)
    if len(failed) > most:
        return f"{len(failed)} of {accounts} accounts failed, at most {most} may: {failed[0].message}"
    return ""


def groups(results: Iterable[JobResult]) -> list[Group]:
    """Return the accounts with the same changes, the largest group first."""
    by_group: dict[str, list[JobResult]] = {}
    for result in results:
        if result.group:
            by_group.setdefault(result.group, []).append(result)
    grouped = [
        Group(digest=name, accounts=[result.account for result in ones], changes=ones[0].changes)
        for name, ones in by_group.items()
    ]
    return sorted(grouped, key=lambda group: (-len(group.accounts), group.digest))


def versions(results: Iterable[JobResult]) -> dict[str, int]:
    """Return how many accounts have which version of their baseline, of those that are as it says."""
    return dict(Counter(result.version or "none" for result in results if result.outcome in ("same", "applied")))


def drifted(results: Iterable[JobResult], jobs: Mapping[str, Job], versions: Mapping[str, str]) -> list[Drifted]:
    """Return how much drift there is by what accounts have (`versions` by account), by label and by object. Accounts
    that could not be looked at count nowhere.
    """
    seen, bad, looked = Counter[tuple[str, str]](), Counter[tuple[str, str]](), 0
    for result in results:
        if result.bad:
            continue
        looked += 1
        labels = [f"{name}={value}" for name, value in jobs[result.account].labels.items()]
        own = [("version", versions.get(result.account) or "none"), *(("label", label) for label in labels)]
        objects = [("object", address) for address in dict.fromkeys(map(_address, result.changes)) if address]
        seen.update(own)
        bad.update([*own, *objects] if result.outcome == "changes" else ())
    rows = sorted(bad.items(), key=lambda row: (ORDER[row[0][0]], -row[1], row[0][1]))
    return [
        Drifted.model_validate({"by": by, "name": name, "accounts": seen.get((by, name), looked), "drifted": count})
        for (by, name), count in rows
    ]


ORDER = {"version": 0, "label": 1, "object": 2}


def _address(line: str) -> str:
    """Return the address of a line of a result, as `line_of` writes them; "" of one that names none."""
    words = line.split(" ")
    return words[1] if len(words) > 1 and "." in words[1] else ""


def news(now: Sequence[JobResult], before: Sequence[JobResult], pending: Collection[str] = ()) -> list[str]:
    """Return what is different from an earlier report, one line for each account, with what changes besides. It did not
    come to the `pending` ones.
    """
    known = {result.account: result for result in before}
    lines = []
    for result in now:
        old = known.get(result.account)
        if old is None:
            is_new = "new" if result.account not in pending else f"not done before, {result.outcome} now"
            lines.append(f"{result.account}: {is_new}")
        elif (old.outcome, old.group) != (result.outcome, result.group):
            what = [line for line in result.changes if line not in old.changes]
            what += [f"no longer {line}" for line in old.changes if line not in result.changes and not result.bad]
            same = ", with other values" if old.outcome == result.outcome and not result.bad else ""
            more = f", {', '.join(what[:MOST_NEWS])}" if what else same
            more += f" and {len(what) - MOST_NEWS} more" if len(what) > MOST_NEWS else ""
            lines.append(f"{result.account}: {old.outcome} before, {result.outcome} now{more}")
    return lines


MOST_NEWS = 5
"""Changes that the news of an account name."""
