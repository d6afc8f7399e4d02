"""The PostgreSQL server that the tests of a session share, and what each makes of it."""

from __future__ import annotations

import pytest

from tests.postgres.server import PostgresServer


@pytest.fixture(scope="session")
def postgres():
    """A real server; a test that stops it starts it again."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database(postgres):
    """The name of an empty database of the test's own."""
    postgres.start()
    return postgres.new_database()
