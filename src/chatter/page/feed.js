/**
 * The user's feed, live. What was received is a position in the log, and whatever happens to a
 * connection, the next request asks for what comes after that position. Nothing is lost, and
 * nothing is shown twice.
 */

import { open, poll, Problem } from "./api.js";

/** The server sends something at least every 15 seconds. After this silence a connection is dead. */
const SILENCE = 45_000;

/** After this silence a page that is looked at again does not trust its connection. */
const DOUBT = 20_000;

/** How long the headers of a stream may take. */
const PATIENCE = 8_000;

const POLL_EVERY = 5_000;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 10_000;

/**
 * Follow the feed on one connection, until that ends.
 *
 * @param {number} after The position after which to begin.
 * @param {(messages: import("./api.js").Message[]) => void} received Is given what came together.
 * @param {AbortSignal} signal
 * @param {() => void} heard Is called for every sign of life.
 */
async function stream(after, received, signal, heard) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), PATIENCE);
  try {
    const response = await open(`events?after=${after}&peek=true`, {
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.body || !response.headers.get("Content-Type")?.startsWith("text/event-stream"))
      throw new Problem(0, "", "This is not the chat.");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      heard();
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      const messages = lines
        .filter((line) => line.startsWith("data: "))
        .map((line) => JSON.parse(line.slice(6)));
      if (messages.length) received(messages);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Follows the feed by the means it is told: a stream, polls, or not at all. */
export class Feed {
  /**
   * @param {object} reader
   * @param {() => number} reader.position After which to go on.
   * @param {(messages: import("./api.js").Message[], position?: number) => void} reader.received
   * @param {(connected: boolean) => void} reader.connected Whether the feed is current.
   * @param {(problem: Problem) => void} reader.refused The user is not signed in any more.
   */
  constructor(reader) {
    this.reader = reader;
    /** @type {"stream" | "poll" | "off"} */
    this.mode = "off";
    this.lastHeard = 0;
    this.connection = new AbortController();
    this.wake = () => {};
  }

  /** @param {"stream" | "poll" | "off"} mode */
  follow(mode) {
    if (mode === this.mode) return;
    this.mode = mode;
    this.connection.abort();
    if (mode === "off") return;
    this.connection = new AbortController();
    void this.#run(this.connection.signal);
  }

  /** Ask again now: a stream that was silent for long is replaced, a pause is ended. */
  refresh() {
    const { mode } = this;
    if (mode === "stream" && Date.now() - this.lastHeard > DOUBT) {
      this.follow("off");
      this.follow(mode);
    }
    this.wake();
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    let delay = FIRST_DELAY;
    const heard = () => {
      this.lastHeard = Date.now();
      delay = FIRST_DELAY;
      if (!signal.aborted) this.reader.connected(true);
    };
    while (!signal.aborted) {
      let pause = delay * (1 + Math.random());
      delay = Math.min(delay * 2, LONGEST_DELAY);
      try {
        if (this.mode === "poll") {
          await this.#poll(signal);
          heard();
          pause = POLL_EVERY;
        } else {
          const received = this.reader.received;
          await stream(this.reader.position(), received, signal, heard);
          // The server is stopping, or something on the way ended the stream.
          pause = FIRST_DELAY * Math.random();
          delay = FIRST_DELAY;
          this.reader.connected(false);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem) {
          if (error.status === 401) return this.reader.refused(error);
          pause = Math.max(pause, error.retryAfter * 1000);
        }
        this.reader.connected(false);
      }
      await this.#pause(pause, signal);
    }
  }

  /** @param {AbortSignal} signal */
  async #poll(signal) {
    for (let more = true; more && !signal.aborted;) {
      const page = await poll(this.reader.position(), signal);
      if (signal.aborted) return;
      this.reader.received(page.messages, page.cursor);
      more = page.more;
    }
  }

  /**
   * @param {number} milliseconds
   * @param {AbortSignal} signal
   */
  #pause(milliseconds, signal) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
      signal.addEventListener("abort", this.wake, { once: true });
    });
  }
}
