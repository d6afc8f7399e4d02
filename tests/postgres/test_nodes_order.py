"""Ids are in the order of the commits, whichever node gives them: no reader ever skips one.

A reader who has seen a message never looks below its id again.  So if a message with a
lower id became visible later, it would be lost to that reader.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import psycopg

from tests.e2e.people import LosslessReader, Sender, check_log
from tests.postgres.nodes import Stream, running_nodes, wait_until

WRITERS = 4
SENDERS_EACH = 6
SECONDS = 2
ENOUGH = 20
"""So many messages each sends, and so often the log is looked at."""


class LogReader(threading.Thread):
    """Reads the table itself, at full speed, from where it is."""

    def __init__(self, url, over):
        super().__init__(daemon=True)
        self._url = url
        self._over = over
        self.read: list[int] = []
        self.looks = 0

    def run(self):
        query = "SELECT id FROM messages WHERE id > %s ORDER BY id"
        with psycopg.connect(self._url, autocommit=True) as connection:
            is_over = False
            while not is_over:
                is_over = self._over.is_set()
                after = self.read[-1] if self.read else 0
                self.read += [row[0] for row in connection.execute(query, [after])]
                self.looks += 1


class EagerReader(LosslessReader):
    """Polls a node at full speed."""

    pause = 0


class SequenceWriter(threading.Thread):
    """Appends as one would without much thought: the id comes from a sequence."""

    def __init__(self, url, over):
        super().__init__(daemon=True)
        self._url = url
        self._over = over

    def run(self):
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.is_set():
                connection.execute("INSERT INTO messages (text) VALUES ('hello')")


def write_for_a_while(writers, log_readers, over):
    """Write for some seconds, and longer on a machine that does little in that time."""
    for writer in writers:
        writer.start()
    time.sleep(SECONDS)
    wait_until(lambda: all(len(writer.acknowledged) > ENOUGH for writer in writers))
    wait_until(lambda: all(reader.looks > ENOUGH for reader in log_readers))
    over.set()
    end(*writers)


def end(*threads):
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@contextmanager
def over_at_the_end(*events):
    """Have no thread go on after its test, however that ends."""
    try:
        yield
    finally:
        for event in events:
            event.set()


def ids_in(postgres, database):
    with postgres.connect(database) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM messages ORDER BY id")]


def test_no_reader_skips_a_message_of_four_writers(postgres, database, tmp_path):
    """Four nodes write; who reads at full speed, whether a node or the log, reads everything."""
    urls = [postgres.url(database)] * WRITERS
    over, read_out = threading.Event(), threading.Event()
    with over_at_the_end(over, read_out), running_nodes(tmp_path, *urls) as nodes:
        senders = [
            Sender([node], node.connect(), over) for node in nodes for _ in range(SENDERS_EACH)
        ]
        readers = [EagerReader([node], node.connect(), read_out) for node in nodes]
        streams = [Stream(node, node.connect()["token"]) for node in nodes]
        log_readers = [LogReader(postgres.socket_url(database), read_out) for _ in range(2)]
        for reader in (*readers, *log_readers):
            reader.start()
        write_for_a_while(senders, log_readers, over)
        ids = ids_in(postgres, database)
        wait_until(lambda: all(stream.ids[-1:] == ids[-1:] for stream in streams))
        wait_until(lambda: all(reader.read[-1:] == ids[-1:] for reader in readers))
        read_out.set()
        end(*readers, *log_readers)
        for stream in streams:
            stream.close()
        for person in (*senders, *readers):
            assert person.failure is None, person.failure
        assert check_log(nodes[0], senders) == ids
    assert ids == list(range(1, len(ids) + 1)), "there are gaps"
    assert all(stream.ids == ids for stream in streams)
    assert all(reader.read == ids for reader in readers)
    assert all(reader.read == ids for reader in log_readers)


def test_a_sequence_makes_the_same_reader_skip(postgres, database):
    """With ids from a sequence it reads past some: so it would have told."""
    url = postgres.socket_url(database)
    over, read_out = threading.Event(), threading.Event()
    with postgres.connect(database) as connection:
        connection.execute(
            "CREATE TABLE messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text)"
        )
    reader = LogReader(url, read_out)
    reader.start()

    def skipped():
        read = list(reader.read)
        there = ids_in(postgres, database)
        return {each for each in there if each <= max(read, default=0)} - set(read)

    writers = [SequenceWriter(url, over) for _ in range(WRITERS)]
    with over_at_the_end(over, read_out):
        for writer in writers:
            writer.start()
        wait_until(skipped)
        over.set()
        end(*writers)
        read_out.set()
        end(reader)
    assert reader.read == sorted(set(reader.read))
    assert skipped()
