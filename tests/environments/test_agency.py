"""An agency: one baseline, two clients with accounts of their own, and what each of them has otherwise."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World, new_world
from tests.world.accounts import Held, hold

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "agency-baseline"


class Agency:
    """The example in a folder, both clients applied."""

    def __init__(self, world: World, clients: dict[str, Held]) -> None:
        self.world, self.clients = world, clients
        for client in clients:
            self.run(client, "apply", "--auto-approve", "--quiet")

    def run(self, client: str, *argv: str, code: int = 0) -> str:
        """Run a command in the project of a client."""
        ran = self.world.cli(*argv, folder=self.folder(client))
        assert ran.code == code, ran.text
        return ran.out + ran.err

    def folder(self, client: str) -> Path:
        """The project of a client."""
        return self.world.folder / "clients" / client

    def tags(self, client: str) -> set[str]:
        """The names of a client's tags."""
        return {str(row["tag"]) for row in self.clients[client].rows.all("tags")}

    def baseline(self, old: str, new: str) -> None:
        """Change the baseline."""
        path = self.world.folder / "baseline/crm.yaml"
        assert old in path.read_text("utf-8")
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


@pytest.fixture(name="agency")
def an_agency(tmp_path: Path) -> Iterator[Agency]:
    """Two clients of one baseline."""
    with new_world(tmp_path) as world:
        shutil.copytree(EXAMPLE, world.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("state"))
        (world.folder / ".git").mkdir()  # baseline and clients are in one repository
        places = {client: world.folder / "clients" / client / "state/account.db" for client in ("acme", "zoo")}
        for place in places.values():
            place.parent.mkdir(parents=True)
        with hold(places["acme"]) as acme, hold(places["zoo"]) as zoo:
            yield Agency(world, {"acme": acme, "zoo": zoo})


def test_story_of_a_baseline(agency: Agency) -> None:
    """Variables and prefix tell the clients apart, an overlay changes and removes, and a change of the baseline is in
    every client's plan, and in nobody's account before an apply.
    """
    assert agency.tags("acme") == {"Customer", "Reads the newsletter", "Region north", "Region south", "Wholesale"}
    assert agency.tags("zoo") == {"Visitor", "Region africa", "Region asia", "Keeper for a day"}
    agency.baseline("newsletter: {name: Reads the newsletter}", "newsletter: {name: Reader}\n  new: {name: For all}")
    acme = agency.run("acme", "plan")
    assert "tag.base_new  # ../../baseline/crm.yaml:10" in acme
    assert "tag.base_newsletter" in acme
    zoo = agency.run("zoo", "plan")
    assert "tag.base_new " in zoo
    assert "newsletter" not in zoo
    agency.run("acme", "apply", "--auto-approve", "--quiet")
    assert {"Reader", "For all"} <= agency.tags("acme")
    assert "For all" not in agency.tags("zoo")


def test_drift_of_one_client_is_not_written_into_the_baseline(agency: Agency) -> None:
    """It speaks for the others; what the client's overlay or own files say is absorbed there."""
    rows = agency.clients["zoo"].rows
    for name, text in {"Visitor": "Came twice", "Keeper for a day": "Paid"}.items():
        row = next(iter(rows.where("tags", tag=name)))
        rows.put("tags", row["id"], {**row, "tag": f"{name}!", "description": text})
    before = (agency.world.folder / "baseline/crm.yaml").read_text("utf-8")
    said = agency.run("zoo", "drift", "--absorb", code=5)
    assert "tag.base_customer.description: it stands in ../../baseline/crm.yaml" in said
    overlay = (agency.folder("zoo") / "environments/live.yaml").read_text("utf-8")
    assert "base_customer: {name: Visitor!}" in overlay
    assert "keeper: {name: Keeper for a day!}" in (agency.folder("zoo") / "config/own.yaml").read_text("utf-8")
    assert (agency.world.folder / "baseline/crm.yaml").read_text("utf-8") == before


def test_a_client_that_gives_no_variable_is_told_where(agency: Agency) -> None:
    """The error names the baseline's declaration and the include that owes it."""
    path = agency.folder("acme") / "reconciler.yaml"
    path.write_text(path.read_text("utf-8").replace("variables: {brand: Acme}, ", ""), "utf-8")
    said = agency.run("acme", "validate", code=3)
    assert "baseline/crm.yaml" in said
    assert "reconciler.yaml" in said
