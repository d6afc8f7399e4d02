/** The user's menu: notifications, devices, one's own data, and leaving. */

import { connect } from "./api.js";
import { moderates } from "./chats.js";
import { make } from "./drawing.js";
import { showDevices } from "./devices.js";
import { showExport } from "./export.js";
import { leaveForGood, signOut } from "./leaving.js";
import { canNotify, notifies } from "./notifications.js";
import { makeItem, showMenu } from "./popover.js";
import { showReports } from "./reports.js";
import { load, owner, save } from "./saved.js";

const MONTH = 30 * 24 * 3600 * 1000;

/**
 * @param {HTMLElement} button The one that opens the menu.
 * @param {boolean} canLeave Whether the user has joined here, and is no account of the site.
 * @param {() => void} left Is called when the user has signed out.
 */
export function open(button, canLeave, left) {
  const items = notifyItems();
  if (moderates) items.push(makeItem("Reports…", () => void showReports()));
  if (canLeave)
    items.push(
      makeItem("Your devices…", () => void showDevices()),
      makeItem("Download your data…", () => void showExport()),
      makeItem("Sign out…", () => void signOut(left)),
      makeItem("Leave for good…", () => void leaveForGood(left)),
    );
  showMenu(button, "You", items);
}

/** @returns {HTMLElement[]} */
function notifyItems() {
  const box = make("input");
  box.type = "checkbox";
  box.disabled = !canNotify();
  box.checked = notifies();
  const note = make("p", "hint");
  if (box.disabled)
    note.textContent = isSecureContext
      ? "This browser shows no notifications of pages."
      : "Browsers notify only on pages that came over https.";
  box.onchange = async () => {
    const wanted = box.checked;
    if (wanted) await Notification.requestPermission();
    save("notify", wanted || undefined, "localStorage");
    box.checked = notifies();
    const refused = wanted && !box.checked;
    note.textContent = refused ? "The browser does not allow it for this site." : "";
  };
  return [make("label", "", box, make("span", "", "Notify me of private messages")), note];
}

/**
 * Have the cookie set again now and then: a browser forgets it 400 days after that, and with it
 * the user.
 */
export function keepCookie() {
  if (!owner || Date.now() - (load("cookie", "localStorage") ?? 0) < MONTH) return;
  save("cookie", Date.now(), "localStorage");
  connect({}, {}).catch(() => save("cookie", undefined, "localStorage"));
}
