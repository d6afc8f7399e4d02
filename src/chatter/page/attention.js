/**
 * What tells the user of messages that are not looked at: the title and the icon of the tab,
 * notifications of private messages (if the user has chosen them), and the announcements that
 * screen readers read.
 */

import { the } from "./dom.js";
import { choose, isChosen } from "./saved.js";
import { isAnyTabSeen } from "./tabs.js";

/** Between two announcements, in milliseconds. */
const GAP = 1000;

/** So many messages are read one by one; of more only the number is told. */
const ONE_BY_ONE = 3;

const icon = /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]"));
const calm = icon.href;
const unreadIcon = calm.replace("icon.svg", "icon-unread.svg");

/**
 * @param {string} where What the page shows.
 * @param {number} unread
 */
export function showUnread(where, unread) {
  const title = unread ? `(${unread > 99 ? "99+" : unread}) ${where}` : where;
  if (document.title !== title) document.title = title;
  const href = unread ? unreadIcon : calm;
  if (icon.href !== href) icon.href = href;
}

/** @type {string[]} */
let waiting = [];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} sentence */
export function announce(sentence) {
  waiting.push(sentence);
  timer ??= setTimeout(() => {
    timer = undefined;
    const sentences = waiting;
    waiting = [];
    the("announcer").textContent =
      sentences.length > ONE_BY_ONE ? `${sentences.length} new messages` : sentences.join("\n");
  }, GAP);
}

/** Whether the browser can notify, and what the user has chosen. */
export const notifications = {
  get possible() {
    return "Notification" in window && window.isSecureContext;
  },

  get on() {
    return this.possible && Notification.permission === "granted" && isChosen("notifications");
  },

  /**
   * @param {boolean} wanted
   * @returns {Promise<boolean>} Whether it is so now.
   */
  async choose(wanted) {
    if (wanted && (await Notification.requestPermission()) !== "granted") return false;
    choose("notifications", wanted);
    return true;
  },

  /**
   * Notify of a private message, if no tab of the chat is looked at.
   *
   * @param {string} name
   * @param {string} text
   * @param {number} chat Where a click leads; a later message replaces the notification.
   */
  async show(name, text, chat) {
    if (!this.on || !document.hidden || (await isAnyTabSeen())) return;
    const shown = new Notification(name, { body: text.slice(0, 300), tag: `chatter ${chat}` });
    shown.addEventListener("click", () => {
      window.focus();
      location.hash = String(chat);
      shown.close();
    });
  },
};
