"""Prometheus metrics for operators, on a separate port."""

from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from regviz.jobs.registry import JobRegistry
from regviz.jobs.studies import StudyRegistry
from regviz.server.admission import SessionSlots


class Visitors(Collector):
    """Collector of the metrics of visitors and trainings, computed at each request.

    Parameters
    ----------
    slots : SessionSlots
    runs : JobRegistry
    studies : StudyRegistry
    """

    def __init__(self, slots: SessionSlots, runs: JobRegistry, studies: StudyRegistry) -> None:
        self.slots, self.runs, self.studies = slots, runs, studies

    def collect(self) -> Iterator[Metric]:
        """Yield every metric of RegViz with its value."""
        slots, runs, studies = self.slots, self.runs, self.studies
        for name, value, about in (
            ("visitors", slots.n_taken, "Visitors that are connected."),
            ("visitors_allowed", slots.n, "Visitors that can be connected at a time."),
            ("trainings", runs.n_training, "Trainings that wait or are under way."),
            ("trainings_allowed", runs.max_trainings, "Trainings that are taken on at a time."),
            ("kept_bytes", runs.n_bytes, "Memory of all recordings."),
            ("kept_bytes_allowed", runs.max_bytes, "Memory that recordings may take."),
            ("studies", studies.n_unfinished, "Studies that wait or are under way."),
            ("studies_allowed", studies.max_studies, "Studies that are taken on at a time."),
            ("study_bytes", studies.n_bytes, "Memory of the results of studies."),
            ("study_bytes_allowed", studies.max_bytes, "Memory that results of studies may take."),
        ):
            yield GaugeMetricFamily(f"regviz_{name}", about, value)
        for name, value, about in (
            ("visitors_refused", slots.n_refused, "Visitors who found no place."),
            ("trainings_started", runs.n_started, "Trainings that were started."),
            ("trainings_refused", runs.n_refused, "Trainings that were put off."),
            ("studies_started", studies.n_started, "Studies that were started."),
            ("studies_refused", studies.n_refused, "Studies that were refused."),
        ):
            yield CounterMetricFamily(f"regviz_{name}", about, value)


def serve_metrics(
    port: int,
    slots: SessionSlots,
    runs: JobRegistry,
    studies: StudyRegistry,
    registry: CollectorRegistry = REGISTRY,
) -> None:
    """Serve the metrics of RegViz and of the process in Prometheus' text format, in a thread.

    Parameters
    ----------
    port : int
        Port to listen on, on all of the machine's addresses.
    slots : SessionSlots
    runs : JobRegistry
    studies : StudyRegistry
    registry : CollectorRegistry
        By default the process's own, with its memory, processor time and open files.

    Raises
    ------
    OSError
        If the port is in use.
    """
    registry.register(Visitors(slots, runs, studies))
    start_http_server(port, registry=registry)
