"""What is different for stores in a test."""

from __future__ import annotations

import pytest

from chatter.stores.postgres import reconnecting


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch):
    """A store reaches for a database that is away more often than in earnest."""
    monkeypatch.setattr(reconnecting, "RETRY", 0.1)


@pytest.fixture
def url(postgres, database):
    """Where a store finds a database of its own."""
    return postgres.url(database)
