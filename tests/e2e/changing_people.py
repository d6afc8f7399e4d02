"""People who change what is there, whatever happens to the servers: texts, standings, tokens.

Each of them notes what was acknowledged, and sees at once that it holds at the server that has
acknowledged it.  Other servers may be told a little later.
"""

from __future__ import annotations

import random
import time

from tests.e2e.people import PATIENCE, LosslessReader, Person, Sender

_RECENT = 10


class Changer(Sender):
    """Sends, and edits and withdraws what it has sent.

    :ivar said: what each message says; ``None`` if it was withdrawn.
    :ivar edits: all that messages have said after an edit.
    :ivar changed: the ids of withdrawals.
    :ivar refused: the messages that are no longer kept, it was told.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.said: dict[int, str | None] = {}
        self.edits: list[tuple[int, str]] = []
        self.changed: list[int] = []
        self.refused: list[int] = []
        self._edited: set[int] = set()
        self._chance = random.Random(self.user_id)

    def do_something(self):
        super().do_something()
        message_id, text = self.acknowledged[-1]
        self.said[message_id] = text
        recent = [i for i in list(self.said)[-_RECENT:] if self.said[i] is not None]
        if recent and self._chance.random() < 0.4:
            self.change(self._chance.choice(recent))

    def change(self, message_id):
        text = None
        if message_id not in self._edited and self._chance.random() < 0.6:
            # Once only: a request whose response was lost may still take effect a while later.
            self._edited.add(message_id)
            text = f"<{self.user_id}:{self.number}:edited>"
            body = {"message_id": message_id, "text": text}
            status, message = self.insist("POST", "/edit", body, rejections=(410,))
            if status == 410:
                self.refused.append(message_id)
                return
            assert message["text"] == text
            self.edits.append((message_id, text))
        else:
            body = {"message_id": message_id}
            status, withdrawn = self.insist("POST", "/withdraw", body, rejections=(410,))
            if status == 200:
                self.changed.append(withdrawn["change_id"])
        self.said[message_id] = text
        if status == 200:
            self.look_again(message_id)

    def look_again(self, message_id):
        """The server that has acknowledged a change has nothing else any more."""
        server = self.server
        got = self.try_once("GET", f"/status?chat_type=general&before={message_id + 1}&limit=1")
        if got is not None and self.server is server:
            texts = {message["id"]: message["text"] for message in got[1]["messages"]}
            assert texts.get(message_id) in (self.said[message_id], None)


class ChangesReader(LosslessReader):
    """Polls with ``after`` and asks for changes.

    :ivar view: what it shows: the text of each message.
    """

    query = "&changes=1"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.view: dict[int, str] = {}

    def take(self, page):
        super().take(page)
        for message in page["messages"]:
            self.view[message["id"]] = message["text"]
        for change in page.get("changes", ()):
            if change["change"] == "withdrawn":
                self.view.pop(change["message_id"], None)
            elif change["change"] == "edited" and change["message_id"] in self.view:
                self.view[change["message_id"]] = change["text"]


class LateReader(ChangesReader):
    """Reads so rarely that some of it is no longer kept."""

    pause = 1.5


class Watchful(Person):
    """Somebody who sees that what was acknowledged holds."""

    def must_soon(self, status, token, method, path, body=None, headers=None, *, is_here=True):
        """See that a token gets a status: at once where that was acknowledged.

        Other servers, and the same one after a crash, have some time to hear of it.

        :param is_here: whether this server has acknowledged it.
        """
        server, deadline = self.server if is_here else None, None
        while True:
            got = self.try_once(method, path, body, headers, token)
            if got is not None and got[0] == status:
                return got[1]
            if got is not None:
                assert self.server is not server, (got, "the same server has acknowledged it")
            if self.over.is_set() or got is not None:
                deadline = deadline or time.monotonic() + PATIENCE
                assert time.monotonic() < deadline, (got, "it does not become so")
            time.sleep(0.01)


class Moderator(Watchful):
    """Mutes and bans people, one after the other, and withdraws what they have said.

    Nobody is pardoned: a request whose response was lost may still take effect a while later.

    :ivar acknowledged: what those have said, as that of a :class:`Sender`.
    :ivar said: what these messages say now, as that of a :class:`Changer`.
    :ivar changed: the ids of the changes.
    :ivar banned: the tokens of those who are banned.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.acknowledged: list[tuple[int, str]] = []
        self.said: dict[int, str | None] = {}
        self.changed: list[int] = []
        self.banned: list[str] = []

    def do_something(self):
        name = f"victim-{self.user_id}-{len(self.banned)}"
        key = {"Idempotency-Key": name.ljust(22, "k")}
        _, victim = self.insist("POST", "/connect", {"name": name}, key, "")
        token, text = victim["token"], f"<{name}>"
        sending = ("POST", "/send", {"text": text}, {"Idempotency-Key": "first"})
        _, message = self.insist(*sending, token)
        self.acknowledged.append((message["id"], text))
        self.moderate("mute", victim)
        # It changes nothing where the mute is not known yet.
        editing = ("POST", "/edit", {"message_id": message["id"], "text": text})
        assert self.must_soon(403, token, *editing)["type"] == "urn:chatter:muted"
        _, again = self.insist(*sending, token)
        assert again["id"] == message["id"], "a retry of what was sent gets it"
        self.moderate("ban", victim)
        assert self.must_soon(403, token, "GET", "/status")["type"] == "urn:chatter:banned"
        self.banned.append(token)
        body = {"message_id": message["id"]}
        status, withdrawn = self.insist("POST", "/withdraw", body, rejections=(410,))
        self.said[message["id"]] = None
        if status == 200:
            self.changed.append(withdrawn["change_id"])

    def moderate(self, action, victim):
        body = {"user_id": victim["user_id"], "action": action, "reason": "a test"}
        _, change = self.insist("POST", "/moderate", body)
        self.changed.append(change["id"])


class TokenOwner(Watchful):
    """Makes tokens and revokes them.

    :ivar revoked: those that are nobody's any more.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.revoked: list[str] = []

    def do_something(self):
        key = f"{self.user_id}-{len(self.revoked)}-".ljust(22, "k")
        _, made = self.insist("POST", "/tokens", {"label": "another"}, {"Idempotency-Key": key})
        self.must_soon(200, made["token"], "GET", "/users?limit=1")
        # A second time it is not there: another server has revoked it, whose response was lost.
        status, _ = self.insist("POST", "/tokens/revoke", {"id": made["id"]}, rejections=(404,))
        self.must_soon(401, made["token"], "GET", "/users?limit=1", is_here=status == 200)
        self.revoked.append(made["token"])


class Leaver(Watchful):
    """Joins, says something, and leaves for good, again and again.

    :ivar acknowledged: what it has said, as that of a :class:`Sender`.
    :ivar said: what these messages say now: nothing.
    :ivar revoked: the tokens of those who have left.
    :ivar names: theirs, which nobody can have any more.
    """

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.acknowledged: list[tuple[int, str]] = []
        self.said: dict[int, str | None] = {}
        self.revoked: list[str] = []
        self.names: list[str] = []

    def do_something(self):
        name = f"leaver-{self.user_id}-{len(self.names)}"
        key = {"Idempotency-Key": name.ljust(22, "k")}
        _, joined = self.insist("POST", "/connect", {"name": name}, key, "")
        token = joined["token"]
        for number in range(3):
            text = f"<{name}:{number}>"
            sending = ("POST", "/send", {"text": text}, {"Idempotency-Key": f"{number}"})
            _, message = self.insist(*sending, token)
            self.acknowledged.append((message["id"], text))
            self.said[message["id"]] = None
        # Whose response was lost has left, too.
        self.insist("POST", "/erase", {"name": name}, token=token, rejections=(401,))
        self.must_soon(401, token, "GET", "/users?limit=1")
        self.revoked.append(token)
        self.names.append(name)
