"""The documents for users, each from the first block to the last: what is shown happens."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.packaging.replay import Recording, Shell, blocks_of
from tests.packaging.support import ROOT, clean_environment, server, succeed
from tests.ports import free_port

# In a document, blocks of these kinds are run in their order.  Of the others, ``sh`` needs root
# and ``text`` without a label is an excerpt of an example.
RUN = ("console", "bash", "python", "ini")
DOCUMENTS = {
    name: (ROOT / name).read_text()
    for name in ("README.md", "docs/terminal.md", "docs/embedding.md", "docs/operating.md")
}
BLOCKS = [
    (name, block)
    for name, document in DOCUMENTS.items()
    for block in blocks_of(document)
    if block.kind in RUN or block.label == "bob"
]
PORTS = (8000, 8080, 8443)

# They would run these tests in these tests, or measure for minutes.
ONLY_CHECKED = re.compile(r"^make (test|lint|format|bench)\b", re.MULTILINE)

SPOKEN = [
    ("bob", "Is anybody there?"),
    ("carol", "I am."),
    ("carol", "/msg bob The back door is open."),
    ("carol", "/who"),
]


class Reader:
    """Somebody who follows a document in a checkout."""

    def __init__(self, checkout, folder, name):
        self.name = name
        self.path = checkout.path
        self.home = Path(folder, "reader", Path(name).stem)
        self.home.mkdir(parents=True)
        shutil.rmtree(self.path / "var", ignore_errors=True)
        (self.path / "var").mkdir()
        self.recording = Recording({port: free_port() for port in PORTS})
        makefile = (ROOT / "Makefile").read_text()
        (self.path / "Makefile").write_text(self.recording.now(makefile))
        python3 = self.home / "python3"
        python3.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python3.chmod(0o755)
        self.shell = Shell(self.path, self.home)

    def console(self, block):
        """Type the commands, and see what comes back."""
        for step in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, recorded = step.partition("\n")
            said = self.shell.run(self.recording.now(command))
            self.recording.compare(recorded, said)

    def bash(self, block):
        """Run the commands."""
        for line in block.text.splitlines():
            command = ONLY_CHECKED.sub(r"make --dry-run \1", line)
            self.shell.run(self.recording.now(command))

    def python(self, block):
        """Run the program, beside a server or, if it is one, as a server."""
        program = self.path / "var/program.py"
        program.write_text(self.recording.now(block.text))
        command = [self.path / ".venv/bin/python", program]
        if ".listen(" in block.text:
            with server(command, self.recording.now("http://127.0.0.1:8080/chat"), self.path):
                pass
        else:
            self.shell.run("make start")
            succeed(*command, cwd=self.path, timeout=60)
            self.shell.run("make stop")

    def ini(self, block):
        """Run what the unit runs."""
        unit = configparser.ConfigParser()
        unit.read_string(block.text)
        assert unit["Unit"]["Description"] == "chatter"
        words = unit["Service"]["ExecStart"].replace("/opt/chatter", f"{self.path}/.venv")
        words = words.replace("/var/lib/chatter", str(self.home))
        words = words.replace("/run/chatter/", "")
        port = free_port()
        command = [*shlex.split(words), "--port", f"tcp:{port}:interface=127.0.0.1"]
        with server(command, f"http://127.0.0.1:{port}", self.home):
            assert (self.home / "chatter.sqlite").exists()


@pytest.fixture(scope="module")
def readers(checkout, folder):
    """Gives the reader of a document; only one reads at a time."""
    present: list[Reader] = []

    def leave():
        if present:
            reader = present.pop()
            checkout.must_make("stop")
            reader.shell.close()

    def reader_of(name):
        if not present or present[0].name != name:
            leave()
            present.append(Reader(checkout, folder, name))
        return present[0]

    yield reader_of
    leave()


@pytest.mark.parametrize(
    ("name", "block"),
    BLOCKS,
    ids=[f"{name} line {block.line} {block.label or block.kind}" for name, block in BLOCKS],
)
def test_what_it_shows_happens(readers, name, block):
    """Commands print what is shown, snippets run, the unit starts, screens look so."""
    reader = readers(name)
    if block.kind == "text":
        see_the_screens(reader)
    else:
        getattr(reader, block.kind)(block)


def see_the_screens(reader):
    """Chat as two people, and see on their screens what the README has."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    blocks = blocks_of(DOCUMENTS[reader.name])
    shown = {block.label: block.text for block in blocks if block.label}
    screens = {name: Screen(reader, name) for name in shown}
    try:
        for name, screen in screens.items():
            screen.wait_for("Your name (Enter for any):")
            screen.type(name)
            screen.wait_for("alice: Hello, everybody!")
        for name, line in SPOKEN:
            screens[name].type(line)
            said = line.removeprefix("/msg bob ")
            for screen in screens.values() if "/who" not in line else [screens[name]]:
                screen.wait_for("online:" if line == "/who" else said)
        for name, screen in screens.items():
            reader.recording.compare(shown[name], screen.lines())
    finally:
        for screen in screens.values():
            screen.close()


class Screen:
    """A terminal in which somebody chats."""

    def __init__(self, reader, name):
        self._tmux = ["tmux", "-S", f"{reader.home}/{name}.tmux", "-f", "/dev/null"]
        environment = clean_environment()
        environment["PATH"] = f"{reader.home}:{environment['PATH']}"
        environment.update(XDG_STATE_HOME=f"{reader.home}/{name}", TZ="UTC", LC_ALL="C.UTF-8")
        size = ["-x", "100", "-y", "30"]
        self._run("new-session", "-d", *size, "make client", cwd=reader.path, env=environment)

    def type(self, line):
        self._run("send-keys", "-l", line)
        self._run("send-keys", "Enter")

    def lines(self):
        screen = self._run("capture-pane", "-p")
        return "\n".join(line.rstrip() for line in screen.splitlines() if line.strip())

    def wait_for(self, text):
        deadline = time.monotonic() + 60
        while text not in self.lines():
            assert time.monotonic() < deadline, f"No {text!r}, but:\n{self.lines()}"
            time.sleep(0.1)

    def close(self):
        self._run("kill-server")

    def _run(self, *words, **more):
        done = subprocess.run(
            [*self._tmux, *words], capture_output=True, text=True, check=True, **more
        )
        return done.stdout


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_block_is_of_a_kind_that_is_known(name):
    """No command is hidden in a block that nobody runs."""
    blocks = blocks_of(DOCUMENTS[name])
    assert {block.kind for block in blocks} <= {*RUN, "sh", "text"}
    assert DOCUMENTS[name].count("```") == 2 * len(blocks)


def test_the_readme_is_short():
    """Somebody who has two minutes can read it."""
    assert len(DOCUMENTS["README.md"].splitlines()) <= 150


ALL = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]


@pytest.mark.parametrize("document", ALL, ids=lambda document: document.name)
def test_links_lead_somewhere(document):
    """Each relative link of a document is to a file or a folder of the project."""
    for target in re.findall(r"\]\(([^)#]+)", document.read_text()):
        assert "://" in target or (document.parent / target).exists(), target


def test_all_options_are_there():
    """The table of options has those of ``twistd chatter``, and no other."""
    from chatter.tap import Options

    table = set(re.findall(r"^\| `--([a-z-]+)", DOCUMENTS["docs/operating.md"], re.MULTILINE))
    options = {option.rstrip("=") for option in Options().longOpt}
    assert options - {"help", "version"} == table


def test_all_endpoints_are_there():
    """The table of requests has all endpoints, and no other."""
    from twisted.internet.task import Clock

    from chatter.chat import Chat
    from chatter.stores.memory import MemoryStore
    from chatter.web import ChatResource

    protocol = (ROOT / "docs/protocol.md").read_text()
    resource = ChatResource(Chat(MemoryStore(), Clock()))
    table = set(re.findall(r"^\| `(?:GET|POST) /([^`?]+)", protocol, re.MULTILINE))
    assert set(_paths_below(resource)) == table


def _paths_below(resource, above=""):
    for name, child in resource.children.items():
        yield f"{above}{name.decode()}"
        yield from _paths_below(child, f"{above}{name.decode()}/")
