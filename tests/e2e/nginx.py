"""A real nginx before a chat."""

from __future__ import annotations

import os
import shutil
import socket
import time
from pathlib import Path

import pytest

from tests.e2e.server import Server

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/bin:/usr/bin")
DOCS = Path(__file__).parents[2] / "docs"

needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

# What a system's nginx.conf has around a server, without its paths.
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


def documented(name: str, changes: dict[str, str]) -> str:
    """A configuration of the documentation, with the ports and paths of a test.

    :param changes: what stands once in it, and what is to stand there.
    """
    text = (DOCS / name).read_text()
    for written, actual in changes.items():
        assert text.count(written) == 1, written
        text = text.replace(written, actual)
    return text


class Nginx(Server):
    """nginx, to which requests are sent as to the server behind it.

    :param configuration: of its ``http`` block.
    :param port: where it listens by that.
    """

    def __init__(self, folder: Path, configuration: str, port: int) -> None:
        super().__init__(folder)
        self.port = port
        # As root, its workers would be somebody who may not look into the folder.
        user = "user root;" if os.geteuid() == 0 else ""
        whole = folder / "nginx.conf"
        whole.write_text(AROUND.format(folder=folder, configuration=configuration, user=user))
        arguments = ["-p", str(folder), "-c", str(whole), "-e", str(folder / "errors")]
        self._command = [str(NGINX), *arguments]

    def wait_until_it_serves(self) -> None:
        """Wait until it accepts connections."""
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() < deadline, "nginx does not listen"
                time.sleep(0.02)
            else:
                return
