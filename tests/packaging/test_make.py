"""``make start`` and ``make stop``, run in a checkout."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.packaging.conftest import Checkout
from tests.packaging.support import ROOT, call, clean_environment, run
from tests.ports import free_port

LATE_PLUGIN = """
from chatter.stores.plugin import StoreMaker

late = StoreMaker("late", "late:", "late_store.LateStore")
"""

LATE_STORE = """
from pathlib import Path

from chatter.protocol.errors import StoreUnavailable
from chatter.stores.memory import MemoryStore


class LateStore(MemoryStore):
    @classmethod
    def check_store(cls, location):
        pass

    async def check(self):
        if not Path("var/ready").exists():
            raise StoreUnavailable("It is late.")
"""


@pytest.fixture
def make(checkout):
    """Runs make where there is no state yet; whatever it started is stopped at the end."""
    shutil.rmtree(checkout.path / "var")
    (checkout.path / "var").mkdir()
    yield checkout.make
    checkout.must_make("stop")


@pytest.fixture
def stranger():
    """A process that has nothing to do with chatter."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        assert process.poll() is None, "It was ended."
        process.kill()


@pytest.fixture
def url():
    return f"http://127.0.0.1:{free_port()}"


def port_of(url):
    return f"PORT={url.rpartition(':')[2]}"


def address_in(said):
    (address,) = re.findall(r"address  (http://127\.0\.0\.1:\d+)", said)
    return address


def pid_of_server(checkout):
    return int((checkout.path / "var/chatter.pid").read_text().split()[0])


def begun(checkout, *words, **environment):
    """A make that runs."""
    return subprocess.Popen(
        ["make", "--no-print-directory", *words, f"PYTHON={sys.executable}"],
        cwd=checkout.path,
        env={**clean_environment(), **environment},
        text=True,
        stdout=subprocess.PIPE,
    )


def test_start_says_where_it_runs_and_where_its_state_is(make, url, checkout):
    """When ``make start`` returns, the server responds; it names address, log and store."""
    done = make("start", port_of(url))
    assert call(f"{url}/health") == (200, b'{"status":"OK"}')
    assert done.returncode == 0
    assert done.stdout == (
        "chatter runs.\n"
        f"  address  {url}\n"
        "  store    sqlite:var/chatter.sqlite\n"
        "  log      var/chatter.log\n"
        f"To chat, in another terminal: make client URL={url}\n"
        "To stop it: make stop\n"
    )
    assert "chatter listens on" in (checkout.path / "var/chatter.log").read_text()
    assert (checkout.path / "var/chatter.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_second_start_says_that_it_runs(make, url):
    """A second ``make start`` succeeds, and says where the running server is."""
    first = make("start", port_of(url)).stdout
    for again in ((), (port_of(url),), ("STORE=sqlite:var/chatter.sqlite",)):
        second = make("start", *again)
        assert second.returncode == 0
        assert second.stdout == first.replace("chatter runs.", "chatter runs already.")


def test_a_second_start_that_asks_for_another_server_fails(make, url):
    """With another port or store than the running server's it says so, and fails."""
    make("start", port_of(url))
    for other in (f"PORT={free_port()}", "STORE=memory:"):
        second = make("start", other)
        assert second.returncode != 0
        assert second.stdout.startswith("chatter runs already, with another ")
        assert f"  address  {url}\n" in second.stdout
    assert call(f"{url}/health") is not None


def test_a_checkout_that_was_moved(make, url, checkout):
    """Its server is still stopped, and its environment is made again."""
    make("start", port_of(url))
    old, new = checkout.path, checkout.path.with_name("moved")
    old.rename(new)
    try:
        moved = Checkout(new)
        assert moved.must_make("stop") == "chatter has stopped.\n"
        assert "venv --clear .venv" in moved.must_make("start", "--dry-run")
        (pth,) = new.glob(".venv/lib/python*/site-packages/*chatter_server.pth")
        pth.write_text(f"{new}/src")
        assert "venv" not in moved.must_make("start", "--dry-run").replace(".venv/bin", "")
        pth.write_text(f"{old}/src")
    finally:
        new.rename(old)


def test_stop_stops_in_order(make, url, checkout):
    """When ``make stop`` returns, the server has stopped in order and is gone."""
    make("start", port_of(url))
    done = make("stop")
    log = (checkout.path / "var/chatter.log").read_text()
    assert (done.returncode, done.stdout) == (0, "chatter has stopped.\n")
    assert "chatter has stopped." in log
    assert "Server Shut Down." in log
    assert call(f"{url}/health") is None


def test_stop_waits_for_the_end(make, url, checkout):
    """As long as the server takes to end, ``make stop`` takes as well."""
    make("start", port_of(url))
    pid = pid_of_server(checkout)
    os.kill(pid, signal.SIGSTOP)
    with begun(checkout, "stop") as stopping:
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                stopping.wait(1)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert stopping.communicate(timeout=60)[0] == "chatter has stopped.\n"


def test_start_waits_for_health(make, url, checkout, tmp_path):
    """As long as the server's ``/health`` is bad, ``make start`` does not say that it runs."""
    plugins = tmp_path / "twisted/plugins"
    plugins.mkdir(parents=True)
    (plugins / "late_plugin.py").write_text(LATE_PLUGIN)
    (tmp_path / "late_store.py").write_text(LATE_STORE)
    words = ("start", port_of(url), "STORE=late:")
    with begun(checkout, *words, PYTHONPATH=str(tmp_path)) as starting:
        log = checkout.path / "var/chatter.log"
        while not log.exists() or "chatter listens on" not in log.read_text():
            assert starting.poll() is None
            time.sleep(0.05)
        with pytest.raises(subprocess.TimeoutExpired):
            starting.wait(1)
        (checkout.path / "var/ready").touch()
        assert starting.communicate(timeout=60)[0].startswith("chatter runs.")


def test_stop_says_that_nothing_runs(make):
    """``make stop`` succeeds when there is nothing to stop."""
    done = make("stop")
    assert (done.returncode, done.stdout) == (0, "chatter does not run.\n")


@pytest.mark.parametrize("content", ["", "99999999\n", "gar\0bage\n", "1\n", "-1\n"])
def test_a_pid_file_that_means_nothing_does_not_hurt(make, url, checkout, content):
    """Whatever a crash left in the pid file, the server starts, and stops."""
    (checkout.path / "var/chatter.pid").write_text(content)
    assert make("stop").stdout == "chatter does not run.\n"
    (checkout.path / "var/chatter.pid").write_text(content)
    assert make("start", port_of(url)).stdout.startswith("chatter runs.")
    assert make("stop").stdout == "chatter has stopped.\n"


def test_a_stranger_in_a_stale_pid_file_is_left_alone(make, url, checkout, stranger):
    """A process that got a dead server's id is neither taken for it nor ended."""
    (checkout.path / "var/chatter.pid").write_text(f"{stranger.pid}\n")
    assert make("stop").stdout == "chatter does not run.\n"
    (checkout.path / "var/chatter.pid").write_text(f"{stranger.pid}\n")
    assert make("start", port_of(url)).stdout.startswith("chatter runs.")
    assert make("stop").stdout == "chatter has stopped.\n"


@pytest.mark.parametrize("content", ["{stranger}\n", "garbage\n", ""])
def test_a_running_server_whose_pid_file_was_changed(make, url, checkout, stranger, content):
    """Nobody else is ended in its place; it still counts as running."""
    make("start", port_of(url))
    pid_file = checkout.path / "var/chatter.pid"
    right = pid_file.read_text()
    pid_file.write_text(content.format(stranger=stranger.pid))
    stopped = make("stop")
    started = make("start", port_of(url))
    pid_file.write_text(right)
    assert stopped.returncode != 0
    assert "chatter runs, but var/chatter.pid does not tell as which process." in stopped.stdout
    assert started.stdout.startswith("chatter runs already.")
    assert stranger.poll() is None


def test_a_start_elsewhere_tells_the_new_address(make):
    """What the log has of servers before does not count."""
    first = make("start", "PORT=tcp:0")
    make("stop")
    second = make("start", "PORT=tcp:0")
    assert address_in(first.stdout) != address_in(second.stdout)
    assert call(f"{address_in(second.stdout)}/health") is not None


def test_a_server_that_was_killed_is_started_again_on_its_store(make, url, checkout):
    """After ``kill -9`` there is nothing to tidy up, and the users are still there."""
    make("start", port_of(url))
    call(f"{url}/connect", "POST")
    os.kill(pid_of_server(checkout), signal.SIGKILL)
    assert make("start", port_of(url)).stdout.startswith("chatter runs.")
    status, second = call(f"{url}/connect", "POST")
    assert status == 200
    assert b'"user_id":2' in second


def test_a_port_in_use_is_told_in_one_line(make):
    """The reason is the server's own line, then how to take another port; nothing runs."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = make("start", f"PORT={port}")
    assert done.returncode != 0
    first_line, _, rest = done.stdout.partition("\n")
    assert first_line == f"chatter: Couldn't listen on 127.0.0.1:{port}: Address already in use."
    assert rest.startswith("Another port: make start PORT=")
    assert "Traceback" not in rest
    assert make("stop").stdout == "chatter does not run.\n"


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("PORT=telegraph:8000", "chatter: --port 'telegraph:8000': this is no place to listen"),
        ("STORE=clay:tablet", "chatter: --store 'clay:tablet':"),
        ("STORE=sqlite:var/chatter.log", "chatter: The database "),
    ],
)
def test_an_option_that_makes_no_sense_is_told_in_one_line(make, url, option, reason):
    """What is said is about this start, not about one that failed before."""
    make("start", "PORT=earlier:mistake")
    done = make("start", port_of(url), option)
    assert done.returncode != 0
    assert done.stdout.startswith(reason)
    assert "earlier" not in done.stdout


def test_port_takes_any_tcp_endpoint(make, checkout):
    """The address that is printed is the one that the server got."""
    done = make("start", "PORT=tcp:0", "STORE=memory:")
    assert call(f"{address_in(done.stdout)}/health") == (200, b'{"status":"OK"}')
    assert not (checkout.path / "var/chatter.sqlite").exists()


def test_port_takes_an_endpoint_that_is_not_tcp(make, checkout):
    """Where ``/health`` can't be asked simply, the server's own word is taken."""
    done = make("start", "PORT=unix:var/chatter.sock", "STORE=memory:")
    assert "  address  unix:var/chatter.sock\n" in done.stdout
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.path.relpath(checkout.path / "var/chatter.sock"))
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert connection.recv(1024).startswith(b"HTTP/1.1 200")


def test_store_chooses_the_database(make, url, checkout):
    """``STORE=`` overrides where messages are kept."""
    make("start", port_of(url), "STORE=sqlite:var/other.sqlite")
    assert (checkout.path / "var/other.sqlite").exists()
    assert not (checkout.path / "var/chatter.sqlite").exists()


def test_starting_at_the_same_time_starts_one(make, url, checkout):
    """Of two starts at a time, one runs the server, and both succeed."""
    pair = [begun(checkout, "start", port_of(url)) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert sorted(line.splitlines()[0] for line in said) == [
        "chatter runs already.",
        "chatter runs.",
    ]


def test_the_server_outlives_the_terminal(make, url, checkout):
    """It is in a session of its own, so that no hang-up of a terminal reaches it."""
    make("start", port_of(url))
    pid = pid_of_server(checkout)
    assert os.getsid(pid) == pid


def test_a_python_that_is_too_old_is_told_before_anything_is_made(tmp_path):
    """One line says what is needed, and no environment is left that would not do."""
    old = tmp_path / "python3.9"
    old.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = 3, 9; $2"\n'
    )
    old.chmod(0o755)
    done = run("make", "start", f"VENV={tmp_path}/venv", f"PYTHON={old}", cwd=ROOT)
    assert done.returncode != 0
    assert done.stdout.startswith("chatter needs Python 3.10 or newer")
    assert not (tmp_path / "venv").exists()


def test_make_lists_what_there_is():
    """Without a target it says what each is for, and changes nothing."""
    said = run("make", "--no-print-directory", cwd=ROOT).stdout
    listed = re.findall(r"^make ([a-z-]+) +\S", said, re.MULTILINE)
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert listed == phony.split()


def test_two_people_at_one_machine(tmp_path):
    """``make client NAME=…`` is that user, whatever is in the name; without it, the last one."""
    python = tmp_path / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    (tmp_path / "venv/run").touch()
    # What says that the checkout was not moved.
    installed = tmp_path / "venv/lib/python3/site-packages/_chatter_server.pth"
    installed.parent.mkdir(parents=True)
    installed.write_text(f"{ROOT}/src\n")
    client = ["make", "--no-print-directory", "client", f"VENV={tmp_path}/venv"]
    assert "--name" not in run(*client, cwd=ROOT).stdout
    named = run(*client, 'NAME=O\'Brien "B."', "URL=https://a.example", cwd=ROOT).stdout
    assert named.splitlines() == ["client.py", "https://a.example", "--name", 'O\'Brien "B."']
