/**
 * Messages on their way, and edits and withdrawals of those that were sent. Each has a key, with which the server takes it once, however often it is
 * sent. They are sent one after the other, in the order in which they were written, and again
 * after each failure that may pass. They are kept over a reload of the tab, with their keys.
 *
 * @typedef {object} Pending
 * @property {string} key
 * @property {number} chat
 * @property {string} text
 * @property {"edit" | "withdraw"} [does] What is to be done to a message, if it is not to be sent.
 * @property {number} [id] That message.
 * @property {string} error Why it was refused; empty while it is on its way.
 * @property {boolean} [seen] Whether the feed has brought it before the response came.
 */

import { edit, newKey, Problem, send, withdraw } from "./api.js";
import { accept, apply, chatWith, user } from "./chats.js";
import { plan } from "./drawing.js";
import { load, save } from "./saved.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;

/** @type {Pending[]} */
let all = [];

/** The key of what is being sent. */
let sending = "";
let wake = () => {};

/** Go on with what was on its way before the page was reloaded. */
export function begin() {
  all = load("outbox") ?? [];
  changed();
}

/** Give up all that was not sent. */
export function end() {
  all = [];
  changed();
  wake();
}

export const isEmpty = () => all.length === 0;

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

/**
 * @param {number} chat
 * @param {number} id A message of it.
 * @param {"edit" | "withdraw"} does
 * @param {string} text The new one, or that which is withdrawn.
 */
export function change(chat, id, does, text) {
  // An earlier edit that waits would be of no use.
  all = all.filter((pending) => pending.id !== id || pending.key === sending);
  all.push({ key: newKey(), chat, text, error: "", does, id });
  changed();
}

/** @param {number} id What is on its way for a message that was sent. */
export const changeOf = (id) => all.findLast((pending) => pending.id === id && !pending.error);

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

/** @param {number} chat What is shown after its messages: what is not sent yet, or has failed. */
export const pendingIn = (chat) =>
  all.filter((one) => one.chat === chat && !one.seen && (!one.does || one.error));

/**
 * The feed has brought an own message. It may be the one whose response is awaited.
 *
 * @param {number} chat
 * @param {string} text
 */
export function notice(chat, text) {
  const next = all.find((pending) => !pending.error);
  if (next?.chat === chat && next.text === text && !next.does) next.seen = true;
}

function changed() {
  save("outbox", all.length ? all : undefined);
  plan.chat();
  void sendAll();
}

async function sendAll() {
  if (sending) return;
  let delay = FIRST_DELAY;
  for (let next; (next = all.find((pending) => !pending.error));) {
    sending = next.key;
    try {
      const done = await perform(next);
      delay = FIRST_DELAY;
      remove(next);
      done();
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
  sending = "";
}

/**
 * @param {Pending} pending
 * @returns {Promise<() => void>} What to do with the response.
 */
async function perform({ chat, text, key, does, id = 0 }) {
  if (!does) {
    const message = await send(chat, text, key).catch(unlessGone);
    return () => message && accept(message);
  }
  if (does === "edit") {
    const before = chatWith(chat).find(id);
    const { edited_at } = await edit(id, text);
    const edited = { change: "edited", message_id: id, text, at: edited_at ?? "", by_id: 0 };
    // If the feed has brought a change meanwhile, it brings this one, too, in its order.
    return () => edited_at && chatWith(chat).find(id) === before && apply(edited);
  }
  await withdraw(id).catch(unlessGone);
  const by_id = user?.id ?? 0;
  return () => apply({ change: "withdrawn", message_id: id, text: "", at: "", by_id });
}

/** @param {unknown} error That a message was withdrawn already is none. */
function unlessGone(error) {
  if (!(error instanceof Problem && error.status === 410)) throw error;
}
