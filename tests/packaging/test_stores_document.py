"""``docs/stores.md``: the store that it shows works."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.packaging.replay import blocks_of
from tests.packaging.support import ROOT, run, server, succeed
from tests.ports import free_port


@pytest.fixture
def shown(tmp_path):
    """A folder with the files that the document shows."""
    files = {block.label: block.text for block in blocks_of((ROOT / "docs/stores.md").read_text())}
    plugins = tmp_path / "twisted/plugins"
    plugins.mkdir(parents=True)
    for name in ("tattling_store", "test_tattling_store"):
        (tmp_path / f"{name}.py").write_text(files.pop(name))
    (plugins / "tattling_plugin.py").write_text(files.pop("tattling_plugin"))
    assert not files
    return tmp_path


def twistd(folder, port, store):
    command = [
        "env",
        f"PYTHONPATH={folder}",
        sys.executable,
        Path(sys.executable).with_name("twistd"),
        "-n",
        "--pidfile=",
    ]
    options = ["--port", f"tcp:{port}:interface=127.0.0.1", "--store", store]
    return [*command, "chatter", *options]


def test_the_store_is_found_by_its_scheme(shown):
    """``twistd`` with the files on its path takes the store, which does what it says."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with server(twistd(shown, port, "tattle:messages.txt"), url, shown):
        client = [sys.executable, ROOT / "client.py", url, "--name", "alice"]
        home = f"XDG_STATE_HOME={shown}"
        succeed("env", home, *client, cwd=shown, said_to_it="A secret.")
    assert (shown / "messages.txt").read_text() == "1 A secret.\n"


def test_a_location_that_makes_no_sense_is_told(shown):
    """What the store says is the one line that the operator sees."""
    done = run(*twistd(shown, 0, "tattle:"), cwd=shown)
    assert done.returncode == 1
    assert "To whom? For instance tattle:messages.txt." in done.stdout


def test_the_contract_can_be_put_to_the_store(shown):
    """The tests that the document shows are found, and pass."""
    python = ["env", f"PYTHONPATH={shown}", sys.executable, "-m"]
    said = succeed(*python, "pytest", "-q", "-p", "no:cacheprovider", cwd=shown)
    (passed,) = re.findall(r"(\d+) passed", said)
    assert int(passed) > 10
