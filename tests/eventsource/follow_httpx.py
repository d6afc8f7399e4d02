"""Follows a chat with ``httpx-sse``, and prints each event: follow_httpx.py URL < token."""

from __future__ import annotations

import sys
import time

import httpx
from httpx_sse import connect_sse


def main(url: str, token: str) -> None:
    """Come back after each end of the stream, as its authors say one should."""
    last, retry = "", 1000
    with httpx.Client(timeout=60) as client:
        while True:
            headers = {"Authorization": f"Bearer {token}", "Last-Event-ID": last}
            try:
                with connect_sse(client, "GET", f"{url}/events", headers=headers) as source:
                    for event in source.iter_sse():
                        retry = event.retry or retry
                        if event.event == "message" and event.data:
                            last = event.id
                            print(last, event.data, flush=True)
            except httpx.TransportError:
                pass
            time.sleep(retry / 1000)


if __name__ == "__main__":
    main(sys.argv[1], sys.stdin.read())
