"""The pid file of a server that can't start."""

from __future__ import annotations

import pytest

from chatter.process.pid_file import remove_own_pid_file


def test_it_is_gone_before_the_failure_is_reported(tmp_path):
    """``twistd`` knows of none any more, as the next server may have made its own meanwhile."""
    path = tmp_path / "twistd.pid"
    path.write_text("1")
    twistd = {"pidfile": str(path)}
    remove_own_pid_file(twistd)
    assert not path.exists()
    assert twistd["pidfile"] == ""


@pytest.mark.parametrize("name", ["", "missing.pid"])
def test_there_may_be_none(tmp_path, monkeypatch, name):
    """A server in the foreground may have been told to make none."""
    monkeypatch.chdir(tmp_path)
    remove_own_pid_file({"pidfile": name})
