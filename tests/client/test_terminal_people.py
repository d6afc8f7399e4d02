"""Users and their names in a conversation, against the real chat in memory."""

from __future__ import annotations

import pytest

from chatter.protocol.errors import UnknownRecipient
from chatter.terminal.people import People
from tests.client.support import Rig, Scripted
from tests.client.terminal_support import Seat


def test_names_of_users_who_came_later():
    """An id that is not known yet is asked for, and shown by its name."""
    rig = Rig()
    alice = Seat(rig, "alice")
    alice.look()
    Seat(rig, "bob").type("hi")
    assert alice.look() == ["bob: hi"]


def test_names_are_asked_for_once():
    """What is known of a user never changes, so further messages cost no request."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    bob.type("one")
    alice.look()
    bob.type("two")
    asked = len(rig.agent.requests)
    alice.look()
    assert [uri for _, _, uri, _ in rig.agent.requests[asked:] if b"users" in uri] == []


@pytest.mark.parametrize("typed", ["zo\u00eb", "ZO\u00cb", "Zoe\u0308", "\uff3ao\u00eb"])
def test_a_name_is_found_however_it_is_written(typed):
    """Names that the server takes for the same are the same for ``/msg``."""
    rig = Rig()
    alice, zoe = Seat(rig, "alice"), Seat(rig, "Zo\u00eb")
    alice.type(f"/msg {typed} psst")
    assert zoe.look() == ["[alice \u2192 you] psst"]


def test_a_private_message_to_nobody():
    """If nobody has that name it is said to nobody."""
    rig = Rig()
    alice = Seat(rig, "alice")
    with pytest.raises(UnknownRecipient, match="nobody called bob"):
        alice.type("/msg bob psst")
    assert alice.look() == []


def test_who_is_there():
    """It tells who is online now, and how many there are."""
    rig = Rig()
    alice = Seat(rig, "alice")
    Seat(rig, "bob")
    rig.clock.advance(3600)
    alice.type("/who")
    assert alice.screen.lines == ["1 of 2 online: alice"]


def test_names_of_those_who_are_there():
    """A list of names has one reading too, and is no longer than a screen."""
    rig = Rig()
    alice = Seat(rig, "alice")
    rig.joined("bob, carol")
    alice.type("/who")
    assert alice.screen.lines == ['2 of 2 online: alice, "bob, carol"']
    for number in range(200):
        rig.joined(f"user{number}")
    alice.type("/who")
    assert alice.screen.lines[-1].startswith('202 of 202 online: alice, "bob, carol", user0, ')
    assert alice.screen.lines[-1].endswith(", user97, and 102 more")


def test_a_user_between_those_who_were_met():
    """Somebody who joined before one whose message was seen is found too."""
    rig = Rig()
    alice = Seat(rig, "alice")
    rig.result(alice.people.meet_some())
    dave = Seat(rig, "dave")
    for number in range(5):
        rig.joined(f"user{number}")
    Seat(rig, "erin").type("hi")
    alice.look()
    alice.type("/msg dave psst")
    assert dave.look()[-1] == "[alice \u2192 you] psst"


def test_a_list_of_users_without_an_end(monkeypatch):
    """No more users are listed than can be kept in mind, and the rest can be written to."""
    rig = Rig()
    alice = Seat(rig, "alice")
    for number in range(5):
        rig.joined(f"user{number}")
    monkeypatch.setattr("chatter.terminal.people.MAX_LIMIT", 2)
    monkeypatch.setattr("chatter.terminal.people.MOST", 4)
    alice.type("/who")
    assert alice.screen.lines == ["4 of the first 4 online: alice, user0, user1, user2"]
    alice.type("/msg USER4 hi")
    assert alice.look()[-1] == "[you \u2192 user4] hi"


def test_a_server_that_can_not_look_a_name_up():
    """One of an older version lists users by their ids, and the name is found among those."""
    users = [
        f'{{"id":{n},"name":"user{n}","online":true,"last_seen":"2026-01-01T00:00:00Z"}}'
        for n in (1, 2, 3)
    ]
    pages = [f'{{"users":[{",".join(users[:n])}],"more":false}}'.encode() for n in (2, 3)]
    rig = Rig(Scripted(*((200, {}, page) for page in pages)))
    assert rig.result(People(rig.client(token="t")).id_of("USER3")) == 3


def test_a_name_that_is_looked_up():
    """However many users there are, one request finds a name."""
    rig = Rig()
    alice = Seat(rig, "alice")
    for name in ("bob", "bobby", "bob b."):
        rig.joined(name)
    before = len(rig.agent.requests)
    assert rig.result(alice.people.id_of("BOB  B.")) == 4
    assert rig.result(alice.people.id_of("bob")) == 2
    assert rig.result(alice.people.id_of("bo")) is None
    assert rig.result(alice.people.id_of("\u200b")) is None
    assert rig.result(alice.people.id_of("x" * 99)) is None
    assert len(rig.agent.requests) - before == 4


def test_a_chat_that_comes_back_from_a_backup():
    """A private message goes to whom it names, also if that id was somebody else's before."""
    rig = Rig()
    alice = Seat(rig, "alice", persistently=True)
    Seat(rig, "bob")
    alice.type("/msg bob one")
    before = Rig(clock=rig.clock)
    alice.client.token = before.joined("alice").token
    mallory, bob = Seat(before, "mallory"), Seat(before, "bob")
    before.agent.refuse = 1
    rig.agent.__dict__ = before.agent.__dict__
    alice.type("/msg bob two")
    assert bob.look() == ["[alice \u2192 you] two"]
    assert mallory.look() == []
