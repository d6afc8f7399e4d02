/**
 * What the page knows of the chats: their newest messages, and what is unread in them. Each chat
 * has one contiguous stretch of its messages in order, which ends with the newest. The feed adds
 * at its end, paging back at its beginning; a message that comes twice is taken once. A message
 * that is edited or withdrawn stays where it is, as another object.
 *
 * @import {Change, Message, Start} from "./api.js"
 * @import {Later} from "./later.js"
 */

import { drawAll, plan } from "./drawing.js";
import { forgetName } from "./people.js";

/** A chat that nobody scrolls back in keeps so many messages, once it has twice as many. */
const KEPT = 1000;

/** If the reader of a chat loads more, those that are far from what is seen are dropped. */
export const MOST = 3000;

/** @type {Start["user"]} */
export let user = null;

/** Whether the user is a moderator. */
export let moderates = false;

/** Until when the user may not send; empty if they may. */
export let mutedUntil = "";

/** The position in the log up to which the feed was received. */
export let position = 0;

/** Whether there are older chats than those that are known. */
export let more = false;

/** All chats whose last message is not older than this one are known, where there are more. */
export let oldest = 0;

/** @type {Map<number, Chat>} */
const chats = new Map();

export class Chat {
  constructor(id = 0) {
    this.id = id;
    /** @type {Message[]} */
    this.messages = [];
    /** @type {"no" | "loading" | "yes" | "missing"} Whether the messages are there. */
    this.loaded = "no";
    /** Whether the first message of the chat is among them. */
    this.complete = false;
    /** Whether there were others before it, which are no longer kept. */
    this.cut = false;
    /** @type {Later | null} What comes after these messages, if it was dropped. */
    this.later = null;
    /** @type {Message | null} */
    this.last = null;
    /** Everything up to this message was read. */
    this.read = 0;
    this.unread = 0;
    /** Messages above this one are shown as new. */
    this.newAfter = Infinity;
    /** Whether somebody reads older messages, so that none may be dropped. */
    this.scrolledBack = false;
  }

  /** @param {number} id Where is it, or does it belong? */
  indexOf(id) {
    const { messages } = this;
    let low = 0;
    let high = messages.length;
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
    const { messages } = this;
    const index = this.indexOf(message.id);
    if (messages[index]?.id === message.id) return;
    if (this.later && index === messages.length) return this.later.note(message);
    // One that is older than all that are there would leave a gap. It can be loaded.
    if (index === 0 && messages.length && this.loaded === "yes" && !this.complete) return;
    messages.splice(index, 0, message);
    if (messages.length > 2 * KEPT && !this.scrolledBack) this.trim(KEPT);
  }

  /** @param {number} id */
  find(id) {
    const message = this.messages[this.indexOf(id)];
    return [message, this.last].find((one) => one?.id === id) ?? null;
  }

  /** @param {Message} message What has become of one that is there. */
  replace(message) {
    const index = this.indexOf(message.id);
    if (this.messages[index]?.id === message.id) this.messages[index] = message;
    if (this.last?.id === message.id) this.last = message;
    drawAll();
    return message;
  }

  /** The user's newest message that can be edited. */
  lastOwn() {
    return this.messages.findLast(
      ({ sender_id, withdrawn_by }) => sender_id === user?.id && withdrawn_by === undefined,
    );
  }

  /** Have the messages loaded anew. */
  reset() {
    Object.assign(this, {
      messages: [],
      loaded: "no",
      complete: false,
      later: null,
      scrolledBack: false,
    });
  }

  /** @param {number} kept Drop all but so many; the others can be loaded again. */
  trim(kept) {
    if (this.messages.length <= kept) return;
    this.messages.splice(0, this.messages.length - kept);
    this.complete = false;
  }
}

/** @param {number} id */
export function chatWith(id) {
  let chat = chats.get(id);
  if (!chat) chats.set(id, (chat = new Chat(id)));
  return chat;
}

/** @param {Message} message */
export function chatOf({ recipient_id, sender_id }) {
  if (recipient_id === null) return chatWith(0);
  return chatWith(sender_id === user?.id ? recipient_id : sender_id);
}

/** The general chat, then the private ones, the newest first. */
export function sorted() {
  const rank = (/** @type {Chat} */ { id, last }) => (id ? (last?.id ?? 0) : Infinity);
  return [...chats.values()].filter(rank).sort((one, other) => rank(other) - rank(one));
}

/** How many messages are unread in all chats. */
export function unread() {
  return [...chats.values()].reduce((sum, chat) => sum + chat.unread, 0);
}

/**
 * Begin with what the server says, or go on with it after an absence.
 *
 * @param {Start} start
 * @param {number} gap If the log has grown by more than this, load it anew.
 */
export function begin(start, gap) {
  const missed = start.last_id - position;
  if (!user || missed > gap || missed < 0) {
    position = start.last_id;
    for (const chat of chats.values()) chat.reset();
  }
  user = start.user;
  moderates = start.role === "moderator";
  mutedUntil = start.muted_until ?? "";
  chatWith(0);
  addChats(start);
}

/** @param {Start} page */
export function addChats(page) {
  const end = page.chats.at(-1)?.last?.id ?? 0;
  // Older ones may be known already.
  if (!oldest || end <= oldest) [oldest, more] = [end, page.more];
  for (const { recipient_id, last, ...marks } of page.chats) {
    const chat = chatWith(recipient_id ?? 0);
    if (marks.read >= chat.read) Object.assign(chat, marks);
    // The feed may be ahead of this.
    if (last && last.id > (chat.last?.id ?? 0)) chat.last = last;
  }
  drawAll();
}

/**
 * Take what came on the feed.
 *
 * @param {Message[]} messages
 * @param {Change[]} changes
 * @param {number} end The position after them.
 * @returns {Message[]} Those messages that have changed, as they are now.
 */
export function receive(messages, changes, end) {
  messages.forEach(add);
  for (const list of overtaking) list.push(...changes);
  const now = changes.flatMap((change) => apply(change) ?? []);
  position = Math.max(position, end);
  if (messages.length) drawAll();
  return now;
}

/**
 * @param {string} change
 * @param {number} id Whom it is about.
 * @param {{role?: string, muted_until?: string | null}} standing
 */
function applyToUser(change, id, { role, muted_until }) {
  if (change === "standing" && id === user?.id) {
    moderates = role === "moderator";
    mutedUntil = muted_until ?? "";
    drawAll();
  }
  if (change !== "erased") return;
  forgetName(id);
  for (const chat of chats.values())
    for (const message of [...chat.messages, ...(chat.last ? [chat.last] : [])])
      if (message.sender_id === id && message.withdrawn_by === undefined)
        chat.replace({ ...message, text: "", withdrawn_by: id });
}

/** Forget what there is, since some of it is no longer kept. */
export function forget() {
  position = -Infinity;
}

/** @type {Set<Change[]>} For each response on its way the changes that may overtake it. */
const overtaking = new Set();

/** Note the changes that come from now on: they may overtake a response. */
export function noteChanges() {
  /** @type {Change[]} */
  const changes = [];
  overtaking.add(changes);
  return changes;
}

/**
 * The response is here, and what it has was added.
 *
 * @param {Change[]} noted
 * @param {number} [asOf] Changes up to this one are in the response.
 */
export function settle(noted, asOf = Infinity) {
  overtaking.delete(noted);
  noted.filter(({ id }) => id > asOf).forEach(apply);
}

/**
 * Apply a change to the message that it is of. Done twice, it does nothing the second time.
 *
 * @param {Omit<Change, "id">} change
 * @returns {Message | null} The message as it is now, if it is known and has changed.
 */
export function apply({ change, message_id, text, at, by_id, ...about }) {
  if (about.user_id !== undefined) applyToUser(change, about.user_id, about);
  for (const chat of chats.values()) {
    const message = chat.find(message_id);
    if (!message) continue;
    if (message.withdrawn_by !== undefined) return null;
    if (change === "withdrawn") {
      // The chat may know it already, and the page of a history that it has overtaken not.
      const isNews = chat.last?.id !== message_id || chat.last.withdrawn_by === undefined;
      if (isNews && message_id > chat.read && message.sender_id !== user?.id)
        chat.unread = Math.max(0, chat.unread - 1);
      return chat.replace({ ...message, text: "", withdrawn_by: by_id });
    }
    if (change !== "edited" || (message.edited_at === at && message.text === text)) return null;
    return chat.replace({ ...message, text, edited_at: at });
  }
  return null;
}

/** @param {Message} message An own one that the server has taken. The feed brings it, too. */
export function accept(message) {
  add(message);
  drawAll();
}

/** @param {Message} message */
function add(message) {
  const chat = chatOf(message);
  if (chat.loaded === "yes" || chat.loaded === "loading") chat.add(message);
  if (message.id <= (chat.last?.id ?? 0)) return;
  chat.last = message;
  if (message.sender_id === user?.id) markRead(chat, message.id);
  else chat.unread += 1;
}

/**
 * Add older messages, which end where those that are there begin.
 *
 * @param {Chat} chat
 * @param {Message[]} older
 * @param {boolean} stillMore
 * @param {boolean} cut Whether those before it are no longer kept.
 */
export function addOlder(chat, older, stillMore, cut) {
  const first = chat.messages[0]?.id ?? Infinity;
  // The first page may overlap with what the feed has brought meanwhile.
  if ((older.at(-1)?.id ?? 0) < first) chat.messages.unshift(...older);
  else for (const message of older) chat.add(message);
  chat.loaded = "yes";
  chat.complete = !stillMore;
  chat.cut = cut;
  const newest = chat.messages.at(-1);
  if (newest && newest.id > (chat.last?.id ?? 0)) chat.last = newest;
  drawAll();
}

/**
 * @param {Chat} chat
 * @param {number} id Everything up to this message was read.
 * @returns {boolean} Whether that is news.
 */
export function markRead(chat, id) {
  if (id <= chat.read) return false;
  chat.read = id;
  if (id >= (chat.last?.id ?? 0)) chat.unread = 0;
  else if (chat.loaded === "yes" && !chat.later) {
    const after = chat.messages.slice(chat.indexOf(id + 1));
    const unreadNow = after.filter(
      (message) => message.sender_id !== user?.id && message.withdrawn_by === undefined,
    ).length;
    chat.unread = Math.min(chat.unread, unreadNow);
  }
  plan.side();
  plan.title();
  return true;
}
