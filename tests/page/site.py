"""Pages of another site, which try what a page can do to a chat that its visitor uses."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ATTACK = """<!doctype html><title>attack</title>
<img src="{chat}status"><img src="{chat}status?after=999999&limit=1">
<iframe src="{chat}"></iframe>
<form method="post" action="{chat}send" enctype="text/plain" target="there">
  <input name='{{"text": "forged' value='"}}'></form>
<form method="post" action="{chat}disconnect" target="there"></form>
<form method="post" action="{chat}read" enctype="text/plain" target="there">
  <input name='{{"id": 9999, "chat_type": "general", "recipient_id": null, "x": "' value='"}}'>
</form>
<iframe name="there"></iframe>
<script>
  const done = [];
  const tried = async (what, promise) => {{
    try {{
      const response = await promise;
      done.push([what, response.type, response.type === "opaque" ? "" : await response.text()]);
    }} catch (error) {{ done.push([what, "refused", ""]); }}
  }};
  const chat = "{chat}";
  const json = {{ "Content-Type": "application/json" }};
  const text = JSON.stringify({{ text: "forged" }});
  const all = (async () => {{
    for (const path of ["status", "chats", "users", "events", "status?after=999999"]) {{
      await tried(path, fetch(chat + path, {{ credentials: "include" }}));
      await tried(path, fetch(chat + path, {{ credentials: "include", mode: "no-cors" }}));
      await tried(path, fetch(chat + path,
        {{ credentials: "include", headers: {{ "Chatter-Page": "1" }} }}));
    }}
    for (const headers of [json, {{}}, {{ ...json, "Chatter-Page": "1" }}])
      await tried("send", fetch(chat + "send",
        {{ method: "POST", credentials: "include", headers, body: text }}));
    await tried("send", fetch(chat + "send",
      {{ method: "POST", credentials: "include", mode: "no-cors", body: text }}));
    navigator.sendBeacon(chat + "send", text);
    for (const form of document.forms) {{
      const frame = document.getElementsByName("there")[0];
      const sent = new Promise((resolve) => {{ frame.onload = resolve; }});
      form.submit();
      await sent;
    }}
    return done;
  }})();
</script>
"""


class OtherSite:
    """A site on another port, whose page attacks a chat.

    :ivar url: where the page is, by another name than the chat's, too.
    """

    def __init__(self, chat: str) -> None:
        page = ATTACK.format(chat=chat).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> OtherSite:  # noqa: PYI034
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
