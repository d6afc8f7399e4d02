/**
 * The chat that is shown: its name, its messages and those on their way, and what is read of it.
 *
 * @import {Message} from "./api.js"
 * @import {Chat} from "./chats.js"
 * @import {Pending} from "./outbox.js"
 */

import { getHistory, Problem } from "./api.js";
import { atMost99 } from "./attention.js";
import { addOlder, chatOf, chatWith, MOST, noteChanges, position, settle, user } from "./chats.js";
import {
  make,
  makeButton,
  pause,
  plan,
  setAvatar,
  setChildren,
  setHidden,
  setText,
  the,
} from "./drawing.js";
import { FIRST, firstHistory } from "./first.js";
import * as log from "./log.js";
import { bubbleOf } from "./message.js";
import * as outbox from "./outbox.js";
import { isOnline, nameOf, onlineCount } from "./people.js";
import { noteRead } from "./reading.js";

/** So many older messages are loaded at a time. */
const OLDER = 200;

/** A chat that is left keeps so many. */
const KEPT = 200;

/** How long to wait before a request that failed is repeated, in milliseconds. */
const PAUSE = 2000;

/** @type {Chat | null} The chat that is shown. */
export let shown = null;

/** @param {number | null} id The chat to show, if any. */
export function open(id) {
  const wanted = id === null ? null : chatWith(id);
  if (wanted === shown) return;
  if (shown) {
    shown.newAfter = Infinity;
    shown.scrolledBack = false;
    if (shown.later) shown.reset();
    else shown.trim(KEPT);
  }
  shown = wanted;
  if (!shown) return;
  shown.newAfter = shown.unread ? shown.read : Infinity;
  log.open(shown);
  draw();
}

/** What the chat is called; empty as long as that is not known. */
export const title = () => nameOf(shown?.id ?? 0);

/** Nobody looks at what comes from now on: it will be new. */
export function markNew() {
  if (shown) shown.newAfter = shown.read;
}

/** Nothing is new any more, and the newest message is shown. */
export function toEnd() {
  if (shown) shown.newAfter = Infinity;
  log.toEnd();
}

/** @param {Message[]} messages What has come, and will be added. */
export function expect(messages) {
  // Somebody who reads older messages finds the place again.
  if (shown?.scrolledBack && shown.newAfter === Infinity)
    if (messages.some((message) => chatOf(message) === shown)) markNew();
}

export function draw() {
  if (!shown) return;
  const { id, loaded, complete } = shown;
  const name = title();
  setText(the("chat-name"), name || "\u00a0");
  setAvatar(the("chat-avatar"), id, name);
  setText(the("chat-status"), id ? (isOnline(id) ? "Online" : "Not online") : onlineCount);
  setHidden(the("older"), loaded !== "yes" || complete);
  setText(the("beginning"), beginning(shown));
  drawPending(id);
  // What is empty is not laid out, so nothing moves when the messages come.
  const waits = loaded === "no" || loaded === "loading";
  setHidden(the("column"), waits && pendingElements.size === 0);
  setHidden(the("loading"), !waits);
  if (loaded === "no") void load(shown);
  log.draw();
  moved();
}

/** What is seen is read. */
function moved() {
  if (!shown) return;
  const seen = document.hidden ? 0 : log.lastSeen();
  if (seen) noteRead(shown, seen);
  setHidden(the("to-end"), log.follows);
  const { unread } = shown;
  setText(the("to-end-text"), unread ? `${atMost99(unread)} new` : "Newest messages");
}

/** @param {Chat} chat */
function beginning(chat) {
  const { id, loaded, complete, messages } = chat;
  if (loaded === "missing") return `There is no user ${id}.`;
  if (loaded !== "yes" || !complete) return "";
  if (chat.cut) return "What was written before is no longer kept.";
  if (id) return `Only you${id === user?.id ? "" : ` and ${title()}`} can read this.`;
  return messages.length ? "The chat begins here." : "Nobody has written anything yet.";
}

/** @type {Set<Chat>} */
const loading = new Set();

/** @param {Chat} chat Load what comes before the messages that are there. */
async function load(chat) {
  if (loading.has(chat) || chat.complete) return;
  loading.add(chat);
  const first = chat.loaded === "yes" ? chat.messages[0] : undefined;
  if (!first) chat.loaded = "loading";
  // All that is unread is loaded at once, and a little before it.
  const limit = Math.min(first ? OLDER : FIRST + chat.unread, 1000);
  const changes = noteChanges();
  try {
    const page =
      (!first && (await firstPage(chat))) || (await getHistory(chat.id, limit, first?.id));
    // It may have been dropped, or trimmed, meanwhile.
    if (chat.loaded !== "no" && (!first || chat.messages[0]?.id === first.id))
      addOlder(chat, page.messages, page.more, page.kept_after !== undefined);
    settle(changes, page.as_of);
    if (chat === shown && chat.messages.length > MOST)
      (await import("./later.js").catch(() => null))?.drop(chat);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) chat.loaded = "missing";
    else {
      if (!first) chat.loaded = "no";
      await pause(PAUSE);
    }
  } finally {
    settle(changes);
    loading.delete(chat);
    plan.chat();
  }
}

/**
 * What was requested at the beginning, if nothing is missing in it: neither what is unread, nor
 * what came before the position from which on the feed is followed.
 *
 * @param {Chat} chat
 */
async function firstPage({ id, unread, read }) {
  const start = position;
  const page = await firstHistory(id);
  if (!page || page.as_of < start) return null;
  return !unread || !page.more || page.messages[0].id <= read ? page : null;
}

/** @type {Map<string, HTMLElement>} */
let pendingElements = new Map();

/** @param {number} chat */
function drawPending(chat) {
  const before = pendingElements;
  pendingElements = new Map();
  for (const pending of outbox.pendingIn(chat)) {
    const key = pending.key + pending.error;
    pendingElements.set(key, before.get(key) ?? pendingElement(pending));
  }
  setChildren(the("pending"), [...pendingElements.values()]);
}

const FAILED = { send: "Not sent.", edit: "The edit was not saved.", withdraw: "Not withdrawn." };

/** @param {Pending} pending */
function pendingElement(pending) {
  const { text, key, error, does = "send" } = pending;
  const state = make("span", "state", error ? "" : "Sending…");
  const who = make("div", "who", make("span", "unseen", "You"), " ", state);
  const element = make("div", "message own first", who, ...bubbleOf(text, key));
  element.classList.add(error ? "failed" : "sending");
  if (error) {
    const again = makeButton("Try again", () => outbox.retry(pending));
    const remove = makeButton("Delete", () => outbox.remove(pending));
    const wrong = make("span", "", `${FAILED[does]} ${error}`);
    element.append(make("div", "refused", wrong, again, remove));
  }
  return element;
}

log.around.loadOlder = (chat) => void load(chat);
log.around.moved = moved;
the("older").onclick = () => shown && void load(shown);
the("to-end").onclick = log.toEnd;
