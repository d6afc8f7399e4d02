"""The HTTP server stands alone."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import chatter.httpd

FILES = sorted(Path(chatter.httpd.__file__).parent.glob("*.py"))
ALLOWED = sys.stdlib_module_names | {"chatter.httpd", "httptools", "twisted", "zope"}


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


def private_names(tree):
    """The attributes with a leading underscore that some code uses, and those that it makes."""
    used: set[str] = set()
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = node.attr
            (made if isinstance(node.ctx, ast.Store) else used).add(name)
        elif isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    made.add(part.name)
                for target in getattr(part, "targets", [getattr(part, "target", None)]):
                    if isinstance(target, ast.Name):
                        made.add(target.id)

    def private(names):
        return {name for name in names if name.startswith("_") and not name.startswith("__")}

    return private(used | made), private(made)


def names_of_twisted(*modules):
    names = set()
    for module in modules:
        names |= set().union(*private_names(ast.parse(inspect.getsource(module))))
    return names


def test_it_uses_no_private_names_of_twisted():
    """No attribute that begins with an underscore is one of Twisted's, in any file."""
    from twisted.internet import abstract, base, posixbase, tcp
    from twisted.web import http, resource, server

    trees = {file.name: ast.parse(file.read_text()) for file in FILES}
    ours = set().union(*(private_names(tree)[1] for tree in trees.values()))
    theirs = names_of_twisted(abstract, base, posixbase, tcp, http, resource, server)
    for name, tree in trees.items():
        assert not private_names(tree)[0] & (theirs - ours), name


def test_its_subclasses_hide_no_private_names_of_twisted():
    """A class that inherits from Twisted's has no private attribute of the same name."""
    from twisted.internet import abstract, tcp
    from twisted.web import http, server

    for name, bases in (
        ("request.py", (http, server)),
        ("response_writer.py", (http, server)),
        ("response_headers.py", (http, server)),
        ("site.py", (http, server)),
        ("watched_sockets.py", (abstract, tcp)),
    ):
        tree = ast.parse((FILES[0].parent / name).read_text())
        assert private_names(tree)[0] & names_of_twisted(*bases) <= {"_log"}, name
