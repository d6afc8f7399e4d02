"""Copying a whole chat from one database to another, of the same kind or of another one.

**All or nothing: the target has all of it after one commit, and nothing before.**  What was
written is read again before the commit, and has to be what was read from the source.

Rows travel as tuples in which every time is a number of microseconds since 1970, whichever
way a database has it.  The copy has the epochs of the source, and begins its own when it is
first opened, where the source ended.  So a reader goes on in it with the position that it
had in the source, see :mod:`chatter.log.lineage`.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from msgspec import msgpack

from chatter.protocol.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Row: TypeAlias = "tuple[int | str | bytes | None, ...]"

TABLES = (
    *("users", "tokens", "invitations", "taken_names", "log", "chats", "epochs"),
    *("reports", "address_bans"),
)
"""What is copied row by row.  ``log_end`` is the last id, and what is no longer kept."""

BATCH = 1000
"""So many rows are in memory at a time."""

_DIGEST_SIZE = 16


class Side(Protocol):
    """A database of which a copy is made, or the one that becomes the copy.

    It is open, has the newest schema, and is in one transaction until it is committed or
    closed.  Nobody else reads or writes it.  Each method raises ``StoreUnavailable`` if the
    database fails.
    """

    def columns(self, table: str) -> list[str]:
        """The columns of a table, by name."""

    def last_id(self) -> int:
        """The id of the newest entry, also if it is not there any more; 0 before the first."""

    def kept_after(self) -> int:
        """Up to which id entries are no longer kept; some of them may still be there."""

    def last_user_id(self) -> int:
        """The largest id that a user has had, also if the user is not there any more."""

    def last_token_id(self) -> int:
        """The largest id that a token has had, also if it is not there any more; 0 for none."""

    def count(self, table: str) -> int:
        """How many rows a table has."""

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Row]:
        """All rows of a table, in any order."""

    def fill(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Give a table these rows, and no others.  Nothing else follows from a row."""

    def end_at(self, last_id: int, kept_after: int, last_user_id: int, last_token_id: int) -> None:
        """Have the next entry come after an id.

        :param kept_after: up to this id entries are no longer kept.
        :param last_user_id: the next user comes after it.
        :param last_token_id: the next token comes after it.
        """

    def commit(self) -> None:
        """Make it durable."""

    def close(self) -> None:
        """Let the database go; forget what was not committed."""


class Content(NamedTuple):
    """What a database has.

    :ivar rows: the number of rows of each table.
    :ivar checksum: the same for the same rows, in whichever order and database they are.
    """

    rows: dict[str, int]
    last_id: int
    kept_after: int
    checksum: str


class Copied(NamedTuple):
    """What the source has, and what was found in the target; they are equal."""

    source: Content
    target: Content


def copy(source: Side, target: Side, progress: Callable[[int, int], None]) -> Copied:
    """Copy everything, and commit.

    :param progress: called now and then with how many rows have passed by, and how many there
        are: each is copied, and then compared.
    :raises StoreUnavailable: if the source has nothing, the target has something, a database
        fails, or the two differ after it.  Nothing is committed then.
    """
    if is_empty(source):
        raise StoreUnavailable(f"{source} is empty: there is nothing to copy.")
    if not is_empty(target):
        raise StoreUnavailable(f"{target} is not empty: a copy needs a new or an empty database.")
    total = 2 * sum(map(source.count, TABLES))
    tally = _Tally(lambda passed: progress(passed, total))
    for table in TABLES:
        columns = source.columns(table)
        if columns != target.columns(table):
            raise StoreUnavailable(f"The tables {table} of {source} and {target} differ.")
        target.fill(table, columns, tally.counted(table, source.rows(table, columns)))
    target.end_at(
        source.last_id(), source.kept_after(), source.last_user_id(), source.last_token_id()
    )
    read = tally.content(source)
    written = content(target, lambda passed: progress(total // 2 + passed, total))
    if read != written:
        raise StoreUnavailable(f"{target} has not become what {source} is. Nothing was copied.")
    target.commit()
    return Copied(read, written)


def is_empty(side: Side) -> bool:
    """Whether a database has had no users and no entries."""
    return side.last_id() == 0 and not any(True for _ in side.rows("users", ["id"]))


def content(side: Side, progress: Callable[[int], None]) -> Content:
    """What a database has.

    :param progress: called now and then with how many rows have passed by.
    """
    tally = _Tally(progress)
    for table in TABLES:
        for _ in tally.counted(table, side.rows(table, side.columns(table))):
            pass
    return tally.content(side)


class _Tally:
    """The number and the checksum of rows that pass by.

    The checksum is the sum of those of the rows, so their order does not matter.
    """

    def __init__(self, progress: Callable[[int], None]) -> None:
        self._progress = progress
        self._passed = 0
        self._rows = dict.fromkeys(TABLES, 0)
        self._sum = 0

    def counted(self, table: str, rows: Iterable[Row]) -> Iterator[Row]:
        encode = msgpack.Encoder().encode
        count = 0
        for row in rows:
            digest = blake2b(encode((table, row)), digest_size=_DIGEST_SIZE).digest()
            self._sum += int.from_bytes(digest, "big")
            count += 1
            if count % BATCH == 0:
                self._progress(self._passed + count)
            yield row
        self._rows[table] = count
        self._passed += count
        self._progress(self._passed)

    def content(self, side: Side) -> Content:
        checksum = f"{self._sum % 256**_DIGEST_SIZE:0{2 * _DIGEST_SIZE}x}"
        return Content(dict(self._rows), side.last_id(), side.kept_after(), checksum)
