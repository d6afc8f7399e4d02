/** One's own data, as a file: what the chat has of the user. */

import { open, Problem } from "./api.js";
import { make, makeButton, setText } from "./drawing.js";
import { showDialog } from "./popover.js";

/** Show what it is, and save it if the user wants, until the dialog is closed. */
export async function showExport() {
  const ended = new AbortController();
  const what = make(
    "p",
    "",
    "All that the chat has of you: your name, your devices, what you wrote, and what was written ",
    "to you alone. It is a file with lines of JSON.",
  );
  const status = make("p", "hint");
  status.role = "status";
  const button = makeButton("Download", async () => {
    button.disabled = true;
    setText(status, "It is being loaded…");
    setText(status, await load(ended.signal));
    button.disabled = false;
  });
  const close = make("button", "primary", "Close");
  await showDialog("Download your data", [what, make("div", "buttons", button), status], [close]);
  ended.abort();
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<string>} What has come of it.
 */
async function load(signal) {
  try {
    // A link could not name the user, as requests of the page do.
    const content = await (await open("export", { signal })).blob();
    const link = make("a");
    link.href = URL.createObjectURL(content);
    link.download = "chat.ndjson";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    return "Your browser has the file now.";
  } catch (error) {
    const why = error instanceof Problem ? error.message : "The connection was lost.";
    return `That did not work. ${why}`;
  }
}
