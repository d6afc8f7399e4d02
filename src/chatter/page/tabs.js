/**
 * Which tabs hold a stream. A browser has six connections to a site, for all its tabs together,
 * so at most four of them are streams: three of tabs that are looked at, and one of a tab in the
 * background, for the title and for notifications. Further tabs that are looked at poll.
 *
 * The browser's locks are the places. A tab that ends, or crashes, frees its own.
 */

import { follow } from "./feed.js";
import { ownName } from "./saved.js";

const PLACES = 3;

/** A tab that is hidden for so long lets go of its stream, in milliseconds. */
const GRACE = 10_000;

/** The names of the locks of tabs that are looked at begin so. */
export const PLACE = "place";

/** @type {{request: Function} | undefined} */
let locks = navigator.locks;

/** Ends what is requested or held. */
let place = new AbortController();

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let seen = false;

/** The page is looked at, or not any more. */
export function update() {
  clearTimeout(timer);
  if (document.hidden) timer = setTimeout(hide, GRACE);
  else if (!seen) void show();
}

/** Follow no more. */
export function end() {
  clearTimeout(timer);
  seen = false;
  leave();
  follow("off");
}

function leave() {
  place.abort();
  place = new AbortController();
  return place.signal;
}

async function show() {
  seen = true;
  const signal = leave();
  // There are none on plain http.
  locks ??= await import("./locks.js").then(
    (module) => module.locks,
    () => locks,
  );
  let got = !locks;
  for (let number = 0; !got && number < PLACES; number++)
    got = await hold(`${PLACE} ${number}`, signal, { ifAvailable: true });
  if (!signal.aborted) follow(got ? "stream" : "poll");
}

async function hide() {
  seen = false;
  const signal = leave();
  follow("off");
  if (navigator.locks && (await hold("background", signal, { signal }))) follow("stream");
}

/**
 * Hold a lock until a signal ends it.
 *
 * @param {string} name
 * @param {AbortSignal} signal
 * @param {LockOptions} options
 * @returns {Promise<boolean>} Whether it is held.
 */
function hold(name, signal, options) {
  return new Promise((resolve) => {
    const until = (/** @type {Lock | null} */ lock) => {
      const held = lock !== null && !signal.aborted;
      resolve(held);
      return held && new Promise((letGo) => signal.addEventListener("abort", letGo));
    };
    locks?.request(ownName(name), options, until).catch(() => resolve(false));
  });
}
