/**
 * The user's feed, live. What was received is a position in the log, and whatever happens to a
 * connection, the next request is for what comes after that position. Nothing is lost, and
 * nothing is shown twice.
 *
 * A position is one in a log. If the server's log is another one, since it was restored from a
 * backup, what the page has of it may be wrong.
 *
 * @import {Change, Epoch, Message} from "./api.js"
 */

import { open, poll, Problem } from "./api.js";
import { position } from "./chats.js";

/** The server sends something every 15 seconds. After this silence a connection is dead. */
const SILENCE = 45_000;

/** After this silence a page that is looked at again does not trust its connection. */
const DOUBT = 20_000;

/** How long the head of a response may take. */
const PATIENCE = 8_000;

const POLL_EVERY = 5_000;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;

/** What the page does with the feed. */
export const reader = {
  /** Messages, and changes after them; both are in the log up to a position. */
  received(
    /** @type {Message[]} */ _messages,
    /** @type {Change[]} */ _changes,
    /** @type {number} */ _end,
  ) {},
  connected(/** @type {boolean} */ _connected) {},
  /** Messages that would have come are no longer kept. */
  missed() {},
  /** The log is another one than that of the position. */
  replaced() {},
  /** The user is not signed in any more, or banned. */
  refused() {},
};

/** @type {"stream" | "poll" | "off"} By which means the feed is followed. */
export let mode = "off";

/** That of the position, once the server has told it. */
let epoch = "";

let connection = new AbortController();
let lastHeard = 0;
let wake = () => {};

/** @param {typeof mode} wanted */
export function follow(wanted) {
  if (wanted === mode) return;
  mode = wanted;
  connection.abort();
  // A pause of the one that ends is over, too.
  wake();
  connection = new AbortController();
  if (mode !== "off") void run(connection.signal);
}

/** Request now: a pause is ended, and a stream that was silent for long is replaced. */
export function refresh() {
  const before = mode;
  if (mode === "stream" && Date.now() - lastHeard > DOUBT) {
    follow("off");
    follow(before);
  }
  wake();
}

/** @param {AbortSignal} signal */
async function run(signal) {
  let delay = FIRST_DELAY;
  const heard = () => {
    lastHeard = Date.now();
    delay = FIRST_DELAY;
    reader.connected(true);
  };
  while (!signal.aborted) {
    let wait = delay * (1 + Math.random());
    delay = Math.min(delay * 2, LONGEST_DELAY);
    try {
      if (mode === "poll") {
        await pollAll(signal);
        heard();
        wait = POLL_EVERY;
      } else {
        await stream(signal, heard);
        // The server stops, or something on the way has ended the stream.
        wait = FIRST_DELAY * Math.random();
        reader.connected(false);
      }
    } catch (error) {
      if (signal.aborted) return;
      reader.connected(false);
      if (error instanceof Problem) {
        if (error.status === 401 || error.type === "urn:chatter:banned") return reader.refused();
        wait = Math.max(wait, error.retryAfter * 1000);
      }
    }
    if (signal.aborted) return;
    await new Promise((resolve) => {
      wake = () => resolve(undefined);
      setTimeout(wake, wait);
    });
  }
}

/** @param {AbortSignal} signal */
async function pollAll(signal) {
  for (let goOn = true; goOn && !signal.aborted;) {
    const page = await poll(position, epoch, signal);
    const { messages, changes = [], cursor, more, gap } = page;
    if (signal.aborted || isOther(page)) return;
    if (gap) return reader.missed();
    reader.received(messages, changes, cursor);
    goOn = more;
  }
}

/**
 * @param {Epoch} of What the server says of its log.
 * @returns {boolean} Whether that is another one.
 */
function isOther({ epoch: current, moved_from }) {
  // Before the first epoch is known, the position may be that of a node which is ahead.
  const other = epoch !== "" && moved_from !== undefined;
  epoch = current;
  if (other) reader.replaced();
  return other;
}

/**
 * Follow the feed on one connection, until that ends.
 *
 * @param {AbortSignal} signal
 * @param {() => void} heard Is called for every sign of life.
 */
async function stream(signal, heard) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), PATIENCE);
  try {
    const response = await open(`events?after=${position}&epoch=${epoch}&peek=true&changes=1`, {
      signal: AbortSignal.any([signal, silence.signal]),
    });
    // A proxy may have responded with a page of its own.
    const type = response.headers.get("Content-Type") ?? "";
    if (!response.body || !type.startsWith("text/event-stream")) throw new Problem();
    const body = response.body.getReader();
    const decoder = new TextDecoder();
    const events = { name: "", id: 0 };
    for (let rest = ""; ;) {
      heard();
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      const { done, value } = await body.read();
      if (done || signal.aborted) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      take(lines, events);
    }
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string[]} lines Of an event stream.
 * @param {{name: string, id: number}} event The one that the lines go on with.
 */
function take(lines, event) {
  /** @type {{message: Message[], change: Change[]}} */
  const events = { message: [], change: [] };
  let end = 0;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon)) {
      case "id":
        event.id = Number(value);
        break;
      case "event":
        event.name = value;
        break;
      case "data":
        if (event.name === "epoch" && isOther(JSON.parse(value))) return;
        if (event.name === "gap") return reader.missed();
        if (event.name === "closed") return follow(document.hidden ? "off" : "poll");
        if (event.name === "message" || event.name === "change") {
          events[event.name].push(JSON.parse(value));
          end = event.id;
        }
    }
  }
  if (end) reader.received(events.message, events.change, end);
}
