/**
 * What the page knows of the chats: their newest messages, and what is unread in them. Each chat
 * has one contiguous stretch of its messages in order, which ends with the newest. The feed adds at
 * its end, paging back at its beginning; a message that comes twice is taken once.
 *
 * A chat is known by a number: 0 is the general one, others are the id of the other user.
 */

/** @typedef {import("./api.js").Message} Message */

/** A chat that nobody scrolls back in keeps so many messages, once it has twice as many. */
const KEPT = 1000;

export const GENERAL = 0;

/** One chat. */
export class Chat {
  /** @param {number} id */
  constructor(id) {
    this.id = id;
    /** @type {Message[]} */
    this.messages = [];
    /** @type {"no" | "loading" | "yes" | "missing"} Whether the messages are there. */
    this.loaded = "no";
    /** Whether the first message of the chat is among them. */
    this.complete = false;
    /** @type {Message | null} */
    this.last = null;
    /** Everything up to this message was read. */
    this.read = 0;
    this.unread = 0;
    /** The read mark when the chat was opened or left: what is above it is shown as new. */
    this.newAfter = Infinity;
    /** Whether somebody reads older messages, so that none may be dropped. */
    this.scrolledBack = false;
  }

  /**
   * Where a message is, or belongs.
   *
   * @param {number} id
   */
  indexOf(id) {
    const { messages } = this;
    let low = 0;
    let high = messages.length;
    // Most belong to the end.
    if (high && messages[high - 1].id < id) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (messages[middle].id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {Message} message */
  add(message) {
    const index = this.indexOf(message.id);
    if (this.messages[index]?.id === message.id) return;
    // One that is older than all that are there would leave a gap. It can be loaded.
    if (index === 0 && this.messages.length && this.loaded === "yes" && !this.complete) return;
    if (index === this.messages.length) this.messages.push(message);
    else this.messages.splice(index, 0, message);
    if (this.messages.length > 2 * KEPT && !this.scrolledBack) this.trim(KEPT);
  }

  /**
   * Drop the oldest messages; they can be loaded again.
   *
   * @param {number} kept How many stay.
   */
  trim(kept) {
    if (this.messages.length <= kept) return;
    this.messages.splice(0, this.messages.length - kept);
    this.complete = false;
  }
}

/** All chats of the user. */
export class Chats {
  /** @param {(what: "messages" | "marks") => void} changed Is called when something is different. */
  constructor(changed) {
    this.changed = changed;
    /** @type {{id: number, name: string} | null} */
    this.user = null;
    /** The position in the log up to which the feed was received. */
    this.position = 0;
    this.more = false;
    /** @type {Map<number, Chat>} */
    this.byId = new Map();
  }

  /**
   * Begin with what the server says, or go on with it after an absence.
   *
   * @param {import("./api.js").Start} start
   * @param {number} gap If the log has grown by more than this, load it anew instead of following.
   */
  begin(start, gap) {
    const missed = start.last_id - this.position;
    if (this.user?.id !== start.user?.id || missed > gap || missed < 0) {
      this.position = start.last_id;
      for (const chat of this.byId.values()) {
        chat.messages = [];
        chat.loaded = "no";
        chat.complete = false;
        chat.scrolledBack = false;
      }
    }
    this.user = start.user;
    this.chat(GENERAL);
    this.addOlderChats(start);
  }

  /** @param {import("./api.js").Start} page Chats that are older than those that are known. */
  addOlderChats(page) {
    this.more = page.more;
    for (const { recipient_id, last, read, unread } of page.chats) {
      const chat = this.chat(recipient_id ?? GENERAL);
      if (read >= chat.read) {
        chat.read = read;
        chat.unread = unread;
      }
      // The feed may be ahead of this.
      if (last && last.id > (chat.last?.id ?? 0)) chat.last = last;
    }
    this.changed("messages");
  }

  /** @param {number} id */
  chat(id) {
    let chat = this.byId.get(id);
    if (!chat) {
      chat = new Chat(id);
      this.byId.set(id, chat);
    }
    return chat;
  }

  /** The general chat, then the private ones, the newest first. */
  sorted() {
    const inOrder = [...this.byId.values()].filter((chat) => chat.last || chat.id === GENERAL);
    const rank = (/** @type {Chat} */ chat) => (chat.id ? (chat.last?.id ?? 0) : Infinity);
    return inOrder.sort((one, other) => rank(other) - rank(one));
  }

  /** How many messages are unread in all. */
  unread() {
    let sum = 0;
    for (const chat of this.byId.values()) sum += chat.unread;
    return sum;
  }

  /** @param {Message} message */
  chatOf(message) {
    if (message.recipient_id === null) return this.chat(GENERAL);
    const own = message.sender_id === this.user?.id;
    return this.chat(own ? message.recipient_id : message.sender_id);
  }

  /**
   * Take what came on the feed.
   *
   * @param {Message[]} messages
   * @param {number} [position] Where the feed is after them.
   */
  receive(messages, position = messages.at(-1)?.id) {
    for (const message of messages) this.#add(message);
    if (position !== undefined && position > this.position) this.position = position;
    if (messages.length) this.changed("messages");
  }

  /**
   * Take an own message that the server has accepted. The feed brings it, too.
   *
   * @param {Message} message
   */
  accept(message) {
    this.#add(message);
    this.changed("messages");
  }

  /** @param {Message} message */
  #add(message) {
    const chat = this.chatOf(message);
    if (chat.loaded === "yes" || chat.loaded === "loading") chat.add(message);
    if (message.id <= (chat.last?.id ?? 0)) return;
    chat.last = message;
    if (message.sender_id !== this.user?.id) chat.unread += 1;
    else this.markRead(chat, message.id);
  }

  /**
   * Add older messages, which end where those that are there begin.
   *
   * @param {Chat} chat
   * @param {Message[]} older
   * @param {boolean} more Whether there are still older ones.
   */
  addOlder(chat, older, more) {
    const first = chat.messages[0]?.id ?? Infinity;
    const last = older.at(-1)?.id ?? 0;
    // The first page may overlap with what the feed has brought meanwhile.
    if (last < first) chat.messages.unshift(...older);
    else older.forEach((message) => chat.add(message));
    chat.loaded = "yes";
    chat.complete = !more;
    const newest = chat.messages.at(-1);
    if (newest && newest.id > (chat.last?.id ?? 0)) chat.last = newest;
    this.changed("messages");
  }

  /**
   * @param {Chat} chat
   * @param {number} id Everything up to this message was read.
   * @returns {boolean} Whether that is news.
   */
  markRead(chat, id) {
    if (id <= chat.read) return false;
    chat.read = id;
    if (id >= (chat.last?.id ?? 0)) chat.unread = 0;
    else if (chat.loaded === "yes") {
      const user = this.user?.id;
      let unread = 0;
      for (let i = chat.messages.length; i-- && chat.messages[i].id > id;)
        if (chat.messages[i].sender_id !== user) unread += 1;
      chat.unread = Math.min(unread, chat.unread);
    }
    this.changed("marks");
    return true;
  }
}
