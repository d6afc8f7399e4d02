"""How many requests there were, and how long they took, by endpoint."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from chatter.histograms import SECONDS, Histogram
from chatter.web.site import ChatSite

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from twisted.web.resource import IResource

OTHER = "other"
"""What is requested under any other path: the page, for instance."""

_STREAMS = "events"
"""A request for a stream is over when the stream begins."""

_WAITS = b"wait="


class RequestCounts:
    """Counts the requests of a site.

    :param names: of the endpoints, which are at the site's root.
    :param seconds: the time, which never goes back.

    :ivar requests: how many had a response, by endpoint and the first digit of its status.
    :ivar seconds: how long they took, by endpoint, but for polls that may wait, and streams.
    """

    def __init__(self, names: Collection[str], seconds: Callable[[], float]) -> None:
        self._names = {name.encode(): name for name in names}
        self._now = seconds
        self.requests: defaultdict[tuple[str, int], int] = defaultdict(int)
        self.seconds: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(SECONDS))

    def begin(self, request: Any) -> None:
        """Note when a request begins to be processed."""
        request.began_at = self._now()

    def end(self, request: Any) -> None:
        """Count a request whose response was made."""
        began = getattr(request, "began_at", None)
        name = OTHER
        if began is not None and request.prepath:
            name = self._names.get(request.prepath[0], OTHER)
        self.requests[name, request.code // 100] += 1
        if began is not None and name != _STREAMS and _WAITS not in request.uri:
            self.seconds[name].observe(self._now() - began)


class CountedSite(ChatSite):
    """A site for a chat's resources that counts its requests, for an operator.

    :param resource: the root of the site, with endpoints as its children.
    :param reactor: an ``IReactorTime`` provider.

    The other parameters are those of :class:`chatter.web.site.ChatSite`.

    :ivar counts: the requests.
    """

    def __init__(self, resource: Any, reactor: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(resource, reactor, *arguments, **options)
        names = [name.decode() for name in resource.children]
        self.counts = RequestCounts(names, reactor.seconds)

    def getResourceFor(self, request: Any) -> IResource:
        """Find the resource of a request, and note when that began."""
        self.counts.begin(request)
        found: IResource = super().getResourceFor(request)
        return found

    def log(self, request: Any) -> None:
        """Count a request, and write to the access log, if there is one."""
        self.counts.end(request)
        super().log(request)
