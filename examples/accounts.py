"""For twistd --python: an application's accounts, known by a cookie, are the users of its chat.

curl -X POST -c jar '127.0.0.1:8080/login?name=alice'; curl -b jar 127.0.0.1:8080/chat/status
"""

from secrets import token_hex
from typing import Any

from twisted.application import service, strports
from twisted.internet import reactor
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from chatter import Chat, ChatResource, make_store

chat = Chat(make_store("memory:", reactor), reactor)
names: dict[bytes, str] = {}


class Login(Resource):
    def render_POST(self, request: Request) -> bytes:
        session = token_hex().encode()
        names[session] = (request.args or {})[b"name"][0].decode()  # and a password
        request.addCookie(b"session", session, path=b"/", httpOnly=True, sameSite=b"lax")
        return b"Welcome.\n"


def authenticate(request: Request) -> Any:
    name = names.get(request.getCookie(b"session") or b"")
    return chat.join(name) if name else None


root: Any = Resource()
root.putChild(b"login", Login())
root.putChild(b"chat", ChatResource(chat, authenticate))
site: Any = Site(root)
application = service.Application("accounts")
chat.setServiceParent(application)
strports.service("tcp:8080:interface=127.0.0.1", site).setServiceParent(application)
