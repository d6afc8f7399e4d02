"""``GET /status``: the poll, and with ``chat_type`` a look into one chat."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from chatter.chat.reading.pages import has_news
from chatter.protocol.errors import ChatError, InvalidRequest, TooManyRequests, UnknownRecipient
from chatter.protocol.model import Page
from chatter.protocol.queries import DEFAULT_LIMIT, StatusQuery
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.lean import query_of
from chatter.web.parsing import parsed_query
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.chat.limits.user_limits import UserLimits
    from chatter.protocol.model import User
    from chatter.web.authentication import Authentication

_PLAIN_POLL = StatusQuery()

_edited_at_of = attrgetter("edited_at")


class StatusEndpoint(UserEndpoint):
    """Responds with messages, oldest first."""

    operation = Operation(
        method="GET",
        summary="Poll for what is unread, or look into one chat",
        description="Without chat_type it is the poll: what is unread, general and private, "
        "oldest first, after which it counts as read. With after it is the lossless poll: what "
        "comes after that id, which proves that all up to it was read. With chat_type it is a "
        "look into one chat, which reads nothing: its newest messages, or those before an id. "
        "With epoch, which may be empty, the page has the epoch of the log; and moved_from, if "
        "after was moved back because the log is another one. "
        "With wait the response comes as soon as there is something. With peek it moves no "
        "cursor. With changes the page has changes of messages, too, which count for limit; and "
        "a look into a chat has as_of: a change with a larger id is to be applied to it. gap says "
        "that some of what comes after the position is no longer kept; kept_after, up to which "
        "id that is so, in a look that reaches it.",
        query=StatusQuery,
        response=Page,
        errors=(UnknownRecipient, TooManyRequests),
    )

    def __init__(self, core: ChatCore, authentication: Authentication, limits: UserLimits) -> None:
        super().__init__(core, authentication)
        self._limits = limits

    def ends_with_client(self, request: Request) -> bool:
        """Only a waiting poll does."""
        return b"wait=" in request.uri

    def respond_to_user(self, request: Request, user: User) -> Coroutine[Any, Any, Response]:
        """Respond with a page of messages.

        :raises InvalidRequest: if the query is not valid.
        """
        query = parsed_query(request, StatusQuery) if query_of(request) else _PLAIN_POLL
        if query.chat_type is None:
            return self._poll(request, user, query)
        return self._look(user, query)

    async def _poll(self, request: Request, user: User, query: StatusQuery) -> Response:
        if query.before is not None or query.recipient_id is not None:
            raise InvalidRequest("before and recipient_id go with chat_type.")
        limit = query.limit or DEFAULT_LIMIT
        after = query.after
        reading = self._core.reading
        wait = query.wait or 0
        moves = True
        if query.peek or request.method == b"HEAD":
            moves = False
            if request.method == b"HEAD":
                wait = 0
            reads = reading.peek(user, limit, after, wait, query.epoch, changes=query.changes)
        else:
            reads = reading.poll(user, limit, after, wait, query.epoch, changes=query.changes)
        era = self._core.access.era
        page = await (self._waiting(user, reads) if wait else reads)
        if wait and self._core.access.era is not era:
            # The user's access may have ended while it waited.
            try:
                await self._authentication.user_of(request)
            except ChatError as error:
                # Not as a rejection that may have to wait: this one has waited.
                return self._response_to_error(error)
        messages = page.messages
        if messages:
            if not query.changes and reading.may_have_edited(messages):
                page = _without_times_of_edits(page)
        elif not has_news(page):
            return json_response(page)
        if after is not None or not moves:
            return json_response(page)
        # The cursor moves when the response has left, not when it was made.
        return json_response(page, partial(reading.acknowledge, user, page.cursor))

    async def _waiting(self, user: User, reads: Coroutine[Any, Any, Page]) -> Page:
        """Read a page that may be waited for, unless too many polls of the user wait."""
        with closing(reads), self._limits.waiting(user):
            return await reads

    async def _look(self, user: User, query: StatusQuery) -> Response:
        if (
            query.after is not None
            or query.wait is not None
            or query.epoch is not None
            or query.peek
        ):
            raise InvalidRequest("after, wait, epoch and peek do not go with chat_type.")
        limit = query.limit or self._core.history or DEFAULT_LIMIT
        reading = self._core.reading
        if query.chat_type != "private":
            if query.recipient_id is not None:
                raise InvalidRequest("recipient_id goes with chat_type=private.")
            page = await reading.general_history(user, limit, query.before, changes=query.changes)
            return _history(page, query)
        if query.recipient_id is None:
            raise InvalidRequest("chat_type=private needs recipient_id.")
        page = await reading.private_history(
            user, query.recipient_id, limit, query.before, changes=query.changes
        )
        return _history(page, query)


def _history(page: Page, query: StatusQuery) -> Response:
    if not query.changes and any(map(_edited_at_of, page.messages)):
        page = _without_times_of_edits(page)
    return json_response(page)


def _without_times_of_edits(page: Page) -> Page:
    """A page for clients that don't know of edits."""
    return replace(page, messages=[replace(each, edited_at=None) for each in page.messages])
