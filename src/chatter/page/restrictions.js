/** What the page shows to a user who is muted or banned, of whom most chats have none. */

import { box } from "./composer.js";
import { plan, setText, the } from "./drawing.js";

/** The longest time that a browser's timers take, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

const sameDay = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const otherDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** @param {string} time Until when it holds; of the year 9999 if that has no end. */
function untilWhen(time) {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  return date.getFullYear() > 9000 ? "" : ` until ${(isToday ? sameDay : otherDay).format(date)}`;
}

/** @param {string} until Until when the user may not write; empty if they may. */
export function mute(until) {
  const left = until ? Date.parse(until) - Date.now() : 0;
  const isMuted = left > 0;
  const text = isMuted ? `You are muted${untilWhen(until)}: you can read, and not write.` : "";
  setText(the("muted"), text);
  if (box.readOnly === isMuted) return;
  box.readOnly = isMuted;
  the("send", HTMLButtonElement).disabled = isMuted;
  if (isMuted) setTimeout(plan.chat, Math.min(left + 1, LONGEST));
}

/**
 * @param {string} until
 * @param {() => void} over Is called when the ban is over.
 */
export function banned(until, over) {
  const left = Date.parse(until) - Date.now();
  if (left < LONGEST) setTimeout(over, Math.max(0, left) + 1000);
  return `You are banned from this chat${untilWhen(until)}.`;
}
