"""What the operator may have done: each is a function of the chat and of a request's body."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct, json

from chatter.log.interfaces import IOperatedStore
from chatter.protocol.bodies import WithdrawBody, WithdrawnMessage
from chatter.protocol.errors import InvalidRequest, StoreUnavailable
from chatter.protocol.validation import checked_body
from chatter.web.endpoint import JSONResource, body_of
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from twisted.web.server import Request

    from chatter.chat.core import ChatCore

Body = TypeVar("Body")


class Act(JSONResource, Generic[Body]):
    """``POST``, with a body, to have something done.

    :param body: the type of the body.
    :param act: does it; its result is the body of the response.
    """

    methods = (b"POST",)

    def __init__(
        self,
        core: ChatCore,
        body: type[Body],
        act: Callable[[ChatCore, Body], Coroutine[Any, Any, object]],
    ) -> None:
        super().__init__()
        self._core = core
        self._decoder = json.Decoder(body)
        self._act = act

    async def respond(self, request: Request) -> Response:
        """Have it done."""
        body = checked_body(body_of(request), self._decoder)
        return json_response(await self._act(self._core, body))


async def withdraw(core: ChatCore, body: WithdrawBody) -> WithdrawnMessage:
    """Withdraw a message, whosever it is."""
    change_id = await core.changing.withdraw_any(body.message_id)
    return WithdrawnMessage(body.message_id, change_id)


class BackupBody(Struct, frozen=True):
    """What ``POST /backup`` takes.

    :ivar file: the whole path of the copy on the server's machine.
    """

    file: str


class Backup(Struct, frozen=True):
    """What is in a backup.

    :ivar entries: messages and changes.
    """

    file: str
    users: int
    entries: int


async def back_up(core: ChatCore, body: BackupBody) -> Backup:
    """Copy the database, while it is used."""
    store: Any = IOperatedStore(core.store, None)
    if store is None:
        raise InvalidRequest("This store can't be backed up.")
    path = Path(body.file)
    if not path.is_absolute() or "\0" in body.file:
        raise InvalidRequest("file is the whole path of the backup, from / on.")
    try:
        return Backup(body.file, *await store.back_up(path))
    except StoreUnavailable as error:
        # To try again is no use.
        raise InvalidRequest(error.detail) from error
