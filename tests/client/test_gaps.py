"""A client that was away for longer than messages are kept hears of it, and goes on."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from chatter.chat.chat import core_of
from chatter.client import UnexpectedResponse
from chatter.client.subscription import MESSAGES, Subscription
from chatter.protocol.model import Gap
from tests.client.real_server import client_of, event, next_of, result, server
from tests.client.support import Rig, Scripted, must_not_be_taken, until
from tests.client.test_epochs import MESSAGE, Heard, send_as, texts_of


async def trim(chat, until):
    await core_of(chat).store.trim(until)


async def test_a_follower_goes_on_after_a_gap(tmp_path):
    """It hears of the gap once, also if it has to connect again before there is a message."""
    heard = Heard()
    async with server(tmp_path / "chat") as (chat, port):
        client = client_of(port, watcher=heard)
        await client.connect("bob")
        await send_as(chat, "alice", "one", "two", "three")
        followed = client.follow()
        assert (await anext(followed)).text == "one"
        await followed.aclose()
        await trim(chat, 3)
    followed = client.follow_entries()
    coming = next_of(followed)
    async with server(tmp_path / "chat", port) as (chat, _):
        await until(lambda: heard.gaps)
    async with server(tmp_path / "chat", port) as (chat, _):
        (new,) = await send_as(chat, "carol", "new")
        assert await coming == new
        assert heard.gaps == [(0, 3)]
        assert heard.moves == []
        await followed.aclose()
        await client.close()


async def test_a_poll_goes_on_after_a_gap(tmp_path):
    """So does what reads all that is unread; at the end nothing is unread."""
    heard = Heard()
    async with server(tmp_path / "chat") as (chat, port), client_of(port, watcher=heard) as client:
        await client.connect("bob")
        await send_as(chat, "alice", "one", "two", "three")
        assert (await client.poll(limit=1)).cursor == 1
        await trim(chat, 2)
        page = await client.poll()
        assert page.gap == Gap(1, 2)
        assert ([m.text for m in page.messages], client.cursor) == (["three"], 3)
        await trim(chat, 3)
        await send_as(chat, "carol", "four", "five")
        await trim(chat, 4)
        assert await texts_of(client) == ["five"]
        await send_as(chat, "dave", "six")
        await trim(chat, 6)
        assert await texts_of(client) == []
        assert client.cursor == 6
        assert (await client.poll()).messages == []
        assert heard.gaps == [(1, 2), (3, 4), (5, 6)]


async def test_a_restored_log_that_is_cut_off(tmp_path):
    """Where the logs part may be no longer kept."""
    heard = Heard()
    async with server(tmp_path / "other") as (chat, port):
        await send_as(chat, "eve", "1", "2", "3", "4", "5")
        client = client_of(port, watcher=heard)
        await client.connect("bob")
        assert await texts_of(client) == ["1", "2", "3", "4", "5"]
    async with server(tmp_path / "chat", port) as (chat, _):
        await send_as(chat, "alice", "one", "two", "three")
        user = await chat.join("bob")
        await trim(chat, 2)
        page = await chat.poll(user, after=client.cursor, epoch=client.epoch)
        assert (page.moved_from, page.gap, page.messages[0].text) == (5, Gap(0, 2), "three")
    await client.close()


def page(messages, cursor, gap, more=""):
    body = f'{{"messages":[{messages}],"cursor":{cursor},"more":false,"gap":{gap}{more}}}'
    return 200, {"Content-Type": "application/json"}, body.encode()


@pytest.mark.parametrize(
    "wrong",
    [
        page("", 9, '{"after":4,"until":9}'),
        page("", 9, '{"after":6,"until":9}'),
        page("", 5, '{"after":5,"until":5}'),
        page("", 7, '{"after":5,"until":8}'),
        page(MESSAGE.replace('"id":3', '"id":8'), 8, '{"after":5,"until":8}'),
        page("", 9, '{"after":5}'),
        page("", 9, '{"after":0,"until":9}', ',"moved_from":5,"epoch":"a"'),
    ],
)
def test_a_gap_that_makes_no_sense(wrong):
    """It begins where the client has read up to, and ends before the messages."""
    must_not_be_taken(wrong)


def test_a_restored_log_with_a_gap_is_read_on_after_it():
    """The position goes back to where the logs part, and on over the gap."""
    heard = Heard()
    after_it = MESSAGE.replace('"id":3', '"id":4')
    rig = Rig(Scripted(page(after_it, 4, '{"after":1,"until":3}', ',"moved_from":5,"epoch":"b"')))
    client = rig.client(token="t", watcher=heard)
    client.cursor, client.epoch = 5, "a"
    assert rig.result(client.poll()).messages[0].id == 4
    assert (heard.moves, heard.gaps) == ([(5, 1)], [(1, 3)])
    assert (client.cursor, client.epoch) == (4, "b")


def gap_event(after, until):
    return b'id: %d\nevent: gap\ndata:{"after":%d,"until":%d}\n\n' % (until, after, until)


def test_a_gap_is_heard_of_in_its_place():
    """When all messages before it were taken, and not when it arrives."""
    passed: list[Gap] = []
    stream = Subscription(Clock(), 0, MESSAGES, passed=passed.append)
    stream.dataReceived(event(1) + gap_event(1, 5) + event(6) + gap_event(6, 9))
    assert result(stream.next())[0].id == 1
    assert passed == []
    assert result(stream.next())[0].id == 6
    assert passed == [Gap(1, 5)]
    waiting = result(stream.next())
    assert (waiting, passed[1:]) == ([], [Gap(6, 9)])
    stream.dataReceived(event(10))
    assert waiting[0].id == 10


@pytest.mark.parametrize(
    "wrong",
    [
        event(6) + gap_event(4, 6),
        gap_event(0, 6) + event(6),
        gap_event(0, 6) + gap_event(0, 6),
        b"event: gap\ndata:{}\n\n",
    ],
)
def test_a_stream_with_a_gap_that_makes_no_sense(wrong):
    """Positions only go on."""
    stream = Subscription(Clock(), 0, MESSAGES)
    stream.dataReceived(wrong)
    last = None
    while last is None or not hasattr(last, "check"):
        (last,) = result(stream.next())
    assert last.check(UnexpectedResponse)
