"""The files compile and run in each language, and say exactly what the catalogue says, whatever keys and texts."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mypy import api

from reconciler.model.errors import ConfigError
from reconciler.model.ids import IdCatalog, IdEntry, Language, Section
from reconciler.render.code import LANGUAGES, dotenv, go, is_generated, php, python, rendered, typescript
from reconciler.render.code.naming import camel, names
from tests import npm
from tests.ids.catalogs import DESCRIPTIONS, KEYS, OPTIONS, expected, hostile
from tests.required import OUTSIDE, absent

TYPESCRIPT = "5.9.3"
STRICT = ("--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--noImplicitReturns")
MODERN = ("--target", "es2020", "--lib", "es2020", "--skipLibCheck", "--module", "nodenext")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
LITERALS = {"python": python.literal, "typescript": typescript.literal, "go": go.literal, "php": php.literal}


def one(key: str = "vip", doc: str = "", value: str = "1", environments: tuple[str, ...] = ("demo",)) -> IdCatalog:
    """A catalogue of one tag."""
    values = {name: {"id": value, "name": value} for name in environments}
    return IdCatalog(
        environments, (Section("tags", "Tag", (IdEntry(key, f"tags.{key}", "tag.x", "Tag", doc, values),)),)
    )


def loaded(catalog: IdCatalog) -> Any:
    """The Python file as a module."""
    module = types.ModuleType("ids_of_a_test")
    exec(compile(rendered(catalog, "python"), "ids.py", "exec"), module.__dict__)
    return module


def walked(catalog: IdCatalog, account: Any) -> dict[str, Any]:
    """What the Python module says, by path, found by the names that keys have."""
    found: dict[str, Any] = {}

    def walk(sections: tuple[Section, ...], holder: Any) -> None:
        for section in sections:
            members = names(section.entries, python.name_of, "Python")
            for entry in section.entries:
                member = getattr(getattr(holder, section.name), members[entry.path])
                if member is not None:
                    found[entry.path] = {name: getattr(member, name) for name in entry.values[account.environment]}
                    walk(entry.sections, member)

    walk(catalog.sections, account)
    return found


@pytest.mark.parametrize("partial", [False, True])
def test_python_says_what_the_catalogue_says(partial: bool) -> None:
    """Every key has an attribute, every value is that of its account; what an account lacks is None."""
    catalog = hostile(partial=partial)
    module = loaded(catalog)
    for environment in catalog.environments:
        assert walked(catalog, module.account(environment)) == expected(catalog, environment)
    assert (module.account("eu-west").fields.only_here is None) == partial


def test_python_chooses_the_account_at_run_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the argument, else by the environment variable; an unknown one, or none of two, is an error with the names."""
    module = loaded(hostile())
    monkeypatch.setenv("ACTIVECAMPAIGN_ENV", "eu-west")
    assert module.account().environment == "eu-west"
    assert module.account("demo").environment == "demo"
    with pytest.raises(LookupError, match="demo, eu-west"):
        module.account("prod")
    monkeypatch.delenv("ACTIVECAMPAIGN_ENV")
    with pytest.raises(LookupError, match="ACTIVECAMPAIGN_ENV"):
        module.account()
    assert loaded(one()).account().environment == "demo"


USES = """
from {module} import Account, account
ids: Account = account("demo")
maybe_named: "str | None" = ids.lists.news.string_id
won: str = ids.pipelines.sales.stages.class_.id
tag: str = ids.tags.a_b.name
"""
PARTLY = "maybe: str = ids.fields.only_here.id\n"
GONE = "gone: str = ids.tags.{key}.id\n"


def test_python_passes_strict_type_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files, and a program that uses them, pass mypy --strict. A key that is gone, and one that an account lacks,
    is an error where it is used.
    """
    for name, partial in (("ids", False), ("partly", True)):
        (tmp_path / f"{name}.py").write_text(rendered(hostile(partial=partial), "python"), "utf-8")
    (tmp_path / "uses.py").write_text(USES.format(module="ids") + PARTLY, "utf-8")
    (tmp_path / "misuses.py").write_text(USES.format(module="partly") + PARTLY + GONE.format(key="gone"), "utf-8")
    monkeypatch.chdir(tmp_path)
    cache = Path(__file__).parents[2] / ".cache/mypy-of-tests"
    out, err, _ = api.run(["--strict", "--cache-dir", str(cache), "--config-file", os.devnull, "uses.py", "misuses.py"])
    problems = [line.partition(": note")[0] for line in out.splitlines() if ": error:" in line]
    assert [line.split(":")[0] for line in problems] == ["misuses.py", "misuses.py"], out + err
    assert '"None"' in problems[0]
    assert '"gone"' in problems[1]


TS_USES = """
import { account, environments } from "./ids.js";
declare const process: { stdout: { write(text: string): void } };
const ids = account("demo");
const stage: string = ids.pipelines.sales.stages.class.id;
const tag: string = ids.tags["a-b"].name;
const option: string = ids.fields.pick.options["A+"].id;
process.stdout.write(JSON.stringify([environments.map((name) => account(name)), stage, tag, option]));
"""
TS_MISUSES = """
import { account } from "./partly.js";
export const maybe: string = account("demo").fields.only_here.id;
export const gone: string = account("demo").tags.gone.id;
"""


def test_typescript_passes_strict_type_checks_and_runs(tmp_path: Path) -> None:
    """The files pass tsc with every strict option, and node runs a program that uses them and finds every value under
    its key; a key that is gone, and one that an account lacks, is an error where it is used.
    """
    tsc = npm.program("typescript", TYPESCRIPT, "bin/tsc")
    catalog = hostile()
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "ids.ts").write_text(rendered(catalog, "typescript"), "utf-8")
    (tmp_path / "partly.ts").write_text(rendered(hostile(partial=True), "typescript"), "utf-8")
    (tmp_path / "uses.ts").write_text(TS_USES)
    (tmp_path / "misuses.ts").write_text(TS_MISUSES)
    options = [
        *STRICT,
        "--target",
        "es2020",
        "--lib",
        "es2020",
        "--skipLibCheck",
        "--module",
        "nodenext",
        "uses.ts",
        "misuses.ts",
    ]
    done = subprocess.run(
        [*tsc, *options], cwd=tmp_path, env=OUTSIDE, capture_output=True, text=True, check=False, timeout=100
    )
    problems = [line for line in done.stdout.splitlines() if "error TS" in line]
    assert [line.split("(")[0] for line in problems] == ["misuses.ts", "misuses.ts"], done.stdout + done.stderr
    assert "'gone'" in problems[1]
    ran = subprocess.run([tsc[0], "uses.js"], cwd=tmp_path, env=OUTSIDE, capture_output=True, check=True, timeout=60)
    accounts = json.loads(ran.stdout)[0]
    told = json.loads(rendered(catalog, "json"))["accounts"]
    assert {one.pop("environment"): one for one in accounts} == told


PHP_USES = r"""
require $argv[1];
$ids = new ActiveCampaign\Ids\Account("demo");
$found = [];
foreach (json_decode(file_get_contents($argv[2]), true) as $path => $names) {
    $at = $ids;
    foreach ($names as $name) { $at = $at->{$name}; }
    $found[$path] = ["id" => $at->id];
    foreach (["name", "value", "string_id"] as $name) {
        if (property_exists($at, $name)) { $found[$path][$name] = $at->{$name}; }
    }
}
try { $ids->tags->gone; $found["gone"] = true; } catch (OutOfBoundsException $error) { }
echo json_encode($found);
"""


def test_php_runs(tmp_path: Path) -> None:
    """PHP takes the file, and finds every value; a key that is gone is an exception."""
    found = shutil.which("php")
    if found is None:
        absent("needs php (apt-get install php-cli)")
    catalog = hostile()
    ways: dict[str, list[str]] = {}

    def walk(sections: tuple[Section, ...], before: list[str]) -> None:
        for section in sections:
            members = names(section.entries, php.name_of, "PHP")
            for entry in section.entries:
                ways[entry.path] = [*before, section.name, members[entry.path]]
                walk(entry.sections, ways[entry.path])

    walk(catalog.sections, [])
    (tmp_path / "ids.php").write_text(rendered(catalog, "php"), "utf-8")
    (tmp_path / "partly.php").write_text(rendered(hostile(partial=True), "php"), "utf-8")
    (tmp_path / "ways.json").write_text(json.dumps(ways))
    linted = subprocess.run([found, "-l", "partly.php"], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert linted.returncode == 0, linted.stdout
    ran = subprocess.run(
        [found, "-d", "error_reporting=-1", "-r", PHP_USES, "ids.php", "ways.json"],
        cwd=tmp_path, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert json.loads(ran.stdout) == expected(catalog, "demo")


def test_go_is_go(tmp_path: Path) -> None:
    """The file is parsed by gofmt."""
    found = shutil.which("gofmt")
    if found is None:
        absent("needs gofmt (apt-get install golang-go)")
    (tmp_path / "ids.go").write_text(rendered(hostile(partial=True), "go"), "utf-8")
    done = subprocess.run([found, "-e", "-l", "ids.go"], cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


GO_USES = """package main

import (
	"encoding/json"
	"os"

	"example.com/app/ids"
)

func main() {
	account, err := ids.For("demo")
	if err != nil {
		panic(err)
	}
	if _, err := ids.For("prod"); err == nil {
		panic("an account that there is not")
	}
	json.NewEncoder(os.Stdout).Encode([]string{%s})
}
"""


@pytest.mark.prove
def test_go_compiles_and_runs(tmp_path: Path) -> None:
    """The file compiles, a program that uses it finds every value, and a key that is gone does not compile."""
    found = shutil.which("go")
    if found is None:
        absent("needs go (apt-get install golang-go)")
    catalog = hostile()
    uses: list[str] = []
    wanted: list[str] = []

    def walk(sections: tuple[Section, ...], before: str) -> None:
        for section in sections:
            members = names(section.entries, go.name_of, "Go")
            for entry in section.entries:
                mine = f"{before}.{camel(section.name)}.{members[entry.path]}"
                for name, value in entry.values["demo"].items():
                    uses.append(f"{mine}.{go.attribute_of(name)}")
                    wanted.append(value)
                walk(entry.sections, mine)

    walk(catalog.sections, "account")
    (tmp_path / "ids").mkdir()
    (tmp_path / "go.mod").write_text("module example.com/app\n\ngo 1.19\n")
    (tmp_path / "ids/ids.go").write_text(rendered(catalog, "go", "ids"), "utf-8")
    environ = {**OUTSIDE, "GOCACHE": str(tmp_path / "cache"), "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}

    def run(program: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "main.go").write_text(program)
        return subprocess.run(
            [found, "run", "."], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=110
        )

    ran = run(GO_USES % ", ".join(uses))
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == wanted
    gone = run(GO_USES % "account.Tags.Gone.ID")
    assert gone.returncode != 0
    assert "Gone" in gone.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_head_changes_only_with_the_ids(language: Language) -> None:
    """Another description leaves the first lines as they are, another id does not; the order is the catalogue's."""

    def top(catalog: IdCatalog) -> list[str]:
        text = rendered(catalog, language)
        assert is_generated(text)
        return [line for line in text.splitlines()[:5] if "generated" in line or "Ids: " in line or '"ids"' in line]

    assert top(one()) == top(one(doc="another"))
    assert len(top(one())) == 2
    assert top(one()) != top(one(value="2"))
    assert rendered(hostile(), language) == rendered(hostile(), language)


@pytest.mark.parametrize(
    ("language", "keys"),
    [
        ("python", ("a-b", "a_b")),
        ("python", ("class", "class_")),
        ("python", ("__x", "k__x")),
        ("go", ("plan_tier", "planTier")),
        ("php", ("a-b", "a_b")),
        ("php", ("this", "_this")),
        ("dotenv", ("vip", "VIP")),
        ("dotenv", ("a_id", "a-id")),
    ],
)
def test_two_keys_of_one_name_are_an_error_with_places(language: Language, keys: tuple[str, str]) -> None:
    """Both are named with their places; no language silently drops one."""
    base = hostile().sections[1].entries[0]
    entries = tuple(IdEntry(key, f"tags.{key}", f"tag.{key}", "Tag", "", base.values, (), base.at) for key in keys)
    with pytest.raises(ConfigError) as caught:
        rendered(IdCatalog(("demo", "eu-west"), (Section("tags", "Tag", entries),)), language)
    [problem] = caught.value.diagnostics
    assert all(f"tag.{key} (a.yaml:0:1)" in problem.message for key in keys)
    assert rendered(IdCatalog(("demo", "eu-west"), (Section("tags", "Tag", entries),)), "typescript")


def test_names_of_options_do_not_depend_on_each_other() -> None:
    """Where two texts would have one name, both get one of their own, which stays when the other goes."""
    catalog = hostile()
    options = catalog.sections[2].entries[0].sections[0].entries
    both = names(options, python.name_of, "Python")
    assert len(set(both.values())) == len(OPTIONS)
    assert both["fields.pick.options.Gr\u00f6\u00dfe"] == "Groe"
    for text in ("A+", "A-"):
        assert both[f"fields.pick.options.{text}"].startswith("A_")


@given(st.lists(st.tuples(st.sampled_from(KEYS), TEXTS, TEXTS), max_size=6, unique_by=lambda row: row[0]))
def test_any_text_stays_a_text_in_python(rows: list[tuple[str, str, str]]) -> None:
    """The module holds each value exactly, and nothing of a description but a string."""
    entries = tuple(
        IdEntry(key, f"tags.{key}", "t", "Tag", doc, {"demo": {"id": "1", "name": value}}) for key, doc, value in rows
    )
    catalog = IdCatalog(("demo",), (Section("tags", "Tag", entries),) if entries else ())
    assert walked(catalog, loaded(catalog).account()) == expected(catalog, "demo")


@given(TEXTS, st.sampled_from(DESCRIPTIONS))
def test_any_description_stays_a_comment(text: str, more: str) -> None:
    """In every language a description ends on its line, and closes no comment."""
    for language in ("typescript", "go", "php", "dotenv"):
        empty, said = (rendered(one(doc=doc), language).splitlines() for doc in ("x", f"x{text}{more}"))
        assert len(empty) == len(said), language
        differing = [line for line, other in zip(said, empty, strict=True) if line != other]
        for line in differing:
            body = line.strip()
            if language in ("typescript", "php"):
                assert body.startswith("/** ")
                assert body.endswith(" */")
                assert "*/" not in body[:-2]
                assert "?>" not in body or language == "typescript"
            else:
                assert body.startswith("// " if language == "go" else "# ")


@given(TEXTS)
def test_a_python_literal_is_its_text(text: str) -> None:
    """Python reads back what was written; the literals of all languages are one line of what can be seen."""
    assert ast.literal_eval(python.literal(text)) == text
    for literal in LITERALS.values():
        assert len(literal(text).splitlines()) == 1
        assert "\u202e" not in literal(text)


def test_dotenv_holds_only_plain_words() -> None:
    """No dialect reads anything into a value: what is no plain word is left out, visibly."""
    text = rendered(hostile(), "dotenv")
    values = [line.partition("=")[2] for line in text.splitlines() if not line.startswith("#")]
    assert values
    assert all(dotenv.PLAIN.fullmatch(value) for value in values)
    assert "is not a plain word" in text
    assert "AC_TAGS_VIP_ID=1" in rendered(one(), "dotenv")
    assert "DEMO_AC_TAGS_VIP_ID=1" in rendered(one(environments=("demo", "prod")), "dotenv")


def test_the_module_needs_nothing_but_python() -> None:
    """It imports nothing but the standard library."""
    tree = ast.parse(rendered(hostile(), "python"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert imported <= sys.stdlib_module_names
