"""Fleet files that somebody wrote in haste, or to do harm: each is told with its place, and nothing is begun."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from reconciler.fleet.accounts import AccountSelection
from reconciler.fleet.running import begin, checked, open_fleet
from reconciler.model.errors import ConfigError, ExitCode, ReconcilerError
from reconciler.workflow.opening.runtime import Runtime
from tests.fleet.conftest import CONFIG, Fleet, file_of

HEAD = "version: 1\nbaselines: {crm: {folder: baselines/crm}}\ndefaults: {baseline: crm}\n"
ONE = HEAD + "accounts: {a: {url: 'https://a.api-us1.com'}}\n"


def told(fleet: Fleet, text: str, selection: AccountSelection | None = None, config: str = CONFIG) -> ReconcilerError:
    """Return what is said of a fleet file before anything is begun."""
    fleet.write(text, config)
    with pytest.raises(ReconcilerError) as caught:
        begun(fleet, selection)
    return caught.value


def begun(fleet: Fleet, selection: AccountSelection | None = None) -> None:
    """Do what commands do before anything is begun."""
    opened = open_fleet(fleet.folder, Runtime(environ=dict(os.environ)))
    checked(opened, opened.jobs)
    begin(opened, "apply", selection or AccountSelection())


def name_of(text: str) -> str:
    """Return a fleet file with an account of this name."""
    return HEAD + f"accounts:\n  {json.dumps(text)}: {{url: 'https://a.api-us1.com'}}\n"


CASES = {
    "an alias of itself": HEAD + "accounts: &a\n  a: *a\n",
    "aliases without end": HEAD + "x-a: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"x-{chr(98 + at)}: &{chr(98 + at)} [{', '.join([f'*{chr(97 + at)}'] * 9)}]\n" for at in range(9))
    + "accounts: {a: {url: 'https://a.api-us1.com', variables: {x: *j}}}\n",
    "a name with a quote": name_of("a'b"),
    "a name with a line break": name_of("a\nb"),
    "a name that climbs": name_of(".."),
    "a name with a slash": name_of("a/b"),
    "a name with a bidi mark": name_of("a\u202eb"),
    "a name that is empty": name_of(""),
    "an account twice": HEAD + "accounts:\n  a: {url: 'https://a.api-us1.com'}\n  a: {url: 'https://b.api-us1.com'}\n",
    "a port that is the usual one": HEAD
    + "accounts: {a: {url: 'https://a.api-us1.com'}, b: {url: 'https://A.api-us1.com:443/api/3/'}}\n",
    "a host with a dot at its end": HEAD
    + "accounts: {a: {url: 'https://a.api-us1.com'}, b: {url: 'https://a.api-us1.com.'}}\n",
    "an origin and its API": HEAD
    + "accounts: {a: {url: 'https://a.api-us1.com/'}, b: {url: 'https://a.api-us1.com/api/3'}}\n",
    "an emulated one by two paths": HEAD
    + "accounts: {a: {url: 'emulator:x/../a.json'}, b: {url: 'emulator:./a.json'}}\n",
    "more than all": ONE + "waves: [{name: w, accounts: 101 %}]\n",
    "less than none": ONE + "waves: [{name: w, accounts: -1}]\n",
    "a share that is none": ONE + "waves: [{name: w, max_failures: 5.5 %}]\n",
    "a wave behind the rest": ONE + "waves: [{name: w}, {name: v, accounts: 3}]\n",
    "a wave for nobody": ONE + "waves: [{name: eu, labels: {region: eu}}, {name: rest}]\n",
    "accounts in no wave": ONE + "waves: [{name: eu, accounts: 0}]\n",
    "a folder that climbs": ONE.replace("baselines/crm", "../x"),
    "a list that climbs": ONE + "sources: [{csv: ../../etc/passwd}]\n",
    "a list that is a folder": ONE + "sources: [{jsonl: baselines}]\n",
    "a list that is not there": ONE + "sources: [{csv: 'a\\nb.csv'}]\n",
    "a key that is written out": HEAD + "accounts: {a: {url: 'https://a.api-us1.com', token: abc}}\n",
    "an overlay that climbs": HEAD + "accounts: {a: {url: 'https://a.api-us1.com', overlays: ['../../fleet.yaml']}}\n",
    "a variable that is none": HEAD + "accounts: {a: {url: 'https://a.api-us1.com', variables: {nothing: 1}}}\n",
    "an overlay that is not there": HEAD + "accounts: {a: {url: 'https://a.api-us1.com', overlays: [x.yaml]}}\n",
    "no map": "- accounts\n",
    "nothing": "",
    "two files in one": ONE + "---\n" + ONE,
    "accounts as a list": HEAD + "accounts: [a]\n",
    "two waves of one name": ONE + "waves: [{name: w}, {name: w}]\n",
    "a source that is a text": ONE + "sources: [x.csv]\n",
    "the key of all written out": ONE.replace("{baseline: crm}", "{baseline: crm, token: abcdef}"),
}  # fmt: skip
LISTS = {
    "a value too many": "name,url\na,emulator:a,x\n",
    "no address": "name,url\na,\n",
    "a baseline that is not there": "name,url,baseline\na,emulator:a,crn\n",
    "a wave that is not there": "name,url,wave\na,emulator:a,last\n",
    "one account by two addresses": "name,url\na,emulator:a\nb,emulator:./a\n",
    "one name twice": "name,url\na,emulator:a\na,emulator:b\n",
    "a quotation without end": 'name,url\n"a,emulator:a\n',
    "neither yes nor no": "name,url,production\na,emulator:a,perhaps\n",
    "an overlay of a list that is not there": "name,url,overlays\na,emulator:a,x.yaml\n",
    "half an object": '{"name": "a"\n',
    "a list in a list": "[1]\n",
    "a key twice": '{"name": "a", "name": "b", "url": "emulator:a"}\n',
    "a member that is none": '{"name": "a", "url": "emulator:a", "wawe": "x"}\n',
    "no number": '{"name": "a", "url": "emulator:a", "variables": {"greeting": NaN}}\n',
    "half a character": '{"name": "a", "url": "emulator:a", "labels": {"x": "\\ud800"}}\n',
    "half a character as a name": '{"name": "a", "url": "emulator:a", "labels": {"\\ud800": "x"}}\n',
    "no end": "[" * 100_000,
}


class TestHostile:
    """What is wrong is told before an account is asked."""

    @pytest.mark.parametrize("case", CASES)
    def test_it_is_told_with_its_place_and_a_hint(self, fleet: Fleet, case: str) -> None:
        """As an invalid configuration."""
        error = told(fleet, CASES[case])
        assert error.exit_code == ExitCode.CONFIG, error
        assert isinstance(error, ConfigError), error
        first = error.diagnostics[0]
        assert first.at is not None, first
        assert first.hint, first
        assert not (fleet.folder / "state").exists()

    @pytest.mark.parametrize("case", LISTS)
    def test_what_is_wrong_in_a_list_is_told_with_its_place_and_a_hint(self, fleet: Fleet, case: str) -> None:
        """The line of the list, or the file of the baseline with the account that it was read for."""
        kind = "csv" if LISTS[case].startswith("name") else "jsonl"
        (fleet.folder / "list").write_text(LISTS[case])
        error = told(fleet, HEAD + f"sources: [{{{kind}: list}}]\n")
        assert isinstance(error, ConfigError), error
        first = error.diagnostics[0]
        assert first.at is not None, first
        assert first.at.file == "list" or "account `a`)" in first.message, first
        assert first.hint, first

    def test_what_is_wrong_in_a_baseline_is_told_with_its_folder(self, fleet: Fleet) -> None:
        """Two baselines have files of the same names."""
        error = told(fleet, ONE, config=CONFIG.replace("name: VIP", "nam: VIP"))
        assert isinstance(error, ConfigError), error
        assert {problem.at.file for problem in error.diagnostics if problem.at} == {"baselines/crm/config/main.yaml"}

    def test_includes_that_lead_back_are_told(self, fleet: Fleet) -> None:
        """A baseline that includes itself by way of another one."""
        fleet.write(ONE)
        other = fleet.folder / "baselines" / "other"
        other.mkdir()
        (fleet.folder / ".git").mkdir()
        for folder, to in ((other, "../crm"), (other.parent / "crm", "../other")):
            (folder / "reconciler.yaml").write_text(
                "version: 1\nenvironments:\n  dev: {url: 'emulator:dev.json'}\ninclude: [{source: " + to + "}]\n"
            )
        with pytest.raises(ReconcilerError) as caught:
            begun(fleet)
        assert caught.value.exit_code == ExitCode.CONFIG

    @pytest.mark.parametrize("glob", ["[", "[z-a]", "(a+)+$", "*" * 60 + "b", "a\n", "[!", "{a,b}", "\\"])
    def test_what_looks_like_a_pattern_selects_nobody_at_once(self, fleet: Fleet, glob: str) -> None:
        """In names and in labels."""
        text = HEAD + f"accounts: {{{'a' * 60}: {{url: 'https://a.api-us1.com', labels: {{x: {'a' * 60}}}}}}}\n"
        for selection in (AccountSelection(names=(glob,)), AccountSelection(labels=(f"x={glob}",))):
            error = told(fleet, text, selection=selection)
            assert "no account" in error.message
            assert error.hint

    def test_twenty_thousand_accounts_in_one_file_are_read(self, fleet: Fleet) -> None:
        """And a mistake in the last one is told with its line."""
        lines = [f"  a{at}: {{url: 'https://a{at}.api-us1.com'}}\n" for at in range(20_000)]
        fleet.write(HEAD + "accounts:\n" + "".join(lines))
        assert len(open_fleet(fleet.folder, Runtime(environ={})).jobs) == 20_000
        error = told(fleet, HEAD + "accounts:\n" + "".join(lines) + "  last: {url: 'ftp://x'}\n")
        assert isinstance(error, ConfigError)
        assert "fleet.yaml:20005:" in str(error.diagnostics[0].at)


def test_a_worker_follows_no_link_out_of_the_folder(fleet: Fleet, tmp_path: Path) -> None:
    """A list that is a link to what somebody else may not show."""
    fleet.write(ONE + "sources: [{csv: more.csv}]\n")
    os.symlink("/etc/passwd", fleet.folder / "more.csv")
    with pytest.raises(ConfigError) as caught:
        open_fleet(fleet.folder, Runtime(environ={}))
    assert "root" not in "".join(one.message for one in caught.value.diagnostics)


class TestWhoseMistakeItIs:
    """What is wrong with a baseline says which one, and for which accounts: there are thousands."""

    def test_what_is_wrong_for_some_accounts_names_them_once(self, fleet: Fleet) -> None:
        """A variable of the wrong type, in two of twenty accounts; and something else in a third one."""
        names = [f"a{at}" for at in range(20)]
        more = dict.fromkeys(names, "") | {
            "a3": "variables: {greeting: 5}", "a7": "variables: {greeting: 5}", "a9": "overlays: [none.yaml]",
        }  # fmt: skip
        error = told(fleet, file_of(more))
        assert isinstance(error, ConfigError)
        found = {
            (str(one.at).rpartition(":")[0].rpartition(":")[0], one.message.partition(" (")[2])
            for one in error.diagnostics
        }
        assert ("baselines/crm/reconciler.yaml", "baseline `crm`, accounts `a3`, `a7`)") in found
        assert any("account `a9`)" in one.message for one in error.diagnostics)
        assert len(error.diagnostics) == 2

    def test_what_is_wrong_for_all_is_told_once(self, fleet: Fleet) -> None:
        """However many have it, and whichever variables."""
        names = {f"a{at}": f"variables: {{greeting: v{at}}}" for at in range(30)}
        fleet.write(file_of(names), CONFIG + "tags: 5\n")
        with pytest.raises(ConfigError) as caught:
            begun(fleet)
        places = [str(one.at) for one in caught.value.diagnostics]
        assert all(place.startswith("baselines/crm/config/main.yaml:") for place in places)
        assert len(set(places)) == len(places)
        assert "(baseline `crm`, accounts `a0`, `a1`, `a2` and" in caught.value.diagnostics[0].message

    def test_a_project_that_cannot_be_read_is_shown_below_the_fleet(self, fleet: Fleet) -> None:
        """Two baselines have a file of that name."""
        fleet.write(ONE)
        (fleet.folder / "baselines" / "crm" / "reconciler.yaml").write_text("version: 1\nenvironments: 5\n")
        with pytest.raises(ConfigError) as caught:
            begun(fleet)
        assert str(caught.value.diagnostics[0].at).startswith("baselines/crm/reconciler.yaml:2:")
