"""A batch of writes made one query, and the row that it returns made the result of each."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from msgspec import Struct, json

from chatter.log.entries import ChangeDraft, MessageChange
from chatter.log.limited_drafts import LimitReached
from chatter.protocol.errors import Gone, NameTaken
from chatter.protocol.model import Draft, Message, User
from chatter.stores.postgres.chats import Mark, mark_read
from chatter.stores.postgres.session import Query
from chatter.stores.postgres.session_start import TAKE_ROOM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chatter.log.entries import Entry
    from chatter.log.limited_drafts import LimitedDraft
    from chatter.stores.postgres.session import Row


class NewUser(Struct, frozen=True, gc=False):
    """Somebody who wants to join.

    :ivar token_hash: in hexadecimal.
    """

    name: str
    folded_name: str
    token_hash: str | None
    cursor: int
    last_seen: datetime


class Moved(Struct, frozen=True, gc=False):
    """How far a user has moved."""

    id: int
    cursor: int
    last_seen: datetime


class _Keyed(Message, frozen=True, gc=False):
    """The message of a key that was used.

    :ivar is_gone: whether it was withdrawn.
    """

    idempotency_key: str = ""
    is_gone: bool = False


class _Changed(Struct, frozen=True, gc=False):
    """The result of a change.

    :ivar id: of the change; ``None`` if nothing has changed.
    :ivar message: as it is now, or was; ``None`` if there is none.
    """

    id: int | None
    message: Message | None


class TakeRoom(Struct, frozen=True, gc=False):
    """A proof that there is room for messages, where a write has failed before."""


class Step(NamedTuple):
    """Something that is done under the lock on the log, after the rest of its batch.

    :ivar query: does it, and returns one row.
    :ivar made: makes of that row the result, and the entries that were appended.
    """

    query: Query
    made: Callable[[Row], tuple[Any, list[Entry]]]


def without_entries(row: Row) -> tuple[Row, list[Entry]]:
    """What a step makes whose result is its row, and that appends nothing."""
    return row, []


Write: TypeAlias = "Draft | ChangeDraft | NewUser | Mark | TakeRoom | Step | list[Moved]"

_encode = json.Encoder().encode
_earlier = json.Decoder(list[_Keyed]).decode
_added = json.Decoder(dict[str, int]).decode
_changed = json.Decoder(list[_Changed]).decode

# The deadline is looked at while the log is locked.
WRITE_BATCH = b"""
    SELECT last_id, earlier, added, changed, extract(epoch FROM clock_timestamp()),
           CASE WHEN clock_timestamp() > to_timestamp($5) THEN too_late() END
    FROM write_batch($1, $2, $3, $4)
"""


APPEND_LIMITED = b"SELECT new_id, earlier FROM append_limited($1, $2, $3)"


def append_limited(draft: LimitedDraft) -> Step:
    """What appends a message that may be one too many; its result may be ``LimitReached``."""

    def made(row: Row) -> tuple[Message | Gone | LimitReached, list[Entry]]:
        new_id, earlier = row
        if earlier is not None:
            (first,) = _by_key(earlier).values()
            return first, []
        if new_id is None:
            return LimitReached(), []
        message = Message(int(new_id), draft.sender_id, None, draft.text, draft.sent_at)
        return message, [message]

    counted = (b"%d" % draft.counted_until, b"%d" % draft.remaining)
    return Step(Query(APPEND_LIMITED, (_encode(draft), *counted)), made)


class WriteBatch:
    """Some writes that are done together.

    :param writes: what to do; the first of those that say the same is done.
    :param kept_after: up to this id the log is no longer kept.
    :param deadline: when it is not done any more, by the clock of the database.
    """

    def __init__(self, writes: Sequence[Write], kept_after: int, deadline: float) -> None:
        self._writes = writes
        self._drafts: list[Draft] = []
        self._changes: list[ChangeDraft] = []
        self._new_users: dict[str, NewUser] = {}
        self._marks: list[Mark] = []
        self._steps: list[Step] = []
        self._queries: list[Query] = []
        moved: list[Moved] = []
        keys: set[tuple[int, str]] = set()
        for write in writes:
            if isinstance(write, Draft):
                if write.key is not None:
                    if (write.sender_id, write.key) in keys:
                        continue
                    keys.add((write.sender_id, write.key))
                self._drafts.append(write)
            elif isinstance(write, ChangeDraft):
                self._changes.append(write)
            elif isinstance(write, NewUser):
                self._new_users.setdefault(write.folded_name, write)
            elif isinstance(write, Mark):
                self._marks.append(write)
            elif isinstance(write, Step):
                self._steps.append(write)
            elif isinstance(write, TakeRoom):
                self._queries = [TAKE_ROOM]
            else:
                moved += write
        parameters = (
            _encode(self._drafts) if self._drafts else None,
            _encode(list(self._new_users.values())) if self._new_users else None,
            _encode(moved) if moved else None,
            _encode(self._changes) if self._changes else None,
            b"%.3f" % deadline,
        )
        # First what locks the log, and then what is done under the lock.
        self._queries.insert(0, Query(WRITE_BATCH, parameters))
        self._queries += [mark_read(self._marks, kept_after)] if self._marks else []
        self._queries += [step.query for step in self._steps]

    @property
    def queries(self) -> list[Query]:
        """What does it; the one that locks the log and returns a row comes first."""
        return self._queries

    def proves_room(self, new: Sequence[Entry]) -> bool:
        """Whether it has shown that messages can be written.

        :param new: what it has appended.
        """
        return TAKE_ROOM in self._queries or any(isinstance(entry, Message) for entry in new)

    @staticmethod
    def time_of(rows: Sequence[Row]) -> float:
        """The time of the database when it was done.

        :param rows: what the queries have returned.
        """
        now = rows[0][4]
        assert now is not None
        return float(now)

    def results(self, rows: Sequence[Row]) -> tuple[list[Any], list[Entry]]:
        """The result of each of the writes, and apart from these the entries that are new.

        :param rows: what the queries have returned.
        :returns: for a draft its message, for a draft of a change the id of the change and the
            message, or :class:`chatter.protocol.errors.Gone`; for a new user the user or
            :class:`chatter.protocol.errors.NameTaken`.
        """
        last_id, earlier, added, changed, *_ = rows[0]
        rows_of_steps = iter(rows[len(rows) - len(self._steps) :])
        assert last_id is not None
        newest = int(last_id)
        by_key = {} if earlier is None else _by_key(earlier)
        ids = {} if added is None else _added(added)
        each_changed = iter([] if changed is None else _changed(changed))
        results: list[Any] = []
        new: list[Entry] = []
        changes: list[Entry] = []
        steps: list[Entry] = []
        for write in self._writes:
            if isinstance(write, Draft):
                first = by_key.get((write.sender_id, write.key)) if write.key is not None else None
                if first is not None:
                    results.append(first)
                    continue
                newest += 1
                message = Message(
                    newest, write.sender_id, write.recipient_id, write.text, write.sent_at
                )
                if write.key is not None:
                    by_key[write.sender_id, write.key] = message
                results.append(message)
                new.append(message)
            elif isinstance(write, ChangeDraft):
                outcome = next(each_changed)
                if outcome.message is None:
                    results.append(Gone())
                    continue
                results.append((outcome.id, outcome.message))
                if outcome.id is not None:
                    changes.append(_change(outcome.id, write, outcome.message))
            elif isinstance(write, NewUser):
                results.append(self._user(write, ids.pop(write.folded_name, None)))
            elif isinstance(write, Step):
                result, appended = write.made(next(rows_of_steps))
                results.append(result)
                steps += appended
            else:
                results.append(None)
        return results, new + changes + steps

    def _user(self, wanted: NewUser, user_id: int | None) -> User | NameTaken:
        if user_id is None:
            return NameTaken("Somebody has that name.")
        return User(user_id, wanted.name, wanted.last_seen)


def _by_key(earlier: bytes) -> dict[tuple[int, str], Message | Gone]:
    """The message of each key that was used before, by its sender and key."""
    return {
        (found.sender_id, found.idempotency_key): Gone()
        if found.is_gone
        else Message(
            found.id,
            found.sender_id,
            found.recipient_id,
            found.text,
            found.sent_at,
            found.edited_at,
        )
        for found in _earlier(earlier)
    }


def _change(change_id: int, draft: ChangeDraft, message: Message) -> MessageChange:
    return MessageChange(
        change_id,
        message.sender_id,
        message.recipient_id,
        message.id,
        draft.text,
        draft.by_id,
        draft.at,
    )
