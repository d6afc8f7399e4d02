"""What an operator wants of a database in PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from chatter.log.operated import IOperatedStore
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft
from chatter.testing.waiting import join
from tests.postgres.support import NOW, opened


async def test_a_database_is_measured_and_names_its_own_tools(postgres, database, tmp_path):
    """It says how large it is, counts its batches, and names the tool for a backup."""
    async with opened(postgres.url(database)) as (store,):
        operated: Any = IOperatedStore(store, None)
        counts = operated.count_writes()
        (alice,) = await join(store, "alice")
        await store.append(Draft(alice.id, None, "Hello!", NOW))
        assert await operated.size() > 100_000
        assert sum(counts.sizes.counts) == sum(counts.seconds.counts) >= 2
        assert operated.waiting() == 0
        assert await operated.end() == (1, NOW)
        await store.trim(1)
        assert await operated.end() == (1, None)
        with pytest.raises(StoreUnavailable) as raised:
            await operated.back_up(tmp_path / "backup")
        assert raised.value.detail == "Use pg_dump for a PostgreSQL database."
