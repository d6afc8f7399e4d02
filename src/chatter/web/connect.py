"""``POST /connect``: join the chat, or come back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType, json

from chatter.protocol.bodies import ConnectBody, Connected
from chatter.protocol.errors import (
    Banned,
    Forbidden,
    InvitationExpired,
    InvitationNeeded,
    InvitationUsed,
    JoiningClosed,
    KeyUsed,
    NameTaken,
    TooManyRequests,
    Unauthorized,
)
from chatter.protocol.scalars import JoinKey
from chatter.protocol.validation import checked_body
from chatter.web.authentication import token_of
from chatter.web.csrf import refuse_foreign_page
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.page_cookie import setting, token_in_cookie
from chatter.web.parsing import body_of
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.protocol.model import User
    from chatter.web.address_limits import AddressLimits
    from chatter.web.authentication import Authentication


_decoder = json.Decoder(ConnectBody)
_NOTHING_WANTED = ConnectBody()


class ConnectEndpoint(UserEndpoint):
    """Makes a user and its token, or responds with the user whose token came along."""

    operation = Operation(
        method="POST",
        summary="Join the general chat, or come back to it",
        description="Without a token it makes a new user, whose first poll has the latest "
        "messages of the general chat. With a token it responds with the user whose token it is. "
        "With cookie the browser gets the token in a cookie that no script can read, and not in "
        "the response. With an Idempotency-Key a retry within ten minutes gets the same user "
        "and token; it must be secret and random. Where the chat is not open, it takes an "
        "invitation.",
        body=ConnectBody,
        body_is_optional=True,
        response=Connected,
        headers={"Idempotency-Key": JoinKey},
        needs_user=False,
        errors=(
            Unauthorized,
            Forbidden,
            Banned,
            JoiningClosed,
            InvitationNeeded,
            InvitationExpired,
            InvitationUsed,
            NameTaken,
            KeyUsed,
            TooManyRequests,
        ),
    )

    def __init__(
        self, core: ChatCore, authentication: Authentication, limits: AddressLimits
    ) -> None:
        super().__init__(core, authentication)
        self._limits = limits

    async def respond(self, request: Request) -> Response:
        """Respond with the user and the token."""
        wanted = _wanted(request)
        user, token = await self._user(request, wanted)
        if token is None:
            return await self._connected(user)
        if wanted.cookie:
            return await self._connected(user, UNSET, setting(request, token))
        return await self._connected(user, token, (b"Authorization", token.encode("latin-1")))

    async def _user(self, request: Request, wanted: ConnectBody) -> tuple[User, str | None]:
        """The user, and the token if the client may have it."""
        authentication = self._authentication
        token = token_of(request)
        if token is not None or not authentication.uses_tokens:
            user = await authentication.user_of(request)
            return user, token if authentication.uses_tokens else None
        if wanted.cookie:
            # Another site must not have a browser join, which would lose the user it has.
            refuse_foreign_page(request, ())
        token = token_in_cookie(request)
        # Who only wants the cookie again must not join if the token has ended.
        is_somebody = token is not None or request.getHeader(b"Chatter-User") is not None
        known = await authentication.user_or_nobody(request) if is_somebody else None
        if known is None:
            await authentication.check_address(request)
            self._limits.join(request)
            return await self._join(wanted, request.getHeader(b"Idempotency-Key"))
        # Scripts don't get the token, which the cookie hides from them.
        return known, token if wanted.cookie else None

    async def _join(self, wanted: ConnectBody, key: bytes | None) -> tuple[User, str]:
        decoded = None if key is None else key.decode("latin-1")
        user, token = await self._core.joining.connect(wanted.name, decoded, wanted.invitation)
        # Who joined a short while ago, and repeats the request, may be banned meanwhile.
        self._core.standings.check(user.id)
        self._core.presence.see(user.id)
        return user, token

    async def _connected(
        self, user: User, token: str | UnsetType = UNSET, *headers: tuple[bytes, bytes]
    ) -> Response:
        cursor = await self._core.reading.cursor(user)
        connected = Connected("success", user.id, user.name, cursor, token)
        return json_response(connected, headers=headers)


def _wanted(request: Request) -> ConnectBody:
    """The body, if that is JSON; any other body is ignored."""
    body = body_of(request)
    media_type = (request.getHeader(b"Content-Type") or b"").partition(b";")[0]
    if not body or media_type.strip().lower() != b"application/json":
        return _NOTHING_WANTED
    return checked_body(body, _decoder)
