"""``/tokens`` and ``POST /tokens/revoke``: the tokens of a user, one for each device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import json

from chatter.protocol.bodies import Done, NewToken, RevokeBody, TokenBody, TokenInfo, TokenList
from chatter.protocol.errors import KeyUsed, TooManyRequests, TooManyTokens, UnknownToken
from chatter.protocol.scalars import JoinKey
from chatter.protocol.validation import checked_body
from chatter.web.endpoint import Operation, UserEndpoint
from chatter.web.parsing import body_of
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.chat.limits.user_limits import UserLimits
    from chatter.protocol.model import User
    from chatter.web.authentication import Authentication

_token_decoder = json.Decoder(TokenBody)
_revoke_decoder = json.Decoder(RevokeBody)


class _LimitedEndpoint(UserEndpoint):
    def __init__(self, core: ChatCore, authentication: Authentication, limits: UserLimits) -> None:
        super().__init__(core, authentication)
        self._limits = limits


class MakeTokenEndpoint(_LimitedEndpoint):
    """Gives the user one more token, if the user has not made or revoked too many."""

    operation = Operation(
        method="POST",
        summary="Make one more token",
        description="For another device of the user. The token is in this response only. A user "
        "has at most 50. With an Idempotency-Key, which must be secret and random, a retry gets "
        "the same token.",
        body=TokenBody,
        response=NewToken,
        headers={"Idempotency-Key": JoinKey},
        errors=(KeyUsed, TooManyTokens, TooManyRequests),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with the token."""
        label = checked_body(body_of(request), _token_decoder).label
        key = request.getHeader(b"Idempotency-Key")
        decoded = None if key is None else key.decode("latin-1")
        self._limits.change_tokens(user)
        token, secret = await self._core.tokens.make(user, label, decoded)
        return json_response(NewToken(token.id, token.label, secret))


class ListTokensEndpoint(UserEndpoint):
    """Responds with the user's tokens."""

    operation = Operation(
        method="GET",
        summary="The user's tokens",
        description="When each was made, was used last, and ends if it is not used any more; "
        "current is the one of this request. The tokens themselves are never told again.",
        response=TokenList,
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond with the tokens, without the secrets."""
        tokens = self._core.tokens
        current = await self._authentication.token_id(request)
        return json_response(
            TokenList(
                [
                    TokenInfo(
                        token.id,
                        token.label,
                        token.created_at,
                        token.seen_at,
                        tokens.expires_at(token),
                        token.id == current,
                    )
                    for token in await tokens.of_user(user)
                ]
            )
        )


class RevokeTokenEndpoint(_LimitedEndpoint):
    """Takes one of the user's tokens back, if the user has not made or revoked too many."""

    operation = Operation(
        method="POST",
        summary="Revoke a token",
        description="From now on no user has it, on any server. The streams and waiting polls "
        "of the user end, and reconnect if they have another token.",
        body=RevokeBody,
        response=Done,
        errors=(UnknownToken, TooManyRequests),
    )

    async def respond_to_user(self, request: Request, user: User) -> Response:
        """Respond once it is revoked."""
        token_id = checked_body(body_of(request), _revoke_decoder).id
        self._limits.change_tokens(user)
        await self._core.tokens.revoke(user, token_id)
        return json_response(Done())
