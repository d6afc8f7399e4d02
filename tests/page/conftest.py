"""A browser and a server for all tests of the page."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.server import Server
from tests.page.people import people_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser

OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    # Browsers trust a host with another name less than this one, where it comes over plain http.
    "--host-resolver-rules=MAP chat.test 127.0.0.1",
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


class OneBrowser:
    """A browser that is started when a test wants it, and ends before a test of something else."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._browser: Browser | None = None

    def get(self) -> Browser:
        """The browser, another one if it has crashed."""
        if self._browser is None or not self._browser.is_connected():
            self.close()
            chromium = shutil.which("chromium") or shutil.which("chromium-browser")
            if chromium is None:
                pytest.skip("chromium is missing")
            playwright = self._open.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
            self._open.callback(self._browser.close)
        return self._browser

    def close(self) -> None:
        """End it, if it runs."""
        self._browser = None
        self._open.close()


ONE_BROWSER = OneBrowser()


# To pytest a package is a folder with an __init__.py, and here the whole session; and a browser
# for each file costs more than a second of each.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """End the browser after the tests of the page: the others may run event loops of their own."""
    try:
        return (yield)
    finally:
        if nextitem is None or nextitem.path.parent != item.path.parent:
            ONE_BROWSER.close()


@pytest.fixture(scope="session")
def one_browser():
    """The browser of this worker, which ends even if the tests are broken off."""
    yield ONE_BROWSER
    ONE_BROWSER.close()


@pytest.fixture(scope="module")
def browser(one_browser):
    """A browser; each person has a profile of their own in it."""
    return one_browser.get()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that the tests of a file share; what they leave in it stays.

    All of its users count as online for a minute, and the page lists only fifty.
    """
    with Server(tmp_path_factory.mktemp("shared"), "--store", "memory:") as server:
        yield server


@pytest.fixture
def people(browser, server):
    """People in the shared server's chat."""
    with people_in(browser, f"{server.url}/") as people:
        yield people


@pytest.fixture
def own_server(tmp_path):
    """A server for one test, which may kill it; it keeps what it was told."""
    with Server(tmp_path) as server:
        yield server


@pytest.fixture
def own_people(browser, own_server):
    """People in the chat of the test's own server."""
    with people_in(browser, f"{own_server.url}/") as people:
        yield people


@pytest.fixture
def memory_server(tmp_path):
    """A server for one test, without a disk that every message would wait for."""
    with Server(tmp_path, "--store", "memory:") as server:
        yield server


@pytest.fixture
def memory_people(browser, memory_server):
    """People in the chat of that one."""
    with people_in(browser, f"{memory_server.url}/") as people:
        yield people
