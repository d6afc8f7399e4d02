"""Connections break: no message is lost, none comes twice, nobody joins twice."""

from __future__ import annotations

import pytest

from chatter.client import Retries, ServerUnreachable
from tests.client.support import Rig


def test_a_lost_response_to_a_poll_loses_no_message():
    """If the response to a poll is lost on the way, the same messages come again."""
    rig = Rig()
    alice = rig.joined("alice")
    rig.result(alice.send("precious"))
    rig.agent.lose = 2
    assert [message.text for message in rig.result(alice.poll()).messages] == ["precious"]
    assert rig.result(alice.poll()).messages == []


def test_a_poll_that_fails_for_good_leaves_the_cursor():
    """After all attempts have failed, the next poll has what the failed one would have had."""
    rig = Rig()
    alice = rig.joined("alice")
    rig.result(alice.send("precious"))
    rig.agent.lose = 100
    with pytest.raises(ServerUnreachable):
        rig.result(alice.poll())
    rig.agent.lose = 0
    assert rig.texts(alice) == ["precious"]


def test_what_was_polled_counts_as_read_after_the_next_poll():
    """The server learns from a poll that the one before it arrived, and not earlier."""
    rig = Rig()
    alice = rig.joined("alice")
    rig.result(alice.send("one"))
    rig.result(alice.poll())
    assert rig.texts(rig.client(token=alice.token)) == ["one"]
    rig.result(alice.send("two"))
    rig.result(alice.poll())
    assert rig.texts(rig.client(token=alice.token)) == ["two"]


def test_unread_that_stops_half_way_goes_on_there():
    """A message that was not dealt with, and what follows it, is unread the next time."""
    rig = Rig()
    alice = rig.joined("alice")
    for text in ("one", "two", "three"):
        rig.result(alice.send(text))

    async def fail_at_two():
        async for message in alice.unread():
            if message.text == "two":
                raise LookupError

    with pytest.raises(LookupError):
        rig.result(fail_at_two())
    assert rig.texts(alice) == ["two", "three"]


def test_connecting_again_goes_on_where_the_client_was():
    """A client that reads and reconnects does not read the same messages again."""
    rig = Rig()
    alice = rig.joined("alice")
    rig.result(alice.send("one"))
    rig.result(alice.poll())
    rig.result(alice.connect())
    assert rig.texts(alice) == []


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_a_send_whose_response_is_lost_appends_once(lost):
    """However often the response is lost, the message is in the chat once, and is returned."""
    rig = Rig()
    alice = rig.joined("alice")
    rig.agent.lose = lost
    sent = rig.result(alice.send("hello"))
    assert rig.result(alice.poll()).messages == [sent]


def test_a_private_send_whose_response_is_lost_appends_once():
    """What holds for the general chat holds for private messages."""
    rig = Rig()
    alice = rig.joined("alice")
    alice_id = rig.result(alice.connect()).user_id
    rig.agent.lose = 2
    rig.result(alice.send_private(alice_id, "note to self"))
    assert rig.texts(alice) == ["note to self"]


def test_each_send_is_a_message_of_its_own():
    """The same text, sent twice by the caller, is there twice."""
    rig = Rig()
    alice = rig.joined("alice")
    rig.result(alice.send("again"))
    rig.result(alice.send("again"))
    assert rig.texts(alice) == ["again", "again"]


def test_a_send_with_the_callers_key_is_sent_once():
    """Two calls with one key are one message, also from two clients of the user."""
    rig = Rig()
    alice = rig.joined("alice")
    first = rig.result(alice.send("once", key="k1"))
    second = rig.result(rig.client(token=alice.token).send("once", key="k1"))
    assert first == second
    assert rig.texts(alice) == ["once"]


def test_joining_is_tried_again_when_it_certainly_did_not_happen():
    """A refused connection is no reason to give up joining."""
    rig = Rig()
    rig.agent.refuse = 2
    client = rig.client()
    assert rig.result(client.connect("alice")).name == "alice"
    assert len(rig.result(client.users()).users) == 1


def test_joining_is_tried_again_with_its_key():
    """If the response to joining is lost, it is sent again with its key: that is one user."""
    rig = Rig()
    rig.agent.lose = 2
    client = rig.client()
    joined = rig.result(client.connect("alice"))
    keys = rig.headers(b"Idempotency-Key")
    assert len(keys) == 3
    assert keys[0] == keys[1] == keys[2]
    assert [user.id for user in rig.result(client.users()).users] == [joined.user_id]
    assert rig.result(client.connect()).user_id == joined.user_id


def test_a_joining_with_the_callers_key():
    """Two clients that join with one key and name are one user, with one token."""
    rig = Rig()
    first, second = rig.client(), rig.client()
    key = "0123456789abcdef" * 2
    ids = [rig.result(client.connect("alice", key=key)).user_id for client in (first, second)]
    assert ids[0] == ids[1]
    assert first.token == second.token


def test_a_joining_that_failed_goes_on_with_its_key():
    """A call after one that gave up is the same joining; one for another name is not."""
    rig = Rig()
    client = rig.client(retries=Retries(attempts=1))
    rig.agent.refuse = 3
    for name in ("alice", "alice", "bob"):
        with pytest.raises(ServerUnreachable):
            rig.result(client.connect(name))
    first, second, third = rig.headers(b"Idempotency-Key")
    assert first == second
    assert third != second


def test_coming_back_is_tried_again_in_any_case():
    """With a token, connecting twice does no more than connecting once."""
    rig = Rig()
    alice = rig.joined("alice")
    rig.agent.lose = 2
    assert rig.result(alice.connect()).name == "alice"
