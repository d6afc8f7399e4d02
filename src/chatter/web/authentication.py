"""The user of a request: by the token in ``Authorization``, or else in the page's cookie.

Where an application authenticates its users, its word is taken.

A browser has one cookie for all its tabs, and somebody else may have signed in in one of them.  So
a page names its user in each request, in ``Chatter-User``, and one that is another user's by
now is refused: it would send, read and sign out as somebody else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from chatter.protocol.errors import Unauthorized
from chatter.protocol.model import User
from chatter.web.csrf import refuse_foreign_page
from chatter.web.lean import LeanRequest
from chatter.web.page_cookie import is_from_page, token_in_cookie

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.web.address_limits import AddressLimits
    from chatter.web.addresses import Addresses
    from chatter.web.rejection_delay import RejectionDelay

Authenticate: TypeAlias = "Callable[[Request], User | Awaitable[User | None] | None]"
"""An application's own way to find the user of a request, in :class:`chatter.ChatResource`."""


def token_of(request: Request) -> str | None:
    """The token in ``Authorization``, with or without ``Bearer`` before it."""
    header = request.getHeader(b"authorization")
    if header is None:
        return None
    scheme, _, token = header.decode("latin-1").strip().partition(" ")
    if scheme.lower() == "basic" and is_from_page(request):
        # A browser sends it by itself: it is for a proxy before the chat.
        return None
    return token.strip() if token and scheme.lower() == "bearer" else scheme


def check_named(request: Request, user: User) -> None:
    """See that a request is from the user that it names, if it names one.

    :raises Unauthorized: if it is another's.
    """
    named = request.getHeader(b"Chatter-User")
    if named is not None and named != b"%d" % user.id:
        raise Unauthorized("Somebody else is signed in by now.")


class Authentication:
    """Maps requests to users, and notes that these are there.

    :param limits: how often an address may try tokens that no user has.
    :param authenticate: the application's own way; without it users have tokens.
    :param origins: the origins whose pages may use the chat.

    :ivar addresses: of which none may be banned that a request has.
    :ivar rejection_delay: sends those who are refused again and again what they get, later.
    :ivar challenge: what a 401 says in ``WWW-Authenticate``; nothing where the application
        authenticates its users, by whatever means.
    """

    def __init__(
        self,
        core: ChatCore,
        addresses: Addresses,
        limits: AddressLimits,
        rejection_delay: RejectionDelay,
        authenticate: Authenticate | None = None,
        origins: Collection[str] = (),
    ) -> None:
        self._core = core
        self._banned = core.standings.banned
        self._access = core.access
        self._banned_addresses = core.standings.addresses.until
        self.addresses = addresses
        self._limits = limits
        self._authenticate = authenticate
        self.rejection_delay = rejection_delay
        self._origins = origins
        self.uses_tokens = authenticate is None
        self.challenge: tuple[tuple[bytes, bytes], ...] = (
            ((b"WWW-Authenticate", b"Bearer"),) if self.uses_tokens else ()
        )

    def known_user(self, request: Request) -> User | None:
        """The user of a request, if that is known without waiting; it is then there.

        :raises Unauthorized: if the request names another user.
        :raises Banned: if the user is banned, or the address.
        """
        if self._authenticate is not None:
            return None
        # Our own server has the very same head again, if a client sends it again.  But a
        # resource on the way may have set another header than the client sent.
        head = None
        user: User | None
        if isinstance(request, LeanRequest) and not request.headers_may_differ:
            head = request.request_head
            if head.note is not None:
                era, user = head.note
                if era is self._access.era:
                    if user.id in self._banned or self._banned_addresses:
                        self._check_bans(request, user)
                    self._core.presence.see(user.id)
                    return user
        if not self._core.standings.is_known:
            return None
        token = self._token_of(request)
        user = self._core.tokens.known_user(token) if token else None
        if user is not None:
            if user.id in self._banned or self._banned_addresses:
                self._check_bans(request, user)
            check_named(request, user)
            # A cookie counts beside other headers only, which are looked at each time.
            if head is not None and b"authorization" in head.headers:
                head.note = (self._access.era, user)
            self._core.presence.see(user.id)
        return user

    async def user_or_nobody(self, request: Request) -> User | None:
        """The user of a request; ``None`` if it does not say whose it is.

        A cookie may be left from another database, or from a chat in a folder above.

        :raises Unauthorized: if it carries a token in ``Authorization`` that no user has, or names
            a user and is not from that one.
        :raises Banned: if the user is banned.
        :raises Forbidden: as :meth:`user_of` does.
        """
        try:
            return await self.user_of(request)
        except Unauthorized:
            has_token = self.uses_tokens and token_of(request) is not None
            if has_token or request.getHeader(b"Chatter-User") is not None:
                raise
            return None

    async def user_of(self, request: Request) -> User:
        """The user of a request, who is then there.

        :raises Unauthorized: if it is nobody known, or another user than the request names.
        :raises Banned: if the user is banned, or the address.
        :raises TooManyRequests: if the address has tried too many unknown tokens.
        :raises Forbidden: if a page of another origin had it sent, and the user is known by
            what browsers send by themselves, as far as it may be that.
        """
        await self.check_address(request)
        if self._authenticate is not None:
            refuse_foreign_page(request, self._origins)
            user = await self._user_of_application(request)
        else:
            token = self._token_of(request)
            if not token:
                raise Unauthorized("This needs the token of a user: Authorization: Bearer TOKEN.")
            user = await self._by_token(request, token)
        check_named(request, user)
        # Also of the address: it may have been banned while the user was looked for.
        self._check_bans(request, user)
        self._core.presence.see(user.id)
        return user

    async def held_token_id(self, request: Request) -> int | None:
        """The id of the token of a request, for a response that keeps it in use.

        :returns: ``None`` if there is none, or tokens live for ever.
        :raises Unauthorized: if no user has it any more.
        """
        if not self.uses_tokens:
            return None
        return await self._core.tokens.held_id(self._token_of(request) or "")

    async def token_id(self, request: Request) -> int:
        """The id of the token of a request.

        :raises Unauthorized: if no user has it.
        """
        return await self._core.tokens.id_of(self._token_of(request) or "")

    def _check_bans(self, request: Request, user: User) -> None:
        self._core.standings.check(user.id)
        self._check_address(request)

    def _check_address(self, request: Request) -> None:
        if self._banned_addresses:
            for address in self.addresses.all_of(request):
                self._core.standings.addresses.check(address)

    async def check_address(self, request: Request) -> None:
        """See that the address of a request is not banned.

        :raises Banned: if it is.
        """
        standings = self._core.standings
        if not standings.is_known:
            await standings.known()
        self._check_address(request)

    async def _by_token(self, request: Request, token: str) -> User:
        user = self._core.tokens.known_user(token)
        if user is None:
            self._limits.check_token(request)
            try:
                user = await self._core.tokens.user_of(token)
            except Unauthorized:
                self._limits.wrong_token(request)
                raise
        return user

    def _token_of(self, request: Request) -> str | None:
        token = token_of(request)
        return token_in_cookie(request) if token is None else token

    async def _user_of_application(self, request: Request) -> User:
        assert self._authenticate is not None
        found: Any = self._authenticate(request)
        if hasattr(found, "__await__"):
            found = await found
        if found is None:
            raise Unauthorized
        if not isinstance(found, User):
            raise TypeError(f"authenticate() gave a {type(found).__name__}, which is no User.")
        return found
