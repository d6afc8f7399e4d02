"""A browser and a server for all tests of the page."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.server import Server
from tests.page.people import people_in

OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    # Browsers trust a host with another name less than this one, where it comes over plain http.
    "--host-resolver-rules=MAP chat.test 127.0.0.1",
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


# For no longer: while it is there, no other test may run an event loop of its own.  To pytest a
# package is a folder with an __init__.py, and here the whole session.
@pytest.fixture(scope="module")
def browser():
    """A browser; each person has a profile of their own in it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is missing")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        yield browser
        browser.close()


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
    with people_in(browser, f"http://127.0.0.1:{server.port}/") as people:
        yield people


@pytest.fixture
def own_server(tmp_path):
    """A server for one test, which may kill it; it keeps what it was told."""
    with Server(tmp_path) as server:
        yield server


@pytest.fixture
def own_people(browser, own_server):
    """People in the chat of the test's own server."""
    with people_in(browser, f"http://127.0.0.1:{own_server.port}/") as people:
        yield people
