"""A chat with some of everything, and all that a store says of it."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from random import Random
from typing import Any

from msgspec import UNSET
from twisted.internet import reactor

from chatter.chat import Chat
from chatter.log.entries import ChangeDraft
from chatter.protocol.errors import Gone
from chatter.protocol.model import Draft
from chatter.stores.registry import make_store
from chatter.testing.waiting import NOW

NAMES = ["alice", "Bob", "ÇAĞRI", "d\u00e9j\u00e0", "Two  blanks"]
TEXTS = ["Hello", "\x01 \u2028 \U0001f600", "x" * 4096, " 'quoted' \\N \t\n"]


@asynccontextmanager
async def opened(location):
    store: Any = make_store(location, reactor)
    await store.startService()
    try:
        yield store
    finally:
        await store.stopService()


async def revoke_a_new_token(location):
    """Give the first user a token, and take all; the id that it had."""
    async with opened(location) as store:
        token = await store.tokens.add(1, b"%32d" % 1, "", NOW)
        assert await store.tokens.revoke(1, None)
    return token.id


async def add_a_new_user(location, name):
    """Add a user; the id."""
    async with opened(location) as store:
        return (await store.add_user(name, None, 0, NOW)).id


async def populate(location, seed, sessions=3, steps=40):
    """Make the chat, in several sessions of a server, each of which is an epoch.

    Returns the keys that were used, by their sender.
    """
    random = Random(seed)
    keys: list[tuple[int, str]] = []
    for session in range(sessions):
        async with opened(location) as store:
            for number, name in enumerate(NAMES[session::sessions]):
                token = None if number == 1 else f"{name}{'*' * 32}".encode()[:32]
                await store.add_user(name, token, await store.last_id(), NOW)
            for step in range(steps):
                await _do_something(store, random, session * steps + step, keys)
            if session == sessions - 1:
                await _withdraw_the_newest(store, keys)
    return keys


async def _do_something(store, random, step, keys):
    ids = [user.id for user in await store.users(0, 99)]
    at = NOW + timedelta(microseconds=step * 1_000_001)
    what = random.choice(["general", "private", "private", "edit", "withdraw", "mark", "move"])
    user_id, other_id = random.choice(ids), random.choice(ids)
    if what in ("general", "private"):
        key = random.choice([None, f"key {step}"])
        to = other_id if what == "private" else None
        await store.append(Draft(user_id, to, f"{random.choice(TEXTS)[:4090]} {step}", at, key))
        if key is not None:
            keys.append((user_id, key))
    elif what in ("edit", "withdraw"):
        text = f"edited {step}" if what == "edit" else None
        message_id = random.randrange(1, await store.last_id() + 2)
        with suppress(Gone):
            await store.change(ChangeDraft(message_id, text, random.choice(ids), at))
    elif what == "mark":
        last_id = await store.last_id()
        await store.mark_read(user_id, random.choice([None, other_id]), last_id)
    else:
        store.save_progress(user_id, random.randrange(await store.last_id() + 1), at)


async def _withdraw_the_newest(store, keys):
    """Have the log end with a change of a message that is gone."""
    sent = await store.append(Draft(1, 2, "gone", NOW, "the last"))
    keys.append((1, "the last"))
    await store.change(ChangeDraft(sent.id, None, 2, NOW))


async def all_of(location, keys):
    """All that a store says, as a value."""
    async with opened(location) as store:
        users = await store.users(0, 99)
        tokens = [f"{name}{'*' * 32}".encode()[:32] for name in NAMES]
        found = {
            "last_id": await store.last_id(),
            "kept_after": store.kept_after,
            "users": users,
            "by name": [await store.user_by_name(user.name.upper()) for user in users],
            "by token": [await store.tokens.find(token) for token in tokens],
            "tokens": [await store.tokens.of_user(user.id) for user in users],
            "cursors": [await store.cursor(user.id) for user in users],
            "general": await store.read_general(None, 999),
            "keys": [await _first_of(store, *key) for key in keys],
        }
        for user in users:
            found[f"feed {user.id}"] = await store.read_feed(user.id, 0, 999)
            found[f"chats {user.id}"] = await store.chats(user.id, 0, None, 99)
            for other in users:
                private = await store.read_private(user.id, other.id, None, 999)
                found[f"private {user.id} {other.id}"] = private
        return found


async def _first_of(store, sender_id, key):
    try:
        return await store.append(Draft(sender_id, None, "again", NOW, key))
    except Gone as error:
        return type(error)


async def read_on(old, new, copying):
    """Have readers stop anywhere in the old chat, and go on in its copy.

    Returns, for each, the ids of the messages and changes that it has got, and those that
    somebody gets who reads the copy from the start.
    """
    async with chatting(old) as (store, chat):
        users = await store.users(0, 99)
        last_id = await store.last_id()
        pages = [
            (user, await chat.peek(user, limit, 0, 0, "", changes=True))
            for user in users
            for limit in (1, 3, 10, 100)
        ]
    await copying()
    async with chatting(new) as (store, chat):
        added = await store.add_user("newcomer", None, 0, NOW)
        assert added.id == max(user.id for user in users) + 1
        sent = [await store.append(Draft(added.id, None, "new", NOW)) for _ in range(3)]
        assert [message.id for message in sent] == [last_id + n for n in (1, 2, 3)]
        outcomes = []
        for user, page in pages:
            rest = await chat.peek(user, 1000, page.cursor, 0, page.epoch, changes=True)
            whole = await chat.peek(user, 1000, 0, 0, "", changes=True)
            assert rest.cursor == whole.cursor == last_id + 3
            outcomes.append((_ids(page) + _ids(rest), _ids(whole)))
        return outcomes


@asynccontextmanager
async def chatting(location):
    store: Any = make_store(location, reactor)
    chat = Chat(store, reactor)
    await chat.startService()
    try:
        yield store, chat
    finally:
        await chat.stopService()


def _ids(page):
    changes = [] if page.changes is UNSET else page.changes
    return sorted([message.id for message in page.messages] + [change.id for change in changes])
