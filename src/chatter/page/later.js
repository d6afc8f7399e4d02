/**
 * The end of a chat whose reader has gone back very far: it is dropped, so that the page does not
 * grow with what is read. Of each stretch that was dropped, the id of its last message is kept, and
 * the stretch is loaded again when the reader comes near to it.
 *
 * @import {Chat} from "./chats.js"
 * @import {Message} from "./api.js"
 */

import { getHistory, Problem } from "./api.js";
import { MOST, noteChanges, settle } from "./chats.js";
import { pause, plan } from "./drawing.js";
import { lastSeen } from "./log.js";

/** So many messages are dropped at a time. */
const STRETCH = 500;

/** How long to wait before a request that failed is repeated, in milliseconds. */
const PAUSE = 2000;

/** @param {Chat} chat One that is shown, and whose reader goes back. */
export function drop(chat) {
  const { messages } = chat;
  while (messages.length > MOST && lastSeen() < messages[messages.length - STRETCH].id) {
    const end = messages[messages.length - 1].id;
    if (chat.later) chat.later.ends.push(end);
    else chat.later = new Later(chat, end);
    messages.length -= STRETCH;
  }
}

/** What comes after the messages of a chat, as far as it was dropped. */
export class Later {
  #isLoading = false;

  /** How many have come at the end since it was divided. */
  #grown = STRETCH;

  /** @type {Message[]} Those that have come while the newest are being loaded. */
  #noted = [];

  #newest;
  #chat;

  /**
   * @param {Chat} chat
   * @param {number} newest The id of its newest message.
   */
  constructor(chat, newest) {
    this.#chat = chat;
    this.#newest = newest;
    /** The last ids of the stretches, the next one at the end; 0 is of that which grows. */
    this.ends = [0];
  }

  /** @param {Message} message One that has come. */
  note(message) {
    if (message.id <= this.#newest) return;
    this.#newest = message.id;
    this.#noted.push(message);
    this.#grown += 1;
    if (this.#grown < 2 * STRETCH) return;
    this.ends.splice(1, 0, message.id);
    this.#grown = 0;
    this.#noted = [];
  }

  /** Load the next stretch. */
  async load() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const chat = this.#chat;
    const last = chat.messages.at(-1)?.id ?? 0;
    const end = this.ends.at(-1);
    this.#noted = [];
    const changes = noteChanges();
    try {
      const [next, asOf] = await this.#stretch(last, end);
      // The chat may have been left, or divided once more, meanwhile.
      if (chat.later !== this || chat.messages.at(-1)?.id !== last || this.ends.at(-1) !== end)
        return;
      chat.messages.push(...next);
      this.ends.pop();
      if (!this.ends.length) {
        chat.later = null;
        for (const message of this.#noted) chat.add(message);
      }
      chat.trim(MOST);
      settle(changes, asOf);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      await pause(PAUSE);
    } finally {
      settle(changes);
      this.#isLoading = false;
      plan.chat();
    }
  }

  /**
   * @param {number} last What comes after it is wanted.
   * @param {number} [end] Where it ends; 0 if that is where the chat does.
   * @returns {Promise<[Message[], number]>} The messages, and up to where they are complete.
   */
  async #stretch(last, end = 0) {
    let page = await getHistory(this.#chat.id, 2 * STRETCH, end && end + 1);
    const { as_of } = page;
    let { messages } = page;
    // One response has as many as fit into it.
    while (page.more && messages.length && messages[0].id > last) {
      page = await getHistory(this.#chat.id, 2 * STRETCH, messages[0].id);
      messages = [...page.messages, ...messages];
    }
    return [messages.filter(({ id }) => id > last), as_of];
  }
}
