"""``POST /send`` and ``POST /send-private``."""

from __future__ import annotations

import pytest

PATHS = ["/send", "/send-private"]


def body(path, text="hi", **more):
    return {"text": text, **({"recipient_id": 1} if path == "/send-private" else {}), **more}


def test_the_response_is_the_message(web):
    """A message says who sent it, to whom, what and when."""
    token = web.join("alice")
    message = web.send(token, "Grüße 😀")
    assert message == {
        "id": 1,
        "sender_id": 1,
        "recipient_id": None,
        "text": "Grüße 😀",
        "sent_at": "2023-11-14T22:13:20Z",
    }
    assert web.send_private(token, 1)["recipient_id"] == 1


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "text", ["", " \n\t", "x" * 4097, "a\x00b", "\x00", None, 1, True, ["a"], {"a": "b"}]
)
def test_what_can_not_be_said(web, path, text):
    """A text has 1 to 4096 characters, is not blank and has no NUL; else 400."""
    response = web.call("POST", path, web.join(), body(path, text))
    assert (response.status, response.problem) == (400, "invalid-request")


@pytest.mark.parametrize("text", ["x", "x" * 4096, "😀" * 4096, " a ", "\ud83d\ude00", "\u202e"])
def test_what_can_be_said(web, text):
    """Anything else is sent and read as it is."""
    token = web.join()
    text = text.encode("utf-16", "surrogatepass").decode("utf-16")
    assert web.send(token, text)["text"] == text
    assert web.call("GET", "/status", token).json["messages"][0]["text"] == text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"text=hi",
        b"{}",
        b'{"text": "\xff"}',
        b'{"text": "\xed\xa0\x80"}',
        b'{"text": "\\ud800"}',
        b'{"text": "a", "recipient_id": 1}x',
        b'\xef\xbb\xbf{"text": "a", "recipient_id": 1}',
        b'{"a":' * 10_000,
        b"[" * 60_000,
        b'{"text": "a", "recipient_id": 1, "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"text": NaN, "recipient_id": 1}',
    ],
)
def test_what_is_no_json_of_the_right_kind(web, path, content):
    """Anything that can't be parsed is 400, never 500."""
    response = web.call("POST", path, web.join(), content=content)
    assert (response.status, response.problem) == (400, "invalid-request")


@pytest.mark.parametrize(
    "number",
    [
        *("0", "-1", "1.5", "1.0", "1e0", "true", "null", "[1]", "{}", "1e400"),
        *("9" * 30, "9" * 5000, str(2**63)),
        *('""', '" 1"', '"1 "', '"+1"', '"-1"', '"1.0"', '"1e0"', '"0"', '"01"', '"0x1"', '"1_0"'),
        *('"1\\n"', '"\\u0661"', '"\uff11"', '"alice"', f'"{2**63}"', f'"{"9" * 5000}"'),
    ],
)
def test_what_is_no_user_id(web, number):
    """A recipient is a positive integer, and the error says so without repeating what came."""
    content = b'{"text": "a", "recipient_id": %b}' % number.encode()
    response = web.call("POST", "/send-private", web.join(), content=content)
    assert (response.status, response.problem) == (400, "invalid-request")
    detail = response.json["detail"]
    assert detail.startswith("recipient_id ")
    assert "an integer from 1 to " in detail
    assert "alice" not in detail
    assert "msgspec" not in detail
    assert "`" not in detail


def test_an_id_as_it_was_typed(web):
    """A decimal string is taken for the id, since some clients pass on what was typed."""
    alice, _ = web.join("alice"), web.join("bob")
    response = web.call("POST", "/send-private", alice, {"text": "a", "recipient_id": "2"})
    assert (response.status, response.json["recipient_id"]) == (200, 2)
    response = web.call("POST", "/send-private", alice, {"text": "a", "recipient_id": str(10**17)})
    assert (response.status, response.problem) == (404, "unknown-recipient")


@pytest.mark.parametrize("recipient_id", [1, 99, "1", "", 0, [], {}, True, "alice"])
def test_a_private_text_does_not_become_public(web, recipient_id):
    """A recipient in a body for everybody is 400, and nothing is stored."""
    token = web.join("alice")
    response = web.call("POST", "/send", token, {"text": "psst", "recipient_id": recipient_id})
    assert (response.status, response.problem) == (400, "invalid-request")
    assert "/send-private" in response.json["detail"]
    assert web.call("GET", "/status", token).json["messages"] == []


@pytest.mark.parametrize("query", ["recipient_id=1", "a=b&recipient%5fid="])
def test_a_recipient_in_the_url_does_not_become_everybody(web, query):
    """A client that writes the parameters of a request into its URL is told where they belong."""
    token = web.join("alice")
    response = web.call("POST", f"/send?{query}", token, {"text": "psst"})
    assert (response.status, response.problem) == (400, "invalid-request")
    assert "/send-private" in response.json["detail"]
    assert web.call("GET", "/status", token).json["messages"] == []


def test_nobody_as_the_recipient_is_everybody(web):
    """``null`` is what a message to everybody has there."""
    response = web.call("POST", "/send", web.join(), {"text": "a", "recipient_id": None})
    assert (response.status, response.json["recipient_id"]) == (200, None)


@pytest.mark.parametrize(
    ("path", "content", "detail"),
    [
        ("/send", "{}", "text is missing. "),
        ("/send", '{"text": 1}', "text is an integer. "),
        ("/send", '{"text": ""}', "text is empty. "),
        ("/send", '{"text": "%s"}' % ("x" * 4097), "text is too long. "),
        ("/send", '{"text": " "}', "text is not valid. "),
        ("/send", '{"text": "a", "recipient_id": 1}', "recipient_id does not belong here. "),
        ("/send", "[]", "The body is an array, not an object."),
        ("/send-private", '{"text": "a"}', "recipient_id is missing. "),
        (
            "/send-private",
            '{"text": "a", "recipient_id": "x"}',
            "recipient_id has the wrong form. ",
        ),
        ("/send-private", '{"text": "a", "recipient_id": 0}', "recipient_id is too small. "),
        ("/connect", '{"name": 7}', "name is an integer. "),
    ],
)
def test_an_error_says_what_is_wrong_and_what_is_expected(web, path, content, detail):
    """Its detail is for the person who reads it: in the words of HTTP, not of Python."""
    headers = {"Content-Type": "application/json"}
    token = None if path == "/connect" else web.join()
    response = web.call("POST", path, token, content=content.encode(), headers=headers)
    assert response.problem == "invalid-request"
    assert response.json["detail"].startswith(detail)


def test_a_recipient_whom_nobody_is(web):
    """A private message to nobody is 404, and is not stored."""
    token = web.join()
    response = web.call("POST", "/send-private", token, {"text": "a", "recipient_id": 99})
    assert (response.status, response.problem) == (404, "unknown-recipient")
    response = web.call("POST", "/send-private", token, {"text": " ", "recipient_id": 99})
    assert (response.status, response.problem) == (400, "invalid-request")
    assert web.call("GET", "/status", token).json["messages"] == []


@pytest.mark.parametrize("path", PATHS)
def test_a_retry_with_the_same_key_appends_once(web, path):
    """The first message is the response again, whatever the retry says."""
    token = web.join()
    headers = {"Idempotency-Key": "~key!"}
    first = web.call("POST", path, token, body(path, "one"), headers)
    again = web.call("POST", path, token, body(path, "two"), headers)
    assert first.json == again.json
    assert len(web.call("GET", "/status", token).json["messages"]) == 1
    other = web.call("POST", path, web.join(), body(path, "three"), headers)
    assert other.json["id"] != first.json["id"]


@pytest.mark.parametrize("key", ["x" * 65, "a b", "é", ""])
def test_a_key_that_is_none(web, key):
    """A key has at most 64 visible characters."""
    headers = {"Idempotency-Key": key}
    response = web.call("POST", "/send", web.join(), {"text": "a"}, headers)
    assert (response.status, response.problem) == (400, "invalid-request")


@pytest.mark.parametrize("size", [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1])
def test_the_size_of_a_body(web, size):
    """A body of 64 KiB is read; one byte more is 413."""
    start, end = b'{"text": "a", "x": "', b'"}'
    content = start + b"x" * (size - len(start) - len(end)) + end
    response = web.call("POST", "/send", web.join(), content=content)
    assert response.status == (200 if size <= 64 * 1024 else 413)
    if size > 64 * 1024:
        assert response.problem == "content-too-large"


def test_the_content_type_does_not_matter(web):
    """What is sent is JSON, also if a tool says otherwise."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    token = web.join()
    response = web.call("POST", "/send", token, headers=headers, content=b'{"text": "a=b"}')
    assert response.json["text"] == "a=b"
