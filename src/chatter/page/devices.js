/**
 * The devices on which the user is signed in: each has a token of its own. A token for another
 * device is shown once; any of them can be revoked.
 *
 * @typedef {{id: number, label: string, created_at: string | null, seen_at: string | null, current: boolean}} Token
 */

import { json, newKey, post, Problem } from "./api.js";
import { make, makeButton } from "./drawing.js";
import { format } from "./first.js";
import { showDialog } from "./popover.js";

/** @returns {Promise<Token[]>} */
export const getTokens = async () => (await json("tokens")).tokens;

const list = make("ul", "devices");
const error = make("p", "error");
error.role = "alert";

/** @param {() => Promise<unknown>} work What is done, and then the list is drawn anew. */
async function attempt(work) {
  error.textContent = "";
  try {
    await work();
    list.replaceChildren(...(await getTokens()).map(drawToken));
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    error.textContent = problem.message;
  }
}

const day = format({ dateStyle: "medium" });

/** @param {Token} token */
function drawToken({ id, label, created_at, seen_at, current }) {
  const name = make("bdi", "", label || "First device");
  const used = seen_at ?? created_at;
  const when = current ? "This device" : used ? `Used on ${day(new Date(used))}` : "";
  const item = make("li", "", make("span", "", name, make("small", "hint", when)));
  if (current) return item;
  const revoke = makeButton("Sign out", () => attempt(() => post("tokens/revoke", { id })));
  revoke.ariaLabel = `Sign out ${label || "First device"}`;
  item.append(revoke);
  return item;
}

/** Show the list, until it is closed. */
export async function showDevices() {
  const label = make("input");
  label.type = "text";
  label.maxLength = 32;
  label.ariaLabel = "Name of the other device";
  label.placeholder = "Such as: phone";
  const made = make("div", "made");
  const link = makeButton("Link another device", () =>
    attempt(async () => {
      const headers = { "Idempotency-Key": newKey() };
      const wanted = label.value.trim() || "Another device";
      const { token } = await post("tokens", { label: wanted }, headers);
      made.replaceChildren(...tokenParts(token));
      label.value = "";
    }),
  );
  list.replaceChildren();
  void attempt(async () => {});
  const row = make("div", "buttons", label, link);
  const close = make("button", "primary", "Close");
  await showDialog("Your devices", [list, row, made, error], [close]);
  made.replaceChildren();
}

/** @param {string} token */
function tokenParts(token) {
  const box = make("input");
  box.type = "text";
  box.readOnly = true;
  box.value = token;
  box.ariaLabel = "Token for the other device";
  const copy = makeButton("Copy", async () => {
    box.select();
    // There is no clipboard on plain http; the user copies what is selected.
    const copied = await navigator.clipboard?.writeText(token).then(
      () => true,
      () => false,
    );
    copy.textContent = copied ? "Copied" : "Press Ctrl+C";
  });
  const how = make(
    "p",
    "hint",
    "Open this chat on the other device, choose “Sign in with a token”, and paste it there. It is ",
    "shown only now. Whoever has it can read and write as you.",
  );
  return [how, make("div", "buttons", box, copy)];
}
