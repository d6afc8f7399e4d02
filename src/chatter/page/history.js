/** Loads the messages of a chat: the newest when it is opened, older ones when they are wanted. */

import { getHistory, Problem } from "./api.js";

const FIRST = 60;
const LATER = 200;

/** How long to wait before a request that failed may be repeated, in milliseconds. */
const PAUSE = 2000;

/** @typedef {import("./chats.js").Chat} Chat */

/** Loads each stretch once at a time. */
export class Loader {
  /** @param {import("./chats.js").Chats} chats */
  constructor(chats) {
    this.chats = chats;
    /** @type {Set<Chat>} */
    this.loading = new Set();
  }

  /**
   * Load what comes before the messages that are there.
   *
   * @param {Chat} chat
   */
  async load(chat) {
    if (this.loading.has(chat) || chat.complete || chat.loaded === "missing") return;
    this.loading.add(chat);
    const first = chat.loaded === "yes" ? chat.messages[0] : undefined;
    if (!first) chat.loaded = "loading";
    // What is unread is loaded at once, and a little before it.
    const limit = first ? LATER : FIRST + chat.unread;
    try {
      const { messages, more } = await getHistory(chat.id, limit, first?.id);
      // It may have been forgotten or trimmed meanwhile.
      if (chat.loaded !== "no" && (!first || chat.messages[0] === first))
        this.chats.addOlder(chat, messages, more);
    } catch (error) {
      if (!first) chat.loaded = "no";
      if (error instanceof Problem && error.status === 404) chat.loaded = "missing";
      else await new Promise((resolve) => setTimeout(resolve, PAUSE));
    } finally {
      this.loading.delete(chat);
      this.chats.changed("messages");
    }
  }
}
