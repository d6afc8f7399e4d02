"""FastAPI on uvicorn, each message committed by ``sqlite3`` before it is answered.

``uvicorn fastapi_sqlite3:app``, in the directory of the database.  The endpoint is a plain
function, so FastAPI runs it in its pool of threads; the connection is shared under a lock,
which was faster than a connection for each thread or each request.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timezone
from threading import Lock
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
lock = Lock()
database = sqlite3.connect("messages.sqlite", check_same_thread=False)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = FULL")
database.execute(
    "CREATE TABLE messages (id INTEGER PRIMARY KEY, sender_id INTEGER, text TEXT, sent_at TEXT)"
)


class Draft(BaseModel):
    text: str


@app.post("/send")
def send(draft: Draft) -> dict[str, Any]:
    sent_at = datetime.now(timezone.utc)
    with lock, database:
        message_id = database.execute(
            "INSERT INTO messages (sender_id, text, sent_at) VALUES (?, ?, ?)",
            (42, draft.text, sent_at.isoformat()),
        ).lastrowid
    return {
        "id": message_id,
        "sender_id": 42,
        "recipient_id": None,
        "text": draft.text,
        "sent_at": sent_at,
    }
