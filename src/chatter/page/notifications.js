/**
 * Notifications of private messages, if the user has chosen them.
 *
 * @import {Message} from "./api.js"
 * @import {Chat} from "./chats.js"
 */

import { getPeople } from "./api.js";
import { meet, nameOf } from "./people.js";
import { load, ownName } from "./saved.js";
import { PLACE } from "./tabs.js";

/** Browsers notify only on pages that came over https. */
export const canNotify = "Notification" in window && isSecureContext;

export const notifies = () =>
  canNotify && Notification.permission === "granted" && load("notify", "localStorage") === true;

/** @type {Map<Chat, {id: number, note: Notification}>} What is shown, and the message's id. */
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
 * Show of a message what it says now, or no more of it.
 *
 * @param {Chat} chat
 * @param {Message} message One that was edited or withdrawn.
 */
export function correct(chat, message) {
  const before = shown.get(chat);
  if (before?.id !== message.id) return;
  if (message.withdrawn_by === undefined) return show(chat, message);
  before.note.close();
  shown.delete(chat);
}

/**
 * @param {Chat} chat
 * @param {Message} message
 */
function show(chat, { id, text }) {
  const note = new Notification(nameOf(chat.id) || "Somebody", {
    body: text.slice(0, 300),
    tag: ownName(`chat ${chat.id}`),
  });
  shown.set(chat, { id, note });
  note.onclick = () => {
    window.focus();
    location.hash = String(chat.id);
    note.close();
  };
}

// Who looks at the chat needs no notification any more.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const { note } of shown.values()) note.close();
  shown.clear();
});

/** Whether a tab of this chat is looked at, or was until a moment ago. */
async function isAnySeen() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some((lock) => lock.name?.startsWith(ownName(PLACE)));
}
