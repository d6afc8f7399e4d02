/**
 * One message as an element. The first of several messages of somebody shows who it is and when;
 * those that follow within minutes do not repeat it. So the shape of an element depends on the
 * message before it.
 *
 * What comes from others reaches the page as text nodes only: web addresses become links, and
 * nothing else is interpreted. Times are shown as the user's own clock and language have them.
 *
 * @import {Message} from "./api.js"
 * @import {Pending} from "./outbox.js"
 * @typedef {ReturnType<typeof shapeOf>} Shape
 */

import { make, setAvatar, setHue } from "./drawing.js";
import { clock, format } from "./first.js";

/** Messages of one user within this time are a group, in milliseconds. */
const GROUP = 5 * 60_000;

/**
 * @param {Message} message
 * @param {Message | undefined} before
 * @param {number} newAfter Messages above this id are new.
 */
export function shapeOf(message, before, newAfter) {
  const day = !before || dayOf(before) !== dayOf(message);
  const fresh = message.id > newAfter && !(before && before.id > newAfter);
  const first =
    day ||
    fresh ||
    before?.sender_id !== message.sender_id ||
    Date.parse(message.sent_at) - Date.parse(before.sent_at) > GROUP;
  return { day, fresh, first };
}

/**
 * @param {Message} message
 * @param {Shape} shape
 * @param {string} name The sender's.
 * @param {boolean} own
 * @param {Pending} [pending] An edit or a withdrawal that is on its way.
 */
export function elementOf(message, shape, name, own, pending) {
  const element = make("div", own ? "message own" : "message");
  if (shape.day) element.append(make("h3", "day", make("span", "", dayName(message))));
  if (shape.fresh) {
    const line = make("div", "fresh", make("span", "", "New"));
    line.role = "separator";
    line.ariaLabel = "New messages";
    element.append(line);
  }
  const time = timeOf(message.sent_at, clock);
  // A name that is not seen is heard all the same.
  const shown = shape.first && !own;
  const sender = make("bdi", shown ? "name" : "unseen", own ? "You" : name);
  if (shape.first) element.classList.add("first");
  if (shown) {
    const avatar = make("span", "avatar");
    avatar.ariaHidden = "true";
    setAvatar(avatar, message.sender_id, name);
    setHue(sender, message.sender_id);
    element.append(avatar);
  }
  element.append(make("div", shape.first ? "who" : "who later", sender, " ", time));
  if (MARKS.test(name) || MARKS.test(message.text)) element.classList.add("marked");
  if (message.withdrawn_by !== undefined) {
    element.append(make("div", "text gone", goneText(message)));
    return element;
  }
  element.append(...bubbleOf(pending?.text ?? message.text, String(message.id)));
  if (pending) {
    element.classList.add("sending");
    element.append(make("div", "note", pending.does === "edit" ? "Saving…" : "Withdrawing…"));
    return element;
  }
  if (message.edited_at)
    element.append(make("div", "note", "Edited ", timeOf(message.edited_at, brief)));
  element.append(moreButton());
  return element;
}

/** @param {Message} message */
const goneText = ({ sender_id, withdrawn_by }) =>
  withdrawn_by === sender_id ? "Message withdrawn" : "Withdrawn by a moderator";

/**
 * @param {string} at
 * @param {(date: Date) => string} write
 */
function timeOf(at, write) {
  const date = new Date(at);
  const time = make("time", "", write(date));
  time.dateTime = at;
  time.title = whole(date);
  return time;
}

/** For the menu of the message. The arrow keys lead to it. */
function moreButton() {
  const button = make("button", "more", "⋯");
  button.type = "button";
  button.tabIndex = -1;
  button.ariaLabel = "Options";
  return button;
}

/** Texts that were unfolded stay so while the page is there. */
const unfolded = new Set();

/**
 * @param {string} text
 * @param {string} id By which it is known whether the text is unfolded.
 */
export function bubbleOf(text, id) {
  const bubble = make("div", "text", ...nodesOf(text));
  bubble.dir = "auto";
  if (isEmoji(text)) bubble.classList.add("emoji");
  if (!isLong(text)) return [bubble];
  const button = make("button", "quiet fold");
  button.type = "button";
  button.dataset.text = id;
  drawFold(bubble, button);
  return [bubble, button];
}

/** @param {HTMLElement} button One that folds the text before it. */
export function toggleFold(button) {
  const id = button.dataset.text;
  if (!unfolded.delete(id)) unfolded.add(id);
  if (button.previousElementSibling) drawFold(button.previousElementSibling, button);
}

/**
 * @param {Element} bubble
 * @param {HTMLElement} button
 */
function drawFold(bubble, button) {
  const open = unfolded.has(button.dataset.text);
  bubble.classList.toggle("folded", !open);
  button.textContent = open ? "Show less" : "Show all";
  button.ariaExpanded = String(open);
}

/** Characters that change the direction of text are no part of a link: it shows where it leads. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;

/** What ends a sentence is no part of a link. */
const CLOSING = new Set(".,:;!?'\"…)]}");

/** Brackets are part of it if they were opened in it: https://example.org/a_(b) */
const OPENING = new Map(["()", "[]", "{}"].map(([opening, closing]) => [closing, opening]));

const EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\uFE0F|\p{EMod}|\u200D\p{Extended_Pictographic})*\s*){1,4}$/u;

/** More marks on a letter than any language has. */
const MARKS = /\p{M}{5}/u;

/** A text with more characters or lines is folded. */
const LONG = 1200;
const LINES = 14;

/** @param {string} found What may be an address, and more. */
function trimmed(found) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  const count = (/** @type {string | undefined} */ character) => counts.get(character ?? "") ?? 0;
  for (const character of found) counts.set(character, count(character) + 1);
  let end = found.length;
  for (; CLOSING.has(found[end - 1]); end--) {
    const closing = found[end - 1];
    if (OPENING.has(closing) && count(OPENING.get(closing)) >= count(closing)) break;
    counts.set(closing, count(closing) - 1);
  }
  return found.slice(0, end);
}

/** @param {string} text */
function nodesOf(text) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = trimmed(found);
    if (!URL.canParse(address)) continue;
    const link = make("a", "", address);
    link.href = address;
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
    nodes.push(text.slice(done, index), link);
    done = index + address.length;
  }
  return [...nodes, text.slice(done)];
}

/** @param {string} text */
const isEmoji = (text) => text.length < 40 && EMOJI.test(text);

/** @param {string} text */
const isLong = (text) => text.length > LONG || text.split("\n").length > LINES;

const whole = format({ dateStyle: "full", timeStyle: "medium" });
const short = format({ day: "numeric", month: "short" });
const thisYear = format({ weekday: "long", day: "numeric", month: "long" });
const otherYear = format({ dateStyle: "long" });

/** @param {Date} date The number of its local day. */
export const dayNumber = (date) =>
  Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000;

export const today = () => dayNumber(new Date());

/** @type {WeakMap<Message, number>} */
const days = new WeakMap();

/** @param {Message} message The number of the local day on which it was sent. */
function dayOf(message) {
  let day = days.get(message);
  if (day === undefined) days.set(message, (day = dayNumber(new Date(message.sent_at))));
  return day;
}

/** @param {Message} message */
function dayName({ sent_at }) {
  const date = new Date(sent_at);
  const ago = today() - dayNumber(date);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  return (date.getFullYear() === new Date().getFullYear() ? thisYear : otherYear)(date);
}

/** @param {Date} date The time if it is today, else the day. */
const brief = (date) => (dayNumber(date) === today() ? clock : short)(date);

/** @param {Message} message When it was sent. */
export const briefly = ({ sent_at }) => brief(new Date(sent_at));
