"""What the operator may have done: each act is a function of the chat and of a request's body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import json

from chatter.protocol.errors import UnknownRecipient
from chatter.protocol.validation import checked_body
from chatter.web.endpoint import JSONResource
from chatter.web.parsing import body_of
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from twisted.web.server import Request

    from chatter.chat.core import ChatCore
    from chatter.protocol.model import User

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


async def user_named(core: ChatCore, name: str) -> User:
    """The user with a name, whatever its case.

    :raises InvalidRequest: if no user can have that name.
    :raises UnknownRecipient: if nobody has it.
    """
    user = await core.directory.by_name(name)
    if user is None:
        raise UnknownRecipient(f"There is no user {name!r}.")
    return user
