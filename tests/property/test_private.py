"""Whatever is requested, a private message reaches its two people and no third one.

Only a moderator reads it, and only in a list of reports, after one of the two has reported it.
Nobody finds what it said before an edit or a withdrawal.  And the log has none of it.
"""

from __future__ import annotations

import re
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import json
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.logger import formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from chatter.admin.endpoint.root import OperatorResource
from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.testing import memory_chat
from chatter.web import ChatResource
from chatter.web.request_counts import CountedSite
from chatter.web.site import ChatSite
from tests.results import result_of
from tests.web.conftest import Response, Web

USERS = range(1, 5)
WHO = st.sampled_from(USERS)
WHICH = st.integers(0, 20)
OPERATOR = 0
READS = [
    "/status",
    "/status?after=0",
    "/status?after=0&changes=1",
    "/status?chat_type=general&limit=100",
    *(f"/status?chat_type=private&recipient_id={user}" for user in USERS),
    "/chats",
    "/users",
    "/users?prefix=s",
    "/tokens",
    "/export",
    "/reports",
    "/openapi.json",
]
OPERATOR_READS = [
    "/users",
    "/stats",
    "/metrics",
    "/reports",
    "/health",
    *(f"/export?name=user-{user}" for user in USERS),
]


class PrivateMachine(RuleBasedStateMachine):
    """Four people who write to each other, moderators among them, and an operator."""

    @initialize()
    def begin(self):
        self.clock = Clock()
        self.clock.advance(1_700_000_000)
        self.chat = memory_chat(self.clock)
        site = CountedSite(ChatResource(self.chat, limits=NO_LIMITS), self.clock, limits=NO_LIMITS)
        self.web = Web(site)
        operator = OperatorResource(self.chat, site)
        self.operator = Web(ChatSite(operator, self.clock, limits=NO_LIMITS))
        self.tokens = {user: self.web.join(f"user-{user}") for user in USERS}
        self.streams = {user: self.follow(user) for user in USERS}
        self.moderators: set[int] = set()
        # Of each private message: its two people, and what it says now.
        self.pairs: dict[int, set[int]] = {}
        self.says: dict[int, str | None] = {}
        self.of_text: dict[str, int] = {}
        self.reported: set[int] = set()
        self.logged: list[str] = []
        observer: Any = self.note
        globalLogPublisher.addObserver(observer)

    def note(self, event):
        """Keep all that the log gets."""
        self.logged.append(f"{formatEvent(event)} {event}")

    def follow(self, user):
        """Open an event stream."""
        connection, transport = self.web.connect()
        head = "GET /events?after=0&changes=1 HTTP/1.1\r\nHost: a"
        token = f"Authorization: {self.tokens[user]}"
        connection.dataReceived(f"{head}\r\n{token}\r\n\r\n".encode())
        return connection, transport

    def call(self, user, method, path, body=None, headers=None):
        """Send a request, whose response may take some turns; see what is in it."""
        web = self.operator if user == OPERATOR else self.web
        connection, transport = web.connect()
        content = b"" if body is None else json.encode(body)
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(content)}"]
        if user != OPERATOR:
            lines.append(f"Authorization: {self.tokens[user]}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        connection.dataReceived("\r\n".join([*lines, "", ""]).encode() + content)
        while not is_whole(transport.value()):
            self.clock.advance(0.01)
        raw = transport.value()
        connection.connectionLost(Failure(ConnectionDone()))
        shows_reports = path.startswith("/reports") and user in self.moderators
        for text in texts_in(raw):
            message_id = self.of_text.get(text)
            if message_id is None:
                assert self.sending == text, "the response of a send"
                continue
            assert self.says[message_id] == text, "it says something else now"
            may_see = user in self.pairs[message_id]
            assert may_see or (shows_reports and message_id in self.reported), (user, path)
        return Response(raw)

    sending = ""
    number = 0

    def new_text(self):
        self.number += 1
        self.sending = f"secret-{self.number}."
        return self.sending

    def one(self, which):
        return list(self.pairs)[which % len(self.pairs)] if self.pairs else 0

    @rule(user=WHO, other=WHO, key=st.sampled_from([None, "k1", "k2"]))
    def send(self, user, other, key):
        """Keys are each user's own: what others have sent with one is nobody else's."""
        text = self.new_text()
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"text": text, "recipient_id": other}
        response = self.call(user, "POST", "/send-private", body, headers)
        if response.status == 200 and response.json["text"] == text:
            message_id = response.json["id"]
            self.pairs[message_id] = {user, other}
            self.says[message_id] = text
            self.of_text[text] = message_id

    @rule(user=WHO, which=WHICH)
    def edit(self, user, which):
        """Whoever may not gets an error without a text."""
        message_id, text = self.one(which), self.new_text()
        if not message_id:
            return
        before = self.says[message_id]
        # Its text is known before the response is looked at.
        self.of_text[text], self.says[message_id] = message_id, text
        response = self.call(user, "POST", "/edit", {"message_id": message_id, "text": text})
        if response.status != 200:
            self.says[message_id] = before

    @rule(user=WHO, which=WHICH)
    def withdraw(self, user, which):
        message_id = self.one(which)
        if (
            message_id
            and self.call(user, "POST", "/withdraw", {"message_id": message_id}).status == 200
        ):
            assert user in self.pairs[message_id] or (
                user in self.moderators and message_id in self.reported
            )
            self.says[message_id] = None

    @rule(user=WHO, which=WHICH)
    def report(self, user, which):
        message_id = self.one(which)
        body = {"message_id": message_id, "reason": "spam"}
        if message_id and self.call(user, "POST", "/report", body).status == 200:
            assert user in self.pairs[message_id]
            self.reported.add(message_id)

    @rule(user=WHO, moderates=st.booleans())
    def set_role(self, user, moderates):
        result_of(self.chat.moderation.set_role(user, "moderator" if moderates else "member"))
        (self.moderators.add if moderates else self.moderators.discard)(user)

    @rule(user=WHO, action=st.sampled_from(["mute", "unmute"]))
    def mute(self, user, action):
        result_of(self.chat.moderation.moderate(None, user, action))

    @rule(user=WHO, path=st.sampled_from(READS))
    def read(self, user, path):
        self.call(user, "GET", path)

    @rule(path=st.sampled_from(OPERATOR_READS))
    def read_as_operator(self, path):
        self.call(OPERATOR, "GET", path)

    @invariant()
    def streams_and_logs_have_nothing_of_others(self):
        if not hasattr(self, "logged"):
            return
        for _ in range(3):
            self.clock.advance(0)
        for user, (_, transport) in self.streams.items():
            for text in texts_in(transport.value()):
                assert user in self.pairs[self.of_text[text]]
            transport.clear()
        for event in self.logged:
            assert not texts_in(event.encode())
            assert not any(token in event for token in self.tokens.values())
        self.logged.clear()

    def teardown(self):
        if not hasattr(self, "logged"):
            return
        for user in USERS:
            for path in READS:
                self.call(user, "GET", path)
        for path in OPERATOR_READS:
            self.call(OPERATOR, "GET", path)
        self.streams_and_logs_have_nothing_of_others()
        observer: Any = self.note
        globalLogPublisher.removeObserver(observer)
        for connection, _ in self.streams.values():
            connection.connectionLost(Failure(ConnectionDone()))
        result_of(self.chat.stopService())


def is_whole(raw):
    """Whether there is a response, and the last chunk of an export."""
    return raw.endswith(b"0\r\n\r\n") if b"chunked" in raw else bool(raw)


def texts_in(raw):
    """The private texts in some bytes."""
    return [text.decode() for text in re.findall(rb"secret-\d+\.", raw)]


TestPrivate = PrivateMachine.TestCase
TestPrivate.settings = settings(max_examples=30, stateful_step_count=30)
