"""What is done with people in a chat: roles, mutes, bans, tokens, invitations, leaving.

It is a part of the machine of ``test_chat.py``, so that all of it happens at any moment.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chatter.chat.chat import core_of
from chatter.log.entries import AddressBan, StandingChange, UserErased
from chatter.protocol.errors import (
    Banned,
    Forbidden,
    Gone,
    InvalidRequest,
    InvitationExpired,
    InvitationNeeded,
    InvitationUsed,
    Muted,
    NameTaken,
    Unauthorized,
    UnknownRecipient,
    UnknownToken,
)
from chatter.protocol.model import FOREVER, Role
from tests.property.model import Invitation, Model, Person

PEOPLE = st.integers(0, 99)
NAMES = {"Ann": "ann", "ANN": "ann", "bob": "bob", "\uff42\uff4f\uff42": "bob", "Bob": "bob"}
NETWORKS = {"203.0.113.7/32": "203.0.113.7", "198.51.100.0/24": "198.51.100.9"}
"""Networks that are banned, and an address in each."""
ACTIONS = ("mute", "unmute", "ban", "unban")
_READY = precondition(lambda self: hasattr(self, "model"))


class PeopleRules(RuleBasedStateMachine):
    """The rules about people, and who may do what."""

    model: Model
    chat: Any
    reactor: Any
    settle: Any
    names: set[str]

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.reactor.seconds(), timezone.utc)

    def after(self, seconds: int | None) -> datetime:
        """When so many seconds are over; never, if there are none."""
        return FOREVER if seconds is None else self.now + timedelta(seconds=seconds)

    def somebody(self, number: int) -> Person:
        """One of the people who may use the chat, who now asks for something, as HTTP has it."""
        here = [person for person in self.model.people if person.may_use(self.now)]
        person = here[number % len(here)]
        for token in list(person.tokens.values())[:1]:
            user = self.reactor.result_of(self.chat.authenticate(token))
            assert (user.id, user.name) == (person.user.id, person.user.name)
        core_of(self.chat).presence.see(person.user.id)
        return person

    def anybody(self, number: int) -> Person:
        """One of the people who have not left; the first one never leaves, nor is banned."""
        there = [person for person in self.model.people if not person.has_left]
        return there[number % len(there)]

    def result(self, asked: Any) -> Any:
        """What something fires with, or the error that it fails with."""
        self.settle(results := self.reactor.watch(asked))
        return getattr(results[0], "value", results[0])

    # Joining

    def joined(self, found: Any, name: str | None, start: int) -> None:
        """Take note of somebody who has joined, or could not, since the name is taken."""
        if name is not None and NAMES[name] in self.names:
            assert isinstance(found, NameTaken), found
            return
        user, token = found
        assert name is None or user.name == name
        assert user.id not in [person.user.id for person in self.model.people]
        assert self.reactor.result_of(self.chat.cursor(user)) == start
        (made,) = self.reactor.result_of(self.chat.tokens(user))
        self.model.people.append(Person(user, {made.id: token}, start))
        if name is not None:
            self.names.add(NAMES[name])

    @rule(name=st.none() | st.sampled_from(sorted(NAMES)))
    def connect(self, name):
        start = self.model.start()
        self.joined(self.result(self.chat.connect(name)), name, start)

    @_READY
    @rule(uses=st.integers(1, 2), lifetime=st.sampled_from([None, 20]))
    def invite(self, uses, lifetime):
        secret = self.result(self.chat.invite(uses, lifetime))
        until = None if lifetime is None else self.reactor.seconds() + lifetime
        self.model.invitations[secret] = Invitation(uses, until)

    @_READY
    @rule(
        names=st.lists(st.none() | st.sampled_from(sorted(NAMES)), min_size=1, max_size=3),
        which=st.integers(0, 5),
    )
    def connect_invited(self, names, which):
        """So many join with an invitation as it says; a name that is taken uses nothing."""
        secrets = ["nobody's", *self.model.invitations]
        for name in names:
            self.connect_with(name, secrets[-which % len(secrets)])

    def connect_with(self, name, secret):
        """Join with an invitation, or try to."""
        start = self.model.start()
        joining = core_of(self.chat).joining
        joining.policy = "invited"
        found = self.result(self.chat.connect(name, invitation=secret))
        joining.policy = "open"
        invitation = self.model.invitations.get(secret)
        if invitation is None:
            assert isinstance(found, InvitationNeeded)
        elif invitation.until is not None and invitation.until <= self.reactor.seconds():
            assert isinstance(found, InvitationExpired)
        elif not invitation.uses:
            assert isinstance(found, InvitationUsed)
        else:
            self.joined(found, name, start)
            invitation.uses -= not isinstance(found, NameTaken)

    # Standings

    @_READY
    @rule(
        by=st.none() | PEOPLE,
        number=PEOPLE,
        action=st.sampled_from(ACTIONS),
        seconds=st.sampled_from([None, 20]),
    )
    def moderate(self, by, number, action, seconds):
        """The operator may do so with all, moderators with members, and members with nobody."""
        moderator = None if by is None else self.somebody(by)
        person = self.anybody(number)
        if person is self.model.people[0]:
            return
        by_user = None if moderator is None else moderator.user
        found = self.result(self.chat.moderation.moderate(by_user, person.user.id, action, seconds))
        if moderator is not None and (not moderator.moderates or person.moderates):
            assert isinstance(found, Forbidden)
            return
        until = (
            FOREVER
            if seconds is None
            else self.now.fromtimestamp(self.reactor.seconds() + seconds, timezone.utc)
        )
        if action.endswith("mute"):
            person.muted_until = until if action == "mute" else None
        else:
            person.banned_until = until if action == "ban" else None
        self.standing_changed(0 if moderator is None else moderator.user.id, person, found)

    @_READY
    @rule(number=PEOPLE, role=st.sampled_from(["moderator", "member"]))
    def set_role(self, number, role):
        person = self.anybody(number)
        found = self.result(self.chat.moderation.set_role(person.user.id, role))
        person.moderates = role == "moderator"
        self.standing_changed(0, person, found)

    def standing_changed(self, by_id, person, found):
        change_id = self.model.last_id + 1
        role: Role = "moderator" if person.moderates else "member"
        muted, banned = person.muted_until, person.banned_until
        assert (found.id, found.user_id) == (change_id, person.user.id)
        assert (found.role, found.muted_until, found.banned_until) == (role, muted, banned)
        user_id: int = person.user.id
        self.model.act(StandingChange(change_id, by_id, user_id, role, muted, banned, self.now))

    @_READY
    @rule(number=PEOPLE, which=st.integers(0, 30))
    def withdraw_of_others(self, number, which):
        """Moderators may do so in the general chat."""
        person = self.somebody(number)
        others = [m for m in self.model.log if m.sender_id != person.user.id]
        if not others:
            return
        message = others[which % len(others)]
        found = self.result(self.chat.withdraw(person.user, message.id))
        if not person.moderates or message.recipient_id is not None:
            assert isinstance(found, Gone)
            return
        assert found == self.model.last_id + 1
        self.model.withdraw(found, message, person.user.id, self.now)

    @_READY
    @rule(
        network=st.sampled_from(sorted(NETWORKS)),
        seconds=st.sampled_from([None, 20]),
        ends=st.booleans(),
    )
    def ban_address(self, network, seconds, ends):
        moderation = self.chat.moderation
        until = None
        if ends:
            found = self.result(moderation.unban_address(network))
            before = self.model.networks.get(network)
            if before is None or before <= self.now:
                assert isinstance(found, InvalidRequest)
                return
            assert found is None
        else:
            assert self.result(moderation.ban_address(network, seconds)) is None
            until = (
                FOREVER
                if seconds is None
                else datetime.fromtimestamp(self.reactor.seconds() + seconds, timezone.utc)
            )
        self.model.networks[network] = until
        self.model.act(AddressBan(self.model.last_id + 1, network, until, self.now))

    # Tokens

    @_READY
    @rule(number=PEOPLE, which=st.integers(0, 5), makes=st.booleans())
    def change_tokens(self, number, which, makes):
        """Somebody makes one more token, or revokes one; those of others nobody can."""
        person = self.somebody(number)
        if makes:
            made, secret = self.result(self.chat.make_token(person.user, "phone"))
            person.tokens[made.id] = secret
            return
        others = self.anybody(which)
        for token_id in list(others.tokens)[:1] if others is not person else ():
            found = self.result(self.chat.revoke_token(person.user, token_id))
            assert isinstance(found, UnknownToken)
        if person.tokens:
            token_id = list(person.tokens)[which % len(person.tokens)]
            assert self.result(self.chat.revoke_token(person.user, token_id)) is None
            person.revoked.append(person.tokens.pop(token_id))

    @_READY
    @rule(number=PEOPLE)
    def try_tokens(self, number):
        """A token is whose it is until it is revoked."""
        person = self.model.people[number % len(self.model.people)]
        for secret in person.tokens.values():
            assert self.reactor.result_of(self.chat.authenticate(secret)).id == person.user.id
        for secret in person.revoked:
            with pytest.raises(Unauthorized):
                self.reactor.result_of(self.chat.authenticate(secret))
        if not person.has_left and person.may_use(self.now):
            found = self.reactor.result_of(self.chat.tokens(person.user))
            assert [token.id for token in found] == sorted(person.tokens)

    # Leaving

    @_READY
    @rule(number=PEOPLE)
    def leave(self, number):
        """All messages of the user are withdrawn, after an entry that says so."""
        person = self.somebody(number)
        if person is self.model.people[0]:
            return
        before = self.model.last_id
        assert self.result(self.chat.erase(person.user)) is None
        self.leaves(person, before)

    def leaves(self, person, before):
        """Take note that somebody has left, with an entry after an id, and then all messages."""
        own = [message for message in self.model.log if message.sender_id == person.user.id]
        self.model.act(UserErased(before + 1, person.user.id, self.now))
        person.leave()
        for number, message in enumerate(own, before + 2):
            self.model.withdraw(number, message, person.user.id, self.now)
        found = self.result(self.chat.moderation.set_role(person.user.id, "moderator"))
        assert isinstance(found, UnknownRecipient)

    # What must be so

    @invariant()
    def all_may_do_what_they_may(self):
        """Who is banned or has left is refused; the others are where they should be."""
        for person in self.model.people if hasattr(self, "model") else ():
            asked = self.chat.cursor(person.user)
            if person.has_left:
                with pytest.raises(Unauthorized):
                    self.reactor.result_of(asked)
            elif not person.may_use(self.now):
                with pytest.raises(Banned):
                    self.reactor.result_of(asked)
            else:
                assert self.reactor.result_of(asked) == person.cursor

    @invariant()
    def addresses_are_banned(self):
        if not hasattr(self, "model"):
            return
        standings = core_of(self.chat).standings
        self.reactor.result_of(standings.known())
        bans = standings.addresses
        for network, until in self.model.networks.items():
            ended = until is None or until <= self.now
            assert bans.banned_until(NETWORKS[network]) == (None if ended else until)

    def refuse_muted(self, person):
        """Somebody who is muted can't send, and nothing is sent."""
        with pytest.raises(Muted):
            self.reactor.result_of(self.chat.send(person.user, "nothing"))
