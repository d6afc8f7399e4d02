/** A menu beside a button, and a question before what cannot be undone. */

import { Problem } from "./api.js";
import { make, the } from "./drawing.js";
import "./panels.js";

/** Between a menu and the edge of the screen, in pixels. */
const MARGIN = 8;

const menu = make("div", "menu");
menu.popover = "auto";
menu.role = "group";
the("app").append(menu);

// What is focused when it opens is the button, to which the focus goes back.
menu.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const items = stops();
  const here = items.findIndex((one) => one === document.activeElement);
  items[(here + step + items.length) % items.length]?.focus();
});

/** @returns {HTMLElement[]} */
const stops = () => [...menu.querySelectorAll("button, input")].filter((one) => isUsable(one));

/**
 * @param {Element} element
 * @returns {element is HTMLElement}
 */
const isUsable = (element) => element instanceof HTMLElement && !element.matches(":disabled");

/**
 * @param {HTMLElement} button The one beside which it opens.
 * @param {string} name What the menu is called.
 * @param {HTMLElement[]} items
 */
export function showMenu(button, name, items) {
  menu.ariaLabel = name;
  menu.replaceChildren(...items);
  menu.showPopover();
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = bottom + height + MARGIN < innerHeight;
  const x = left + width + MARGIN < innerWidth ? left : right - width;
  menu.style.left = `${Math.max(MARGIN, x)}px`;
  menu.style.top = `${Math.max(MARGIN, below ? bottom : top - height)}px`;
  stops()[0]?.focus();
}

/**
 * @param {string} text
 * @param {() => void} chosen Is called when the menu is closed.
 */
export function makeItem(text, chosen) {
  const button = make("button", "", text);
  button.type = "button";
  button.onclick = () => {
    menu.hidePopover();
    chosen();
  };
  return button;
}

/** How many were made: one may be shown above another. */
let dialogs = 0;

/**
 * Show a dialog until one of its buttons ends it.
 *
 * @param {string} title
 * @param {(Node | string)[]} content
 * @param {HTMLButtonElement[]} buttons Each has a value; the first one has the focus.
 * @returns {Promise<string>} The value of the button, or empty.
 */
export function showDialog(title, content, buttons) {
  const heading = make("h2", "", title);
  heading.id = `dialog-${++dialogs}`;
  const form = make("form", "buttons", ...buttons);
  form.method = "dialog";
  const dialog = make("dialog", "card", heading, ...content, form);
  dialog.setAttribute("aria-labelledby", heading.id);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      dialog.remove();
      resolve(dialog.returnValue);
    };
  });
}

/**
 * Ask before something that cannot be undone.
 *
 * @param {string} title
 * @param {(Node | string)[]} text
 * @param {string} no What the button says that does nothing.
 * @param {string} yes
 */
export async function isSure(title, text, no, yes) {
  const stay = make("button", "primary", no);
  const go = make("button", "danger", yes);
  go.value = "yes";
  return (await showDialog(title, [make("p", "", ...text)], [stay, go])) === "yes";
}

/**
 * @param {string} title
 * @param {string} text
 */
export const showNotice = (title, text) =>
  showDialog(title, [make("p", "", text)], [make("button", "primary", "Close")]);

/**
 * Do what may be refused, and show why it was.
 *
 * @param {() => Promise<unknown>} work
 * @returns {Promise<boolean>} Whether it was done.
 */
export async function attempt(work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    await showNotice("That did not work", error.message);
    return false;
  }
}
