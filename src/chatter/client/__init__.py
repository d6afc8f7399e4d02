"""The client of a chat server, on treq::

    client = ChatClient.for_url(reactor, "http://127.0.0.1:8000")
    await client.connect("alice")
    await client.send("Hello, everybody!")
    async for message in client.unread():
        print(message.text)
    await client.close()

What the chat answers when something is wrong are the exceptions of
:mod:`chatter.protocol.errors`; what goes wrong on the way to it is a :class:`NoResponse`.
Importing this installs no reactor.
"""

from chatter.client.chat_client import DEFAULT_URL, ChatClient
from chatter.client.errors import NoResponse, ServerUnreachable, UnexpectedResponse
from chatter.client.retries import Retries

__all__ = [
    "DEFAULT_URL",
    "ChatClient",
    "NoResponse",
    "Retries",
    "ServerUnreachable",
    "UnexpectedResponse",
]
