"""What imports what: the layers of docs/design.md, as they are written there.

Imports for the type checker count, too: a file that names a type of a layer above
knows of it.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src"
FILES = [*sorted((SOURCE / "chatter").rglob("*.py")), ROOT / "twisted/plugins/chatter_plugin.py"]
BESIDE = {"httpd", "client", "terminal", "testing"}


def name_of(file):
    """A file of ours as the design names it: without the package that all are in."""
    base = ROOT if file.is_relative_to(ROOT / "twisted") else SOURCE / "chatter"
    return file.relative_to(base).as_posix()


def layers():
    """The layer of each file and folder in the table of the design."""
    design = (ROOT / "docs/design.md").read_text()
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", design, re.MULTILINE)
    return {place: int(layer) for layer, places in rows for place in re.findall("`(.+?)`", places)}


def layer_of(name):
    """The layer that a file is in; ``None`` for those that stand beside the layers."""
    if name.split("/")[0] in BESIDE:
        return None
    (layer,) = {n for place, n in LAYERS.items() if name == place or name.startswith(place)}
    return layer


def modules():
    """Our files by the names of their modules."""
    named = {}
    for file in FILES:
        path = file.relative_to(ROOT if file == FILES[-1] else SOURCE).with_suffix("")
        named[".".join(path.parts).removesuffix(".__init__")] = name_of(file)
    return named


def imports_of(file):
    """The files of ours that a file imports, also for the type checker only."""
    for node in ast.walk(ast.parse(file.read_text())):
        wanted = []
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            module = str(node.module)
            inside = [f"{module}.{alias.name}" for alias in node.names]
            wanted = [name if name in MODULES else module for name in inside]
        for name in wanted:
            if name in MODULES:
                yield MODULES[name]


LAYERS = layers()
MODULES = modules()
IMPORTS = {name_of(file): sorted(set(imports_of(file))) for file in FILES}
FOLDERS = sorted({"", *(f"{parent}/" for name in IMPORTS for parent in Path(name).parents[:-1])})


@pytest.mark.parametrize("name", IMPORTS)
def test_a_file_imports_from_its_layer_and_those_below(name):
    """A file in a layer knows nothing of what is above it, or beside it."""
    layer = layer_of(name)
    if layer is None or name == "__init__.py":
        return
    for imported in IMPORTS[name]:
        other = layer_of(imported)
        if other is None:
            assert imported.startswith("httpd/"), f"{name} knows of {imported}"
            assert layer >= layer_of("web/"), f"{name} knows of the HTTP server"
        else:
            assert other <= layer, f"{name} in layer {layer} knows of {imported} in {other}"


def parts_of(folder):
    """What each file or folder in a folder imports of the others, by their names."""
    parts = defaultdict(set)
    for name, imported in IMPORTS.items():
        for other in imported:
            if name.startswith(folder) and other.startswith(folder):
                one, another = (n.removeprefix(folder).split("/")[0] for n in (name, other))
                if one != another:
                    parts[one].add(another)
    return parts


def follow_all(imports):
    """Fail if following some imports leads back to where it began."""
    done = set()

    def follow(name, way):
        assert name not in way, " → ".join([*way[way.index(name) :], name])
        if name not in done:
            for other in imports.get(name, ()):
                follow(other, [*way, name])
            done.add(name)

    for name in imports:
        follow(name, [])


def test_there_are_no_circles():
    """Following the imports of a file, also those for types, never leads back to it."""
    follow_all(IMPORTS)


@pytest.mark.parametrize("folder", FOLDERS)
def test_folders_are_in_no_circle(folder):
    """What stands in a folder, be it a file or all of a folder, imports in one direction."""
    follow_all(parts_of(folder))


@pytest.mark.parametrize("name", [name for name in IMPORTS if name.startswith(("client", "term"))])
def test_the_client_shares_layer_0_only(name):
    """The client knows the protocol, and nothing of the server."""
    for imported in IMPORTS[name]:
        beside = imported.startswith(("client/", name.split("/")[0]))
        assert beside or layer_of(imported) == 0, f"{name} knows of {imported}"


def test_the_lean_server_knows_no_chat():
    """``httpd/`` imports nothing of ours but itself."""
    for name, imported in IMPORTS.items():
        if name.startswith("httpd/"):
            assert all(other.startswith("httpd/") for other in imported), name


def test_all_places_in_the_table_are_there():
    """The design names no file that is gone."""
    for place in LAYERS:
        assert any(name.startswith(place) for name in IMPORTS), place


def test_importing_installs_no_reactor():
    """Whoever imports us still chooses the reactor."""
    needs_extra = (
        () if find_spec("prometheus_client") else ("chatter.admin.endpoint.metric_families",)
    )
    names = (name for name in MODULES if name.startswith("chatter") and name not in needs_extra)
    ours = ", ".join(names)
    check = f"import sys, {ours}; assert 'twisted.internet.reactor' not in sys.modules"
    subprocess.run([sys.executable, "-W", "error", "-c", check], check=True)
