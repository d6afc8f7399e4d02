/**
 * A page that stays open for weeks becomes older than its server, which then has other files. It
 * is loaded anew once nobody looks at it, and nothing in it would be lost.
 */

import { box } from "./composer.js";
import { follows } from "./log.js";
import { isEmpty } from "./outbox.js";

/** A page that is hidden looks so long after that, and then as often, in milliseconds. */
const AFTER = 60_000;
const EVERY = 3_600_000;

/** @param {string} place */
const statusOf = (place) =>
  fetch(place, { method: "HEAD", cache: "no-store" }).then(
    ({ status }) => status,
    () => 0,
  );

/** Whether the server has a page, but this one no longer. */
const isOld = async () =>
  (await statusOf(import.meta.url)) === 404 && (await statusOf("./")) === 200;

/** Whether nobody would miss anything: a text, a place in the log, something that is shown once. */
const isIdle = () =>
  document.hidden && !box.value && isEmpty() && follows && !document.querySelector("dialog[open]");

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
