"""``POST /report`` and ``GET /reports``: what users show to moderators, and who sees it."""

from __future__ import annotations

import pytest

from chatter.chat.chat import Chat
from chatter.chat.limits.rate_limits import NO_LIMITS
from chatter.chat.rates import Rate
from chatter.stores.memory import MemoryStore
from chatter.web import ChatResource
from chatter.web.site import ChatSite
from tests.results import result_of
from tests.web.conftest import Web


@pytest.fixture
def carol(web, mod):
    """A member, who has the id 3."""
    return web.join("carol")


def send_private(web, token, recipient_id, text="psst"):
    body = {"text": text, "recipient_id": recipient_id}
    return web.call("POST", "/send-private", token, body).json


def report(web, token, message_id, **body):
    return web.call("POST", "/report", token, {"message_id": message_id, **body})


def reports(web, token, query=""):
    return web.call("GET", f"/reports{query}", token)


def test_what_is_reported_is_shown_to_moderators(web, bob, mod, carol):
    """The newest first, with who and why; a user reports a message once."""
    one, two = web.send(bob, "one"), web.send(bob, "two")
    for message, reason in ((one, "spam"), (two, ""), (one, "again")):
        response = report(web, carol, message["id"], reason=reason)
        assert (response.status, response.json) == (200, {"status": "success"})
    found = reports(web, mod).json
    assert found["more"] is False
    assert [(r["message"], r["reporter_id"], r["reason"]) for r in found["reports"]] == [
        (two, 3, ""),
        (one, 3, "spam"),
    ]
    assert all(r["at"].endswith("Z") for r in found["reports"])
    page = reports(web, mod, "?limit=1").json
    assert (page["reports"], page["more"]) == (found["reports"][:1], True)
    rest = reports(web, mod, f"?limit=1&before={page['reports'][0]['id']}").json
    assert (rest["reports"], rest["more"]) == (found["reports"][1:], False)


def test_only_moderators_see_reports(web, bob, mod, carol):
    """Not even of what they have reported themselves."""
    report(web, carol, web.send(bob)["id"])
    for token in (bob, carol):
        assert reports(web, token).problem == "forbidden"
    assert reports(web, mod).status == 200


def test_a_private_message_stays_private(web, bob, mod, carol):
    """A moderator sees and withdraws it only if one of the two has reported it."""
    told, secret = send_private(web, bob, 3), send_private(web, bob, 3)
    for token in (mod, web.join("dave")):
        for message in (told, secret):
            assert report(web, token, message["id"]).problem == "gone"
    assert reports(web, mod).json["reports"] == []
    assert report(web, carol, told["id"]).status == 200
    (found,) = reports(web, mod).json["reports"]
    assert found["message"] == told
    withdraw = {"message_id": secret["id"]}
    assert web.call("POST", "/withdraw", mod, withdraw).problem == "gone"
    assert web.call("POST", "/withdraw", mod, {"message_id": told["id"]}).status == 200
    assert reports(web, mod).json["reports"] == []
    history = web.call("GET", "/status?chat_type=private&recipient_id=3", mod)
    assert history.json["messages"] == []


def test_the_operator_reads_no_private_messages(web, chat, bob, mod, carol):
    """The application that runs the chat gets the report, and not the text."""
    report(web, bob, web.send(carol, "for all")["id"])
    report(web, carol, send_private(web, bob, 3)["id"])
    found = result_of(chat.moderation.reports(None)).reports
    assert [r.message.text for r in found] == ["", "for all"]


def test_what_is_not_there_is_not_reported(web, bob, mod, carol):
    """Nor what was withdrawn; and a muted user reports nothing."""
    gone, sent = web.send(bob), web.send(bob)
    web.call("POST", "/withdraw", bob, {"message_id": gone["id"]})
    assert report(web, carol, gone["id"]).problem == "gone"
    assert report(web, carol, 99).problem == "gone"
    web.call("POST", "/moderate", mod, {"user_id": 3, "action": "mute"})
    assert report(web, carol, sent["id"]).problem == "muted"
    assert reports(web, mod).json["reports"] == []


@pytest.mark.parametrize("body", [{}, {"message_id": 0}, {"reason": "a\nb"}, {"reason": "a" * 201}])
def test_what_is_not_valid_is_refused(web, bob, carol, body):
    """It says what is expected."""
    sent = web.send(bob)
    whole = {"message_id": sent["id"], **body} if body else {}
    response = web.call("POST", "/report", carol, whole)
    assert (response.status, response.problem) == (400, "invalid-request")


@pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?before=0", "?before=x"])
def test_a_page_of_reports_is_bounded(web, mod, query):
    """A hundred at once, and fewer if they are long."""
    assert reports(web, mod, query).problem == "invalid-request"


def test_a_page_has_as_many_reports_as_fit(web, bob, mod, carol):
    """However long the texts are."""
    for _ in range(60):
        report(web, carol, web.send(bob, "\u0001" * 4095 + "x")["id"])
    page = reports(web, mod, "?limit=100")
    assert 20 < len(page.json["reports"]) < 60
    assert page.json["more"] is True
    assert len(page.body) < 1_200_000


class TestMutedByReports:
    """With a rule, so many users who report messages of one user mute that user."""

    @pytest.fixture
    def chat(self, clock):
        chat = Chat(MemoryStore(), clock, reports=Rate(3, 100))
        chat.startService()
        return chat

    @pytest.fixture
    def web(self, chat, clock):
        return Web(ChatSite(ChatResource(chat, limits=NO_LIMITS), clock))

    @pytest.fixture
    def people(self, web):
        return [web.join() for _ in range(5)]

    def is_muted(self, web, token):
        return bool(web.call("POST", "/send", token, {"text": "a"}).status == 403)

    def test_so_many_reporters_mute(self, web, clock, people):
        """Different users, whichever messages of the user they report; for so many seconds."""
        author, *others = people
        said = [web.send(author)["id"] for _ in range(5)]
        for message_id in said:
            report(web, others[0], message_id)
        report(web, others[1], said[0])
        assert not self.is_muted(web, author)
        report(web, others[2], said[1])
        assert self.is_muted(web, author)
        clock.advance(100)
        assert not self.is_muted(web, author)

    def test_old_reports_do_not_count(self, web, clock, people):
        """Only those within so many seconds."""
        author, *others = people
        said = web.send(author)["id"]
        report(web, others[0], said)
        clock.advance(100)
        report(web, others[1], said)
        report(web, others[2], said)
        assert not self.is_muted(web, author)

    def test_a_moderator_is_not_muted(self, web, chat, people):
        """However many report them."""
        author, *others = people
        result_of(chat.moderation.set_role(1, "moderator"))
        said = web.send(author)["id"]
        for token in others:
            report(web, token, said)
        assert not self.is_muted(web, author)

    def test_who_is_unmuted_begins_anew(self, web, chat, people):
        """The next report alone does not mute again."""
        author, *others = people
        result_of(chat.moderation.set_role(5, "moderator"))
        said = web.send(author)["id"]
        for token in others[:3]:
            report(web, token, said)
        assert self.is_muted(web, author)
        web.call("POST", "/moderate", others[3], {"user_id": 1, "action": "unmute"})
        report(web, others[3], said)
        assert not self.is_muted(web, author)

    def test_a_longer_mute_is_not_made_shorter(self, web, chat, clock, people):
        """Who is muted already stays so as long as was decided."""
        author, *others = people
        said = web.send(author)["id"]
        result_of(chat.moderation.moderate(None, 1, "mute"))
        for token in others:
            report(web, token, said)
        clock.advance(1000)
        assert self.is_muted(web, author)


def test_who_leaves_takes_their_reports_along(web, bob, mod, carol):
    """What a user has reported, with the reasons, and what others have reported of the user."""
    kept, own = web.send(bob), web.send(carol)
    report(web, carol, kept["id"], reason="private matters")
    report(web, bob, own["id"])
    assert len(reports(web, mod).json["reports"]) == 2
    assert web.call("POST", "/erase", carol, {"name": "carol"}).status == 200
    assert reports(web, mod).json["reports"] == []
