"""Who gets in, and what every endpoint does alike."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.web.resource import Resource

from chatter.chat.chat import core_of
from chatter.protocol.errors import StoreUnavailable, Unauthorized
from chatter.protocol.problems import ERRORS
from chatter.testing import memory_chat
from chatter.web import ChatResource
from tests.results import result_of
from tests.web.conftest import Response

CLOSED = {
    "/send": ("POST", {"text": "a"}),
    "/send-private": ("POST", {"text": "a", "recipient_id": 1}),
    "/status": ("GET", None),
    "/status?after=0": ("GET", None),
    "/status?chat_type=general": ("GET", None),
    "/status?chat_type=private&recipient_id=1": ("GET", None),
    "/users": ("GET", None),
    "/users?ids=1": ("GET", None),
    "/users?prefix=a": ("GET", None),
    "/users?online=true": ("GET", None),
    "/events": ("GET", None),
    "/report": ("POST", {"message_id": 1}),
    "/edit": ("POST", {"message_id": 1, "text": "a"}),
    "/withdraw": ("POST", {"message_id": 1}),
    "/read": ("POST", {"id": 1, "chat_type": "general"}),
}
FOR_MODERATORS = {
    "/reports": ("GET", None),
    "/moderate": ("POST", {"user_id": 1, "action": "mute"}),
}
OF_TOKENS = {
    "/tokens": ("POST", {"label": "phone"}),
    "/tokens?of=me": ("GET", None),
    "/tokens/revoke": ("POST", {"id": 1}),
    "/erase": ("POST", {"name": "alice"}),
    "/export": ("GET", None),
}
"""Those that are there only where users have tokens."""

CLOSED |= OF_TOKENS
OPEN = {
    "/health": "GET",
    "/openapi.json": "GET",
    "/connect": "POST",
    "/chats": "GET",
    "/disconnect": "POST",
}


@pytest.mark.parametrize("path", [*CLOSED, *FOR_MODERATORS])
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer nobody", "nobody", "Basic YTpi", "Bearer é"]
)
def test_without_the_right_token_nothing_is_told(web, path, header):
    """A missing, broken or foreign token is 401, and the response tells nothing else."""
    web.send(web.join("alice"), "secret")
    method, body = {**CLOSED, **FOR_MODERATORS}[path]
    headers = {} if header is None else {"Authorization": header}
    response = web.call(method, path, body=body, headers=headers)
    assert (response.status, response.problem) == (401, "unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"
    assert b"secret" not in response.body
    assert b"alice" not in response.body


@pytest.mark.parametrize("prefix", ["", "Bearer ", "bearer ", "BEARER  "])
def test_the_forms_of_a_token(web, prefix):
    """A token stands with or without ``Bearer`` before it."""
    headers = {"Authorization": prefix + web.join()}
    assert web.call("GET", "/status", headers=headers).status == 200


def test_a_private_message_reaches_two_people(web):
    """No view of anybody else's shows it."""
    alice, bob, eve = (web.join(name) for name in ("alice", "bob", "eve"))
    web.send_private(alice, 2, "for bob only")
    views = [path for path, (method, _) in CLOSED.items() if method == "GET"]
    for path in [*views, "/events?after=0", "/status?chat_type=private&recipient_id=2"]:
        assert b"for bob only" not in web.call("GET", path, eve).body
    for token in (alice, bob):
        for path in ("/status?after=0", "/events?after=0"):
            assert b"for bob only" in web.call("GET", path, token).body


@pytest.mark.parametrize("path", [*CLOSED, *OPEN])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "GET", "POST"])
def test_other_methods(web, path, method):
    """A method that the path does not take is 405, with those that it takes."""
    right = CLOSED[path][0] if path in CLOSED else OPEN[path]
    allowed = "GET, HEAD, OPTIONS" if right == "GET" else "POST, OPTIONS"
    if path.partition("?")[0] == "/tokens":
        allowed = "GET, HEAD, POST, OPTIONS"
    if method in allowed.split(", "):
        return
    response = web.call(method, path, web.join())
    assert (response.status, response.problem) == (405, "method-not-allowed")
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/status?after=0", "/users", "/health", "/openapi.json"])
def test_head(web, path):
    """HEAD gets the response of GET, without the body; also who has no token gets no body."""
    token = web.join("alice")
    head, get = web.call("HEAD", path, token), web.call("GET", path, token)
    assert (head.status, head.body) == (200, b"")
    for name in ("content-type", "content-length", "cache-control"):
        assert head.headers[name] == get.headers[name]
    refused = web.call("HEAD", path)
    assert (refused.status, refused.body) == (401 if path in CLOSED else 200, b"")


@pytest.mark.parametrize("path", [*CLOSED, *OPEN])
def test_options(web, path):
    """OPTIONS tells the methods, without a token."""
    right = CLOSED[path][0] if path in CLOSED else OPEN[path]
    response = web.call("OPTIONS", path)
    assert (response.status, response.body) == (204, b"")
    assert right in response.headers["allow"]
    assert "content-length" not in response.headers


@pytest.mark.parametrize("path", ["/nope", "/status/", "/status/more", "//", "/%ff", "/a%2fb"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE"])
def test_paths_that_are_not_there(web, path, method):
    """What is not there is 404, in JSON."""
    response = web.call(method, path)
    assert response.status == 404
    if method != "HEAD":
        assert response.problem == "not-found"


@pytest.mark.parametrize("path", [*CLOSED, *OPEN])
def test_a_store_that_is_away(web, chat, path):
    """Until the store is open, and after it was closed, everything is 503."""
    token = web.join()
    core_of(chat).store.stopService()
    method = CLOSED[path][0] if path in CLOSED else OPEN[path]
    body = CLOSED[path][1] if path in CLOSED else None
    has_user = path in CLOSED or path == "/chats"
    response = web.call(method, path, token if has_user else None, body)
    if path in ("/openapi.json", "/disconnect"):
        assert response.status == 200
        return
    assert (response.status, response.problem) == (503, "store-unavailable")
    assert int(response.headers["retry-after"]) >= 1


def test_a_defect_is_a_500_in_json(web, chat, caplog):
    """Something unforeseen gets a response too, and says nothing about itself."""

    async def broken():
        raise RuntimeError("secret")

    core_of(chat).store.check = broken  # type: ignore[method-assign]
    response = web.call("GET", "/health")
    assert (response.status, response.problem) == (500, "internal-error")
    assert b"secret" not in response.body


def test_every_error_has_a_place_in_the_table():
    """Each type and each slug stand once, and the table is the whole family."""
    assert len({slug for slug, _, _ in ERRORS.values()}) == len(ERRORS)
    assert StoreUnavailable in ERRORS


def test_health(web):
    """``/health`` needs no token."""
    assert web.call("GET", "/health").json == {"status": "OK"}


def test_beside_other_resources(make_web, clock):
    """Chats are put anywhere into a tree, several of them, and know nothing of each other."""
    root = Resource()
    for name in (b"one", b"two"):
        root.putChild(name, ChatResource(memory_chat(clock)))
    web = make_web(root)
    token = web.call("POST", "/one/connect").json["token"]
    assert web.call("GET", "/one/status", token).status == 200
    assert web.call("GET", "/two/status", token).status == 401
    assert web.call("GET", "/one/nope").problem == "not-found"


def test_an_application_that_knows_its_users(make_web, chat, by_header):
    """With a way of its own to authenticate, nobody needs or gets a token."""
    web = make_web(ChatResource(chat, by_header))
    headers = {"X-Account": "alice"}
    connected = web.call("POST", "/connect", headers=headers)
    assert connected.json == {"status": "success", "user_id": 1, "name": "alice", "cursor": 0}
    assert "authorization" not in connected.headers
    assert web.call("POST", "/send", headers=headers, body={"text": "a"}).json["sender_id"] == 1
    assert web.call("POST", "/connect").status == 401
    assert web.call("GET", "/status").status == 401


@pytest.mark.parametrize("kind", ["a value", "a Deferred", "a coroutine", "it raises", "nobody"])
def test_how_an_application_says_who_its_user_is(make_web, chat, kind):
    """Its callback returns a user, a Deferred or an awaitable of one, or raises Unauthorized."""
    waiting: list[Deferred[Any]] = []

    def authenticate(request):
        alice = result_of(chat.join("alice"))
        if kind == "a value":
            return alice
        if kind == "a Deferred":
            waiting.append(Deferred())
            return waiting[-1]
        if kind == "a coroutine":
            return _of(alice)
        if kind == "it raises":
            raise Unauthorized
        return None

    web = make_web(ChatResource(chat, authenticate))
    protocol, transport = web.connect()
    protocol.dataReceived(b"GET /status HTTP/1.1\r\nHost: test\r\n\r\n")
    for deferred in waiting:
        assert not transport.value()
        deferred.callback(result_of(chat.join("alice")))
    response = Response(transport.value())
    assert response.status == (401 if kind in ("it raises", "nobody") else 200)
    protocol.connectionLost(Failure(ConnectionDone()))


async def _of(user):
    return user


def test_an_application_advises_no_token(make_web, chat):
    """Its 401 and its OpenAPI document don't speak of tokens, which its users don't have."""
    web = make_web(ChatResource(chat, lambda _: None))
    for method, path in (("GET", "/status"), ("POST", "/connect"), ("GET", "/events")):
        response = web.call(method, path)
        assert (response.status, response.problem) == (401, "unauthorized")
        assert "www-authenticate" not in response.headers
        assert "oken" not in response.json["detail"]
    document = web.call("GET", "/openapi.json").body
    assert b"bearer" not in document
    assert b"WWW-Authenticate" not in document


def test_an_application_that_gives_no_user(make_web, chat, capfd):
    """What is no user of a chat is a defect of the application: 500, and the log says which."""
    authenticate: Any = lambda _: "alice"  # noqa: E731
    web = make_web(ChatResource(chat, authenticate))
    assert web.call("GET", "/status").problem == "internal-error"
    assert "authenticate() gave a str, which is no User." in capfd.readouterr().err


OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://chat.example"},
    {"Origin": "http://chat.example"},
    {"Origin": "https://chat.example"},
    {"Origin": "https://CHAT.example"},
    {"Origin": "https://named.example"},
    {"Origin": "https://named.example", "Sec-Fetch-Site": "cross-site"},
]
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://chat.example"},
    {"Origin": "https://evil.example"},
    {"Origin": "https://chat.example:8443"},
    {"Origin": "https://chat.example.evil.example"},
    {"Origin": "https://evil.example/https://chat.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "chat.example"},
    {"Origin": "http://named.example"},
]


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [*((headers, True) for headers in OWN), *((headers, False) for headers in FOREIGN)],
)
def test_pages_of_other_sites_do_nothing_by_cookies(make_web, chat, headers, is_own):
    """What browsers send by themselves counts only in requests of the chat's own pages."""
    alice = result_of(chat.join("alice"))
    result_of(chat.send(alice, "secret"))
    asked = []

    def authenticate(request):
        asked.append(request)
        return alice

    web = make_web(ChatResource(chat, authenticate, origins=["https://named.example"]))
    headers = {"Host": "chat.example", "Cookie": "session=alice", **headers}
    for path, (method, body) in CLOSED.items():
        if (path == "/events" and is_own) or path in OF_TOKENS:
            continue
        response = web.call(method, path, None, body, {**headers, "Authorization": "Bearer a"})
        assert response.status == (200 if is_own else 403), path
        if not is_own:
            assert response.problem == "forbidden"
            assert b"secret" not in response.body
    assert bool(asked) is is_own
    if not is_own:
        assert result_of(chat.cursor(alice)) == 0
        assert result_of(chat.peek(alice)).cursor == 1
    assert web.call("GET", "/health", headers=headers).status == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_who_sends_a_token_may_come_from_anywhere(web, headers):
    """A browser never sends a token by itself."""
    assert web.call("GET", "/status", web.join(), headers=headers).status == 200


def test_a_port_that_goes_without_saying(make_web, chat):
    """An origin leaves out its scheme's port; a client need not."""
    alice = result_of(chat.join("alice"))
    web = make_web(ChatResource(chat, lambda _: alice))
    for host in ("chat.example", "chat.example:443", "chat.example:80"):
        headers = {"Host": host, "Origin": "https://chat.example"}
        assert web.call("GET", "/status", headers=headers).status == 200
    headers = {"Host": "chat.example:8443", "Origin": "https://chat.example"}
    assert web.call("GET", "/status", headers=headers).status == 403


def test_one_string_is_no_list_of_origins(chat):
    """Each of its letters would be an origin."""
    with pytest.raises(TypeError, match=r"origins=\['https://good\.example'\]"):
        ChatResource(chat, origins="https://good.example")


@pytest.mark.parametrize(
    "origin",
    ["https://good.example/", "good.example", "https://", "", "null", "https://a b", b"https://a"],
)
def test_what_is_no_origin(chat, origin):
    """It would never match, so it is refused."""
    with pytest.raises(ValueError, match=r"is no origin"):
        ChatResource(chat, origins=[origin])


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("HTTPS://Good.Example:443", "https://good.example"),
        ("http://good.example:80", "http://good.example"),
        ("http://good.example:8080", "http://good.example:8080"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
    ],
)
def test_an_origin_is_known_however_it_was_written(make_web, chat, written, sent):
    """Browsers write it in lower case, without the port that is the scheme's own."""
    web = make_web(ChatResource(chat, origins=[written]))
    response = web.call("GET", "/health", headers={"Origin": sent})
    assert response.headers["access-control-allow-origin"] == sent


def test_pages_of_other_origins(make_web, chat):
    """Only the origins that were named may use the chat from a browser."""
    web = make_web(ChatResource(chat, origins=["https://good.example"]))
    good, bad = {"Origin": "https://good.example"}, {"Origin": "https://evil.example"}
    allow = "access-control-allow-origin"
    assert web.call("GET", "/health", headers=good).headers[allow] == "https://good.example"
    assert allow not in web.call("GET", "/health", headers=bad).headers
    assert web.call("GET", "/health", headers=bad).headers["vary"] == "Origin"
    preflight = {**good, "Access-Control-Request-Method": "POST"}
    response = web.call("OPTIONS", "/send", headers=preflight)
    assert response.status == 204
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "Authorization" in response.headers["access-control-allow-headers"]


def test_no_origin_is_allowed_by_default(web):
    """Without any named, a browser lets no other page read a response."""
    response = web.call("GET", "/health", headers={"Origin": "https://good.example"})
    assert "access-control-allow-origin" not in response.headers
