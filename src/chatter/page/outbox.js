/**
 * Messages on their way. Each has a key, with which the server takes it once, however often it is
 * sent. They are sent one after the other, in the order in which they were written, and again
 * after each failure that may pass. They are kept over a reload of the tab, with their keys.
 *
 * @typedef {object} Pending
 * @property {string} key
 * @property {number} chat
 * @property {string} text
 * @property {string} error Why it was refused; empty while it is on its way.
 * @property {boolean} [seen] Whether the feed has brought it before the response came.
 */

import { newKey, Problem, send } from "./api.js";
import { accept } from "./chats.js";
import { plan } from "./drawing.js";
import { load, save } from "./saved.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;

/** @type {Pending[]} */
let all = [];
let sending = false;
let wake = () => {};

/** Go on with what was on its way before the page was reloaded. */
export function begin() {
  all = load("outbox") ?? [];
  changed();
}

/** Send now what waits for its next attempt. */
export const retryNow = () => wake();

/**
 * @param {number} chat
 * @param {string} text
 */
export function add(chat, text) {
  all.push({ key: newKey(), chat, text, error: "" });
  changed();
}

/** @param {Pending} pending One that was refused. */
export function retry(pending) {
  pending.error = "";
  changed();
}

/** @param {Pending} pending One that was refused, and is given up. */
export function remove(pending) {
  all = all.filter((other) => other.key !== pending.key);
  changed();
}

/** @param {number} chat What is shown as pending in it. */
export const pendingIn = (chat) => all.filter((pending) => pending.chat === chat && !pending.seen);

/**
 * The feed has brought an own message. It may be the one whose response is awaited.
 *
 * @param {number} chat
 * @param {string} text
 */
export function notice(chat, text) {
  const next = all.find((pending) => !pending.error);
  if (next?.chat === chat && next.text === text) next.seen = true;
}

function changed() {
  save("outbox", all.length ? all : undefined);
  plan.chat();
  void sendAll();
}

async function sendAll() {
  if (sending) return;
  sending = true;
  let delay = FIRST_DELAY;
  for (let next; (next = all.find((pending) => !pending.error));) {
    try {
      const message = await send(next.chat, next.text, next.key);
      delay = FIRST_DELAY;
      remove(next);
      accept(message);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      next.seen = false;
      if (error.transient) {
        const wait = Math.max(delay * (1 + Math.random()), error.retryAfter * 1000);
        delay = Math.min(delay * 2, LONGEST_DELAY);
        await new Promise((resolve) => {
          wake = () => resolve(undefined);
          setTimeout(wake, wait);
        });
      } else next.error = error.message;
      changed();
    }
  }
  sending = false;
}
