"""A chat with a port of its own, for  twistd --nodaemon --python chat.tac"""

from twisted.application.service import Application
from twisted.internet import reactor

from chatter import ChatService

application = Application("chat")
service = ChatService.for_store(reactor, "sqlite:chat.sqlite", ["tcp:8080:interface=127.0.0.1"])
service.setServiceParent(application)
