"""The wheel, the sdist and the editable install, each in an environment of its own."""

from __future__ import annotations

import shutil
import signal
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.packaging.support import ROOT, call, run, server, succeed, unprivileged
from tests.ports import free_port

KINDS = ["wheel", "sdist", "editable"]


class Environment:
    """A virtual environment; the pip of the tests installs into it."""

    def __init__(self, path):
        self.path = Path(path)
        self.python = self.path / "bin/python"

    def pip(self, *words):
        return succeed(sys.executable, "-m", "pip", "--python", self.python, *words, cwd="/")

    def script(self, name, *words):
        """The command line of an installed script, for a user who can't write here."""
        return unprivileged(self.python, self.path / "bin" / name, *words)

    @property
    def site_packages(self):
        code = "import sysconfig; print(sysconfig.get_path('purelib'), end='')"
        return Path(succeed(self.python, "-c", code, cwd="/"))

    def protect(self):
        succeed("chmod", "-R", "a-w", self.site_packages, cwd="/")
        return self

    def unprotect(self):
        succeed("chmod", "-R", "u+w", self.site_packages, cwd="/")


@pytest.fixture(scope="module")
def built(folder, checkout):
    """The folder of the sdist and of the wheel, both built from the checkout."""
    where = Path(folder, "dist")
    kinds = ("--no-isolation", "--sdist", "--wheel")
    succeed(sys.executable, "-m", "build", *kinds, "-o", where, cwd=checkout.path)
    return where


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("chatter_server-*.whl")
    return path


@pytest.fixture(scope="module")
def sdist(built):
    (path,) = built.glob("chatter_server-*.tar.gz")
    return path


@pytest.fixture(scope="module")
def environments(folder, checkout, wheel, sdist):
    """An environment for each way to install, whose site-packages can't be written.

    They are copies of the one that make has made, where the editable install has brought what
    chatter requires.
    """

    def copy(kind):
        return Environment(
            shutil.copytree(checkout.path / ".venv", f"{folder}/{kind}", symlinks=True)
        )

    def install(kind, path):
        environment = copy(kind)
        # As pip does with an sdist; the package that builds it is in the tests' environment.
        how = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation")
        made = Path(folder, f"from {kind}")
        succeed(sys.executable, "-m", "pip", "wheel", *how, "-w", made, path, cwd="/")
        environment.pip("install", "--quiet", "--no-deps", "--force-reinstall", *made.iterdir())
        # All that it requires is there, in the versions that it requires.
        environment.pip("check")
        return environment.protect()

    return {
        "wheel": install("wheel", wheel),
        "sdist": install("sdist", sdist),
        "editable": copy("editable").protect(),
    }


@pytest.fixture(params=KINDS)
def environment(request, environments):
    return environments[request.param]


def test_the_wheel_has_what_is_needed_and_nothing_else(wheel):
    """Types, schema and plugin are there; nothing that would take Twisted's place is."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"chatter/py.typed", "twisted/plugins/chatter_plugin.py"} <= names
    schema = ROOT / "src/chatter/stores/sqlite/schema"
    for script in schema.glob("*.sql"):
        assert f"chatter/stores/sqlite/schema/{script.name}" in names
    assert {name for name in names if name.startswith("twisted/")} == {
        "twisted/plugins/chatter_plugin.py"
    }
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"chatter", "twisted"}


def test_the_wheel_has_all_modules(wheel):
    """Whatever is in the source folder is shipped, with the page for browsers."""
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    files = [*ROOT.glob("src/**/*.py"), *ROOT.glob("src/chatter/page/*.*")]
    assert {path.relative_to(ROOT / "src").as_posix() for path in files} <= names


def test_the_sdist_is_a_whole_checkout(sdist, checkout):
    """Whoever has the sdist can do all that a checkout can do, but for git."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    files = {path.relative_to(checkout.path) for path in checkout.path.rglob("*") if path.is_file()}
    made_by_tools = {".venv", "node_modules", "var", "__pycache__", "dropin.cache"}
    ours = {file.as_posix() for file in files if made_by_tools.isdisjoint(file.parts)}
    assert ours - names == set()


def test_wheel_and_sdist_install_the_same(environments):
    """Which of the two one installs makes no difference."""

    def installed(kind):
        site_packages = environments[kind].site_packages
        (record,) = site_packages.glob("chatter_server-*.dist-info/RECORD")
        files = {line.rpartition(",sha256=")[0] or line for line in record.read_text().splitlines()}
        return {file for file in files if not file.endswith(("direct_url.json", ".pyc,,"))}

    assert installed("wheel") == installed("sdist")


def test_the_environments_are_protected(environment, tmp_path):
    """The user for whom the tests below stand can't write where chatter is installed."""
    file = environment.site_packages / "twisted/plugins/written"
    done = run(*unprivileged("/bin/sh", "-c", f"echo > {file}"), cwd=tmp_path)
    assert done.returncode != 0
    assert not file.exists()


def test_twistd_chatter_runs_anywhere(environment, tmp_path):
    """From an unrelated folder, by a user who can't write into site-packages."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    words = ("-n", "--pidfile=", "chatter", "--port", f"tcp:{port}:interface=127.0.0.1")
    with server(environment.script("twistd", *words), url, tmp_path) as process:
        _, page = call(f"{url}/")
        status, user = call(f"{url}/connect", "POST")
        process.terminate()
        log, _ = process.communicate(timeout=60)
    assert status == 200
    assert b'"user_id":1' in user
    assert page.startswith(b"<!doctype html>")
    assert process.returncode == -signal.SIGTERM
    assert "chatter has stopped." in log
    assert (tmp_path / "chatter.sqlite").exists()


def test_twistd_lists_chatter(environment, tmp_path):
    """``twistd --help`` has a line for it."""
    assert "A chat server over HTTP." in succeed(
        *environment.script("twistd", "--help"), cwd=tmp_path
    )


def test_the_command_chatter_is_installed(environment, tmp_path):
    """The terminal client is there by its name."""
    said = succeed(*environment.script("chatter", "--version"), cwd=tmp_path)
    assert said.startswith("chatter 0.")


def test_uninstalling_leaves_twisted_intact(environment, tmp_path):
    """Afterwards Twisted and its plugins work as before, and nothing of chatter is left."""
    environment.unprotect()
    environment.pip("uninstall", "--quiet", "--yes", "chatter-server")
    environment.protect()
    import_all = "import twisted, twisted.plugins; print(twisted.__version__, end='')"
    succeed(environment.python, "-c", import_all, cwd=tmp_path)
    listed = succeed(*environment.script("twistd", "--help"), cwd=tmp_path)
    assert "    web " in listed
    assert "chatter" not in listed
    assert run(environment.python, "-c", "import chatter", cwd=tmp_path).returncode != 0
    assert list(environment.site_packages.rglob("*chatter*")) == []
