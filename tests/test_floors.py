"""What imports what: the floors of docs/design.md, as they are written there.

Imports for the type checker count, too: who names a type of a floor above knows of
it.  Only for circles they don't, as there are none of them when the program runs.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
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


def floors():
    """The floor of each file and folder in the table of the design."""
    design = (ROOT / "docs/design.md").read_text()
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", design, re.MULTILINE)
    return {place: int(floor) for floor, places in rows for place in re.findall("`(.+?)`", places)}


def floor_of(name):
    """The floor that a file is on; ``None`` for those that stand beside."""
    if name.split("/")[0] in BESIDE:
        return None
    (floor,) = {n for place, n in FLOORS.items() if name == place or name.startswith(place)}
    return floor


def modules():
    """Our files by the names of their modules."""
    named = {}
    for file in FILES:
        path = file.relative_to(ROOT if file == FILES[-1] else SOURCE).with_suffix("")
        named[".".join(path.parts).removesuffix(".__init__")] = name_of(file)
    return named


def imports_of(file):
    """Pairs: a file of ours that a file imports, and whether for the type checker only."""
    tree = ast.parse(file.read_text())
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
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
                yield MODULES[name], id(node) in for_types


FLOORS = floors()
MODULES = modules()
IMPORTS = {name_of(file): sorted(set(imports_of(file))) for file in FILES}


@pytest.mark.parametrize("name", IMPORTS)
def test_a_file_imports_from_its_floor_and_those_below(name):
    """A file on a floor knows nothing of what is above it, or beside it."""
    floor = floor_of(name)
    if floor is None:
        return
    for imported, _ in IMPORTS[name]:
        other = floor_of(imported)
        if other is None:
            assert imported.startswith("httpd/"), f"{name} knows of {imported}"
            assert floor == floor_of("web/"), f"{name} serves, which only web/ does"
        else:
            assert other <= floor, f"{name} on floor {floor} knows of {imported} on {other}"


def test_there_are_no_circles():
    """Following the imports of a file never leads back to it."""
    at_run_time = defaultdict(set)
    for name, imported in IMPORTS.items():
        at_run_time[name] = {other for other, for_types in imported if not for_types}

    def follow(name, way):
        assert name not in way, " → ".join([*way, name])
        for other in at_run_time[name]:
            follow(other, [*way, name])

    for name in IMPORTS:
        follow(name, [])


@pytest.mark.parametrize("name", [name for name in IMPORTS if name.startswith(("client", "term"))])
def test_the_client_shares_floor_0_only(name):
    """The client knows the words of the protocol, and nothing of the server."""
    for imported, _ in IMPORTS[name]:
        beside = imported.startswith(("client/", name.split("/")[0]))
        assert beside or floor_of(imported) == 0, f"{name} knows of {imported}"


def test_the_lean_server_knows_no_chat():
    """``httpd/`` imports nothing of ours but itself."""
    for name, imported in IMPORTS.items():
        if name.startswith("httpd/"):
            assert all(other.startswith("httpd/") for other, _ in imported), name


def test_all_places_in_the_table_are_there():
    """The design names no file that is gone."""
    for place in FLOORS:
        assert any(name.startswith(place) for name in IMPORTS), place


def test_importing_installs_no_reactor():
    """Whoever imports us still chooses the reactor."""
    ours = ", ".join(name for name in MODULES if name.startswith("chatter"))
    check = f"import sys, {ours}; assert 'twisted.internet.reactor' not in sys.modules"
    subprocess.run([sys.executable, "-W", "error", "-c", check], check=True)
