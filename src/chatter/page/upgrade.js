/**
 * A page that stays open for weeks becomes older than its server, which then has other files. It
 * is loaded anew once nobody looks at it, and nothing in it would be lost; or at once if a part of
 * it that somebody wants could not be loaded.
 */

import { Problem } from "./api.js";
import { box } from "./composer.js";
import { follows } from "./log.js";
import { isEmpty } from "./outbox.js";
import { load, save } from "./saved.js";
import { search } from "./sidebar.js";

/** A page that is hidden looks so long after that, and then as often, in milliseconds. */
const AFTER = 60_000;
const EVERY = 3_600_000;

/** How long a response may take, in milliseconds. */
const PATIENCE = 10_000;

/** Far more than a draft, in characters. */
const ROOM = 100_000;

/** @param {string} place */
const statusOf = (place) =>
  fetch(place, {
    method: "HEAD",
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE),
  }).then(
    ({ status }) => status,
    () => 0,
  );

/** Whether the server has a page, but this one no longer. */
const isOld = async () =>
  (await statusOf(import.meta.url)) === 404 && (await statusOf("./")) === 200;

/** Whether nobody would miss anything: a text, a place in the log, something that is shown once. */
const isIdle = () =>
  document.hidden && !box.value && isEmpty() && follows && !document.querySelector("dialog[open]");

/** Whether the browser keeps what is written here over a reload. */
function keeps() {
  const wanted = box.value.padEnd(ROOM);
  save("probe", wanted);
  const kept = load("probe") === wanted;
  save("probe", undefined);
  return kept;
}

/**
 * Load the page anew, since a part of it could not be loaded; but not again and again for the same
 * one, and not if something would be lost.
 *
 * @param {unknown} error It names the part, in most browsers.
 * @returns {Promise<string>} What to tell the user, to whom it is left then.
 */
export async function loadAnew(error) {
  if ((await statusOf("./")) !== 200) return new Problem().message;
  /** @type {string[]} */
  const missed = load("missed") ?? [];
  const part = String(error);
  if (missed.includes(part) || search.value || !keeps())
    return "Please reload the page: a part of it could not be loaded.";
  save("missed", [...missed, part]);
  location.reload();
  return "Loading…";
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

async function look() {
  if (isIdle() && (await isOld()) && isIdle()) location.reload();
  else if (document.hidden) timer = setTimeout(look, EVERY);
}

function changed() {
  clearTimeout(timer);
  if (document.hidden) timer = setTimeout(look, AFTER);
}

document.addEventListener("visibilitychange", changed);
changed();
