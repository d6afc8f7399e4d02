"""One node behind nginx with TLS, with the configuration that docs/nginx-tls.conf recommends."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.server import Server, free_port

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin")
CONFIGURATION = (Path(__file__).parents[2] / "docs" / "nginx-tls.conf").read_text()

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

# What a system's nginx.conf brings along, without its paths.
AROUND = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/errors;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {configuration}
}}
"""


def configuration(folder, port, plain_port):
    """The documented configuration, with the ports and paths of this test."""
    text = CONFIGURATION
    for written, actual in {
        "server unix:/run/chatter/chatter.sock;": f"server unix:{folder}/chatter.sock;",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "/etc/ssl/certs/chat.example.org.pem": f"{folder}/cert.pem",
        "/etc/ssl/private/chat.example.org.key": f"{folder}/key.pem",
    }.items():
        assert text.count(written) == 1, written
        text = text.replace(written, actual)
    # As root, its workers would be somebody who may not look into the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    return AROUND.format(folder=folder, configuration=text, user=user)


@pytest.fixture
def ports(tmp_path):
    """The TLS port and the plain port of an nginx before a node."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=localhost",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    port, plain_port = free_port(), free_port()
    whole = tmp_path / "nginx.conf"
    whole.write_text(configuration(tmp_path, port, plain_port))
    options = ("--store", "memory:", "--port", f"unix:{tmp_path}/chatter.sock:mode=666")
    with Server(tmp_path, *options, "--trust", "unix", "--host", "chat.example.org"):
        command = [str(NGINX), "-p", str(tmp_path), "-c", str(whole), "-e", f"{tmp_path}/errors"]
        nginx = subprocess.Popen(command)
        try:
            deadline = time.monotonic() + 10
            while not (tmp_path / "nginx.pid").exists():
                assert nginx.poll() is None, (tmp_path / "errors").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield port, plain_port
        finally:
            nginx.terminate()
            nginx.wait(10)


def ask(port, method, path, body=None):
    """The status and the body of a response over TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    headers = {"Content-Type": "application/json"} if body else {}
    try:
        connection.request(method, path, body and json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_a_chat_over_tls(ports):
    """Joining works over TLS, and plain HTTP is sent there."""
    status, body = ask(ports[0], "POST", "/connect", {"name": "alice"})
    assert (status, json.loads(body)["name"]) == (200, "alice")
    plain = http.client.HTTPConnection("127.0.0.1", ports[1], timeout=10)
    plain.request("GET", "/status", headers={"Host": "chat.example.org"})
    response = plain.getresponse()
    assert response.status == 308
    assert response.getheader("Location") == "https://chat.example.org/status"
    plain.close()


def test_a_class_may_join_and_a_flood_may_not(ports):
    """Thirty join at once behind one address; who goes on is limited."""
    statuses = [ask(ports[0], "POST", "/connect")[0] for _ in range(80)]
    assert statuses[:30] == [200] * 30
    assert statuses.count(429) >= 10


def test_http_1_0_needs_no_host_here_either(ports):
    """Nginx passes the request on as HTTP/1.1, which needs one."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", ports[0]), timeout=10)
    with context.wrap_socket(plain) as sock:
        sock.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        response = b"".join(iter(lambda: sock.recv(65536), b""))
    assert response.startswith(b"HTTP/1.1 200")
