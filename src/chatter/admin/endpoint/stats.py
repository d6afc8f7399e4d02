"""``GET /stats`` of the operator's endpoint: the chat in a few numbers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from twisted.internet.task import deferLater

from chatter.chat.messages.retention import COUNTED_AT_ONCE
from chatter.log.operated import IOperatedStore
from chatter.version import __version__
from chatter.web.endpoint import JSONResource
from chatter.web.responses import Response, json_response
from chatter.web.root import counted_in

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.web.request_counts import CountedSite


class Stats(Struct, frozen=True):
    """The chat now.

    :ivar epoch: the name of the log's newest epoch.
    :ivar uptime: seconds since the server was started.
    :ivar users: those who have joined, and have not left for good.
    :ivar online: how many of them are online.
    :ivar last_id: the id of the newest entry of the log.
    :ivar kept_after: entries up to this id are no longer kept; 0 if all are.
    :ivar oldest_at: when the oldest entry was made that is kept.
    :ivar db_bytes: of the database; not known of every store.
    :ivar connections: open connections of users.
    """

    version: str
    epoch: str
    uptime: int
    users: int
    online: int
    general_messages: int
    private_messages: int
    last_id: int
    kept_after: int
    oldest_at: datetime | None
    db_bytes: int | None
    streams: int
    waiting_polls: int
    connections: int


class StatsResource(JSONResource):
    """Responds with the numbers.

    :param site: the site that serves the chat to its users.
    """

    methods = (b"GET",)

    def __init__(self, core: ChatCore, site: CountedSite) -> None:
        super().__init__()
        self._core = core
        self._site = site
        self._store: Any = IOperatedStore(core.store, None)
        self._began = core.clock.seconds()

    async def respond(self, request: Request) -> Response:  # noqa: ARG002
        """Respond with the numbers of now; in a large chat it takes some seconds.

        :raises StoreUnavailable: if the store can't be read.
        """
        core = self._core
        last_id = await core.store.last_id()
        general, private = await self._count_messages(last_id)
        oldest_at = size = None
        if self._store is not None:
            _, oldest_at = await self._store.end()
            size = await self._store.size()
        streams, users, _ = counted_in(self._site.resource)
        return json_response(
            Stats(
                version=__version__,
                epoch=core.store.lineage.current.partition("~")[0],
                uptime=int(core.clock.seconds() - self._began),
                users=await core.store.count_users(),
                online=await core.directory.count_online(),
                general_messages=general,
                private_messages=private,
                last_id=last_id,
                kept_after=core.store.kept_after,
                oldest_at=oldest_at,
                db_bytes=size,
                streams=len(streams),
                waiting_polls=users.waiting_polls(),
                connections=len(self._site.connections.open),
            )
        )

    async def _count_messages(self, last_id: int) -> tuple[int, int]:
        """How many messages are kept: those of the general chat, and private ones."""
        store = self._core.store
        general = private = 0
        for after in range(store.kept_after, last_id, COUNTED_AT_ONCE):
            if general or private:
                await deferLater(self._core.clock, 0)
            until = min(after + COUNTED_AT_ONCE, last_id)
            some_general, some_private = await store.count_messages(after, until)
            general += some_general
            private += some_private
        return general, private
