"""Lighthouse on the page of somebody who is signed in, as a phone and as a desktop.

It comes from npm when it is run; without npm it is left out, and a line says so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from browsers import join, with_a_profile, writer
from page_sends import send_many
from playwright.sync_api import sync_playwright
from servers import chatter, running
from table import Table, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices")
FORMS = {"mobile": (), "desktop": ("--preset=desktop",)}
MOST_ROUNDS = 3
"""Each takes about 15 seconds."""

SECONDS = 240
"""One is given up after so long."""


def lighthouse(directory: Path, rounds: int, seconds: float) -> Iterator[Table]:
    """The median of the scores, which are from 0 to 100."""
    del seconds
    npx = shutil.which("npx")
    if npx is None or not _is_there(npx):
        print(f"npm has no {LIGHTHOUSE} for us: it is left out.", file=sys.stderr)
        return
    table = Table("Lighthouse, signed in", ("what", "median", "lowest to highest", "what costs"))
    with (
        running("chatter", chatter("memory:"), directory) as server,
        with_a_profile(directory / "profile") as debugger,
    ):
        send_many(server.port, writer(server), 200)
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{debugger}")
            page = browser.contexts[0].new_page()
            join(page, server, "reader")
            # What was read is marked once a second.
            page.wait_for_timeout(1500)
            page.close()
            browser.close()
        for form, options in FORMS.items():
            reports = []
            for number in range(min(rounds, MOST_ROUNDS)):
                path = directory / f"{form} {number}.json"
                command = [npx, "--yes", LIGHTHOUSE, f"http://127.0.0.1:{server.port}/"]
                command += [f"--port={debugger}", "--disable-storage-reset", "--quiet", *options]
                command += [f"--only-categories={','.join(CATEGORIES)}"]
                command += ["--output=json", f"--output-path={path}"]
                subprocess.run(command, check=True, timeout=SECONDS, stdout=sys.stderr)
                reports.append(json.loads(path.read_text()))
            for category in CATEGORIES:
                _add(table, form, category, reports)
    yield table


def _is_there(npx: str) -> bool:
    command = [npx, "--yes", LIGHTHOUSE, "--version"]
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    return done.returncode == 0


def _add(table: Table, form: str, category: str, reports: list[Any]) -> None:
    """Add the median score of a category, and what that report counts against it."""

    def score(report: Any) -> float:
        return 100 * float(report["categories"][category]["score"])

    ordered = sorted(reports, key=score)
    middle = ordered[len(ordered) // 2]
    costs = [
        f"{reference['id']} {audit.get('displayValue', '')}".strip()
        for reference in middle["categories"][category]["auditRefs"]
        if reference["weight"] and (audit := middle["audits"][reference["id"]])["score"] is not None
        if audit["score"] < 1
    ]
    span = f"{score(ordered[0]):.0f} to {score(ordered[-1]):.0f}"
    table.add(
        f"{form}: {category}",
        f"{score(middle):.0f}",
        span,
        ", ".join(costs),
        figure=score(middle),
        target=Target(100, at_least=True, unit=""),
    )
