"""Metrics for operators, on a port of their own that visitors do not reach."""

from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from regviz.jobs.registry import JobRegistry
from regviz.server.admission import Places


class Visitors(Collector):
    """Metrics of places and trainings, computed at each request.

    Parameters
    ----------
    places : Places
    runs : JobRegistry
    """

    def __init__(self, places: Places, runs: JobRegistry) -> None:
        self.places, self.runs = places, runs

    def collect(self) -> Iterator[Metric]:
        """Every metric of ours with its value."""
        places, runs = self.places, self.runs
        for name, value, about in (
            ("visitors", places.n_taken, "Visitors that are connected."),
            ("visitors_allowed", places.n, "Visitors that can be connected at a time."),
            ("trainings", runs.n_training, "Trainings that wait or are under way."),
            ("trainings_allowed", runs.max_trainings, "Trainings that are taken on at a time."),
            ("kept_bytes", runs.n_bytes, "Memory of all recordings."),
            ("kept_bytes_allowed", runs.max_bytes, "Memory that recordings may take."),
        ):
            yield GaugeMetricFamily(f"regviz_{name}", about, value)
        for name, value, about in (
            ("visitors_refused", places.n_refused, "Visitors who found no place."),
            ("trainings_started", runs.n_started, "Trainings that were started."),
            ("trainings_refused", runs.n_refused, "Trainings that were put off."),
        ):
            yield CounterMetricFamily(f"regviz_{name}", about, value)


def serve_metrics(
    port: int, places: Places, runs: JobRegistry, registry: CollectorRegistry = REGISTRY
) -> None:
    """Serve ours and the process's own metrics in the text format of Prometheus, in a thread.

    Parameters
    ----------
    port : int
    places : Places
    runs : JobRegistry
    registry : CollectorRegistry
        By default that of the process, which tells its memory, processor time and open files.

    Raises
    ------
    OSError
        If the port is taken.
    """
    registry.register(Visitors(places, runs))
    start_http_server(port, registry=registry)
