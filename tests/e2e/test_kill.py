"""``kill -9`` under load loses nothing that was acknowledged, and doubles nothing."""

from __future__ import annotations

import random
import threading
import time

from tests.e2e.people import LosslessReader, PlainReader, Sender, check_log, check_person
from tests.e2e.server import Server

SENDERS = 32
READERS = 4
ROUNDS = 20


def test_twenty_crashes_under_load(tmp_path):
    """Everything acknowledged is there once and in order, and nobody misses anything."""
    chance = random.Random(20)
    over = threading.Event()
    server = Server(tmp_path, "--history", "0")
    server.start()
    kinds = [Sender] * SENDERS + [LosslessReader] * READERS + [PlainReader] * READERS
    people = [kind([server], server.connect(), over) for kind in kinds]
    for person in people:
        person.start()
    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0.02, 0.3))
        server.kill()
        server.start()
    time.sleep(0.3)
    over.set()
    for person in people:
        person.join(60)
        assert person.failure is None, person.failure

    ids = check_log(server, [person for person in people if isinstance(person, Sender)])
    for person in people:
        check_person(server, person, ids)
        person.hang_up()
    server.stop()
    assert "Traceback" not in server.log.read_text()
