/**
 * What tells the user of something that is not in the chat: the title and the icon of the tab,
 * the banner of a lost connection, and the announcements that screen readers read.
 */

import { setHidden, setText, soon, the } from "./drawing.js";

/** A connection that is lost for less is nobody's concern, in milliseconds. */
const CALM = 5000;

/** So many messages are read one by one; of more, the number is told. */
const ONE_BY_ONE = 3;

const icon = /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]"));
const [calm, alerted] = [icon.href, icon.href.replace("icon.svg", "icon-unread.svg")];

/**
 * @param {string} where What the page shows.
 * @param {number} unread
 */
export function showUnread(where, unread) {
  const title = unread ? `(${atMost99(unread)}) ${where}` : where;
  if (document.title !== title) document.title = title;
  const href = unread ? alerted : calm;
  if (icon.href !== href) icon.href = href;
}

/** @param {number} count */
export const atMost99 = (count) => (count > 99 ? "99+" : String(count));

/** @type {ReturnType<typeof setTimeout> | undefined} */
let lost;

/** @param {boolean} connected */
export function showConnected(connected) {
  if (!connected) {
    lost ??= setTimeout(showBanner, CALM, "The connection is lost. Trying again…");
    return;
  }
  clearTimeout(lost);
  lost = undefined;
  showBanner("");
}

/** @param {string} text */
function showBanner(text) {
  setText(the("banner-text"), text);
  setHidden(the("banner-retry"), !text);
}

/** @type {string[]} */
let waiting = [];

/** @param {string} sentence */
export function announce(sentence) {
  waiting.push(sentence);
  announceSoon();
}

const announceSoon = soon(1000, () => {
  const { length } = waiting;
  the("announcer").textContent =
    length > ONE_BY_ONE ? `${length} new messages` : waiting.join("\n");
  waiting = [];
});
