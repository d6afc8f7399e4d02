/** The user's menu: notifications, devices, and signing out. */

import { connect, post } from "./api.js";
import { canNotify, notifies } from "./notifications.js";
import { moderates, user } from "./chats.js";
import { make } from "./drawing.js";
import { getTokens, showDevices } from "./devices.js";
import { showReports } from "./reports.js";
import { isSure, makeItem, showMenu } from "./popover.js";
import { load, save } from "./saved.js";

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
      makeItem("Sign out…", () => void leave(left)),
    );
  showMenu(button, "You", items);
}

/** @returns {HTMLElement[]} */
function notifyItems() {
  const box = make("input");
  box.type = "checkbox";
  box.disabled = !canNotify;
  box.checked = notifies();
  const note = make("p", "hint");
  if (!canNotify) note.textContent = "Browsers notify only on pages that came over https.";
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

/** @param {() => void} left */
async function leave(left) {
  const name = make("strong", "", user?.name ?? "");
  name.dir = "auto";
  const text = [
    "There is no password: nobody can sign in as ",
    name,
    " again, not even you. What you wrote stays.",
  ];
  const tokens = await getTokens().catch(() => []);
  const sure =
    tokens.length > 1
      ? isSure("Sign out here?", ["You stay signed in on your other devices."], "Stay", "Sign out")
      : isSure("Sign out for good?", text, "Stay", "Sign out");
  if (!(await sure)) return;
  await post("disconnect", {}).catch(() => undefined);
  left();
}

/**
 * Have the cookie set again now and then: a browser forgets it 400 days after that, and with it
 * the user.
 */
export function keepCookie() {
  if (!user || Date.now() - (load("cookie", "localStorage") ?? 0) < MONTH) return;
  save("cookie", Date.now(), "localStorage");
  connect({}, {}).catch(() => save("cookie", undefined, "localStorage"));
}
