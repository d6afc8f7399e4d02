/**
 * The messages of one chat on the screen. However many there are, at most 300 are elements: those
 * around what is seen. The scroller is laid out from its end (`column-reverse`), so a position in
 * it is a distance from the newest message, and what is added above moves nothing. What changes
 * below is made up for by scrolling.
 */

import { setText, the } from "./dom.js";
import { perFrame } from "./frames.js";
import { elementOf, isSameShape, shapeOf, toggleFold } from "./message.js";

const WINDOW = 300;
const STEP = 60;

/** How near the end of the elements more are made, in pixels. */
const AHEAD = 1500;

/** So near to its end a chat follows its newest message, in pixels. */
const NEAR = 30;

/**
 * @typedef {import("./api.js").Message} Message
 * @typedef {import("./chats.js").Chat} Chat
 * @typedef {{message: Message, shape: import("./message.js").Shape, name: string | undefined, element: HTMLElement}} Row
 */

/** The window on a chat. */
export class Log {
  /**
   * @param {object} page
   * @param {(id: number) => string} page.nameOf
   * @param {() => number | undefined} page.user The id of the user.
   * @param {(chat: Chat) => void} page.loadOlder
   * @param {(chat: Chat) => string} page.beginning What is said above the first message.
   * @param {() => void} page.moved Is called when something else is seen.
   */
  constructor(page) {
    this.page = page;
    this.scroller = the("scroller");
    this.list = the("messages");
    this.older = the("older");
    this.beginning = the("beginning");
    /** @type {Chat | null} */
    this.chat = null;
    /** @type {Row[]} */
    this.rows = [];
    /** Whether the newest message is seen, and those that come will be. */
    this.follows = true;
    /** Whether the newest message was an element after the last drawing. */
    this.reachesEnd = true;
    /** Whether the chat was opened and is not drawn yet. */
    this.opening = true;
    this.grow = 0;
    this.older.addEventListener("click", () => this.chat && this.page.loadOlder(this.chat));
    this.list.addEventListener("click", (event) => this.#fold(event.target));
    const scrolled = perFrame(() => {
      this.#reachOut();
      this.page.moved();
    });
    this.scroller.addEventListener(
      "scroll",
      () => {
        // At once, or a drawing that comes first would not know that the user scrolls.
        this.#note();
        scrolled();
      },
      { passive: true },
    );
  }

  /** @param {Chat} chat */
  open(chat) {
    if (this.chat === chat) return;
    if (this.chat) this.chat.scrolledBack = false;
    this.chat = chat;
    this.rows = [];
    this.list.replaceChildren();
    this.opening = true;
    this.follows = true;
    this.scroller.scrollTop = 0;
  }

  /** Show the newest message, and follow it. */
  toEnd() {
    this.follows = true;
    if (this.chat) this.chat.scrolledBack = false;
    this.draw();
    this.scroller.scrollTop = 0;
    this.page.moved();
  }

  /** Draw all times again, since a day has begun. */
  drawAgain() {
    for (const row of this.rows) row.name = undefined;
    this.draw();
  }

  /** Make the elements those of the messages. */
  draw() {
    const { chat } = this;
    if (!chat) return;
    const messages = chat.loaded === "yes" ? chat.messages : [];
    const [from, to] = this.#range(chat, messages);
    const anchor = this.follows ? undefined : this.#anchor(messages, from, to);
    const before = anchor?.getBoundingClientRect().bottom ?? 0;
    this.#sync(chat, messages, from, to);
    this.reachesEnd = to === messages.length;
    if (anchor) {
      const moved = anchor.getBoundingClientRect().bottom - before;
      if (Math.abs(moved) >= 1) this.scroller.scrollTop += moved;
    }
    this.older.hidden = chat.loaded !== "yes" || chat.complete;
    const beginning = this.page.beginning(chat);
    this.beginning.hidden = !beginning;
    setText(this.beginning, beginning);
    if (chat.loaded !== "yes") return;
    if (this.opening) {
      this.opening = false;
      this.#toFresh();
    }
    this.#reachOut();
  }

  /**
   * Which messages are to be elements.
   *
   * @param {Chat} chat
   * @param {Message[]} messages
   */
  #range(chat, messages) {
    const first = this.rows[0]?.message;
    const last = this.rows.at(-1)?.message;
    const grow = this.grow;
    this.grow = 0;
    const end = messages.length;
    if (!first || !last || !end) {
      const fresh = end && chat.newAfter < Infinity ? end - chat.indexOf(chat.newAfter + 1) : 0;
      return [Math.max(0, end - Math.min(WINDOW, fresh + STEP)), end];
    }
    let from = chat.indexOf(first.id);
    let to = this.follows ? end : chat.indexOf(last.id + 1);
    if (grow < 0) from = Math.max(0, from - STEP);
    if (grow > 0) to = Math.min(end, to + STEP);
    if (grow < 0 && !this.follows) to = Math.min(to, from + WINDOW);
    return [Math.max(from, to - WINDOW), to];
  }

  /**
   * An element that is seen, and stays.
   *
   * @param {Message[]} messages
   * @param {number} from
   * @param {number} to
   */
  #anchor(messages, from, to) {
    const index = this.#firstSeen();
    const kept = (/** @type {Row} */ row) =>
      row.message.id >= messages[from]?.id && row.message.id <= messages[to - 1]?.id;
    return (this.rows.slice(index).find(kept) ?? this.rows.find(kept))?.element;
  }

  /** The index of the first row that is seen, at least in part. */
  #firstSeen() {
    const top = this.scroller.getBoundingClientRect().top;
    return this.#search((box) => box.bottom > top);
  }

  /**
   * The index of the first row from which on something holds.
   *
   * @param {(box: DOMRect) => boolean} holds
   */
  #search(holds) {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.rows[middle].element.getBoundingClientRect())) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /**
   * Keep the rows that stay, and make those that are missing.
   *
   * @param {Chat} chat
   * @param {Message[]} messages
   * @param {number} from
   * @param {number} to
   */
  #sync(chat, messages, from, to) {
    const { rows, list } = this;
    const user = this.page.user();
    /** @type {Row[]} */
    const next = [];
    let old = 0;
    for (let index = from; index < to; index++) {
      const message = messages[index];
      while (old < rows.length && rows[old].message.id < message.id) rows[old++].element.remove();
      const row = rows[old]?.message === message ? rows[old++] : undefined;
      const shape = shapeOf(message, messages[index - 1], chat.newAfter);
      const name = this.page.nameOf(message.sender_id);
      if (row && row.name === name && isSameShape(row.shape, shape)) {
        next.push(row);
        continue;
      }
      const element = elementOf(message, shape, name, message.sender_id === user);
      if (row) row.element.replaceWith(element);
      else list.insertBefore(element, rows[old]?.element ?? null);
      next.push({ message, shape, name, element });
    }
    while (old < rows.length) rows[old++].element.remove();
    this.rows = next;
  }

  /** Begin to read where what is new begins, if that is above the screen. */
  #toFresh() {
    const fresh = this.list.querySelector(".fresh")?.closest(".message");
    if (!fresh) return;
    const above = fresh.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top;
    if (above >= 0) return;
    this.scroller.scrollTop += above;
    this.#note();
  }

  /** Note whether the newest message is seen. Asked after more came, the answer would be no. */
  #note() {
    this.follows = this.reachesEnd && -this.scroller.scrollTop < NEAR;
    if (this.chat) this.chat.scrolledBack = !this.follows;
  }

  /** Make more elements where the screen comes near to their end, and load what is missing. */
  #reachOut() {
    const { chat, scroller } = this;
    if (!chat || chat.loaded !== "yes") return;
    const below = -scroller.scrollTop;
    const above = scroller.scrollHeight - scroller.clientHeight - below;
    const first = this.rows[0]?.message;
    if (above < AHEAD && first !== chat.messages[0]) this.#extend(-1);
    else if (below < AHEAD && !this.reachesEnd) this.#extend(1);
    else if (above < AHEAD && !chat.complete) this.page.loadOlder(chat);
  }

  /** @param {-1 | 1} direction */
  #extend(direction) {
    this.grow = direction;
    this.draw();
    this.#note();
  }

  /**
   * Show all of a long text, or fold it again, where it stands.
   *
   * @param {EventTarget | null} target
   */
  #fold(target) {
    const button = target instanceof Element ? target.closest(".fold") : null;
    const message = button?.closest(".message");
    if (!button || !message) return;
    const before = message.getBoundingClientRect().top;
    toggleFold(button);
    const moved = message.getBoundingClientRect().top - before;
    this.scroller.scrollTop += moved;
    this.#note();
  }

  /** The id of the last message that was seen whole, or nearly; 0 if there is none. */
  lastSeen() {
    if (!this.rows.length || this.opening) return 0;
    if (this.follows) return this.rows.at(-1)?.message.id ?? 0;
    const bottom = this.scroller.getBoundingClientRect().bottom + NEAR;
    return this.rows[this.#search((box) => box.bottom > bottom) - 1]?.message.id ?? 0;
  }
}
