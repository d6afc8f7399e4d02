"""``kill -9`` under load loses nothing that was acknowledged, and doubles nothing."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from contextlib import closing

from tests.e2e.crowd import TIMES_AS_LONG, Crowd, KeepingServer

ROUNDS = 20 * TIMES_AS_LONG


def test_twenty_crashes_under_load(tmp_path):
    """Everything acknowledged is there once and in order, and nobody misses anything.

    What was withdrawn or replaced is nowhere, not even in the files.
    """
    chance = random.Random(20)
    server = KeepingServer(tmp_path, "--history", "0")
    server.start()
    crowd = Crowd([server], senders=32, readers=2)
    with crowd:
        for _ in range(ROUNDS):
            time.sleep(chance.uniform(0.02, 0.3))
            server.kill()
            crowd.trim(chance)
            server.start()
        crowd.wait_until_enough_is_said()
    crowd.check()
    server.stop()
    assert "Traceback" not in server.log.read_text()
    # SQLite may leave a copy in unused space of a page when it moves rows (docs/operating.md).
    with closing(sqlite3.connect(tmp_path / "chatter.sqlite")) as file:
        file.execute("VACUUM")
    texts = {
        text.decode()
        for path in tmp_path.glob("chatter.sqlite*")
        for text in re.findall(rb"<[\w:-]+>", path.read_bytes())
    }
    assert crowd.gone
    assert texts
    assert not texts & crowd.gone
