"""``twistd chatter``: the command line, made one service."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from twisted.python.usage import Options as UsageOptions

from chatter.chat.chat import DEFAULT_HISTORY
from chatter.chat.limits.rate_limits import DEFAULT_LIMITS, parse_limits, shown_limits
from chatter.chat.rates import parse_rate
from chatter.clocks import use_monotonic_time
from chatter.httpd.endpoints import private_endpoint, server_endpoint
from chatter.httpd.open_files import OTHER_FILES, allow_open_files
from chatter.process.option_values import (
    age,
    check_each,
    number,
    optional_number,
    token_lifetime,
)
from chatter.process.pid_file import remove_stale_pid_file
from chatter.process.server_log import server_log
from chatter.process.store_check import check_store_as_server
from chatter.process.twistd_service import CannotStart, TwistdService
from chatter.protocol.errors import StoreUnavailable
from chatter.protocol.queries import MAX_LIMIT
from chatter.service import DEFAULT_PORT
from chatter.stores.registry import maker_of, without_password
from chatter.system_errors import reason_of
from chatter.version import __version__
from chatter.web.addresses import Addresses
from chatter.web.cors import checked_origins
from chatter.web.hosts import Hosts

if TYPE_CHECKING:
    from twisted.application.service import IService

DEFAULT_STORE = "sqlite:chatter.sqlite"


class Options(UsageOptions):
    """The options of ``twistd chatter``."""

    synopsis = "[options]"

    longdesc = """\
Serves a chat over HTTP: one general chat, and private ones. With no option it
listens on 127.0.0.1:8000 and keeps everything in chatter.sqlite in the current
folder. A time is a number and s, m, h or d, or a number of seconds. Try:
curl -X POST http://127.0.0.1:8000/connect"""

    optParameters: ClassVar[list[list[object]]] = [
        [
            "store",
            "s",
            DEFAULT_STORE,
            "Where messages and users are kept: sqlite:PATH; postgresql://HOST/DATABASE, which "
            "several servers may share; or memory: to forget them at the end. A password "
            "for PostgreSQL is better kept in PGPASSFILE or PGPASSWORD than in the URL. "
            "Example: --store sqlite:/var/lib/chatter/chatter.sqlite",
        ],
        [
            "history",
            "n",
            DEFAULT_HISTORY,
            "How many of the latest messages of the general chat wait for a new user. "
            "Example: --history 50",
        ],
        [
            "join",
            None,
            "open",
            "Who can join: everybody (open), whoever has an invitation (invited), or nobody "
            "(closed). Example: --join invited",
        ],
        [
            "token-lifetime",
            None,
            None,
            "A token that was not used for that time ends. Example: --token-lifetime 90d "
            "[default: never]",
        ],
        [
            "keep",
            None,
            None,
            "For how long messages are kept, an hour at least. "
            "Example: --keep 30d [default: for ever]",
        ],
        [
            "keep-messages",
            None,
            None,
            "How many of the newest messages are kept, and up to a sixteenth more; none goes "
            "within an hour. Example: --keep-messages 100000 [default: all]",
        ],
        [
            "max-streams",
            None,
            None,
            "How many event streams may be open in all. Example: --max-streams 500 "
            "[default: what the limit of open files allows]",
        ],
        [
            "access-log",
            "l",
            None,
            "Write a line for each request to this file. Example: --access-log access.log "
            "[default: no access log]",
        ],
        [
            "reports",
            None,
            None,
            "COUNT/TIME: a user whom COUNT others have reported within that time is muted for as "
            "long. Example: --reports 3/4h [default: reports mute nobody]",
        ],
        [
            "admin",
            "a",
            None,
            "Where the operator's endpoint listens, for chatter-admin, /health and /metrics: a "
            "UNIX socket, which has mode 600, or a port of 127.0.0.1. Whoever can open it is the "
            "operator. Example: --admin unix:/run/chatter/admin.sock [default: none]",
        ],
    ]

    optFlags: ClassVar[list[list[object]]] = [
        ["no-page", None, "Serve no page for browsers, only the endpoints."],
    ]

    compData: Any = None
    parent: Any
    """The options of ``twistd`` itself."""

    def __init__(self) -> None:
        super().__init__()
        self["port"] = []
        for option in ("origin", "limit", "trust", "host"):
            self[option] = []

    def opt_port(self, port: str) -> None:  # noqa: D102 - see below
        self["port"].append(port)

    # Twisted shows it as the text of --help, as it stands.
    opt_port.__doc__ = (
        "Where to listen: a port of 127.0.0.1, or a Twisted endpoint; may be given several times. "
        "Example: --port tcp:8080 --port unix:/run/chatter.sock "
        f"[default: {DEFAULT_PORT}]"
    )

    opt_p = opt_port

    def opt_origin(self, origin: str) -> None:  # noqa: D102 - see below
        self["origin"].append(origin)

    opt_origin.__doc__ = (
        "The origin of a web page that may use the chat; may be given several times. "
        "Example: --origin https://chat.example.org [default: none]"
    )

    def opt_limit(self, limit: str) -> None:  # noqa: D102 - see below
        self["limit"].append(limit)

    opt_limit.__doc__ = (
        "NAME=COUNT/TIME, NAME=none, or none for no limits; may be given several times. "
        "By user: send (messages), general (exactly so many messages to the general chat), "
        "edit (edits and withdrawals), stranger (private messages to people who have not written "
        "to the user), report (messages reported), device (tokens made or revoked), stream (opened "
        "event streams), waiting=COUNT (polls that wait at once). By address: join, "
        "token (unknown ones), connection. "
        "Example: --limit general=20/3600 "
        f"[default: {', '.join(shown_limits(DEFAULT_LIMITS))}]"
    )

    def opt_trust(self, proxy: str) -> None:  # noqa: D102 - see below
        self["trust"].append(proxy)

    opt_trust.__doc__ = (
        "A proxy that is trusted to name its clients (X-Forwarded-For, Forwarded, PROXY): an "
        "address, a network, or unix for UNIX sockets; may be given several times. "
        "Example: --trust 10.0.0.0/8 [default: none]"
    )

    def opt_host(self, name: str) -> None:  # noqa: D102 - see below
        self["host"].append(name)

    opt_host.__doc__ = (
        "A name under which the chat may be requested, beside addresses and localhost; may be "
        "given several times. Example: --host chat.example.org [default: any; where it listens "
        "on loopback addresses only, those that a trusted proxy forwards]"
    )

    def opt_version(self) -> None:
        """Display the version of chatter and exit."""
        print(f"chatter {__version__}")  # noqa: T201 - it is what was requested
        raise SystemExit(0)

    def postOptions(self) -> None:
        """Check what can be checked before anything daemonises.

        :raises CannotStart: if it can't work.
        """
        from twisted.internet import reactor  # noqa: PLC0415 - importing it installs it

        self["port"] = self["port"] or [DEFAULT_PORT]
        for port in self["port"]:
            try:
                server_endpoint(reactor, port)
            except ValueError as error:
                raise CannotStart(f"chatter: --port {port!r}: {error}") from error
        check_each("admin", [self["admin"]], lambda text: private_endpoint(reactor, text))
        check_each("reports", [self["reports"]], parse_rate)
        check_each("limit", self["limit"], lambda text: parse_limits([text]))
        check_each("trust", self["trust"], lambda text: Addresses([text]))
        check_each("host", self["host"], lambda text: Hosts([text], Addresses()))
        check_each("origin", self["origin"], lambda text: checked_origins([text]))
        self["history"] = number("history", self["history"], 0, MAX_LIMIT - 1)
        if self["join"] not in ("open", "invited", "closed"):
            raise CannotStart(f"chatter: --join {self['join']!r}: write open, invited or closed.")
        self["token-lifetime"] = token_lifetime(self["token-lifetime"])
        self["keep"] = age(self["keep"])
        self["keep-messages"] = optional_number("keep-messages", self["keep-messages"], 1)
        open_files = allow_open_files()
        most_streams = self["max-streams"] or max(1, open_files - OTHER_FILES)
        self["max-streams"] = number("max-streams", most_streams, 0, open_files)
        shown = without_password(self["store"])
        if shown != self["store"]:
            _hide_arguments(self["store"], shown)
        try:
            maker = maker_of(self["store"])
            # This imports all that the store needs.
            maker.make_store(self["store"], reactor)
            check_store_as_server(maker, self["store"], self.parent or {})
        except ValueError as error:
            raise CannotStart(f"chatter: --store {shown!r}: {error}") from error
        except StoreUnavailable as error:
            raise CannotStart(f"chatter: {error}") from error
        remove_stale_pid_file(self.parent["pidfile"])


def _hide_arguments(secret: str, shown: str) -> None:
    """Hide the password in an argument of this process from lists of processes."""
    with suppress(ImportError):
        from setproctitle import setproctitle  # noqa: PLC0415 - it is an extra

        setproctitle(" ".join(sys.orig_argv).replace(secret, shown))


def makeService(options: Options) -> IService:
    """Make the service that the options describe.

    :raises CannotStart: if the log can't be opened.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs it

    use_monotonic_time(reactor)
    service = TwistdService.for_store(
        reactor,
        options["store"],
        options["port"],
        history=options["history"],
        keep=options["keep"],
        keep_messages=options["keep-messages"],
        origins=options["origin"],
        max_streams=options["max-streams"],
        access_log=options["access-log"],
        page=not options["no-page"],
        limits=parse_limits(options["limit"]),
        reports=None if options["reports"] is None else parse_rate(options["reports"]),
        trust=options["trust"],
        hosts=options["host"],
        token_lifetime=options["token-lifetime"],
        joining=options["join"],
        admin=options["admin"],
    )
    try:
        service.server_log = server_log(options.parent)
    except OSError as error:
        raise CannotStart(f"chatter: {reason_of(error)}") from error
    service.twistd = options.parent
    return service
