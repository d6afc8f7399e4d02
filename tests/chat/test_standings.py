"""What users may do, as a node knows it: read once, then told by the log."""

from __future__ import annotations

from datetime import timedelta

import pytest
from twisted.internet.defer import Deferred

from chatter.chat.chat import core_of
from chatter.log.entries import AddressBan, StandingChange
from chatter.protocol.errors import Banned, Forbidden, InvalidRequest, Muted, StoreUnavailable
from chatter.protocol.model import FOREVER, Standing, StandingChanged
from chatter.protocol.moderation import BannedAddress
from chatter.protocol.scalars import OPERATOR_ID
from chatter.testing.waiting import begun
from chatter.web.event_streams.streams import Streams
from tests.results import result_of
from tests.web.stream_reader import Reader


@pytest.fixture
def standings(chat):
    return core_of(chat).standings


@pytest.fixture
def bob(chat):
    return result_of(chat.join("bob"))


def ban(chat, user, seconds=None):
    return result_of(chat.moderation.moderate(None, user.id, "ban", seconds))


class Slow:
    """A store whose reading of standings ends when a test says so."""

    def __init__(self, chat):
        self._moderation = core_of(chat).store.moderation
        self.reads: list[Deferred[list[Standing]]] = []
        self.set_standing = self._moderation.set_standing
        self.ban_address = self._moderation.ban_address
        self.banned: list[BannedAddress] = []

    async def standings(self):
        found = await self._moderation.standings()
        read: Deferred[list[Standing]] = Deferred()
        self.reads.append(read)
        await read
        return found

    async def banned_addresses(self):
        return self.banned


@pytest.fixture
def slow(chat, bob, monkeypatch):
    """The store, and nothing is known any more."""
    slow = Slow(chat)
    monkeypatch.setattr(core_of(chat).store, "moderation", slow)
    return slow


def test_an_application_is_refused_for_its_users(chat, clock, bob):
    """What a banned or muted user may not do over HTTP, nobody does for them."""
    ban(chat, bob, 10)
    for refused in (
        lambda: chat.send(bob, "a"),
        lambda: chat.poll(bob),
        lambda: chat.cursor(bob),
        lambda: anext(chat.follow(bob)),
    ):
        with pytest.raises(Banned):
            result_of(refused())
    clock.advance(10)
    result_of(chat.moderation.moderate(None, bob.id, "mute", 10))
    with pytest.raises(Muted) as muted:
        result_of(chat.send(bob, "a"))
    until = core_of(chat).presence.now() + timedelta(seconds=10)
    assert muted.value.until == until
    assert result_of(chat.poll(bob)).messages == []
    clock.advance(10)
    assert result_of(chat.send(bob, "a")).text == "a"


def test_a_follower_ends_with_the_ban(chat, clock, bob):
    """Also one who waits, and one who still has messages to come."""
    alice = result_of(chat.join("alice"))
    for text in "abc":
        result_of(chat.send(alice, text))
    behind, waiting = chat.follow(bob, 0), begun(anext(chat.follow(bob, 3)))
    assert result_of(anext(behind)).text == "a"
    ban(chat, bob)
    clock.advance(0)
    with pytest.raises(Banned):
        result_of(waiting)
    with pytest.raises(Banned):
        result_of(anext(behind))


def test_what_the_operator_does_is_told_to_nobody_else(chat, clock, bob):
    """Subscribers who have opted in to changes go on, and see no ban of others."""
    core = core_of(chat)
    result_of(core.live.recent())
    streams = Streams(core)
    alice, carol = (result_of(chat.join(name)) for name in ("alice", "carol"))
    early = Reader(streams, carol, 0, changes=True)
    result_of(chat.moderation.ban_address("10.0.0.1"))
    result_of(chat.moderation.moderate(None, bob.id, "mute"))
    concerned = Reader(streams, bob, 0, changes=True)
    late = Reader(streams, carol, 0, changes=True)
    sent = result_of(chat.send(alice, "hello"))
    clock.advance(0)
    for reader in (early, late):
        assert (reader.changes, reader.received) == ([], [sent])
    (change,) = concerned.changes
    assert isinstance(change, StandingChanged)
    assert change.user_id == bob.id
    assert concerned.received == [sent]


def test_what_was_deleted_before_it_was_heard_of_is_read(chat, standings):
    """A node that was cut off for longer than what is kept reads all anew, for each request."""
    core = core_of(chat)
    result_of(core.live.recent())
    result_of(standings.known())
    era = core.access.era
    assert core.store.trimmed is not None
    core.store.trimmed(10)
    assert not standings.is_known
    assert core.access.era is not era


def test_only_who_moderates_can(chat, bob):
    """An application does not do for a member what a member may not do."""
    alice = result_of(chat.join("alice"))
    with pytest.raises(Forbidden):
        result_of(chat.moderation.moderate(bob, alice.id, "ban"))
    result_of(chat.moderation.set_role(bob.id, "moderator"))
    change = result_of(chat.moderation.moderate(bob, alice.id, "ban"))
    assert (change.user_id, change.banned_until) == (alice.id, FOREVER)
    for wrong in ({"action": "praise"}, {"seconds": 0}, {"reason": "\n"}, {"user_id": 0}):
        arguments = {"user_id": alice.id, "action": "mute", **wrong}
        with pytest.raises(InvalidRequest):
            result_of(chat.moderation.moderate(bob, **arguments))
    with pytest.raises(InvalidRequest):
        result_of(chat.moderation.set_role(bob.id, "king"))


def test_what_is_heard_while_it_is_read_is_newer(chat, standings, bob, slow):
    """A reading that was begun before a ban does not take it back."""
    standings.rewind()
    knowing = begun(standings.known())
    ban(chat, bob)
    slow.reads.pop().callback([])
    assert result_of(knowing) is None
    with pytest.raises(Banned):
        standings.check(bob.id)


def test_who_has_left_moderates_no_more(chat, standings, bob, slow):
    """Nor does a reading that was begun before bring it back."""
    result_of(chat.moderation.set_role(bob.id, "moderator"))
    standings.rewind()
    knowing = begun(standings.known())
    core = core_of(chat)
    result_of(core.store.erasure.begin(bob.id, core.presence.now()))
    assert bob.id not in standings.moderators
    slow.reads.pop().callback([])
    assert result_of(knowing) is None
    assert bob.id not in standings.moderators


def test_what_is_heard_of_addresses_while_they_are_read_is_newer(chat, standings, slow):
    """A ban that was begun meanwhile holds, and one that was ended does not."""
    standings.rewind()
    knowing = begun(standings.known())
    result_of(chat.moderation.ban_address("10.0.0.1"))
    slow.banned = [BannedAddress(f"10.0.0.{n}/32", FOREVER) for n in (2, 3)]
    result_of(chat.moderation.unban_address("10.0.0.2"))
    slow.reads.pop().callback([])
    assert result_of(knowing) is None
    for address in ("10.0.0.1", "10.0.0.3"):
        with pytest.raises(Banned):
            standings.addresses.check(address)
    standings.addresses.check("10.0.0.2")


def test_bans_of_addresses_that_are_heard_of_together_end_streams_once(chat, standings):
    """Each time all event streams are looked at."""
    ended: list[None] = []
    core_of(chat).access.add_address_ending(lambda: ended.append(None))
    now = core_of(chat).presence.now()
    standings.hear([AddressBan(n, f"10.0.0.{n}/32", FOREVER, now) for n in range(1, 9)])
    assert len(ended) == 1
    standings.hear([AddressBan(9, "10.0.0.1/32", None, now)])
    assert len(ended) == 1


def test_what_was_lost_with_the_end_of_the_log_is_undone(chat, standings, bob, slow):
    """Until it is read anew, it stays in force."""
    lost = StandingChange(99, OPERATOR_ID, bob.id, "moderator", FOREVER, FOREVER, FOREVER)
    standings.hear([lost])
    standings.rewind()
    with pytest.raises(Banned):
        standings.check(bob.id)
    knowing = begun(standings.known())
    slow.reads.pop().callback([])
    assert result_of(knowing) is None
    standings.check(bob.id)
    standings.check_may_write(bob.id)
    assert not standings.moderators


def test_a_reading_of_a_log_that_was_lost_is_not_used(chat, standings, bob, slow):
    """It is read once more."""
    standings.rewind()
    knowing = begun(standings.known())
    standings.rewind()
    slow.reads.pop().callback([])
    assert not knowing.called
    slow.reads.pop().callback([])
    assert result_of(knowing) is None


def test_nobody_is_served_before_it_is_known(chat, clock, bob, slow, monkeypatch):
    """If it can't be read, the chat can't serve; the next request reads it."""
    core_of(chat).standings.forget()
    sending = begun(chat.send(bob, "a"))
    assert not sending.called
    slow.reads.pop().errback(StoreUnavailable("away"))
    with pytest.raises(StoreUnavailable):
        result_of(sending)
    sending = begun(chat.send(bob, "a"))
    slow.reads.pop().callback([])
    assert result_of(sending).text == "a"


def test_what_is_over_is_forgotten(chat, clock, standings, bob):
    """So that a chat with few bans has few to look for."""
    ban(chat, bob, 10)
    clock.advance(10)
    standings.check(bob.id)
    assert standings.banned == {}
