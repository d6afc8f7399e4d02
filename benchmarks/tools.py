"""What a benchmark needs before it can start: the load generator and the peers' environment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
BUILD = HERE / "build"
LOAD_SOURCE = HERE / "load.c"
LOAD = BUILD / "load"
PEERS_PYTHON = BUILD / "peers-venv" / "bin" / "python"


def cores() -> tuple[int, int]:
    """The core for the server, and the one for the load."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        sys.exit("The benchmarks need two processor cores: one for the server, one for the load.")
    return available[0], available[1]


def pinned(command: list[str], core: int) -> list[str]:
    """The command that runs another on one core only."""
    return ["taskset", "-c", str(core), *command]


def compiled(source: Path) -> Path:
    """The program of a C file, built if that or a header beside it is newer."""
    program = BUILD / source.stem
    BUILD.mkdir(exist_ok=True)
    newest = max(file.stat().st_mtime for file in (source, *source.parent.glob("*.h")))
    if not program.exists() or program.stat().st_mtime < newest:
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", "-pthread", "-o", program, source], check=True)
    return program


def install_peers() -> None:
    """Make the peers' environment, if it is missing or its requirements have changed."""
    requirements = HERE / "requirements.txt"
    installed = PEERS_PYTHON.parents[1] / "requirements.txt"
    if installed.exists() and installed.read_text() == requirements.read_text():
        return
    print("Installing the peers …", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", PEERS_PYTHON.parents[1]], check=True)
    subprocess.run([PEERS_PYTHON, "-m", "pip", "install", "-qq", "-r", requirements], check=True)
    installed.write_text(requirements.read_text())


def sync_milliseconds(directory: Path) -> float:
    """How long the disk takes to make 4 KiB durable, which every durable send waits for."""
    times: list[float] = []
    with (directory / "sync").open("wb") as file:
        for _ in range(50):
            file.write(bytes(4096))
            file.flush()
            before = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - before)
    return median(times) * 1000
