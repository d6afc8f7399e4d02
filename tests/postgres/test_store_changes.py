"""Changes of messages in PostgreSQL: every node is told, and nodes of the old version go on."""

from __future__ import annotations

import json

from chatter.log.entries import ChangeDraft, MessageChange
from chatter.log.recent import RecentLog
from chatter.protocol.errors import Gone
from chatter.protocol.model import Draft, Message
from chatter.stores.postgres import tail
from chatter.stores.postgres.database import Database, schema_scripts
from chatter.testing.waiting import all_of, join, must_raise, outcomes_of
from tests.postgres.support import NOW, eventually, opened


async def test_a_change_is_told_at_every_node(url, monkeypatch):
    """So that no node keeps a text that was withdrawn at another one; without waiting to look."""
    monkeypatch.setattr(tail, "LOOK_INTERVAL", 3600)
    async with opened(url, url) as (here, there):
        alice, bob = await join(here, "alice", "bob")
        recent = RecentLog(0)
        there.listener = recent.extend
        sent = [await here.append(Draft(alice.id, bob.id, f"secret {n}", NOW)) for n in range(3)]
        await eventually(lambda: recent.last_id == sent[-1].id)
        await here.change(ChangeDraft(sent[0].id, "new", alice.id, NOW))
        last_id, _ = await here.change(ChangeDraft(sent[1].id, None, bob.id, NOW))
        await eventually(lambda: recent.last_id == last_id)
        assert recent.feed(bob.id, 0, 10) == await here.read_feed(bob.id, 0, 10)
        kept = [entry.text for entry in recent.feed(alice.id, 0, 10)]
        assert kept == ["new", "secret 2", "new", None]


async def test_a_change_that_is_repeated_at_another_node(url, monkeypatch):
    """Once that one has acknowledged it, it has told of it: there is nothing old to be read."""
    monkeypatch.setattr(tail.Tail, "hint", lambda *_: None)
    monkeypatch.setattr(tail, "LOOK_INTERVAL", 3600)
    async with opened(url, url) as (here, there):
        (alice,) = await join(here, "alice")
        message = await here.append(Draft(alice.id, None, "a", NOW))
        draft = ChangeDraft(message.id, "b", alice.id, NOW)
        change_id, _ = await here.change(draft)
        assert there.told == []
        assert await there.change(draft) == (None, (await here.read_message(message.id)))
        assert there.told[-1].id == change_id


async def test_nodes_change_one_message_at_once(url):
    """Each change is one, in one order; after a withdrawal it is gone for all."""
    async with opened(url, url) as nodes:
        (alice,) = await join(nodes[0], "alice")
        message = await nodes[0].append(Draft(alice.id, None, "a", NOW, "key"))
        texts = [f"{n}" for n in range(10)]
        await outcomes_of(
            node.change(ChangeDraft(message.id, text, alice.id, NOW))
            for text in texts
            for node in nodes
        )
        now, change = await nodes[1].read_feed(alice.id, 0, 10)
        assert now.text == change.text
        outcomes = await outcomes_of(
            node.change(ChangeDraft(message.id, None, alice.id, NOW)) for node in nodes
        )
        assert sorted(isinstance(outcome, Gone) for outcome in outcomes) == [False, True]
        await must_raise(Gone, nodes[1].append(Draft(alice.id, None, "b", NOW, "key")))
        await all_of(node.append(Draft(alice.id, None, "c", NOW)) for node in nodes)
        log = await nodes[0].read_feed(alice.id, 0, 10)
        for node in nodes:
            await eventually(lambda node=node: node.told[-1] == log[-1])
            ids = [entry.id for entry in node.told]
            assert ids == sorted(set(ids))
            assert set(log) <= set(node.told)


async def test_an_old_node_goes_on_after_the_upgrade(url, postgres, database):
    """What it has prepared reads and writes messages, and finds no change among them."""
    scripts = schema_scripts()
    older = next(n for n, script in enumerate(scripts) if "RENAME TO log" in script)
    Database(url).prepare(scripts[:older])
    draft = {"sender_id": 1, "recipient_id": 2, "text": "a", "sent_at": NOW.isoformat()}

    with postgres.connect(database) as old:
        old.execute("PREPARE read AS SELECT id, text FROM messages WHERE id > $1 ORDER BY id")

        def send(key):
            drafts = json.dumps([{**draft, "key": key}])
            return old.execute("SELECT * FROM write_batch(%s, NULL, NULL)", (drafts,)).fetchone()

        send("one")
        assert old.execute("EXECUTE read (0)").fetchall() == [(1, "a")]
        async with opened(url) as (new,):
            send("two")
            await eventually(lambda: len(new.told) == 1)
            await new.change(ChangeDraft(1, None, 1, NOW))
            await new.change(ChangeDraft(2, "b", 1, NOW))
            assert old.execute("EXECUTE read (0)").fetchall() == [(2, "b")]
            last_id, earlier, _ = send("one")
            assert (last_id, [found["id"] for found in earlier]) == (4, [1])
            send("three")
            await eventually(lambda: new.told[-1].id == 5)
            assert [type(entry) for entry in new.told] == [
                Message,
                MessageChange,
                MessageChange,
                Message,
            ]
            _, private = await new.chats(1, 0, None, 10)
            assert private.last.id == 5
