"""What must be so: the log, who may see what of it, and how far everybody has read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chatter.log.entries import AddressBan, MessageChange, without_text
from chatter.protocol.model import ChatSummary, Message, User

if TYPE_CHECKING:
    from datetime import datetime

    from chatter.log.entries import Entry

HISTORY = 2


@dataclass
class Person:
    """One user, with a device that polls losslessly beside plain polls.

    :ivar tokens: the secrets of its tokens, by their ids.
    :ivar revoked: the secrets of those that were revoked.
    :ivar cursor: up to where the server knows the user to have read.
    :ivar saved: so far this survives a crash at least.
    :ivar device: the cursor that the device keeps by itself.
    :ivar epoch: the epoch of that, as the chat has told it.
    :ivar received: all that has ever reached the device.
    :ivar view: what another device shows, which has asked for changes, and its cursor.
    :ivar marks: up to where each chat was read, by the other user's id.
    """

    user: User
    tokens: dict[int, str]
    start: int
    cursor: int = 0
    saved: int = 0
    device: int = 0
    epoch: str = ""
    received: list[Message] = field(default_factory=list)
    view: dict[int, str] = field(default_factory=dict)
    view_cursor: int = 0
    marks: dict[int | None, int] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    moderates: bool = False
    muted_until: datetime | None = None
    banned_until: datetime | None = None
    has_left: bool = False

    def __post_init__(self):
        self.cursor = self.saved = self.device = self.view_cursor = self.start

    def may_use(self, now):
        """Whether the person may use the chat."""
        return not self.has_left and (self.banned_until is None or self.banned_until <= now)

    def may_write(self, now):
        """Whether the person may send and edit."""
        return self.muted_until is None or self.muted_until <= now

    def leave(self):
        """Be gone, for good."""
        self.has_left = True
        self.moderates = False
        self.revoked += self.tokens.values()
        self.tokens = {}

    def may_see(self, message):
        return message.recipient_id in (None, self.user.id) or message.sender_id == self.user.id


@dataclass
class Invitation:
    """With which so many more can join, until then."""

    uses: int
    until: float | None


class Model:
    """A chat, as plain as can be.

    :ivar log: the messages that are there, as they are now.
    :ivar sent: all messages that were ever sent, as they were.
    :ivar changes: the newest change of each message that has one, by the message's id.
    :ivar acts: the entries about people and addresses.
    :ivar made: all changes that were ever made.
    :ivar networks: until when each network is banned.
    :ivar kept_after: what comes before is no longer kept, nor is it anywhere above.
    :ivar stale: the keys of what is no longer kept, which hold as long as it is not deleted.
    """

    def __init__(self):
        self.people: list[Person] = []
        self.log: list[Message] = []
        self.sent: list[Message] = []
        self.changes: dict[int, MessageChange] = {}
        self.acts: list[Entry] = []
        self.made: list[Entry] = []
        self.networks: dict[str, datetime | None] = {}
        self.invitations: dict[str, Invitation] = {}
        self.by_key: dict[tuple[int, str], Message] = {}
        self.kept_after = 0
        self.stale: set[tuple[int, str]] = set()

    @property
    def last_id(self):
        newest = [m.id for m in self.sent[-1:]] + [c.id for c in self.made[-1:]]
        return max(newest, default=0)

    def append(self, message):
        self.log.append(message)
        self.sent.append(message)

    def trim(self, until):
        """Keep only what comes after an id."""
        self.kept_after = max(until, self.kept_after)
        self.log = [message for message in self.log if message.id > self.kept_after]
        self.changes = {
            change.message_id: change
            if change.message_id > self.kept_after
            else without_text(change)
            for change in self.changes.values()
            if change.id > self.kept_after
        }
        self.acts = [act for act in self.acts if act.id > self.kept_after]
        gone = {key for key, first in self.by_key.items() if first.id <= self.kept_after}
        self.stale |= gone
        for key in gone:
            del self.by_key[key]

    def current(self, message_id):
        """A message as it is now; nothing if it was withdrawn."""
        return next((message for message in self.log if message.id == message_id), None)

    def change(self, change, message=None):
        """Put an edited message in the place of the old one, or take it out."""
        place = [old.id for old in self.log].index(change.message_id)
        self.log[place : place + 1] = [] if message is None else [message]
        self.changes[change.message_id] = change
        self.made.append(change)

    def act(self, entry):
        """Append an entry about a user or an address."""
        self.acts.append(entry)
        self.made.append(entry)

    def withdraw(self, change_id, message, by_id, at):
        """Take a message out of the log."""
        sender_id, recipient_id = message.sender_id, message.recipient_id
        self.change(MessageChange(change_id, sender_id, recipient_id, message.id, None, by_id, at))

    def told_after(self, after):
        """What was told to those who listen to changes, by id and message: not of addresses."""
        return [
            (change.id, getattr(change, "message_id", None))
            for change in self.made
            if change.id > after and not isinstance(change, AddressBan)
        ]

    def entries(self, person, after=0):
        """What a person is told of who has asked for changes."""
        changes = [*self.changes.values(), *self.acts]
        found = [c for c in changes if c.id > after and person.may_see(c)]
        return sorted([*self.feed(person, after), *found], key=lambda entry: entry.id)

    def feed(self, person, after=0):
        return [m for m in self.log if m.id > after and person.may_see(m)]

    def general(self, before=None):
        return [m for m in self._before(before) if m.recipient_id is None]

    def private(self, person, other, before=None):
        two = sorted((person.user.id, other.user.id))
        return [
            message
            for message in self._before(before)
            if message.recipient_id is not None
            and sorted((message.sender_id, message.recipient_id)) == two
        ]

    def chats(self, person, before=None):
        """The private chats of a person, newest first: the other's id, and the messages."""
        chats: dict[int, list[Message]] = {}
        for message in self.log:
            if message.recipient_id is not None and person.may_see(message):
                ids = [message.sender_id, message.recipient_id]
                ids.remove(person.user.id)
                chats.setdefault(ids[0], []).append(message)
        newest = sorted(chats.items(), key=lambda chat: chat[1][-1].id, reverse=True)
        return [chat for chat in newest if before is None or chat[1][-1].id < before]

    def summary(self, person, other_id, messages):
        """What the list of chats says of one of them."""
        read = max(person.cursor, person.marks.get(other_id, 0))
        unread = [m for m in messages if m.id > read and m.sender_id != person.user.id]
        return ChatSummary(other_id, messages[-1] if messages else None, read, len(unread))

    def _before(self, before):
        return [m for m in self.log if before is None or m.id < before]

    def start(self):
        """Where somebody new stands: some messages back in the general chat."""
        older = self.general()[:-HISTORY]
        return max(older[-1].id if older else 0, self.kept_after)

    def saved(self):
        """All cursors are safe now."""
        for person in self.people:
            person.saved = person.cursor
