"""Acts of the operator that are about how users come in: tokens and invitations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from twisted.logger import Logger

from chatter.admin.endpoint.acts import user_named
from chatter.protocol.bodies import Done, NewToken
from chatter.protocol.errors import UnknownToken
from chatter.protocol.moderation import Seconds
from chatter.protocol.scalars import Id, Label

if TYPE_CHECKING:
    from chatter.chat.core import ChatCore

_log = Logger()


class UserBody(Struct, frozen=True):
    """A request about a user."""

    name: str


class MakeTokenBody(Struct, frozen=True):
    """What ``POST /token`` takes."""

    name: str
    label: Label = ""


class RevokeTokenBody(Struct, frozen=True):
    """What ``POST /revoke`` takes.

    :ivar id: of the token; all tokens of the user if there is none.
    """

    name: str
    id: Id | None = None


class InviteBody(Struct, frozen=True):
    """What ``POST /invite`` takes.

    :ivar uses: so many can join with it.
    :ivar seconds: for so long; for ever if there are none.
    """

    uses: Annotated[int, Meta(ge=1, le=10**9, description="An integer from 1 to 1000000000.")] = 1
    seconds: Seconds | None = None


class Invitation(Struct, frozen=True):
    """An invitation, which nobody is told again."""

    invitation: str


class TokenRow(Struct, frozen=True):
    """A token of a user, without the secret."""

    id: int
    label: str
    created_at: datetime | None
    seen_at: datetime
    expires_at: datetime | None


class TokenRows(Struct, frozen=True):
    """The tokens of a user, by id."""

    tokens: list[TokenRow]


async def list_tokens(core: ChatCore, body: UserBody) -> TokenRows:
    """Say which tokens a user has."""
    user = await user_named(core, body.name)
    return TokenRows(
        [
            TokenRow(t.id, t.label, t.created_at, t.seen_at, core.tokens.expires_at(t))
            for t in await core.tokens.of_user(user)
        ]
    )


async def make_token(core: ChatCore, body: MakeTokenBody) -> NewToken:
    """Give a user one more token, who has lost theirs."""
    user = await user_named(core, body.name)
    token, secret = await core.tokens.make(user, body.label)
    _log.info("The operator has made token {id} of user {user}.", id=token.id, user=user.id)
    return NewToken(token.id, token.label, secret)


async def revoke(core: ChatCore, body: RevokeTokenBody) -> Done:
    """Take one token from a user, or all of them, and end what is open with them.

    :raises UnknownToken: if the user has none, or not that one.
    """
    user = await user_named(core, body.name)
    if body.id is not None:
        await core.tokens.revoke(user, body.id)
    elif not await core.tokens.revoke_all(user):
        raise UnknownToken(f"{user.name} has no token.")
    _log.info(
        "The operator has revoked {which} of user {user}.",
        which="all tokens" if body.id is None else f"token {body.id}",
        user=user.id,
    )
    return Done()


async def invite(core: ChatCore, body: InviteBody) -> Invitation:
    """Make an invitation to join."""
    invitation = await core.joining.invite(body.uses, body.seconds)
    _log.info(
        "The operator has made an invitation for {uses}, for {seconds} seconds.",
        uses=body.uses,
        seconds=body.seconds,
    )
    return Invitation(invitation)
