"""The chat over HTTP: a tree of ``twisted.web`` resources.

One file for an endpoint, or for a few that belong together.

:class:`ChatResource` is its root and goes anywhere into another application's
tree.  The resources parse, call the chat and render; they decide nothing.
"""

from chatter.web.root import ChatResource

__all__ = ["ChatResource"]
