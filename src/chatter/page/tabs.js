/**
 * Which tabs hold a stream. A browser has six connections to a site, for all its tabs together,
 * so at most four of them are streams: three of tabs that are looked at, and one of a tab in the
 * background, for the title and for notifications. Further tabs that are looked at poll.
 *
 * The browser's locks are the places. A tab that ends, or crashes, frees its own.
 */

import { ownName } from "./saved.js";

const PLACES = 3;

/** A tab that is hidden for so long lets go of its stream, in milliseconds. */
const GRACE = 10_000;

/** Decides how a tab follows the feed. */
export class Tabs {
  /** @param {(mode: "stream" | "poll" | "off") => void} follow */
  constructor(follow) {
    this.follow = follow;
    /** Ends what is asked for or held. */
    this.place = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.seen = false;
  }

  /** The page is looked at, or not any more. */
  update() {
    clearTimeout(this.timer);
    if (document.hidden) this.timer = setTimeout(() => this.#hide(), GRACE);
    else if (!this.seen) void this.#show();
  }

  /** Follow no more. */
  end() {
    clearTimeout(this.timer);
    this.place.abort();
    this.seen = false;
    this.follow("off");
  }

  #leave() {
    this.place.abort();
    this.place = new AbortController();
    return this.place.signal;
  }

  async #show() {
    this.seen = true;
    const signal = this.#leave();
    // No locks on plain http, nor places to count: who is looked at has a stream.
    let got = !navigator.locks;
    for (let place = 0; !got && place < PLACES; place++)
      got = await hold(`place ${place}`, { ifAvailable: true }, signal);
    if (!signal.aborted) this.follow(got ? "stream" : "poll");
  }

  async #hide() {
    this.seen = false;
    const signal = this.#leave();
    this.follow("off");
    if (navigator.locks && (await hold("background", { signal }, signal))) this.follow("stream");
  }
}

/**
 * Hold a lock until a signal ends it.
 *
 * @param {string} name
 * @param {LockOptions} options
 * @param {AbortSignal} signal
 * @returns {Promise<boolean>} Whether it is held.
 */
function hold(name, options, signal) {
  return new Promise((resolve) => {
    const until = (/** @type {Lock | null} */ lock) => {
      resolve(lock !== null && !signal.aborted);
      if (!lock || signal.aborted) return undefined;
      return new Promise((end) => signal.addEventListener("abort", end, { once: true }));
    };
    navigator.locks.request(ownName(name), options, until).catch(() => resolve(false));
  });
}

/** Whether a tab of this chat is looked at, or was until a moment ago. */
export async function isAnyTabSeen() {
  if (!navigator.locks) return false;
  const { held } = await navigator.locks.query();
  return (held ?? []).some((lock) => lock.name?.startsWith(ownName("place")));
}
