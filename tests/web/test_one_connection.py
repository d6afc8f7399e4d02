"""Requests of several users over one connection, as behind a proxy: each is who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.web.resource import Resource

from tests.web.real import one_connection

if TYPE_CHECKING:
    from chatter.protocol.model import User

TEXT = {"text": "Hello."}


async def test_each_token_is_its_users(tmp_path):
    """By turns, and more often than heads are new."""
    async with one_connection(tmp_path) as (chat, connection):
        people = [await chat.connect(name) for name in ("alice", "bob")]
        for _ in range(4):
            for user, token in people:
                _, message = await connection.call("POST", "/send", token, TEXT)
                assert message["sender_id"] == user.id
        status, _ = await connection.call("POST", "/send", "0" * 64, TEXT)
        assert status == 401


class Session(Resource):
    """A resource in front, which knows the user by a session of its own."""

    token: str | None = None

    def __init__(self, chat_resource):
        super().__init__()
        self._chat_resource = chat_resource

    def getChildWithDefault(self, path, request):
        if self.token is None:
            request.requestHeaders.removeHeader(b"authorization")
        else:
            request.requestHeaders.setRawHeaders(
                b"authorization", [b"Bearer " + self.token.encode()]
            )
        return self._chat_resource.getChildWithDefault(path, request)


async def test_what_a_resource_in_front_says_counts(tmp_path):
    """Though the client sends the very same head, it is somebody else now, or nobody."""
    sessions: list[Session] = []

    def wrap(resource):
        sessions.append(Session(resource))
        return sessions[0]

    async with one_connection(tmp_path, wrap=wrap) as (chat, connection):
        [session] = sessions
        people = [await chat.connect(name) for name in ("alice", "bob")]
        for user, session.token in people * 2:
            for _ in range(3):
                _, message = await connection.call("POST", "/send", "whatever", TEXT)
                assert message["sender_id"] == user.id
        session.token = None
        status, _ = await connection.call("POST", "/send", "whatever", TEXT)
        assert status == 401


async def test_an_application_that_knows_its_users_is_asked_each_time(tmp_path):
    """The user may change, as far as anybody here can tell."""
    users: list[User] = []

    async def authenticate(_):
        return users[0] if users else None

    options = {"authenticate": authenticate}
    async with one_connection(tmp_path, **options) as (chat, connection):
        for name in ("alice", "bob"):
            users[:] = [await chat.join(name)]
            for _ in range(3):
                _, message = await connection.call("POST", "/send", "whatever", TEXT)
                assert message["sender_id"] == users[0].id
        users.clear()
        status, _ = await connection.call("POST", "/send", "whatever", TEXT)
        assert status == 401


async def test_bans_count_for_a_connection_that_is_known(tmp_path):
    """Of the user and of the address, though the client sends the very same head."""
    async with one_connection(tmp_path) as (chat, connection):
        alice, token = await chat.connect("alice")

        async def status():
            return (await connection.call("POST", "/send", token, TEXT))[0]

        assert [await status() for _ in range(4)] == [200] * 4
        await chat.moderation.ban_address("127.0.0.0/8")
        assert [await status() for _ in range(2)] == [403] * 2
        await chat.moderation.unban_address("127.0.0.0/8")
        assert [await status() for _ in range(4)] == [200] * 4
        await chat.moderation.moderate(None, alice.id, "ban")
        assert [await status() for _ in range(2)] == [403] * 2
        await chat.moderation.moderate(None, alice.id, "unban")
        assert await status() == 200
