/**
 * The list beside the chat: the chats, who is online, and who was found by a search.
 *
 * @import {Person} from "./api.js"
 * @import {Chat} from "./chats.js"
 * @typedef {ReturnType<typeof makeEntry>} Entry
 */

import { atMost99 } from "./attention.js";
import { more, sorted, user } from "./chats.js";
import { explainMissing } from "./composer.js";
import { shown } from "./conversation.js";
import { isComposed, make, setAvatar, setChildren, setHidden, setText, the } from "./drawing.js";
import { isOnline, nameOf, online } from "./people.js";
import { briefly } from "./message.js";

/** So many people are listed as online. */
const LISTED = 50;

export const search = the("search", HTMLInputElement);

/** @type {Person[]} */
let found = [];

/** @type {Map<string, Entry>} */
const entries = new Map();

export function draw() {
  const searching = search.value.trim() !== "";
  setHidden(the("found-section"), !searching);
  setHidden(the("chats-section"), searching);
  setHidden(the("online-section"), searching);
  setHidden(the("more-chats"), !more);
  const chats = sorted();
  if (shown && !chats.includes(shown)) chats.splice(1, 0, shown);
  const others = online.filter(({ id }) => id !== user?.id).slice(0, LISTED);
  setChildren(the("chats"), chats.map(drawChat));
  setChildren(
    the("found"),
    found.map((person) => drawPerson("found", person)),
  );
  setChildren(
    the("online"),
    others.map((person) => drawPerson("online", person)),
  );
  setText(the("online-title"), others.length ? "Online" : "Nobody else is online");
  // Hundreds of people may be listed in a day.
  for (const [key, { item }] of entries) if (!item.isConnected) entries.delete(key);
}

/**
 * @param {string} list
 * @param {number} id
 */
function makeEntry(list, id) {
  const avatar = make("span", "avatar");
  const name = make("bdi", "entry-name");
  const presence = make("span", "unseen");
  const time = make("time", "entry-time");
  const text = make("bdi", "entry-text");
  const badge = make("span", "badge");
  badge.title = "Unread messages";
  avatar.ariaHidden = "true";
  const link = make("a", list === "chats" ? "entry" : "entry small", avatar, name, presence);
  link.href = id ? `#${id}` : "#general";
  if (list === "chats") link.append(time, text, badge);
  return { item: make("li", "", link), link, avatar, name, presence, time, text, badge };
}

/**
 * @param {string} list
 * @param {number} id
 * @param {string} name
 */
function drawEntry(list, id, name) {
  const key = `${list} ${id}`;
  const entry = entries.get(key) ?? makeEntry(list, id);
  entries.set(key, entry);
  const isThere = id !== 0 && isOnline(id);
  setAvatar(entry.avatar, id, name);
  setText(entry.name, name);
  entry.avatar.classList.toggle("online", isThere);
  setText(entry.presence, isThere ? " (online)" : "");
  return entry;
}

/** @param {Chat} chat */
function drawChat(chat) {
  const { id, last, unread } = chat;
  const entry = drawEntry("chats", id, nameOf(id) || "…");
  if (last) {
    const own = last.sender_id === user?.id;
    // The name is isolated: its direction may be another than the text's.
    const sender = own ? "You: " : id ? "" : `\u2068${nameOf(last.sender_id)}\u2069: `;
    const text = last.withdrawn_by === undefined ? last.text : "Message withdrawn";
    setText(entry.text, sender + text.slice(0, 200).replace(/\s+/gu, " "));
    setText(entry.time, briefly(last));
  }
  setText(entry.badge, unread ? atMost99(unread) : "");
  setHidden(entry.badge, !unread);
  entry.link.classList.toggle("unread", unread > 0);
  const current = chat === shown ? "page" : null;
  if (entry.link.ariaCurrent !== current) entry.link.ariaCurrent = current;
  return entry.item;
}

/**
 * @param {string} list
 * @param {Person} person
 */
const drawPerson = (list, { id, name }) => drawEntry(list, id, name).item;

/** @param {Person[]} people Who was found by a search. */
export function showFound(people) {
  found = people;
  draw();
}

/** @param {number} [id] The chat that was left. */
export const focusOn = (id) => entries.get(`chats ${id}`)?.link.focus();

/** @returns {HTMLAnchorElement[]} Those that are seen. */
export function links() {
  const all = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".lists a"));
  return [...all].filter((link) => link.checkVisibility());
}

// What the search needs is loaded when somebody uses it.
search.onfocus = () => import("./search.js").catch(explainMissing);
// The arrow keys go through the list.
the("side").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  // They also choose among words, while one is being composed.
  if (!step || isComposed(event) || event.altKey || event.ctrlKey || event.metaKey) return;
  const stops = [search, ...links()];
  const here = stops.findIndex((stop) => stop === document.activeElement);
  if (here < 0) return;
  event.preventDefault();
  stops.at(Math.min(here + step, stops.length - 1))?.focus();
});
the("more-chats").onclick = () =>
  import("./morechats.js").then(({ load }) => load(), explainMissing);
