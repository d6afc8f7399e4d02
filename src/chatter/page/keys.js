/** Keys that work wherever the focus is. All of them only shorten what Tab and Enter do, too. */

import { the } from "./dom.js";

/**
 * @param {object} page
 * @param {import("./composer.js").Composer} page.composer
 * @param {import("./conversation.js").Conversation} page.conversation
 * @param {import("./side.js").Side} page.side
 * @param {import("./chats.js").Chats} page.chats
 */
export function prepareKeys({ composer, conversation, side, chats }) {
  const scroller = the("scroller");

  /** @param {number} step To another chat of the list. */
  const goTo = (step) => {
    const all = chats.sorted();
    const here = all.findIndex((chat) => chat === conversation.chat);
    const next = all[(here + step + all.length) % all.length];
    location.hash = next.id ? String(next.id) : "general";
  };

  /** @param {-1 | 1} direction */
  const turnPage = (direction) => {
    scroller.scrollBy({ top: direction * scroller.clientHeight * 0.9 });
  };

  document.addEventListener("keydown", (event) => {
    if (the("app").hidden || event.isComposing || document.querySelector("dialog[open]")) return;
    const { key, altKey } = event;
    const command = event.ctrlKey || event.metaKey;
    const inBox = event.target === composer.box;
    const inLog = event.target === document.body || event.target === scroller;
    if (altKey && !command && key === "ArrowUp") goTo(-1);
    else if (altKey && !command && key === "ArrowDown") goTo(1);
    else if (command && !altKey && key.toLowerCase() === "k") side.search.focus();
    else if (key === "Escape" && event.target === side.search) composer.focus();
    else if (key === "Escape" && (inBox || inLog)) conversation.log.toEnd();
    else if (inBox && key === "PageUp") turnPage(-1);
    else if (inBox && key === "PageDown") turnPage(1);
    else {
      // Who begins to type wants to write. The character goes where the focus is by then.
      if (inLog && key.length === 1 && key !== " " && !command && !altKey) composer.focus();
      return;
    }
    event.preventDefault();
  });
}
