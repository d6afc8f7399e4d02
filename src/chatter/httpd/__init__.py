"""An HTTP/1.1 server for ``twisted.web`` resources that costs little.

``httptools`` (llhttp, the parser of Node.js and uvicorn) reads the requests; any
``twisted.web.resource.IResource`` tree responds.  The package knows
nothing of chats: what it does is that of ``twisted.web.server.Site``, at a
fraction of the cost, with limits, and stricter about what it takes for HTTP.

- :mod:`chatter.httpd.site` the factory;
- :mod:`chatter.httpd.connections` what all connections share: time, limits, the clean end;
- :mod:`chatter.httpd.channel` one connection: requests in their order, deadlines;
- :mod:`chatter.httpd.reader` bytes in, requests out, without I/O;
- :mod:`chatter.httpd.request_head` one request's head while it is read, and its limits;
- :mod:`chatter.httpd.request` the request that a resource sees;
- :mod:`chatter.httpd.output` bytes out, at once where the socket takes them.
"""

from chatter.httpd.limits import Limits
from chatter.httpd.request import LeanRequest
from chatter.httpd.response_heads import reason_of
from chatter.httpd.site import LeanSite

__all__ = ["LeanRequest", "LeanSite", "Limits", "reason_of"]
