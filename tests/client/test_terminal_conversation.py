"""What is done and shown in a conversation, against the real chat in memory."""

from __future__ import annotations

import pytest

from chatter.client import Retries, ServerUnreachable
from chatter.protocol.errors import Unauthorized, UnknownRecipient
from chatter.terminal.commands import parse
from chatter.terminal.conversation import Conversation
from chatter.terminal.lines import READ
from chatter.terminal.outage import Outage, give_up
from chatter.terminal.people import People
from tests.client.support import Rig, Scripted, problem
from tests.client.terminal_support import Screen

ONCE = Retries(attempts=1)


class Seat:
    """Somebody at a terminal."""

    def __init__(self, rig, name, persistently=False, token=None):
        self.rig = rig
        self.screen = Screen()
        self.client = rig.client(retries=ONCE, token=token)
        self.people = People(self.client)
        me = rig.result(self.client.connect(name))
        outage = Outage(rig.clock, self.screen.tell)
        outage.add_memory(self.people.forget)
        outage.found()
        self.conversation = Conversation(
            self.client,
            rig.clock,
            user_id=me.user_id,
            people=self.people,
            display=self.screen,
            persist=outage.outlast if persistently else give_up,
        )

    def type(self, line):
        command = parse(line)
        assert command is not None
        self.rig.result(self.conversation.do(command))

    def look(self):
        self.rig.result(self.conversation.show_unread())
        return self.screen.lines


def test_what_is_typed_shows_up_as_it_is_in_the_log():
    """Own messages are shown when they are read, in the order of the log, and once."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    alice.type("one")
    bob.type("two")
    alice.type("three")
    assert alice.look() == ["alice: one", "bob: two", "alice: three"]
    assert bob.look() == ["alice: one", "bob: two", "alice: three"]


def test_names_of_users_who_came_later():
    """An id that is not known yet is asked for, and shown by its name."""
    rig = Rig()
    alice = Seat(rig, "alice")
    alice.look()
    Seat(rig, "bob").type("hi")
    assert alice.look() == ["bob: hi"]


def test_names_are_asked_for_once():
    """What is known of a user never changes, so further messages cost no question."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    bob.type("one")
    alice.look()
    bob.type("two")
    asked = len(rig.agent.requests)
    alice.look()
    assert [uri for _, _, uri, _ in rig.agent.requests[asked:] if b"users" in uri] == []


def test_a_private_message():
    """It goes to the user of that name, in whatever case, and is marked as private."""
    rig = Rig()
    alice, bob, carol = Seat(rig, "alice"), Seat(rig, "Bob B."), Seat(rig, "carol")
    alice.type('/msg "bob b." psst')
    assert alice.look() == alice.screen.private == ['[you → "Bob B."] psst']
    assert bob.look() == bob.screen.private == ["[alice → you] psst"]
    assert carol.look() == []


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


def test_older_messages():
    """Each ``/history`` shows what is before the one before, until there is nothing."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    for number in range(30):
        rig.result(bob.client.send(str(number)))
    alice.type("/history")
    assert alice.screen.lines == [f"bob: {number}" for number in range(10, 30)]
    assert all(READ in styles for styles in alice.screen.styles)
    alice.type("/history")
    assert alice.screen.lines[20:] == [f"bob: {number}" for number in range(10)]
    alice.type("/history")
    assert alice.screen.told == ["There are no older messages."]
    alice.type("/history")
    assert alice.screen.lines[30:] == alice.screen.lines[:20]
    assert len(alice.look()) == 50 + 30


def test_older_messages_of_two():
    """With a name it is what those two said to each other, and nothing else."""
    rig = Rig()
    alice, bob, carol = Seat(rig, "alice"), Seat(rig, "bob"), Seat(rig, "carol")
    bob.type("/msg alice one")
    carol.type("/msg alice two")
    alice.type("/history BOB")
    assert alice.screen.lines == alice.screen.private == ["[bob \u2192 you] one"]
    with pytest.raises(UnknownRecipient, match="nobody called dave"):
        alice.type("/history dave")


def test_coming_back_shows_what_was_last_read():
    """A few messages that were read stand before what is new, and are not new."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    for number in range(9):
        bob.type(str(number))
    alice.look()
    bob.type("new")
    back = Seat(rig, "alice", token=alice.client.token)
    rig.result(back.conversation.show_context())
    assert back.screen.lines == [f"bob: {number}" for number in range(4, 9)]
    assert back.look()[5:] == ["bob: new"]


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


def test_help_and_mistakes():
    """Help is shown; what was not understood is told, and not said to anybody."""
    alice = Seat(Rig(), "alice")
    alice.type("/help")
    assert any("/msg NAME TEXT" in line for line in alice.screen.lines)
    alice.type("/hlep")
    assert "There is no /hlep." in alice.screen.told[0]


def test_more_than_a_page_is_shown():
    """Everything that was missed is shown, however much it is."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    for number in range(120):
        rig.result(bob.client.send(str(number)))
    assert alice.look() == [f"bob: {number}" for number in range(120)]


def test_an_outage_is_told_once_and_outlasted():
    """While the server is away nothing is lost or doubled, and only two lines tell of it."""
    rig = Rig()
    alice, bob = Seat(rig, "alice", persistently=True), Seat(rig, "bob")
    rig.agent.refuse, rig.agent.lose = 5, 3
    alice.type("at last")
    assert len(alice.screen.told) == 2
    assert alice.screen.told[0].startswith("Connection lost; reconnecting. http://chat.example")
    assert alice.screen.told[1] == "Connected again."
    assert alice.look() == bob.look() == ["alice: at last"]


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


def test_a_server_that_asks_for_time_is_given_it():
    """Somebody who goes on for ever still waits as the server asks, but five minutes at most."""
    turned_away = problem("too-many-requests", 429, Retry_After="3600")
    rig = Rig(Scripted(turned_away, (200, {}, b'{"status":"OK"}')))
    outage = Outage(rig.clock, Screen().tell)
    rig.result(outage.outlast(rig.client().health), within=4000)
    assert 300 <= rig.times[1] - rig.times[0] < 310


def test_without_patience_an_outage_is_an_error():
    """Where nobody waits for the server, what can't be sent is an error at once."""
    rig = Rig()
    alice = Seat(rig, "alice")
    rig.agent.refuse = 1
    with pytest.raises(ServerUnreachable):
        alice.type("never")


def test_a_token_that_is_revoked_while_talking():
    """It ends the conversation, with the chat's own error."""
    rig = Rig()
    alice = Seat(rig, "alice", persistently=True)
    alice.client.token = "revoked"
    with pytest.raises(Unauthorized):
        alice.type("hi")
