"""What happens in the chat beside the browsers: others write, and the server is looked at."""

from __future__ import annotations

import itertools
import json
import socket

from tests.page.people import new_name

_numbers = itertools.count(1)


def new_text(text):
    """A text that nobody has said yet."""
    return f"{text} {next(_numbers)}"


def filled(server, count):
    """Somebody without a browser, who has sent so many messages, all in one go."""
    person = server.connect(new_name("writer"))
    head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {person['token']}\r\n"
    requests = []
    for number in range(count):
        body = json.dumps({"text": f"{person['name']}: {number}"})
        length = f"Content-Length: {len(body)}\r\n"
        requests.append(f"POST /send HTTP/1.1\r\n{head}{length}\r\n{body}")
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        for some in batches(requests, 100):
            connection.sendall("".join(some).encode())
            received = b""
            while received.count(b"HTTP/1.1 ") < len(some):
                data = connection.recv(65536)
                assert data, received[-1000:]
                received += data
            assert received.count(b"HTTP/1.1 200 OK") == len(some), received
    return person


def batches(items, size):
    return [items[start : start + size] for start in range(0, len(items), size)]


def send(server, person, text, recipient=None):
    path = "/send" if recipient is None else "/send-private"
    body = {"text": text} if recipient is None else {"text": text, "recipient_id": recipient}
    status, message = server.request("POST", path, person["token"], body)
    assert status == 200, message
    return message


def id_of(server, person, name):
    """The id of somebody who joined in a browser."""
    _, page = server.request("GET", "/users?limit=1000", person["token"])
    return next(user["id"] for user in page["users"] if user["name"] == name)


def texts_of(server, count=100):
    """The texts of the general chat, as the server has them."""
    token = server.connect()["token"]
    _, page = server.request("GET", f"/status?chat_type=general&limit={count}", token)
    return [message["text"] for message in page["messages"]]
