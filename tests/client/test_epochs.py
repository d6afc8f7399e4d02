"""A server's log that was restored to an older state: a client skips nothing that is new."""

from __future__ import annotations

import shutil

import pytest
from twisted.internet.task import Clock

from chatter.client import UnexpectedResponse
from chatter.client.subscription import MESSAGES, Subscription
from chatter.protocol.bodies import EpochEvent
from tests.client.real_server import client_of, event, result, server
from tests.client.support import Rig, Scripted, must_not_be_taken


class Heard:
    """Hears of a history that has changed, and of what is no longer kept."""

    def __init__(self):
        self.moves: list[tuple[int, int]] = []
        self.gaps: list[tuple[int, int]] = []

    def lost(self, error):
        pass

    def found(self):
        pass

    def history_changed(self, moved_from, moved_to):
        self.moves.append((moved_from, moved_to))

    def no_longer_kept(self, after, until):
        self.gaps.append((after, until))


async def send_as(chat, name, *texts):
    user = await chat.join(name)
    return [await chat.send(user, text) for text in texts]


async def texts_of(client):
    return [message.text async for message in client.unread()]


async def test_a_follower_of_a_log_that_was_restored(tmp_path):
    """A follower goes on where the restored log parts from what it has read, and hears of it."""
    path, backup = tmp_path / "chat", tmp_path / "backup"
    heard = Heard()
    async with server(path) as (chat, port):
        client = client_of(port, watcher=heard)
        await client.connect("bob")
        await send_as(chat, "alice", "one", "two")
    shutil.copy(path, backup)
    followed = client.follow()
    async with server(path, port) as (chat, _):
        await send_as(chat, "alice2", "three", "four")
        assert [(await anext(followed)).text for _ in range(4)] == ["one", "two", "three", "four"]
    assert heard.moves == []
    for left in tmp_path.glob("chat*"):
        left.unlink()
    shutil.copy(backup, path)
    async with server(path, port) as (chat, _):
        await send_as(chat, "carol", "new three", "new four", "new five")
        got = [(await anext(followed)).text for _ in range(3)]
        assert got == ["new three", "new four", "new five"]
        assert heard.moves == [(4, 2)]
        await followed.aclose()
        await client.close()


async def test_a_poll_of_a_log_that_was_restored(tmp_path):
    """The same without a stream; and a cursor that is kept with its epoch goes on likewise."""
    path, backup = tmp_path / "chat", tmp_path / "backup"
    heard = Heard()
    async with server(path) as (chat, port), client_of(port, watcher=heard) as client:
        await client.connect("bob")
        await send_as(chat, "alice", "one", "two")
        assert await texts_of(client) == ["one", "two"]
    shutil.copy(path, backup)
    async with server(path, port) as (chat, _), client_of(port, token=client.token) as again:
        again.cursor, again.epoch = client.cursor, client.epoch
        await send_as(chat, "alice2", "three")
        assert await texts_of(again) == ["three"]
    for left in tmp_path.glob("chat*"):
        left.unlink()
    shutil.copy(backup, path)
    async with (
        server(path, port) as (chat, _),
        client_of(port, token=client.token, watcher=heard) as last,
    ):
        last.cursor, last.epoch = again.cursor, again.epoch
        assert await texts_of(last) == []
        assert (heard.moves, last.cursor) == ([(3, 2)], 2)
        await send_as(chat, "carol", "new three")
        assert await texts_of(last) == ["new three"]


def page(cursor, epoch, moved_from="", messages=""):
    moved = f',"moved_from":{moved_from}' if moved_from else ""
    body = f'{{"messages":[{messages}],"cursor":{cursor},"more":false,"epoch":"{epoch}"{moved}}}'
    return 200, {"Content-Type": "application/json"}, body.encode()


MESSAGE = '{"id":3,"sender_id":1,"recipient_id":null,"text":"x","sent_at":"2026-01-01T00:00:00Z"}'


@pytest.mark.parametrize(
    "moved",
    [page(1, "a", moved_from=5), page(7, "b", moved_from=5), page(-1, "b", moved_from=5)],
)
def test_a_page_that_moves_without_a_reason(moved):
    """A cursor goes back only in another epoch, and never forward."""
    must_not_be_taken(moved)


def test_a_log_that_changes_again_and_again():
    """A server can't have the same messages read for ever by changing its log each time."""
    pages = [page(3, letter, 5 if letter == "a" else 3, MESSAGE) for letter in "abcdefgh"]
    rig = Rig(Scripted(*pages))
    client = rig.client(token="t")
    client.cursor = 5
    read = []

    async def unread():
        read.extend([message async for message in client.unread()])

    with pytest.raises(UnexpectedResponse, match="again and again"):
        rig.result(unread())
    assert len(rig.agent.requests) == 4


def test_a_stream_tells_where_it_begins():
    """A stream that begins earlier than requested says so before its first message, once."""
    begun: list[EpochEvent] = []
    stream = Subscription(Clock(), 5, MESSAGES, begun.append)
    told = b'event: epoch\ndata: {"epoch":"b","cursor":2,"moved_from":5}\n\n'
    stream.dataReceived(told + event(3))
    assert [(it.epoch, it.cursor) for it in begun] == [("b", 2)]
    assert result(stream.next())[0].id == 3
    stream.dataReceived(told)
    assert result(stream.next())[0].check(UnexpectedResponse)
