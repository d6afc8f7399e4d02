"""``POST /moderate``: mutes and bans, and what those can do whom they concern."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from chatter.chat.chat import core_of
from chatter.chat.limits.rate_limits import DEFAULT_LIMITS, NO_LIMITS
from chatter.protocol.scalars import OPERATOR_ID
from chatter.web import ChatResource
from chatter.web.site import ChatSite
from tests.results import result_of
from tests.web.conftest import Web
from tests.web.test_access import CLOSED, FOR_MODERATORS, OPEN
from tests.web.test_events import listen  # noqa: F401 - a fixture
from tests.web.test_wait import begin  # noqa: F401 - a fixture

ACT = {"user_id": 1, "action": "mute"}


def moderate(web, token, action, user_id=1, **body):
    return web.call("POST", "/moderate", token, {"user_id": user_id, "action": action, **body})


def send(web, token):
    return web.call("POST", "/send", token, {"text": "a"})


def send_private(web, token):
    return web.call("POST", "/send-private", token, {"text": "a", "recipient_id": 2})


def edit(web, token, message):
    return web.call("POST", "/edit", token, {"message_id": message["id"], "text": "b"})


def withdraw(web, token, message):
    return web.call("POST", "/withdraw", token, {"message_id": message["id"]})


def status(web, token, query="after=0&changes=1"):
    return web.call("GET", f"/status?{query}", token)


def test_only_a_moderator_moderates(web, chat, bob, mod):
    """Neither nobody, nor a member, nor one who was a moderator; and never upon a moderator."""
    for token, expected in ((None, 401), ("nobody", 401), (bob, 403)):
        response = web.call("POST", "/moderate", token, ACT)
        assert response.status == expected
    assert response.problem == "forbidden"
    assert moderate(web, mod, "ban", 2).problem == "forbidden"
    assert moderate(web, mod, "ban", 77).problem == "unknown-recipient"
    result_of(chat.moderation.set_role(2, "member"))
    assert moderate(web, mod, "mute").problem == "forbidden"
    assert send(web, bob).status == 200


def test_the_list_of_chats_says_what_the_user_may_do(web, bob, mod):
    """That one moderates, or is muted and until when; and nothing to others."""
    plain = web.call("GET", "/chats", bob).json
    assert not {"role", "muted_until"} & plain.keys()
    assert web.call("GET", "/chats", mod).json["role"] == "moderator"
    until = moderate(web, mod, "mute", seconds=60).json["muted_until"]
    assert web.call("GET", "/chats", bob).json["muted_until"] == until
    assert "muted_until" not in web.call("GET", "/chats", mod).json
    moderate(web, mod, "unmute")
    assert web.call("GET", "/chats", bob).json.keys() == plain.keys()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user_id": 1},
        {"action": "mute"},
        {**ACT, "action": "praise"},
        {**ACT, "user_id": 0},
        {**ACT, "seconds": 0},
        {**ACT, "seconds": 10**10},
        {**ACT, "seconds": "1"},
        {**ACT, "reason": "x" * 201},
        {**ACT, "reason": "two\nlines"},
        {**ACT, "reason": "a line\n"},
        {**ACT, "reason": None},
    ],
)
def test_what_is_not_valid_changes_nothing(web, bob, mod, body):
    """It is refused, and says why."""
    response = web.call("POST", "/moderate", mod, body)
    assert (response.status, response.problem) == (400, "invalid-request")
    assert send(web, bob).status == 200


def test_a_muted_user_reads_and_does_not_write(web, clock, bob, mod):
    """Until then; the response says when that is.  What they have said they may withdraw."""
    sent = web.send(bob)
    assert moderate(web, mod, "mute", seconds=100).status == 200
    rejections = [send(web, bob), send_private(web, bob), edit(web, bob, sent)]
    for response in rejections:
        assert (response.status, response.problem) == (403, "muted")
        until = datetime.fromisoformat(response.json["until"])
        assert until.timestamp() == clock.seconds() + 100
        assert f"{until:%H:%M:%S}" in response.json["detail"]
    assert status(web, bob).json["messages"] == [sent]
    assert withdraw(web, bob, sent).status == 200
    clock.advance(99)
    assert send(web, bob).status == 403
    clock.advance(1)
    assert send(web, bob).status == 200


@pytest.mark.parametrize("limit", [True, False])
def test_who_was_muted_after_a_send_may_retry_it(chat, clock, limit):
    """The response was lost, the message was not: the retry gets it; all else is refused."""
    limits = DEFAULT_LIMITS if limit else NO_LIMITS
    web = Web(ChatSite(ChatResource(chat, limits=limits), clock))
    bob = web.join("bob")
    web.join("carol")
    texts: dict[str, dict[str, Any]] = {
        "/send": {"text": "a"},
        "/send-private": {"text": "b", "recipient_id": 2},
    }

    def send_all(key):
        return [
            web.call("POST", path, bob, body, {"Idempotency-Key": f"{key}{path}"})
            for path, body in texts.items()
        ]

    sent = [response.json for response in send_all("k")]
    result_of(chat.moderation.moderate(None, 1, "mute", None))
    assert [response.json for response in send_all("k")] == sent
    assert [response.problem for response in send_all("other")] == ["muted", "muted"]
    assert web.call("POST", "/send", bob, texts["/send"]).problem == "muted"
    web.call("POST", "/withdraw", bob, {"message_id": sent[0]["id"]})
    assert send_all("k")[0].problem == "gone"


def test_a_banned_user_gets_in_nowhere(web, clock, bob, mod):
    """Whatever is requested, also over a connection that knew the user; until then."""
    assert status(web, bob).status == 200
    moderate(web, mod, "ban", seconds=100)
    for path, (method, body) in {**CLOSED, **FOR_MODERATORS}.items():
        response = web.call(method, path, bob, body)
        assert (response.status, response.problem) == (403, "banned"), path
    for path in ("/connect", "/chats"):
        response = web.call(OPEN[path], path, bob)
        assert (response.status, response.problem) == (403, "banned"), path
    for path in ("/health", "/openapi.json"):
        assert web.call(OPEN[path], path, bob).status == 200
    clock.advance(99)
    assert status(web, bob).problem == "banned"
    clock.advance(1)
    assert status(web, bob).status == 200


@pytest.mark.parametrize("action", ["mute", "ban"])
def test_without_seconds_it_is_for_good(web, clock, bob, mod, action):
    """Until it is ended."""
    change = moderate(web, mod, action).json
    field = "muted_until" if action == "mute" else "banned_until"
    assert change[field] == "9999-12-31T23:59:59Z"
    clock.advance(10**9)
    refused = send(web, bob)
    assert refused.status == 403
    assert "until" not in refused.json["detail"]
    assert moderate(web, mod, f"un{action}").json[field] is None
    assert send(web, bob).status == 200


def test_what_a_banned_user_has_open_ends(web, clock, listen, begin, bob, mod):  # noqa: F811
    """Streams are cut, and waiting polls get the rejection; those of others go on."""
    stream, poll = listen(bob), begin(bob, "wait=60&after=0")
    others, waits = listen(mod), begin(mod, "wait=60&after=3")
    moderate(web, mod, "ban")
    clock.advance(0)
    assert stream.is_lost
    assert poll.response().problem == "banned"
    assert not others.is_lost
    assert waits.response() is None


def test_a_mute_ends_nothing(web, clock, listen, begin, bob, mod):  # noqa: F811
    """Who is muted reads on."""
    stream, poll = listen(bob), begin(bob, "wait=60&after=5")
    moderate(web, mod, "mute")
    clock.advance(0)
    assert not stream.is_lost
    assert poll.response() is None


def test_who_follows_changes_hears_of_it(web, bob, mod):
    """The moderator and the user, and nobody else; without changes nothing differs."""
    carol = web.join("carol")
    before = [status(web, token, "after=0").json for token in (bob, mod, carol)]
    change = moderate(web, mod, "mute", seconds=60).json
    assert set(change) == {
        "id",
        "change",
        "user_id",
        "role",
        "muted_until",
        "banned_until",
        "at",
    }
    assert (change["change"], change["user_id"], change["role"]) == ("standing", 1, "member")
    assert change["banned_until"] is None
    for token in (bob, mod):
        assert status(web, token).json["changes"][-1] == change
    assert "changes" not in status(web, carol).json
    after = [status(web, token, "after=0").json for token in (bob, mod, carol)]
    assert [page["messages"] for page in after] == [page["messages"] for page in before]


def test_a_stream_brings_it(web, clock, listen, bob, mod):  # noqa: F811
    """As an event of its own kind, which older scripts pass over."""
    wanted, other = listen(bob, "?changes=1"), listen(bob)
    change = moderate(web, mod, "mute", seconds=60)
    clock.advance(0)
    expected = b"id: %d\nevent: change\ndata:%b\n\n" % (change.json["id"], change.body)
    assert expected in wanted.response.body
    assert b"change" not in other.response.body


def test_a_moderator_withdraws_messages_of_others(web, chat, bob, mod, logged):
    """In the general chat; private ones stay private, and nobody else's text is edited."""
    general = web.send(bob)
    private = send_private(web, bob).json
    carol = web.join("carol")
    assert withdraw(web, carol, general).status == 410
    assert edit(web, mod, general).status == 410
    assert withdraw(web, mod, private).status == 410
    assert withdraw(web, mod, general).status == 200
    assert status(web, carol, "after=0").json["messages"] == []
    (event,) = [event for event in logged if event.get("message_id") == general["id"]]
    assert (event["user_id"], event["by_id"]) == (1, 2)


def test_each_act_is_in_the_log_of_the_server(web, chat, bob, mod, logged):
    """With ids, seconds and the reason, which can't forge a line."""
    moderate(web, mod, "mute", seconds=5, reason="it's spam")
    result_of(chat.moderation.moderate(None, 1, "unmute"))
    result_of(chat.moderation.set_role(1, "moderator"))
    acts: list[Any] = [event for event in logged if "Moderation" in (event["log_format"] or "")]
    mute, unmute, role = acts
    assert {k: mute[k] for k in ("action", "user_id", "by_id", "seconds", "reason")} == {
        "action": "mute",
        "user_id": 1,
        "by_id": 2,
        "seconds": 5,
        "reason": "it's spam",
    }
    assert (unmute["action"], unmute["by_id"]) == ("unmute", OPERATOR_ID)
    assert (role["user_id"], role["role"]) == (1, "moderator")


def test_the_operator_acts_upon_moderators(web, chat, mod):
    """Whom nobody else can mute or ban."""
    result_of(chat.moderation.moderate(None, 2, "ban", 60))
    assert send(web, mod).problem == "banned"
    result_of(chat.moderation.moderate(None, 2, "unban"))
    assert send(web, mod).status == 200


def test_what_users_may_do_is_read_at_the_start(web, chat, bob, mod):
    """After a restart it is in force, before the first request is served."""
    moderate(web, mod, "ban")
    result_of(chat.stopService())
    result_of(chat.startService())
    assert core_of(chat).standings.banned == {}
    assert send(web, bob).problem == "banned"
    assert moderate(web, mod, "unban").status == 200
