"""What the OpenAPI document can't say, so that schemathesis would take it for allowed."""

from __future__ import annotations

import re
from typing import Any

import schemathesis  # type: ignore[import-not-found]
from schemathesis import GenerationMode

_OF_THE_POLL = {"after", "wait", "peek"}
_INVISIBLE = re.compile("[\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\U000e0000-\U000e0fff]")
_OF_A_LOOK = {"chat_type", "recipient_id", "before"}


@schemathesis.hook  # type: ignore[untyped-decorator]
def filter_case(_: Any, case: Any) -> bool:
    """Leave out what is valid by the document, but not by the words in it."""
    query = case.query or {}
    wait = query.get("wait")
    if isinstance(wait, (int, float)) and 0.05 < wait <= 60:
        # It would do as it is told, and wait.
        return False
    if case.meta is None or case.meta.generation.mode == GenerationMode.NEGATIVE:
        return True
    if isinstance(case.body, dict) and isinstance(case.body.get("recipient_id"), float):
        # JSON Schema takes 1.0 for an integer.
        return False
    if isinstance(case.body, dict) and _INVISIBLE.search(str(case.body.get("name"))):
        # Where a name may have such a character the document says in words.
        return False
    path = case.operation.path
    if path == "/read" and isinstance(case.body, dict):
        private = case.body.get("chat_type") == "private"
        return private == (case.body.get("recipient_id") is not None)
    if path == "/users":
        chosen = [name for name in ("ids", "prefix") if name in query]
        return len(chosen) + bool(query.get("online")) + ("after" in query) <= 1 or not chosen
    return path != "/status" or _goes_together(query)


def _goes_together(query: dict[str, Any]) -> bool:
    given = set(query)
    if "chat_type" not in given:
        return not given & _OF_A_LOOK
    private = query["chat_type"] == "private"
    return not given & _OF_THE_POLL and private == ("recipient_id" in given)
