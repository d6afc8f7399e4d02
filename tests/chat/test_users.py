"""Users are looked up in the store once, and looked up anew after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from chatter.chat.chat import core_of
from chatter.protocol.errors import Unauthorized
from tests.results import result_of

if TYPE_CHECKING:
    from chatter.protocol.model import User


def counted(name, look, found):
    def lookup(key):
        found.append(name)
        return look(key)

    return lookup


@pytest.fixture
def lookups(chat, monkeypatch):
    """The lookups that reach the store."""
    store = core_of(chat).store
    found: list[str] = []
    for owner, name in ((store, "user_by_name"), (store.tokens, "find"), (store, "user_by_id")):
        monkeypatch.setattr(owner, name, counted(name, getattr(owner, name), found))
    return found


def test_an_account_is_looked_up_once(chat, lookups):
    """An application joins the user of each request; the store is asked at the first."""
    alice = result_of(chat.join("alice"))
    lookups.clear()
    for _ in range(10):
        assert result_of(chat.join("alice")) == alice
    assert len(lookups) <= 1
    assert result_of(chat.join("ALICE")) == alice, "a name is the same in another case"


def test_tokens_and_ids_are_looked_up_once(chat, lookups):
    """Most requests ask the store for no user."""
    alice, token = result_of(chat.connect("alice"))
    for _ in range(10):
        assert result_of(chat.authenticate(token)) == alice
        assert result_of(chat.user(alice.id)) == alice
    assert sorted(lookups) == ["find", "user_by_id"]


def test_users_are_looked_up_anew_after_a_restart(chat):
    """The store may have been restored from a backup meanwhile, without some of them."""
    alice, token = result_of(chat.connect("alice"))
    result_of(chat.authenticate(token))
    result_of(chat.join("alice"))
    result_of(chat.stopService())
    store: Any = core_of(chat).store
    store._users.clear()
    store._ids_by_name.clear()
    store.tokens._tokens.clear()
    result_of(chat.startService())
    with pytest.raises(Unauthorized):
        result_of(chat.authenticate(token))
    bob = result_of(chat.join("bob"))
    assert result_of(chat.join("alice")).id == bob.id + 1
    assert alice.id == 1


def test_a_page_of_those_online_costs_its_own_length(chat, clock, monkeypatch):
    """However many are online, or were until a minute ago; to count them costs less."""
    for number in range(20):
        result_of(chat.join(f"gone {number}"))
    clock.advance(59.5)
    for number in range(20):
        result_of(chat.join(f"there {number}"))
    directory = core_of(chat).directory
    shown = Mock(side_effect=directory.participant)
    monkeypatch.setattr(directory, "participant", shown)
    assert result_of(Deferred.fromCoroutine(directory.count_online())) == 20
    assert not shown.called
    found = result_of(chat.online_users(limit=3))
    assert ([user.name for user in found.users], found.more) == (
        ["there 0", "there 1", "there 2"],
        True,
    )
    clock.advance(0.9)
    assert result_of(chat.online_users(limit=3)) == found
    assert shown.call_count == 8


def test_who_is_banned_while_those_online_are_read_is_not_counted(chat, monkeypatch):
    """Neither if what was read so far has the user, nor if what comes next does."""
    for name in "alice", "bob", "carol", "dave":
        result_of(chat.join(name))
    core = core_of(chat)
    found = core.store.users_seen
    held: Deferred[None] = Deferred()

    async def users_seen(since, after, limit):
        users = await found(since, after, limit)
        if after:
            await held
        return users

    monkeypatch.setattr("chatter.chat.users.online_users._AT_ONCE", 2)
    monkeypatch.setattr(core.store, "users_seen", users_seen)
    counting = Deferred.fromCoroutine(core.directory.count_online())
    for user_id in 2, 3:
        result_of(chat.moderation.moderate(None, user_id, "ban"))
    held.callback(None)
    assert result_of(counting) == 2


def test_who_leaves_is_not_counted(chat, monkeypatch):
    """However many leave at once: it is known of so many only that they have left."""
    alice, _ = result_of(chat.join("alice")), result_of(chat.join("bob"))
    core = core_of(chat)
    monkeypatch.setattr("chatter.chat.moderation.standings._REMEMBERED", 0)
    assert result_of(Deferred.fromCoroutine(core.directory.count_online())) == 2
    result_of(Deferred.fromCoroutine(core.erasing.erase(alice)))
    assert result_of(Deferred.fromCoroutine(core.directory.count_online())) == 1


@pytest.mark.parametrize("how", ["id", "name"])
def test_a_name_that_is_read_while_its_user_leaves_is_not_remembered(chat, monkeypatch, how):
    """The read was made before, and fires after; later nobody has the name."""
    alice = result_of(chat.join("alice"))
    core = core_of(chat)
    core.directory.forget()
    held: Deferred[User] = Deferred()
    with monkeypatch.context() as patch:
        patch.setattr(core.store, f"user_by_{how}", lambda _: held)
        look = core.directory.by_id(1) if how == "id" else core.directory.by_name("alice")
        reading = Deferred.fromCoroutine(look)
        result_of(Deferred.fromCoroutine(core.erasing.erase(alice)))
        held.callback(alice)
    assert result_of(reading) == alice
    if how == "id":
        assert result_of(chat.user(1)).name == "erased-1"
    else:
        assert result_of(Deferred.fromCoroutine(core.directory.by_name("alice"))) is None


def test_a_chat_stops_although_uses_of_tokens_cannot_be_saved(chat, monkeypatch):
    """Whatever the error is, the store is closed, and the log says why once."""
    result_of(chat.join("alice"))
    core = core_of(chat)

    async def broken(uses: object) -> Any:
        raise OSError("Too many open files")

    monkeypatch.setattr(core.store.tokens, "save_uses", broken)
    with capturedLogs() as logs:
        for _ in range(3):
            core.tokens.use([1])
            core.tokens.look_again()
        core.tokens.use([1])
        result_of(chat.stopService())
    assert not core.store.running
    assert len([event for event in logs if "Uses of tokens" in event["log_format"]]) == 1
