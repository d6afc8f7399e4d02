/**
 * One message as an element. It stands in a group: the first message of somebody shows who it is
 * and when; those that follow within minutes do not repeat it. So its shape depends on the
 * message before it.
 */

import { make, setAvatar } from "./dom.js";
import { isEmoji, isLong, nodesOf } from "./text.js";
import { dayName, dayOf, momentOf, timeOf } from "./times.js";

/** Messages of one user within this time are a group, in milliseconds. */
const GROUP = 5 * 60_000;

/** @typedef {import("./api.js").Message} Message */

/**
 * @typedef {object} Shape What stands before and above the text.
 * @property {boolean} day Whether a new day begins.
 * @property {boolean} fresh Whether what is new begins.
 * @property {boolean} first Whether it is the first of a group.
 */

/**
 * @param {Message} message
 * @param {Message | undefined} before The message before it in the chat.
 * @param {number} newAfter Messages above this id are new.
 * @returns {Shape}
 */
export function shapeOf(message, before, newAfter) {
  const day = !before || dayOf(before) !== dayOf(message);
  const fresh = message.id > newAfter && (!before || before.id <= newAfter);
  const first =
    day ||
    fresh ||
    before?.sender_id !== message.sender_id ||
    Date.parse(message.sent_at) - Date.parse(before.sent_at) > GROUP;
  return { day, fresh, first };
}

/**
 * @param {Shape} one
 * @param {Shape} other
 */
export function isSameShape(one, other) {
  return one.day === other.day && one.fresh === other.fresh && one.first === other.first;
}

/** Texts that were unfolded stay so while the page is there. */
const unfolded = new Set();

/**
 * @param {string} text
 * @param {string} id What the text is known by when it is unfolded.
 * @returns {HTMLElement[]}
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

/** @param {Element} button One that folds the text before it. */
export function toggleFold(button) {
  const bubble = button.previousElementSibling;
  if (!(button instanceof HTMLElement) || !bubble) return;
  const id = button.dataset.text;
  if (!unfolded.delete(id)) unfolded.add(id);
  drawFold(bubble, button);
}

/**
 * @param {Element} bubble
 * @param {HTMLElement} button
 */
function drawFold(bubble, button) {
  const open = unfolded.has(button.dataset.text);
  bubble.classList.toggle("folded", !open);
  button.textContent = open ? "Show less" : "Show all";
  button.setAttribute("aria-expanded", String(open));
}

/**
 * @param {Message} message
 * @param {Shape} shape
 * @param {string} name The sender's.
 * @param {boolean} own
 * @returns {HTMLElement}
 */
export function elementOf(message, shape, name, own) {
  const element = make("div", own ? "message own" : "message");
  element.dataset.id = String(message.id);
  if (shape.day) {
    const day = make("h2", "day", make("span", "", dayName(message.sent_at)));
    element.append(day);
  }
  if (shape.fresh) {
    const line = make("div", "fresh", make("span", "", "New"));
    line.setAttribute("role", "separator");
    line.setAttribute("aria-label", "New messages");
    element.append(line);
  }
  const time = make("time", "", timeOf(message.sent_at));
  time.dateTime = message.sent_at;
  time.title = momentOf(message.sent_at);
  const sender = make("bdi", own ? "unseen" : "name", own ? "You" : name);
  if (shape.first) {
    element.classList.add("first");
    if (!own) {
      const avatar = make("span", "avatar");
      avatar.ariaHidden = "true";
      setAvatar(avatar, message.sender_id, name);
      sender.style.setProperty("--hue", avatar.style.getPropertyValue("--hue"));
      element.append(avatar);
    }
    element.append(make("div", "who", sender, " ", time));
  } else {
    // Seen only by who points at it, but read to who listens.
    sender.className = "unseen";
    element.append(make("div", "who later", sender, " ", time));
  }
  element.append(...bubbleOf(message.text, String(message.id)));
  return element;
}
