"""Web pages that follow a chat: one of another origin, and one of the chat's own.

The second is behind a proxy that knows the user, as an application's would by its
cookie, and puts the token in: a browser's ``EventSource`` sends none.
"""

from __future__ import annotations

import socket
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.packaging.replay import blocks_of
from tests.packaging.support import ROOT

[SNIPPET] = [
    block.text
    for block in blocks_of((ROOT / "docs/protocol.md").read_text())
    if block.kind == "javascript"
]

WITH_FETCH = f"""<!doctype html><link rel="icon" href="data:,"><script>
{SNIPPET}
function begin(chat, token) {{
  follow(chat, token, 0, (message) => console.log(message.id + " " + JSON.stringify(message)))
    .catch((error) => console.log("ended: " + error.message));
}}
</script>"""

WITH_EVENT_SOURCE = """<!doctype html><link rel="icon" href="data:,"><script>
function begin() {
  const source = new EventSource("/events");
  source.onmessage = (event) => console.log(event.lastEventId + " " + event.data);
}
</script>"""


@contextmanager
def serving(page, chat_port=0, token=""):
    """Serve a page at the root, and at ``/events`` what the chat has for somebody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/events":
                self.pass_on()
                return
            body = page.encode() if self.path == "/" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def pass_on(self):
            """Without a response of the chat's there is none: a 502 would end it for good."""
            self.close_connection = True
            last = self.headers.get("Last-Event-ID", "")
            request = (
                f"GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
                f"Last-Event-ID: {last}\r\n\r\n"
            )
            try:
                with socket.create_connection(("127.0.0.1", chat_port)) as chat:
                    chat.sendall(request.encode())
                    while piece := chat.recv(65536):
                        self.wfile.write(piece)
            except OSError:
                pass

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.05,)).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
