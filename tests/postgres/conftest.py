"""What each test makes of the PostgreSQL server that the tests of a session share."""

from __future__ import annotations

import pytest


@pytest.fixture
def database(postgres):
    """The name of an empty database of the test's own."""
    postgres.start()
    return postgres.new_database()
