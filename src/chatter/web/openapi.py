"""``GET /openapi.json``: the endpoints, described by the types that check them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec import json

from chatter.protocol.errors import (
    Banned,
    ChatError,
    ContentTooLarge,
    Forbidden,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    MisdirectedRequest,
    StoreUnavailable,
    TooManyRequests,
    TransientError,
    Unauthorized,
    UnsupportedMediaType,
)
from chatter.protocol.problems import ERRORS, Problem
from chatter.version import __version__
from chatter.web.endpoint import Endpoint, Methods, Operation
from chatter.web.responses import Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twisted.web.server import Request

_REF = "#/components/schemas/{name}"
_BEARER = "token"

_OPERATION_IDS = {("tokens", "POST"): "make_token", ("tokens/revoke", "POST"): "revoke_token"}
"""The names of those that are not named like their path."""


class OpenAPIEndpoint(Endpoint):
    """Responds with the OpenAPI document of some endpoints, and of itself.

    :param uses_tokens: whether users have tokens; if not, the document says nothing of how
        the application authenticates them.
    """

    operation = Operation(
        method="GET",
        summary="This document",
        description="Needs no token.",
        response=dict,
        needs_user=False,
    )

    def __init__(self, endpoints: Mapping[str, Endpoint | Methods], *, uses_tokens: bool) -> None:
        super().__init__()
        operations = {
            path: [each.operation for each in _each(endpoint)]
            for path, endpoint in endpoints.items()
        }
        operations["openapi.json"] = [self.operation]
        self._response = json_response(document(operations, uses_tokens=uses_tokens))

    async def respond(self, request: Request) -> Response:  # noqa: ARG002
        """Respond with the document."""
        return self._response


def _each(endpoint: Endpoint | Methods) -> Sequence[Endpoint]:
    return endpoint.endpoints if isinstance(endpoint, Methods) else (endpoint,)


def document(operations: Mapping[str, Sequence[Operation]], *, uses_tokens: bool) -> dict[str, Any]:
    """The OpenAPI 3.1 document of operations at their paths."""
    schemas = _Schemas(chain.from_iterable(operations.values()))
    described = {
        "openapi": "3.1.0",
        "info": {
            "title": "chatter",
            "version": __version__,
            "description": "One log of messages, everyone a cursor.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        # Relative to this document, wherever the chat is put.
        "servers": [{"url": "."}],
        "paths": {
            f"/{path}": {
                operation.method.lower(): _operation(path, operation, schemas)
                for operation in of_path
            }
            for path, of_path in operations.items()
        },
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer"}},
        },
    }
    return described if uses_tokens else _without_tokens(described)


def _without_tokens(document: dict[str, Any]) -> dict[str, Any]:
    """The same document where the application authenticates its users in a way of its own."""
    del document["components"]["securitySchemes"]
    for operations in document["paths"].values():
        for operation in operations.values():
            operation.pop("security", None)
            operation["responses"].get("401", {}).pop("headers", None)
    return document


class _Schemas:
    """The JSON schemas of all types that the operations name."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        types: list[Any] = [Problem]
        for operation in operations:
            named = (
                operation.query,
                operation.body,
                operation.response,
                *operation.headers.values(),
            )
            types.extend(type_ for type_ in named if type_ is not None)
        schemas, self.components = json.schema_components(types, ref_template=_REF)
        self._schema_of = dict(zip(types, schemas, strict=True))

    def of(self, type_: Any) -> dict[str, Any]:
        """The schema of a type, by reference where it has a name."""
        schema: dict[str, Any] = self._schema_of[type_]
        return schema

    def headers(self, type_: type) -> dict[str, Any]:
        """The schemas of a type's members."""
        headers: dict[str, Any] = self.components.pop(type_.__name__)["properties"]
        return headers


def _operation(path: str, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _OPERATION_IDS.get(
            (path, operation.method), path.removesuffix(".json").replace("-", "_")
        ),
        "summary": operation.summary,
        "description": operation.description,
        "parameters": _parameters(operation, schemas),
        "responses": _responses(operation, schemas),
    }
    if operation.needs_user:
        described["security"] = [{_BEARER: []}]
    elif Unauthorized in operation.errors:
        described["security"] = [{}, {_BEARER: []}]
    if operation.body is not None:
        described["requestBody"] = {
            "required": not operation.body_is_optional,
            "content": {"application/json": {"schema": schemas.of(operation.body)}},
        }
    return described


def _parameters(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    if operation.query is not None:
        parameters = [
            {"name": name, "in": "query", "schema": _without_null(schema)}
            for name, schema in schemas.headers(operation.query).items()
        ]
    parameters += [
        {"name": name, "in": "header", "schema": schemas.of(type_)}
        for name, type_ in operation.headers.items()
    ]
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that is not given is not in the URL; it is never null there."""
    if "anyOf" in schema:
        (choice,) = (c for c in schema["anyOf"] if c != {"type": "null"})
        return dict(choice)
    if None in schema.get("enum", ()):
        return {**schema, "enum": [value for value in schema["enum"] if value is not None]}
    return schema


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    responses: dict[str, Any] = {
        "200": {
            "description": "The response.",
            "content": {operation.media_type: {"schema": schemas.of(operation.response)}},
        }
    }
    errors: set[type[ChatError]] = {
        MethodNotAllowed,
        MisdirectedRequest,
        InternalError,
        StoreUnavailable,
    }
    errors.update(operation.errors)
    if operation.needs_user:
        errors.update((Unauthorized, Forbidden, Banned, TooManyRequests))
    if operation.query is not None or operation.body is not None:
        errors.add(InvalidRequest)
    if operation.body is not None:
        errors.update((ContentTooLarge, UnsupportedMediaType))
    for error in sorted(errors, key=lambda error: (ERRORS[error][1], ERRORS[error][0])):
        status = str(ERRORS[error][1])
        if status in responses:
            responses[status]["description"] += f" {ERRORS[error][2]}."
        else:
            responses[status] = _error_response(error, schemas)
    return responses


def _error_response(error: type[ChatError], schemas: _Schemas) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": ERRORS[error][2] + ".",
        "content": {"application/problem+json": {"schema": schemas.of(Problem)}},
    }
    header = (
        "WWW-Authenticate"
        if error is Unauthorized
        else "Allow"
        if error is MethodNotAllowed
        else "Retry-After"
        if issubclass(error, TransientError)
        else None
    )
    if header is not None:
        response["headers"] = {header: {"required": True, "schema": {"type": "string"}}}
    return response
