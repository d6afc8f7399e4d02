/**
 * The messages of one chat on the screen. However many there are, only those around what is seen
 * are elements: what a frame costs grows with all of them. The scroller is laid out from its end (`column-reverse`), so a position in
 * it is a distance from the newest message, and what is added above moves nothing. What changes
 * below is made up for by scrolling.
 *
 * @import {Message} from "./api.js"
 * @import {Chat} from "./chats.js"
 * @import {Shape} from "./message.js"
 * @import {Pending} from "./outbox.js"
 * @typedef {{message: Message, shape: Shape, name: string | null, pending?: Pending, element: HTMLElement}} Row
 */

import { user } from "./chats.js";
import { perFrame, plan, the } from "./drawing.js";
import { elementOf, shapeOf, toggleFold } from "./message.js";
import { changeOf } from "./outbox.js";
import { nameOf } from "./people.js";

/** So many elements there are at most on usual screens, and so many are made at a time. */
const WINDOW = 160;
const STEP = 20;

/** How near to the end of the elements more are made, in pixels. */
const AHEAD = 1500;

/** No message is lower, in pixels. */
const LOWEST = 30;

/** So near to its end a chat follows its newest message, in pixels. */
const NEAR = 30;

const scroller = the("scroller");
const list = the("messages");

/** What the page does beside. */
export const around = {
  loadOlder(/** @type {Chat} */ _chat) {},
  /** Something else is seen. */
  moved() {},
  openMenu(/** @type {Message} */ _message, /** @type {HTMLElement} */ _button) {},
};

/** @type {Chat | null} */
let chat = null;

/** @type {Row[]} */
let rows = [];

/** How many elements there may be: enough for a screen of any height. */
let most = WINDOW;

/** So many there are while the newest message is followed: each message moves all that are there. */
let few = WINDOW;

/** Whether the newest message is seen, and those that come will be. */
export let follows = true;

/** Whether the newest message was an element after the last drawing. */
let reachesEnd = true;

/** Whether the chat was opened, and nothing of it was drawn yet. */
let opening = true;

const scrolled = perFrame(() => {
  reachOut();
  around.moved();
});

scroller.addEventListener(
  "scroll",
  () => {
    // At once: a drawing that comes first would not know that the user scrolls.
    note();
    scrolled();
  },
  { passive: true },
);

scroller.addEventListener("click", ({ target }) => {
  const button = target instanceof Element && target.closest(".fold, .more");
  if (!(button instanceof HTMLElement)) return;
  const row = rows.find(({ element }) => element.contains(button));
  if (button.classList.contains("more")) {
    if (row) around.openMenu(row.message, button);
  }
  // The text stays where it begins.
  else
    keepInPlace(
      () => button.closest(".message"),
      "top",
      () => toggleFold(button),
    );
});

/**
 * Move the focus to the button of the message above or below.
 *
 * @param {-1 | 1} direction
 */
export function goTo(direction) {
  let index = rows.findIndex(({ element }) => element.contains(document.activeElement));
  if (index < 0) index = 1 + rows.findIndex(({ message }) => message.id === lastSeen());
  do index += direction;
  while (rows[index] && !moreOf(rows[index].element));
  if (rows[index]) moreOf(rows[index].element)?.focus();
}

/**
 * @param {HTMLElement} element
 * @returns {HTMLElement | null}
 */
const moreOf = (element) => element.querySelector(".more");

/** @param {Chat} wanted */
export function open(wanted) {
  // To scroll costs a layout; the first chat is at its end.
  if (chat) scroller.scrollTop = 0;
  chat = wanted;
  rows = [];
  list.replaceChildren();
  opening = true;
  follows = true;
}

/** Show the newest message, and follow it. */
export function toEnd() {
  if (chat?.later) {
    chat.reset();
    open(chat);
    return plan.chat();
  }
  follows = true;
  scroller.scrollTop = 0;
  draw();
  note();
}

/** Draw all anew, since a day has begun. */
export function drawAgain() {
  for (const row of rows) row.name = null;
  draw();
}

/**
 * Make the elements those of the messages.
 *
 * @param {-1 | 0 | 1} grow Whether there are to be more above (-1), or below (1).
 */
export function draw(grow = 0) {
  if (!chat) return;
  const { loaded, later } = chat;
  const messages = loaded === "yes" ? chat.messages : [];
  const [from, to] = range(chat, messages.length, grow);
  const anchor = follows ? 0 : anchorBetween(messages[from]?.id, messages[to - 1]?.id);
  // Another element may stand for it afterwards.
  const find = () => rows.find(({ message }) => message.id === anchor)?.element;
  // What is at the top can be kept in place only once there is more above it.
  keepInPlace(find, "bottom", () => {
    keepInPlace(find, "bottom", () => sync(messages, from, to));
    reachesEnd = to === messages.length && !later;
    if (loaded !== "yes") return;
    if (opening) showFresh();
    opening = false;
    reachOut();
  });
}

/**
 * Which messages are to be elements.
 *
 * @param {Chat} of
 * @param {number} end How many there are.
 * @param {number} grow
 */
function range(of, end, grow) {
  const first = rows[0]?.message;
  const last = rows.at(-1)?.message;
  if (!first || !last || !end) {
    const fresh = of.newAfter < Infinity ? end - of.indexOf(of.newAfter + 1) : 0;
    return [Math.max(0, end - Math.min(most, fresh + STEP)), end];
  }
  let from = of.indexOf(first.id);
  let to = follows ? end : of.indexOf(last.id + 1);
  if (grow < 0) from = Math.max(0, from - STEP);
  if (grow > 0) to = Math.min(end, to + STEP);
  if (grow < 0 && !follows) to = Math.min(to, from + most);
  return [Math.max(from, to - (follows ? few : most)), to];
}

/**
 * The id of a message that is seen, and stays.
 *
 * @param {number} first The id of the first message that stays.
 * @param {number} last
 */
function anchorBetween(first, last) {
  const { top } = scroller.getBoundingClientRect();
  const seen = search((box) => box.bottom > top);
  const stays = (/** @type {Row} */ { message: { id } }) => id >= first && id <= last;
  return (rows.slice(seen).find(stays) ?? rows.find(stays))?.message.id ?? 0;
}

/** @param {(box: DOMRect) => boolean} holds The index of the first row from which on it does. */
function search(holds) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(rows[middle].element.getBoundingClientRect())) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Change something, and scroll so that an element stays where it is.
 *
 * @param {() => Element | null | undefined} find
 * @param {"top" | "bottom"} edge
 * @param {() => void} change
 */
function keepInPlace(find, edge, change) {
  const before = find()?.getBoundingClientRect()[edge] ?? 0;
  change();
  const moved = (find()?.getBoundingClientRect()[edge] ?? before) - before;
  if (Math.abs(moved) >= 1) scroller.scrollTop += moved;
}

/**
 * Keep the rows that stay, and make those that are missing.
 *
 * @param {Message[]} messages
 * @param {number} from
 * @param {number} to
 */
function sync(messages, from, to) {
  /** @type {Row[]} */
  const next = [];
  let old = 0;
  for (let index = from; index < to; index++) {
    const message = messages[index];
    while (old < rows.length && rows[old].message.id < message.id) rows[old++].element.remove();
    const row = rows[old]?.message === message ? rows[old++] : null;
    const shape = shapeOf(message, messages[index - 1], chat?.newAfter ?? Infinity);
    const name = nameOf(message.sender_id);
    const pending = changeOf(message.id);
    if (row && row.name === name && row.pending === pending && isSame(row.shape, shape)) {
      next.push(row);
      continue;
    }
    const element = elementOf(message, shape, name, message.sender_id === user?.id, pending);
    if (row) row.element.replaceWith(element);
    else list.insertBefore(element, rows[old]?.element ?? null);
    next.push({ message, shape, name, pending, element });
  }
  while (old < rows.length) rows[old++].element.remove();
  rows = next;
}

/**
 * @param {Shape} one
 * @param {Shape} other
 */
const isSame = (one, other) =>
  one.day === other.day && one.fresh === other.fresh && one.first === other.first;

/** Begin to read where what is new begins, if that is above the screen. */
function showFresh() {
  const fresh = list.querySelector(".fresh");
  if (!fresh) return;
  const above = fresh.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  if (above < 0) scroller.scrollTop += above;
  note();
}

/**
 * Note whether the newest message is seen. Before more is added: after that it would not be seen any
 * more.
 */
function note() {
  follows = reachesEnd && -scroller.scrollTop < NEAR;
  if (chat) chat.scrolledBack = !follows;
}

/** Make more elements where the screen comes near to their end, and load what is missing. */
function reachOut() {
  if (!chat || chat.loaded !== "yes") return;
  const below = -scroller.scrollTop;
  const { clientHeight } = scroller;
  const above = scroller.scrollHeight - clientHeight - below;
  most = Math.max(WINDOW, Math.ceil((clientHeight + 2 * AHEAD) / LOWEST));
  few = Math.ceil((clientHeight + AHEAD) / LOWEST);
  const full = follows && rows.length >= few;
  if (above < AHEAD && !full && rows[0]?.message !== chat.messages[0]) extend(-1);
  else if (below < AHEAD && !reachesEnd) {
    if (rows.at(-1)?.message === chat.messages.at(-1)) void chat.later?.load();
    else extend(1);
  }
  // Nobody may want older messages than those that fill the screen.
  else if (above < (follows ? NEAR : AHEAD) && !chat.complete) around.loadOlder(chat);
}

/** @param {-1 | 1} direction */
function extend(direction) {
  draw(direction);
  note();
}

/** The id of the last message that is seen whole, or nearly; 0 if there is none. */
export function lastSeen() {
  if (opening) return 0;
  const bottom = scroller.getBoundingClientRect().bottom + NEAR;
  const row = follows ? rows.at(-1) : rows[search((box) => box.bottom > bottom) - 1];
  return row?.message.id ?? 0;
}
