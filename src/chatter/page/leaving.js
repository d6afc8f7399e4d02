/**
 * Signing out in this browser, and leaving the chat for good. The browser may be somebody else's
 * next: nothing of the user stays in this tab, nor in the others.
 */

import { open, post, Problem } from "./api.js";
import { user } from "./chats.js";
import { box, stopEditing } from "./composer.js";
import { getTokens } from "./devices.js";
import { make } from "./drawing.js";
import * as outbox from "./outbox.js";
import { attempt, isSure, showDialog } from "./popover.js";
import { ownName } from "./saved.js";
import * as tabs from "./tabs.js";

/** Connects the tabs of the same user. */
const others = new BroadcastChannel(ownName("leaving"));
others.onmessage = ({ data }) => note(data);

/** @param {"begun" | "failed" | "done"} state How far this tab is, or another one. */
function note(state) {
  // A tab that notices that its user is no more is loaded anew, and no longer knows what it keeps.
  if (state === "failed") window.removeEventListener("pagehide", forgetAll);
  else window.addEventListener("pagehide", forgetAll);
  if (state === "done") forgetAll();
}

/** @param {Parameters<typeof note>[0]} state */
function tell(state) {
  note(state);
  others.postMessage(state);
}

/**
 * @param {() => Promise<unknown>} request Ends with it that the user is signed in.
 * @returns {Promise<boolean>} Whether that is done.
 */
async function leave(request) {
  tell("begun");
  const done = await attempt(() => request().catch(unlessOut));
  // Not before the user has seen why: a page that is being loaded anew cuts the request, too.
  tell(done ? "done" : "failed");
  return done;
}

/** The user's name, which may have another direction than the text around it. */
function nameOfUser() {
  const name = make("strong", "", user?.name ?? "");
  name.dir = "auto";
  return name;
}

/** @param {() => void} left Is called when the user has signed out. */
export async function signOut(left) {
  const text = [
    "There is no password: nobody can sign in as ",
    nameOfUser(),
    " again, not even you. What you wrote stays.",
  ];
  const tokens = await getTokens().catch(() => []);
  const sure =
    tokens.length > 1
      ? isSure("Sign out here?", ["You stay signed in on your other devices."], "Stay", "Sign out")
      : isSure("Sign out for good?", text, "Stay", "Sign out");
  if ((await sure) && (await leave(() => post("disconnect", {})))) left();
}

/** @param {() => void} left Is called when the user is no more. */
export async function leaveForGood(left) {
  const typed = make("input");
  typed.type = "text";
  typed.autocomplete = "off";
  typed.spellcheck = false;
  typed.dir = "auto";
  const what = make(
    "p",
    "",
    "All that you have written is withdrawn, also what you wrote to one person. You are signed ",
    "out on all devices, and nobody can have your name again. It cannot be undone.",
  );
  const label = make("label", "", make("span", "", "Type your name, ", nameOfUser()), typed);
  const stay = make("button", "primary", "Stay");
  const go = make("button", "danger", "Leave for good");
  go.value = "yes";
  if ((await showDialog("Leave for good?", [what, label], [stay, go])) !== "yes") return;
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ name: typed.value.trim() });
  // The feed is refused as soon as it has begun, and the page would be loaded anew.
  tabs.end();
  // It may take some seconds; to wait for less long than it takes would be no error.
  if (await leave(() => open("erase", { method: "POST", body, headers }))) left();
  else tabs.update();
}

/** @param {unknown} error That nobody is signed in any more is none. */
function unlessOut(error) {
  if (!(error instanceof Problem && error.status === 401)) throw error;
}

function forgetAll() {
  stopEditing();
  box.value = "";
  outbox.end();
  forget("sessionStorage");
  forget("localStorage");
}

/** @param {"sessionStorage" | "localStorage"} where */
function forget(where) {
  try {
    for (const name of Object.keys(window[where]))
      if (name.startsWith(ownName(""))) window[where].removeItem(name);
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}
