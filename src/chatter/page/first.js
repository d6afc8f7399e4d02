/**
 * The first requests. They are under way while the other scripts are still being loaded, so this
 * module imports little: the chats, and the newest messages of the chat that the URL names.
 *
 * @import {History} from "./api.js"
 */

import { getChats, getHistory } from "./api.js";
import { hadOwner } from "./saved.js";

/**
 * So many messages fill the screen. They are loaded at first, and more if more are unread. The
 * height of the window is not known yet in a tab that is opened in the background.
 */
export const FIRST = Math.max(20, Math.ceil(screen.height / 40));

export const narrow = matchMedia("(max-width: 44rem)");

/** The chat that the URL names; on a small screen there may be none, but the list. */
export function named() {
  const hash = location.hash.slice(1);
  if (/^[1-9]\d{0,15}$/u.test(hash)) return Number(hash);
  return hash === "general" || !narrow.matches ? 0 : null;
}

export const firstChats = getChats();
// Whoever waits for it handles it.
firstChats.catch(() => undefined);

const chat = named();

/** @type {Promise<History | null> | null} For somebody who has not joined it would be an error. */
let newest = chat !== null && hadOwner() ? getHistory(chat, FIRST).catch(() => null) : null;

/**
 * How times are written. To make the first formatter takes a browser about 10 ms, which it has
 * while it waits for the responses.
 */
export const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

/**
 * The newest messages of a chat, once, if they were asked for and there was no error.
 *
 * @param {number} id
 */
export function firstHistory(id) {
  const asked = id === chat ? newest : null;
  newest = null;
  return asked;
}
