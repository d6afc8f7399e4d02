"""One node behind nginx with TLS, with the configuration that docs/nginx-tls.conf recommends."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
from contextlib import closing

import pytest

from tests.e2e.nginx import Nginx, documented, needs_nginx
from tests.e2e.server import Server
from tests.ports import free_port

pytestmark = needs_nginx


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    """The TLS port and the plain port of an nginx before a node."""
    tmp_path = tmp_path_factory.mktemp("nginx")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    port, plain_port = free_port(), free_port()
    changes = {
        "server unix:/run/chatter/chatter.sock;": f"server unix:{tmp_path}/chatter.sock;",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "/etc/ssl/certs/chat.example.org.pem": f"{tmp_path}/cert.pem",
        "/etc/ssl/private/chat.example.org.key": f"{tmp_path}/key.pem",
    }
    options = ("--store", "memory:", "--port", f"unix:{tmp_path}/chatter.sock:mode=666")
    server = Server(tmp_path, *options, "--trust", "unix", "--host", "chat.example.org")
    with server, Nginx(tmp_path, documented("nginx-tls.conf", changes), port):
        yield port, plain_port


def connection_to(port):
    """A connection over TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)


def test_a_chat_over_tls(ports):
    """Joining works over TLS, and plain HTTP is sent there."""
    with closing(connection_to(ports[0])) as connection:
        connection.request(
            "POST", "/connect", '{"name": "alice"}', {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        assert (response.status, json.load(response)["name"]) == (200, "alice")
    plain = http.client.HTTPConnection("127.0.0.1", ports[1], timeout=60)
    plain.request("GET", "/status", headers={"Host": "chat.example.org"})
    response = plain.getresponse()
    assert response.status == 308
    assert response.getheader("Location") == "https://chat.example.org/status"
    plain.close()


def test_a_class_may_join_and_a_flood_may_not(ports):
    """Thirty join at once behind one address; who goes on is limited."""
    joined = 0
    with closing(connection_to(ports[0])) as connection:
        # On a slow machine some more may join meanwhile.
        while joined < 1000:
            connection.request("POST", "/connect")
            response = connection.getresponse()
            response.read()
            if response.status == 429:
                break
            assert response.status == 200
            joined += 1
    assert 30 <= joined < 1000


def test_http_1_0_needs_no_host_here_either(ports):
    """Nginx passes the request on as HTTP/1.1, which needs one."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", ports[0]), timeout=60)
    with context.wrap_socket(plain) as sock:
        sock.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        response = b"".join(iter(lambda: sock.recv(65536), b""))
    assert response.startswith(b"HTTP/1.1 200")
