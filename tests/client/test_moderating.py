"""The client of a moderator, and of those who need one, against the real chat in memory."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from chatter.client import UnexpectedResponse
from chatter.protocol.errors import Banned, Forbidden, Gone, InvalidRequest, Muted
from chatter.protocol.model import FOREVER
from tests.client.support import Rig, Scripted


@pytest.fixture
def rig():
    return Rig()


@pytest.fixture
def bob(rig):
    return rig.joined("bob")


@pytest.fixture
def mod(rig, bob):
    """A moderator, who has the id 2."""
    mod = rig.joined("mod")
    rig.result(rig.chat.moderation.set_role(2, "moderator"))
    return mod


def test_who_is_muted_or_banned_is_told_until_when(rig, bob, mod):
    """As the errors of the chat, which have the end."""
    change = rig.result(mod.moderate(1, "mute", 60, "floods"))
    assert change.muted_until == change.at + timedelta(seconds=60)
    with pytest.raises(Muted) as muted:
        rig.result(bob.send("a"))
    assert muted.value.until == change.muted_until
    assert rig.result(bob.poll()).messages == []
    rig.result(mod.moderate(1, "ban"))
    with pytest.raises(Banned) as banned:
        rig.result(bob.poll())
    assert banned.value.until == FOREVER
    rig.result(mod.moderate(1, "unban"))
    assert rig.result(mod.moderate(1, "unmute")).muted_until is None
    assert rig.result(bob.send("a")).text == "a"


def test_only_a_moderator_moderates(rig, bob, mod):
    """Others get the chat's error; so does what is not valid."""
    with pytest.raises(Forbidden):
        rig.result(bob.moderate(2, "mute"))
    with pytest.raises(Forbidden):
        rig.result(bob.reports())
    with pytest.raises(InvalidRequest):
        rig.result(mod.moderate(1, "mute", 0))


def test_reports_are_read_in_parts(rig, bob, mod):
    """The newest first; each part says whether there is more."""
    said = [rig.result(mod.send(text)) for text in "abc"]
    for message in said:
        rig.result(bob.report(message.id, "spam"))
    with pytest.raises(Gone):
        rig.result(bob.report(99))
    page = rig.result(mod.reports(limit=2))
    assert ([r.message for r in page.reports], page.more) == ([said[2], said[1]], True)
    assert {(r.reporter_id, r.reason) for r in page.reports} == {(1, "spam")}
    rest = rig.result(mod.reports(page.reports[-1].id, limit=2))
    assert ([r.message for r in rest.reports], rest.more) == ([said[0]], False)


def report(number):
    at = "2026-01-01T00:00:00Z"
    message = {"id": 1, "sender_id": 1, "recipient_id": None, "text": "a", "sent_at": at}
    return {"id": number, "message": message, "reporter_id": 1, "reason": "", "at": at}


@pytest.mark.parametrize(
    ("before", "ids", "more"), [(None, [1, 2], False), (3, [3], False), (None, [], True)]
)
def test_a_server_that_leads_nowhere_is_noticed(before, ids, more):
    """Whoever reads on while there is more would never come to an end."""
    body = json.dumps({"reports": [report(number) for number in ids], "more": more}).encode()
    rig = Rig(Scripted((200, {"Content-Type": "application/json"}, body)))
    with pytest.raises(UnexpectedResponse):
        rig.result(rig.client().reports(before))
