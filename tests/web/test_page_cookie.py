"""Signing in on the page: a cookie that no script reads, and that no other site can use."""

from __future__ import annotations

import re

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.web.resource import Resource

from chatter.testing import memory_chat
from chatter.web import ChatResource
from tests.web.test_access import CLOSED
from tests.web.test_chats import NOBODY

PAGE = {"Chatter-Page": "1"}
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://test"},
    {"Sec-Fetch-Site": "nonsense"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://test:8001"},
    {"Origin": "http://sub.test"},
    {"Origin": "null"},
]


def sign_in(web, name, **headers):
    """Join as a page does; what is between a cookie's ``=`` and its first ``;``."""
    body = {"name": name, "cookie": True}
    response = web.call("POST", "/connect", body=body, headers={**PAGE, **headers})
    assert response.status == 200
    return response.headers["set-cookie"].partition("; ")[0]


def signed_in(cookie, **headers):
    return {**PAGE, "Cookie": cookie, **headers}


def user_of(web, headers):
    user = web.call("GET", "/chats", headers=headers).json["user"]
    return user and user["name"]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("test", "chatter"),
        ("test:8000", "chatter_8000"),
        ("[::1]:8000", "chatter_8000"),
        ("[::1]", "chatter"),
        ("127.0.0.1:80", "chatter_80"),
    ],
)
def test_joining_on_the_page_sets_a_cookie(web, host, name):
    """The token is in the cookie only, which is of this port, and readable by no script."""
    body = {"name": "alice", "cookie": True}
    response = web.call("POST", "/connect", body=body, headers={**PAGE, "Host": host})
    assert response.json == {"status": "success", "user_id": 1, "name": "alice", "cursor": 0}
    assert "authorization" not in response.headers
    assert re.fullmatch(
        f"{name}=[0-9a-f]{{64}}; Max-Age=34560000; HttpOnly; SameSite=Strict",
        response.headers["set-cookie"],
    )


def test_the_cookie_of_a_page_with_tls_is_never_sent_without(web):
    """What the browser says of the page counts: a proxy may have taken TLS off."""
    headers = {**PAGE, "Origin": "https://test"}
    response = web.call("POST", "/connect", body={"cookie": True}, headers=headers)
    assert response.headers["set-cookie"].endswith("; HttpOnly; SameSite=Strict; Secure")


def test_who_does_not_want_a_cookie_gets_none(web):
    """Other clients join as ever."""
    for body in ({}, {"name": "alice"}, {"cookie": False}):
        response = web.call("POST", "/connect", body=body)
        assert "set-cookie" not in response.headers
        assert response.headers["authorization"] == response.json["token"]


@pytest.mark.parametrize("path", CLOSED)
def test_the_cookie_is_the_user(web, path):
    """Every endpoint knows the page's user."""
    cookie = sign_in(web, "alice")
    web.call("POST", "/send", body={"text": "a"}, headers=signed_in(cookie))
    method, body = CLOSED[path]
    assert web.call(method, path, body=body, headers=signed_in(cookie)).status == 200


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("header", [{}, {"Chatter-Page": "0"}, {"Chatter-Page": ""}])
def test_the_cookie_alone_is_nobody(web, path, header):
    """A page of another site can have it sent, but not the header beside it."""
    cookie = sign_in(web, "alice")
    method, body = CLOSED[path]
    response = web.call(method, path, body=body, headers={"Cookie": cookie, **header})
    assert (response.status, response.problem) == (401, "unauthorized")
    nobody = web.call("GET", "/chats", headers={"Cookie": cookie, **header})
    assert (nobody.status, nobody.json) == (200, NOBODY)


@pytest.mark.parametrize("path", [*CLOSED, "/chats", "/connect", "/disconnect"])
def test_a_page_does_nothing_as_somebody_else(web, path):
    """Another tab has the browser signed in as somebody else: only that user's tabs go on."""
    web.join("alice")
    cookie = sign_in(web, "bob")
    method, body = CLOSED.get(path, ("GET" if path == "/chats" else "POST", {"cookie": True}))
    for named in ("1", "x", ""):
        headers = signed_in(cookie, **{"Chatter-User": named})
        response = web.call(method, path, body=body, headers=headers)
        assert (response.status, response.problem) == (401, "unauthorized")
        assert "set-cookie" not in response.headers
    assert user_of(web, signed_in(cookie)) == "bob"
    assert user_of(web, signed_in(cookie, **{"Chatter-User": "2"})) == "bob"


@pytest.mark.parametrize("cookie", [{}, {"Cookie": "chatter=" + "0" * 64}])
def test_a_page_whose_token_was_revoked_does_not_join(web, cookie):
    """To have its cookie set again it names its user, and is told that it is nobody's."""
    headers = {**PAGE, **cookie, "Chatter-User": "1"}
    response = web.call("POST", "/connect", body={"cookie": True}, headers=headers)
    assert (response.status, response.problem) == (401, "unauthorized")
    assert web.call("POST", "/connect").json["user_id"] == 1


def test_who_names_their_user_with_a_token(web):
    """The name counts beside Authorization, too, also where the token was just seen."""
    token = web.join("alice")
    for _ in range(2):
        for named, status in (("1", 200), ("2", 401)):
            headers = {"Authorization": token, "Chatter-User": named}
            assert web.call("GET", "/status", headers=headers).status == status


@pytest.mark.parametrize("path", [*CLOSED, "/chats", "/disconnect"])
@pytest.mark.parametrize("header", FOREIGN)
def test_a_page_of_another_origin_is_refused(web, path, header):
    """Whatever the method, for also a GET moves cursors."""
    cookie = sign_in(web, "alice")
    method, body = CLOSED.get(path, ("POST" if path == "/disconnect" else "GET", None))
    response = web.call(method, path, body=body, headers=signed_in(cookie, **header))
    assert (response.status, response.problem) == (403, "forbidden")
    assert "set-cookie" not in response.headers
    assert b"alice" not in response.body


@pytest.mark.parametrize("header", FOREIGN)
def test_a_page_of_another_origin_signs_nobody_in(web, header):
    """Else it could take the user from a browser, by giving it another one."""
    body = {"name": "mallory", "cookie": True}
    response = web.call("POST", "/connect", body=body, headers=header)
    assert (response.status, response.problem) == (403, "forbidden")
    assert "set-cookie" not in response.headers
    assert web.join("mallory")


@pytest.mark.parametrize(
    "header",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://test"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://test"},
        {"Origin": "https://test"},
        {"Host": "test:8000", "Origin": "http://test:8000", "Cookie": "chatter_8000={}"},
    ],
)
def test_the_chats_own_page_is_taken(web, header):
    """By what browsers say, of old ones too, and behind a proxy that takes TLS off."""
    token = sign_in(web, "alice").partition("=")[2]
    cookie = header.get("Cookie", "chatter={}").format(token)
    assert user_of(web, {**signed_in(cookie), **header, "Cookie": cookie}) == "alice"


def test_origins_that_may_use_the_chat_may_not_use_the_cookie(make_web, chat):
    """They use tokens; no preflight allows them the page's header."""
    web = make_web(ChatResource(chat, origins=["https://good.example", "*"]))
    cookie = sign_in(web, "alice")
    headers = {"Origin": "https://good.example", "Sec-Fetch-Site": "cross-site"}
    response = web.call("GET", "/status", headers=signed_in(cookie, **headers))
    assert (response.status, response.problem) == (403, "forbidden")
    preflight = {"Access-Control-Request-Method": "POST", "Origin": "https://good.example"}
    allowed = web.call("OPTIONS", "/send", headers=preflight).headers
    assert "chatter-page" not in allowed["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in allowed


def test_authorization_wins(web):
    """A token that a client sends itself says who it is, be it right or wrong."""
    cookie, bob = sign_in(web, "alice"), web.join("bob")
    headers = signed_in(cookie, Authorization=f"Bearer {bob}")
    assert user_of(web, headers) == "bob"
    assert user_of(web, {**headers, "Sec-Fetch-Site": "cross-site"}) == "bob"
    for path in ("/chats", "/status"):
        wrong = web.call("GET", path, headers=signed_in(cookie, Authorization="Bearer wrong"))
        assert (wrong.status, wrong.problem) == (401, "unauthorized")


def test_a_password_for_a_proxy_is_no_token(web):
    """A browser that had to sign in before it reached the chat sends that on, by itself."""
    cookie = sign_in(web, "alice")
    basic = {"Authorization": "Basic YTpi"}
    assert user_of(web, signed_in(cookie, **basic)) == "alice"
    assert user_of(web, {**PAGE, **basic}) is None
    response = web.call("POST", "/connect", body={"cookie": True}, headers={**PAGE, **basic})
    assert response.status == 200
    assert web.call("GET", "/status", headers={"Cookie": cookie, **basic}).status == 401


def test_a_token_can_become_a_cookie(web):
    """Whoever has a token from elsewhere goes on as the same user on the page."""
    token = web.join("alice")
    response = web.call("POST", "/connect", token, {"cookie": True}, PAGE)
    assert response.json["name"] == "alice"
    assert "token" not in response.json
    assert response.headers["set-cookie"].startswith(f"chatter={token}; ")


def test_coming_back_on_the_page(web):
    """The same user, whose token no script is told; with ``cookie`` it is kept for longer."""
    cookie = sign_in(web, "alice")
    for body in ({"name": "bob"}, {"name": "bob", "cookie": True}, None):
        response = web.call("POST", "/connect", body=body, headers=signed_in(cookie))
        assert (response.json["name"], "token" in response.json) == ("alice", False)
        assert "authorization" not in response.headers
        renewed = response.headers.get("set-cookie", "").startswith(f"{cookie}; Max-Age=")
        assert renewed == bool(body and body.get("cookie"))


@pytest.mark.parametrize("value", ["0" * 64, "", "é", '"quoted"', "a" * 9000])
def test_a_cookie_that_is_nobodys(web, value):
    """It may be from another database, or of a chat in a folder above: one can still join."""
    headers = signed_in(f"chatter={value}")
    assert web.call("GET", "/chats", headers=headers).json == NOBODY
    assert web.call("GET", "/status", headers=headers).status == 401
    assert sign_in(web, "alice", **headers)
    joined = web.call("POST", "/connect", headers=headers).json
    assert joined["token"]


def test_of_several_cookies_the_first_one_counts(web):
    """It is of the longest path; others belong to other ports, or to others."""
    alice, bob = sign_in(web, "alice"), sign_in(web, "bob")
    other = alice.replace("chatter=", "chatter_8000=")
    cases = {
        f"{alice}; {bob}": "alice",
        f"{bob};{alice}": "bob",
        f"a=b; {other}; {bob}; c": "bob",
        other: None,
        f"x{alice}": None,
        f"a={alice}": None,
    }
    for cookies, name in cases.items():
        assert user_of(web, signed_in(cookies)) == name


def test_chats_on_two_ports_know_each_others_cookies_not(make_web, clock):
    """A browser sends the cookies of a host to all its ports."""
    one, two = (make_web(ChatResource(memory_chat(clock))) for _ in range(2))
    cookies = "; ".join(
        [sign_in(one, "alice", Host="test:8001"), sign_in(two, "bob", Host="test:8002")]
    )
    assert user_of(one, signed_in(cookies, Host="test:8001")) == "alice"
    assert user_of(two, signed_in(cookies, Host="test:8002")) == "bob"


def test_signing_out_takes_the_cookie(web):
    """And its token is nobody's any more; the user stays, for who has another token."""
    cookie = sign_in(web, "alice")
    other = web.call("POST", "/tokens", body={}, headers=signed_in(cookie)).json["token"]
    response = web.call("POST", "/disconnect", headers=signed_in(cookie))
    assert (response.status, response.json) == (200, {"status": "success"})
    assert response.headers["set-cookie"] == "chatter=; Max-Age=0; HttpOnly; SameSite=Strict"
    assert user_of(web, signed_in(cookie)) is None
    assert web.call("GET", "/chats", other).json["user"]["name"] == "alice"


@pytest.mark.parametrize("headers", [{}, PAGE, {"Cookie": "chatter=x"}, {"Sec-Fetch-Site": "none"}])
def test_whoever_has_no_cookie_has_none_to_lose(web, headers):
    """Also a request without the page's header takes none."""
    response = web.call("POST", "/disconnect", headers=headers)
    assert (response.status, response.json) == (200, {"status": "success"})
    assert "set-cookie" not in response.headers


def test_an_application_with_accounts_needs_no_cookie(make_web, chat, by_header):
    """The page's users are its own; ours is neither set nor taken."""
    cookie = sign_in(make_web(ChatResource(chat)), "alice")
    web = make_web(ChatResource(chat, by_header))
    assert user_of(web, signed_in(cookie)) is None
    headers = signed_in(cookie, **{"X-Account": "bob"})
    response = web.call("POST", "/connect", body={"cookie": True}, headers=headers)
    assert response.json == {"status": "success", "user_id": 2, "name": "bob", "cursor": 0}
    assert "set-cookie" not in response.headers


def test_one_connection_is_of_several_users(web):
    """A proxy's connection carries the requests of many: each is its own user's."""
    alice, bob = sign_in(web, "alice"), sign_in(web, "bob")
    token = alice.partition("=")[2]
    page = "Chatter-Page: 1\r\n"
    heads = {
        f"Cookie: {alice}\r\n{page}": "alice",
        f"Cookie: {bob}\r\n{page}": "bob",
        f"Authorization: {token}\r\nCookie: {bob}\r\n{page}": "alice",
        f"Cookie: {alice}\r\n": None,
        page: None,
    }
    connection, transport = web.connect()
    for head, name in [*heads.items()] * 3:
        for path in ("/status", "/chats"):
            transport.clear()
            connection.dataReceived(f"GET {path} HTTP/1.1\r\nHost: test\r\n{head}\r\n".encode())
            said = transport.value()
            assert said.startswith(b"HTTP/1.1 200" if name or path == "/chats" else b"HTTP/1.1 401")
            if path == "/chats":
                assert (f'"name":"{name}"'.encode() in said) == (name is not None)
    connection.connectionLost(Failure(ConnectionDone()))


def test_a_cookie_that_was_put_in_on_the_way_counts(make_web, chat):
    """What an application around the chat has made of the very same request is looked at."""
    inner = ChatResource(chat)
    people = [sign_in(make_web(inner), name) for name in ("alice", "bob", "carol")]
    cookies = iter(people * 3)

    class Around(Resource):
        def getChildWithDefault(self, path, request):
            request.requestHeaders.setRawHeaders(b"Cookie", [next(cookies)])
            return inner.getChildWithDefault(path, request)

    connection, transport = make_web(Around()).connect()
    for user_id in (1, 2, 3) * 3:
        transport.clear()
        body = b'{"text": "a"}'
        head = b"Host: test\r\nChatter-Page: 1\r\nContent-Length: %d" % len(body)
        connection.dataReceived(b"POST /send HTTP/1.1\r\n%b\r\n\r\n%b" % (head, body))
        assert b'"sender_id":%d' % user_id in transport.value()
    connection.connectionLost(Failure(ConnectionDone()))
