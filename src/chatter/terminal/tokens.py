"""The file of tokens, so that the next start comes back as the same user."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

from filelock import FileLock
from msgspec import DecodeError, Struct, json

from chatter.protocol.names import fold

if TYPE_CHECKING:
    from collections.abc import Mapping


class UnreadableTokens(Exception):
    """The file can't be read as tokens."""


class Identity(Struct, frozen=True):
    """A user of a chat whose token is kept on this machine."""

    name: str
    token: str


def state_directory(environment: Mapping[str, str]) -> Path:
    """The directory for the client's files, made for its owner alone.

    :raises OSError: if it can't be made.
    """
    base = Path(environment.get("XDG_STATE_HOME", ""))
    # The XDG specification has relative paths ignored.
    if not base.is_absolute():
        base = Path.home() / ".local" / "state"
    directory = base / "chatter"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


class TokenFile:
    """The users of each server whose tokens are kept, the last one used first.

    :param path: the file, which is made when it is needed; only its owner can ever read it.

    Its methods raise ``OSError`` if the file can't be used, and
    :class:`UnreadableTokens` if it can't be read as tokens.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, url: str, name: str | None = None) -> Identity | None:
        """The user that was last used at that server, or the one with that name."""
        for identity in self._read().get(url, []):
            if name is None or fold(identity.name) == fold(name):
                return identity
        return None

    def keep(self, url: str, identity: Identity) -> None:
        """Keep a user's token, as the one last used at that server."""
        self._replace(url, identity.name, [identity])

    def forget(self, url: str, identity: Identity) -> None:
        """Remove a user's token."""
        self._replace(url, identity.name, [])

    def _replace(self, url: str, name: str, identities: list[Identity]) -> None:
        # Two clients that start at once must not drop each other's token.
        with FileLock(self._path.with_suffix(".lock"), mode=0o600):
            everywhere = self._read()
            others = [known for known in everywhere.get(url, []) if known.name != name]
            everywhere[url] = [*identities, *others]
            self._write(json.format(json.encode(everywhere), indent=1))

    def _read(self) -> dict[str, list[Identity]]:
        try:
            return json.decode(self._path.read_bytes(), type=dict[str, list[Identity]])
        except FileNotFoundError:
            return {}
        except DecodeError:
            raise UnreadableTokens(f"{self._path} does not hold tokens; move it away.") from None

    def _write(self, content: bytes) -> None:
        descriptor, written = mkstemp(dir=self._path.parent, prefix=self._path.name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            Path(written).replace(self._path)
        except BaseException:
            Path(written).unlink(missing_ok=True)
            raise
