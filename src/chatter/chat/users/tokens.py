"""The tokens of users: whose a token is, and making, listing and revoking them.

Tokens that were looked up lately are kept in memory, so that most requests need no read of the
store.  After a few minutes a token is looked up again, and it is noted that it was used.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from math import inf
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatter.chat.users.known_tokens import KnownToken, KnownTokens
from chatter.protocol.errors import (
    KeyUsed,
    TooManyTokens,
    Unauthorized,
    UnknownRecipient,
    UnknownToken,
)
from chatter.protocol.scalars import MAX_ID, JoinKey
from chatter.protocol.validation import checked_key
from chatter.repeated_errors import UnexpectedErrors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from random import Random

    from twisted.internet.interfaces import IReactorTime

    from chatter.chat.users.access import Access
    from chatter.chat.users.presence import Presence
    from chatter.log.interfaces import IChatStore
    from chatter.protocol.model import Token, User

MOST_TOKENS = 50
"""A user has at most so many tokens."""

SHORTEST_LIFETIME = 300
"""A token lives for so many seconds at least: it is noted late that it was used."""

LONGEST_LIFETIME = 36_500 * 86_400
"""A token lives for so many seconds at most."""

FRESH = 300.0
"""So many seconds after it was looked up, a token is looked up again."""

SAVED_TOGETHER = 1.0
"""Uses of tokens are saved once in so many seconds, together."""


def checked_lifetime(seconds: float) -> float:
    """For how long tokens may live without being used.

    :raises ValueError: if it is not between :data:`SHORTEST_LIFETIME` and
        :data:`LONGEST_LIFETIME`.
    """
    if not SHORTEST_LIFETIME <= seconds <= LONGEST_LIFETIME:
        raise ValueError(
            f"tokens live for {SHORTEST_LIFETIME} seconds at least, and 36500 days at most"
        )
    return seconds


class Tokens:
    """The tokens of the users of a chat.

    :param lifetime: a token that was not used for so many seconds ends; ``None`` if
        tokens live for ever.
    :param random: where tokens come from.

    :ivar fresh: so many seconds after it was looked up, a token is looked up again; what uses
        it all the time notes that as often.
    """

    _log = Logger()

    def __init__(
        self,
        store: IChatStore,
        clock: IReactorTime,
        presence: Presence,
        access: Access,
        random: Random,
        lifetime: float | None,
    ) -> None:
        self._tokens = store.tokens
        self._clock = clock
        self._presence = presence
        self._access = access
        self._random = random
        self.lifetime = None if lifetime is None else timedelta(seconds=lifetime)
        self.fresh = FRESH if lifetime is None else min(FRESH, lifetime / 10)
        self._known = KnownTokens()
        self._uses: dict[int, datetime] = {}
        self._save_errors = UnexpectedErrors(self._log, "Uses of tokens can't be saved.")
        self._next_save = -inf
        self._next_renewal = -inf
        self._tokens.revoked = access.end
        access.add_ending(self._known.forget)

    def start(self) -> None:
        """Forget what was known: the store may have been replaced while it was closed."""
        self._known.clear()
        self._uses.clear()
        self._access.renew()

    async def stop(self) -> None:
        """Save which tokens were used, as far as that is not yet saved."""
        await self._save_uses()

    # Whose a token is

    def known_user(self, token: str) -> User | None:
        """The user whose token it is, if it was looked up lately."""
        known = self._known.get(token)
        if known is None or known.until <= self._clock.seconds():
            return None
        return known.user

    async def user_of(self, token: str) -> User:
        """The user whose token it is.

        :raises Unauthorized: if no user has that token.
        :raises StoreUnavailable: if the store can't be read.
        """
        known = self.known_user(token)
        return (await self._find(token))[1] if known is None else known

    async def id_of(self, token: str) -> int:
        """The id of a token.

        :raises Unauthorized: if no user has that token.
        :raises StoreUnavailable: if the store can't be read.
        """
        return (await self._find(token))[0].id

    async def _find(self, token: str) -> tuple[Token, User]:
        era = None
        while era is not self._access.era:
            # What is revoked while it is read must not be remembered.
            era = self._access.era
            found = await self._tokens.find(hash_of(token))
        now = self._presence.now()
        if found is None or self._is_expired(found[0], now):
            raise Unauthorized("Nobody has this token.")
        self._learn(token, *found, now)
        return found

    def _learn(self, secret: str, token: Token, user: User, now: datetime) -> None:
        self._known.learn(secret, KnownToken(token.id, user, self._clock.seconds() + self.fresh))
        if now - token.seen_at >= timedelta(seconds=self.fresh):
            self._uses[token.id] = now

    async def held_id(self, token: str) -> int | None:
        """The id of a token that was looked up before, whose uses are to be noted with ``use``.

        :returns: ``None`` where tokens live for ever.
        :raises Unauthorized: if no user has it any more.
        :raises StoreUnavailable: if the store can't be read.
        """
        if self.lifetime is None:
            return None
        known = self._known.get(token)
        return await self.id_of(token) if known is None else known.token_id

    def use(self, token_ids: Iterable[int]) -> None:
        """Note that tokens are in use until now, without a request: with event streams.

        By id, since a token may be forgotten here meanwhile.
        """
        self._uses.update(dict.fromkeys(token_ids, self._presence.now()))

    def _is_expired(self, token: Token, now: datetime) -> bool:
        if self.lifetime is None:
            return False
        used = self._uses.get(token.id, token.seen_at)
        return now - max(used, token.seen_at) >= self.lifetime

    def expires_at(self, token: Token) -> datetime | None:
        """When a token ends if it is not used any more; ``None`` for never."""
        return None if self.lifetime is None else token.seen_at + self.lifetime

    def look_again(self) -> None:
        """Save which tokens were used, and have tokens looked up again, from time to time.

        To be called now and then, as long as there are requests.
        """
        now = self._clock.seconds()
        if self._uses and now >= self._next_save:
            self._next_save = now + SAVED_TOGETHER
            Deferred.fromCoroutine(self._save_uses())
        if now >= self._next_renewal:
            self._next_renewal = now + self.fresh
            # Also those that connections have noted.
            self._access.renew()

    async def _save_uses(self) -> None:
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            await self._tokens.save_uses(list(uses.items()))
        except Exception:  # noqa: BLE001 - the next uses are saved; a token lives a little shorter
            self._save_errors.failed(Failure())
        else:
            self._save_errors.worked()

    # Making, listing and revoking

    async def make(self, user: User, label: str, key: str | None = None) -> tuple[Token, str]:
        """Give a user one more token.

        :param key: a retry with the same key gets the same token.  The secret is made from it,
            so it is as secret.
        :returns: it, and the secret, which nobody is told again.
        :raises InvalidRequest: if the key can't be used.
        :raises KeyUsed: if the key was used for another user.
        :raises TooManyTokens: if the user has as many as are allowed.
        :raises Unauthorized: if the user has left for good meanwhile.
        :raises StoreUnavailable: if the store can't serve.
        """
        secret = self.new_secret() if key is None else secret_of(key)
        made = None if key is None else await self._made(user, secret)
        if made is not None:
            return made, secret
        # Those that have ended count no more.
        await self.of_user(user)
        now = self._presence.now()
        try:
            token = await self._tokens.add(user.id, hash_of(secret), label, now, MOST_TOKENS)
        except (KeyUsed, TooManyTokens):
            # The same may have been requested at the same time.
            made = None if key is None else await self._made(user, secret)
            if made is None:
                raise
            return made, secret
        except UnknownRecipient:
            raise Unauthorized("The user has left meanwhile.") from None
        return token, secret

    async def _made(self, user: User, secret: str) -> Token | None:
        """The token that was made for a user by the same request before."""
        found = await self._tokens.find(hash_of(secret))
        if found is None:
            return None
        token, owner = found
        if owner.id != user.id:
            raise KeyUsed("Somebody else has used this Idempotency-Key.")
        return token

    def new_secret(self) -> str:
        """A token that nobody has yet."""
        return f"{self._random.getrandbits(256):064x}"

    async def of_user(self, user: User) -> list[Token]:
        """The tokens of a user that are of use, by id; others are removed.

        :raises StoreUnavailable: if the store can't serve.
        """
        now = self._presence.now()
        found = await self._tokens.of_user(user.id)
        for token in found:
            if self._is_expired(token, now):
                await self._tokens.revoke(user.id, token.id)
        return [token for token in found if not self._is_expired(token, now)]

    async def revoke(self, user: User, token_id: int) -> None:
        """Take a token from a user, and end what is open with it.

        :raises UnknownToken: if it is none of the user.
        :raises StoreUnavailable: if the store can't serve.
        """
        if token_id > MAX_ID or not await self._tokens.revoke(user.id, token_id):
            raise UnknownToken("The user has no such token.")

    async def revoke_all(self, user: User) -> bool:
        """Take all tokens from a user, and end what is open; returns whether there were any.

        :raises StoreUnavailable: if the store can't serve.
        """
        return await self._tokens.revoke(user.id, None)


def hash_of(token: str) -> bytes:
    """What the store keeps of a token: its SHA-256."""
    return sha256(token.encode()).digest()


def secret_of(key: str) -> str:
    """The token that is made from an idempotency key.

    :raises InvalidRequest: if the key can't be used.
    """
    salt = b"chatter: the token of a join key\0"
    return sha256(salt + checked_key(key, JoinKey).encode()).hexdigest()
