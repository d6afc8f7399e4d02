/**
 * The first requests. They are under way while the other scripts are still being loaded, so this
 * module imports little: the chats, the newest messages of the chat that the URL names, and who is
 * online, whose names are needed for these.
 *
 * @import {History, People} from "./api.js"
 */

import { getChats, getHistory, getOnline } from "./api.js";
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

// For somebody who has not joined the others would be errors.
const joined = hadOwner();

/** @type {Promise<People | null> | null} */
let online = joined ? getOnline().catch(() => null) : null;

/** @type {Promise<History | null> | null} */
let newest = joined && chat !== null ? getHistory(chat, FIRST).catch(() => null) : null;

/**
 * The newest messages of a chat, once, if they were requested and there was no error.
 *
 * @param {number} id
 */
export function firstHistory(id) {
  const requested = id === chat ? newest : null;
  newest = null;
  return requested;
}

/** Who is online, once, if it was requested and there was no error. */
export function firstOnline() {
  const requested = online;
  online = null;
  return requested;
}

/**
 * @param {Intl.DateTimeFormatOptions} options
 * @returns {(date: Date) => string} Makes the formatter when it is needed for the first time.
 */
export function format(options) {
  /** @type {Intl.DateTimeFormat | undefined} */
  let made;
  return (date) => (made ??= new Intl.DateTimeFormat(undefined, options)).format(date);
}

/** How times are written. */
export const clock = format({ timeStyle: "short" });

// The first formatter takes a browser about 15 ms, which it has while it waits for the responses.
setTimeout(() => clock(new Date()));
