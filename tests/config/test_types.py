"""Numbers and flags: what stands in a file is of the type that its member has, and of no other that equals it."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from reconciler.config.reading.scalars import meaning
from reconciler.model.fleet import FleetFile
from reconciler.model.project import Environment, Project
from reconciler.resources import load_kinds
from tests.world import World

WRONG = {
    int: ["1", True, False, 1.0, "1e0", "0o1", "0x1", "01", "1_0", [1], {"1": 1}],
    float: ["1", "1.5", True, False, "1e0", ".5", [1.5]],
    bool: ["true", "yes", 1, 0, 1.0, "1", [True]],
}


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """The model, and every model inside of it."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for info in model.model_fields.values():
        for one in leaves(info.annotation, inside=True):
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from models(one, seen)


def leaves(annotation: Any, *, inside: bool = False) -> Iterator[Any]:
    """Every type that a member may have; of a literal, that of its values. With `inside`, also that of its entries."""
    if typing.get_origin(annotation) is Literal:
        yield from (type(one) for one in typing.get_args(annotation))
    elif typing.get_origin(annotation) is Annotated:
        yield from leaves(typing.get_args(annotation)[0], inside=inside)
    elif (inner := typing.get_args(annotation)) and (inside or typing.get_origin(annotation) not in (list, dict)):
        for one in inner:
            yield from leaves(one, inside=inside)
    else:
        yield annotation


def members() -> Iterator[tuple[type[BaseModel], str, type]]:
    """Every member of a project file, a fleet file and all kinds that is a number or a flag."""
    seen: set[type[BaseModel]] = set()
    roots: list[type[BaseModel]] = [Project, FleetFile, *(kind.spec for kind in load_kinds().values())]
    for model in (one for root in roots for one in models(root, seen)):
        for name, info in model.model_fields.items():
            types = {one for one in leaves(info.annotation) if isinstance(one, type)} - {type(None)}
            if len(types) == 1 and (only := next(iter(types))) in WRONG:
                yield model, name, only


def mixed() -> Iterator[tuple[type[BaseModel], str, set[type]]]:
    """Every member, and every entry of a map, that takes numbers or flags and texts too."""
    seen: set[type[BaseModel]] = set()
    roots: list[type[BaseModel]] = [Project, FleetFile, *(kind.spec for kind in load_kinds().values())]
    for model in (one for root in roots for one in models(root, seen)):
        for name, info in model.model_fields.items():
            types = {one for one in leaves(info.annotation, inside=True) if isinstance(one, type)} - {type(None)}
            if str in types and (both := types & {*WRONG}):
                yield model, name, both


def test_a_number_or_flag_is_of_its_type_and_not_of_one_that_equals_it() -> None:
    """Every member that is one; Python takes true for 1 and 1.0 for 1, files do not."""
    found = list(members())
    assert len(found) > 45
    assert {(Project, "version", int), (FleetFile, "version", int), (Environment, "production", bool)} <= {*found}
    taken = []
    for model, name, only in found:
        info = model.model_fields[name]
        member: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
        adapter = TypeAdapter(member, config=model.model_config)
        for wrong in WRONG[only]:
            try:
                adapter.validate_python(wrong)
            except ValidationError:
                continue
            taken.append((model.__name__, name, wrong))
    assert taken == []


def test_what_takes_texts_too_takes_no_other_type_that_equals_a_number() -> None:
    """A wave of `10 %`, a permission of a group: a text is a text, and true and 1.0 are no numbers."""
    found = list(mixed())
    assert {name for _, name, _ in found} == {"accounts", "max_failures", "flags"}
    for model, name, types in found:
        annotation: Any = model.model_fields[name].annotation
        adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=model.model_config)
        for wrong in (1.0, [1], *(() if bool in types else (True, False))):
            value = {"one": wrong} if name == "flags" else wrong
            with pytest.raises(ValidationError):
                adapter.validate_python(value)


@pytest.mark.parametrize(
    ("written", "said", "hint"),
    [
        ('"1"', "not the text `1`", "the quotes make it a text: write 1"),
        ("true", "not `true`", "write 1"),
        ("1.0", "not the number 1.0", "write 1"),
        ("1e0", "not the text `1e0`", "write 1"),
        ("0o1", "not the text `0o1`", "write 1"),
        ("01", "not the text `01`", "write 1"),
        (
            "2",
            "not the number 2",
            "this program reads projects of version 1: write `version: 1`, or install a newer one",
        ),
    ],
)
def test_the_version_is_told_how_to_be_written(world: World, written: str, said: str, hint: str) -> None:
    """By the type that it has, and what to write instead."""
    world.write(f"version: {written}\nenvironments: {{demo: {{url: 'emulator:a.db'}}}}\n", "reconciler.yaml")
    ran = world.cli("validate")
    assert ran.code == 3
    assert f"`version` must be `1`, {said}" in ran.err
    assert f"hint: {hint}\n" in ran.err


@pytest.mark.parametrize(
    ("member", "written", "hint"),
    [
        ("guards: {max_deletes: %s}", "'5'", "the quotes make it a text: write 5"),
        ("guards: {max_deletes: %s}", "0x10", "write 16"),
        ("guards: {max_deletes: %s}", "1.5", "write a whole number"),
        ("guards: {max_deletes: %s}", "010", "write 10"),
        ("requests_per_second: %s", ".5", "write 0.5"),
        ("production: %s", "1", "write `true`"),
        ("production: %s", '"yes"', "write `true`, without quotes"),
        ("production: %s", "null", "leave it out"),
        ("production: %s", "'5'", "write `true` or `false`"),
        ("production: %s", "0x1", "write `true` or `false`"),
        ("production: %s", "[]", "write `true` or `false`"),
        ("guards: {max_deletes: %s}", "many", "write a whole number"),
        ("production: %s", "yes", 'write `true` or `false` for a flag, "yes" in quotes for a text'),
    ],
)
def test_what_to_write_is_said(world: World, member: str, written: str, hint: str) -> None:
    """Whatever the member; no value is taken for another one."""
    one = member % written
    world.write(f"version: 1\nenvironments: {{demo: {{url: 'emulator:a.db', {one}}}}}\n", "reconciler.yaml")
    ran = world.cli("validate")
    assert (ran.code, f"hint: {hint}\n" in ran.err) == (3, True), ran.err


@pytest.mark.parametrize("text", ["1e0", "0o1", "0x1", "1_0", "01", ".5", "1.", "+1_0", "1e5", "0b1"])
def test_other_forms_of_numbers_are_texts(text: str) -> None:
    """YAML 1.1 and 1.2 differ about them; nobody is surprised by a number."""
    assert meaning(text) == text
