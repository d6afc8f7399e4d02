"""Times, as the tables of a SQLite file hold them: microseconds since 1970."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """A time as the tables hold it."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """A time that the tables hold."""
    return _EPOCH + timedelta(microseconds=value)
