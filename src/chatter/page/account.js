/** Who the user is, and the user's menu. */

import { connect, disconnect, newKey } from "./api.js";
import { canNotify, chooseNotifications, notifies } from "./attention.js";
import { setAvatar, setText, the } from "./drawing.js";
import { load, save } from "./saved.js";

const MONTH = 30 * 24 * 3600 * 1000;

/** What the page does when the user is somebody else, or nobody, from now on. */
export const account = { changed(/** @type {boolean} */ _joined) {} };

const leaving = the("leave-dialog", HTMLDialogElement);
const notify = the("notify", HTMLInputElement);

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
