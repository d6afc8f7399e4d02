"""``GET /metrics`` of the operator's endpoint: the server's numbers, as Prometheus reads them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from twisted.internet.task import deferLater

from chatter.admin.endpoint.log_counts import LogCounts
from chatter.log.operated import IOperatedStore
from chatter.protocol.errors import NotFound, StoreUnavailable
from chatter.web.endpoint import JSONResource
from chatter.web.responses import Response
from chatter.web.root import counted_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.web.request_counts import CountedSite

_LAG_SAMPLE = 0.01
"""The lag of the reactor is how much later than after so many seconds it calls."""

_SLICE = 0.001
"""So many seconds of one turn of the reactor go into the text."""

_CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class MetricsResource(JSONResource):
    """Responds with all metrics, in Prometheus' text format.

    :param site: the site that serves the chat to its users.
    """

    methods = (b"GET",)

    def __init__(self, core: ChatCore, site: CountedSite) -> None:
        super().__init__()
        self._core = core
        self._site = site
        self._log_counts = LogCounts()
        core.live.add_counter(self._log_counts.count)
        self._store: Any = IOperatedStore(core.store, None)
        self._writes = None if self._store is None else self._store.count_writes()

    async def respond(self, request: Request) -> Response:  # noqa: ARG002
        """Respond with the metrics of now.

        :raises NotFound: if ``prometheus_client`` is not installed.
        """
        try:
            from prometheus_client.exposition import generate_latest  # noqa: PLC0415 - an extra
        except ImportError:
            raise NotFound(
                "Metrics need prometheus_client: pip install 'chatter-server[metrics]'."
            ) from None
        clock = self._core.clock
        pages = []
        until = clock.seconds() + _SLICE
        for family in [*await self._families()]:
            pages.append(generate_latest(_Collector(family)))
            if clock.seconds() > until:
                # Not all in one turn: others wait.
                await deferLater(clock, 0)
                until = clock.seconds() + _SLICE
        return Response(b"".join(pages), content_type=_CONTENT_TYPE)

    async def _families(self) -> Iterator[Metric]:
        from chatter.admin.endpoint import metric_families  # noqa: PLC0415 - it needs an extra

        core, site = self._core, self._site
        lag = await self._reactor_lag()
        is_up, size, end = await self._store_state()
        streams = counted_in(site.resource).streams
        reader_lag = await streams.lag()
        newest = await self._newest_known()

        def all_of_them() -> Iterator[Metric]:
            yield metric_families.gauge(
                "store_up", "Whether the store can be read and written.", is_up
            )
            lag_means = "How late the reactor called what was due, in seconds."
            yield metric_families.gauge("reactor_lag_seconds", lag_means, lag)
            yield from metric_families.of_log(self._log_counts, newest, core.store.kept_after)
            yield from metric_families.of_lags(reader_lag, max(0, end - newest))
            yield from metric_families.of_site(site)
            yield from metric_families.of_requests(site.counts)
            yield from metric_families.of_resource(counted_in(site.resource), site)
            if self._store is not None:
                yield from metric_families.of_store(self._writes, self._store.waiting(), size)
            yield from metric_families.of_process()

        return all_of_them()

    async def _reactor_lag(self) -> float:
        clock = self._core.clock
        due = clock.seconds() + _LAG_SAMPLE
        await deferLater(clock, _LAG_SAMPLE)
        return max(0.0, clock.seconds() - due)

    async def _store_state(self) -> tuple[bool, int | None, int]:
        """Whether it is up, its size, and the id of the newest entry that any node has appended."""
        try:
            await self._core.store.check()
        except StoreUnavailable:
            return False, None, 0
        size: int | None = None
        end = 0
        if self._store is not None:
            with suppress(StoreUnavailable):
                size = await self._store.size()
                end, _ = await self._store.end()
        return True, size, end

    async def _newest_known(self) -> int:
        """The id of the newest entry that this node knows of."""
        with suppress(StoreUnavailable):
            return await self._core.store.last_id()
        return self._core.live.newest_known(0)


class _Collector:
    """One family, as ``generate_latest`` takes it."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> list[Metric]:
        return [self._family]
