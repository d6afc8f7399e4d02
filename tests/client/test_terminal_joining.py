"""Joining, as who one was or as somebody new, against the real chat in memory."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from chatter.client import Retries
from chatter.protocol.errors import InvalidRequest, InvitationUsed, NameTaken
from chatter.terminal.joining import Joining
from chatter.terminal.outage import Outage
from chatter.terminal.tokens import Identity, TokenFile
from chatter.testing import memory_chat
from chatter.web import ChatResource
from tests.client.support import URL, Rig
from tests.client.terminal_support import Screen

ONCE = Retries(attempts=1)


def joining(rig, tokens, *responses):
    """Joining with somebody who answers the question for a name with these, one by one."""
    screen, client, asked = Screen(), rig.client(retries=ONCE), list(responses)

    async def ask_name():
        return asked.pop(0)

    outage = Outage(rig.clock, screen.tell)
    ask = ask_name if responses else None
    return Joining(client, tokens, outage.outlast, screen.tell, ask), screen


@pytest.fixture
def tokens(tmp_path):
    return TokenFile(tmp_path / "tokens.json")


def test_the_next_start_is_the_same_user(tokens):
    """Who joined once comes back with the kept token, without being asked anything."""
    rig = Rig()
    first = rig.result(joining(rig, tokens)[0].join("alice"))
    coming_back = joining(rig, tokens)[0]
    second = rig.result(coming_back.join(None))
    assert coming_back.came_back
    assert (second.user_id, second.name) == (first.user_id, "alice")


def test_another_name_is_another_user(tokens):
    """Two users at one machine don't take each other's place."""
    rig = Rig()
    alice = rig.result(joining(rig, tokens)[0].join("alice"))
    bob = rig.result(joining(rig, tokens)[0].join("bob"))
    assert bob.user_id != alice.user_id
    assert rig.result(joining(rig, tokens)[0].join("alice")).user_id == alice.user_id


def test_a_name_is_asked_for(tokens):
    """Who says no name and was never here is asked for one."""
    rig = Rig()
    assert rig.result(joining(rig, tokens, "alice")[0].join(None)).name == "alice"


def test_any_name_will_do(tokens):
    """Who answers nothing gets the name that the chat gives."""
    rig = Rig()
    name = rig.result(joining(rig, tokens, None)[0].join(None)).name
    assert tokens.find(URL).name == name


def test_a_name_that_is_taken_is_asked_for_again(tokens):
    """The person hears why, as often as it takes."""
    rig = Rig()
    rig.joined("alice")
    join, screen = joining(rig, tokens, "ALICE", "x" * 33, "bob")
    assert rig.result(join.join("alice")).name == "bob"
    assert len(screen.told) == 3
    assert tokens.find(URL).name == "bob"


@pytest.mark.parametrize(("name", "error"), [("Alice", NameTaken), ("x" * 33, InvalidRequest)])
def test_a_name_that_can_not_be_had_where_nobody_is_asked(tokens, name, error):
    """In a pipe it is an error."""
    rig = Rig()
    rig.joined("alice")
    with pytest.raises(error):
        rig.result(joining(rig, tokens)[0].join(name))


def test_a_token_that_is_not_known_any_more(tokens):
    """The person hears of it, joins anew under the old name, and the new token is kept."""
    rig = Rig()
    tokens.keep(URL, Identity("alice", "of-another-time"))
    join, screen = joining(rig, tokens, "not asked for")
    assert rig.result(join.join(None)).name == "alice"
    assert "does not know your token any more" in screen.told[0]
    assert rig.result(rig.client(token=tokens.find(URL).token).connect()).name == "alice"


def test_joining_while_the_server_is_away(tokens):
    """It goes on until the server is there, and tells so once."""
    rig = Rig()
    rig.agent.refuse = 4
    join, screen = joining(rig, tokens, "not asked for")
    assert rig.result(join.join("alice")).name == "alice"
    assert len(screen.told) == 2


def test_joining_whose_response_is_lost(tokens):
    """It is tried again as the same joining, by its key."""
    rig = Rig()
    rig.agent.lose = 1
    join, screen = joining(rig, tokens, "other")
    rig.result(join.join("alice"))
    first, second = rig.headers("Idempotency-Key")[:2]
    assert first == second
    assert "can't be reached" in screen.told[0]


def test_one_joins_with_an_invitation(tokens):
    """Once: then the token counts."""
    clock = Clock()
    chat = memory_chat(clock, joining="invited")
    rig = Rig(ChatResource(chat), clock)
    invitation = rig.result(chat.invite())
    assert rig.result(joining(rig, tokens)[0].join("alice", invitation)).name == "alice"
    assert rig.result(joining(rig, tokens)[0].join("alice", invitation)).name == "alice"
    with pytest.raises(InvitationUsed):
        rig.result(joining(rig, tokens)[0].join("bob", invitation))
