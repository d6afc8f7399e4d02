"""The requests that a chat server knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from chatter.client.json_bodies import encoded
from chatter.protocol.bodies import (
    ConnectBody,
    EditBody,
    EraseBody,
    ModerateBody,
    ReadBody,
    ReportBody,
    RevokeBody,
    TokenBody,
    WithdrawBody,
)
from chatter.protocol.queries import MAX_LIMIT, ChatType
from chatter.protocol.scalars import MAX_NAME, MAX_TEXT

if TYPE_CHECKING:
    from collections.abc import Collection

    from chatter.protocol.moderation import Action

SMALL = 256 * 1024
"""The largest body of a response that is no list, in bytes."""

MAX_PAGE = MAX_LIMIT * (6 * MAX_TEXT + 256)
"""The largest page of messages, in bytes: every character of each text escaped."""

MAX_USERS = MAX_LIMIT * (12 * MAX_NAME + 256)
"""The largest list of users, in bytes: every character of each name escaped, as two."""


class Request(Struct, frozen=True):
    """A request to a chat server.

    :ivar body: JSON, already encoded.
    :ivar key: its idempotency key.
    :ivar last_event_id: after which event a stream shall begin.
    :ivar largest: how many bytes the body of its response has at most.
    :ivar media_type: of a response that is read as it comes.
    """

    method: str
    path: str
    parameters: dict[str, str] = {}
    body: bytes | None = None
    key: str | None = None
    last_event_id: int | None = None
    largest: int = SMALL
    media_type: bytes = b""


HEALTH = Request("GET", "/health")
COME_BACK = Request("POST", "/connect")
DISCONNECT = Request("POST", "/disconnect")
TOKENS = Request("GET", "/tokens")
EXPORT = Request("GET", "/export", media_type=b"application/x-ndjson")


def joining(name: str | None, key: str, invitation: str | None = None) -> Request:
    """Join as a new user.

    :raises InvalidRequest: if the name has what is no character.
    """
    wanted = ConnectBody(name, invitation=invitation)
    body = None if wanted == ConnectBody() else encoded(wanted)
    return Request("POST", "/connect", body=body, key=key)


def sending(path: str, body: Struct, key: str) -> Request:
    """Send a text.

    :raises InvalidRequest: if the text has what is no character.
    """
    return Request("POST", path, body=encoded(body), key=key)


def edit(message_id: int, text: str) -> Request:
    """Give a message another text.

    :raises InvalidRequest: if the text has what is no character.
    """
    return Request("POST", "/edit", body=encoded(EditBody(message_id, text)))


def withdrawal(message_id: int) -> Request:
    """Withdraw a message."""
    return Request("POST", "/withdraw", body=encoded(WithdrawBody(message_id)))


def report(message_id: int, reason: str) -> Request:
    """Show a message to the moderators.

    :raises InvalidRequest: if the reason has what is no character.
    """
    return Request("POST", "/report", body=encoded(ReportBody(message_id, reason)))


def reports(before: int | None, limit: int) -> Request:
    """A part of the list of reports."""
    return _get("/reports", MAX_PAGE, before=before, limit=limit)


def moderation(user_id: int, action: Action, seconds: int | None, reason: str) -> Request:
    """Mute or ban a user, or end that.

    :raises InvalidRequest: if the reason has what is no character.
    """
    body = ModerateBody(user_id, action, seconds, reason)
    return Request("POST", "/moderate", body=encoded(body))


def new_token(label: str, key: str) -> Request:
    """Make one more token.

    :raises InvalidRequest: if the label has what is no character.
    """
    return Request("POST", "/tokens", body=encoded(TokenBody(label)), key=key)


def revocation(token_id: int) -> Request:
    """Revoke a token."""
    return Request("POST", "/tokens/revoke", body=encoded(RevokeBody(token_id)))


def erasure(name: str) -> Request:
    """Leave for good.

    :raises InvalidRequest: if the name has what is no character.
    """
    return Request("POST", "/erase", body=encoded(EraseBody(name)))


def feed(after: int, epoch: str, limit: int) -> Request:
    """What comes after an id of an epoch in the feed."""
    return _get("/status", MAX_PAGE, after=after, epoch=epoch, limit=limit)


def events(after: int, epoch: str, *, changes: bool) -> Request:
    """The event stream after an id of an epoch, with changes of messages or without."""
    parameters = {"epoch": epoch, "changes": "1"} if changes else {"epoch": epoch}
    return Request(
        "GET", "/events", parameters, last_event_id=after, media_type=b"text/event-stream"
    )


def history(with_user: int | None, before: int | None, limit: int | None) -> Request:
    """A page of one chat: that with a user, or the general one."""
    chat_type = "general" if with_user is None else "private"
    return _get(
        "/status",
        MAX_PAGE,
        chat_type=chat_type,
        recipient_id=with_user,
        before=before,
        limit=limit,
        changes="1",
    )


def users(after: int, limit: int) -> Request:
    """A part of the list of users."""
    return _get("/users", MAX_USERS, after=after, limit=limit)


def online_users(after: int, limit: int) -> Request:
    """A part of the list of users who are online."""
    return _get("/users", MAX_USERS, online="true", after=after, limit=limit)


def users_by_id(user_ids: Collection[int]) -> Request:
    """The users with those ids."""
    return _get("/users", MAX_USERS, ids=",".join(map(str, user_ids)))


def users_by_prefix(prefix: str, limit: int) -> Request:
    """The users whose name begins with a prefix."""
    return _get("/users", MAX_USERS, prefix=prefix, limit=limit)


def chats(before: int | None, limit: int) -> Request:
    """A part of the user's list of chats."""
    return _get("/chats", MAX_PAGE, before=before, limit=limit)


def read_mark(with_user: int | None, message_id: int) -> Request:
    """Note how far one chat was read: that with a user, or the general one."""
    chat_type: ChatType = "general" if with_user is None else "private"
    return Request("POST", "/read", body=encoded(ReadBody(message_id, chat_type, with_user)))


def _get(path: str, largest: int, **parameters: int | str | None) -> Request:
    given = {name: str(value) for name, value in parameters.items() if value is not None}
    return Request("GET", path, given, largest=largest)
