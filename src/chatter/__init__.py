"""A chat server over HTTP for Twisted, and the client for it.

One append-only log of messages, and everybody who reads it is a cursor into that
log.  To embed it, three names are needed: a store, :class:`~chatter.chat.Chat`
and :class:`~chatter.web.ChatResource`.
"""

__version__ = "0.1.0"
