"""``GET /export``: a user takes their data along."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from chatter.chat.chat import core_of
from chatter.chat.users import exporting
from chatter.protocol.model import Draft
from tests.results import result_of
from tests.web.conftest import Response


def lines(response):
    return [json.loads(line) for line in response.body.splitlines()]


def export(web, clock, token):
    """The whole export of a user, over a connection that is closed after it."""
    protocol, transport = web.connect()
    head = f"GET /export HTTP/1.0\r\nHost: test\r\nAuthorization: Bearer {token}\r\n\r\n"
    protocol.dataReceived(head.encode())
    clock.advance(0)
    return Response(transport.value())


@pytest.mark.parametrize("stretch", [3, 500])
def test_ones_own_data_are_exported(web, clock, alice, bob, monkeypatch, stretch):
    """The user, the tokens without the secrets, own messages, and private ones to the user."""
    monkeypatch.setattr("chatter.chat.users.exporting.STRETCH", stretch)
    own = [web.send(alice, "one")]
    web.send(bob, "general")
    own += [web.send_private(alice, 2, "psst"), web.send_private(bob, 1, "answer")]
    web.send_private(bob, 2, "a note")
    own += [web.send(alice, f"{number}") for number in range(5)]
    response = export(web, clock, alice)
    assert response.status == 200
    assert response.headers["content-type"] == "application/x-ndjson"
    user, token, *messages = lines(response)
    assert (user["user"]["id"], user["user"]["name"]) == (1, "alice")
    assert token["token"]["label"] == ""
    assert messages == [{"message": message} for message in own]
    assert alice.encode() not in response.body


@pytest.mark.parametrize("stretch", [1, 500])
def test_all_that_the_chat_has_of_a_user_is_exported(
    web, chat, clock, alice, bob, monkeypatch, stretch
):
    """Standing, position, read marks and own reports, too; not who has reported the user."""
    monkeypatch.setattr("chatter.chat.users.exporting.STRETCH", stretch)
    own = web.send(alice, "one")
    said = [web.send(bob, text) for text in "ab"] + [web.send_private(bob, 1, "psst")]
    web.call("POST", "/tokens", alice, {"label": "phone"})
    web.call("GET", "/status?after=1", alice)
    for kind in ({"chat_type": "general"}, {"chat_type": "private", "recipient_id": 2}):
        web.call("POST", "/read", alice, {"id": 4, **kind})
    for message in reversed(said[1:]):
        web.call("POST", "/report", alice, {"message_id": message["id"], "reason": "spam"})
    web.call("POST", "/report", bob, {"message_id": own["id"], "reason": "hidden"})
    until = result_of(chat.moderation.moderate(None, 1, "mute", 60)).muted_until
    exported = lines(export(web, clock, alice))
    assert [next(iter(line)) for line in exported] == [
        *("user", "standing", "token", "token", "cursor", "read", "read"),
        *("report", "report", "message", "message"),
    ]
    assert [line["token"]["label"] for line in exported[2:4]] == ["", "phone"]
    muted_until = exported[1]["standing"].pop("muted_until")
    assert datetime.fromisoformat(muted_until) == until
    assert exported[1]["standing"] == {"user_id": 1, "role": "member", "banned_until": None}
    assert exported[4:7] == [
        {"cursor": 1},
        {"read": {"recipient_id": None, "id": 4}},
        {"read": {"recipient_id": 2, "id": 4}},
    ]
    reports = [line["report"] for line in exported[7:9]]
    assert [(r["message_id"], r["reason"]) for r in reports] == [(3, "spam"), (4, "spam")]
    assert exported[9:] == [{"message": own}, {"message": said[2]}]
    assert "hidden" not in str(exported)


def test_an_export_comes_in_parts_of_bounded_size(chat, alice, bob):
    """Each has few of the largest texts, many small ones, and all messages come once."""
    store = core_of(chat).store
    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    texts = ["small"] * 600 + ["\x01" * 4096] * 30 + ["small"] * 400
    for text in texts:
        result_of(store.append(Draft(1, None, text, at)))
        result_of(store.append(Draft(2, None, "of somebody else", at)))
    parts = result_of(parts_of(chat.export(result_of(chat.authenticate(alice)))))
    exported = [json.loads(line) for part in parts for line in part.splitlines()]
    assert [line["message"]["text"] for line in exported if "message" in line] == texts
    assert max(map(len, parts)) <= exporting.PART_BYTES
    assert len(parts) < 20


async def parts_of(parts):
    return [part async for part in parts]


def test_an_export_reads_no_further_than_its_client(chat, web, clock, alice, monkeypatch):
    """What was read waits to be sent; what follows stays in the store until then."""
    monkeypatch.setattr("chatter.chat.users.exporting.STRETCH", 1)
    for number in range(3):
        web.send(alice, f"text {number}")
    erasure: Any = core_of(chat).store.erasure
    read_own, reads = erasure.read_own, []

    def counted(*arguments):
        reads.append(arguments)
        return read_own(*arguments)

    monkeypatch.setattr(erasure, "read_own", counted)
    protocol, transport = web.connect()
    head = f"GET /export HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {alice}\r\n\r\n"
    protocol.dataReceived(head.encode())
    transport.producer.pauseProducing()
    clock.advance(0)
    assert reads == []
    transport.producer.resumeProducing()
    clock.advance(0)
    assert b"text 2" in transport.value()


def test_a_user_has_one_export_at_a_time(web, clock, alice, bob):
    """Another one is refused while it is under way; other users have theirs."""
    for _ in range(3):
        web.send(alice)
    protocol, transport = web.connect()
    head = f"GET /export HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {alice}\r\n\r\n"
    protocol.dataReceived(head.encode())
    assert transport.value()
    refused = web.call("GET", "/export", alice)
    assert (refused.status, refused.problem) == (429, "too-many-requests")
    assert export(web, clock, bob).status == 200
    protocol.connectionLost(Failure(ConnectionDone()))
    clock.advance(0)
    assert export(web, clock, alice).status == 200


def test_an_export_ends_with_its_token(web, clock, alice, bob, monkeypatch):
    """What is left is not sent; that the response is not whole shows its end."""
    monkeypatch.setattr("chatter.chat.users.exporting.STRETCH", 1)
    for number in range(9):
        web.send(alice, f"text {number}")
    protocol, transport = web.connect()
    head = f"GET /export HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {alice}\r\n\r\n"
    protocol.dataReceived(head.encode())
    web.call("POST", "/disconnect", alice)
    clock.advance(0)
    assert b"alice" in transport.value()
    assert b"text 8" not in transport.value()
    assert not transport.value().endswith(b"\r\n0\r\n\r\n")
