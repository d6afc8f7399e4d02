"""The root of the operator's endpoint.

Whoever can open the endpoint is the operator, so there are no tokens.  On a UNIX socket the
file's mode says who that is; on a loopback address it is everybody on this machine.  A browser
on this machine has that address, too.  So requests that a page has sent are refused, and so are
requests for any name that is not this machine's (DNS rebinding).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatter.admin.endpoint.acts import Act
from chatter.admin.endpoint.address_bans import (
    BanAddressBody,
    Nothing,
    UnbanAddressBody,
    ban_address,
    list_addresses,
    unban_address,
)
from chatter.admin.endpoint.backup import BackupBody, back_up
from chatter.admin.endpoint.erase import erase
from chatter.admin.endpoint.export import ExportResource
from chatter.admin.endpoint.metrics import MetricsResource
from chatter.admin.endpoint.moderation import (
    ModerationBody,
    RoleBody,
    moderate,
    set_role,
    withdraw,
)
from chatter.admin.endpoint.reports import ReportsResource
from chatter.admin.endpoint.stats import StatsResource
from chatter.admin.endpoint.tokens import (
    InviteBody,
    MakeTokenBody,
    RevokeTokenBody,
    UserBody,
    invite,
    list_tokens,
    make_token,
    revoke,
)
from chatter.admin.endpoint.users import UsersResource
from chatter.chat.chat import core_of
from chatter.protocol.bodies import WithdrawBody
from chatter.protocol.errors import Forbidden, MisdirectedRequest
from chatter.web.addresses import Addresses
from chatter.web.csrf import refuse_foreign_page
from chatter.web.endpoint import ErrorResource, MissingResource
from chatter.web.health import HealthEndpoint
from chatter.web.hosts import Hosts

if TYPE_CHECKING:
    from twisted.web.resource import IResource
    from twisted.web.server import Request

    from chatter.chat import Chat
    from chatter.web.request_counts import CountedSite


class OperatorResource(MissingResource):
    """What the operator of a chat may request.

    :param chat: the chat.
    :param site: the site that serves it to its users, with a ``ChatResource`` as its root.
    """

    isLeaf = False  # noqa: N815 - it is Twisted's name

    def __init__(self, chat: Chat, site: CountedSite) -> None:
        super().__init__()
        core = core_of(chat)
        self._hosts = Hosts([], Addresses())
        self.putChild(b"health", HealthEndpoint(core))
        self.putChild(b"metrics", MetricsResource(core, site))
        self.putChild(b"users", UsersResource(core))
        self.putChild(b"stats", StatsResource(core, site))
        self.putChild(b"withdraw", Act(core, WithdrawBody, withdraw))
        self.putChild(b"role", Act(core, RoleBody, set_role))
        self.putChild(b"moderate", Act(core, ModerationBody, moderate))
        self.putChild(b"ban-address", Act(core, BanAddressBody, ban_address))
        self.putChild(b"unban-address", Act(core, UnbanAddressBody, unban_address))
        self.putChild(b"banned-addresses", Act(core, Nothing, list_addresses))
        self.putChild(b"reports", ReportsResource(core))
        self.putChild(b"tokens", Act(core, UserBody, list_tokens))
        self.putChild(b"token", Act(core, MakeTokenBody, make_token))
        self.putChild(b"revoke", Act(core, RevokeTokenBody, revoke))
        self.putChild(b"invite", Act(core, InviteBody, invite))
        self.putChild(b"export", ExportResource(core))
        self.putChild(b"erase", Act(core, UserBody, erase))
        self.putChild(b"backup", Act(core, BackupBody, back_up))

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """Find the resource, unless a page in a browser has sent the request."""
        try:
            self._hosts.check(request)
            refuse_foreign_page(request, ())
        except (Forbidden, MisdirectedRequest) as error:
            return ErrorResource(error)
        found: IResource = super().getChildWithDefault(path, request)
        return found
