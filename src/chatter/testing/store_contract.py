"""The promises of a store, as tests for any store."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from chatter.log.entries import ChangeDraft
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.model import Draft, Message
from chatter.protocol.scalars import MAX_ID
from chatter.testing.changes_contract import ChangesContract
from chatter.testing.chats_contract import ChatsContract
from chatter.testing.erasure_contract import ErasureContract
from chatter.testing.invitations_contract import InvitationsContract
from chatter.testing.log_contract import LogContract
from chatter.testing.moderation_contract import ModerationContract
from chatter.testing.tokens_contract import TokensContract
from chatter.testing.trimming_contract import TrimmingContract
from chatter.testing.users_contract import UsersContract
from chatter.testing.waiting import NOW, finished, join, must_raise, outcomes_of

if TYPE_CHECKING:
    from chatter.log.interfaces import IChatStore


class StoreContract(
    LogContract,
    ChangesContract,
    ModerationContract,
    TrimmingContract,
    UsersContract,
    TokensContract,
    InvitationsContract,
    ErasureContract,
    ChatsContract,
):
    """What every store promises.

    Its authors override :meth:`make_store`.
    """

    async def test_its_start_and_its_stop_can_be_waited_for(self) -> None:
        """Both return a Deferred; stopping what does not run is no mistake."""
        store = self.make_store()
        for change in (store.stopService, store.startService, store.stopService, store.stopService):
            changed: object = change()
            assert isinstance(changed, Deferred)
            await changed

    async def test_a_store_that_is_not_open_says_so(self) -> None:
        """Before it is open and after it was closed, everything is unavailable."""
        store = self.make_store()
        await self._check_unavailable(store)
        await finished(store.startService())
        await store.check()
        (alice,) = await join(store, "alice")
        store.save_progress(alice.id, 1, NOW)
        assert await store.cursor(alice.id) == 1
        await finished(store.stopService())
        await self._check_unavailable(store, alice.id)

    async def _check_unavailable(self, store: IChatStore, user_id: int = 1) -> None:
        for call in (
            store.check(),
            store.last_id(),
            store.append(Draft(user_id, None, "a", NOW)),
            store.change(ChangeDraft(1, None, user_id, NOW)),
            store.trim(1),
            store.count_messages(0, 1),
            store.old_entries(0, 1, NOW, 1),
            store.read_message(1),
            store.read_sent(user_id, "key"),
            store.read_feed(user_id, 0, 1),
            store.read_general(None, 1),
            store.read_private(user_id, user_id, None, 1),
            store.add_user("bob", None, 0, NOW),
            store.user_by_id(user_id),
            store.user_by_name("bob"),
            store.tokens.find(b"a" * 32),
            store.erasure.begin(user_id, NOW),
            store.erasure.under_way(),
            store.erasure.finish(user_id),
            store.erasure.read_own(user_id, 0, 9),
            store.invitations.add(b"i" * 32, 1, None),
            store.invitations.join(b"i" * 32, "bob", b"b" * 32, 0, NOW),
            store.tokens.add(user_id, b"a" * 32, "", NOW),
            store.tokens.of_user(user_id),
            store.tokens.revoke(user_id, None),
            store.tokens.save_uses([(1, NOW)]),
            store.count_users(),
            store.users(0, 1),
            store.users_by_id([user_id]),
            store.users_by_prefix("b", 1),
            store.users_seen(NOW, 0, 1),
            store.cursor(user_id),
            store.chats(user_id, 0, None, 1),
            store.mark_read(user_id, None, 1),
        ):
            await must_raise(StoreUnavailable, call)

    async def test_what_is_wrong_fails_alone(self) -> None:
        """An id that no column holds, or of no user, touches no other call of that moment."""
        far = MAX_ID + 1
        async with self.opened() as store:
            (alice,) = await join(store, "alice")
            first = await store.append(Draft(alice.id, None, "a", NOW))
            store.save_progress(far, 1, NOW)
            store.save_progress(alice.id, far, NOW)
            store.save_progress(alice.id + 2000, 1, NOW)
            _, none, found, feed, nobody, _, second = await outcomes_of(
                (
                    store.user_by_id(far),
                    store.user_by_id(alice.id + 1000),
                    store.user_by_id(alice.id),
                    store.read_feed(alice.id, 0, 10),
                    store.cursor(alice.id + 1000),
                    store.append(Draft(far, None, "x", NOW)),
                    store.append(Draft(alice.id, None, "b", NOW)),
                )
            )
            assert none is None
            assert found == alice
            assert feed[0] == first
            assert nobody == 0
            assert isinstance(second, Message)
            # What came later than the failure, and what is saved together.
            store.save_progress(alice.id, second.id, NOW)
            await store.check()
            assert await store.cursor(alice.id) == second.id
            assert (await store.read_feed(alice.id, 0, 10))[-1] == second

    async def test_nothing_is_left_behind(self) -> None:
        """A store that was stopped has no thread, no timer and no file any more."""
        from twisted.internet import reactor  # noqa: PLC0415 - importing it installs it

        def held() -> tuple[list[str], set[Any], int]:
            threads = [thread.name for thread in threading.enumerate()]
            # The reactor keeps the threads that it has lent.
            kept = [name for name in threads if "twisted.internet.reactor" not in name]
            calls = set(reactor.getDelayedCalls())
            return sorted(kept), calls, _open_files()

        async def use() -> None:
            async with self.opened() as store:
                (user, *_) = await store.users(0, 1) or await join(store, "alice")
                message = await store.append(Draft(user.id, None, "a", NOW))
                store.save_progress(user.id, message.id, NOW)

        # What is made once and stays, such as the reactor's own, does not count.
        await use()
        before = held()
        await use()
        assert held() == before


def _open_files() -> int:
    """How many files this process has open, where the system says so."""
    listing = Path("/proc/self/fd")
    return len(list(listing.iterdir())) if listing.is_dir() else 0
