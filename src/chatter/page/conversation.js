/** The chat that is shown: its name, its messages and those on their way, and what is read of it. */

import { GENERAL } from "./chats.js";
import { make, setAvatar, setChildren, setText, the } from "./dom.js";
import { Log } from "./log.js";
import { bubbleOf } from "./message.js";

/** A chat that is left keeps so many messages. */
const KEPT = 200;

/** @typedef {import("./outbox.js").Pending} Pending */

/** Shows one chat, or none. */
export class Conversation {
  /**
   * @param {object} page
   * @param {import("./chats.js").Chats} page.chats
   * @param {import("./people.js").People} page.people
   * @param {import("./outbox.js").Outbox} page.outbox
   * @param {import("./history.js").Loader} page.loader
   * @param {import("./reading.js").Reading} page.reading
   */
  constructor(page) {
    this.page = page;
    /** @type {import("./chats.js").Chat | null} */
    this.chat = null;
    /** @type {Map<string, HTMLElement>} */
    this.pending = new Map();
    this.log = new Log({
      nameOf: (id) => page.people.nameOf(id),
      user: () => page.chats.user?.id,
      loadOlder: (chat) => void page.loader.load(chat),
      beginning: (chat) => this.#beginning(chat),
      moved: () => this.#moved(),
    });
    the("to-end").addEventListener("click", () => this.log.toEnd());
  }

  /** @param {number | null} id The chat to show. */
  open(id) {
    const chat = id === null ? null : this.page.chats.chat(id);
    if (chat === this.chat) return;
    const left = this.chat;
    this.chat = chat;
    if (left) {
      left.newAfter = Infinity;
      left.scrolledBack = false;
      left.trim(KEPT);
    }
    if (!chat) return;
    chat.newAfter = chat.unread ? chat.read : Infinity;
    this.log.open(chat);
    this.draw();
  }

  /** Nobody looks at the page: what comes from now on will be new. */
  markNew() {
    if (this.chat) this.chat.newAfter = this.chat.read;
  }

  /** Nothing is new any more, and the newest message is shown. */
  toEnd() {
    if (this.chat) this.chat.newAfter = Infinity;
    this.log.toEnd();
  }

  /**
   * Messages have come.
   *
   * @param {import("./api.js").Message[]} messages
   */
  received(messages) {
    const { chat } = this;
    if (!chat?.scrolledBack || chat.newAfter < Infinity) return;
    if (messages.some((message) => this.page.chats.chatOf(message) === chat)) this.markNew();
  }

  /** What the chat is called. */
  get name() {
    if (!this.chat) return "Chats";
    return this.chat.id ? this.page.people.nameOf(this.chat.id) : "General";
  }

  draw() {
    const { chat } = this;
    if (!chat) return;
    const { people } = this.page;
    setText(the("chat-name"), this.name || "\u00a0");
    setAvatar(the("chat-avatar"), chat.id, this.name);
    const count = `${people.online.length}${people.moreOnline ? "+" : ""} online`;
    const presence = people.isOnline(chat.id) ? "Online" : "Not online";
    setText(the("chat-status"), chat.id === GENERAL ? count : presence);
    if (chat.loaded === "no") void this.page.loader.load(chat);
    this.#drawPending(chat.id);
    this.log.draw();
    this.#moved();
  }

  /** What is seen is read. */
  #moved() {
    const { chat, log } = this;
    if (!chat) return;
    if (!document.hidden) {
      const id = log.lastSeen();
      if (id) this.page.reading.note(chat, id);
    }
    the("to-end").hidden = log.follows;
    const count = chat.unread > 99 ? "99+" : chat.unread;
    setText(the("to-end-text"), chat.unread ? `${count} new` : "Newest messages");
  }

  /** @param {import("./chats.js").Chat} chat */
  #beginning(chat) {
    if (chat.loaded === "missing") return `There is no user ${chat.id}.`;
    if (chat.loaded !== "yes") return "Loading…";
    if (!chat.complete) return "";
    if (chat.id === GENERAL)
      return chat.messages.length
        ? "This is where the chat begins."
        : "Nobody has written anything yet. Say hello!";
    return `Only you and ${this.name} can read this.`;
  }

  /** @param {number} chat */
  #drawPending(chat) {
    const pending = this.page.outbox.of(chat);
    /** @type {Map<string, HTMLElement>} */
    const elements = new Map();
    for (const one of pending) {
      const key = `${one.key} ${one.error}`;
      elements.set(key, this.pending.get(key) ?? this.#pendingElement(one));
    }
    this.pending = elements;
    setChildren(the("pending"), [...elements.values()]);
  }

  /** @param {Pending} pending */
  #pendingElement(pending) {
    const { outbox } = this.page;
    const who = make("div", "who", make("span", "unseen", "You"), " ");
    const element = make("div", "message own first", who, ...bubbleOf(pending.text, pending.key));
    element.classList.add(pending.error ? "failed" : "sending");
    if (!pending.error) {
      who.append(make("span", "state", "Sending…"));
      return element;
    }
    const again = make("button", "quiet", "Try again");
    const remove = make("button", "quiet", "Delete");
    again.type = "button";
    remove.type = "button";
    again.addEventListener("click", () => outbox.retry(pending));
    remove.addEventListener("click", () => outbox.remove(pending));
    element.append(
      make("div", "refused", make("span", "", `Not sent. ${pending.error}`), again, remove),
    );
    return element;
  }
}
