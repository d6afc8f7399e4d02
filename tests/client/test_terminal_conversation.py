"""What is done and shown in a conversation, against the real chat in memory."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from twisted.internet.task import Clock

from chatter.chat.chat import core_of
from chatter.chat.limits.rate_limits import RateLimits
from chatter.chat.rates import Rate
from chatter.client import ServerUnreachable
from chatter.protocol.errors import (
    Banned,
    Forbidden,
    InvalidRequest,
    Muted,
    Unauthorized,
    UnknownRecipient,
)
from chatter.protocol.model import FOREVER, Edited, StandingChanged, Withdrawn
from chatter.terminal.conversation import REJECTIONS
from chatter.terminal.lines import READ
from chatter.terminal.moderation import MOMENT
from chatter.terminal.outage import Outage
from chatter.web import ChatResource
from tests.client.support import Rig, Scripted, make_chat, problem
from tests.client.terminal_support import Screen, Seat


def test_what_is_typed_shows_up_as_it_is_in_the_log():
    """Own messages are shown when they are read, in the order of the log, and once."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    alice.type("one")
    bob.type("two")
    alice.type("three")
    assert alice.look() == ["alice: one", "bob: two", "alice: three"]
    assert bob.look() == ["alice: one", "bob: two", "alice: three"]


def test_a_private_message():
    """It goes to the user of that name, in whatever case, and is marked as private."""
    rig = Rig()
    alice, bob, carol = Seat(rig, "alice"), Seat(rig, "Bob B."), Seat(rig, "carol")
    alice.type('/msg "bob b." psst')
    assert alice.look() == alice.screen.private == ['[you → "Bob B."] psst']
    assert bob.look() == bob.screen.private == ["[alice → you] psst"]
    assert carol.look() == []


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


def test_what_is_no_longer_kept_is_said():
    """In one line, once; what is kept follows."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    for number in range(3):
        bob.type(str(number))
    rig.result(core_of(rig.chat).store.trim(2))
    screen = Screen()
    back = rig.client(token=alice.client.token, watcher=Outage(rig.clock, screen.tell))
    assert rig.texts(back) == ["2"]
    assert screen.told == ["… older messages are no longer kept; you may have missed some."]
    assert rig.texts(back) == []
    assert len(screen.told) == 1


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


@pytest.mark.parametrize(
    ("text", "shown", "rest"),
    [
        ("x" + "\n" * 4094 + "y", "x" + "\n      " * 19, 4076),
        ("\n".join(["line"] * 21), "line" + "\n      line" * 19, 5),
        ("z" * 1601, "z" * 1600, 1),
    ],
)
def test_a_long_text_is_shortened_and_shown_whole_on_request(text, shown, rest):
    """One message does not push all others off the screen, however many rows it has."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    bob.type("/more")
    assert bob.screen.told == ["No message was shortened."]
    rig.result(alice.client.send(text))
    (short,) = bob.look()
    assert short == f"alice: {shown}\n      \u2026 {rest} more characters: /more shows them"
    bob.type("/more")
    assert bob.screen.lines[1:] == ["alice: " + text.replace("\n", "\n      ")]


def test_a_text_that_is_not_long_is_shown_whole():
    """Twenty lines are, and as many characters as fill twenty rows."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    for text in ("line\n" * 20, "z" * 1600):
        rig.result(alice.client.send(text))
    assert not any("/more" in line for line in bob.look())


def test_a_long_text_is_shortened_wherever_it_is_shown():
    """In the history, after an edit and in a report it is as in the chat."""
    rig = Rig()
    alice, mod = Seat(rig, "alice"), Seat(rig, "mod")
    rig.result(rig.chat.moderation.set_role(2, "moderator"))
    long = "line\n" * 21
    sent = rig.result(alice.client.send("short"))
    mod.look()
    rig.result(alice.client.edit(sent.id, long))
    rig.result(alice.client.report(sent.id))
    mod.conversation._show_change(Edited(9, sent.id, long, sent.sent_at))
    mod.type("/history")
    mod.type("/reports")
    assert [line.count("/more") for line in mod.screen.lines] == [0, 1, 1, 1]
    mod.type("/more")
    assert mod.screen.lines[-1].count("line") == 21


@pytest.mark.parametrize("text", ["short", None])
def test_what_was_changed_is_not_shown_whole_as_it_was(text):
    """Who has edited or withdrawn a message has taken back what it said."""
    rig = Rig()
    bob = Seat(rig, "bob")
    other, last = [rig.result(bob.client.send(letter * 1601)) for letter in "yz"]
    bob.look()

    def change(message):
        if text is None:
            bob.conversation._show_change(Withdrawn(9, message.id, message.sent_at, 1))
        else:
            bob.conversation._show_change(Edited(9, message.id, text, message.sent_at))
        bob.type("/more")

    change(other)
    assert bob.screen.lines[-1] == "bob: " + "z" * 1601
    assert bob.screen.told == []
    change(last)
    assert bob.screen.told == ["No message was shortened."]


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


def test_a_server_that_asks_for_time_is_given_it():
    """Somebody who goes on for ever still waits as the server asks, but five minutes at most."""
    turned_away = problem("too-many-requests", 429, Retry_After="3600")
    rig = Rig(Scripted(turned_away, (200, {}, b'{"status":"OK"}')))
    outage = Outage(rig.clock, Screen().tell)
    rig.result(outage.outlast(rig.client().health), within=4000)
    assert 300 <= rig.times[1] - rig.times[0] < 310


def test_a_limit_is_told_and_outlasted():
    """Who sends too fast reads why there is a pause, once a minute; all is sent in the end."""
    clock = Clock()
    rig = Rig(ChatResource(make_chat(clock), limits=RateLimits(send=Rate(2, 20))), clock)
    alice, bob = Seat(rig, "alice", persistently=True), Seat(rig, "bob")
    for number in range(5):
        alice.type(str(number))
    (told,) = alice.screen.told
    assert told.startswith("The server lets you wait. Too many messages: 2 in 20 seconds")
    assert alice.look() == bob.look() == [f"alice: {number}" for number in range(5)]


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


def test_the_last_message_is_edited_and_withdrawn():
    """Everybody reads it as it is now; without one of one's own there is nothing to change."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    with pytest.raises(InvalidRequest, match="no message of yours"):
        alice.type("/withdraw")
    for line in ("one", "/msg bob psst", "/edit  new text", "/edit newer text"):
        alice.type(line)
    assert bob.look() == ["alice: one", "[alice → you] newer text"]
    alice.type("/withdraw")
    alice.type("/edit two")
    assert alice.look() == ["alice: two"]
    alice.type("/withdraw")
    with pytest.raises(InvalidRequest, match="no message of yours"):
        alice.type("/edit three")


def test_a_change_of_what_is_on_the_screen_is_shown():
    """In a line of its own that says which message it was, and nothing of what was not shown."""
    rig = Rig()
    alice, bob = Seat(rig, "alice"), Seat(rig, "bob")
    alice.type("one")
    alice.type("/msg bob psst")
    bob.look()
    one, psst = rig.result(alice.client.poll()).messages
    for change in (
        Edited(3, one.id, "new", one.sent_at),
        Withdrawn(4, psst.id, one.sent_at, psst.sender_id),
        Withdrawn(5, 99, one.sent_at, 1),
        Withdrawn(6, one.id, one.sent_at, one.sender_id),
        Edited(7, one.id, "late", one.sent_at),
    ):
        bob.conversation._show_change(change)
    lines = [line.partition("* ")[2] for line in bob.screen.lines[2:]]
    assert [line[: line.index(", at")] for line in lines] == ["alice", "[alice → you]", "alice"]
    assert lines[0].endswith(": new")
    assert all(line.endswith(", is withdrawn") for line in lines[1:])


def test_a_message_is_reported_and_shown_to_moderators():
    """The last one of a user that was on the screen, with the reason."""
    rig = Rig()
    alice, bob, mod = (Seat(rig, name) for name in ("alice", "bob", "mod"))
    with pytest.raises(Forbidden):
        mod.type("/reports")
    rig.result(rig.chat.moderation.set_role(3, "moderator"))
    mod.type("/reports")
    alice.type("fine")
    alice.type("/msg bob \x1bpsst")
    with pytest.raises(InvalidRequest, match="Nothing of alice"):
        bob.type("/report alice")
    bob.look()
    bob.type("/report alice  it hurts")
    mod.type("/reports")
    assert mod.screen.told == ["Nothing is reported."]
    (line,) = mod.screen.lines
    assert line == "[alice → bob] \N{REPLACEMENT CHARACTER}psst (reported by bob: it hurts)"


def test_a_moderator_mutes_and_bans():
    """For some time or for good; the other one is told, and may go on typing when muted."""
    rig = Rig()
    bob, mod = Seat(rig, "bob"), Seat(rig, "mod")
    rig.result(rig.chat.moderation.set_role(2, "moderator"))
    with pytest.raises(Forbidden):
        bob.type("/mute mod")
    mod.type("/mute bob 10m")
    with pytest.raises(Muted) as muted:
        bob.type("hi")
    assert isinstance(muted.value, REJECTIONS)
    mod.type("/unmute bob")
    bob.type("hi")
    mod.type("/ban BOB")
    with pytest.raises(Banned):
        bob.type("hi")
    mod.type("/unban bob")
    told = [line.partition(" until ")[0] for line in mod.screen.told]
    assert told == [
        "bob is muted",
        "bob is a member, neither muted nor banned.",
        "bob is banned.",
        "bob is a member, neither muted nor banned.",
    ]


def test_who_comes_back_is_told_what_holds_now():
    """Not all that has been meanwhile, and nothing about others."""
    rig = Rig()
    bob = Seat(rig, "bob")
    change = StandingChanged(9, 1, "member", FOREVER, FOREVER, FOREVER)
    for each in (change, replace(change, banned_until=None), replace(change, user_id=2)):
        bob.conversation._show_change(each)
    rig.clock.advance(MOMENT)
    assert bob.screen.told == ["You are muted."]
    bob.conversation._show_change(replace(change, muted_until=None, banned_until=None))
    rig.clock.advance(MOMENT)
    assert bob.screen.told[1:] == ["You are a member, neither muted nor banned."]


@pytest.mark.parametrize(
    "line",
    ["/mute", "/mute bob soon", "/mute bob 0m", "/ban bob 5", "/unban bob 5m", "/report"],
)
def test_how_moderators_write_is_said(line):
    """What is not understood does nothing."""
    rig = Rig()
    alice = Seat(rig, "alice")
    alice.type(line)
    (told,) = alice.screen.told
    assert told.startswith(f"It is {line.split()[0]} NAME")
