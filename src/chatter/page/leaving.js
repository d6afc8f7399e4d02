/**
 * Signing out in this browser, and leaving the chat for good. The browser may be somebody else's
 * next: nothing of the user stays in this tab, nor in the others.
 */

import { open, post, Problem } from "./api.js";
import { user } from "./chats.js";
import { box, stopEditing } from "./composer.js";
import { getTokens } from "./devices.js";
import { make } from "./drawing.js";
import { forget } from "./forgetting.js";
import { closeAll } from "./notifications.js";
import * as outbox from "./outbox.js";
import { attempt, isSure, showDialog } from "./popover.js";
import { keepSignedIn, ownName } from "./saved.js";
import * as tabs from "./tabs.js";

/** Tells the tabs of the same user that they are signed out: one that is cut off may not notice. */
const others = new BroadcastChannel(ownName("leaving"));
others.onmessage = () => {
  forgetAll();
  keepSignedIn(false);
  location.reload();
};

/**
 * @param {() => Promise<unknown>} request Ends with it that the user is signed in.
 * @returns {Promise<boolean>} Whether that is done.
 */
async function leave(request) {
  // The feed is refused as soon as it has begun, and a page that is loaded anew cuts the request.
  tabs.end();
  const done = await attempt(() => request().catch(unlessOut));
  if (done) {
    forgetAll();
    others.postMessage("left");
  } else tabs.update();
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
  // It may take some seconds; to wait for less long than it takes would be no error.
  if (await leave(() => open("erase", { method: "POST", body, headers }))) left();
}

/** @param {unknown} error That nobody is signed in any more is none. */
function unlessOut(error) {
  if (!(error instanceof Problem && error.status === 401)) throw error;
}

/** Forget what this tab keeps of the user, and what the browser does. */
export function forgetAll() {
  stopEditing();
  box.value = "";
  outbox.end();
  closeAll();
  forget("sessionStorage", ownName(""));
  forget("localStorage", ownName(""));
}
