"""What the OpenAPI document can't say, so that schemathesis would take it for allowed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import schemathesis  # type: ignore[import-not-found]
from schemathesis import GenerationMode

_OF_THE_POLL = {"after", "wait", "peek", "epoch"}
_INVISIBLE = re.compile("[\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\U000e0000-\U000e0fff]")
_OF_A_LOOK = {"chat_type", "recipient_id", "before"}


@schemathesis.hook  # type: ignore[untyped-decorator]
def filter_case(_: Any, case: Any) -> bool:
    """Leave out what is valid by the document, but not by the words in it."""
    query = case.query or {}
    if len(urlencode(query, doseq=True)) > 8000:
        # No endpoint would see it: 414.
        return False
    wait = query.get("wait")
    if isinstance(wait, (int, float)) and 0.05 < wait <= 60:
        # It would do as it is told, and wait.
        return False
    if case.meta is None or case.meta.generation.mode == GenerationMode.NEGATIVE:
        return bool(_FITS_ALWAYS.get(case.operation.path, _is_anything)(query, case.body))
    if isinstance(case.body, dict) and any(isinstance(v, float) for v in case.body.values()):
        # JSON Schema takes 1.0 for an integer.
        return False
    if isinstance(case.body, dict) and _INVISIBLE.search(str(case.body.get("name"))):
        # Where a name may have such a character the document says in words.
        return False
    fits = _FITS.get(case.operation.path)
    return fits is None or fits(query, case.body)


def _has_one_filter(query: dict[str, Any], _: Any) -> bool:
    chosen = len({"ids", "prefix"} & set(query))
    return not chosen or chosen + ("after" in query) + bool(query.get("online")) == 1


def _names_a_chat(_: dict[str, Any], body: Any) -> bool:
    private = body.get("chat_type") == "private"
    return bool(private == (body.get("recipient_id") is not None))


def _goes_together(query: dict[str, Any], _: Any) -> bool:
    given = set(query)
    if "chat_type" not in given:
        return not given & _OF_A_LOOK
    private = query["chat_type"] == "private"
    return not given & _OF_THE_POLL and private == ("recipient_id" in given)


def _is_anything(*_: Any) -> bool:
    return True


def _is_another_token(_: dict[str, Any], body: Any) -> bool:
    """Whether a token stays that is not the one of the test, which is the first."""
    return not isinstance(body, dict) or body.get("id") != 1


_FITS_ALWAYS = {"/tokens/revoke": _is_another_token}
_FITS = {
    "/users": _has_one_filter,
    "/read": _names_a_chat,
    "/status": _goes_together,
    **_FITS_ALWAYS,
}
