"""What names a SQLite store: a path, and nothing else."""

from __future__ import annotations

from pathlib import Path


def path_of(location: str) -> Path:
    """The path in ``sqlite:PATH``.

    :raises ValueError: if there is none, or what other programs write instead; its text
        says what to write here.
    """
    path = location.removeprefix("sqlite:")
    if not path or "\0" in path:
        raise ValueError("A SQLite store is chosen by sqlite:PATH, e.g. sqlite:chatter.sqlite.")
    if path.startswith(":"):
        raise ValueError("A store in memory is chosen by memory:, without sqlite.")
    if path.startswith("file:"):
        raise ValueError(f"It is no URL: write sqlite:{path.removeprefix('file:')}.")
    if "?" in path:
        raise ValueError(f"It takes no parameters: write sqlite:{path.partition('?')[0]}.")
    if path.startswith("//"):
        name = path.lstrip("/")
        raise ValueError(
            f"It is no URL: write sqlite:{name} for a file in the server's folder, or "
            f"sqlite:/{name}."
        )
    return Path(path)
