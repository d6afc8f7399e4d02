"""The requests of the client, to the real chat in memory."""

from __future__ import annotations

import pytest
from twisted.web.resource import Resource

from chatter.chat.chat import core_of
from chatter.client import ClientClosed, ServerUnreachable, checked_url
from chatter.protocol.errors import (
    InvalidRequest,
    NameTaken,
    StoreUnavailable,
    Unauthorized,
    UnknownRecipient,
    UnknownToken,
)
from chatter.web import ChatResource
from tests.client.support import Rig, Scripted, make_chat


def test_connect_makes_a_user_with_a_token():
    """Joining gives a user with the wanted name, and the token to keep."""
    rig = Rig()
    client = rig.client()
    connected = rig.result(client.connect("alice"))
    assert (connected.status, connected.name) == ("success", "alice")
    assert client.token == connected.token
    assert client.cursor == 0


def test_connect_without_a_name_takes_what_the_chat_gives():
    """Somebody who gives no name gets one."""
    rig = Rig()
    assert rig.result(rig.client().connect()).name


def test_connect_with_a_token_is_the_same_user():
    """A client that starts with a token comes back as the user whose it is."""
    rig = Rig()
    alice = rig.joined("alice")
    again = rig.client(token=alice.token)
    assert rig.result(again.connect("ignored")).name == "alice"
    assert again.token == alice.token


def test_a_message_reaches_everybody():
    """What one sends to the general chat, all others read, and the sender too."""
    rig = Rig()
    alice, bob = rig.joined("alice"), rig.joined("bob")
    sent = rig.result(alice.send("Hello, Bob! Grüße 🎉"))
    assert sent.recipient_id is None
    assert rig.result(bob.poll()).messages == [sent]
    assert rig.result(alice.poll()).messages == [sent]


def test_a_private_message_reaches_one():
    """What is sent to one user is read by the two, and by nobody else."""
    rig = Rig()
    alice, bob, carol = rig.joined("alice"), rig.joined("bob"), rig.joined("carol")
    bob_id = rig.result(bob.connect()).user_id
    sent = rig.result(alice.send_private(bob_id, "psst"))
    assert sent.recipient_id == bob_id
    assert rig.texts(alice) == rig.texts(bob) == ["psst"]
    assert rig.texts(carol) == []


def test_polls_have_each_message_once():
    """A poll continues where the last one ended."""
    rig = Rig()
    alice = rig.joined("alice")
    for text in ("one", "two", "three"):
        rig.result(alice.send(text))
    first, second = rig.result(alice.poll(limit=2)), rig.result(alice.poll(limit=2))
    assert [message.text for message in first.messages] == ["one", "two"]
    assert first.more
    assert [message.text for message in second.messages] == ["three"]
    assert rig.result(alice.poll()).messages == []


def test_poll_with_a_token_needs_no_connect():
    """A client that was given a token reads from where its user had read to."""
    rig = Rig()
    alice = rig.joined("alice")
    rig.result(alice.send("one"))
    assert rig.texts(alice) == ["one"]
    rig.result(alice.send("two"))
    assert rig.texts(rig.client(token=alice.token)) == ["two"]


def test_poll_of_nobody():
    """Somebody who has not joined is told so, and does not join by polling."""
    rig = Rig()
    with pytest.raises(Unauthorized):
        rig.result(rig.client().poll())
    assert rig.agent.requests == []


def test_unread_is_everything_there_is():
    """All that is unread comes, over as many pages as it takes, in order, and is then read."""
    rig = Rig()
    alice = rig.joined("alice")
    texts = [str(number) for number in range(250)]
    for text in texts:
        rig.result(alice.send(text))
    assert rig.texts(alice) == texts
    assert rig.texts(rig.client(token=alice.token)) == []


def test_history_looks_back_and_reads_nothing():
    """The general chat pages back, and looking at it moves no cursor."""
    rig = Rig()
    alice = rig.joined("alice")
    ids = [rig.result(alice.send(str(number))).id for number in range(5)]
    newest = rig.result(alice.history(limit=2))
    assert [message.text for message in newest.messages] == ["3", "4"]
    assert newest.more
    older = rig.result(alice.history(before=ids[1]))
    assert [message.text for message in older.messages] == ["0"]
    assert not older.more
    assert len(rig.texts(alice)) == 5


def test_history_says_what_was_edited_and_as_of_which_change():
    """A change with a larger id may not be in the page, whichever of the two comes first."""
    rig = Rig()
    alice = rig.joined("alice")
    message = rig.result(alice.send("old"))
    edited = rig.result(alice.edit(message.id, "new"))
    page = rig.result(alice.history())
    assert page.messages == [edited]
    assert page.as_of == message.id + 1


def test_history_of_a_private_chat():
    """The private chat with a user has what the two wrote to each other, and nothing else."""
    rig = Rig()
    alice, bob = rig.joined("alice"), rig.joined("bob")
    alice_id, bob_id = (rig.result(client.connect()).user_id for client in (alice, bob))
    rig.result(alice.send("to all"))
    rig.result(alice.send_private(bob_id, "ping"))
    rig.result(bob.send_private(alice_id, "pong"))
    found = rig.result(alice.history(bob_id)).messages
    assert [message.text for message in found] == ["ping", "pong"]


def test_users_are_listed_by_id():
    """The participants come by id, page by page."""
    rig = Rig()
    for name in ("alice", "bob"):
        rig.joined(name)
    carol = rig.joined("carol")
    first = rig.result(carol.users(limit=2))
    assert [user.name for user in first.users] == ["alice", "bob"]
    assert first.more
    rest = rig.result(carol.users(first.users[-1].id))
    assert [(user.name, user.online) for user in rest.users] == [("carol", True)]


def test_users_are_found():
    """Some participants are found by id, by the beginning of their name, or by being online."""
    rig = Rig()
    for name in ("alice", "Albert", "bob"):
        rig.joined(name)
    carol = rig.joined("carol")
    found = rig.result(carol.users_by_id([4, 1, 99]))
    assert [user.name for user in found.users] == ["alice", "carol"]
    found = rig.result(carol.users_by_prefix("al", limit=1))
    assert ([user.name for user in found.users], found.more) == (["Albert"], True)
    found = rig.result(carol.online_users(1, limit=2))
    assert ([user.name for user in found.users], found.more) == (["Albert", "bob"], True)


def test_chats_and_what_was_read_of_them():
    """Chats come newest first; to mark one as read changes nothing about others, or the feed."""
    rig = Rig()
    alice, bob = rig.joined("alice"), rig.joined("bob")
    message = rig.result(bob.send("hello"))
    private = rig.result(bob.send_private(1, "psst"))
    chats = rig.result(alice.chats())
    assert chats.user.name == "alice"
    assert [(chat.last, chat.unread) for chat in chats.chats] == [(message, 1), (private, 1)]
    rig.result(alice.mark_read(private.id, 2))
    assert [chat.unread for chat in rig.result(alice.chats()).chats] == [1, 0]
    rig.result(alice.mark_read(message.id))
    assert [chat.unread for chat in rig.result(alice.chats()).chats] == [0, 0]
    assert rig.result(alice.chats(before=private.id)).chats == []
    assert rig.texts(alice) == ["hello", "psst"]
    with pytest.raises(UnknownRecipient):
        rig.result(alice.mark_read(private.id, 99))


def test_health_of_a_chat_that_serves():
    """A chat that can serve says so, to somebody without a token too."""
    rig = Rig()
    assert rig.result(rig.client().health()).status == "OK"


def test_health_of_a_chat_that_does_not_serve():
    """A chat without its store says so at once: health is about now."""
    rig = Rig()
    core_of(rig.chat).store.stopService()
    with pytest.raises(StoreUnavailable):
        rig.result(rig.client().health(), within=0.5)
    assert len(rig.agent.requests) == 1


def test_errors_of_the_chat_are_raised():
    """What the server refuses is raised as the error that the chat has for it."""
    rig = Rig()
    alice = rig.joined("alice")
    with pytest.raises(UnknownRecipient):
        rig.result(alice.send_private(99, "anybody?"))
    with pytest.raises(InvalidRequest):
        rig.result(alice.send("  "))
    with pytest.raises(NameTaken):
        rig.result(rig.client().connect("Alice"))
    with pytest.raises(Unauthorized):
        rig.result(rig.client(token="made-up").send("hi"))
    with pytest.raises(Unauthorized):
        rig.result(rig.client(token="made-up").connect())


def test_a_lone_surrogate_is_not_sent():
    """A text that is no text is refused before it is sent."""
    rig = Rig()
    alice = rig.joined("alice")
    sent = len(rig.agent.requests)
    with pytest.raises(InvalidRequest):
        rig.result(alice.send("\ud800"))
    assert len(rig.agent.requests) == sent


@pytest.mark.parametrize("url", ["http://host.example:8000/chat", "http://host.example/chat/"])
def test_a_server_below_a_path(url):
    """The server may be anywhere in another application's tree."""
    rig = Rig()
    root = Resource()
    root.putChild(b"chat", ChatResource(rig.chat))
    below = Rig(root, rig.clock)
    client = below.client(url)
    below.result(client.connect())
    below.result(client.send("hi"))
    assert below.texts(client) == ["hi"]


def test_a_server_whose_application_knows_its_users():
    """Where the application knows its users, there is no token, and all else is the same."""
    rig = Rig()
    rig.chat = make_chat(rig.clock)

    async def authenticate(request):
        return await rig.chat.join("somebody")

    embedded = Rig(ChatResource(rig.chat, authenticate), rig.clock)
    client = embedded.client()
    assert embedded.result(client.connect()).name == "somebody"
    assert client.token is None
    embedded.result(client.send("hi"))
    assert embedded.texts(client) == ["hi"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8000",
        "ftp://host",
        "http://",
        "http://user:secret@host",
        "http://host/?a=b",
        "http://host/#there",
        "http://host:0",
        "http://host:99999",
        "http://host:port",
        "http://[::1",
        "http://[::1]x",
        "http://[host]",
        "http://[fe80::1%eth0]",
        "http://chat_server:8000",
        "http://-host",
        "http://a..b",
        "http://host name",
        "http://" + "a" * 64,
        "http://\udcff",
        "http://host/\udcff",
        "http://ho\nst",
        "http://host:80\t80",
        "\x00http://host",
        "http://host\n",
        "http://ho\x85st",
        "http://ho\u2028st",
        "http://host/\u2029",
        "http://ho\xa0st",
        "http://ho\u202est",
        "http://host\ue000",
        "http://ho\u200cst",
        "http://host/\u200b",
    ],
)
def test_what_is_no_url_of_a_chat(url):
    """A URL that can't be that of a chat server is refused at once, without being quoted."""
    with pytest.raises(ValueError) as caught:
        Rig().client(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("https://Bücher.example/Chat/", "https://xn--bcher-kva.example/Chat"),
        ("http://\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com", "http://xn--mgba3gch31f060k.com"),
        ("http://\u0dc1\u0dca\u200d\u0dbb\u0dd3.example", "http://xn--10cl1a0b660p.example"),
        ("http://chat\xadter.example", "http://chatter.example"),
        ("http://LOCALHOST:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_what_is_a_url_of_a_chat(url, checked):
    """Addresses of both kinds, and names of all scripts, are URLs of a chat."""
    assert checked_url(url) == checked


def test_work_begins_with_the_call():
    """A method returns a Deferred: callbacks can be added, and nobody has to await it."""
    rig = Rig()
    names: list[str] = []
    rig.client().connect("alice").addCallback(lambda connected: names.append(connected.name))
    assert names == ["alice"]


def test_another_client_of_the_user_that_reads_ahead():
    """A client that connects again goes on where it was, not where its user was elsewhere."""
    rig = Rig()
    phone = rig.joined("alice")
    laptop = rig.client(token=phone.token)
    rig.result(laptop.connect())
    rig.result(phone.send("one"))
    assert rig.texts(phone) == ["one"]
    rig.result(laptop.connect())
    assert rig.texts(laptop) == ["one"]


def test_closing_ends_what_is_under_way():
    """A request that waits fails, and nothing is left of it; unread() just ends."""
    rig = Rig(Scripted(None))
    client = rig.client(token="t")
    client.cursor = 0

    async def read():
        return [message async for message in client.unread()]

    _, sending = rig.start(client.send("x"))
    _, reading = rig.start(read())
    rig.result(client.close())
    assert sending[0].check(ClientClosed)
    assert reading == [[]]
    assert rig.clock.getDelayedCalls() == []


def test_closing_between_two_attempts():
    """A client that waits to try again does not do so once it is closed."""
    rig = Rig()
    rig.agent.refuse = 100
    client = rig.client(token="t")
    _, sending = rig.start(client.send("x"))
    assert sending == []
    rig.result(client.close())
    assert sending[0].check(ClientClosed)
    assert rig.clock.getDelayedCalls() == []


def test_closing_what_it_did_not_open():
    """Closing a client leaves an agent that it was given alone."""
    rig = Rig()
    client = rig.joined()
    rig.result(client.close())
    rig.result(client.send("still there"))


def test_a_client_has_several_tokens():
    """It makes one for another device, lists and revokes them, and leaves."""
    rig = Rig()
    client = rig.joined("alice")
    made = rig.result(client.make_token("phone"))
    phone = rig.client(token=made.token)
    assert rig.result(phone.connect()).name == "alice"
    assert [(t.label, t.current) for t in rig.result(phone.tokens())] == [
        ("", False),
        ("phone", True),
    ]
    rig.result(client.revoke_token(made.id))
    with pytest.raises(UnknownToken):
        rig.result(client.revoke_token(made.id))
    with pytest.raises(Unauthorized):
        rig.result(phone.tokens())
    token = client.token
    rig.result(client.disconnect())
    assert client.token is None
    with pytest.raises(Unauthorized):
        rig.result(rig.client(token=token).tokens())


def test_a_token_that_could_not_be_revoked_is_kept():
    """Else nobody could revoke it any more; one that no user has is forgotten."""
    rig = Rig()
    client = rig.joined("alice")
    token = client.token
    rig.agent.refuse = 1000
    with pytest.raises(ServerUnreachable):
        rig.result(client.disconnect())
    assert client.token == token
    rig.agent.refuse = 0
    rig.result(rig.client(token=token).disconnect())
    with pytest.raises(Unauthorized):
        rig.result(client.disconnect())
    assert client.token is None
