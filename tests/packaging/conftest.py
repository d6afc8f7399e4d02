"""A checkout of the project, as somebody has it who has just cloned it."""

from __future__ import annotations

import sys
from tempfile import TemporaryDirectory

import pytest

from tests.packaging.support import copy_of_the_project, run, succeed


class Checkout:
    """A copy of the project in which make is run."""

    def __init__(self, path):
        self.path = path

    def make(self, *words):
        """Run make, and let it fail."""
        return run(
            "make", "--no-print-directory", *words, f"PYTHON={sys.executable}", cwd=self.path
        )

    def must_make(self, *words):
        """Run make; returns what it prints."""
        done = self.make(*words)
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="session")
def folder():
    """A folder for the whole session: environments are too large to be kept."""
    with TemporaryDirectory(prefix="chatter-tests-", ignore_cleanup_errors=True) as name:
        yield name
        succeed("chmod", "-R", "u+w", name, cwd="/")


@pytest.fixture(scope="session")
def checkout(folder):
    """A checkout in which ``make start`` was run once, and made its environment."""
    checkout = Checkout(copy_of_the_project(f"{folder}/checkout"))
    assert checkout.make("stop").stdout == "chatter does not run.\n"
    checkout.must_make("start", "PORT=0", "STORE=memory:")
    checkout.must_make("stop")
    return checkout
