"""``GET /openapi.json`` describes every endpoint, by the types that check the requests."""

from __future__ import annotations

import json

import pytest

from chatter.protocol.problems import ERRORS
from chatter.protocol.queries import MAX_LIMIT, MAX_WAIT
from chatter.protocol.scalars import MAX_NAME, MAX_TEXT
from chatter.web import ChatResource
from tests.web.test_access import CLOSED, FOR_MODERATORS, OPEN


@pytest.fixture
def document(web):
    response = web.call("GET", "/openapi.json")
    assert response.headers["content-type"] == "application/json"
    return response.json


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_it_has_every_endpoint(document, chat):
    """Each path that the resource has is there with its methods, and no other."""
    assert set(document["paths"]) == set(paths_below(ChatResource(chat)))
    closed = {
        (path.partition("?")[0], method)
        for path, (method, _) in {**CLOSED, **FOR_MODERATORS}.items()
    }
    found = [(path, method.upper()) for path, method, _ in operations(document)]
    assert sorted(found) == sorted(closed | set(OPEN.items()))
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


def paths_below(resource, path=""):
    for name, child in resource.children.items():
        yield f"{path}/{name.decode()}"
        yield from paths_below(child, f"{path}/{name.decode()}")


def test_it_says_who_needs_a_token(document):
    """All but some need one; /connect, /chats and /disconnect may have one."""
    needs = {path: operation.get("security") for path, _, operation in operations(document)}
    (scheme,) = document["components"]["securitySchemes"]
    token: dict[str, list[str]] = {scheme: []}
    for path in ("/connect", "/chats", "/disconnect"):
        assert needs.pop(path) == [{}, token]
    assert {path for path, security in needs.items() if security == [token]} == {
        path.partition("?")[0] for path in [*CLOSED, *FOR_MODERATORS]
    }
    assert {path for path, security in needs.items() if security is None} == {
        "/health",
        "/openapi.json",
    }


def test_its_limits_are_those_that_are_checked(document):
    """The bounds in it come from the types that the requests are checked with."""
    status = document["paths"]["/status"]["get"]["parameters"]
    schema = {parameter["name"]: parameter["schema"] for parameter in status}
    assert schema["limit"]["maximum"] == MAX_LIMIT
    assert schema["wait"]["maximum"] == MAX_WAIT
    assert set(schema["chat_type"]["enum"]) == {"general", "common", "private"}
    schemas = document["components"]["schemas"]
    assert schemas["SendBody"]["properties"]["text"]["maxLength"] == MAX_TEXT
    name, nothing = schemas["ConnectBody"]["properties"]["name"]["anyOf"]
    assert (name["maxLength"], nothing) == (MAX_NAME, {"type": "null"})


def test_it_names_the_header_fields_that_are_read(document):
    """A send and a join take a key, a stream the id to begin after."""
    found = {
        (path, parameter["name"])
        for path, _, operation in operations(document)
        for parameter in operation["parameters"]
        if parameter["in"] == "header"
    }
    assert found == {
        ("/connect", "Idempotency-Key"),
        ("/send", "Idempotency-Key"),
        ("/send-private", "Idempotency-Key"),
        ("/tokens", "Idempotency-Key"),
        ("/events", "Last-Event-ID"),
    }


def test_it_has_every_error(document):
    """Each error of the family is a response of some endpoint."""
    described = {
        int(status)
        for _, _, operation in operations(document)
        for status in operation["responses"]
        if status != "200"
    }
    assert described == {status for _, status, _ in ERRORS.values()}


def test_all_that_it_refers_to_is_in_it(document):
    """Every reference leads to a schema, and every schema is referred to."""
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text
        text = text.replace(f'"#/components/schemas/{name}"', "")
    assert "#/components" not in text
