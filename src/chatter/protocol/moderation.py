"""The values of moderation: what moderators do, what users report, which addresses are banned."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from chatter.protocol.model import Message
from chatter.protocol.scalars import Id, Time

Action: TypeAlias = Annotated[
    Literal["mute", "unmute", "ban", "unban"],
    Meta(description="What is done to a user: mute, unmute, ban or unban."),
]

Seconds: TypeAlias = Annotated[
    int,
    Meta(ge=1, le=315_360_000, description="For so many seconds: an integer from 1 to 315360000."),
]

Reason: TypeAlias = Annotated[
    str,
    Meta(
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]*(?!\n)$",
        description="A reason of at most 200 characters, in one line.",
    ),
]

Network: TypeAlias = Annotated[
    str,
    Meta(max_length=50, description="An IP address, or a network of them: 10.0.0.5 or 10.0.0.0/8."),
]


class Report(Struct, frozen=True, gc=False):
    """A message that a user wants moderators to look at.

    :ivar message: as it is now.
    :ivar reporter_id: the user who has reported it.
    :ivar at: when it was reported, in UTC.
    """

    id: Id
    message: Message
    reporter_id: Id
    reason: str
    at: Time


class OwnReport(Struct, frozen=True, gc=False):
    """A report, as the user who has made it gets it back.

    :ivar at: when the message was reported, in UTC.
    """

    message_id: Id
    reason: str
    at: Time


class BannedAddress(Struct, frozen=True, gc=False):
    """A network from which nobody may use the chat.

    :ivar network: in its usual form, such as ``10.0.0.0/8``.
    :ivar until: when the ban ends.
    """

    network: str
    until: Time
