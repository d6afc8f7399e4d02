"""``POST /backup`` of the operator's endpoint: a copy of the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from chatter.log.operated import IOperatedStore
from chatter.protocol.errors import InvalidRequest, StoreUnavailable

if TYPE_CHECKING:
    from chatter.chat.core import ChatCore


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
    """Copy the database, while it is used.

    :raises InvalidRequest: if it can't be copied, or not to there.
    """
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
