"""The numbers of a server as metrics, in the types of ``prometheus_client``.

Nothing of that library is in use while requests are served: they count in plain integers, which
are read here.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import CollectorRegistry

from chatter.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.core import Metric

    from chatter.admin.endpoint.log_counts import LogCounts
    from chatter.histograms import BatchCounts, Histogram
    from chatter.web.request_counts import RequestCounts
    from chatter.web.root import Counted
    from chatter.web.site import ChatSite


def gauge(name: str, documentation: str, value: float) -> Metric:
    """One number that goes up and down."""
    return GaugeMetricFamily(f"chatter_{name}", documentation, value)


def counter(name: str, documentation: str, value: float) -> Metric:
    """One number that goes up only."""
    return CounterMetricFamily(f"chatter_{name}", documentation, value)


def counters(name: str, documentation: str, label: str, values: Mapping[str, float]) -> Metric:
    """Numbers that go up only, by a label."""
    family = CounterMetricFamily(f"chatter_{name}", documentation, labels=[label])
    for value_of_label, value in values.items():
        family.add_metric([value_of_label], value)
    return family


def histograms(name: str, documentation: str, of: Mapping[str, Histogram], label: str) -> Metric:
    """Histograms by a label."""
    family = HistogramMetricFamily(f"chatter_{name}", documentation, labels=[label])
    for value_of_label, histogram in of.items():
        family.add_metric([value_of_label], _buckets(histogram), histogram.total)
    return family


def histogram(name: str, documentation: str, of: Histogram) -> Metric:
    """One histogram."""
    return HistogramMetricFamily(f"chatter_{name}", documentation, _buckets(of), of.total)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """The counts up to each bound, as Prometheus has them."""
    bounds = [*map(str, map(float, histogram.bounds)), "+Inf"]
    return list(zip(bounds, accumulate(histogram.counts), strict=True))


def of_log(counts: LogCounts, last_id: int, kept_after: int) -> Iterator[Metric]:
    """What the log has told of, and what of it is there."""
    messages = {"general": counts.general, "private": counts.private}
    yield counters("messages", "Messages that the log has told of.", "chat", messages)
    yield counters("changes", "Changes that the log has told of.", "kind", counts.changes)
    yield gauge("last_id", "The id of the newest entry of the log.", last_id)
    yield gauge("kept_after", "Entries up to this id are no longer kept.", kept_after)


def of_lags(reader_lag: int, node_lag: int) -> Iterator[Metric]:
    """How far behind the log they are who read it."""
    reader_means = "How many ids the stream that is farthest behind is behind the log."
    yield gauge("reader_lag", reader_means, reader_lag)
    yield gauge("node_lag", "How many ids this node is behind the database.", node_lag)


def of_requests(counts: RequestCounts) -> Iterator[Metric]:
    """The requests of users."""
    family = CounterMetricFamily(
        "chatter_requests",
        "Requests that had a response, by endpoint and status.",
        labels=["endpoint", "class"],
    )
    for (endpoint, status), count in counts.requests.items():
        family.add_metric([endpoint, f"{status}xx"], count)
    yield family
    yield histograms(
        "request_seconds",
        "How long requests took, but for polls that wait, and streams.",
        counts.seconds,
        "endpoint",
    )


def of_site(site: ChatSite) -> Iterator[Metric]:
    """The connections of users."""
    connections = site.connections.open
    held = sum(connection.held for connection in connections)
    yield gauge("connections", "Open connections of users.", len(connections))
    yield gauge("held_bytes", "Bytes that clients have not taken, or not sent whole.", held)


def of_resource(counted: Counted, site: ChatSite) -> Iterator[Metric]:
    """Streams, waiting polls and limits."""
    streams, users, addresses = counted
    ends = {"newer-stream": streams.given_way, "other": streams.ended - streams.given_way}
    refused = {
        **users.refused(),
        **addresses.refused(),
        "connection": site.connection_limit.refused,
    }
    yield gauge("streams", "Open event streams.", len(streams))
    yield counters("stream_ends", "Event streams that ended.", "reason", ends)
    yield counter("deliveries", "Streams that were served as the log grew.", streams.deliveries)
    yield gauge("waiting_polls", "Polls that wait for a message.", users.waiting_polls())
    yield counters("limited", "What a limit has refused.", "limit", refused)
    yield counter("auth_failures", "Tokens that no user has.", addresses.wrong_tokens)


def of_store(writes: BatchCounts, waiting: int, size: int | None) -> Iterator[Metric]:
    """What was written, and how large the store is."""
    yield histogram("commit_seconds", "How long batches took to be written.", writes.seconds)
    yield histogram("batch_size", "How many writes were in a batch.", writes.sizes)
    yield gauge("batch_waiting", "Writes that wait for their batch.", waiting)
    if size is not None:
        yield gauge("db_bytes", "Bytes of the database.", size)


def of_process() -> Iterable[Metric]:
    """Memory, processor time and open files, as Prometheus calls them everywhere."""
    version = GaugeMetricFamily("chatter_info", "The version of chatter.", labels=["version"])
    version.add_metric([__version__], 1)
    # Without a registry of its own it would join the one of the process.
    process: Any = ProcessCollector(registry=CollectorRegistry())
    return [version, *process.collect()]
