/** Coming and going: the form with which somebody joins, or why nobody can; the user's menu. */

import { connect, disconnect, newKey, Problem } from "./api.js";
import { canNotify, chooseNotifications, notifies } from "./attention.js";
import { setAvatar, setText, the } from "./drawing.js";
import { load, save } from "./saved.js";

/** What the server takes, in code points. */
const LONGEST = 32;

const MONTH = 30 * 24 * 3600 * 1000;

/** What the page does when the user is somebody else, or nobody, from now on. */
export const account = { changed(/** @type {boolean} */ _joined) {} };

const name = the("name", HTMLInputElement);
const join = the("join", HTMLFormElement);
const leaving = the("leave-dialog", HTMLDialogElement);
const notify = the("notify", HTMLInputElement);

/** @param {boolean} canJoin */
export function showDoor(canJoin) {
  the("door").hidden = false;
  the("app").hidden = true;
  join.hidden = !canJoin;
  the("closed").hidden = canJoin;
  document.title = canJoin ? "Join the chat" : "Chat";
  if (canJoin) name.focus();
}

/**
 * @param {{id: number, name: string}} user
 * @param {boolean} canLeave Whether the user has joined here, and is no account of the site.
 */
export function showUser(user, canLeave) {
  the("door").hidden = true;
  the("app").hidden = false;
  setText(the("me"), user.name);
  setText(the("leave-name"), user.name);
  setAvatar(the("me-avatar"), user.id, user.name);
  the("leave").hidden = !canLeave;
  notify.disabled = !canNotify;
  drawNotify(canNotify ? "" : "Browsers notify only on pages that came over https.");
  if (canLeave) keepCookie(user.name);
}

/**
 * Have the cookie set again now and then: a browser forgets it 400 days after that, and with it
 * the user.
 *
 * @param {string} user The user's name.
 */
function keepCookie(user) {
  if (Date.now() - (load("cookie", "localStorage") ?? 0) < MONTH) return;
  save("cookie", Date.now(), "localStorage");
  connect(user, newKey()).catch(() => save("cookie", undefined, "localStorage"));
}

/** @param {string} note */
function drawNotify(note) {
  notify.checked = notifies();
  setText(the("notify-note"), note);
}

/** @param {string} wrong */
function refuse(wrong) {
  name.ariaInvalid = String(wrong !== "");
  setText(the("name-error"), wrong);
}

/** The same for each attempt to join with the same name: the response may have been lost. */
let key = newKey();

async function tryToJoin() {
  const wanted = name.value.trim().toWellFormed();
  const tooMany = [...wanted].length - LONGEST;
  if (!wanted) return "Please type a name.";
  if (tooMany > 0) return `${tooMany} characters too many: a name has at most ${LONGEST}.`;
  try {
    await connect(wanted, key);
    key = newKey();
    return "";
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.type === "urn:chatter:name-taken") return "Somebody has this name already.";
    return error.message.replace(/^name: /u, "A name has ");
  }
}

let joining = false;

join.onsubmit = async (event) => {
  event.preventDefault();
  if (joining) return;
  joining = true;
  refuse(await tryToJoin());
  joining = false;
  if (name.ariaInvalid === "true") name.focus();
  else account.changed(true);
};
name.oninput = () => {
  key = newKey();
  refuse("");
};
the("closed-retry").onclick = () => account.changed(false);

notify.onchange = async () => {
  const wanted = notify.checked;
  await chooseNotifications(wanted);
  drawNotify(wanted && !notifies() ? "The browser does not allow it for this site." : "");
};
the("leave").onclick = () => {
  the("menu").hidePopover();
  leaving.showModal();
};
leaving.onclose = async () => {
  const leaves = leaving.returnValue === "leave";
  leaving.returnValue = "";
  if (!leaves) return;
  await disconnect().catch(() => undefined);
  account.changed(false);
};
