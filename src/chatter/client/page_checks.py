"""Lists that a server sends in parts: each part must go on where the last one ended.

A caller who reads on while there is ``more`` would otherwise never come to an end.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import UNSET

from chatter.client.errors import UnexpectedResponse
from chatter.protocol.scalars import MAX_ID

if TYPE_CHECKING:
    from chatter.protocol.bodies import Chats, Reports, Users
    from chatter.protocol.model import Page


def start_of(page: Page, after: int, epoch: str) -> int:
    """After which id a page of the feed begins: the requested one, or where the log parts.

    :param epoch: the requested one.
    :raises UnexpectedResponse: if it begins elsewhere without a reason.
    """
    if page.moved_from is UNSET:
        return after
    if page.gap is not UNSET:
        start = page.gap.after
    else:
        start = page.messages[0].id - 1 if page.messages else page.cursor
    if page.epoch in (UNSET, epoch) or not 0 <= start < after:
        raise UnexpectedResponse("The server's page begins where it was not requested.")
    return start


def check_feed(page: Page, after: int) -> None:
    """Check what comes after an id in the feed.

    :raises UnexpectedResponse: if messages are not in order, a gap is elsewhere, the cursor
        goes back, or there are no messages although there are more.
    """
    if page.gap is not UNSET:
        if page.gap.after != after or page.gap.until <= after:
            raise UnexpectedResponse("The gap in the server's page is elsewhere.")
        after = page.gap.until
    _check_order([message.id for message in page.messages], after)
    last = page.messages[-1].id if page.messages else after
    if page.cursor < last:
        raise UnexpectedResponse("The cursor in the server's page goes back.")
    if page.more and not page.messages:
        raise UnexpectedResponse("The server says that there is more, and does not send it.")


def check_history(page: Page, before: int | None) -> None:
    """Check a page of a chat's history.

    :raises UnexpectedResponse: if messages are not in order, or there are none although
        there is more.
    """
    _check_order([message.id for message in page.messages], 0)
    if before is not None and page.messages and page.messages[-1].id >= before:
        raise UnexpectedResponse("The server's page has messages that were not requested.")
    if page.more and not page.messages:
        raise UnexpectedResponse("The server says that there is more, and does not send it.")


def check_users(users: Users, after: int) -> None:
    """Check a part of the list of users.

    :raises UnexpectedResponse: if they are not in order, or there are none although
        there is more.
    """
    _check_order([user.id for user in users.users], after)
    if users.more and not users.users:
        raise UnexpectedResponse("The server says that there is more, and does not send it.")


def check_chats(chats: Chats, before: int | None) -> None:
    """Check a part of the list of chats, requested with ``before``.

    :raises UnexpectedResponse: if the private ones are not the newest first, or there are
        none although there is more.
    """
    private = [chat.last for chat in chats.chats if chat.recipient_id is not None]
    newest = [0 if last is None else last.id for last in private]
    bound = MAX_ID + 1 if before is None else before
    if any(first <= second for first, second in pairwise([bound, *newest, 0])):
        raise UnexpectedResponse("The server's page is in the wrong order.")
    if chats.more and not newest:
        raise UnexpectedResponse("The server says that there is more, and does not send it.")


def check_reports(reports: Reports, before: int | None) -> None:
    """Check a part of the list of reports, requested with ``before``.

    :raises UnexpectedResponse: if they are not the newest first, or there are none although
        there is more.
    """
    newest = [report.id for report in reports.reports]
    bound = MAX_ID + 1 if before is None else before
    if any(first <= second for first, second in pairwise([bound, *newest, 0])):
        raise UnexpectedResponse("The server's page is in the wrong order.")
    if reports.more and not newest:
        raise UnexpectedResponse("The server says that there is more, and does not send it.")


def _check_order(ids: list[int], after: int) -> None:
    if any(first >= second for first, second in pairwise([after, *ids])):
        raise UnexpectedResponse("The server's page is in the wrong order.")
