"""What a worker did, for Prometheus. The home of `prometheus_client`."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.fleet.job import Worker
from reconciler.model.errors import SurroundingsError


def served(worker: Worker, port: int) -> int:
    """Serve `/metrics` on this machine alone, and return the port (0: any). Raises SurroundingsError."""
    try:
        from prometheus_client import CollectorRegistry, start_http_server
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    except ImportError as error:
        raise SurroundingsError(
            "metrics need an extra that is not installed", hint="pip install 'activecampaign-reconciler[fleet]'"
        ) from error

    class Collector:
        def collect(self) -> Iterator[Metric]:
            jobs = CounterMetricFamily("reconciler_fleet_jobs", "Accounts that were worked on.", labels=["outcome"])
            for outcome, count in worker.done.items():
                jobs.add_metric([outcome], count)
            yield jobs
            yield CounterMetricFamily("reconciler_fleet_requests", "Requests to accounts.", value=worker.requests)
            yield GaugeMetricFamily("reconciler_fleet_running", "Accounts in work.", value=worker.running)

    registry = CollectorRegistry()
    registry.register(Collector())
    try:
        server, _ = start_http_server(port, addr="127.0.0.1", registry=registry)
    except OSError as error:
        raise SurroundingsError(f"port {port} cannot be served: {error.strerror}", hint="name another one") from error
    return int(server.server_port)
