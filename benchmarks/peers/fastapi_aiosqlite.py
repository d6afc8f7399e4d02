"""FastAPI on uvicorn, each message committed by ``aiosqlite`` before it is answered.

``uvicorn fastapi_aiosqlite:app``, in the directory of the database.  A statement and its
commit must stay together on the one connection, hence the lock.
"""

from __future__ import annotations

from asyncio import Lock
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import aiosqlite
from fastapi import FastAPI
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def database(app: FastAPI) -> AsyncIterator[None]:
    async with aiosqlite.connect("messages.sqlite") as connection:
        await connection.execute("PRAGMA journal_mode = WAL")
        await connection.execute("PRAGMA synchronous = FULL")
        await connection.execute(
            "CREATE TABLE messages"
            " (id INTEGER PRIMARY KEY, sender_id INTEGER, text TEXT, sent_at TEXT)"
        )
        app.state.connection = connection
        app.state.lock = Lock()
        yield


app = FastAPI(lifespan=database)


class Draft(BaseModel):
    text: str


@app.post("/send")
async def send(draft: Draft) -> dict[str, Any]:
    sent_at = datetime.now(timezone.utc)
    connection = app.state.connection
    async with app.state.lock:
        cursor = await connection.execute(
            "INSERT INTO messages (sender_id, text, sent_at) VALUES (?, ?, ?)",
            (42, draft.text, sent_at.isoformat()),
        )
        await connection.commit()
    return {
        "id": cursor.lastrowid,
        "sender_id": 42,
        "recipient_id": None,
        "text": draft.text,
        "sent_at": sent_at,
    }
