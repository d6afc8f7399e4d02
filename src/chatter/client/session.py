"""What a client has from its beginning to its end: server, user, cursor, connections."""

from __future__ import annotations

from functools import partial
from random import SystemRandom
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from chatter.client.backoff import Retries
from chatter.client.exchange import Exchange
from chatter.client.joining import Joining
from chatter.client.operations import Operations
from chatter.client.reading import Reading
from chatter.client.retries import Attempts
from chatter.protocol.deferring import returns_deferred

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random
    from types import TracebackType

    from typing_extensions import Self

    from chatter.client.connections import Connections
    from chatter.client.watcher import Watcher

DEFAULT_URL = "http://127.0.0.1:8000"


class Session:
    """How :class:`chatter.ChatClient` begins and ends; see there."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        agent: Any,
        clock: Any,
        token: str | None = None,
        timeout: float = 30.0,
        retries: Retries | None = None,
        random: Random | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._exchange = Exchange(url, agent, clock, timeout)
        self._clock = clock
        self._retries = retries or Retries()
        self._random = random or SystemRandom()
        self._watcher = watcher
        self._operations = Operations()
        self._attempts = Attempts(
            self._exchange, clock, self._retries, self._random, self._operations, watcher
        )
        self._attempts.token = token
        # The token will be made from it: it comes from no generator that may be seeded.
        joining = Joining(self._attempts, partial(token_hex, 16))
        self._reading = Reading(
            self._exchange, self._attempts, joining, self._operations, clock, watcher
        )
        self._connections: Connections | None = None

    @classmethod
    def for_url(
        cls,
        reactor: Any,
        url: str = DEFAULT_URL,
        *,
        token: str | None = None,
        retries: Retries | None = None,
        watcher: Watcher | None = None,
        ca: str | Path | None = None,
    ) -> Self:
        """A client with connections of its own, which :meth:`close` closes.

        :param ca: for ``https``: a file in PEM with the authorities that are trusted;
            without it, those of the system, or of the file in ``SSL_CERT_FILE``.
        :raises ValueError: if the URL can't be the URL of a chat server, or the file has
            no certificates.
        :raises OSError: if the file can't be read.
        """
        from chatter.client.connections import Connections  # noqa: PLC0415
        from chatter.client.tls import StrictPolicy  # noqa: PLC0415

        connections = Connections(reactor, StrictPolicy(ca))
        agent = connections.agent
        client = cls(url, agent=agent, clock=reactor, token=token, retries=retries, watcher=watcher)
        client._connections = connections
        return client

    async def __aenter__(self) -> Self:
        """Do nothing yet: ``connect`` joins the chat."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.close()

    @returns_deferred
    async def close(self) -> None:
        """End what is under way, and close the connections that :meth:`for_url` made.

        :meth:`follow` and :meth:`unread` end; what else is under way fails with
        :class:`chatter.client.errors.ClientClosed`.
        """
        self._operations.close()
        if self._connections is not None:
            await self._connections.close()

    @property
    def url(self) -> str:
        """Where the server is, without a slash at the end."""
        return self._exchange.url

    @property
    def cursor(self) -> int | None:
        """The id up to which this client has read; ``None`` before ``connect()``."""
        return self._reading.cursor

    @cursor.setter
    def cursor(self, cursor: int | None) -> None:
        self._reading.cursor = cursor

    @property
    def epoch(self) -> str:
        """The epoch of the server's log that the cursor belongs to; to be kept with it."""
        return self._reading.epoch

    @epoch.setter
    def epoch(self, epoch: str) -> None:
        self._reading.epoch = epoch

    @property
    def token(self) -> str | None:
        """The user's token, to be kept for the next time."""
        return self._attempts.token

    @token.setter
    def token(self, token: str | None) -> None:
        self._attempts.token = token

    def _new_key(self) -> str:
        return f"{self._random.getrandbits(128):032x}"
