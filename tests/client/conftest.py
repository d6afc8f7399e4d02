"""What the tests of the command need."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def environment(tmp_path):
    """A state directory of the test's own, and nothing but the checkout to import from."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "XDG_STATE_HOME": str(tmp_path), "TZ": "UTC", "PYTHONIOENCODING": "utf-8"}
