/**
 * Requests to the chat. All URLs are relative to the page, so the chat works below any path.
 * The browser sends the cookie that says who the user is; the server takes it only beside the
 * header `Chatter-Page`, which pages of other sites cannot send.
 */

/**
 * @typedef {{id: number, sender_id: number, recipient_id: number | null, text: string, sent_at: string}} Message
 * @typedef {{id: number, name: string, online: boolean, last_seen: string}} Person
 * @typedef {{recipient_id: number | null, last: Message | null, read: number, unread: number}} ChatSummary
 * @typedef {object} Start What `GET /chats` responds with.
 * @property {{id: number, name: string} | null} user Nobody is signed in if it is null.
 * @property {number} last_id The end of the log: follow after it.
 * @property {ChatSummary[]} chats The newest first.
 * @property {boolean} more Whether there are older chats.
 * @property {boolean} can_join Whether somebody new may join from the page.
 */

/** How long a response may take, in milliseconds. */
const PATIENCE = 10_000;

/** What went wrong with a request. */
export class Problem extends Error {
  /**
   * @param {number} status The HTTP status, or 0 if there was no response.
   * @param {string} type One of the protocol's problem types, such as `urn:chatter:name-taken`.
   * @param {string} detail One sentence for the user.
   * @param {number} [retryAfter] When to try again, in seconds.
   */
  constructor(status, type, detail, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.type = type;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get transient() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/**
 * Send a request, and return the response once its headers are there.
 *
 * @param {string} path With its query.
 * @param {RequestInit & {headers?: Record<string, string>}} [options]
 * @returns {Promise<Response>} One with a status below 300.
 */
export async function open(path, options = {}) {
  let response;
  try {
    response = await fetch(path, {
      cache: "no-store",
      ...options,
      headers: { "Chatter-Page": "1", ...options.headers },
    });
  } catch {
    throw new Problem(0, "", "The chat cannot be reached.");
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  const detail = body.detail ?? `The server responded with ${response.status}.`;
  const retryAfter = Number(response.headers.get("Retry-After")) || 0;
  throw new Problem(response.status, body.type ?? "", detail, retryAfter);
}

/**
 * Send a request, and return the JSON of the response.
 *
 * @param {string} path
 * @param {RequestInit & {headers?: Record<string, string>}} [options]
 * @returns {Promise<any>}
 */
async function json(path, options = {}) {
  const late = AbortSignal.timeout(PATIENCE);
  const signal = options.signal ? AbortSignal.any([late, options.signal]) : late;
  const response = await open(path, { ...options, signal });
  return response.json().catch(() => {
    throw new Problem(0, "", "The response was cut off.");
  });
}

/**
 * @param {string} path
 * @param {object} body
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
function post(path, body, headers = {}) {
  return json(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", ...headers },
  });
}

/** The parameters that name a chat: 0 is the general one, others are a user's id. */
/** @param {number} chat */
function named(chat) {
  return chat
    ? { chat_type: "private", recipient_id: chat }
    : { chat_type: "general", recipient_id: null };
}

/**
 * The user and the newest chats, or those older than the chat whose last message is `before`.
 *
 * @param {number} [before]
 * @returns {Promise<Start>}
 */
export function getChats(before) {
  return json(`chats?limit=50${before ? `&before=${before}` : ""}`);
}

/**
 * The newest messages of a chat, or those older than `before`; oldest first.
 *
 * @param {number} chat
 * @param {number} limit
 * @param {number} [before]
 * @returns {Promise<{messages: Message[], more: boolean}>}
 */
export function getHistory(chat, limit, before) {
  const of = chat ? `private&recipient_id=${chat}` : "general";
  return json(`status?chat_type=${of}&limit=${limit}${before ? `&before=${before}` : ""}`);
}

/**
 * What comes in the user's feed after a position, without acknowledging it.
 *
 * @param {number} after
 * @param {AbortSignal} signal
 * @returns {Promise<{messages: Message[], cursor: number, more: boolean}>}
 */
export function poll(after, signal) {
  return json(`status?after=${after}&peek=true&limit=1000`, { signal });
}

/**
 * Say that everything up to a position was read, to the user's clients that keep no position.
 *
 * @param {number} position
 */
export function acknowledge(position) {
  return json(`status?after=${position}&limit=1`);
}

/**
 * @param {number} chat
 * @param {number} id Everything in the chat up to this message was read.
 */
export function markRead(chat, id) {
  return post("read", { id, ...named(chat) });
}

/**
 * Send a message. With the same key, it is appended once, however often it is sent.
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

/** @param {string} name */
export function join(name) {
  return post("connect", { name, cookie: true });
}

export function disconnect() {
  return post("disconnect", {});
}

/**
 * @param {Record<string, string | number | boolean>} query Such as `{online: true}`.
 * @returns {Promise<{users: Person[], more: boolean}>}
 */
export function getPeople(query) {
  const parameters = Object.entries(query).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return json(`users?${parameters.join("&")}`);
}
