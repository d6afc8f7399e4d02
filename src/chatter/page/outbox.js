/**
 * Messages on their way. Each has a key, with which the server takes it once, however often it is
 * sent. They are sent one after the other, in the order in which they were written, and again
 * after each failure that may pass. They are kept over a reload of the tab, with their keys.
 */

import { Problem, send } from "./api.js";
import { load, save } from "./saved.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;

/**
 * @typedef {object} Pending
 * @property {string} key
 * @property {number} chat
 * @property {string} text
 * @property {string} error Why it was refused; empty while it is on its way.
 * @property {boolean} [seen] Whether the feed has brought it before the response came.
 */

/** A key that nobody else has. `crypto.randomUUID` is missing on plain http. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The messages of this tab that the server has not accepted yet. */
export class Outbox {
  /**
   * @param {() => void} changed Is called when something is different.
   * @param {(message: import("./api.js").Message) => void} accepted
   */
  constructor(changed, accepted) {
    this.changed = changed;
    this.accepted = accepted;
    /** @type {Pending[]} */
    this.pending = [];
    this.sending = false;
    this.wake = () => {};
  }

  /** Go on with what was on its way before the page was reloaded. */
  begin() {
    this.pending = load("outbox") ?? [];
    void this.#send();
  }

  /**
   * @param {number} chat
   * @param {string} text
   */
  add(chat, text) {
    this.pending.push({ key: newKey(), chat, text, error: "" });
    this.#changed();
  }

  /** @param {Pending} pending One that was refused. */
  retry(pending) {
    pending.error = "";
    this.#changed();
  }

  /** @param {Pending} pending One that was refused, and is given up. */
  remove(pending) {
    this.pending = this.pending.filter((other) => other !== pending);
    this.#changed();
  }

  /**
   * What is shown as pending in a chat.
   *
   * @param {number} chat
   */
  of(chat) {
    return this.pending.filter((pending) => pending.chat === chat && !pending.seen);
  }

  /**
   * The feed has brought an own message. It may be the one whose response is awaited.
   *
   * @param {number} chat
   * @param {string} text
   */
  notice(chat, text) {
    const next = this.pending.find((pending) => !pending.error);
    if (next && next.chat === chat && next.text === text) next.seen = true;
  }

  #changed() {
    save("outbox", this.pending.length ? this.pending : undefined);
    this.changed();
    void this.#send();
  }

  async #send() {
    if (this.sending) return;
    this.sending = true;
    let delay = FIRST_DELAY;
    for (let next; (next = this.pending.find((pending) => !pending.error));) {
      try {
        const message = await send(next.chat, next.text, next.key);
        delay = FIRST_DELAY;
        this.pending = this.pending.filter((other) => other !== next);
        this.accepted(message);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.transient) {
          await this.#pause(Math.max(delay * (1 + Math.random()), error.retryAfter * 1000));
          delay = Math.min(delay * 2, LONGEST_DELAY);
          continue;
        }
        next.error = error.message;
        next.seen = false;
      }
      save("outbox", this.pending.length ? this.pending : undefined);
      this.changed();
    }
    this.sending = false;
  }

  /** @param {number} milliseconds */
  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  }
}
