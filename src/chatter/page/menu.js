/** The user's own menu: notifications, and signing out. */

import { disconnect } from "./api.js";
import { notifications } from "./attention.js";
import { setAvatar, setText, the } from "./dom.js";

/**
 * @param {{id: number, name: string}} user
 * @param {boolean} canLeave Whether the user signed in here.
 */
export function showUser(user, canLeave) {
  setText(the("me"), user.name);
  setText(the("leave-name"), user.name);
  setAvatar(the("me-avatar"), user.id, user.name);
  the("leave").hidden = !canLeave;
  const notify = the("notify", HTMLInputElement);
  notify.checked = notifications.on;
  notify.disabled = !notifications.possible;
  note(notify.disabled ? "This browser does it over https only." : "");
}

/** @param {string} text */
function note(text) {
  the("notify-note").hidden = text === "";
  setText(the("notify-note"), text);
}

/** @param {() => void} left Is called when the user has signed out. */
export function prepareMenu(left) {
  const menu = the("menu");
  const dialog = the("leave-dialog", HTMLDialogElement);
  const notify = the("notify", HTMLInputElement);
  notify.addEventListener("change", async () => {
    const done = await notifications.choose(notify.checked);
    notify.checked = notifications.on;
    note(done ? "" : "The browser does not allow it. Its settings for this site do.");
  });
  the("leave").addEventListener("click", () => {
    menu.hidePopover();
    dialog.showModal();
  });
  dialog.addEventListener("close", async () => {
    const leaves = dialog.returnValue === "leave";
    dialog.returnValue = "";
    if (!leaves) return;
    await disconnect().catch(() => undefined);
    left();
  });
}
