"""The proxy does to a connection what it says, or the tests of outages prove nothing."""

from __future__ import annotations

import gc
import select
import socket
from contextlib import suppress

import psycopg
import pytest

from tests.postgres.proxy import Proxy


@pytest.fixture
def proxy(postgres):
    postgres.start()
    with Proxy(postgres.port) as proxy:
        yield proxy


@pytest.fixture
def url(postgres, proxy):
    return postgres.url(port=proxy.port)


def fetch(connection, query="SELECT 1"):
    return connection.execute(query).fetchone()[0]


def has_result(connection, seconds):
    """Whether the result of a query comes in so many seconds."""
    readable, _, _ = select.select([connection], [], [], seconds)
    connection.pgconn.consume_input()
    return bool(readable) and not connection.pgconn.is_busy()


def test_it_passes_everything_on(url, proxy):
    """A connection through it works as one without it, and its end comes through, too."""
    with psycopg.connect(url) as connection:
        assert fetch(connection) == 1
        assert len(fetch(connection, "SELECT repeat('x', 1000000)")) == 1000000
        assert proxy.connections == 1


def test_a_cut_ends_connections_but_lets_new_ones_in(url, proxy):
    """Who is connected loses the connection, and may come back at once."""
    with psycopg.connect(url) as connection:
        proxy.cut()
        with pytest.raises(psycopg.OperationalError):
            fetch(connection)
    with psycopg.connect(url) as connection:
        assert fetch(connection) == 1


def test_a_rejection_ends_connections_and_lets_nobody_in(url, proxy):
    """Nobody gets through until it resumes, on the same port."""
    with psycopg.connect(url) as connection:
        proxy.refuse()
        with pytest.raises(psycopg.OperationalError):
            fetch(connection)
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url)
    proxy.resume()
    with psycopg.connect(url) as connection:
        assert fetch(connection) == 1


def test_a_hold_lets_nothing_through_until_it_resumes(url, proxy):
    """A query that was held has its result once it resumes; a new connection just hangs."""
    with psycopg.connect(url, autocommit=True) as connection:
        proxy.hold()
        connection.pgconn.send_query(b"SELECT 1")
        with pytest.raises(psycopg.errors.ConnectionTimeout):
            psycopg.connect(url, connect_timeout=2)
        assert not has_result(connection, 0.1)
        proxy.resume()
        assert has_result(connection, 10)
        while connection.pgconn.get_result() is not None:
            pass


def test_its_end_closes_what_was_just_accepted(proxy):
    """Whenever it ends; a socket that is left open warns, and that fails a test."""
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
            proxy.refuse()
            with suppress(ConnectionResetError):
                assert client.recv(1) == b""
        proxy.resume()
    gc.collect()
