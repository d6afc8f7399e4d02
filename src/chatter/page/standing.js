/** What the page shows to a user who is muted, banned or a moderator, which few are. */

import { mutedUntil } from "./chats.js";
import { box } from "./composer.js";
import { plan, setText, the } from "./drawing.js";
import { clock, format } from "./first.js";
import { dayNumber, today } from "./message.js";
import { drawOptions } from "./person.js";

/** The longest time that a browser's timers take, in milliseconds. */
const LONGEST = 2 ** 31 - 1;

const otherDay = format({ dateStyle: "medium", timeStyle: "short" });

/** @param {string} time Until when it holds; of the year 9999 if that has no end. */
function untilWhen(time) {
  const date = new Date(time);
  const isToday = dayNumber(date) === today();
  return date.getFullYear() > 9000 ? "" : ` until ${(isToday ? clock : otherDay)(date)}`;
}

/** The chat, or what the user may do, is another one. */
export function draw() {
  drawMute();
  drawOptions();
}

function drawMute() {
  const left = mutedUntil ? Date.parse(mutedUntil) - Date.now() : 0;
  const isMuted = left > 0;
  const text = isMuted ? `You are muted${untilWhen(mutedUntil)}: you can read, and not write.` : "";
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
