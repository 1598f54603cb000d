"""What a fleet lets out beside its report: traces, counts, rows of the engine and words. No key is in any of it."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import psycopg
import psycopg.sql
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from reconciler.fleet.accounts import AccountSelection
from reconciler.fleet.engine import Engine
from reconciler.fleet.running import Fleet as Opened
from reconciler.fleet.running import begin, carry_out, open_fleet, traces_to, work
from reconciler.model.errors import SurroundingsError
from reconciler.model.fleet import FleetReport
from reconciler.render.fleet import as_json, html
from reconciler.workflow.opening.runtime import Runtime
from tests.ci.serving import JSON, Answer, Call, serving
from tests.fleet.conftest import Fleet, file_of
from tests.store.servers import postgresql
from tests.trust.test_redaction import ENCODINGS

KEYS = {"AC_ACME_TOKEN": "key-of-acme-3c1f9a77d2", "AC_BETA_TOKEN": "key-of-beta-81ee04b65f"}
FLEET = {"acme": "token: '${env.AC_ACME_TOKEN}'", "beta": "token: '${env.AC_BETA_TOKEN}'"}


def refused(call: Call) -> Answer:
    """An account that refuses every key, and says it in its answer, in several ways."""
    ways = [ENCODINGS[way](call.headers.get("api-token", "").encode()) for way in ("plain", "base64", "hexadecimal")]
    return Answer(402, {"message": f"You are not allowed with {' or '.join(ways)}"}, JSON)


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """The URL of an account that says what key it was asked with."""
    with serving(refused) as url:
        yield url


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What traces were sent, instead of sending them."""
    exporter = InMemorySpanExporter()
    module = "opentelemetry.exporter.otlp.proto.http.trace_exporter.OTLPSpanExporter"
    monkeypatch.setattr(module, lambda endpoint: exporter)
    return exporter


def opened(fleet: Fleet, url: str | None = None, **more: str) -> Opened:
    """Return the fleet, as a process with its keys has it."""
    return open_fleet(fleet.folder, Runtime(environ={**os.environ, **KEYS, **more}), url)


def rolled(fleet: Fleet, mode: str, url: str | None = None, **more: str) -> FleetReport:
    """Carry a rollout out."""
    one = opened(fleet, url, **more)
    return carry_out(one, begin(one, mode, AccountSelection()), stopping=lambda: False, show=lambda _: None)


def rows_of_sqlite(file: Path) -> str:
    """Return everything in a SQLite database, as text."""
    with closing(sqlite3.connect(file)) as base:
        tables = [name for (name,) in base.execute("select name from sqlite_master where type = 'table'")]
        return "\n".join(repr(row) for name in tables for row in base.execute(f'select * from "{name}"'))


def rows_of_postgresql(url: str) -> str:
    """Return everything that the engine keeps in a PostgreSQL database, as text."""
    with psycopg.connect(url) as base:
        found = base.execute(
            "select schemaname, tablename from pg_tables where schemaname not like 'pg\\_%'"
        ).fetchall()
        text: list[str] = []
        for schema, table in found:
            if schema != "information_schema":
                name = psycopg.sql.Identifier(schema, table)
                text += map(repr, base.execute(psycopg.sql.SQL("select * from {}").format(name)).fetchall())
        return "\n".join(text)


def betrayed(text: str) -> list[str]:
    """Return which keys stand in a text, and how."""
    return [f"{name}: {way}" for name, key in KEYS.items() for way, to in ENCODINGS.items() if to(key.encode()) in text]


def hostile(fleet: Fleet, echo: str) -> None:
    """Write a fleet with one account that does and one that fails, and tells its key."""
    text = file_of(FLEET, "waves: [{name: all, max_failures: 1}]").replace("emulator:accounts/beta.json", echo)
    fleet.write(text)


class TestTelemetry:
    """Traces, counts, rows and words."""

    @pytest.mark.parametrize("on", ["sqlite", pytest.param("postgresql", marks=pytest.mark.prove)])
    def test_no_key_is_in_the_database_in_traces_or_in_words(
        self, fleet: Fleet, echo: str, on: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """After plans, applies and looks for drift, some of which failed."""
        hostile(fleet, echo)
        with postgresql() if on == "postgresql" else nullcontext(None) as url:
            reports = [rolled(fleet, mode, url) for mode in ("plan", "apply", "drift")]
            outcomes = [{one.account: one.outcome for one in report.accounts} for report in reports]
            assert outcomes == [
                {"acme": "changes", "beta": "failed"},
                {"acme": "applied", "beta": "failed"},
                {"acme": "same", "beta": "failed"},
            ]
            kept = rows_of_postgresql(url) if url else rows_of_sqlite(fleet.folder / ".reconciler" / "fleet.db")
        assert "You are not allowed" in kept, "the failure is not in what was searched"
        assert "AC_BETA_TOKEN" in kept
        told = "".join(as_json(report) + html(report) for report in reports)
        said = capfd.readouterr()
        assert betrayed("\n".join([kept, told, caplog.text, said.out, said.err])) == []
        states = "".join(path.read_text("utf-8", "replace") for path in (fleet.folder / "state").rglob("*.json"))
        assert "tag.vip" in states
        assert betrayed(states) == []
        assert [way.partition(": ")[2] for way in betrayed(KEYS["AC_ACME_TOKEN"])] == ["plain"]

    def test_a_stream_that_is_closed_keeps_no_rollout_from_starting(
        self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The engine's library writes to what was the error stream when it first started in this process."""
        fleet.write(file_of({"acme": ""}))
        with open(os.devnull, "w", encoding="utf-8") as stream:
            monkeypatch.setattr(logging.getLogger("dbos"), "handlers", [logging.StreamHandler(stream)])
        assert not rolled(fleet, "plan").failures

    def test_each_job_is_a_span_without_a_key_or_a_url(
        self, fleet: Fleet, echo: str, spans: InMemorySpanExporter
    ) -> None:
        """Where OpenTelemetry's variables say where traces go."""
        hostile(fleet, echo)
        rolled(fleet, "plan", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
        provider = trace.get_tracer_provider()
        assert isinstance(provider, TracerProvider)
        provider.force_flush()
        sent = spans.get_finished_spans()
        text = "\n".join(span.to_json() for span in sent)
        jobs = [dict(span.attributes or {}) for span in sent if span.name == "account"]
        ids = {str(job.get("operationUUID")).rpartition("/")[2] for job in jobs}
        assert ids == {"acme", "beta"}
        assert betrayed(text) == []
        for private in (echo, "AC_BETA_TOKEN", "You are not allowed", "VIP"):
            assert private not in text

    def test_traces_without_their_extra_are_an_error_with_a_hint(
        self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before anything is begun; the variables of OpenTelemetry that turn traces off are heeded."""
        fleet.write(file_of({"acme": ""}))
        where = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/"}
        assert traces_to(opened(fleet)) is None
        assert traces_to(opened(fleet, **where)) == "http://collector:4318/v1/traces"
        monkeypatch.setitem(sys.modules, "opentelemetry", None)
        monkeypatch.setattr("reconciler.fleet.running.TRACING", "opentelemetry.nothing")
        with pytest.raises(SurroundingsError) as caught:
            rolled(fleet, "plan", **where)
        assert "activecampaign-reconciler[telemetry]" in str(caught.value.hint)
        assert traces_to(opened(fleet, OTEL_TRACES_EXPORTER="none", **where)) is None
        assert traces_to(opened(fleet, OTEL_SDK_DISABLED="true", **where)) is None

    def test_a_worker_tells_its_counts_while_a_rollout_goes_on(
        self, fleet: Fleet, echo: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Over HTTP, on this machine alone."""
        hostile(fleet, echo)
        one = opened(fleet)
        spec, said, seen = begin(one, "apply", AccountSelection()), list[str](), list[str]()
        deadline = time.monotonic() + 60

        def stopping() -> bool:
            if not seen:
                Engine("").begin(spec, 3)
            with urllib.request.urlopen(said[0].partition("Metrics: ")[2], timeout=10) as answer:
                seen.append(answer.read().decode())
            return 'jobs_total{outcome="applied"}' in seen[-1] or time.monotonic() > deadline

        work(one, "w", stopping=stopping, metrics=0, tell=said.append)
        assert "reconciler_fleet_requests_total 0.0" in seen[0]
        for line in (
            'jobs_total{outcome="failed"} 1.0',
            'jobs_total{outcome="changes"} 1.0',
            "reconciler_fleet_running",
        ):
            assert line in seen[-1]
        assert betrayed("".join(seen)) == []
        monkeypatch.setitem(sys.modules, "prometheus_client", None)
        with pytest.raises(SurroundingsError, match="metrics need an extra"):
            work(one, "w", stopping=lambda: True, metrics=0, tell=said.append)
