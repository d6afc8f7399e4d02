"""The chat over HTTP: a tree of ``twisted.web`` resources, one file an endpoint.

:class:`ChatResource` is its root and goes anywhere into another application's
tree.  The resources parse, call the chat and render; they decide nothing.
"""

from chatter.web.root import ChatResource

__all__ = ["ChatResource"]
