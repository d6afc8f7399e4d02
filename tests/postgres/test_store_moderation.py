"""The standing of users in PostgreSQL: every node hears of it, and it waits for the disk."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from twisted.internet import reactor

from chatter.chat.chat import Chat, core_of
from chatter.log.entries import StandingDraft
from chatter.protocol.errors import Banned
from chatter.protocol.model import Standing
from chatter.protocol.scalars import OPERATOR_ID
from chatter.stores.postgres import moderation, tail
from chatter.stores.postgres.database import Database, schema_scripts
from chatter.stores.registry import make_store
from chatter.testing.waiting import begun, join, must_raise
from tests.postgres.support import NOW, eventually, opened

LATER = NOW + timedelta(hours=1)


def ban(user_id, by_id=OPERATOR_ID):
    return StandingDraft(user_id, "ban", "member", LATER, by_id, NOW)


async def test_a_standing_is_heard_of_at_every_node(url, monkeypatch):
    """Without waiting to look."""
    monkeypatch.setattr(tail, "LOOK_INTERVAL", 3600)
    async with opened(url, url) as (here, there):
        alice, bob = await join(here, "alice", "bob")
        entry = await here.moderation.set_standing(ban(bob.id, alice.id))
        assert here.told == [entry]
        await eventually(lambda: there.told == [entry])
        assert await there.moderation.standings() == [Standing(bob.id, "member", None, LATER)]


async def test_a_ban_is_in_force_at_every_node(url):
    """What the user has open at another one ends at once, and nothing more is served there."""
    chats = [Chat(make_store(url, reactor), reactor) for _ in range(2)]
    for chat in chats:
        await chat.startService()
    try:
        here, there = chats
        bob = await here.join("bob")
        following = begun(anext(there.follow(await there.user(bob.id))))
        await here.moderation.moderate(None, bob.id, "ban", 60)
        await must_raise(Banned, following)
        await must_raise(Banned, there.send(bob, "a"))
        await here.moderation.moderate(None, bob.id, "unban")
        await eventually(lambda: not core_of(there).standings.banned)
        await there.send(bob, "a")
        await here.moderation.ban_address("10.0.0.0/8")
        addresses = core_of(there).standings.addresses
        await eventually(lambda: addresses.until)
        with pytest.raises(Banned):
            addresses.check("10.1.2.3")
        await here.moderation.unban_address("10.0.0.0/8")
        await eventually(lambda: not addresses.until)
    finally:
        for chat in chats:
            await chat.stopService()


def test_a_standing_waits_for_the_disk(url, postgres, database):
    """Also in a batch that needs not, since it only moves cursors."""
    Database(url).prepare()
    draft = {"user_id": 1, "what": "ban", "by_id": 0, "at": NOW.isoformat()}
    with postgres.connect(database) as connection, connection.transaction():
        connection.execute(
            "INSERT INTO users (name, folded_name, cursor, last_seen) VALUES ('a', 'a', 0, now())"
        )
        connection.execute("SELECT write_batch(NULL, NULL, NULL, NULL)")
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("off",)
        statement = moderation.SET_STANDING.replace(b"$1", b"%s")
        (entry,) = connection.execute(statement, (json.dumps(draft),)).fetchone()
        assert entry["recipient_id"] == 1
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_servers_of_earlier_versions_pass_over_it(url, postgres, database):
    """They see no message where it stands, and write on after it."""
    scripts = schema_scripts()
    older = next(n for n, script in enumerate(scripts) if "users_with_standing" in script)
    Database(url).prepare(scripts[:older])
    with postgres.connect(database) as connection:
        new = [{"name": "a", "folded_name": "a", "cursor": 0, "last_seen": NOW.isoformat()}]
        write = "SELECT last_id FROM write_batch(%s, %s, NULL)"
        connection.execute(write, (None, json.dumps(new)))
        Database(url).prepare()
        with connection.transaction():
            connection.execute("SELECT write_batch(NULL, NULL, NULL)")
            draft = {"user_id": 1, "what": "ban", "by_id": 0, "at": NOW.isoformat()}
            connection.execute("SELECT set_standing(%s)", (json.dumps(draft),))
        drafts = [{"sender_id": 1, "text": "a", "sent_at": NOW.isoformat()}]
        assert connection.execute(write, (json.dumps(drafts), None)).fetchone() == (1,)
        assert connection.execute("SELECT id FROM messages").fetchall() == [(2,)]
