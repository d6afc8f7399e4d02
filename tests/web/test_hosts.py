"""Under which names a chat may be requested."""

from __future__ import annotations

import re
from typing import Any

import pytest
from twisted.internet.task import Clock

from chatter.httpd.endpoints import is_only_local
from chatter.service import ChatService
from chatter.testing import memory_chat
from chatter.web import ChatResource
from chatter.web.site import ChatSite
from tests.web.conftest import Web

OWN = ["localhost", "localhost:8000", "LOCALHOST", "chat.localhost:80", "127.0.0.1:8000"]
OWN += ["[::1]:8000", "192.0.2.7", "localhost.", "[2001:db8::7]"]
FOREIGN = ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.nip.io"]
FOREIGN += ["xlocalhost", "127.1", "[::1", "chat.example.org.evil.example"]


def status(web, host, path="/health", **headers):
    return web.call("GET", path, headers={"Host": host, **headers}).status


def web_for(hosts, trust=()):
    clock = Clock()
    return Web(ChatSite(ChatResource(memory_chat(clock), hosts=hosts, trust=trust), clock))


@pytest.mark.parametrize("path", ["/", "/health", "/chat.js", "/nothing", "/openapi.json"])
def test_a_foreign_name_is_refused_everywhere(path):
    """Whatever is requested: the page would be the other site's."""
    web = web_for(["chat.example.org"])
    refused = web.call("GET", path, headers={"Host": "evil.example"})
    assert (refused.status, refused.problem) == (421, "misdirected-request")
    assert "--host" in refused.json["detail"]


def test_a_page_that_may_use_the_chat_is_told_that_the_name_is_wrong():
    """A rejection has the headers of other responses, so that the page can read why."""
    clock = Clock()
    origin = "https://app.example"
    chat = ChatResource(memory_chat(clock), origins=[origin], hosts=["chat.example.org"])
    headers = {"Host": "other.example", "Origin": origin}
    refused = Web(ChatSite(chat, clock)).call("GET", "/status", headers=headers)
    assert refused.status == 421
    assert refused.headers["access-control-allow-origin"] == origin
    assert refused.headers["vary"] == "Origin"


@pytest.mark.parametrize("hosts", [["chat.example.org", "Other.example"], []])
def test_the_names_of_a_chat(hosts):
    """Those that were named, addresses, and this machine's; case and port do not matter."""
    web = web_for(hosts)
    for _ in range(2):
        assert {status(web, host) for host in OWN} == {200}
        assert {status(web, host) for host in FOREIGN} == {421}
        named = ("chat.example.org", "other.example:1", "CHAT.example.org.")
        own = {status(web, host) for host in named}
        assert own == ({200} if hosts else {421})


def test_a_trusted_proxy_brings_any_name_unless_there_are_names():
    """It is the proxy's matter which names it serves."""
    assert status(web_for([], ["192.168.1.1"]), "chat.example.org") == 200
    assert status(web_for([], ["10.0.0.0/8"]), "chat.example.org") == 421
    assert status(web_for(["chat.example.org"], ["192.168.1.1"]), "evil.example") == 421


def test_an_embedded_chat_is_under_any_name():
    """The application's own site sees to it."""
    assert {status(web_for(None), host) for host in (*OWN, *FOREIGN)} == {200}


@pytest.mark.parametrize(
    ("ports", "is_local"),
    [
        (["8000"], True),
        (["tcp:8000:interface=127.0.0.1"], True),
        (["tcp:8000:interface=localhost"], True),
        ([r"tcp6:8000:interface=\:\:1", "unix:/run/chat.sock"], True),
        (["haproxy:tcp:8000:interface=127.0.0.1"], True),
        (["ssl:8000:privateKey=x:interface=127.0.0.2"], True),
        (["tcp:8000"], False),
        (["8000", "tcp:8001"], False),
        (["tcp:8000:interface=0.0.0.0"], False),
        (["tcp:8000:interface=192.0.2.7"], False),
        (["unix:/run/chat.sock"], False),
        (["systemd:domain=INET:index=0"], False),
    ],
)
def test_where_a_chat_listens_on_this_machine_only(ports, is_local):
    """There it takes the names of this machine only."""
    assert is_only_local(ports) == is_local


@pytest.mark.parametrize(
    ("ports", "hosts", "expected"),
    [
        ("0", (), 421),
        ("0", ("chat.example.org",), 200),
        ("tcp:0", (), 200),
        ("tcp:0", ("other.example",), 421),
    ],
)
def test_a_service_knows_where_it_listens(ports, hosts, expected):
    """Without names: on loopback addresses those of this machine, elsewhere any."""
    service: Any = ChatService.for_store(Clock(), "memory:", ports, hosts=hosts)
    assert status(Web(service._site), "chat.example.org", "/nothing") in (expected, 404)
    found = status(Web(service._site), "chat.example.org", "/nothing") == 421
    assert found == (expected == 421)


@pytest.mark.parametrize("name", ["http://chat.example.org", "chat.example.org:80", "", "a b", "*"])
def test_what_is_no_name_is_refused(name):
    """The error says what is expected."""
    with pytest.raises(ValueError, match="without scheme and port"):
        web_for([name])


def test_one_string_is_refused():
    """It would be taken for a list of characters."""
    with pytest.raises(TypeError, match=re.escape("hosts=['a']")):
        web_for("a")
