"""The contracts of a store, as an author of one runs them: under pytest and under trial."""

from __future__ import annotations

import subprocess
import sys

import pytest

PYTEST = """
import pytest
from chatter.stores.memory import MemoryStore
from chatter.testing import StoreContract


class WrongStore(MemoryStore):
    async def cursor(self, user_id):
        return 77 if self.running else await super().cursor(user_id)


class TestRight(StoreContract):
    def make_store(self):
        return MemoryStore()


class TestWrong(StoreContract):
    def make_store(self):
        return WrongStore()
"""

TRIAL = """
from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from chatter.stores.sqlite import SQLiteStore
from chatter.testing import DurableStoreContract


class WrongStore(SQLiteStore):
    async def cursor(self, user_id):
        return 77


class RightTests(DurableStoreContract, TestCase):
    store = SQLiteStore

    def setUp(self):
        self.path = Path(self.mktemp())

    def make_store(self):
        return self.store(self.path, reactor)


class WrongTests(RightTests):
    store = WrongStore
"""


def run(folder, program, *words):
    (folder / "test_mine.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("kind", ["TestRight", "TestWrong"])
def test_under_pytest(tmp_path, kind):
    """What a store breaks is told with the values, without any setting."""
    status, said = run(tmp_path, PYTEST, "pytest", "-q", f"test_mine.py::{kind}")
    assert (status != 0) == (kind == "TestWrong"), said
    assert ("assert 77 == 7" in said) == (kind == "TestWrong")
    assert "warning" not in said


@pytest.mark.parametrize("kind", ["RightTests", "WrongTests"])
def test_under_trial(tmp_path, kind):
    """The same tests run under trial."""
    status, said = run(tmp_path, TRIAL, "twisted.trial", f"test_mine.{kind}")
    assert (status != 0) == (kind == "WrongTests"), said
    assert ("assert await store.cursor" in said) == (kind == "WrongTests")
