"""The HTTP server stands alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import chatter.httpd

FILES = sorted(Path(chatter.httpd.__file__).parent.glob("*.py"))
ALLOWED = {
    "__future__",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "functools",
    "hmac",
    "httptools",
    "io",
    "itertools",
    "math",
    "re",
    "resource",
    "select",
    "socket",
}
ALLOWED |= {"twisted", "typing", "urllib", "warnings", "zope", "chatter.httpd"}


def modules_of(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            yield node.module


def test_it_knows_nothing_of_chats():
    """The package imports itself, Twisted, httptools and the standard library only."""
    assert len(FILES) > 8
    for file in FILES:
        for module in modules_of(file):
            top = ".".join(module.split(".")[:2]) if module.startswith("chatter") else module
            assert top in ALLOWED or top.split(".")[0] in ALLOWED, f"{file.name}: {module}"


def test_it_installs_no_reactor():
    """Whoever imports it still chooses the reactor."""
    check = "import sys, chatter.httpd; assert 'twisted.internet.reactor' not in sys.modules"
    subprocess.run([sys.executable, "-W", "error", "-c", check], check=True)


def test_it_uses_no_private_names_of_twisted():
    """No attribute that begins with an underscore is one of Twisted's."""
    from twisted.internet.tcp import Connection
    from twisted.web.server import Request, Site

    for base, file in (
        (Request, "request.py"),
        (Request, "response_writer.py"),
        (Site, "site.py"),
        (Connection, "output.py"),
    ):
        private = {name for name in dir(base) if name.startswith("_") and name[:2] != "__"}
        private |= {"_disconnected", "_parsePOSTFormSubmission", "_logFile", "_logDateTime"}
        source = ast.parse(Path(FILES[0].parent / file).read_text())
        used = {node.attr for node in ast.walk(source) if isinstance(node, ast.Attribute)}
        assert used & private <= {"_log"}
