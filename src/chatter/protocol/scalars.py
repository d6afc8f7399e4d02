"""Ids, texts, names and keys: what is valid is written on the types, once.

The bodies of HTTP, the OpenAPI document and the chat itself all check with these.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

MAX_ID = 2**63 - 1
"""The largest id: what SQLite and PostgreSQL hold in an integer column."""

MAX_TEXT = 4096
"""The length of the longest text, in characters."""

TEXT_PATTERN = r"^(?=[^\x00]*$)[^\x00]*\S"
"""What a text looks like: the look-ahead refuses NUL, the rest requires a non-blank."""

MAX_NAME = 32
"""The length of the longest name, in characters."""

BLANK_SYMBOLS = "\u2800\ufffc\U00013441\U00013442\U00016fe4\U0001d159"
"""What shows nothing, though Unicode has it among the visible: a Braille pattern without dots, a
place for an object, blanks of hieroglyphs, a filler of Khitan, and a note without a head."""

_NEVER_NEEDED = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
"""What is invisible, and yet a letter or a mark: a grapheme joiner, fillers, silent vowels."""

NEEDED_IN_NAMES = "\u180e\u200c\u200d\U000e0030-\U000e007f"
"""What is no letter, mark or symbol, and yet part of names: the Mongolian vowel separator, joiners,
and the tags of flags."""

Id: TypeAlias = Annotated[
    int, Meta(ge=1, le=MAX_ID, description="An id: an integer from 1 to 9223372036854775807.")
]

Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""A time with its zone, which is UTC in all that the server sends."""

OPERATOR_ID = 0
"""Who the operator of the chat is, where the one who did something is named."""

ById: TypeAlias = Annotated[
    int,
    Meta(ge=0, le=MAX_ID, description="The id of the user who did it; 0 for the operator."),
]

IdAsText: TypeAlias = Annotated[
    str,
    # Python's ``$`` also matches before a newline at the end.
    Meta(
        pattern=r"^([1-9][0-9]{0,17}|[1-8][0-9]{18})(?!\n)$",
        description="The same as a decimal string.",
        examples=["7"],
    ),
]
"""An id as a client sends it that passes on what was typed."""

Cursor: TypeAlias = Annotated[
    int,
    Meta(ge=0, le=MAX_ID, description="The id of the last message read; 0 before the first."),
]

Text: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_TEXT,
        # For who reads the document: to search it takes msgspec longer than all else that it
        # does with a message, and the chat checks each text anyway (``validation.checked_text``).
        extra_json_schema={"pattern": TEXT_PATTERN},
        description="A text of 1 to 4096 characters, not all of them blank, without NUL.",
        examples=["Hello, everybody!"],
    ),
]

Name: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_NAME,
        description="A name of 1 to 32 printable characters without surrounding blanks, invisible "
        "ones only where a script or an emoji needs them; unique whatever their case.",
        examples=["alice"],
        # What chatter.protocol.names checks, for those who read the OpenAPI document, except where
        # an invisible character is needed; Python's own regular expressions know no categories.
        extra_json_schema={
            "pattern": rf"^(?!\p{{M}})(?!.*[{BLANK_SYMBOLS}{_NEVER_NEEDED}])"
            rf"[\p{{L}}\p{{M}}\p{{N}}\p{{P}}\p{{S}}{NEEDED_IN_NAMES}]+"
            rf"( +[\p{{L}}\p{{M}}\p{{N}}\p{{P}}\p{{S}}{NEEDED_IN_NAMES}]+)*$"
        },
    ),
]

Label: TypeAlias = Annotated[
    str,
    Meta(
        max_length=64,
        # Without control characters, which terminals act on and PostgreSQL does not keep.
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*(?!\n)$",
        description="What the user calls it: at most 64 characters, on one line.",
        examples=["phone"],
    ),
]

Invitation: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+(?!\n)$",
        description="An invitation to join: 1 to 200 visible ASCII characters.",
    ),
]

JoinPolicy: TypeAlias = Literal["open", "invited", "closed"]
"""Who can join: everybody, whoever has an invitation, or nobody."""

MOST_UNREAD = 100
"""Unread messages of a chat are counted up to so many."""

Unread: TypeAlias = Annotated[
    int, Meta(ge=0, le=MOST_UNREAD, description="How many are unread; 100 stands for 100 or more.")
]

IdempotencyKey: TypeAlias = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[!-~]+(?!\n)$",
        description="A key of 1 to 64 visible ASCII characters. A retry with the same key appends "
        "once.",
    ),
]

JoinKey: TypeAlias = Annotated[
    str,
    Meta(
        min_length=22,
        max_length=64,
        pattern=r"^[!-~]+(?!\n)$",
        description="A secret key of 22 to 64 visible ASCII characters, made at random. A retry "
        "with the same key within ten minutes joins once.",
    ),
]

Epoch: TypeAlias = Annotated[
    str,
    Meta(
        max_length=512,
        pattern=r"^[0-9a-z.~]*(?!\n)$",
        description="The epoch that the last response had with the cursor; empty if none is known.",
    ),
]
