/**
 * Requests to the chat. All URLs are relative to the page, so the chat works below any path. The
 * cookie that the browser sends says who the user is; the server takes it only beside the header
 * `Chatter-Page`, which pages of other sites cannot send. In `Chatter-User` the page names its
 * user: in another tab somebody else may have signed in, as whom this one must do nothing.
 *
 * A chat is known by a number: 0 is the general one, others are the id of the other user.
 *
 * @typedef {{id: number, sender_id: number, recipient_id: number | null, text: string, sent_at: string, edited_at?: string, withdrawn_by?: number}} Message
 * @typedef {{change: string, id: number, message_id: number, text: string, at: string, by_id: number, user_id?: number, role?: string, muted_until?: string | null}} Change
 * @typedef {{id: number, name: string, online: boolean}} Person
 * @typedef {{users: Person[], more: boolean}} People
 * @typedef {{recipient_id: number | null, last: Message | null, read: number, unread: number}} Summary
 * @typedef {{user: {id: number, name: string} | null, last_id: number, chats: Summary[], more: boolean, can_join: boolean, needs_invitation?: true, uses_tokens?: true, role?: string, muted_until?: string}} Start
 * @typedef {{epoch: string, moved_from?: number}} Epoch Which log it is. If it is another one than before, it says from where it moved the position.
 * @typedef {{messages: Message[], more: boolean, as_of: number, kept_after?: number}} History Is complete up to the position `as_of`.
 */

import { owner } from "./saved.js";

/** How long a response may take, in milliseconds. */
const PATIENCE = 10_000;

/** The longest wait that a browser's timers take, in seconds. */
const LONGEST_WAIT = 2_147_483;

/** Why a request failed. The status is 0 if there was no response; `retryAfter` is in seconds. */
export class Problem extends Error {
  constructor(
    status = 0,
    type = "",
    detail = "The chat cannot be reached.",
    retryAfter = 0,
    until = "",
  ) {
    super(detail);
    this.status = status;
    this.type = type;
    this.retryAfter = retryAfter;
    /** Until when the user is muted or banned. */
    this.until = until;
    /** Whether the same request may succeed later. */
    this.transient = status === 0 || status === 408 || status === 429 || status >= 500;
  }
}

/**
 * Send a request; the response has a status below 300, and its body is not read yet.
 *
 * @param {string} path
 * @param {{signal?: AbortSignal, method?: string, body?: string, headers?: Record<string, string>}} [options]
 */
export async function open(path, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { "Chatter-Page": "1", ...options.headers };
  if (owner && path !== WHO) headers["Chatter-User"] = String(owner);
  const response = await fetch(path, { cache: "no-store", ...options, headers }).catch(() => {
    throw new Problem();
  });
  if (response.ok) return response;
  const { status } = response;
  const { type, detail, until } = await response.json().catch(() => ({}));
  const retryAfter = Math.min(Number(response.headers.get("Retry-After")) || 0, LONGEST_WAIT);
  throw new Problem(
    status,
    type,
    detail ?? `The server responded with ${status}.`,
    retryAfter,
    until,
  );
}

/**
 * @param {string} path
 * @param {Parameters<typeof open>[1]} [options]
 * @returns {Promise<any>} The JSON of the response.
 */
export async function json(path, options = {}) {
  const late = AbortSignal.timeout(PATIENCE);
  const signal = options.signal ? AbortSignal.any([late, options.signal]) : late;
  const response = await open(path, { ...options, signal });
  return response.json().catch(() => {
    throw new Problem();
  });
}

/**
 * @param {string} path
 * @param {object} body
 * @param {Record<string, string>} [headers]
 */
export function post(path, body, headers) {
  const type = { "Content-Type": "application/json" };
  return json(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { ...type, ...headers },
  });
}

/** A key that nobody else has; crypto.randomUUID is missing on plain http. */
export function newKey() {
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Requests who the user is, and is from whoever that is by now. */
const WHO = "chats?limit=50";

/**
 * The user and the newest chats, or those whose last message is older than `before`.
 *
 * @returns {Promise<Start>}
 */
export function getChats(before = 0) {
  return json(before ? `${WHO}&before=${before}` : WHO);
}

/**
 * The newest messages of a chat, or those older than `before`; oldest first.
 *
 * @param {number} chat
 * @param {number} limit
 * @returns {Promise<History>}
 */
export function getHistory(chat, limit, before = 0) {
  const name = chat ? `private&recipient_id=${chat}` : "general";
  return json(
    `status?chat_type=${name}&changes=1&limit=${limit}${before ? `&before=${before}` : ""}`,
  );
}

/**
 * What comes in the feed after a position, without acknowledging it.
 *
 * @param {number} after
 * @param {string} epoch
 * @param {AbortSignal} signal
 * @returns {Promise<{messages: Message[], changes?: Change[], cursor: number, more: boolean, gap?: object} & Epoch>}
 */
export function poll(after, epoch, signal) {
  return json(`status?after=${after}&epoch=${epoch}&peek=true&changes=1&limit=1000`, { signal });
}

/** @param {number} position Everything up to it was read, also by clients that know no marks. */
export function acknowledge(position) {
  return json(`status?after=${position}&limit=1`);
}

/**
 * @param {number} chat
 * @param {number} id Everything in the chat up to this message was read.
 */
export function markRead(chat, id) {
  const chat_type = chat ? "private" : "general";
  return post("read", { id, chat_type, recipient_id: chat || null });
}

/**
 * Send a message. With the same key it is appended once, however often it is sent.
 *
 * @param {number} chat
 * @param {string} text
 * @param {string} key
 * @returns {Promise<Message>}
 */
export function send(chat, text, key) {
  const headers = { "Idempotency-Key": key };
  return chat
    ? post("send-private", { text, recipient_id: chat }, headers)
    : post("send", { text }, headers);
}

/**
 * Give an own message another text. It can be repeated.
 *
 * @param {number} message_id
 * @param {string} text
 * @returns {Promise<Message>}
 */
export const edit = (message_id, text) => post("edit", { message_id, text });

/**
 * Withdraw a message. If it is gone already, the response is 410.
 *
 * @param {number} message_id
 */
export const withdraw = (message_id) => post("withdraw", { message_id });

/**
 * Join, or come back, and have the browser keep the cookie.
 *
 * @param {object} body
 * @param {Record<string, string>} headers
 */
export const connect = (body, headers) => post("connect", { ...body, cookie: true }, headers);

/**
 * @param {string} query Such as `prefix=al`.
 * @returns {Promise<People>}
 */
export const getPeople = (query) => json(`users?${query}`);

/** Those who are online: as many as one response has. */
export const getOnline = () => getPeople("online=true&limit=100");
