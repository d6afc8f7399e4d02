"""An HTTP/1.1 server for ``twisted.web`` resources that costs little.

``httptools`` (llhttp, the parser of Node.js and uvicorn) reads the requests; any
``twisted.web.resource.IResource`` tree responds.  The package knows
nothing of chats: what it does is that of ``twisted.web.server.Site``, at a
fraction of the cost, with limits, and stricter about what it takes for HTTP.

``docs/httpd.md`` lists the files.
"""

from chatter.httpd.limits import Limits
from chatter.httpd.request import LeanRequest
from chatter.httpd.response_heads import reason_of
from chatter.httpd.site import LeanSite

__all__ = ["LeanRequest", "LeanSite", "Limits", "reason_of"]
