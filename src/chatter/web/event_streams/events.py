"""``GET /events``: the feed, live, as Server-Sent Events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec import UNSET, json

from chatter.protocol.bodies import EpochEvent
from chatter.protocol.errors import InvalidRequest, StoreUnavailable, TooManyRequests
from chatter.protocol.queries import EventsQuery
from chatter.protocol.scalars import Cursor
from chatter.protocol.validation import checked_query
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.parsing import parsed_query
from chatter.web.responses import Response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.chat.limits.user_limits import UserLimits
    from chatter.protocol.model import User
    from chatter.web.authentication import Authentication
    from chatter.web.event_streams.streams import Streams

# Some proxies hold a response back to join, to compress or to keep it.
_UNBUFFERED = ((b"X-Accel-Buffering", b"no"), (b"Cache-Control", b"no-store, no-transform"))


class EventsEndpoint(UserEndpoint):
    """Responds with a stream that goes on as long as the client is connected."""

    operation = Operation(
        method="GET",
        summary="Follow the feed, live",
        description="Server-Sent Events as the WHATWG specifies them. Each message of the feed "
        "is an event: id is its id, data is the message as JSON. With changes, each change "
        "of a message is one, too (event: change). An event gap says that what comes before its "
        "id is no longer kept, an event closed that a newer stream of the user took its place, "
        "and an event epoch which log it is (with epoch). The stream begins after "
        "Last-Event-ID, or else after the parameter, or else after the cursor; the first two "
        "prove that all up to there was read, unless there is peek. A comment every 15 seconds "
        "keeps it open.",
        query=EventsQuery,
        headers={"Last-Event-ID": Cursor},
        response=str,
        media_type="text/event-stream",
        errors=(TooManyRequests,),
    )

    def __init__(
        self, core: ChatCore, authentication: Authentication, streams: Streams, limits: UserLimits
    ) -> None:
        super().__init__(core, authentication)
        self._limits = limits
        self._streams = streams

    def ends_with_client(self, request: Request) -> bool:  # noqa: ARG002
        """A stream does, also before it has begun."""
        return True

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with a stream."""
        query = parsed_query(request, EventsQuery)
        era = self._core.access.era
        self._limits.open_stream(user)
        after = _last_event_id(request)
        if after is None:
            after = query.after
        reading = self._core.reading
        lineage = self._core.store.lineage
        named = after
        if after is not None and query.epoch is not None:
            after = await reading.resumed(after, query.epoch)
        # HEAD only checks whether there would be a stream; its id acknowledges nothing.
        if after is not None and (query.peek or request.method == b"HEAD"):
            cursor = after
        else:
            cursor = await reading.position(user, after)
        token_id = await self._authentication.held_token_id(request)
        await self._streams.admit(user)
        if self._core.access.era is not era:
            raise StoreUnavailable("The user's access may have ended just now.", 1)
        if self._core.store.lineage is not lineage:
            raise StoreUnavailable("The log has just become another one.", 1)
        opening = b""
        if query.epoch is not None:
            moved_from = UNSET if named is None or named == cursor else named
            opening = _epoch_event(EpochEvent(lineage.current, cursor, moved_from))
        return Response(
            b"",
            content_type=b"text/event-stream",
            headers=_UNBUFFERED,
            begin=partial(
                self._streams.open,
                user,
                cursor,
                opening=opening,
                changes=query.changes,
                token_id=token_id,
                addresses=self._authentication.addresses.all_of(request),
            ),
        )


def _epoch_event(event: EpochEvent) -> bytes:
    return b"event: epoch\ndata: %b\n\n" % json.encode(event)


def _last_event_id(request: Request) -> int | None:
    """The id that a reconnecting client names; it is empty before the first event."""
    header = request.getHeader(b"Last-Event-ID")
    if not header:
        return None
    try:
        return checked_query({"after": header.decode("latin-1")}, EventsQuery).after
    except InvalidRequest:
        raise InvalidRequest(
            "Last-Event-ID is not valid. Expected: the id of the last message received, or 0."
        ) from None
