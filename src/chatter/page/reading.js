/**
 * Tells the server, and the browser's other tabs, what was read: a mark for each chat, at most
 * once a second. Once nothing is unread anywhere, the position of the user's feed follows, so a
 * client without marks, such as the one in the terminal, does not show it all again.
 *
 * @import {Chat} from "./chats.js"
 */

import * as api from "./api.js";
import { chatWith, markRead, more, position, unread } from "./chats.js";
import { soon } from "./drawing.js";
import { ownName } from "./saved.js";

/** @type {Map<number, number>} The marks that were not sent yet. */
const marks = new Map();

/** @type {BroadcastChannel | undefined} */
let tabs;
let acknowledged = 0;

/** Hear what other tabs of the same user read. */
export function begin() {
  tabs?.close();
  tabs = new BroadcastChannel(ownName("read"));
  tabs.onmessage = ({ data }) => markRead(chatWith(data.chat), data.id);
}

/**
 * @param {Chat} chat
 * @param {number} id Everything up to this message was read.
 */
export function noteRead(chat, id) {
  if (!markRead(chat, id)) return;
  marks.set(chat.id, id);
  tabs?.postMessage({ chat: chat.id, id });
  flushSoon();
}

const flushSoon = soon(1000, () => void flush());

/** Send what was noted. */
export async function flush() {
  try {
    for (const [chat, id] of marks) {
      await api.markRead(chat, id);
      if (marks.get(chat) === id) marks.delete(chat);
    }
    const end = position;
    if (more || unread() || end <= acknowledged) return;
    await api.acknowledge(end);
    acknowledged = end;
  } catch {
    // It goes with the next one. What is lost with the page is unread again.
  }
}
