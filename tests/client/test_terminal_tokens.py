"""The file of the tokens."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from threading import Thread

import pytest

from chatter.terminal.tokens import Identity, TokenFile, UnreadableTokens, state_directory

URL = "http://127.0.0.1:8000"
ALICE = Identity("alice", "t-alice")
BOB = Identity("bob", "t-bob")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_token_is_found_again(tmp_path):
    """What was kept for a server is found there by the next start, and nowhere else."""
    TokenFile(tmp_path / "tokens.json").keep(URL, ALICE)
    tokens = TokenFile(tmp_path / "tokens.json")
    assert tokens.find(URL) == ALICE
    assert tokens.find("http://elsewhere") is None


def test_a_file_that_was_written_by_hand(tmp_path):
    """It is read if it is as the document has it."""
    document = (Path(__file__).parents[2] / "docs/terminal.md").read_text()
    (written,) = (line for line in document.splitlines() if line.startswith("{"))
    (tmp_path / "tokens.json").write_text(written)
    found = TokenFile(tmp_path / "tokens.json").find(URL, "Alice")
    assert found is not None
    assert (found.name, len(found.token)) == ("alice", 64)


def test_nothing_is_kept_yet(tmp_path):
    """At the first start there is no file, and nobody to come back as."""
    assert TokenFile(tmp_path / "tokens.json").find(URL) is None


def test_several_users_at_one_server(tmp_path):
    """Each name has its token; without a name, it is the one used last."""
    tokens = TokenFile(tmp_path / "tokens.json")
    tokens.keep(URL, ALICE)
    tokens.keep(URL, BOB)
    assert tokens.find(URL) == BOB
    assert tokens.find(URL, "ALICE") == tokens.find(URL, "\uff41lice") == ALICE
    assert tokens.find(URL, "carol") is None
    tokens.keep(URL, ALICE)
    assert tokens.find(URL) == ALICE
    assert tokens.find(URL, "bob") == BOB


def test_a_token_is_forgotten(tmp_path):
    """A token that is good for nothing any more is not found again."""
    tokens = TokenFile(tmp_path / "tokens.json")
    tokens.keep(URL, BOB)
    tokens.keep(URL, ALICE)
    tokens.forget(URL, ALICE)
    assert tokens.find(URL) == BOB


def test_only_the_owner_can_read_it(tmp_path):
    """Whatever the umask, the directory and the file are their owner's alone."""
    before = os.umask(0)
    try:
        directory = state_directory({"XDG_STATE_HOME": str(tmp_path / "state")})
        tokens = TokenFile(directory / "tokens.json")
        tokens.keep(URL, ALICE)
        tokens.keep(URL, BOB)
    finally:
        os.umask(before)
    assert mode_of(directory) == 0o700
    assert {path.name: mode_of(path) for path in directory.iterdir()} == {
        "tokens.json": 0o600,
        "tokens.lock": 0o600,
    }


def test_it_is_never_there_for_others_to_read(tmp_path, monkeypatch):
    """The file has its mode before it has its content."""
    modes = []
    replace = Path.replace

    def watched(self, target):
        modes.append(mode_of(self))
        return replace(self, target)

    fsync = os.fsync

    def watched_fsync(descriptor):
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(Path, "replace", watched)
    monkeypatch.setattr(os, "fsync", watched_fsync)
    before = os.umask(0)
    try:
        TokenFile(tmp_path / "tokens.json").keep(URL, ALICE)
    finally:
        os.umask(before)
    assert modes == [0o600, 0o600]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    """A full disk costs the new token, not the old ones, and leaves no rubbish."""
    tokens = TokenFile(tmp_path / "tokens.json")
    tokens.keep(URL, ALICE)

    def full(descriptor):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        tokens.keep(URL, BOB)
    assert tokens.find(URL) == ALICE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokens.json", "tokens.lock"]


@pytest.mark.parametrize("content", [b"not JSON", b"[]", b'{"u": "t"}', b"\xff"])
def test_a_file_that_holds_something_else(tmp_path, content):
    """It is neither guessed at nor overwritten, and its content is not told."""
    path = tmp_path / "tokens.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableTokens, match=r"tokens\.json does not hold tokens"):
        TokenFile(path).keep(URL, ALICE)
    assert path.read_bytes() == content


def test_clients_that_start_at_once_lose_no_token(tmp_path):
    """Each of many clients that keep a token at the same time finds its own again."""
    path = tmp_path / "tokens.json"
    threads = [
        Thread(target=TokenFile(path).keep, args=(URL, Identity(f"user{n}", f"t{n}")))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(json.loads(path.read_bytes())[URL]) == 12


def test_where_it_is(tmp_path, monkeypatch):
    """It is in the state directory of the XDG specification, which ignores relative paths."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert state_directory({}) == tmp_path / ".local" / "state" / "chatter"
    assert state_directory({"XDG_STATE_HOME": "x"}) == tmp_path / ".local" / "state" / "chatter"
    assert state_directory({"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "chatter"
