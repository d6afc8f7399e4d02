/** Keys that work wherever the focus is. All they do can be done with Tab and Enter, too. */

import { sorted } from "./chats.js";
import { box, focus, stopEditing } from "./composer.js";
import { shown } from "./conversation.js";
import { isComposed, the } from "./drawing.js";
import { goTo as goToMessage, toEnd } from "./log.js";
import { search } from "./sidebar.js";

const scroller = the("scroller");

/** @param {number} step */
function goTo(step) {
  const all = sorted();
  const here = all.findIndex((chat) => chat === shown);
  location.hash = String(all.at((here + step) % all.length)?.id || "general");
}

/** @param {1 | -1} direction */
const turnPage = (direction) => scroller.scrollBy(0, direction * scroller.clientHeight * 0.9);

/**
 * @param {KeyboardEvent} event
 * @returns {boolean} Whether the key did something.
 */
function press({ key, altKey, ctrlKey, metaKey, target }) {
  const command = ctrlKey || metaKey;
  const isMore = target instanceof Element && target.matches(".more");
  const inLog = target === document.body || target === scroller || isMore;
  if (altKey && !command && key === "ArrowUp") goTo(-1);
  else if (altKey && !command && key === "ArrowDown") goTo(1);
  else if (command && !altKey && key.toLowerCase() === "k") search.focus();
  else if (key === "Escape" && target === search) focus();
  else if (key === "Escape" && target === box && stopEditing()) return true;
  else if (key === "Escape" && (target === box || inLog)) {
    toEnd();
    if (isMore) focus();
  } else if (key === "ArrowUp" && inLog && !command) goToMessage(-1);
  else if (key === "ArrowDown" && inLog && !command) goToMessage(1);
  else if (key === "PageUp" && target === box) turnPage(-1);
  else if (key === "PageDown" && target === box) turnPage(1);
  else {
    // Who begins to type wants to write. The character goes where the focus is by then.
    if (
      inLog &&
      !(isMore && key === "Enter") &&
      key.length === 1 &&
      key !== " " &&
      !command &&
      !altKey
    )
      focus();
    return false;
  }
  return true;
}

document.addEventListener("keydown", (event) => {
  if (the("app").hidden || isComposed(event) || document.querySelector("dialog[open]")) return;
  if (press(event)) event.preventDefault();
});
