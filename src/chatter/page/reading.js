/**
 * Tells the server, and the browser's other tabs, what was read: a mark for each chat, at most
 * once a second. Once nothing is unread anywhere, the position of the user's feed follows, so
 * that a client without marks, such as the one in the terminal, does not show it all again.
 */

import { acknowledge, markRead } from "./api.js";
import { ownName } from "./saved.js";

/** How long the marks wait for each other, in milliseconds. */
const GAP = 1000;

/** Notes what is read, and sends it. */
export class Reading {
  /** @param {import("./chats.js").Chats} chats */
  constructor(chats) {
    this.chats = chats;
    /** @type {Map<number, number>} */
    this.marks = new Map();
    this.acknowledged = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.last = 0;
    /** @type {BroadcastChannel | undefined} */
    this.tabs = undefined;
  }

  /** Hear what other tabs of the same user read. */
  begin() {
    this.tabs?.close();
    this.tabs = new BroadcastChannel(ownName("read"));
    this.tabs.addEventListener("message", ({ data }) => {
      this.chats.markRead(this.chats.chat(data.chat), data.id);
    });
  }

  /**
   * @param {import("./chats.js").Chat} chat
   * @param {number} id Everything up to this message was read.
   */
  note(chat, id) {
    if (!this.chats.markRead(chat, id)) return;
    this.marks.set(chat.id, id);
    this.tabs?.postMessage({ chat: chat.id, id });
    this.timer ??= setTimeout(() => this.flush(), Math.max(0, this.last + GAP - Date.now()));
  }

  /** Send what was noted. */
  async flush() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.last = Date.now();
    const marks = [...this.marks];
    this.marks.clear();
    try {
      while (marks.length) {
        await markRead(...marks[0]);
        marks.shift();
      }
      const { position, more } = this.chats;
      if (more || this.chats.unread() || position <= this.acknowledged) return;
      await acknowledge(position);
      this.acknowledged = position;
    } catch {
      // It goes with the next one; what is lost with the page is shown as unread again.
      for (const [chat, id] of marks) if (!this.marks.has(chat)) this.marks.set(chat, id);
    }
  }
}
