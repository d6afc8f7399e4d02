"""An IRC server for The Lounge: Twisted's own, in which everybody has the same password.

It is started with the port to listen on, on 127.0.0.1 alone, and the password.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.words.service import InMemoryWordsRealm, IRCFactory

NICKS = ("reader", "writer")


def main(port: int, password: str) -> None:
    """Serve until the process is ended."""
    realm = InMemoryWordsRealm("lounge")
    realm.createGroupOnRequest = True
    checker: Any = InMemoryUsernamePasswordDatabaseDontUse()
    # Its bytes are the text of this protocol.
    checker.users.update(dict.fromkeys(NICKS, password))
    portal = Portal(realm, [checker])
    reactor.listenTCP(port, IRCFactory(realm, portal), interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
