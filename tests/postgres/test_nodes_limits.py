"""An exact limit holds over all nodes, however their sends meet."""

from __future__ import annotations

from twisted.internet import reactor

from chatter.chat.chat import Chat, core_of
from chatter.chat.limits.limited_sending import LimitedSending
from chatter.chat.limits.rate_limits import parse_limits
from chatter.log.entries import ChangeDraft
from chatter.log.limited_drafts import LimitedDraft, LimitReached
from chatter.protocol.errors import Gone, TooManyRequests
from chatter.protocol.model import Draft, Message
from chatter.stores.registry import make_store
from chatter.testing.waiting import join, must_raise, outcomes_of
from tests.postgres.support import NOW, eventually, opened


async def test_no_node_takes_one_too_many(url):
    """Whether they send at once, or one after the other before the other has heard of it."""
    chats = [Chat(make_store(url, reactor), reactor) for _ in range(2)]
    try:
        for chat in chats:
            await chat.startService()
        alice = await chats[0].join("alice")
        limits = parse_limits(["none", "general=20/3600"])
        sendings = [LimitedSending(core_of(chat), limits) for chat in chats]
        sends = [sendings[n % 2].send(alice, "a", None) for n in range(30)]
        outcomes = await outcomes_of(sends)
        assert [type(outcome) for outcome in outcomes].count(Message) == 20
        assert [type(outcome) for outcome in outcomes].count(TooManyRequests) == 10
        for sending in sendings:
            await must_raise(TooManyRequests, sending.send(alice, "a", "key"))
    finally:
        for chat in chats:
            await chat.stopService()


async def test_a_draft_beyond_its_limit_is_refused(url):
    """What others have appended after the counted entries counts, once, and nothing else."""
    async with opened(url, url) as (here, there):
        alice, bob = await join(here, "alice", "bob")

        def limited(counted_until, remaining, key=None):
            draft = LimitedDraft(
                alice.id, None, "a", NOW, key, counted_until=counted_until, remaining=remaining
            )
            return there.append(draft)

        await here.append(Draft(bob.id, None, "b", NOW))
        await here.append(Draft(alice.id, bob.id, "b", NOW))
        first = await limited(0, 1, "key")
        assert first == Message(3, alice.id, None, "a", NOW)
        await must_raise(LimitReached, limited(0, 1))
        assert await limited(0, 1, "key") == first, "a retry is no further message"
        assert (await limited(0, 2)).id == 4
        await must_raise(LimitReached, limited(0, 2))
        assert (await limited(4, 1)).id == 5
        await here.change(ChangeDraft(first.id, None, alice.id, NOW))
        await must_raise(Gone, limited(0, 9, "key"))
        await must_raise(LimitReached, limited(3, 3))
        log = await here.read_feed(bob.id, 0, 10)
        for node in (here, there):
            await eventually(lambda node=node: len(node.told) == 6)
        assert [entry.id for entry in log] == [1, 2, 4, 5, 6]


async def test_who_was_refused_has_heard_of_the_others(url):
    """So that a node that counts anew refuses by itself."""
    async with opened(url, url) as (here, there):
        (alice,) = await join(here, "alice")
        there._connected.writer._session._notified = lambda *_: None
        sent = await here.append(Draft(alice.id, None, "a", NOW))
        draft = LimitedDraft(alice.id, None, "b", NOW, counted_until=0, remaining=1)
        await must_raise(LimitReached, there.append(draft))
        assert there.told == [sent]
