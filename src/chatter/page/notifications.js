/** Notifications of private messages, if the user has chosen them. */

import { load, ownName } from "./saved.js";
import { PLACE } from "./tabs.js";

/** Browsers notify only on pages that came over https. */
export const canNotify = "Notification" in window && isSecureContext;

export const notifies = () =>
  canNotify && Notification.permission === "granted" && load("notify", "localStorage") === true;

/**
 * Notify of a private message, if no tab of the chat is looked at.
 *
 * @param {string} name
 * @param {string} text
 * @param {number} chat Where a click leads. A later message of it replaces the notification.
 */
export async function notify(name, text, chat) {
  if (!notifies() || (await isAnySeen())) return;
  const shown = new Notification(name, { body: text.slice(0, 300), tag: `chatter ${chat}` });
  shown.onclick = () => {
    window.focus();
    location.hash = String(chat);
    shown.close();
  };
}

/** Whether a tab of this chat is looked at, or was until a moment ago. */
async function isAnySeen() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some((lock) => lock.name?.startsWith(ownName(PLACE)));
}
