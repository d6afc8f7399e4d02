"""Limits of users and addresses, as clients meet them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred, fail

from chatter.chat.chat import core_of
from chatter.chat.limits import limited_sending, sent_before
from chatter.chat.limits.limit import Limit
from chatter.chat.limits.limited_sending import LimitedSending
from chatter.chat.limits.meters import Window
from chatter.chat.limits.rate_limits import NO_LIMITS, RateLimits, parse_limits
from chatter.chat.limits.sent_before import SentBefore
from chatter.chat.limits.user_limits import UserLimits
from chatter.chat.messages.sending import Allowance
from chatter.chat.rates import Rate
from chatter.log.entries import Sent
from chatter.log.feed import Log
from chatter.log.limited_drafts import LimitReached
from chatter.protocol.errors import StoreUnavailable, TooManyRequests
from chatter.protocol.model import Draft, Message, User
from chatter.stores.memory import MemoryStore
from chatter.testing.waiting import NOW
from chatter.web import ChatResource
from chatter.web.site import ChatSite
from tests.results import result_of
from tests.web.conftest import Web


def web_with(chat, clock, *limits, **options):
    """The chat, with some limits."""
    resource = ChatResource(chat, limits=parse_limits(list(limits)), **options)
    return Web(ChatSite(resource, clock))


def send(web, token):
    return web.call("POST", "/send", token, {"text": "hi"})


def send_private(web, token, recipient_id):
    body = {"text": "psst", "recipient_id": recipient_id}
    return web.call("POST", "/send-private", token, body)


def test_the_rule_of_twenty_messages_an_hour(chat, clock):
    """The 21st is refused, says until when, and is taken when the hour is over."""
    web = web_with(chat, clock, "none", "general=20/3600")
    alice, bob = web.join("alice"), web.join("bob")
    assert [send(web, alice).status for _ in range(20)] == [200] * 20
    clock.advance(1000)
    refused = send(web, alice)
    assert (refused.status, refused.problem) == (429, "too-many-requests")
    assert refused.headers["retry-after"] == "2600"
    assert refused.headers["ratelimit-policy"] == '"general";q=20;w=3600'
    assert refused.headers["ratelimit"] == '"general";r=0;t=2600'
    assert send(web, bob).status == 200
    assert send_private(web, alice, 2).status == 200
    clock.advance(2599)
    assert send(web, alice).status == 429
    clock.advance(1)
    assert send(web, alice).status == 200


def test_the_rule_holds_over_restarts(chat, clock):
    """What a user sent before is found in the log, with its times; also by another node."""
    web = web_with(chat, clock, "none", "general=20/3600")
    alice, bob = web.join("alice"), web.join("bob")
    for _ in range(15):
        assert send(web, alice).status == 200
        clock.advance(10)
    send_private(web, alice, 2)
    again = web_with(chat, clock, "none", "general=20/3600")
    clock.advance(100)
    # That one is heard of, and not only read.
    assert send(web, alice).status == 200
    assert [send(again, alice).status for _ in range(5)] == [200] * 4 + [429]
    assert send(again, alice).headers["retry-after"] == str(3600 - 250)
    assert send(again, bob).status == 200
    clock.advance(3600 - 251)
    assert send(again, alice).status == 429
    clock.advance(1)
    assert [send(again, alice).status for _ in range(2)] == [200, 429]


def test_what_was_withdrawn_counts_over_restarts(chat, clock):
    """As of its withdrawal; what was only edited counts once."""
    web = web_with(chat, clock, "none", "general=3/3600")
    alice = web.join("alice")
    for _ in range(3):
        assert send(web, alice).status == 200
        clock.advance(10)
    web.call("POST", "/withdraw", alice, {"message_id": 2})
    web.call("POST", "/edit", alice, {"message_id": 3, "text": "edited"})
    again = web_with(chat, clock, "none", "general=3/3600")
    assert send(again, alice).headers["retry-after"] == str(3600 - 30)
    clock.advance(3600 - 30)
    assert [send(again, alice).status for _ in range(2)] == [200, 429]
    clock.advance(10)
    assert send(again, alice).headers["retry-after"] == "10"


def test_what_others_sent_is_passed_over_once(chat, clock, monkeypatch):
    """The log is read page by page, up to what is too old to count, before the first message."""
    alice, bob = (result_of(chat.join(name)) for name in ("alice", "bob"))
    for user, seconds in ((alice, 60), (bob, 60), (alice, 0), (bob, 0), (bob, 0), (bob, 0)):
        result_of(chat.send(user, "hi"))
        clock.advance(seconds)
    pages: list[object] = []
    read_general_senders = MemoryStore.read_general_senders
    monkeypatch.setattr(sent_before, "_AT_ONCE", 2)

    def read(store, before, limit):
        pages.append(before)
        return read_general_senders(store, before, limit)

    monkeypatch.setattr(MemoryStore, "read_general_senders", read)
    sending = UserLimits(core_of(chat), RateLimits(general=Rate(2, 60))).sending
    assert result_of(sending.send(alice, "hi", None)).id == 7
    with pytest.raises(TooManyRequests):
        result_of(sending.send(alice, "hi", None))
    assert pages == [7, 5, 3]


def test_a_message_that_was_read_before_it_was_heard_of_counts_once(chat, clock):
    """A store may have a message of another node before it tells of it."""
    alice = result_of(chat.join("alice"))
    message = result_of(chat.send(alice, "hi"))
    window = Window(Rate(2, 60), clock.seconds)
    core = core_of(chat)
    before = SentBefore(core.live, core.store, window, core.presence.now)
    result_of(Deferred.fromCoroutine(before.counted()))
    before.note(message)
    assert window.wait(alice.id) == 0
    before.note(replace(message, id=2))
    assert window.wait(alice.id) == 60


def test_the_store_is_away_when_what_was_sent_before_is_read(chat, clock, monkeypatch):
    """A send gets the error, and the next one has it read again."""
    web = web_with(chat, clock, "none", "general=1/3600")
    alice = web.join("alice")
    send(web, alice)
    again = web_with(chat, clock, "none", "general=1/3600")
    with monkeypatch.context() as patched:
        away = StoreUnavailable("The store is away.")
        patched.setattr(MemoryStore, "read_general_senders", lambda *_: fail(away))
        assert send(again, alice).problem == "store-unavailable"
    assert send(again, alice).status == 429


def test_what_was_sent_before_is_counted_page_by_page(chat, clock, monkeypatch):
    """The newest first, and each once, also if the store is away in between."""
    monkeypatch.setattr(sent_before, "_AT_ONCE", 2)
    alice = result_of(chat.join("alice"))
    for _ in range(5):
        result_of(chat.send(alice, "hi"))
        clock.advance(1)
    core = core_of(chat)
    window = Window(Rate(6, 60), clock.seconds)
    before = SentBefore(core.live, core.store, window, core.presence.now)
    reads: list[Deferred[list[Sent]]] = [Deferred() for _ in range(2)]
    left = list(reads)
    read_general_senders = MemoryStore.read_general_senders

    def read(*arguments):
        page = Deferred.fromCoroutine(read_general_senders(*arguments))
        return left.pop(0).addCallback(lambda _: page) if left else page

    monkeypatch.setattr(MemoryStore, "read_general_senders", read)
    counting = Deferred.fromCoroutine(before.counted())
    assert window.wait(alice.id, 5) == 0
    reads[0].callback([])
    assert (window.wait(alice.id, 3), window.wait(alice.id, 4)) == (0, 60 - 2)
    before.note(result_of(chat.send(alice, "hi")))
    reads[1].errback(StoreUnavailable("The store is away."))
    with pytest.raises(StoreUnavailable):
        result_of(counting)
    assert window.wait(alice.id, 3) == 60 - 2
    result_of(Deferred.fromCoroutine(before.counted()))
    assert window.wait(alice.id) == 60 - 5
    assert window.wait(alice.id, 1) == 60 - 4


def test_the_rule_holds_after_the_end_of_the_log_was_lost(chat, clock):
    """What was lost counts no more, and what comes with its ids does."""
    store: Any = core_of(chat).store
    web = web_with(chat, clock, "none", "general=3/3600")
    alice = web.join("alice")
    assert [send(web, alice).status for _ in range(2)] == [200] * 2
    web = web_with(chat, clock, "none", "general=3/3600")
    assert [send(web, alice).status for _ in range(2)] == [200, 429]
    kept = store._entries.log.general(None, 1)
    store._entries.log = Log()
    store._entries.log.extend([replace(kept[0], id=1)])
    store.rewound(1)
    assert [send(web, alice).status for _ in range(3)] == [200, 200, 429]


def test_the_rule_holds_when_the_end_is_lost_while_a_send_is_under_way(chat, monkeypatch):
    """Its next attempt has all counted before it says how much remains."""
    alice = result_of(chat.join("alice"))
    core = core_of(chat)
    store: Any = core.store
    sending = LimitedSending(core, parse_limits(["none", "general=3/3600"]))
    sent = result_of(Deferred.fromCoroutine(sending.send(alice, "hi", None)))
    within: list[Allowance | None] = []

    async def send_within(user, text, key, allowance):
        within.append(allowance)
        if len(within) == 1:
            store.rewound(sent.id)
            raise LimitReached
        return sent

    monkeypatch.setattr(core.sending, "send", send_within)
    result_of(Deferred.fromCoroutine(sending.send(alice, "hi", None)))
    assert within == [Allowance(sent.id, 2)] * 2


def test_how_much_remains_costs_no_read_of_the_store(chat, monkeypatch):
    """What was counted, and until where, is known in memory."""
    alice = result_of(chat.join("alice"))
    sending = LimitedSending(core_of(chat), parse_limits(["none", "general=3/3600"]))
    result_of(Deferred.fromCoroutine(sending.send(alice, "hi", None)))
    away = StoreUnavailable("The store is away.")
    monkeypatch.setattr(MemoryStore, "last_id", lambda *_: fail(away))
    assert result_of(Deferred.fromCoroutine(sending.send(alice, "hi", None))).id == 2


def test_the_rule_holds_for_what_was_sent_while_the_store_was_closed(chat, clock):
    """Another server may have had it."""
    store: Any = core_of(chat).store
    web = web_with(chat, clock, "none", "general=3/3600")
    token = web.join("alice")
    assert send(web, token).status == 200
    result_of(chat.stopService())
    told, store.listener = store.listener, None
    store.startService()
    draft = Draft(1, None, "hi", core_of(chat).presence.now(), None)
    result_of(Deferred.fromCoroutine(store.append(draft)))
    store.stopService()
    store.listener = told
    result_of(chat.startService())
    assert [send(web, token).status for _ in range(2)] == [200, 429]
    result_of(chat.stopService())


def test_a_response_that_is_not_limited_says_nothing_of_limits(chat, clock):
    """The headers come with 429 only; other responses are byte for byte what they were."""
    limited = web_with(chat, clock)
    free = Web(ChatSite(ChatResource(chat, limits=NO_LIMITS), clock))
    token = limited.join("alice")
    one, other = send(limited, token), send(free, token)
    assert one.headers == other.headers | {"content-length": one.headers["content-length"]}


def test_general_and_private_messages_count_together(chat, clock):
    """``send`` is what a user sends, to whomever; it comes back one by one."""
    web = web_with(chat, clock, "none", "send=3/30")
    alice, _ = web.join("alice"), web.join("bob")
    assert send(web, alice).status == send_private(web, alice, 2).status == 200
    assert send(web, alice).status == 200
    assert send(web, alice).status == send_private(web, alice, 2).status == 429
    clock.advance(10)
    assert [send_private(web, alice, 2).status, send(web, alice).status] == [200, 429]


def test_what_was_not_stored_does_not_count(chat, clock):
    """Neither what is not valid, nor a retry with the same key, nor an outage of the store."""
    web = web_with(chat, clock, "none", "general=2/3600")
    alice = web.join("alice")
    key = {"Idempotency-Key": "k"}
    for _ in range(5):
        assert web.call("POST", "/send", alice, {"text": " "}).status == 400
    for _ in range(5):
        assert web.call("POST", "/send", alice, {"text": "hi"}, headers=key).status == 200
    assert [send(web, alice).status for _ in range(2)] == [200, 429]


def test_a_retry_is_no_further_message(chat, clock):
    """Who has sent as much as is allowed, and lost the response, gets it; also a private one."""
    limits = ("none", "general=1/3600", "send=3/3600", "stranger=1/3600")
    web = web_with(chat, clock, *limits)
    alice, bob, _ = web.join("alice"), web.join("bob"), web.join("carol")
    keys: list[dict[str, str]] = [{"Idempotency-Key": f"k{number}"} for number in range(3)]
    text, private = {"text": "hi"}, {"text": "psst", "recipient_id": 3}
    first = web.call("POST", "/send", alice, text, keys[0]).json
    assert web.call("POST", "/send", alice, text, keys[0]).json == first
    assert web.call("POST", "/send", alice, text, keys[1]).problem == "too-many-requests"
    assert web.call("POST", "/send", bob, text, keys[0]).json["id"] != first["id"]
    second = web.call("POST", "/send-private", alice, private, keys[1]).json
    assert web.call("POST", "/send-private", alice, private, keys[1]).json == second
    assert web.call("POST", "/send-private", alice, private, keys[2]).problem == "too-many-requests"
    send_private(web, alice, 1)
    assert web.call("POST", "/send-private", alice, private, keys[1]).json == second
    assert web.call("POST", "/send", alice, text, {"Idempotency-Key": "k" * 65}).status == 400
    web.call("POST", "/withdraw", alice, {"message_id": first["id"]})
    assert web.call("POST", "/send", alice, text, keys[0]).problem == "gone"


def test_what_is_under_way_counts(chat, clock, monkeypatch):
    """Nobody gets past a limit by sending all at once."""
    web = web_with(chat, clock, "none", "general=2/3600")
    alice = web.join("alice")
    held: list[Deferred[Message]] = [Deferred(), Deferred()]
    under_way = list(held)
    monkeypatch.setattr(MemoryStore, "append", lambda *_: under_way.pop())
    sends = [web.connect() for _ in range(3)]
    for protocol, _ in sends:
        protocol.dataReceived(_send_bytes(alice))
    assert [transport.value()[9:12] for _, transport in sends] == [b"", b"", b"429"]
    # None of the two was stored in the end.
    for done in held:
        done.errback(StoreUnavailable("The store is away."))
    monkeypatch.undo()
    assert [send(web, alice).status for _ in range(3)] == [200, 200, 429]


def _send_bytes(token):
    body = b'{"text":"hi"}'
    head = f"POST /send HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n"
    kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + kind.encode() + body


def test_messages_of_other_nodes_count(chat, clock):
    """Two resources of one log stand for two nodes: a limit holds over both."""
    one, two = (web_with(chat, clock, "none", "send=4/3600", "general=3/3600") for _ in range(2))
    alice = one.join("alice")
    assert [send(web, alice).status for web in (one, two, one)] == [200] * 3
    assert send(one, alice).status == send(two, alice).status == 429
    assert send_private(two, alice, 1).status == 200
    assert send_private(one, alice, 1).status == 429


def test_private_messages_to_strangers(chat, clock):
    """Who has written to a user is no stranger, and can be written to as before."""
    web = web_with(chat, clock, "none", "stranger=2/3600")
    alice, bob, _ = web.join("alice"), web.join("bob"), web.join("carol")
    assert send_private(web, alice, 2).status == send_private(web, alice, 3).status == 200
    refused = send_private(web, alice, 3)
    assert (refused.status, refused.headers["ratelimit-policy"]) == (429, '"stranger";q=2;w=3600')
    assert send_private(web, bob, 1).status == 200
    assert [send_private(web, alice, 2).status for _ in range(9)] == [200] * 9
    assert send_private(web, alice, 3).status == 429
    assert send_private(web, alice, 1).status == 200
    # What was before a restart is found in the log.
    again = web_with(chat, clock, "none", "stranger=1/3600")
    assert [send_private(again, alice, 2).status for _ in range(3)] == [200] * 3


def test_a_friend_is_none_less_while_the_store_is_away(chat, clock, monkeypatch):
    """After an error it is read again who has written to whom."""
    web = web_with(chat, clock, "none", "stranger=1/3600")
    alice, bob = web.join("alice"), web.join("bob")
    send_private(web, bob, 1)
    with monkeypatch.context() as patched:
        away = StoreUnavailable("The store is away.")
        patched.setattr(MemoryStore, "read_private", lambda *_: fail(away))
        assert send_private(web, alice, 2).problem == "store-unavailable"
    assert [send_private(web, alice, 2).status for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("is_friend", [True, False])
def test_who_knows_whom_is_asked_for_by_several_at_once(chat, monkeypatch, is_friend):
    """Until it is read, nobody counts as a stranger."""
    alice, bob = result_of(chat.join("alice")), result_of(chat.join("bob"))
    if is_friend:
        result_of(chat.send_private(bob, alice.id, "hi"))
    sending = UserLimits(core_of(chat), RateLimits(stranger=Rate(1, 3600))).sending
    read_private = MemoryStore.read_private
    held: list[Deferred[None]] = []

    async def read(*arguments):
        held.append(Deferred())
        await held[-1]
        return await read_private(*arguments)

    monkeypatch.setattr(MemoryStore, "read_private", read)
    sends = [
        Deferred.fromCoroutine(sending.send_private(alice, bob.id, "hi", None)) for _ in range(3)
    ]
    for reading in held:
        reading.callback(None)
    assert result_of(sends.pop(0)).text == "hi"
    for other in sends:
        if is_friend:
            assert result_of(other).text == "hi"
        else:
            with pytest.raises(TooManyRequests):
                result_of(other)


def test_who_knows_whom_takes_bounded_memory(chat, monkeypatch):
    """Whoever is forgotten is found in the log again."""
    monkeypatch.setattr(limited_sending, "_REMEMBERED_PAIRS", 3)
    alice, *others = [result_of(chat.join(f"user-{n}")) for n in range(10)]
    sending = UserLimits(core_of(chat), RateLimits()).sending
    assert isinstance(sending, LimitedSending)
    for other in others:
        result_of(chat.send_private(other, alice.id, "hi"))
    for _ in range(2):
        for other in others:
            result_of(sending.send_private(alice, other.id, "hi", None))
            assert len(sending._has_written) <= 3
    assert sending.limits["stranger"] is not None
    assert sending.limits["stranger"].refused == 0


def test_edits_and_withdrawals_of_a_user(chat, clock):
    """They have a limit of their own."""
    web = web_with(chat, clock, "none", "edit=2/20")
    alice = web.join("alice")
    ids = [send(web, alice).json["id"] for _ in range(3)]
    edited = [web.call("POST", "/edit", alice, {"message_id": i, "text": "new"}) for i in ids]
    assert [response.status for response in edited] == [200, 200, 429]
    assert web.call("POST", "/withdraw", alice, {"message_id": ids[0]}).status == 429
    clock.advance(10)
    assert web.call("POST", "/withdraw", alice, {"message_id": ids[0]}).status == 200
    assert send(web, alice).status == 200


def test_tokens_that_a_user_makes_and_revokes(chat, clock):
    """They count together, each user's alone; it is counted what was refused."""
    web = web_with(chat, clock, "none", "device=3/30")
    alice, bob = web.join("alice"), web.join("bob")
    made = [web.call("POST", "/tokens", alice, {}) for _ in range(2)]
    revoked = [
        web.call("POST", "/tokens/revoke", alice, {"id": response.json["id"]}) for response in made
    ]
    assert [response.status for response in made + revoked] == [200, 200, 200, 429]
    refused = web.call("POST", "/tokens", alice, {})
    assert (refused.status, refused.problem) == (429, "too-many-requests")
    assert refused.headers["ratelimit-policy"] == '"device";q=3;w=30'
    assert web.call("POST", "/tokens", bob, {}).status == 200
    clock.advance(10)
    assert web.call("POST", "/tokens", alice, {}).status == 200


def test_what_was_refused_is_counted_by_limit(chat):
    """Of each that is set, also before it has refused anything."""
    limits = UserLimits(core_of(chat), RateLimits(device=Rate(1, 60), general=Rate(1, 60)))
    names = {"send", "general", "stranger", "edit", "report", "device", "stream", "waiting"}
    assert limits.refused() == dict.fromkeys(names, 0)
    user = User(1, "alice", NOW)
    limits.change_tokens(user)
    with pytest.raises(TooManyRequests):
        limits.change_tokens(user)
    assert limits.refused() == {**dict.fromkeys(names, 0), "device": 1}


def test_streams_and_waiting_polls_of_a_user(chat, clock):
    """A user opens so many streams in a minute, and has so many polls wait."""
    web = web_with(chat, clock, "none", "stream=3/60", "waiting=2")
    alice, bob = web.join("alice"), web.join("bob")
    head = f"HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {alice}\r\n\r\n".encode()
    for _ in range(3):
        assert b" 200 " in web.raw(b"GET /events " + head)
    assert b" 429 " in web.raw(b"GET /events " + head)
    assert b" 200 " in web.raw(b"GET /events " + head.replace(alice.encode(), bob.encode()))
    polls = [web.connect() for _ in range(3)]
    for protocol, _ in polls:
        protocol.dataReceived(b"GET /status?wait=10 " + head)
    assert [transport.value()[9:12] for _, transport in polls] == [b"", b"", b"429"]
    assert web.call("GET", "/status", alice).status == 200
    clock.advance(10)
    assert [transport.value()[9:12] for _, transport in polls] == [b"200", b"200", b"429"]
    protocol, transport = web.connect()
    protocol.dataReceived(b"GET /status?wait=10 " + head)
    assert transport.value() == b""


def test_joins_of_an_address(chat, clock):
    """Who has a token may come back; others wait until an hour's part is over."""
    web = web_with(chat, clock, "none", "join=3/3600", trust=["192.168.1.1"])
    tokens = [web.join() for _ in range(3)]
    refused = web.call("POST", "/connect")
    assert (refused.status, refused.headers["retry-after"]) == (429, "1200")
    assert web.call("POST", "/connect", tokens[0]).status == 200
    assert web.call("POST", "/connect", headers={"X-Forwarded-For": "192.0.2.7"}).status == 200
    clock.advance(1200)
    assert web.call("POST", "/connect").status == 200


def test_unknown_tokens_of_an_address(chat, clock):
    """After so many the store is not asked any more; a token that is known is still good."""
    web = web_with(chat, clock, "none", "token=3/600")
    token = web.join("alice")
    assert web.call("GET", "/status", token).status == 200
    assert [web.call("GET", "/status", "x" * 64).status for _ in range(4)] == [401, 401, 401, 429]
    assert web.call("GET", "/status", token).status == 200
    clock.advance(200)
    assert [web.call("GET", "/status", "y" * 64).status for _ in range(2)] == [401, 429]


def test_a_class_of_thirty_is_not_bothered(chat, clock):
    """With the defaults thirty join at once behind one address, talk, and come back."""
    web = web_with(chat, clock)
    tokens = []
    for number in range(30):
        assert web.call("GET", "/status", "stale" * 8).status == 401
        tokens.append(web.join(f"pupil {number}"))
    for _ in range(5):
        for token in tokens:
            assert send(web, token).status == 200
            assert web.call("GET", "/status?wait=0", token).status == 200
        clock.advance(2)
    assert all(send_private(web, tokens[0], other).status == 200 for other in range(1, 31))


def test_an_application_itself_is_not_limited(chat, clock):
    """A bot in the application sends what it likes."""
    web = web_with(chat, clock, "none", "send=1/3600")
    token = web.join("bot")
    bot = chat.authenticate(token).result
    assert [chat.send(bot, "hi").result.text for _ in range(5)] == ["hi"] * 5
    assert send(web, token).status == 429


def test_limits_are_values():
    """An embedding application names those that it wants to be others."""
    limits = RateLimits(send=Rate(5, 1), join=None)
    assert (limits.send, limits.join, limits.general) == (Rate(5, 1), None, None)
    with pytest.raises(ValueError, match="a rate is from 1 to"):
        Rate(0, 1)


def test_a_limit_without_words_for_its_rejection_is_not_made(clock):
    """So it is seen at the start, not at the first rejection."""
    with pytest.raises(KeyError, match="nameless"):
        Limit("nameless", Rate(1, 1), clock.seconds)


def test_a_waiting_poll_whose_client_is_gone_counts_no_more(chat, clock):
    """Its place is free again at once."""
    web = web_with(chat, clock, "none", "waiting=1")
    alice = web.join("alice")
    head = f"HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {alice}\r\n\r\n".encode()
    for _ in range(3):
        assert web.raw(b"GET /status?wait=10 " + head) == b""


def test_moderators_send_as_much_as_they_need(chat, clock):
    """To anybody; as members they don't."""
    limits = ("none", "send=2/60", "general=1/60", "stranger=1/60")
    web = web_with(chat, clock, *limits)
    mod = web.join("mod")
    for _ in range(3):
        web.join()
    result_of(chat.moderation.set_role(1, "moderator"))
    assert [send(web, mod).status for _ in range(3)] == [200] * 3
    assert [send_private(web, mod, other).status for other in (2, 3, 4)] == [200] * 3
    result_of(chat.moderation.set_role(1, "member"))
    assert send(web, mod).status == 429
