/**
 * Notifications of private messages, if the user has chosen them.
 *
 * @import {Message} from "./api.js"
 * @import {Chat} from "./chats.js"
 */

import { getPeople } from "./api.js";
import { meet, nameOf } from "./people.js";
import { load, ownName, save } from "./saved.js";
import { PLACE } from "./tabs.js";

/** Some browsers have notifications only of installed applications; and all only over https. */
const isAllowed = () =>
  "Notification" in window && isSecureContext && Notification.permission === "granted";

/** Whether the browser shows notifications of pages. */
export function canNotify() {
  // Only without permission can one be made to try: with it, it would be shown.
  if (isAllowed()) return true;
  try {
    new Notification("");
    return isSecureContext;
  } catch {
    // There are none, or only of service workers, as on Android.
    return false;
  }
}

export const notifies = () => isAllowed() && load("notify", "localStorage") === true;

/** @type {Map<number, {id: number, note: Notification}>} For a chat what is shown of which message. */
const shown = new Map();

/**
 * Notify of a private message, if no tab of the chat is looked at.
 *
 * @param {Chat} chat Where a click leads. A later message of it replaces the notification.
 * @param {number} id That of the message.
 */
export async function notify(chat, id) {
  if (!notifies() || (await isAnySeen())) return;
  // Of somebody new the name is not known yet.
  if (!nameOf(chat.id))
    await getPeople(`ids=${chat.id}`).then(
      ({ users }) => meet(users),
      () => {},
    );
  const message = chat.find(id);
  // It may have been withdrawn, or the chat be looked at, meanwhile.
  if (document.hidden && message && message.withdrawn_by === undefined) show(chat, message);
}

/**
 * If a message is shown, show what it says now, or no more of it.
 *
 * @param {Chat} chat
 * @param {number} id That of a message that was edited or withdrawn.
 */
export async function correct(chat, id) {
  const before = shown.get(chat.id);
  if (before?.id !== id) return;
  const wanted = notifies() && !(await isAnySeen());
  // It may have been dismissed meanwhile, or be that of a later message.
  if (shown.get(chat.id) !== before) return;
  const message = chat.find(id);
  if (wanted && document.hidden && message && message.withdrawn_by === undefined)
    return show(chat, message);
  before.note.close();
  shown.delete(chat.id);
}

/**
 * @param {Chat} chat
 * @param {Message} message
 */
function show(chat, { id, text }) {
  const note = makeNote(nameOf(chat.id) || "Somebody", {
    body: text.slice(0, 300),
    tag: ownName(`chat ${chat.id}`),
  });
  if (!note) return;
  shown.set(chat.id, { id, note });
  // Whoever dismisses it is not notified again of what becomes of the message.
  note.onclose = () => {
    if (shown.get(chat.id)?.note === note) shown.delete(chat.id);
  };
  note.onclick = () => {
    window.focus();
    location.hash = String(chat.id);
    note.close();
  };
}

/**
 * @param {string} title
 * @param {NotificationOptions} options
 */
function makeNote(title, options) {
  try {
    return new Notification(title, options);
  } catch {
    // The browser makes none in spite of the permission: the menu is not to say that it does.
    save("notify", undefined, "localStorage");
    return null;
  }
}

/** Show no message any more. */
export function closeAll() {
  for (const { note } of shown.values()) note.close();
  shown.clear();
}

// Who looks at the chat needs no notification any more.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) closeAll();
});

/** Whether a tab of this chat is looked at, or was until a moment ago. */
async function isAnySeen() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some((lock) => lock.name?.startsWith(ownName(PLACE)));
}
